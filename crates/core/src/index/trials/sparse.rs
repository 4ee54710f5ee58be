//! How much more effort a recall takes under filters, in leaves.

use super::leaves::{DEEPEST, found};
use super::passing::{Passing, at_least, times};
use super::stops::{self, Stop};
use super::{Trials, depths};
use crate::filtered::{Filtered, Reach};
use crate::index::curve::{Curve, Depth, K, More, SPARSE, nth_of_leaves};
use crate::index::store::LeafStore;
use crate::leaves::{Probe, Scratch, probe};
use crate::parallel;

/// Up to so many times as many leaves are tried.
const MORE_LEAVES: usize = 12;
/// Each time so much more, as a part of what was tried before.
const LARGE_STEP: usize = 4;
const SMALL_STEP: usize = 12;

impl Trials<'_> {
    /// How much more than by a curve it takes under filters.
    pub(super) fn sparse(&self, store: &LeafStore, curve: &Curve) -> [More; SPARSE.len()] {
        let some = self.some();
        some.under_filters(curve, |filter, wanted, depth| {
            some.more_leaves(store, filter, wanted, depth, curve.slope)
        })
    }

    /// How much more than `depth` it takes to find so many of what passes.
    fn more_leaves(
        &self,
        store: &LeafStore,
        filter: Passing,
        wanted: usize,
        depth: Depth,
        slope: f32,
    ) -> More {
        let cost = |leaves: usize, candidates: usize| self.cost_of_leaves(store, leaves as f64)(candidates);
        let most = store.len().min(MORE_LEAVES * depth.leaves);
        // In large steps to where they are enough; in small ones from the last that were not.
        let mut leaves = depth.leaves;
        let mut next = leaves;
        while next <= most && self.candidates_under(store, filter, next, wanted).is_none() {
            (leaves, next) = (next + next.div_ceil(SMALL_STEP), next + next.div_ceil(LARGE_STEP));
        }
        let mut cheapest: Option<(f64, usize, usize)> = None;
        while leaves <= most && cheapest.is_none_or(|(least, ..)| cost(leaves, 0) < least) {
            if let Some(candidates) = self.candidates_under(store, filter, leaves, wanted) {
                let cost = cost(leaves, candidates);
                if cheapest.is_none_or(|(least, ..)| cost < least) {
                    cheapest = Some((cost, leaves, candidates));
                }
            }
            leaves += leaves.div_ceil(SMALL_STEP);
        }
        let Some((_, leaves, candidates)) = cheapest else { return at_least(MORE_LEAVES) };
        let more = times(leaves, depth.leaves);
        let early = (slope > 0.0).then(|| self.limit_under(store, filter, leaves, slope)).flatten();
        More {
            far: more,
            candidates: times(candidates, depth.candidates.max(2 * K)),
            limit: early.map_or(more.ln(), |limit| limit - depth.limit),
        }
    }

    /// How many candidates have to be kept in a look into so many leaves; `None` where none are enough.
    fn candidates_under(
        &self,
        store: &LeafStore,
        filter: Passing,
        leaves: usize,
        wanted: usize,
    ) -> Option<usize> {
        let each = parallel::map_with(self.threads, self.queries.len(), Scratch::default, |scratch, i| {
            self.look_under(store, filter, scratch, i, leaves, DEEPEST);
            depths(scratch.found(), &self.passing(filter, i))
        });
        let mut depths = each.concat();
        depths.sort_unstable();
        depths.get(wanted - 1).copied()
    }

    /// The limit with which a search that ends early finds as much as one in so many leaves.
    fn limit_under(&self, store: &LeafStore, filter: Passing, leaves: usize, slope: f32) -> Option<f32> {
        let look = |scratch: &mut Scratch, i: usize, leaves: usize, candidates: usize| {
            self.look_under(store, filter, scratch, i, leaves, candidates);
        };
        let paths = self.paths(store, leaves, |i| self.passing(filter, i));
        let ways = self.ways(&paths, store, leaves, nth_of_leaves(K), look);
        let stop = stops::stop(&ways, Probe::most(leaves), found(&paths, leaves), slope);
        stop.map(|Stop { limit, .. }| limit)
    }

    /// Looks into so many leaves for a query, itself aside, and keeps so many candidates.
    fn look_under(
        &self,
        store: &LeafStore,
        filter: Passing,
        scratch: &mut Scratch,
        query: usize,
        leaves: usize,
        candidates: usize,
    ) {
        let allowed = |slot: u32| filter.has(slot) && slot != self.own[query];
        let reach = |_| Reach { far: leaves, limit: f32::INFINITY };
        let filter = Some(Filtered { allowed, share: filter.share, reach });
        let effort = Probe { leaves, candidates, early: None };
        let point = &self.queries[query].point;
        probe(store.coded(self.space), &store.view(), point, effort, filter, scratch);
    }
}
