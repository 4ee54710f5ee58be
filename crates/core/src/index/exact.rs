//! Every vector compared with the query.

use super::slots::SlotsView;
use super::space::{Query, Space};
use crate::kmeans::{Points, Tiles};
use crate::leaves::{key, number};
use crate::parallel;
use crate::quant::Measure;
use crate::simd;

/// Vectors that are compared at a time: they stay in the cache while all queries see them.
const BLOCK: usize = 256;
/// How many rows are fetched ahead.
const AHEAD: usize = 8;

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
        simd::prefetch_many(view.row(slot));
    }
    let mut next = AHEAD;
    for group in slots.chunks(GROUP) {
        let mut rows: [&[u32]; GROUP] = [&[]; GROUP];
        let (mut scales, mut ranks) = ([0.0; GROUP], [0.0; GROUP]);
        for (i, &slot) in group.iter().enumerate() {
            if let Some(&later) = slots.get(next) {
                simd::prefetch_many(view.row(later));
                next += 1;
            }
            rows[i] = view.row(slot);
            scales[i] = view.scale(slot);
        }
        let n = group.len();
        space.ranks(query, &rows[..n], &scales[..n], &mut ranks[..n]);
        for (&slot, &rank) in group.iter().zip(&ranks) {
            sink(rank, slot);
        }
    }
}

/// For each query the slots of the `k` closest of `living`, closest first, the vector that it was made of left out.
pub(super) fn closest(
    space: &Space,
    view: SlotsView<'_>,
    living: &[u32],
    queries: &[Query],
    own: &[u32],
    k: usize,
    threads: usize,
) -> Vec<Vec<u32>> {
    let parts = parallel::map(threads, threads, |part| {
        let share = living.len().div_ceil(threads).max(1);
        let mine = living.chunks(share).nth(part).unwrap_or_default();
        if space.measure() == Measure::Absolute || space.metric.is_binary() {
            closest_one_by_one(space, view, mine, queries, own, k)
        } else {
            closest_by_products(space, view, mine, queries, own, k)
        }
    });
    (0..queries.len())
        .map(|i| {
            let mut best: Vec<u64> = parts.iter().flat_map(|part| part[i].iter().copied()).collect();
            best.sort_unstable();
            best.truncate(k);
            best.into_iter().map(number).collect()
        })
        .collect()
}

fn closest_one_by_one(
    space: &Space,
    view: SlotsView<'_>,
    living: &[u32],
    queries: &[Query],
    own: &[u32],
    k: usize,
) -> Vec<Vec<u64>> {
    let mut best = vec![Vec::with_capacity(k + BLOCK); queries.len()];
    for block in living.chunks(BLOCK) {
        for ((query, own), best) in queries.iter().zip(own).zip(&mut best) {
            ranks(space, view, block, query, |rank, slot| best.push(key(rank, slot)));
            best.retain(|&key| number(key) != *own);
            best.sort_unstable();
            best.truncate(k);
        }
    }
    best
}

/// By many inner products at a time, where the rest of a distance is the same for all queries or all vectors.
fn closest_by_products(
    space: &Space,
    view: SlotsView<'_>,
    living: &[u32],
    queries: &[Query],
    own: &[u32],
    k: usize,
) -> Vec<Vec<u64>> {
    let points: Vec<f32> = queries.iter().flat_map(|query| query.point.iter().copied()).collect();
    let tiles = Tiles::new(space.kernels, Points { values: &points, dim: space.dim });
    let mut best = vec![Vec::with_capacity(k + 1); queries.len()];
    let (mut rows, mut dots) = (Vec::new(), Vec::new());
    for block in living.chunks(BLOCK) {
        rows.clear();
        block.iter().for_each(|&slot| space.push_point(view.row(slot), &mut rows));
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
                if (best.len() < k || best.last().is_some_and(|&last| key < last)) && slot != own[q] {
                    best.insert(best.partition_point(|&other| other < key), key);
                    best.truncate(k);
                }
            }
        }
    }
    best
}
