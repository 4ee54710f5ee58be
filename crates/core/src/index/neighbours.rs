//! The vectors close to each of many: found in the leaves around it, and then among those close to these.

use super::store::LeafStore;
use crate::graph::{Close, Own, Rows, Seen};
use crate::keep::{Keep, estimate, key, number};
use crate::leaves::{Coded, Homes, NO_LEAF, Scratch, rank};
use crate::parallel;
use crate::simd::{Asking, Kernels, LANES, Near, padded, to_points, to_tiles};

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

/// The rows of a leaf, to be compared with many vectors at once.
struct Block {
    tiles: Vec<i8>,
    times: Vec<f32>,
    squares: Vec<f32>,
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
    points: Vec<i8>,
    asking: Vec<Asking>,
    keeps: Vec<Keep>,
    apart: Vec<f32>,
    below: Vec<u16>,
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
        let blocks = parallel::map(self.threads, store.len(), |leaf| self.block(leaf));
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
            self.compare(&places, &leaves, &blocks, kept, buffers)
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

    fn block(&self, leaf: usize) -> Block {
        let owns = || self.members(leaf).map(|place| self.own(place));
        let mut tiles = Vec::new();
        to_tiles(owns().map(|own| own.bytes), self.rows.width(), &mut tiles);
        let padded = owns().len().next_multiple_of(LANES);
        let mut times: Vec<f32> = owns().map(|own| own.times).collect();
        let mut squares: Vec<f32> = owns().map(|own| own.square).collect();
        times.resize(padded, 0.0);
        squares.resize(padded, f32::INFINITY);
        Block { tiles, times, squares }
    }

    /// For each of some vectors the closest `kept` of those in some leaves.
    fn compare(
        &self,
        places: &[u32],
        leaves: &[u32],
        blocks: &[Block],
        kept: usize,
        buffers: &mut Buffers,
    ) -> Found {
        let Buffers { points, asking, keeps, apart, below, .. } = buffers;
        points.clear();
        asking.clear();
        to_points(places.iter().map(|&place| self.own(place).bytes), self.rows.width(), points);
        for own in places.iter().map(|&place| self.own(place)) {
            asking.push(Asking { unit: own.unit, square: own.square, threshold: f32::INFINITY });
        }
        keeps.resize_with(keeps.len().max(places.len()), Keep::default);
        keeps.iter_mut().for_each(|keep| keep.start(kept, kept));
        for &leaf in leaves {
            let Block { tiles, times, squares } = &blocks[leaf as usize];
            let count = squares.len() / LANES;
            apart.resize(places.len() * squares.len(), 0.0);
            below.resize(places.len() * count, 0);
            if below.is_empty() {
                continue;
            }
            let near = Near { points, width: padded(self.rows.width()), asking, tiles, times, squares };
            (self.kernels.near_bytes)(&near, apart, below);
            let each = below.chunks_exact(count).zip(apart.chunks_exact(count * LANES));
            for ((&place, asking), (keep, (below, apart))) in
                places.iter().zip(asking.iter_mut()).zip(keeps.iter_mut().zip(each))
            {
                for (tile, &below) in below.iter().enumerate() {
                    let mut left = below;
                    while left != 0 {
                        let row = tile * LANES + left.trailing_zeros() as usize;
                        left &= left - 1;
                        let other = self.starts[leaf as usize] + row as u32;
                        if other != place {
                            keep.push(apart[row], other);
                        }
                    }
                }
                keep.tidy();
                asking.threshold = keep.threshold();
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

#[cfg(test)]
mod tests {
    use super::{Buffers, Close, Vicinity};
    use crate::graph::{Own, Rows};
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
            let blocks: Vec<_> = (0..LEAVES).map(|leaf| vicinity.block(leaf)).collect();
            let (leaves, places) = ([0, 1, 3, 6, 8], [70, 0, 140, 230]);
            for kept in [1, 7, 500] {
                let found = vicinity.compare(&places, &leaves, &blocks, kept, &mut Buffers::default());
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
}
