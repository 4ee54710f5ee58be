//! Every vector compared with the query.

use super::slots::SlotsView;
use super::space::{Query, Space};
use crate::leaves::{key, number};
use crate::parallel;
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
    const TOGETHER: usize = 32;
    let groups = parallel::map(threads, queries.len().div_ceil(TOGETHER), |group| {
        let here = group * TOGETHER..((group + 1) * TOGETHER).min(queries.len());
        let mut best: Vec<Vec<u64>> = here.clone().map(|_| Vec::with_capacity(2 * k + BLOCK)).collect();
        for block in living.chunks(BLOCK) {
            for (i, best) in here.clone().zip(&mut best) {
                let limit = best.get(k.wrapping_sub(1)).copied().unwrap_or(u64::MAX);
                ranks(space, view, block, &queries[i], |rank, slot| {
                    let key = key(rank, slot);
                    if key < limit && slot != own[i] {
                        best.push(key);
                    }
                });
                best.sort_unstable();
                best.truncate(k);
            }
        }
        best
    });
    groups.into_iter().flatten().map(|best| best.into_iter().map(number).collect()).collect()
}
