//! How much more effort a recall takes under filters, in the graph.

use super::passing::{Passing, at_least, times};
use super::stops::{self, Stop};
use super::{Trials, depths};
use crate::filtered::{Filtered, Reach};
use crate::graph::Walk;
use crate::index::curve::{Curve, Depth, More, SPARSE};
use crate::index::links::Links;
use crate::index::walker::{Walker, walk_from_entries};
use crate::parallel;

/// Up to so many times as wide walks are tried,
const WIDER: usize = 16;
/// each wider than the one before by such a part of it.
const STEP: usize = 8;

impl Trials<'_> {
    /// How much more than by a curve it takes under filters.
    pub(super) fn sparse_walks(&self, links: &Links, curve: &Curve) -> [More; SPARSE.len()] {
        let some = self.some();
        some.under_filters(curve, |filter, wanted, depth| {
            some.more_nodes(links, filter, wanted, depth, curve.slope)
        })
    }

    /// How much more than `depth` it takes to find so many of what passes.
    fn more_nodes(&self, links: &Links, filter: Passing, wanted: usize, depth: Depth, slope: f32) -> More {
        let widths = std::iter::successors(Some(depth.width), |&width| Some(width + width.div_ceil(STEP)));
        let wide_enough = |width: &usize| self.depths_under(links, filter, *width).get(wanted - 1).copied();
        let found = widths
            .take_while(|&width| width <= WIDER * depth.width)
            .find_map(|width| Some((width, wide_enough(&width)?)));
        let Some((width, candidates)) = found else { return at_least(WIDER) };
        let far = times(width, depth.width);
        let early = (slope > 0.0).then(|| {
            let ways = self.ways_by(Walk::most(width), |walker, i, far| {
                self.walk_under(links, filter, walker, i, far);
                self.passing(filter, i)
            });
            stops::stop(&ways, Walk::most(width), wanted, slope)
        });
        let limit = early.flatten().map_or(far.ln(), |Stop { limit, .. }| limit - depth.limit);
        More { far, candidates: times(candidates, depth.candidates), limit }
    }

    /// How deep in what walks find under a filter the neighbours of all queries lie that they find, in ascending order.
    fn depths_under(&self, links: &Links, filter: Passing, width: usize) -> Vec<usize> {
        let each = parallel::map_with(self.threads, self.queries.len(), Walker::default, |walker, i| {
            self.walk_under(links, filter, walker, i, Walk::even(width));
            depths(&walker.trail.found().collect::<Vec<_>>(), &self.passing(filter, i))
        });
        let mut depths = each.concat();
        depths.sort_unstable();
        depths
    }

    /// Walks for a query under a filter.
    fn walk_under(&self, links: &Links, filter: Passing, walker: &mut Walker, query: usize, far: Walk) {
        let allowed = |slot: u32| filter.has(slot);
        let reach = |_| Reach { far: far.width, limit: f32::INFINITY };
        let filter = Some(Filtered { allowed, share: filter.share, reach });
        walk_from_entries(self.space, links, &self.queries[query].point, far, filter, walker);
    }
}
