//! A query through the graph.

use super::links::Links;
use super::space::Space;
use crate::filtered::{Filtered, Reach};
use crate::graph::{Trail, Walk, walk};
use crate::quant::Table;

/// Buffers of [`walk_from_entries`], and what it found.
#[derive(Debug, Default)]
pub(super) struct Walker {
    table: Table,
    pub(super) trail: Trail,
}

/// Walks to the closest of all vectors, and leaves those that pass in the walker's trail.
pub(super) fn walk_from_entries(
    space: &Space,
    links: &Links,
    point: &[f32],
    far: Walk,
    filter: Option<Filtered<impl Fn(u32) -> bool, impl Fn(f64) -> Reach>>,
    walker: &mut Walker,
) {
    let asked = links.coder.ask(space.kernels, point, &mut walker.table);
    walk(asked, &links.view(), &links.entries, far, filter, &mut walker.trail);
}
