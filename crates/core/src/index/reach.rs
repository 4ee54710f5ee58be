//! That a walk can find every vector.

use super::links::{Leading, Links};
use super::stored::Stored;
use super::ties::place_for;
use super::walker::{Walker, walk_from_entries};
use crate::graph::{Bench, Close, Nodes, Own, sort, squares};
use crate::parallel;
use crate::simd::Kernels;

/// How wide a walk is that has to find a vector again, at first, and when edges lead to it.
const NARROW: usize = 16;
const WIDE: usize = 64;
/// An edge leads to a lost vector from so many of those closest to it.
const TETHERS: usize = 3;
/// One vector in so many may be beside an entry point, and at most so many: each walk looks at all of them.
const ONE_IN: usize = 8;
const MOST_ENTRIES: usize = 2048;
/// Vectors that a thread takes at a time.
const BLOCK: usize = 256;

/// Makes walks find those of the vectors `slots` that they would not find otherwise, because no edge leads to them from where a
/// query for them passes: by edges from the closest vectors, or, where that does not help since these are not found
/// either, by beginning at them.
pub(super) fn reach(stored: Stored<'_>, links: &mut Links, slots: &[u32], threads: usize) {
    let (space, mut bench) = (stored.space, Bench::default());
    let is_lost = |links: &Links, walker: &mut Walker, slot: u32, width: usize| {
        let point = stored.points(&[slot]);
        walk_from_entries(space, links, &point, width, None, walker);
        walker.trail.found().all(|(_, found)| found != slot)
    };
    let lost: Vec<Vec<u32>> =
        parallel::map_with(threads, slots.len().div_ceil(BLOCK), Walker::default, |walker, block| {
            let some = &slots[block * BLOCK..slots.len().min((block + 1) * BLOCK)];
            some.iter().copied().filter(|&slot| is_lost(links, walker, slot, NARROW)).collect()
        });
    let mut walker = Walker::default();
    for slot in lost.concat() {
        // By one that was lost with it it may have been found.
        if !is_lost(links, &mut walker, slot, NARROW) {
            continue;
        }
        tether(space.kernels, links, slot, &mut bench);
        let room = links.entries() < MOST_ENTRIES.min(stored.len() / ONE_IN);
        if room && is_lost(links, &mut walker, slot, WIDE) {
            links.add_entry(space.kernels, slot, &mut bench);
        }
    }
}

/// Leads edges to a vector from the closest of those beside it, in place of others.
fn tether(kernels: &Kernels, links: &mut Links, slot: u32, bench: &mut Bench) {
    let (view, layout) = (links.view(), links.layout);
    let Some(node) = view.node(slot) else { return };
    let known = layout.beside(node).iter().filter_map(|&edge| Some((edge, layout.own(view.node(edge)?))));
    let (edges, ends): (Vec<u32>, Vec<Own<'_>>) = known.filter(|(_, own)| own.square < f32::INFINITY).unzip();
    let mut close: Vec<Close> = squares(kernels, layout.own(node), &ends).into_iter().zip(edges).collect();
    sort(&mut close);
    let new: Vec<Leading> = close
        .iter()
        .take(TETHERS)
        .filter_map(|&(square, from)| {
            let place = place_for(kernels, links, from, (square, slot), true)?;
            Some(Leading { from, place, to: slot, square })
        })
        .collect();
    links.lead(kernels, &new, bench);
}
