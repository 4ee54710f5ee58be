//! The edges of vectors that come and go.

use rustc_hash::FxHashSet;

use super::links::Leading;
use super::reach::{ADDED, reach};
use super::room::{pick, place_for};
use super::stored::Stored;
use super::version::{Linked, Version};
use super::walker::{Walker, walk_from_entries};
use crate::graph::{Close, EDGES, EdgeBuffers, closest, fill};
use crate::kmeans::Points;
use crate::leaves::{NO_FILTER, Probe, Scratch, probe};
use crate::parallel;

/// How far a vector that comes looks for those beside it, and how many it chooses from.
const WIDTH: usize = 64;
const CHOSEN_FROM: usize = 48;
/// It looks into leaves as well: there are those that come with it, to which no edge leads yet.
const LOOK: Probe = Probe { leaves: 4, candidates: 32 };
/// Vectors that come and look at a time; then their edges are laid, which the next ones can follow.
const AT_ONCE: usize = 256;

/// Gives the vectors `slots`, which are in their slots already, nodes and edges, and leads edges to them.
pub(super) fn tie(next: &mut Version, slots: &[u32], threads: usize) {
    let space = next.space;
    let Some(grown) = &mut next.leaves else { return };
    let Some(Linked { links, .. }) = &mut grown.linked else { return };
    let stored = Stored { space: &space, slots: next.slots.view(&space) };
    let collection = stored.collection();
    let (layout, coder) = (links.layout, links.coder.clone());
    let mut buffers = EdgeBuffers::default();
    for some in slots.chunks(AT_ONCE) {
        let points = stored.points(some);
        let points = Points { values: &points, dim: space.dim };
        coder.code(space.kernels, points, |i, own| layout.write(links.change(some[i]), own));
        // A thread costs more to start than a few vectors take.
        let threads = if some.len() < 16 { 1 } else { threads };
        let scratch = || (Walker::default(), Scratch::default());
        let (coded, leaves) = (grown.store.coded(&space), grown.store.view());
        let found = parallel::map_with(threads, some.len(), scratch, |(walker, scratch), i| {
            let point = points.row(i);
            walk_from_entries(&space, links, point, WIDTH, Some(some[i]), walker);
            walker.trail.cut(CHOSEN_FROM);
            let beside = probe(coded, &leaves, point, LOOK, NO_FILTER, scratch);
            let met = walker.trail.found().chain(beside.iter().copied()).map(|(_, slot)| slot);
            let met: Vec<u32> = met.filter(|&slot| slot != some[i]).collect();
            let close = closest(&collection, point, &met, CHOSEN_FROM);
            (pick(space.kernels, links.view(), &close), close)
        });
        for (&from, (chosen, close)) in some.iter().zip(&found) {
            let mut edges = chosen.clone();
            fill(&mut edges, close, EDGES);
            let own = (0..).zip(&edges).map(|(place, &(square, to))| Leading { from, place, to, square });
            links.lead(space.kernels, &own.collect::<Vec<_>>(), &mut buffers);
        }
        // From those that lead in all directions: edges from the others would take the place of better ones.
        for (&to, (chosen, _)) in some.iter().zip(&found) {
            let edge = |&(square, from): &Close| {
                let place = place_for(space.kernels, links.view(), from, (square, to), false)?;
                Some(Leading { from, place, to, square })
            };
            let back: Vec<Leading> = chosen.iter().filter_map(edge).collect();
            links.lead(space.kernels, &back, &mut buffers);
        }
        reach(stored, links, some, ADDED, threads);
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
    let mut buffers = EdgeBuffers::default();
    for &slot in slots {
        let old = links.beside(slot);
        layout.clear(links.change(slot));
        links.move_entry(space.kernels, slot, old.iter().copied().find(stays), &mut buffers);
        // Most of those with an edge to it are among those beside it and those beside these.
        let view = links.view();
        let mut around: Vec<u32> =
            old.iter().flat_map(|&beside| view.edges(beside)).chain(&old).copied().collect();
        around.sort_unstable();
        around.dedup();
        around.retain(stays);
        let mut new = Vec::new();
        for from in around {
            let leads_there = |&edge: &u32| edge == slot;
            let Some(place) = links.view().edges(from).iter().position(leads_there) else { continue };
            // The closest of those on the other side of the gap.
            let edges = links.beside(from);
            let others = old.iter().filter(|other| **other != from && stays(other) && !edges.contains(other));
            let others: Vec<u32> = others.copied().collect();
            match closest(&collection, &collection.points(&[from]), &others, 1).first() {
                Some(&(square, to)) => new.push(Leading { from, place, to, square }),
                None => layout.drop_edge(links.change(from), place),
            }
        }
        links.lead(space.kernels, &new, &mut buffers);
    }
}
