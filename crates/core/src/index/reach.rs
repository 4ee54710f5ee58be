//! That a walk can find every vector.

use super::back::{Back, lead_back};
use super::links::{Links, LinksView};
use super::stored::Stored;
use super::walker::{Walker, walk_from_entries};
use crate::filtered::NO_FILTER;
use crate::graph::{EdgeBuffers, SHORTEST, Walk};
use crate::parallel::in_parts;
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

/// Of all vectors at once a hundredth to an eighth is missed by a narrow walk.
pub(super) const AT_BUILD: Entering = Entering { far: Walk::even(64), most: 2048, rounds: 1 };
/// What is added is to be found at once.
pub(super) const ADDED: Entering = Entering { far: SHORTEST, most: 4096, rounds: 3 };

/// Lost vectors to which edges are led at a time. By one that was lost with it another one may have been found, and mostly one that is close to it:
/// so those at a time are far apart in the order in which they come.
const AT_ONCE: usize = 256;

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
    let lost = |links: &Links, slots: &[u32], far: Walk| {
        in_parts(threads, slots, Walker::default, |walker, part| {
            let is_lost = |slot: &u32| {
                walk_from_entries(space, links, &stored.points(&[*slot]), far, NO_FILTER, walker);
                walker.trail.found().all(|(_, found)| found != *slot)
            };
            part.iter().copied().filter(is_lost).collect()
        })
    };
    for _ in 0..entering.rounds {
        let all = lost(links, slots, SHORTEST);
        let turns = all.len().div_ceil(AT_ONCE);
        for turn in 0..turns {
            let some: Vec<u32> = all.iter().skip(turn).step_by(turns).copied().collect();
            let some = if turn == 0 { some } else { lost(links, &some, SHORTEST) };
            let view = links.view();
            let back = in_parts(
                threads,
                &some,
                || (),
                |(), part| part.iter().flat_map(|&slot| tethers(space.kernels, view, slot)).collect(),
            );
            lead_back(space.kernels, links, back, true, threads);
            for slot in lost(links, &some, entering.far) {
                if links.entries() < entering.most.min(stored.len() / ONE_IN) {
                    links.add_entry(space.kernels, slot, &mut buffers);
                }
            }
        }
        if all.len() < 2 {
            break; // no edge to another one was given up
        }
    }
}

/// The closest of those beside a vector, from which edges are to lead to it.
fn tethers(kernels: &Kernels, view: LinksView<'_>, slot: u32) -> Vec<Back> {
    let close = view.near(kernels, slot, view.edges(slot));
    close.into_iter().take(TETHERS).map(|(square, from)| (from, (square, slot))).collect()
}
