//! Every vector compared with the query.

use rustc_hash::FxHashSet;

use super::slots::SlotsView;
use super::space::{Query, Space};
use super::stored::Stored;
use crate::keep::{key, number};
use crate::kmeans::{Points, Tiles};
use crate::parallel;
use crate::quant::Measure;

/// Vectors that are compared at a time: they stay in the cache while all queries see them.
const BLOCK: usize = 256;
/// How many rows are fetched ahead.
const AHEAD: usize = 8;
/// So many more than are wanted, by products, which are rounded, are compared by what their distances are.
const SPARE: usize = 16;

/// Calls `sink` with the rank and the slot of each of `slots`.
pub(super) fn ranks(
    space: &Space,
    view: SlotsView<'_>,
    slots: &[u32],
    query: &Query,
    mut sink: impl FnMut(f32, u32),
) {
    const GROUP: usize = 16;
    for &slot in slots.iter().take(AHEAD) {
        view.fetch_row(slot);
    }
    let mut next = AHEAD;
    for group in slots.chunks(GROUP) {
        let mut rows: [&[u32]; GROUP] = [&[]; GROUP];
        let (mut scales, mut ranks) = ([0.0; GROUP], [0.0; GROUP]);
        for (i, &slot) in group.iter().enumerate() {
            if let Some(&later) = slots.get(next) {
                view.fetch_row(later);
                next += 1;
            }
            rows[i] = view.row(slot);
            scales[i] = view.scale(slot);
        }
        let n = group.len();
        space.ranks(query, &rows[..n], &scales[..n], &mut ranks[..n]);
        for (&slot, &rank) in group.iter().zip(&ranks) {
            // An inner product of huge values can be no number: such a vector counts as far away.
            sink(if rank.is_nan() { f32::INFINITY } else { rank }, slot);
        }
    }
}

/// Queries, and how many of their closest are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) queries: &'a [Query],
    /// Slots of vectors that are left out.
    pub(super) without: &'a [u32],
    pub(super) k: usize,
}

/// For each query the slots of the closest vectors, closest first.
pub(super) fn closest(stored: Stored<'_>, wanted: Wanted<'_>, threads: usize) -> Vec<Vec<u32>> {
    let Stored { space, slots } = stored;
    let one_by_one = space.measure() == Measure::Absolute || space.metric.is_binary();
    let without: FxHashSet<u32> = wanted.without.iter().copied().collect();
    let share = (slots.len as u32).div_ceil(threads as u32).max(1);
    let parts = parallel::map(threads, threads, |part| {
        let first = part as u32 * share;
        let some = first..(first + share).min(slots.len as u32);
        let all: Vec<u32> = some.filter(|slot| !without.contains(slot)).collect();
        if one_by_one { wanted.one_by_one(stored, &all) } else { wanted.by_products(stored, &all) }
    });
    parallel::map_with(threads, wanted.queries.len(), Vec::new, |point, i| {
        let query = &wanted.queries[i];
        let mut best: Vec<u64> = parts.iter().flat_map(|part| part[i].iter().copied()).collect();
        best.sort_unstable();
        best.truncate(wanted.k + SPARE);
        let some: Vec<u32> = best.drain(..).map(number).collect();
        ranks(space, slots, &some, query, |rank, slot| {
            let row = (slots.row(slot), slots.scale(slot));
            best.push(key(space.precise(query, row, rank, point), slot));
        });
        best.sort_unstable();
        best.truncate(wanted.k);
        best.into_iter().map(number).collect()
    })
}

impl Wanted<'_> {
    /// For each query the keys of the closest of `slots`, and of some more.
    fn one_by_one(self, stored: Stored<'_>, slots: &[u32]) -> Vec<Vec<u64>> {
        let (queries, k) = (self.queries, self.k + SPARE);
        let mut best = vec![Vec::with_capacity(k + BLOCK); queries.len()];
        for block in slots.chunks(BLOCK) {
            for (query, best) in queries.iter().zip(&mut best) {
                ranks(stored.space, stored.slots, block, query, |rank, slot| best.push(key(rank, slot)));
                best.sort_unstable();
                best.truncate(k);
            }
        }
        best
    }

    /// The same by many inner products at a time, where the rest of a distance is the same for all queries or all vectors.
    fn by_products(self, stored: Stored<'_>, slots: &[u32]) -> Vec<Vec<u64>> {
        let (queries, k) = (self.queries, self.k + SPARE);
        let space = stored.space;
        let points: Vec<f32> = queries.iter().flat_map(|query| query.point.iter().copied()).collect();
        let tiles = Tiles::new(space.kernels, Points { values: &points, dim: space.dim });
        let mut best = vec![Vec::with_capacity(k + 1); queries.len()];
        let mut dots = Vec::new();
        for block in slots.chunks(BLOCK) {
            let rows = stored.points(block);
            dots.resize(block.len() * tiles.padded(), 0.0);
            tiles.dots(space.kernels, &rows, &mut dots);
            let rows = Points { values: &rows, dim: space.dim };
            for (i, &slot) in block.iter().enumerate() {
                let half = match space.measure() {
                    Measure::MinusDot => 0.0,
                    _ => (space.kernels.dot)(rows.row(i), rows.row(i)) / 2.0,
                };
                for (q, dot) in dots[i * tiles.padded()..][..queries.len()].iter().enumerate() {
                    let (best, key) = (&mut best[q], key(half - dot, slot));
                    if best.len() < k || best.last().is_some_and(|&last| key < last) {
                        best.insert(best.partition_point(|&other| other < key), key);
                        best.truncate(k);
                    }
                }
            }
        }
        best
    }
}
