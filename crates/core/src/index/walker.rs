//! A query from a few leaves on through the graph.

use super::curve::Depth;
use super::links::Links;
use super::space::Space;
use super::store::LeafStore;
use crate::graph::{Asked, Layout, Trail, walk};
use crate::leaves::{Directory, NO_FILTER, Probe, Scratch, probe};
use crate::quant::{Codebook, Measure, Table};

/// From so many candidates of the leaves a walk sets out.
const SEEDS: usize = 16;

/// What makes queries ready for the nodes.
#[derive(Debug, Default)]
pub(super) struct Asker {
    table: Table,
    bases: Vec<f32>,
}

impl Asker {
    /// The query at `point`, to be compared with nodes of this codebook; `like` is its table by a codebook with the same
    /// projection, when there is one.
    pub(super) fn ask(
        &mut self,
        space: &Space,
        codebook: &Codebook,
        directory: &Directory,
        point: &[f32],
        like: Option<&Table>,
    ) -> Asked<'_> {
        let Self { table, bases } = self;
        match like {
            Some(like) => codebook.table_like(space.kernels, like, Measure::MinusTwiceDot, table),
            None => codebook.table(space.kernels, point, Measure::MinusTwiceDot, table),
        }
        directory.apart_from_centres(space.kernels, point, bases);
        Asked { kernels: space.kernels, layout: Layout::new(codebook.codes()), table, bases }
    }
}

/// Buffers of [`walk_from_leaves`], and what it found.
#[derive(Debug, Default)]
pub(super) struct Walker {
    pub(super) probe: Scratch,
    asker: Asker,
    seeds: Vec<u32>,
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
    let Walker { probe: scratch, asker, seeds, trail } = walker;
    let effort = Probe { leaves: depth.leaves, candidates: SEEDS.min(depth.width) };
    probe(store.coded(space), &store.view(), point, effort, NO_FILTER, scratch);
    let asked = asker.ask(space, &links.codebook, &store.directory, point, Some(scratch.table()));
    seeds.clear();
    seeds.extend(scratch.found().iter().map(|&(_, slot)| slot));
    walk(asked, &links.view(), seeds, depth.width, passed, trail);
}
