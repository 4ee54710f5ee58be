//! That a walk can find every vector.

use super::links::{Leading, Links};
use super::room::places;
use super::stored::Stored;
use super::walker::{Walker, walk_from_entries};
use crate::filtered::NO_FILTER;
use crate::graph::{EdgeBuffers, SHORTEST, Walk};
use crate::parallel;
use crate::simd::Kernels;

/// An edge leads to a lost vector from so many of those closest to it.
const TETHERS: usize = 3;
/// One vector in so many may be beside an entry point.
const ONE_IN: usize = 8;

/// When a vector to which edges were led becomes an entry point.
#[derive(Clone, Copy)]
pub(super) struct Entering {
    /// If such a walk misses it even then,
    far: Walk,
    /// and while there are fewer entry points: each walk looks at all of them, which takes a microsecond for some 500.
    most: usize,
    /// Edges to lost vectors take the places of others, by which other vectors may be lost: all are looked for again so often.
    rounds: usize,
}

/// Of all vectors at once a hundredth or more may be missed by a narrow walk.
pub(super) const AT_BUILD: Entering = Entering { far: Walk::even(64), most: 2048, rounds: 1 };
/// What is added is to be found at once.
pub(super) const ADDED: Entering = Entering { far: SHORTEST, most: 4096, rounds: 3 };

/// Vectors that a thread takes at a time.
const BLOCK: usize = 256;

/// Makes walks find those of the vectors `slots` that they would not find otherwise, because no edge leads to them from where a
/// query for them passes: by edges from the closest vectors, or, where that does not help since these are not found
/// either, by beginning at them.
pub(super) fn reach(
    stored: Stored<'_>,
    links: &mut Links,
    slots: &[u32],
    entering: Entering,
    threads: usize,
) {
    let (space, mut buffers) = (stored.space, EdgeBuffers::default());
    let is_lost = |links: &Links, walker: &mut Walker, slot: u32, far: Walk| {
        let point = stored.points(&[slot]);
        walk_from_entries(space, links, &point, far, NO_FILTER, walker);
        walker.trail.found().all(|(_, found)| found != slot)
    };
    let mut walker = Walker::default();
    for _ in 0..entering.rounds {
        let lost: Vec<Vec<u32>> =
            parallel::map_with(threads, slots.len().div_ceil(BLOCK), Walker::default, |walker, block| {
                let some = &slots[block * BLOCK..slots.len().min((block + 1) * BLOCK)];
                some.iter().copied().filter(|&slot| is_lost(links, walker, slot, SHORTEST)).collect()
            });
        let lost = lost.concat();
        for &slot in &lost {
            // By one that was lost with it it may have been found.
            if !is_lost(links, &mut walker, slot, SHORTEST) {
                continue;
            }
            tether(space.kernels, links, slot, &mut buffers);
            let room = links.entries() < entering.most.min(stored.len() / ONE_IN);
            if room && is_lost(links, &mut walker, slot, entering.far) {
                links.add_entry(space.kernels, slot, &mut buffers);
            }
        }
        if lost.len() < 2 {
            break; // no edge to another one was given up
        }
    }
}

/// Leads edges to a vector from the closest of those beside it, in place of others.
fn tether(kernels: &Kernels, links: &mut Links, slot: u32, buffers: &mut EdgeBuffers) {
    let view = links.view();
    let close = view.near(kernels, slot, view.edges(slot));
    let new: Vec<Leading> = close
        .iter()
        .take(TETHERS)
        .flat_map(|&(square, from)| places(kernels, view, from, &[(square, slot)], true))
        .collect();
    links.lead(kernels, &new, buffers);
}
