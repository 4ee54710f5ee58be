//! How much more effort a recall takes under filters.

use super::Trials;
use super::leaves::{DEEPEST, found};
use super::stops::{self, Stop};
use crate::index::curve::{Curve, Depth, K, More, SPARSE, nth_of_leaves};
use crate::index::store::LeafStore;
use crate::leaves::{Filtered, Probe, Reach, Scratch, probe};
use crate::parallel;

/// The recall for which it is measured,
const SPARSE_AT: f32 = 0.95;
/// with so much more of it, since queries and filters differ.
const SAFETY: f32 = 0.005;
/// Up to so many times as many leaves are tried.
const MORE_LEAVES: usize = 12;

/// A filter that lets a share of the slots pass.
#[derive(Clone, Copy)]
struct Passing {
    share: f64,
}

impl Passing {
    fn has(self, slot: u32) -> bool {
        // The bits of a product with a large odd number look random.
        f64::from(slot.wrapping_mul(0x9E37_79B1) >> 16) < self.share * 65_536.0
    }
}

impl Trials<'_> {
    /// How much more it takes under filters that let a part of the vectors pass.
    pub(super) fn sparse(&self, store: &LeafStore, curve: &Curve) -> [More; SPARSE.len()] {
        let usual = curve.points.iter().find(|point| point.recall >= SPARSE_AT);
        let more = |share| {
            let point = usual?;
            let wanted = point.recall + SAFETY;
            self.more_under(store, Passing { share }, wanted, point.depth, curve.slope)
        };
        let unmeasured = Curve::default().sparse;
        std::array::from_fn(|i| more(SPARSE[i]).unwrap_or(unmeasured[i]))
    }

    /// How many times as much as `depth` it takes to reach `recall` under a filter; `None` where that was not reached.
    fn more_under(
        &self,
        store: &LeafStore,
        filter: Passing,
        recall: f32,
        depth: Depth,
        slope: f32,
    ) -> Option<More> {
        let cost = |leaves: usize, candidates: usize| self.cost_of_leaves(store, leaves as f64)(candidates);
        let mut cheapest: Option<(f64, usize, usize)> = None;
        let mut leaves = depth.leaves;
        while leaves <= store.len().min(MORE_LEAVES * depth.leaves)
            && cheapest.is_none_or(|(least, ..)| cost(leaves, 0) < least)
        {
            if let Some(candidates) = self.candidates_under(store, filter, leaves, recall) {
                let cost = cost(leaves, candidates);
                if cheapest.is_none_or(|(least, ..)| cost < least) {
                    cheapest = Some((cost, leaves, candidates));
                }
            }
            leaves += leaves.div_ceil(20);
        }
        let (_, leaves, candidates) = cheapest?;
        let times = |more: usize, of: usize| (more as f32 / of as f32).max(1.0);
        let even = times(leaves, depth.leaves);
        let early = (slope > 0.0).then(|| self.limit_under(store, filter, leaves, slope)).flatten();
        let limit = early.map_or(even.ln(), |limit| limit - depth.limit);
        Some(More { leaves: even, candidates: times(candidates, depth.candidates.max(2 * K)), limit })
    }

    /// How many candidates have to be kept in a look into so many leaves; `None` where none are enough.
    fn candidates_under(
        &self,
        store: &LeafStore,
        filter: Passing,
        leaves: usize,
        recall: f32,
    ) -> Option<usize> {
        let depths = parallel::map_with(self.threads, self.queries.len(), Scratch::default, |scratch, i| {
            self.look_under(store, filter, scratch, i, leaves, DEEPEST);
            let mut found = scratch.found().to_vec();
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let depth = |slot: u32| found.iter().position(|found| found.1 == slot);
            self.passing(filter, i).filter_map(depth).map(|depth| depth + 1).collect::<Vec<_>>()
        });
        let wanted: usize = (0..self.queries.len()).map(|i| self.passing(filter, i).count()).sum();
        let needed = (f64::from(recall) * wanted as f64).ceil() as usize;
        let mut depths = depths.concat();
        depths.sort_unstable();
        depths.get(needed.checked_sub(1)?).copied()
    }

    /// The limit with which a search that ends early finds as much as one in so many leaves.
    fn limit_under(&self, store: &LeafStore, filter: Passing, leaves: usize, slope: f32) -> Option<f32> {
        let look = |scratch: &mut Scratch, i: usize, leaves: usize, candidates: usize| {
            self.look_under(store, filter, scratch, i, leaves, candidates);
        };
        let paths = self.paths(store, leaves, |i| self.passing(filter, i).collect());
        let ways = self.ways(&paths, store, leaves, nth_of_leaves(K), look);
        let stop = stops::stop(&ways, Probe::most(leaves), found(&paths, leaves), slope);
        stop.map(|Stop { limit, .. }| limit)
    }

    /// The neighbours of a query that pass, those that are to be found.
    fn passing(&self, filter: Passing, query: usize) -> impl Iterator<Item = u32> {
        self.truth[query].iter().copied().filter(move |&slot| filter.has(slot)).take(K)
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
        let reach = |_| Reach { leaves, limit: f32::INFINITY };
        let filter = Some(Filtered { allowed, share: filter.share, ranked: leaves, reach });
        let effort = Probe { leaves, candidates, early: None };
        let point = &self.queries[query].point;
        probe(store.coded(self.space), &store.view(), point, effort, filter, scratch);
    }
}
