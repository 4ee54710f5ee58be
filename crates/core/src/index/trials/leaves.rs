//! The curve of searches that look into leaves and nowhere else.

use rustc_hash::{FxHashMap, FxHashSet};

use super::cheapest::{Cheapest, Measured, NO_DEPTH};
use super::stops::{self, Stop, Way};
use super::{NOBODY, Trials, USUAL, depths};
use crate::early::Early;
use crate::filtered::NO_FILTER;
use crate::index::costs;
use crate::index::curve::{self, Curve, Depth, K};
use crate::index::store::LeafStore;
use crate::leaves::{Leaves, Probe, Scratch, away, probe, rank, unit};
use crate::parallel;
use crate::quant::Measure;

/// As many candidates are ranked by their estimates to see how deep the neighbours lie.
pub(super) const DEEPEST: usize = 1024;
/// The most leaves that are looked into.
const MOST_LEAVES: usize = 4096;

/// The leaves that a search ranks, best first, as [`rank`] has them, and for each neighbour in them the place of the first.
pub(super) struct Path {
    ranked: Vec<(f32, f32, u32)>,
    places: Vec<usize>,
}

/// How many neighbours a look into so many leaves finds.
pub(super) fn found(paths: &[Path], leaves: usize) -> usize {
    paths.iter().flat_map(|path| &path.places).filter(|&&place| place < leaves).count()
}

/// The numbers of leaves that are tried.
fn steps(store: &LeafStore) -> impl Iterator<Item = usize> {
    let most = store.len().min(MOST_LEAVES);
    std::iter::successors(Some(1_usize), |&p| Some(p + p.div_ceil(3)))
        .take_while(move |&p| p < most)
        .chain([most])
}

impl Trials<'_> {
    /// The curve of searches that look into leaves and nowhere else, with and without filters, of `looks`, which are those without.
    pub(in crate::index) fn curve_of_looks(&self, store: &LeafStore, looks: Measured) -> Curve {
        let mut curve = looks.curve;
        curve.sparse = self.sparse(store, &curve);
        curve
    }

    /// The curve of searches that look into leaves, without filters. Where its tail is longer than `patience`, it ends there.
    pub(in crate::index) fn looks(&self, store: &LeafStore, patience: f64) -> Measured {
        let even = self.of_even_looks(store, patience);
        if even.tail > patience {
            return even;
        }
        self.of_early_looks(store, &even).unwrap_or(even)
    }

    /// The curve of searches that look into as many leaves for each query.
    fn of_even_looks(&self, store: &LeafStore, patience: f64) -> Measured {
        let (mut cheapest, mut tail) = (Cheapest::default(), 0.0);
        for leaves in steps(store) {
            let depths = self.looked(store, Probe { leaves, candidates: DEEPEST, early: None });
            let cost = self.cost_of_leaves(store, leaves as f64);
            cheapest.offer(depths, self.wanted(), K, cost, Depth { leaves, ..NO_DEPTH });
            tail = cheapest.tail(leaves);
            // Where the highest target was reached, more of them find no less, and cost more.
            if cheapest.is_complete() || tail > patience {
                break;
            }
        }
        let mut measured = cheapest.measured();
        measured.tail = tail;
        measured
    }

    /// The curve of searches that end early and find as much; `None` where that is not worth while.
    fn of_early_looks(&self, store: &LeafStore, even: &Measured) -> Option<Measured> {
        let most = even.curve.points.last()?.depth.leaves;
        // Sums of absolute differences do not compare with squared distances from centroids.
        if self.space.measure() == Measure::Absolute {
            return None;
        }
        let paths = self.paths(store, most, |i| self.neighbours(i).to_vec());
        let look = |scratch: &mut Scratch, i: usize, leaves: usize, candidates: usize| {
            let (effort, point) = (Probe { leaves, candidates, early: None }, &self.queries[i].point);
            probe(store.coded(self.space), &store.view(), point, effort, NO_FILTER, scratch);
        };
        let ways = |leaves: usize| self.ways(&paths, store, leaves, self.nth(), look);
        let usual = even.at(USUAL).leaves;
        let slope = stops::slope(&ways(usual), Probe::most(usual), found(&paths, usual), usual as f64)?;
        let mut cheapest = Cheapest::default();
        for leaves in steps(store).take_while(|&leaves| leaves <= most) {
            let Some(Stop { limit, looked }) =
                stops::stop(&ways(leaves), Probe::most(leaves), found(&paths, leaves), slope)
            else {
                continue;
            };
            let early = Early { slope, limit, nth: self.nth() };
            let depths = self.looked(store, Probe { leaves, candidates: DEEPEST, early: Some(early) });
            let cost = self.cost_of_leaves(store, looked);
            cheapest.offer(depths, self.wanted(), K, cost, Depth { leaves, limit, ..NO_DEPTH });
        }
        cheapest.measured().instead_of(even, slope)
    }

    pub(super) fn cost_of_leaves(&self, store: &LeafStore, looked: f64) -> impl Fn(usize) -> f64 {
        move |candidates| costs::leaves(store, looked) + costs::candidates(self.space, candidates)
    }

    /// How deep in what a search finds the neighbours of all queries lie that it finds, by their estimates.
    fn looked(&self, store: &LeafStore, effort: Probe) -> Vec<usize> {
        let Self { space, threads, .. } = *self;
        let all = store.view();
        let each = parallel::map_with(threads, self.queries.len(), Scratch::default, |scratch, i| {
            let point = &self.queries[i].point;
            let mut found = probe(store.coded(space), &all, point, effort, NO_FILTER, scratch).to_vec();
            found.retain(|found| found.1 != self.own[i]);
            depths(&found, self.neighbours(i))
        });
        each.concat()
    }

    /// The estimate that tells how far neighbours are; a query that is a vector itself is among them, twice.
    fn nth(&self) -> usize {
        let twice = if self.own.iter().all(|&own| own == NOBODY) { 0 } else { 2 };
        curve::nth_of_leaves(K) + twice
    }

    /// The leaves that searches rank that look into `most` of them, or somewhat more, and where what they are to find lies.
    pub(super) fn paths(
        &self,
        store: &LeafStore,
        most: usize,
        wanted: impl Fn(usize) -> Vec<u32>,
    ) -> Vec<Path> {
        let Self { space, threads, .. } = *self;
        let wanted: Vec<Vec<u32>> = (0..self.queries.len()).map(wanted).collect();
        let sought: FxHashSet<u32> = wanted.iter().flatten().copied().collect();
        let mut homes: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for leaf in 0..store.len() as u32 {
            for slot in store.view().leaf(leaf).slots.iter().filter(|slot| sought.contains(slot)) {
                homes.entry(*slot).or_default().push(leaf);
            }
        }
        parallel::map_with(threads, self.queries.len(), Scratch::default, |scratch, i| {
            let ranked = rank(store.coded(space), &self.queries[i].point, most, Probe::most(most), scratch);
            let place = |slot: &u32| {
                let homes = homes.get(slot)?;
                ranked.iter().position(|(_, _, leaf)| homes.contains(leaf))
            };
            let places = wanted[i].iter().filter_map(place).collect();
            Path { ranked: ranked.to_vec(), places }
        })
    }

    /// The ways of the queries, as searches see them that look into so many leaves, or somewhat more. `look` is what they do with a
    /// query: into so many leaves, and so many candidates are kept.
    pub(super) fn ways(
        &self,
        paths: &[Path],
        store: &LeafStore,
        leaves: usize,
        nth: usize,
        look: impl Fn(&mut Scratch, usize, usize, usize) + Sync,
    ) -> Vec<Way> {
        let (coded, first) = (store.coded(self.space), Probe::first(leaves));
        parallel::map_with(self.threads, self.queries.len(), Scratch::default, |scratch, i| {
            let Path { ranked, places } = &paths[i];
            look(scratch, i, first, nth);
            let found = scratch.found();
            let near = if found.len() < nth {
                f32::NAN
            } else {
                found.iter().map(|found| found.0).fold(f32::NEG_INFINITY, f32::max)
            };
            let unit = unit(coded, &self.queries[i].point, &ranked[..first.min(ranked.len())]);
            let beyond = |(i, leaf)| {
                if i < first { f32::NAN } else { (away(coded.measure, leaf) - near) / unit }
            };
            let farther = ranked.iter().take(Probe::most(leaves)).enumerate().map(beyond).collect();
            Way { farther, places: places.clone() }
        })
    }
}
