//! A query from a few leaves on through the graph.

use super::curve::Depth;
use super::links::Links;
use super::space::Space;
use super::store::LeafStore;
use crate::graph::{Asked, Trail, walk};
use crate::leaves::{NO_FILTER, Probe, Scratch, probe};
use crate::quant::{Measure, Table};

/// From so many candidates of the leaves a walk sets out.
const SEEDS: usize = 16;

/// Buffers of [`walk_from_leaves`], and what it found.
#[derive(Debug, Default)]
pub(super) struct Walker {
    pub(super) probe: Scratch,
    table: Table,
    bases: Vec<f32>,
    pub(super) trail: Trail,
}

/// Looks into `depth.leaves` leaves and walks from the best candidates there; what it found is in the walker's trail. The
/// vector `passed` is left out.
pub(super) fn walk_from_leaves(
    space: &Space,
    store: &LeafStore,
    links: &Links,
    point: &[f32],
    depth: Depth,
    passed: Option<u32>,
    walker: &mut Walker,
) {
    let Walker { probe: scratch, table, bases, trail } = walker;
    let coded = store.coded(space);
    let effort = Probe { leaves: depth.leaves, candidates: SEEDS.min(depth.width) };
    probe(coded, &store.view(), point, effort, NO_FILTER, scratch);
    links.codebook.table_like(space.kernels, scratch.table(), Measure::MinusTwiceDot, table);
    store.directory.apart_from_centres(space.kernels, point, bases);
    let asked = Asked { kernels: space.kernels, layout: links.layout, table, bases };
    let seeds = scratch.found().iter().map(|&(_, slot)| slot);
    walk(asked, &links.view(), seeds, depth.width, passed, trail);
}
