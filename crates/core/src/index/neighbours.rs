//! The vectors close to each of many: found in the leaves around it, and then among those close to these.

use super::store::LeafStore;
use crate::graph::{Close, Comparison, Own, Rows, Seen, Tiles};
use crate::keep::{Keep, estimate, key, number};
use crate::leaves::{Coded, Homes, NO_LEAF, Scratch, rank};
use crate::parallel;
use crate::simd::Kernels;

/// Vectors that a thread takes at a time.
const BLOCK: usize = 128;

/// Vectors in bytes, leaf by leaf, each known by its place.
#[derive(Clone, Copy)]
pub(super) struct Vicinity<'a> {
    pub(super) kernels: &'static Kernels,
    pub(super) rows: &'a Rows,
    /// Where each leaf's begin, and where the last one's end.
    pub(super) starts: &'a [u32],
    pub(super) threads: usize,
}

/// What was found for some vectors, one behind the other.
struct Found {
    close: Vec<Close>,
    ends: Vec<usize>,
}

impl Found {
    /// What was found for vector number `i`.
    fn of(&self, i: usize) -> &[Close] {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.close[start..self.ends[i]]
    }
}

/// Buffers of a thread that compares leaves.
#[derive(Default)]
struct Buffers {
    scratch: Scratch,
    comparison: Comparison,
    keeps: Vec<Keep>,
}

impl Vicinity<'_> {
    fn len(&self) -> usize {
        self.starts.last().map_or(0, |&end| end as usize)
    }

    fn own(&self, place: u32) -> Own<'_> {
        self.rows.own(place)
    }

    /// The places of a leaf's vectors.
    fn members(&self, leaf: usize) -> std::ops::Range<u32> {
        self.starts[leaf]..self.starts[leaf + 1]
    }

    /// What `make` makes of each place.
    pub(super) fn map<B, T: Send>(
        &self,
        start: impl Fn() -> B + Sync,
        make: impl Fn(&mut B, u32) -> T + Sync,
    ) -> Vec<T> {
        let n = self.len();
        let parts = parallel::map_with(self.threads, n.div_ceil(BLOCK), start, |buffers, block| {
            let places = block * BLOCK..((block + 1) * BLOCK).min(n);
            places.map(|place| make(buffers, place as u32)).collect::<Vec<_>>()
        });
        parts.into_iter().flatten().collect()
    }

    /// For each vector the closest `kept` of those in the leaves around both of its leaves, so many of them; `homes` are by places.
    ///
    /// Vectors of a leaf look into the same leaves, where many are compared with many. A second leaf lies in another direction, with others
    /// around it: without it the vectors around a leaf are an island, which no edge leaves.
    pub(super) fn in_leaves(
        &self,
        coded: Coded<'_>,
        store: &LeafStore,
        homes: &[Homes],
        around: usize,
        kept: usize,
    ) -> Vec<Vec<Close>> {
        let tiles = parallel::map(self.threads, store.len(), |leaf| self.tiles(leaf));
        // Those whose second leaf one is, and the number of each among these.
        let mut guests = vec![Vec::new(); store.len()];
        let mut numbers = vec![0; homes.len()];
        for (place, &[_, second]) in homes.iter().enumerate().filter(|(_, homes)| homes[1] != NO_LEAF) {
            numbers[place] = guests[second as usize].len();
            guests[second as usize].push(place as u32);
        }
        let found = parallel::map_with(self.threads, store.len(), Buffers::default, |buffers, leaf| {
            let places: Vec<u32> = self.members(leaf).chain(guests[leaf].iter().copied()).collect();
            let ranked = rank(coded, store.directory.centroid(leaf), around, around, &mut buffers.scratch);
            let leaves: Vec<u32> = ranked.iter().take(around).map(|&(_, _, leaf)| leaf).collect();
            self.compare(&places, &leaves, &tiles, kept, buffers)
        });
        self.map(
            || (),
            |(), place| {
                let [first, second] = homes[place as usize].map(|leaf| leaf as usize);
                let among_first = found[first].of((place - self.starts[first]) as usize);
                if homes[place as usize][1] == NO_LEAF {
                    return among_first.to_vec();
                }
                let guest = self.members(second).len() + numbers[place as usize];
                merged(among_first, found[second].of(guest), kept)
            },
        )
    }

    fn tiles(&self, leaf: usize) -> Tiles {
        let mut tiles = Tiles::default();
        tiles.fill(self.members(leaf).map(|place| self.own(place)), self.rows.width());
        tiles
    }

    /// For each of some vectors the closest `kept` of those in some leaves.
    fn compare(
        &self,
        places: &[u32],
        leaves: &[u32],
        tiles: &[Tiles],
        kept: usize,
        buffers: &mut Buffers,
    ) -> Found {
        let Buffers { comparison, keeps, .. } = buffers;
        comparison.ask(places.iter().map(|&place| self.own(place)), self.rows.width());
        keeps.resize_with(keeps.len().max(places.len()), Keep::default);
        keeps.iter_mut().for_each(|keep| keep.start(kept, kept));
        for &leaf in leaves {
            let first = self.starts[leaf as usize];
            comparison.with(self.kernels, &tiles[leaf as usize]);
            for (i, (&place, keep)) in places.iter().zip(&mut *keeps).enumerate() {
                for (at, apart) in comparison.below(i) {
                    let other = first + at as u32;
                    if other != place {
                        keep.push(apart, other);
                    }
                }
                keep.tidy();
                comparison.set_threshold(i, keep.threshold());
            }
        }
        let (mut close, mut ends) =
            (Vec::with_capacity(places.len() * kept), Vec::with_capacity(places.len()));
        for keep in &mut keeps[..places.len()] {
            let found = keep.finish();
            found.sort_unstable();
            close.extend(found.iter().map(|&key| (estimate(key), number(key))));
            ends.push(close.len());
        }
        Found { close, ends }
    }

    /// For each vector the closest `kept` of those that are `near` it and of the closest `from` of those that are near one of its closest `from`, or
    /// to which it is itself one of these, of which at most `from` count (Dong, Charikar, Li: *Efficient k-nearest neighbor graph construction*, 2011).
    pub(super) fn join(&self, near: &[Vec<Close>], from: usize, kept: usize) -> Vec<Vec<Close>> {
        let mut beside: Vec<Vec<u32>> = near
            .iter()
            .map(|near| {
                let mut beside = Vec::with_capacity(2 * from);
                beside.extend(near.iter().take(from).map(|&(_, other)| other));
                beside
            })
            .collect();
        for (place, near) in (0..).zip(near) {
            for &(_, other) in near.iter().take(from) {
                let beside = &mut beside[other as usize];
                if beside.len() < 2 * from {
                    beside.push(place);
                }
            }
        }
        let buffers = || (Seen::default(), Vec::new(), Vec::new(), Vec::new());
        self.map(buffers, |(seen, others, dots, keys), place| {
            let (own, near_it) = (self.own(place), &near[place as usize]);
            seen.start(near.len());
            seen.meet(place);
            keys.clear();
            for &(square, other) in near_it {
                seen.meet(other);
                keys.push(key(square, other));
            }
            others.clear();
            let beside = &beside[place as usize];
            others.extend(beside.iter().copied().filter(|&other| seen.meet(other)));
            for &other in beside {
                let near = near[other as usize].iter().take(from);
                others.extend(near.map(|&(_, other)| other).filter(|&other| seen.meet(other)));
            }
            let ends: Vec<Own<'_>> = others.iter().map(|&other| self.own(other)).collect();
            let rows: Vec<&[i8]> = ends.iter().map(|end| end.bytes).collect();
            dots.resize(rows.len(), 0);
            (self.kernels.dot_bytes)(own.bytes, &rows, dots);
            let apart = ends.iter().zip(&*dots).map(|(&end, &dot)| own.apart(end, dot));
            keys.extend(apart.zip(&*others).map(|(apart, &other)| key(apart, other)));
            if keys.len() > kept {
                keys.select_nth_unstable(kept);
                keys.truncate(kept);
            }
            keys.sort_unstable();
            keys.iter().map(|&key| (estimate(key), number(key))).collect()
        })
    }
}

/// The first `kept` of two lists in ascending order, each once.
fn merged(a: &[Close], b: &[Close], kept: usize) -> Vec<Close> {
    let mut all: Vec<Close> = Vec::with_capacity(kept.min(a.len() + b.len()));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while all.len() < kept {
        let from_a = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).is_le(),
            (a, _) => a.is_some(),
        };
        let Some(&next) = (if from_a { a.next() } else { b.next() }) else { break };
        if all.last() != Some(&next) {
            all.push(next);
        }
    }
    all
}

/// Of the closest of each vector `now`, the share that was not close to it `before`; each in ascending order.
pub(super) fn share_of_new(before: &[Vec<Close>], now: &[Vec<Close>]) -> f64 {
    const CLOSEST: usize = 10;
    let (mut new, mut all) = (0, 0);
    for (before, now) in before.iter().zip(now) {
        let closest = &now[..now.len().min(CLOSEST)];
        let last = closest.last().map_or(f32::NEG_INFINITY, |last| last.0);
        let known = &before[..before.partition_point(|one| one.0 <= last)];
        new += closest.iter().filter(|one| !known.contains(one)).count();
        all += closest.len();
    }
    new as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{Buffers, Close, Vicinity, share_of_new};
    use crate::graph::{Coder, Own, Rows};
    use crate::index::Metric;
    use crate::index::slots::{Base, Slots};
    use crate::index::space::Space;
    use crate::index::stored::Stored;
    use crate::index::train::train;
    use crate::index::update::Work;
    use crate::kmeans::Points;
    use crate::leaves::{NO_LEAF, Scratch, rank};
    use crate::random::Random;
    use crate::simd;

    const LEAVES: usize = 9;

    /// Vectors of some bytes in leaves of many sizes, of which one is empty.
    fn vectors(width: usize, random: &mut Random) -> (Rows, Vec<u32>) {
        let starts: Vec<u32> = [0, 5, 5, 21, 70, 102, 118, 135, 200, 231].to_vec();
        let mut rows = Rows::with_capacity(231, width);
        for _ in 0..231 {
            let bytes: Vec<i8> = (0..width).map(|_| (random.symmetric() * 127.0) as i8).collect();
            let square: f32 = bytes.iter().map(|&byte| f32::from(byte).powi(2)).sum();
            rows.push(Own { square, times: -2.0, unit: 1.0, bytes: &bytes });
        }
        (rows, starts)
    }

    /// Of some vectors the closest to one, found one by one.
    fn closest(
        vicinity: &Vicinity<'_>,
        place: u32,
        others: impl Iterator<Item = u32>,
        kept: usize,
    ) -> Vec<Close> {
        let bytes = |place: u32| vicinity.own(place).bytes;
        let square = |other: u32| {
            let each = bytes(place).iter().zip(bytes(other));
            each.map(|(&a, &b)| (f32::from(a) - f32::from(b)).powi(2)).sum::<f32>()
        };
        let mut close: Vec<Close> =
            others.filter(|&other| other != place).map(|other| (square(other), other)).collect();
        close.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        close.truncate(kept);
        close
    }

    #[test]
    fn what_is_found_in_leaves_and_among_neighbours_is_the_closest_there() {
        let random = &mut Random::new(7, 0);
        for width in [3, 16, 70] {
            let (rows, starts) = vectors(width, random);
            let kernels = simd::kernels();
            let vicinity = Vicinity { kernels, rows: &rows, starts: &starts, threads: 2 };
            let tiles: Vec<_> = (0..LEAVES).map(|leaf| vicinity.tiles(leaf)).collect();
            let (leaves, places) = ([0, 1, 3, 6, 8], [70, 0, 140, 230]);
            for kept in [1, 7, 500] {
                let found = vicinity.compare(&places, &leaves, &tiles, kept, &mut Buffers::default());
                for (i, &place) in places.iter().enumerate() {
                    let members = leaves.iter().flat_map(|&leaf| vicinity.members(leaf as usize));
                    let wanted = closest(&vicinity, place, members, kept);
                    assert_eq!(found.of(i), wanted, "{width} bytes, {kept} kept");
                }
            }

            let near: Vec<Vec<Close>> = (0..231)
                .map(|place| closest(&vicinity, place, (0..231).filter(|other| other % 3 == place % 3), 12))
                .collect();
            let joined = vicinity.join(&near, 8, 20);
            for (place, joined) in (0..).zip(&joined) {
                let leads = |from: u32, to: u32| near[from as usize].iter().take(8).any(|one| one.1 == to);
                // Of those that it is close to the first ones, until there are twice as many.
                let mut beside: Vec<u32> = near[place as usize].iter().take(8).map(|one| one.1).collect();
                beside.extend((0..231).filter(|&other| leads(other, place)));
                beside.truncate(16);
                let further = |other: u32| beside.iter().any(|&one| leads(one, other));
                let own = |other: u32| near[place as usize].iter().any(|one| one.1 == other);
                let all = (0..231).filter(|&other| own(other) || beside.contains(&other) || further(other));
                assert_eq!(*joined, closest(&vicinity, place, all, 20), "{width} bytes, vector {place}");
            }
        }
    }

    #[test]
    fn what_was_not_known_among_the_ten_closest_is_new() {
        let near = |places: &[u32]| places.iter().map(|&place| (place as f32, place)).collect::<Vec<Close>>();
        let before = [near(&[1, 2, 3, 20]), near(&[4, 6, 8])];
        // Of twelve ten count, of which four were known; of the other two both were not.
        let now = [near(&(1..=9).chain([20, 21, 22]).collect::<Vec<_>>()), near(&[5, 7])];
        assert_eq!(share_of_new(&before, &now), 8.0 / 12.0);
        assert_eq!(share_of_new(&before, &before), 0.0);
        assert_eq!(share_of_new(&[], &[]), 0.0);
    }

    #[test]
    fn a_vector_is_compared_with_the_leaves_around_both_of_its_leaves() {
        const N: usize = 1500;
        const DIM: usize = 10;
        let (random, kernels) = (&mut Random::new(9, 0), simd::kernels());
        let values: Vec<f32> = (0..N * DIM).map(|_| random.symmetric()).collect();
        let space = Space::new(DIM, Metric::Euclidean);
        let rows: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        let slots = Slots::new(Base { len: N, rows: rows.into(), ..Base::default() });
        let stored = Stored { space: &space, slots: slots.view(&space) };
        let work = Work { seed: 1, threads: 2, regroup: true };
        let ControlFlow::Continue((store, homes)) =
            train(stored, None, work, &mut |_| ControlFlow::Continue(()))
        else {
            panic!("nobody breaks off")
        };
        let mut order: Vec<usize> = (0..N).collect();
        order.sort_by_key(|&slot| homes[slot][0]);
        let start = |leaf: usize| order.partition_point(|&slot| (homes[slot][0] as usize) < leaf) as u32;
        let starts: Vec<u32> = (0..=store.len()).map(start).collect();
        let homes: Vec<_> = order.iter().map(|&slot| homes[slot]).collect();
        let points = Points { values: &values, dim: DIM };
        let coder = Coder::new(kernels, (*store.codebook).clone(), points.mean());
        let mut rows = Rows::with_capacity(N, coder.layout().width());
        for &slot in &order {
            coder.code(kernels, Points { values: points.row(slot), dim: DIM }, |_, own| rows.push(own));
        }

        let vicinity = Vicinity { kernels, rows: &rows, starts: &starts, threads: 2 };
        let (coded, around, kept) = (store.coded(&space), 3, 12);
        let near = vicinity.in_leaves(coded, &store, &homes, around, kept);
        let (mut scratch, mut from_second) = (Scratch::default(), 0);
        for (place, near) in (0..).zip(&near) {
            let mut all: Vec<u32> = Vec::new();
            for leaf in homes[place as usize].into_iter().filter(|&leaf| leaf != NO_LEAF) {
                let before = all.len();
                let ranked =
                    rank(coded, store.directory.centroid(leaf as usize), around, around, &mut scratch);
                for &(_, _, leaf) in ranked.iter().take(around) {
                    all.extend(vicinity.members(leaf as usize).filter(|&other| other != place));
                }
                let first = &all[..before];
                from_second += near.iter().filter(|one| before > 0 && !first.contains(&one.1)).count();
            }
            all.sort_unstable();
            all.dedup();
            let ends: Vec<Own<'_>> = all.iter().map(|&other| vicinity.own(other)).collect();
            let mut wanted = crate::graph::squares(kernels, vicinity.own(place), &ends);
            wanted.sort_by(f32::total_cmp);
            wanted.truncate(kept);
            assert_eq!(near.len(), wanted.len());
            for (&(square, other), wanted) in near.iter().zip(wanted) {
                assert!(all.binary_search(&other).is_ok());
                assert!((square - wanted).abs() < 1e-4, "vector {place}: {square} and not {wanted}");
            }
        }
        assert!(from_second > N, "{from_second} of {} were found around second leaves", N * kept);
    }
}
