//! The edges of vectors that come and go.
//!
//! Many at a time, in steps: what a step finds out it finds out on all threads, from nodes that do not change meanwhile, and each
//! node that is to change is made once.

use rustc_hash::FxHashSet;

use super::back::{Back, lead_back};
use super::links::{Leading, Links, LinksView};
use super::reach::{ADDED, reach};
use super::room::pick;
use super::store::LeafStore;
use super::stored::Stored;
use super::version::{Linked, Version};
use super::walker::{Walker, walk_from_entries};
use crate::filtered::NO_FILTER;
use crate::graph::{Close, Coder, EDGES, EdgeBuffers, Nodes, Walk, closest, fill, sort};
use crate::kmeans::Points;
use crate::leaves::{Homes, NO_LEAF, Probe, Scratch, probe_among};
use crate::parallel::in_parts;
use crate::simd::Kernels;

/// How far a vector that comes looks for those beside it, and how many it chooses from.
const WIDTH: usize = 64;
const CHOSEN_FROM: usize = 48;
/// It looks into its leaves as well.
const LOOK: Probe = Probe { leaves: 2, candidates: 32, early: None };
/// Vectors that come and look at a time; then their edges are laid, which the next ones can follow.
const AT_ONCE: usize = 256;

/// Gives the vectors `slots`, which are in their slots already, nodes and edges, and leads edges to them.
pub(super) fn tie(next: &mut Version, slots: &[u32], threads: usize) {
    let space = next.space;
    let Some(grown) = &mut next.leaves else { return };
    let Some(Linked { links, .. }) = &mut grown.linked else { return };
    let stored = Stored { space: &space, slots: next.slots.view(&space) };
    bring_in(stored, (&grown.store, |slot| stored.slots.homes(slot)), links, slots, threads);
}

/// Gives the vectors `slots`, which lie in leaves, nodes and edges, and leads edges to them. Beside the leaves comes what tells the homes of a slot.
pub(super) fn bring_in(
    stored: Stored<'_>,
    leaves: (&LeafStore, impl Fn(u32) -> Homes + Copy + Sync),
    links: &mut Links,
    slots: &[u32],
    threads: usize,
) {
    let kernels = stored.space.kernels;
    for some in slots.chunks(AT_ONCE) {
        let nodes = in_parts(threads, some, || (), |(), part| nodes_of(stored, &links.coder, part));
        links.put(nodes);
        let (back, led): (Vec<_>, Vec<_>) = beside(stored, leaves, links, some, threads).into_iter().unzip();
        links.put(led);
        lead_back(kernels, links, back.concat(), false, threads);
    }
    // At last, since edges of those that come later take the place of edges to those that came before.
    reach(stored, links, slots, ADDED, threads);
}

/// A slot, and the node that it gets.
type Changed = (u32, Vec<u32>);

/// The nodes of vectors, without edges.
fn nodes_of(stored: Stored<'_>, coder: &Coder, slots: &[u32]) -> Vec<Changed> {
    let points = stored.points(slots);
    let nodes = coder.nodes(stored.space.kernels, Points { values: &points, dim: stored.space.dim });
    slots.iter().copied().zip(nodes).collect()
}

/// The nodes of vectors that came, with edges to what is beside them, and which edges are to lead back. What is beside them is found by a
/// walk, and in the leaves that they lie in: there are those that came with them, to which no edge leads yet.
fn beside(
    stored: Stored<'_>,
    (store, homes): (&LeafStore, impl Fn(u32) -> Homes + Sync),
    links: &Links,
    slots: &[u32],
    threads: usize,
) -> Vec<(Vec<Back>, Changed)> {
    let (space, view) = (stored.space, links.view());
    let (collection, coded, leaves) = (stored.collection(), store.coded(space), store.view());
    let buffers = || (Walker::default(), Scratch::default(), EdgeBuffers::default());
    in_parts(threads, slots, buffers, |(walker, scratch, buffers), part| {
        let points = stored.points(part);
        let each = part.iter().zip(points.chunks_exact(space.dim));
        each.filter_map(|(&slot, point)| {
            let own = view.own(slot)?;
            let far = Walk { passed: Some(slot), ..Walk::even(WIDTH) };
            walk_from_entries(space, links, point, far, NO_FILTER, walker);
            walker.trail.cut(CHOSEN_FROM);
            let mut close: Vec<Close> =
                walker.trail.found().map(|(rank, other)| (own.square + rank, other)).collect();
            let homes = homes(slot);
            let homes = &homes[..if homes[1] == NO_LEAF { 1 } else { 2 }];
            let others =
                probe_among(coded, &leaves, homes, point, LOOK, scratch).iter().map(|&(_, other)| other);
            let known = |other: &u32| *other == slot || close.iter().any(|one| one.1 == *other);
            let others: Vec<u32> = others.filter(|other| !known(other)).collect();
            close.extend(view.near(space.kernels, slot, &others));
            sort(&mut close);
            close.truncate(CHOSEN_FROM);
            let mut edges = pick(space.kernels, view, &close);
            let chosen = edges.len();
            fill(&mut edges, &close, EDGES);
            // The codes of an edge are stretched by its length.
            for edge in edges.iter_mut().filter(|edge| own.is_close(edge.0)) {
                if let Some(&exact) = closest(&collection, point, &[edge.1], 1).first() {
                    *edge = exact;
                }
            }
            // Now, while what they lead to is in the cache.
            let node = links.relinked(space.kernels, slot, &edges, buffers)?;
            // Back from those that lead in all directions: edges from the others would take the place of better ones.
            let back = edges.iter().take(chosen).map(|&(square, from)| (from, (square, slot)));
            Some((back.collect(), node))
        })
        .collect()
    })
}

/// Takes the vectors `slots`, which are still in their slots of `version`, out of the graph; those beside them get other edges.
pub(super) fn untie(next: &mut Version, version: &Version, slots: &[u32], threads: usize) {
    let space = next.space;
    let Some(linked) = next.leaves.as_mut().and_then(|grown| grown.linked.as_mut()) else { return };
    let stored = Stored { space: &space, slots: version.view() };
    let links = &mut linked.links;
    let gone: FxHashSet<u32> = slots.iter().copied().collect();
    for some in slots.chunks(AT_ONCE) {
        let view = links.view();
        let stays = |slot: &u32| !gone.contains(slot) && view.own(*slot).is_some();
        // Most of those with an edge to a vector are among those beside it and those beside these.
        let mut around = in_parts(threads, some, || (), |(), part| within_two(view, part));
        around.sort_unstable();
        around.dedup();
        around.retain(stays);
        let nodes = in_parts(threads, &around, EdgeBuffers::default, |buffers, part| {
            let gaps: Vec<Gap> = part.iter().flat_map(|&from| gaps_of(stored, view, from, &gone)).collect();
            mended(space.kernels, links, &gaps, buffers)
        });
        // Walks that begin at a vector that goes begin beside it.
        let instead: Vec<Option<u32>> =
            some.iter().map(|&slot| view.edges(slot).iter().copied().find(stays)).collect();
        links.put(nodes);
        let mut buffers = EdgeBuffers::default();
        for (&slot, instead) in some.iter().zip(instead) {
            links.clear(slot);
            links.move_entry(space.kernels, slot, instead, &mut buffers);
        }
    }
}

/// The slots that one edge or two lead to from some, as often as they do.
fn within_two(view: LinksView<'_>, slots: &[u32]) -> Vec<u32> {
    slots.iter().for_each(|&slot| view.fetch_edges(view.edges(slot)));
    let beside = slots.iter().flat_map(|&slot| view.edges(slot));
    beside.flat_map(|beside| view.edges(*beside).iter().chain([beside])).copied().collect()
}

/// An edge of a vector that leads to one that goes, and the one that it is to lead to.
struct Gap {
    from: u32,
    place: usize,
    instead: Option<Close>,
}

/// The edges of the vector `from` that lead to some that go. Each is to lead to the closest of those on the other side.
fn gaps_of(stored: Stored<'_>, view: LinksView<'_>, from: u32, gone: &FxHashSet<u32>) -> Vec<Gap> {
    let kernels = stored.space.kernels;
    let mut edges = view.edges(from).to_vec();
    let mut gaps = Vec::new();
    for place in 0..edges.len() {
        if !gone.contains(&edges[place]) {
            continue;
        }
        let other = |other: &u32| *other != from && !gone.contains(other) && !edges.contains(other);
        let others: Vec<u32> = view.edges(edges[place]).iter().copied().filter(other).collect();
        let instead = view.near(kernels, from, &others).first().map(|&(_, to)| {
            let points = stored.points(&[from, to]);
            let (point, end) = points.split_at(stored.space.dim);
            ((kernels.l2_squared)(point, end), to)
        });
        if let Some((_, to)) = instead {
            edges[place] = to;
        }
        gaps.push(Gap { from, place, instead });
    }
    gaps
}

/// The nodes that have gaps, without them. Those of one node lie one behind the other, in the order of their places.
fn mended(kernels: &Kernels, links: &Links, gaps: &[Gap], buffers: &mut EdgeBuffers) -> Vec<Changed> {
    let edge = |gap: &Gap| {
        let (square, to) = gap.instead?;
        Some(Leading { from: gap.from, place: gap.place, to, square })
    };
    let edges: Vec<Leading> = gaps.iter().filter_map(edge).collect();
    let mut nodes = links.led(kernels, &edges, buffers);
    // From the last place on, since the last edge of all moves into the gap.
    for gap in gaps.iter().rev().filter(|gap| gap.instead.is_none()) {
        let at = nodes.iter().position(|&(from, _)| from == gap.from).unwrap_or_else(|| {
            nodes.push((gap.from, links.view().node(gap.from).unwrap_or_default().to_vec()));
            nodes.len() - 1
        });
        links.layout.drop_edge(&mut nodes[at].1, gap.place);
    }
    nodes
}
