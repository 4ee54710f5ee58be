//! The measurement of how much effort a recall takes: on the index's own vectors, or on queries such as will be asked.

use super::costs;
use super::curve::{Curve, Depth, K, More, Point, SPARSE};
use super::exact::{self, Wanted};
use super::links::Links;
use super::space::{Query, Space};
use super::store::LeafStore;
use super::stored::Stored;
use super::train;
use super::walker::{Walker, walk_from_entries};
use crate::leaves::{Filtered, Probe, Scratch, probe};
use crate::parallel;
use crate::random::Random;

/// Vectors that are looked for.
const PROBES: usize = 512;
/// So many neighbours of each are known, to see how much more effort a filter takes,
const MANY: usize = 10 * K;
/// at this recall,
const SPARSE_AT: f32 = 0.95;
/// with so much more of it, since queries and filters differ.
const SAFETY: f32 = 0.005;
/// So many times as many candidates are tried, each with up to so many times as many leaves.
const MORE_CANDIDATES: [usize; 3] = [1, 2, 4];
const MORE_LEAVES: usize = 12;
/// As many candidates are ranked by their estimates to see how deep the neighbours lie.
const DEEPEST: usize = 1024;
/// The most leaves that are looked into.
const MOST_LEAVES: usize = 4096;
/// So many of the nodes that a walk followed are compared exactly at least: six more than are wanted cost little, and without
/// them a neighbour in sixty is lost to the error of its bytes.
const LEAST_OF_WALK: usize = K + 6;
/// The narrowest walk, and the widest.
const NARROWEST: usize = 6;
const WIDEST: usize = 2048;
/// Up to this one, the next walk is a sixth wider; from there on, a third.
const FINE: usize = 128;
/// Recalls for which the cheapest effort is sought.
const TARGETS: [f32; 14] =
    [0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999];

/// The vectors that the curve is measured with. No centroid may be trained on them: a vector's own share in one draws that
/// closer, and the vector would be easier to find the neighbours of than one that comes from outside.
pub(super) fn probes(n: usize, seed: u64) -> Vec<u32> {
    train::sample(n, PROBES.min(n / 8), &mut Random::new(seed, 1))
}

/// What the curve is measured with.
pub(super) enum Probes {
    /// Vectors of the index, looked for among the others.
    Own(u64),
    /// Queries such as will be asked.
    Given(Vec<Query>),
}

/// Queries whose neighbours among the vectors of an index are known.
pub(super) struct Trials<'a> {
    space: &'a Space,
    threads: usize,
    queries: Vec<Query>,
    /// The slot that each query was made of; one that there is not when it comes from outside.
    own: Vec<u32>,
    /// The [`MANY`] neighbours of each, closest first.
    truth: Vec<Vec<u32>>,
}

/// A curve, and what each of its points costs: nanoseconds, about.
pub(super) struct Measured {
    pub(super) curve: Curve,
    costs: Vec<f64>,
    /// How many times as many leaves a recall of 0.99 takes as one of 0.9, or all that were tried where it was not reached; 0 when
    /// not even 0.9 was.
    pub(super) tail: f64,
}

impl Measured {
    /// What it costs to reach `recall`; infinite beyond what was reached.
    pub(super) fn cost(&self, recall: f32) -> f64 {
        let at = self.curve.points.iter().position(|point| point.recall >= recall);
        at.map_or(f64::INFINITY, |i| self.costs[i])
    }
}

/// The cheapest effort for each target.
#[derive(Default)]
struct Cheapest([Option<(f64, Point)>; TARGETS.len()]);

impl Cheapest {
    /// Takes into account an effort with which the neighbours of all queries, `wanted` of them, were found at `depths`; so
    /// many candidates at `least` are compared exactly.
    fn offer(
        &mut self,
        depths: &mut [usize],
        wanted: usize,
        least: usize,
        cost: impl Fn(usize) -> f64,
        depth: Depth,
    ) {
        depths.sort_unstable();
        for (target, cheapest) in TARGETS.iter().zip(&mut self.0) {
            let needed = (f64::from(*target) * wanted as f64).ceil() as usize;
            let Some(&deep) = depths.get(needed.max(1) - 1) else { continue };
            let candidates = deep.max(least);
            let cost = cost(candidates);
            if cheapest.as_ref().is_none_or(|(least, _)| cost < *least) {
                *cheapest = Some((cost, Point { recall: *target, depth: Depth { candidates, ..depth } }));
            }
        }
    }

    /// [`Measured::tail`] when up to so many leaves were tried.
    fn tail(&self, tried: usize) -> f64 {
        let leaves = |recall: f32| {
            let (_, point) = self.0.iter().flatten().find(|(_, point)| point.recall >= recall)?;
            Some(point.depth.leaves)
        };
        leaves(0.9).map_or(0.0, |low| leaves(0.99).unwrap_or(tried) as f64 / low as f64)
    }

    /// Whether the highest target was reached.
    fn is_complete(&self) -> bool {
        self.0.last().is_some_and(Option::is_some)
    }

    fn measured(self) -> Measured {
        let (mut points, mut costs): (Vec<Point>, Vec<f64>) = (Vec::new(), Vec::new());
        for (cost, mut point) in self.0.into_iter().flatten() {
            if let Some(Point { depth: last, .. }) = points.last() {
                let depth = &mut point.depth;
                depth.leaves = depth.leaves.max(last.leaves);
                depth.width = depth.width.max(last.width);
                depth.candidates = depth.candidates.max(last.candidates);
            }
            points.push(point);
            costs.push(cost);
        }
        Measured { curve: Curve { points: points.into(), ..Curve::default() }, costs, tail: 0.0 }
    }
}

impl<'a> Trials<'a> {
    /// Finds the neighbours of what is measured with.
    pub(super) fn new(stored: Stored<'a>, with: Probes, threads: usize) -> Self {
        let Stored { space, slots } = stored;
        let (queries, own) = match with {
            Probes::Own(seed) => {
                let own = probes(stored.len(), seed);
                let query = |&slot: &u32| {
                    let mut query = Query { row: slots.row(slot).to_vec(), point: Vec::new() };
                    space.push_point(&query.row, &mut query.point);
                    query
                };
                (own.iter().map(query).collect::<Vec<_>>(), own)
            }
            Probes::Given(queries) => {
                let none = vec![u32::MAX; queries.len()]; // no slot has this number
                (queries, none)
            }
        };
        let truth = exact::closest(stored, Wanted { queries: &queries, own: &own, k: MANY }, threads);
        Self { space, threads, queries, own, truth }
    }

    /// How many there are when the [`K`] neighbours of all queries are found.
    fn wanted(&self) -> usize {
        self.truth.iter().map(|truth| truth.len().min(K)).sum::<usize>().max(1)
    }

    /// The [`K`] neighbours of a query.
    fn neighbours(&self, query: usize) -> &[u32] {
        &self.truth[query][..K.min(self.truth[query].len())]
    }

    /// The curve of searches that look into leaves and nowhere else. Where its tail is longer than `patience`, it ends there.
    pub(super) fn of_leaves(&self, store: &LeafStore, patience: f64) -> Measured {
        let Self { space, threads, .. } = *self;
        let most = store.len().min(MOST_LEAVES);
        let steps = std::iter::successors(Some(1_usize), |&p| Some(p + p.div_ceil(3)))
            .take_while(|&p| p < most)
            .chain([most]);
        let entry = store.view();
        let (mut cheapest, mut tail) = (Cheapest::default(), 0.0);
        for leaves in steps {
            let depths = parallel::map_with(threads, self.queries.len(), Scratch::default, |scratch, i| {
                let effort = Probe { leaves, candidates: DEEPEST };
                let own = |slot: u32| slot != self.own[i];
                let others = Some(Filtered { allowed: own, share: 1.0, leaves: |_| leaves });
                let point = &self.queries[i].point;
                let mut found = probe(store.coded(space), &entry, point, effort, others, scratch).to_vec();
                found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                let depth = |slot: &u32| found.iter().position(|found| found.1 == *slot);
                self.neighbours(i).iter().filter_map(depth).map(|depth| depth + 1).collect::<Vec<_>>()
            });
            let cost = |candidates| costs::leaves(store, leaves) + costs::candidates(space, candidates);
            let depth = Depth { leaves, width: 0, candidates: 0 };
            cheapest.offer(&mut depths.concat(), self.wanted(), K, cost, depth);
            tail = cheapest.tail(leaves);
            // Where the highest target was reached, more of them find no less, and cost more.
            if cheapest.is_complete() || tail > patience {
                break;
            }
        }
        let mut measured = Measured { tail, ..cheapest.measured() };
        if tail <= patience {
            measured.curve.sparse = self.sparse(store, &measured.curve);
        }
        measured
    }

    /// How much more it takes under filters that let a part of the vectors pass.
    fn sparse(&self, store: &LeafStore, curve: &Curve) -> [More; SPARSE.len()] {
        match curve.points.iter().find(|point| point.recall >= SPARSE_AT) {
            Some(&point) => SPARSE.map(|share| self.at_share(store, point, share)),
            None => Curve::default().sparse,
        }
    }

    /// How many times as much it takes to reach the recall of a point when so many of the vectors pass a filter.
    fn at_share(&self, store: &LeafStore, Point { recall, depth }: Point, share: f64) -> More {
        let Self { space, threads, .. } = *self;
        // The bits of a product with a large odd number look random.
        let passes = |slot: u32| f64::from(slot.wrapping_mul(0x9E37_79B1) >> 16) < share * 65_536.0;
        let passing = |i: usize| self.truth[i].iter().filter(|&&slot| passes(slot)).take(K);
        let wanted: usize = (0..self.queries.len()).map(|i| passing(i).count()).sum();
        let entry = store.view();
        let found = |leaves: usize, candidates: usize| {
            let found = parallel::map_with(threads, self.queries.len(), Scratch::default, |scratch, i| {
                let allowed = |slot: u32| passes(slot) && slot != self.own[i];
                let filter = Some(Filtered { allowed, share, leaves: |_| leaves });
                let (effort, point) = (Probe { leaves, candidates }, &self.queries[i].point);
                let found = probe(store.coded(space), &entry, point, effort, filter, scratch);
                passing(i).filter(|&&slot| found.iter().any(|found| found.1 == slot)).count()
            });
            found.iter().sum::<usize>() as f32 / wanted.max(1) as f32
        };
        let mut more = More { leaves: 1.0, candidates: 1.0 };
        for times in MORE_CANDIDATES {
            let candidates = depth.candidates.max(2 * K) * times;
            let mut leaves = depth.leaves;
            while leaves <= store.len().min(MORE_LEAVES * depth.leaves) {
                more = More { leaves: leaves as f32 / depth.leaves as f32, candidates: times as f32 };
                if found(leaves, candidates) >= recall + SAFETY {
                    return more;
                }
                leaves += leaves.div_ceil(10);
            }
        }
        more
    }

    /// The curve of searches through the graph.
    pub(super) fn of_walks(&self, links: &Links) -> Measured {
        let Self { space, threads, .. } = *self;
        let mut cheapest = Cheapest::default();
        let widths = std::iter::successors(Some(NARROWEST), |&width| {
            Some(width + width.div_ceil(if width < FINE { 6 } else { 3 }))
        });
        for width in widths.take_while(|&width| width <= WIDEST) {
            let found = parallel::map_with(threads, self.queries.len(), Walker::default, |walker, i| {
                walk_from_entries(space, links, &self.queries[i].point, width, Some(self.own[i]), walker);
                walker.trail.sort();
                let mut depths = Vec::with_capacity(K);
                for (depth, (_, slot)) in walker.trail.found().enumerate() {
                    if self.neighbours(i).contains(&slot) {
                        depths.push(depth + 1);
                    }
                }
                (depths, walker.trail.found().len())
            });
            let (depths, followed): (Vec<_>, Vec<_>) = found.into_iter().unzip();
            let followed = followed.iter().sum::<usize>() as f64 / self.queries.len().max(1) as f64;
            let cost =
                |candidates| costs::nodes(links.layout, followed) + costs::candidates(space, candidates);
            let depth = Depth { leaves: 1, width, candidates: 0 };
            cheapest.offer(&mut depths.concat(), self.wanted(), LEAST_OF_WALK, cost, depth);
            if cheapest.is_complete() {
                break; // wider ones find no less, and cost more
            }
        }
        cheapest.measured()
    }
}
