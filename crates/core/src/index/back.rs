//! Edges that are led back, many at a time: from vectors to those that they lie beside.

use super::links::Links;
use super::room::places;
use crate::graph::{Close, EdgeBuffers};
use crate::parallel::in_parts;
use crate::simd::Kernels;

/// A vector from which an edge is to lead to another one, and that one with their squared distance.
pub(super) type Back = (u32, Close);

/// Leads edges from the vectors that come first in `back` to those that come second, where there is room for them or, if they `must`, in
/// place of others.
pub(super) fn lead_back(
    kernels: &Kernels,
    links: &mut Links,
    mut back: Vec<Back>,
    must: bool,
    threads: usize,
) {
    back.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.0.total_cmp(&b.1.0)).then(a.1.1.cmp(&b.1.1)));
    let groups: Vec<&[Back]> = back.chunk_by(|a, b| a.0 == b.0).collect();
    let led = in_parts(threads, &groups, EdgeBuffers::default, |buffers, part| {
        let edges = part.iter().flat_map(|group| {
            let new: Vec<Close> = group.iter().map(|&(_, close)| close).collect();
            places(kernels, links.view(), group[0].0, &new, must)
        });
        links.led(kernels, &edges.collect::<Vec<_>>(), buffers)
    });
    links.put(led);
}
