//! A query through the closest leaves: the candidates to compare exactly.

use super::directory::{Asking, Directory, Ranking};
use super::leaf::LeafView;
use crate::early::Early;
use crate::keep::{self, Keep};
use crate::quant::{Codebook, Measure, Table};
use crate::simd::{BLOCK, Kernels};

/// What all leaves have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coded<'a> {
    pub(crate) kernels: &'static Kernels,
    pub(crate) measure: Measure,
    pub(crate) codebook: &'a Codebook,
    pub(crate) directory: &'a Directory,
}

/// Where the leaves lie.
pub(crate) trait Leaves {
    fn leaf(&self, number: u32) -> LeafView<'_>;
    /// Which vector is in a place of a leaf.
    fn slot(&self, leaf: u32, place: usize) -> u32;
    /// Fetches a leaf that will be read soon, with its `slots` or without.
    fn fetch(&self, number: u32, slots: bool);
}

/// How far to look.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Probe {
    /// How many leaves are looked into.
    pub(crate) leaves: usize,
    /// How many candidates are kept.
    pub(crate) candidates: usize,
    /// When it ends instead, where there is no filter. A leaf is farther away than a vector by the difference of what estimates
    /// want of its centroid and the vector's estimate, in units of the mean squared distance of vectors from the centroids of
    /// the [`first`](Self::first) leaves, or, for inner products, of the root of that times the length of the query.
    pub(crate) early: Option<Early>,
}

impl Probe {
    /// How many leaves it looks into in any case, if it may end early.
    pub(crate) fn first(leaves: usize) -> usize {
        leaves.div_ceil(4).max(1)
    }

    /// How many it looks into at most, if it may end early.
    pub(crate) fn most(leaves: usize) -> usize {
        leaves.saturating_mul(3).div_ceil(2)
    }
}

/// A filter, and what it takes.
#[derive(Debug)]
pub(crate) struct Filtered<F, L> {
    /// Whether a slot may be found.
    pub(crate) allowed: F,
    /// The share of all vectors that may be found.
    pub(crate) share: f64,
    /// How many leaves are to be looked into when such a share of what is met there passes.
    pub(crate) leaves: L,
}

/// As if so many vectors had been met before the first, of which the share of all passed.
const MET_BEFORE: f64 = 64.0;

/// Everything may be found.
pub(crate) const NO_FILTER: Option<NoFilter> = None;
type NoFilter = Filtered<fn(u32) -> bool, fn(f64) -> usize>;

/// Buffers of a search.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    table: Table,
    ranking: Ranking,
    keep: Keep,
    estimates: Vec<f32>,
    lanes: Vec<u32>,
    /// For each block that was scanned, its leaf and its first place there.
    blocks: Vec<(u32, u32)>,
    found: Vec<(f32, u32)>,
    /// Estimates of what a filter did not let pass.
    refused: Vec<f32>,
    enough: bool,
}

impl Scratch {
    /// Whether the leaves were enough for what the filter took.
    pub(crate) fn was_enough(&self) -> bool {
        self.enough
    }

    /// How many vectors, those refused by the filter among them, are as close as the closest `n` of those found, for each of
    /// these.
    pub(crate) fn crowd(&mut self, n: usize) -> f64 {
        let n = n.min(self.found.len());
        let Some(last) = n.checked_sub(1) else { return 1.0 };
        let (_, &mut (limit, _), _) = self.found.select_nth_unstable_by(last, |a, b| a.0.total_cmp(&b.0));
        let refused = self.refused.iter().filter(|&&estimate| estimate <= limit).count();
        1.0 + refused as f64 / n as f64
    }

    /// What [`probe`] found last.
    pub(crate) fn found(&self) -> &[(f32, u32)] {
        &self.found
    }
}

/// How many leaves are fetched ahead.
const AHEAD: usize = 2;

/// The leaves that are looked into first for `query`, those that are wanted and some, best first: the rank of each, how far its centroid
/// is, as estimates want it, and its number.
pub(crate) fn rank<'s>(
    Coded { kernels, measure, codebook, directory }: Coded<'_>,
    query: &[f32],
    wanted: usize,
    at_most: usize,
    Scratch { table, ranking, .. }: &'s mut Scratch,
) -> &'s [(f32, f32, u32)] {
    codebook.table(kernels, query, measure, table);
    directory.closest(kernels, Asking { query, table, measure, wanted, at_most, among: None }, ranking);
    &ranking.leaves
}

/// The unit of [`Probe::early`], where these are the first leaves.
pub(crate) fn unit(
    Coded { kernels, measure, directory, .. }: Coded<'_>,
    query: &[f32],
    leaves: &[(f32, f32, u32)],
) -> f32 {
    let spreads = leaves.iter().map(|&(_, _, leaf)| directory.spread(leaf as usize));
    let spread = spreads.sum::<f32>() / leaves.len() as f32;
    match measure {
        Measure::MinusDot => (spread * (kernels.dot)(query, query)).sqrt(),
        Measure::MinusTwiceDot | Measure::Absolute => spread,
    }
}

/// The candidates for `query` as [`probe`] finds them, in the closest of some leaves.
pub(crate) fn probe_among<'s>(
    coded: Coded<'_>,
    leaves: &impl Leaves,
    among: &[u32],
    query: &[f32],
    effort: Probe,
    scratch: &'s mut Scratch,
) -> &'s [(f32, u32)] {
    look(coded, leaves, Some(among), query, effort, NO_FILTER, scratch)
}

/// The candidates for `query`: those with the smallest estimates among the vectors of the closest leaves that `filter`
/// lets pass, with their estimates, in no order. Most vectors of which both leaves were looked into come twice.
pub(crate) fn probe<'s>(
    coded: Coded<'_>,
    leaves: &impl Leaves,
    query: &[f32],
    probe: Probe,
    filter: Option<Filtered<impl Fn(u32) -> bool, impl Fn(f64) -> usize>>,
    scratch: &'s mut Scratch,
) -> &'s [(f32, u32)] {
    look(coded, leaves, None, query, probe, filter, scratch)
}

#[inline]
fn look<'s>(
    coded: Coded<'_>,
    leaves: &impl Leaves,
    among: Option<&[u32]>,
    query: &[f32],
    probe: Probe,
    filter: Option<Filtered<impl Fn(u32) -> bool, impl Fn(f64) -> usize>>,
    scratch: &'s mut Scratch,
) -> &'s [(f32, u32)] {
    let Coded { kernels, measure, codebook, directory } = coded;
    let Scratch { table, ranking, keep, estimates, lanes, blocks, found, refused, enough } = scratch;
    codebook.table(kernels, query, measure, table);
    let ranked_by = if measure == Measure::Absolute { Measure::MinusTwiceDot } else { measure };
    let early = probe.early.filter(|_| filter.is_none());
    let at_most = early.map_or(probe.leaves, |_| Probe::most(probe.leaves));
    let asking = Asking { query, table, measure: ranked_by, wanted: probe.leaves, at_most, among };
    directory.closest(kernels, asking, ranking);
    let candidates = probe.candidates.max(1);
    keep.start(candidates, candidates);
    blocks.clear();
    refused.clear();
    let ranked = &ranking.leaves;
    for &(_, _, leaf) in ranked.iter().take(AHEAD) {
        leaves.fetch(leaf, filter.is_some());
    }
    let (mut met, mut passed) = (MET_BEFORE, filter.as_ref().map_or(0.0, |filter| filter.share * MET_BEFORE));
    let fewest = filter.as_ref().map_or(0, |filter| (filter.leaves)(1.0));
    *enough = filter.is_none();
    let first = Probe::first(probe.leaves);
    let mut start = None;
    for (i, &(_, base, number)) in ranked.iter().enumerate() {
        if let Some(early) = early {
            if i == first {
                start = keep.nth(early.nth).map(|near| (near, unit(coded, query, &ranked[..first])));
            }
            if start.is_some_and(|(near, unit)| (base - near) / unit > early.reach(i)) {
                break;
            }
        }
        if let Some(&(_, _, later)) = ranked.get(i + AHEAD) {
            leaves.fetch(later, filter.is_some());
        }
        let leaf = leaves.leaf(number);
        if estimates.len() < leaf.biases.len() {
            estimates.resize(leaf.biases.len(), 0.0);
            lanes.resize(leaf.biases.len(), 0);
        }
        // Sums of absolute differences are of whole vectors, not of what lacks from the centroid.
        let (base, unit) = match measure {
            Measure::Absolute => (0.0, 1.0),
            Measure::MinusDot | Measure::MinusTwiceDot => (base, directory.scale(number as usize)),
        };
        let (base, threshold) = (base + table.offset * unit, keep.threshold());
        let (addends, scale) = (table.addends(), table.scale * unit);
        let n =
            (kernels.lut_select)(addends, leaf.codes, leaf.biases, base, scale, threshold, estimates, lanes);
        // Which vector a place holds is looked up at the end, for the few that are left then.
        let first = (blocks.len() * BLOCK) as u32;
        let passing = estimates[..n].iter().zip(&*lanes);
        match &filter {
            None => passing.for_each(|(&estimate, &lane)| keep.push(estimate, first + lane)),
            Some(Filtered { allowed, leaves, .. }) => {
                let before = keep.len();
                keep.push_allowed(
                    passing.map(|(&estimate, &lane)| {
                        (estimate, first + lane, allowed(leaf.slots[lane as usize]))
                    }),
                    refused,
                );
                met += n as f64;
                passed += (keep.len() - before) as f64;
                *enough = i + 1 >= fewest && keep.is_full() && i + 1 >= leaves(passed / met);
            }
        }
        blocks.extend((0..leaf.biases.len() / BLOCK).map(|block| (number, (block * BLOCK) as u32)));
        keep.tidy();
        if *enough && filter.is_some() {
            break;
        }
    }
    found.clear();
    found.extend(keep.finish().iter().map(|&key| {
        let place = keep::number(key) as usize;
        let (leaf, first) = blocks[place / BLOCK];
        (keep::estimate(key), leaves.slot(leaf, first as usize + place % BLOCK))
    }));
    found
}
