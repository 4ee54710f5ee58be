//! A query through the graph.

use super::looks::{cost_of_all, cost_without_graph};
use super::{Asked, Buffers, CROWDED, compare};
use crate::filtered::{Filtered, NO_FILTER, Reach};
use crate::graph::Walk;
use crate::index::allowed::Allowed;
use crate::index::costs;
use crate::index::curve::Depth;
use crate::index::version::{Grown, Linked};
use crate::index::walker::{Walker, walk_from_entries};

/// Where hardly anything passes near the query, a walk goes on for at most such a share of what it costs to compare all that
/// passes.
const TO_TRY: f64 = 0.25;

/// Searches the graph, where there is one and nothing else costs less; whether that found enough.
pub(super) fn walked(asked: Asked<'_>, buffers: &mut Buffers) -> bool {
    let Some(Grown { store, linked: Some(linked), .. }) = &asked.version.leaves else { return false };
    let Some(depth) = asked.depth(&linked.curve, asked.k, store.len()) else { return false };
    let Buffers { walker, slots, .. } = buffers;
    let candidates = match asked.allowed {
        None => Some(walk_to_any(asked, linked, depth, walker)),
        Some(allowed) => walk_to_some(asked, allowed, linked, depth, store.len(), walker),
    };
    let Some(candidates) = candidates else { return false };
    let len = asked.version.view().len;
    slots.clear();
    // In a damaged file an edge may name a vector that is not there.
    let found = walker.trail.found().map(|(_, slot)| slot).filter(|&slot| (slot as usize) < len);
    slots.extend(found.take(candidates));
    if slots.len() < asked.k {
        return false;
    }
    compare(asked, buffers);
    true
}

/// Walks where everything may be found; how many of what was found are candidates.
fn walk_to_any(asked: Asked<'_>, linked: &Linked, depth: Depth, walker: &mut Walker) -> usize {
    let Asked { version, query, k, .. } = asked;
    let Linked { links, curve } = linked;
    let far = Walk { early: curve.early(depth, k), ..Walk::even(depth.width) };
    walk_from_entries(&version.space, links, &query.point, far, NO_FILTER, walker);
    walker.trail.cut(depth.candidates);
    depth.candidates
}

/// Walks under a filter; how many of what was found, closest first, are candidates. `None` where another way costs less, or where it
/// did not find enough to tell how far it is to what passes.
fn walk_to_some(
    asked: Asked<'_>,
    allowed: &Allowed<'_>,
    linked: &Linked,
    depth: Depth,
    leaves: usize,
    walker: &mut Walker,
) -> Option<usize> {
    let Asked { version, query, k, .. } = asked;
    let Linked { links, curve } = linked;
    let (view, share) = (version.view(), allowed.share(version));
    let node = costs::nodes(links.layout, 1.0);
    let nodes = |depth: Depth| curve.reach(depth.width, depth.limit, share).far;
    if node * nodes(depth) as f64 >= cost_without_graph(asked) {
        return None;
    }
    let most = (cost_of_all(asked) * TO_TRY / node) as usize;
    let passes = |slot: u32| (slot as usize) < view.len && allowed.has(view.id(slot));
    let mut walk = |depth: Depth| {
        let most = most.max(nodes(depth));
        let reach = |share| {
            let Reach { far, limit } = curve.reach(depth.width, depth.limit, share);
            Reach { far: far.min(most), limit }
        };
        let far = Walk { early: curve.early(depth, k), ..Walk::even(depth.width) };
        let filter = Some(Filtered { allowed: passes, share, reach });
        walk_from_entries(&version.space, links, &query.point, far, filter, walker);
        walker.trail.sort();
        walker.trail.crowd(k) * share
    };
    let mut last = depth;
    let crowd = walk(depth);
    if crowd > CROWDED {
        last = asked.depth(curve, (k as f64 * crowd).ceil() as usize, leaves)?;
        if nodes(last) > most {
            return None;
        }
        walk(last);
    }
    let candidates = (last.candidates as f32 * curve.at_share(share).candidates).ceil() as usize;
    let enough = curve.early(last, k).map_or(depth.candidates, |early| early.nth);
    (walker.trail.found().len() >= enough).then_some(candidates.max(k))
}
