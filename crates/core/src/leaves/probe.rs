//! A query through the closest leaves: the candidates to compare exactly.

use super::directory::{Asking, Directory, Ranking};
use super::leaf::LeafView;
use crate::early::Early;
use crate::filtered::{Filtered, NO_FILTER, Reach};
use crate::keep::{self, Keep};
use crate::quant::{Codebook, Measure, Table};
use crate::simd::{self, BLOCK, Kernels, Scan};

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
    /// Fetches what there is beside the codes of a leaf that will be read soon, with its `slots` or without; the codes are returned, to be
    /// fetched and not to be read.
    fn fetch(&self, number: u32, slots: bool) -> &[u8];
}

/// How far to look.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Probe {
    /// How many leaves are looked into. Under a filter, how many are ranked: when more would have to be looked into, what was
    /// looked into was not enough.
    pub(crate) leaves: usize,
    /// How many candidates are kept.
    pub(crate) candidates: usize,
    /// When it ends instead. A leaf is farther away than a vector by the difference of what [`away`] says
    /// of it and the vector's estimate, in units of the mean squared distance of vectors from the centroids of
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
    /// Estimates of what was asked about, whether a filter let it pass or not.
    met: Vec<f32>,
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
        let met = self.met.iter().filter(|&&estimate| estimate <= limit).count();
        met as f64 / n as f64
    }

    /// What [`probe`] found last.
    pub(crate) fn found(&self) -> &[(f32, u32)] {
        &self.found
    }
}

/// Calls `sink` with the numbers below `n` for which `allowed` holds, in ascending order.
#[inline]
fn for_each_allowed(n: usize, allowed: impl Fn(usize) -> bool, mut sink: impl FnMut(usize)) {
    for start in (0..n).step_by(64) {
        // Nobody could foresee which are allowed: all are asked about before anything is done for any.
        let bit = |bits, i| bits | u64::from(allowed(start + i)) << i;
        let mut bits = (0..64.min(n - start)).fold(0, bit);
        while bits != 0 {
            sink(start + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
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
    filter: Option<Filtered<impl Fn(u32) -> bool, impl Fn(f64) -> Reach>>,
    scratch: &'s mut Scratch,
) -> &'s [(f32, u32)] {
    look(coded, leaves, None, query, probe, filter, scratch)
}

/// How far away one of the leaves is that [`rank`] returns, as [`Probe::early`] wants it: by distances its centroid alone, by inner
/// products its rank, which is what its largest ones come to.
pub(crate) fn away(measure: Measure, &(rank, centroid, _): &(f32, f32, u32)) -> f32 {
    if measure == Measure::MinusDot { rank } else { centroid }
}

#[inline]
fn look<'s>(
    coded: Coded<'_>,
    leaves: &impl Leaves,
    among: Option<&[u32]>,
    query: &[f32],
    probe: Probe,
    filter: Option<Filtered<impl Fn(u32) -> bool, impl Fn(f64) -> Reach>>,
    scratch: &'s mut Scratch,
) -> &'s [(f32, u32)] {
    let Coded { kernels, measure, codebook, directory } = coded;
    let Scratch { table, ranking, keep, estimates, lanes, blocks, found, met, enough } = scratch;
    codebook.table(kernels, query, measure, table);
    let ranked_by = if measure == Measure::Absolute { Measure::MinusTwiceDot } else { measure };
    let mut early = probe.early;
    let most = |leaves: usize| if probe.early.is_some() { Probe::most(leaves) } else { leaves };
    let at_most = if filter.is_some() { probe.leaves } else { most(probe.leaves) };
    let asking = Asking { query, table, measure: ranked_by, wanted: probe.leaves, at_most, among };
    directory.closest(kernels, asking, ranking);
    let candidates = probe.candidates.max(1);
    // Under a filter all that is below the threshold is asked about, so it is to be low soon.
    keep.start(candidates, if filter.is_some() { candidates / 4 } else { candidates });
    blocks.clear();
    met.clear();
    let ranked = &ranking.leaves;
    for &(_, _, leaf) in ranked.iter().take(AHEAD) {
        simd::prefetch_many(leaves.fetch(leaf, filter.is_some()));
    }
    let mut passed = 0;
    let first = Probe::first(filter.as_ref().map_or(probe.leaves, |filter| filter.usual().far));
    *enough = filter.is_none();
    let (mut start, mut done) = (None, false);
    for (i, leaf) in ranked.iter().enumerate() {
        let &(_, base, number) = leaf;
        if let Some(early) = early
            && i >= first
        {
            start = start
                .or_else(|| keep.nth(early.nth).map(|near| (near, unit(coded, query, &ranked[..first]))));
            let too_far =
                start.is_some_and(|(near, unit)| (away(measure, leaf) - near) / unit > early.reach(i));
            if too_far && (filter.is_none() || keep.is_full()) {
                *enough = true;
                break;
            }
        }
        let later = ranked.get(i + AHEAD);
        let ahead = later.map_or(&[][..], |&(_, _, later)| leaves.fetch(later, filter.is_some()));
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
        let (table, scale) = (table.addends(), table.scale * unit);
        let LeafView { codes, biases, .. } = leaf;
        let scan = Scan { table, blocks: codes, biases, base, scale, threshold, ahead };
        let n = (kernels.lut_select)(&scan, estimates, lanes);
        // Which vector a place holds is looked up at the end, for the few that are left then.
        let first = (blocks.len() * BLOCK) as u32;
        match &filter {
            None => {
                estimates[..n]
                    .iter()
                    .zip(&*lanes)
                    .for_each(|(&estimate, &lane)| keep.push(estimate, first + lane));
            }
            Some(filter) => {
                met.extend_from_slice(&estimates[..n]);
                let allowed = |i: usize| (filter.allowed)(leaf.slots[lanes[i] as usize]);
                for_each_allowed(n, allowed, |i| {
                    keep.push(estimates[i], first + lanes[i]);
                    passed += 1;
                });
                let Reach { far, limit } = filter.reach_after(passed, met.len());
                early = early.map(|early| Early { limit, ..early });
                *enough = keep.is_full() && i + 1 >= far;
                done = keep.is_full() && i + 1 >= most(far);
            }
        }
        blocks.extend((0..leaf.biases.len() / BLOCK).map(|block| (number, (block * BLOCK) as u32)));
        keep.tidy();
        if done {
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
