//! That a walk can find every vector.

use super::links::Links;
use super::stored::Stored;
use super::walker::{Walker, walk_from_entries};
use crate::graph::Bench;
use crate::parallel;

/// How wide a walk is that has to find a vector again, and one in how many may be beside an entry point.
const NARROW: usize = 16;
const MOST_ENTRIES: usize = 8;
/// Vectors that a thread takes at a time.
const BLOCK: usize = 256;

/// Lets walks begin at those of the vectors `slots` that they would not find otherwise: where vectors lie apart from all others,
/// nobody that a query for them passes may have room for an edge to them.
pub(super) fn reach(stored: Stored<'_>, links: &mut Links, slots: &[u32], threads: usize) {
    let (space, mut bench) = (stored.space, Bench::default());
    let is_lost = |links: &Links, walker: &mut Walker, slot: u32| {
        let point = stored.points(&[slot]);
        walk_from_entries(space, links, &point, NARROW, None, walker);
        walker.trail.found().all(|(_, found)| found != slot)
    };
    let lost: Vec<Vec<u32>> =
        parallel::map_with(threads, slots.len().div_ceil(BLOCK), Walker::default, |walker, block| {
            let some = &slots[block * BLOCK..slots.len().min((block + 1) * BLOCK)];
            some.iter().copied().filter(|&slot| is_lost(links, walker, slot)).collect()
        });
    let mut walker = Walker::default();
    for slot in lost.concat() {
        // By one that was lost with it it may have been found.
        if is_lost(links, &mut walker, slot) && links.entries() < stored.len() / MOST_ENTRIES {
            links.add_entry(space.kernels, slot, &mut bench);
        }
    }
}
