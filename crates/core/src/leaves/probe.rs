//! A query through the closest leaves: the candidates to compare exactly.

use super::directory::{Directory, Ranking};
use super::keep::{self, Keep};
use super::leaf::LeafView;
use crate::quant::{Codebook, Measure, Table};
use crate::simd::{self, BLOCK, Kernels};

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
}

/// How far to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Probe {
    /// How many leaves are looked into.
    pub(crate) leaves: usize,
    /// How many candidates are kept.
    pub(crate) candidates: usize,
}

/// A filter, and what it takes.
#[derive(Debug)]
pub(crate) struct Filtered<F> {
    /// Whether a slot may be found.
    pub(crate) allowed: F,
    /// So many leaves are looked into after those that held enough candidates at first, and no fewer than it took to get
    /// there: under a filter that has to do with the query the closest leaves may hold none.
    pub(crate) more: usize,
}

/// Everything may be found.
pub(crate) const NO_FILTER: Option<NoFilter> = None;
type NoFilter = Filtered<fn(u32) -> bool>;

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
    enough: bool,
}

impl Scratch {
    /// Whether the leaves were enough for what the filter took.
    pub(crate) fn was_enough(&self) -> bool {
        self.enough
    }

    /// The table of the last query.
    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// What [`probe`] found last.
    pub(crate) fn found(&self) -> &[(f32, u32)] {
        &self.found
    }
}

/// How many leaves are fetched ahead.
const AHEAD: usize = 2;

/// The candidates for `query`: those with the smallest estimates among the vectors of the closest leaves that `filter`
/// lets pass, with their estimates, in no order. Most vectors of which both leaves were looked into come twice.
pub(crate) fn probe<'s>(
    coded: Coded<'_>,
    leaves: &impl Leaves,
    query: &[f32],
    probe: Probe,
    filter: Option<Filtered<impl Fn(u32) -> bool>>,
    scratch: &'s mut Scratch,
) -> &'s [(f32, u32)] {
    let Coded { kernels, measure, codebook, directory } = coded;
    let Scratch { table, ranking, keep, estimates, lanes, blocks, found, enough } = scratch;
    codebook.table(kernels, query, measure, table);
    let ranked_by = if measure == Measure::Absolute { Measure::MinusTwiceDot } else { measure };
    directory.closest(kernels, query, table, ranked_by, probe.leaves, ranking);
    keep.start(probe.candidates.max(1));
    blocks.clear();
    let ranked = &ranking.leaves;
    for &(_, _, leaf) in ranked.iter().take(AHEAD) {
        prefetch(leaves.leaf(leaf));
    }
    let mut last = None;
    for (i, &(_, base, number)) in ranked.iter().enumerate() {
        if last.is_some_and(|last| i >= last) {
            break;
        }
        if let Some(&(_, _, later)) = ranked.get(i + AHEAD) {
            prefetch(leaves.leaf(later));
        }
        let leaf = leaves.leaf(number);
        if estimates.len() < leaf.biases.len() {
            estimates.resize(leaf.biases.len(), 0.0);
            lanes.resize(leaf.biases.len(), 0);
        }
        // Sums of absolute differences are of whole vectors, not of what lacks from the centroid.
        let base = if measure == Measure::Absolute { 0.0 } else { base } + table.offset;
        let threshold = keep.threshold();
        let (addends, scale) = (table.addends(), table.scale);
        let n =
            (kernels.lut_select)(addends, leaf.codes, leaf.biases, base, scale, threshold, estimates, lanes);
        // Which vector a place holds is looked up at the end, for the few that are left then.
        let first = (blocks.len() * BLOCK) as u32;
        let passing = estimates[..n].iter().zip(&*lanes);
        match &filter {
            None => passing.for_each(|(&estimate, &lane)| keep.push(estimate, first + lane)),
            Some(Filtered { allowed, more }) => {
                passing
                    .filter(|&(_, &lane)| allowed(leaf.slots[lane as usize]))
                    .for_each(|(&estimate, &lane)| keep.push(estimate, first + lane));
                if last.is_none() && keep.is_full() {
                    last = Some(i + i.max(*more));
                }
            }
        }
        blocks.extend((0..leaf.biases.len() / BLOCK).map(|block| (number, (block * BLOCK) as u32)));
        keep.tidy();
    }
    *enough = filter.is_none() || last.is_some_and(|last| last <= ranked.len());
    found.clear();
    found.extend(keep.finish().iter().map(|&key| {
        let place = keep::number(key) as usize;
        let (leaf, first) = blocks[place / BLOCK];
        (keep::estimate(key), leaves.leaf(leaf).slots[first as usize + place % BLOCK])
    }));
    found
}

fn prefetch(leaf: LeafView<'_>) {
    simd::prefetch_many(leaf.codes);
    simd::prefetch_many(leaf.biases);
}
