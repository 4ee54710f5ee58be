//! The edges of vectors that come and go.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::curve::Depth;
use super::links::Links;
use super::stored::Stored;
use super::version::{Linked, Version};
use super::walker::{Walker, walk_from_leaves};
use crate::graph::{Collection, choose, closest};
use crate::kmeans::Points;
use crate::parallel;
use crate::quant::{Codebook, Measure};

/// How far a vector that comes looks for those beside it.
const SEARCH: Depth = Depth { leaves: 8, width: 64, candidates: 32 };
/// Vectors that come and look at a time; then their edges are laid, which the next ones can follow.
const AT_ONCE: usize = 256;

/// Gives the vectors `slots`, which are in their slots and leaves already, nodes and edges, and leads edges to them.
pub(super) fn tie(next: &mut Version, slots: &[u32], threads: usize) {
    let space = next.space;
    let Some(grown) = &mut next.leaves else { return };
    let Some(linked) = &mut grown.linked else { return };
    let view = next.slots.view(&space);
    let stored = Stored { space: &space, slots: view };
    let collection = stored.collection();
    let Linked { links, .. } = linked;
    let layout = links.layout;
    let directory = &grown.store.directory;
    let codebook: Arc<Codebook> = links.codebook.clone();
    for some in slots.chunks(AT_ONCE) {
        let points = stored.points(some);
        let points = Points { values: &points, dim: space.dim };
        let group = |i: usize| directory.group(view.homes(some[i])[0]);
        let centre = |i: usize| (directory.centre(group(i)), 1.0);
        codebook.encode(space.kernels, Measure::MinusTwiceDot, points, centre, |i, codes, bias| {
            layout.write(links.change(some[i]), codes, bias, group(i));
        });
        // A thread costs more to start than a few vectors take.
        let threads = if some.len() < 16 { 1 } else { threads };
        let found = parallel::map_with(threads, some.len(), Walker::default, |walker, i| {
            let point = points.row(i);
            walk_from_leaves(&space, &grown.store, links, point, SEARCH, Some(some[i]), walker);
            let met: Vec<u32> = walker.trail.found().map(|(_, slot)| slot).take(SEARCH.candidates).collect();
            let mut edges = Vec::new();
            let close = closest(&collection, point, &met);
            choose(&collection, &close, layout.edges(), &mut edges);
            edges
        });
        for (&slot, edges) in some.iter().zip(&found) {
            layout.set_edges(links.change(slot), edges);
        }
        for (&slot, edges) in some.iter().zip(&found) {
            for &beside in edges {
                lead_to(&collection, links, beside, slot);
            }
        }
    }
}

/// Takes the vectors `slots`, which are still in their slots, out of the graph; those beside them get other edges.
pub(super) fn untie(next: &mut Version, version: &Version, slots: &[u32]) {
    let space = next.space;
    let Some(linked) = next.leaves.as_mut().and_then(|grown| grown.linked.as_mut()) else { return };
    let view = version.view();
    let stored = Stored { space: &space, slots: view };
    let collection = stored.collection();
    let links = &mut linked.links;
    let layout = links.layout;
    let gone: FxHashSet<u32> = slots.iter().copied().collect();
    let stays = |slot: &u32| (*slot as usize) < view.len && !gone.contains(slot);
    for &slot in slots {
        let old = links.beside(slot);
        layout.clear(links.change(slot));
        // Most of those with an edge to it are among those beside it and those beside these.
        let mut around: Vec<u32> =
            old.iter().flat_map(|&beside| links.beside(beside)).chain(old.clone()).collect();
        around.sort_unstable();
        around.dedup();
        around.retain(stays);
        for beside in around {
            let mut edges = links.beside(beside);
            let Some(place) = edges.iter().position(|&edge| edge == slot) else { continue };
            // The closest of those on the other side of the gap.
            let others =
                old.iter().filter(|other| **other != beside && stays(other) && !edges.contains(other));
            let others: Vec<u32> = others.copied().collect();
            let close = closest(&collection, &collection.points(&[beside]), &others);
            match close.first() {
                Some(&(_, other)) => edges[place] = other,
                None => _ = edges.remove(place),
            }
            layout.set_edges(links.change(beside), &edges);
        }
    }
}

/// Leads an edge of the vector `from` to the vector `to`, in place of another one when there is no room.
fn lead_to(collection: &Collection<'_>, links: &mut Links, from: u32, to: u32) {
    let layout = links.layout;
    let mut edges = links.beside(from);
    if edges.contains(&to) {
        return;
    }
    edges.push(to);
    if edges.len() > layout.edges() {
        let close = closest(collection, &collection.points(&[from]), &edges);
        choose(collection, &close, layout.edges(), &mut edges);
    }
    layout.set_edges(links.change(from), &edges);
}
