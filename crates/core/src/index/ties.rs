//! The edges of vectors that come and go.

use rustc_hash::FxHashSet;

use super::links::{Leading, Links};
use super::reach::reach;
use super::stored::Stored;
use super::version::{Linked, Version};
use super::walker::{Walker, walk_from_entries};
use crate::graph::{Bench, Chooser, Close, EDGES, Nodes, Own, choose, closest, fill, sort, squares};
use crate::kmeans::Points;
use crate::leaves::{NO_FILTER, Probe, Scratch, probe};
use crate::parallel;
use crate::simd::Kernels;

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
    let mut bench = Bench::default();
    for some in slots.chunks(AT_ONCE) {
        let points = stored.points(some);
        let points = Points { values: &points, dim: space.dim };
        coder.code(space.kernels, points, |i, own| layout.write(links.change(some[i]), own));
        // A thread costs more to start than a few vectors take.
        let threads = if some.len() < 16 { 1 } else { threads };
        let buffers = || (Walker::default(), Scratch::default());
        let (coded, leaves) = (grown.store.coded(&space), grown.store.view());
        let found = parallel::map_with(threads, some.len(), buffers, |(walker, scratch), i| {
            let point = points.row(i);
            walk_from_entries(&space, links, point, WIDTH, Some(some[i]), walker);
            walker.trail.cut(CHOSEN_FROM);
            let beside = probe(coded, &leaves, point, LOOK, NO_FILTER, scratch);
            let met = walker.trail.found().chain(beside.iter().copied()).map(|(_, slot)| slot);
            let met: Vec<u32> = met.filter(|&slot| slot != some[i]).collect();
            let close = closest(&collection, point, &met, CHOSEN_FROM);
            (pick(space.kernels, links, &close), close)
        });
        for (&from, (chosen, close)) in some.iter().zip(&found) {
            let mut edges = chosen.clone();
            fill(&mut edges, close, EDGES);
            let own = (0..).zip(&edges).map(|(place, &(square, to))| Leading { from, place, to, square });
            links.lead(space.kernels, &own.collect::<Vec<_>>(), &mut bench);
        }
        // From those that lead in all directions: edges from the others would take the place of better ones.
        for (&to, (chosen, _)) in some.iter().zip(&found) {
            let edge = |&(square, from): &Close| {
                let place = place_for(space.kernels, links, from, (square, to), false)?;
                Some(Leading { from, place, to, square })
            };
            let back: Vec<Leading> = chosen.iter().filter_map(edge).collect();
            links.lead(space.kernels, &back, &mut bench);
        }
        reach(stored, links, some, threads);
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
    let mut bench = Bench::default();
    for &slot in slots {
        let old = links.beside(slot);
        layout.clear(links.change(slot));
        links.move_entry(space.kernels, slot, old.iter().copied().find(stays), &mut bench);
        // Most of those with an edge to it are among those beside it and those beside these.
        let view = links.view();
        let beside = |slot: &u32| view.node(*slot).map_or(&[] as &[u32], |node| layout.beside(node));
        let mut around: Vec<u32> =
            old.iter().flat_map(|slot| beside(slot).iter().copied()).chain(old.clone()).collect();
        around.sort_unstable();
        around.dedup();
        around.retain(stays);
        let mut new = Vec::new();
        for from in around {
            let Some(place) = place_of(links, from, slot) else { continue };
            // The closest of those on the other side of the gap.
            let edges = links.beside(from);
            let others = old.iter().filter(|other| **other != from && stays(other) && !edges.contains(other));
            let others: Vec<u32> = others.copied().collect();
            match closest(&collection, &collection.points(&[from]), &others, 1).first() {
                Some(&(square, to)) => new.push(Leading { from, place, to, square }),
                None => layout.drop_edges(links.change(from), |edge| edge == slot),
            }
        }
        links.lead(space.kernels, &new, &mut bench);
    }
}

/// Which edge of a vector leads to another.
fn place_of(links: &Links, from: u32, to: u32) -> Option<usize> {
    links.layout.beside(links.view().node(from)?).iter().position(|&edge| edge == to)
}

/// The place of the vector `from` for an edge to another one: a free one, or that of an edge that is worse, or, if it `must`, of
/// one that is better. `None` when there is none.
pub(super) fn place_for(
    kernels: &Kernels,
    links: &Links,
    from: u32,
    (square, to): Close,
    must: bool,
) -> Option<usize> {
    let (view, layout) = (links.view(), links.layout);
    let node = view.node(from)?;
    let edges = layout.beside(node);
    let own = |slot: u32| Some(layout.own(view.node(slot)?)).filter(|own| own.square < f32::INFINITY);
    let gone = edges.iter().position(|&edge| own(edge).is_none());
    if edges.contains(&to) {
        return None;
    }
    if edges.len() < EDGES || gone.is_some() {
        return gone.or(Some(edges.len()));
    }
    let ends: Vec<Own<'_>> = edges.iter().filter_map(|&edge| own(edge)).collect();
    let mut close: Vec<Close> =
        squares(kernels, layout.own(node), &ends).into_iter().zip(edges.iter().copied()).collect();
    close.push((square, to));
    sort(&mut close);
    let mut chosen = pick(kernels, links, &close);
    if must {
        chosen.retain(|&(_, edge)| edge != to);
        chosen.insert(0, (square, to));
    }
    fill(&mut chosen, &close, EDGES);
    edges.iter().position(|edge| chosen.iter().take(EDGES).all(|(_, other)| other != edge))
}

/// Of close vectors those that become edges, because they lead in all directions.
fn pick(kernels: &Kernels, links: &Links, close: &[Close]) -> Vec<Close> {
    let view = links.view();
    let known = close.iter().filter_map(|&one| Some((one, links.layout.own(view.node(one.1)?))));
    let (close, ends): (Vec<Close>, Vec<Own<'_>>) =
        known.filter(|(_, own)| own.square < f32::INFINITY).unzip();
    choose(kernels, &close, &ends, EDGES, &mut Chooser::default())
}
