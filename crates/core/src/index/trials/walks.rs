//! The curve of searches through the graph.

use super::cheapest::{Cheapest, Measured, NO_DEPTH};
use super::stops::{self, Stop, Way};
use super::{Trials, USUAL, depths};
use crate::early::Early;
use crate::filtered::NO_FILTER;
use crate::graph::{NARROW, Record, Walk};
use crate::index::costs;
use crate::index::curve::{Curve, Depth, K};
use crate::index::links::Links;
use crate::index::walker::{Walker, walk_from_entries};
use crate::parallel;

/// So many of the nodes that a walk followed are compared exactly at least: six more than are wanted cost little, and without
/// them a neighbour in sixty is lost to the error of its bytes.
const LEAST_OF_WALK: usize = K + 6;
/// The widest walk.
const WIDEST: usize = 2048;
/// Up to this one, the next walk is a sixth wider; from there on, a third.
const FINE: usize = 128;

/// Walks that are as wide for each query: how many neighbours they found, and how many nodes they followed, on average.
#[derive(Clone, Copy)]
struct Even {
    width: usize,
    found: usize,
    followed: f64,
}

impl Trials<'_> {
    /// The curve of searches through the graph, with and without filters, of `walks`, which are those without.
    pub(in crate::index) fn curve_of_walks(&self, links: &Links, walks: Measured) -> Curve {
        let mut curve = walks.curve;
        curve.sparse = self.sparse_walks(links, &curve);
        curve
    }

    /// The curve of searches through the graph, without filters. No edge may lead to a vector that is looked for. Where walks cost
    /// more than `most`, it ends.
    pub(in crate::index) fn walks(&self, links: &Links, most: f64) -> Measured {
        let (mut cheapest, mut walks) = (Cheapest::default(), Vec::new());
        let widths = std::iter::successors(Some(NARROW), |&width| {
            Some(width + width.div_ceil(if width < FINE { 6 } else { 3 }))
        });
        for width in widths.take_while(|&width| width <= WIDEST) {
            let (depths, followed) = self.walked(links, width, None);
            walks.push(Even { width, found: depths.len(), followed });
            let depth = Depth { width, ..NO_DEPTH };
            let cost = self.cost_of_walk(links, followed);
            let spent = cost(LEAST_OF_WALK);
            cheapest.offer(depths, self.wanted(), LEAST_OF_WALK, cost, depth);
            // Once all targets are reached, wider ones find no less, and cost more.
            if cheapest.is_complete() || spent > most {
                break;
            }
        }
        let even = cheapest.measured();
        self.of_early_walks(links, &walks, &even).unwrap_or(even)
    }

    /// The curve of walks that end early and find as much as `walks`; `None` where that is not worth while.
    fn of_early_walks(&self, links: &Links, walks: &[Even], even: &Measured) -> Option<Measured> {
        let ways = self.ways_of_walks(links, walks.last()?.width);
        let usual = even.at(USUAL).width;
        let &Even { found, followed, .. } = walks.iter().find(|walk| walk.width >= usual)?;
        let slope = stops::slope(&ways, Walk::most(usual), found, followed)?;
        let mut cheapest = Cheapest::default();
        for &Even { width, found, .. } in walks {
            let Some(Stop { limit, .. }) = stops::stop(&ways, Walk::most(width), found, slope) else {
                continue;
            };
            let (depths, followed) = self.walked(links, width, Some(Early { slope, limit, nth: K }));
            let depth = Depth { width, limit, ..NO_DEPTH };
            cheapest.offer(depths, self.wanted(), LEAST_OF_WALK, self.cost_of_walk(links, followed), depth);
        }
        cheapest.measured().instead_of(even, slope)
    }

    fn cost_of_walk(&self, links: &Links, followed: f64) -> impl Fn(usize) -> f64 {
        move |candidates| costs::nodes(links.layout, followed) + costs::candidates(self.space, candidates)
    }

    /// How deep in what walks find the neighbours of all queries lie that they find, and how many nodes they follow, on average.
    fn walked(&self, links: &Links, width: usize, early: Option<Early>) -> (Vec<usize>, f64) {
        let Self { space, threads, .. } = *self;
        let found = parallel::map_with(threads, self.queries.len(), Walker::default, |walker, i| {
            let far = Walk { early, ..Walk::even(width) };
            walk_from_entries(space, links, &self.queries[i].point, far, NO_FILTER, walker);
            let found: Vec<(f32, u32)> = walker.trail.found().collect();
            (depths(&found, self.neighbours(i)), found.len())
        });
        let (each, followed): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        (each.concat(), followed.iter().sum::<usize>() as f64 / self.queries.len().max(1) as f64)
    }

    /// The ways of the queries through the graph, as far as walks go that may end early instead of being so wide.
    fn ways_of_walks(&self, links: &Links, width: usize) -> Vec<Way> {
        self.ways_by(width, |walker, i, far| {
            walk_from_entries(self.space, links, &self.queries[i].point, far, NO_FILTER, walker);
            self.neighbours(i).to_vec()
        })
    }

    /// The ways of the queries through the graph. `go` walks for a query, and says which neighbours are looked for.
    pub(super) fn ways_by(
        &self,
        width: usize,
        go: impl Fn(&mut Walker, usize, Walk) -> Vec<u32> + Sync,
    ) -> Vec<Way> {
        parallel::map_with(self.threads, self.queries.len(), Walker::default, |walker, i| {
            walker.trail.record();
            let never = Early { slope: 1.0, limit: f32::INFINITY, nth: K };
            let wanted = go(walker, i, Walk { early: Some(never), ..Walk::even(width) });
            let Some(Record { farther, places }) = walker.trail.recorded() else { return Way::default() };
            let found = walker.trail.found().zip(places).filter(|((_, slot), _)| wanted.contains(slot));
            Way { places: found.map(|(_, &place)| place).collect(), farther: farther.clone() }
        })
    }
}
