//! How much effort a recall takes, measured on the index's own vectors.

use std::sync::Arc;

use super::slots::SlotsView;
use super::space::{Query, Space};
use super::store::LeafStore;
use crate::leaves::{Filtered, Probe, Scratch, probe};
use crate::parallel;
use crate::random::Random;

/// Vectors that are looked for.
const PROBES: usize = 512;
/// Neighbours that are looked for of each.
const K: usize = 10;
/// As many candidates are ranked by their estimates to see how deep the neighbours lie.
const DEEPEST: usize = 1024;
/// Recalls for which the cheapest effort is sought.
const TARGETS: [f32; 14] =
    [0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999];
/// What is asked for more than the recall that is wanted: the curve is measured with few vectors.
const MARGIN: f32 = 0.005;

/// The effort that was cheapest for a recall.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) recall: f32,
    pub(super) probe: Probe,
}

/// Efforts in ascending order, for [`K`] neighbours.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve {
    pub(super) points: Arc<Vec<Point>>,
}

impl Curve {
    /// How far to look for `k` neighbours with this recall.
    pub(super) fn at_recall(&self, recall: f32, k: usize, leaves: usize) -> Probe {
        let wanted = recall + MARGIN.min((1.0 - recall) / 2.0);
        let points = &self.points;
        let probe = match points.iter().position(|point| point.recall >= wanted) {
            Some(0) => points[0].probe,
            Some(i) => {
                let (low, high) = (points[i - 1], points[i]);
                // The share that is missed falls about like a power of the effort.
                let miss = |recall: f32| (1.0 - recall).max(1e-4).ln();
                let share =
                    (miss(low.recall) - miss(wanted)) / (miss(low.recall) - miss(high.recall)).max(1e-6);
                between(low.probe, high.probe, f64::from(share))
            }
            None => Probe {
                leaves,
                candidates: points.last().map_or(DEEPEST, |point| 2 * point.probe.candidates),
            },
        };
        for_k(probe, k)
    }

    /// How far to look when `ef` candidates are kept.
    pub(super) fn at_ef(&self, ef: usize, k: usize) -> Probe {
        let ef = ef.max(k).max(1);
        let points = &self.points;
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Probe { leaves: ef, candidates: ef };
        };
        let leaves = match points.iter().position(|point| point.probe.candidates >= ef) {
            Some(0) => first.probe.leaves.saturating_mul(ef).div_ceil(first.probe.candidates),
            Some(i) => {
                let (low, high) = (points[i - 1].probe, points[i].probe);
                let place = |x: usize| (x as f64).ln();
                let share =
                    (place(ef) - place(low.candidates)) / (place(high.candidates) - place(low.candidates));
                between(low, high, share).leaves
            }
            None => last.probe.leaves.saturating_mul(ef).div_ceil(last.probe.candidates),
        };
        Probe { leaves: leaves.max(1), candidates: ef }
    }
}

/// The curve is for [`K`] neighbours; more of them lie in more leaves.
fn for_k(probe: Probe, k: usize) -> Probe {
    let share = k.max(1) as f64 / K as f64;
    Probe {
        leaves: (probe.leaves as f64 * share.sqrt()).ceil().max(1.0) as usize,
        candidates: ((probe.candidates as f64 * share).ceil() as usize).max(k),
    }
}

fn between(low: Probe, high: Probe, share: f64) -> Probe {
    let mix = |low: usize, high: usize| {
        ((low.max(1) as f64).ln() * (1.0 - share) + (high.max(1) as f64).ln() * share).exp().round() as usize
    };
    Probe { leaves: mix(low.leaves, high.leaves), candidates: mix(low.candidates, high.candidates) }
}

/// The vectors that the curve is measured with. No centroid may be trained on them: a vector's own share in one draws that
/// closer, and the vector would be easier to find the neighbours of than one that comes from outside.
pub(super) fn probes(living: &[u32], seed: u64) -> Vec<u32> {
    let chosen = Random::new(seed, 1).sample(living.len(), PROBES.min(living.len() / 8));
    chosen.into_iter().map(|i| living[i]).collect()
}

/// What the curve is measured with.
pub(super) enum Probes {
    /// Vectors of the index, looked for among the others.
    Own(u64),
    /// Queries such as will be asked.
    Given(Vec<Query>),
}

/// Measures the curve: looks for neighbours that an exact search found.
pub(super) fn measure(
    space: &Space,
    slots: SlotsView<'_>,
    store: &LeafStore,
    living: &[u32],
    with: Probes,
    threads: usize,
) -> Curve {
    let (queries, probes) = match with {
        Probes::Own(seed) => {
            let probes = probes(living, seed);
            let query = |&slot: &u32| {
                let mut query = Query { row: slots.row(slot).to_vec(), point: Vec::new() };
                space.push_point(&query.row, &mut query.point);
                query
            };
            (probes.iter().map(query).collect::<Vec<_>>(), probes)
        }
        Probes::Given(queries) => {
            let none = vec![u32::MAX; queries.len()]; // no slot has this number
            (queries, none)
        }
    };
    let truth = super::exact::closest(space, slots, living, &queries, &probes, K, threads);
    let n_leaves = store.len();
    let steps: Vec<usize> = std::iter::successors(Some(1_usize), |&p| Some(p + p.div_ceil(3)))
        .take_while(|&p| p < n_leaves.min(4096))
        .chain([n_leaves.min(4096)])
        .collect();
    // For each number of leaves: how deep each true neighbour lies among the candidates.
    let mut cheapest: Vec<Option<(f64, Point)>> = vec![None; TARGETS.len()];
    let entry = store.view();
    let per_leaf = entry.places() as f64 / n_leaves.max(1) as f64;
    for leaves in steps {
        let depths = parallel::map_with(threads, queries.len(), Scratch::default, |scratch, i| {
            let effort = Probe { leaves, candidates: DEEPEST };
            let others = Some(Filtered { allowed: |slot: u32| slot != probes[i], more: leaves });
            let found = probe(store.coded(space), &entry, &queries[i].point, effort, others, scratch);
            let mut found = found.to_vec();
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            truth[i].iter().map(|&slot| found.iter().position(|found| found.1 == slot)).collect::<Vec<_>>()
        });
        let wanted = depths.iter().map(Vec::len).sum::<usize>().max(1);
        let mut depths: Vec<usize> = depths.into_iter().flatten().flatten().map(|depth| depth + 1).collect();
        depths.sort_unstable();
        for (target, cheapest) in TARGETS.iter().zip(&mut cheapest) {
            let needed = (f64::from(*target) * wanted as f64).ceil() as usize;
            let Some(&depth) = depths.get(needed.max(1) - 1) else { continue };
            let candidates = depth.max(K);
            let cost = leaves as f64
                * (COST_OF_LEAF + per_leaf * store.codebook.codes() as f64 * COST_OF_CODE)
                + candidates as f64 * (COST_OF_CANDIDATE + space.row_words() as f64 * COST_OF_WORD);
            if cheapest.as_ref().is_none_or(|(least, _)| cost < *least) {
                *cheapest = Some((cost, Point { recall: *target, probe: Probe { leaves, candidates } }));
            }
        }
    }
    let mut points: Vec<Point> = Vec::new();
    for (_, mut point) in cheapest.into_iter().flatten() {
        if let Some(last) = points.last() {
            point.probe.leaves = point.probe.leaves.max(last.probe.leaves);
            point.probe.candidates = point.probe.candidates.max(last.probe.candidates + 1);
        }
        points.push(point);
    }
    Curve { points: Arc::new(points) }
}

// Nanoseconds, about, on a machine with AVX-512; only their ratios matter.
const COST_OF_LEAF: f64 = 60.0;
const COST_OF_CODE: f64 = 0.03;
const COST_OF_CANDIDATE: f64 = 40.0;
const COST_OF_WORD: f64 = 0.3;
