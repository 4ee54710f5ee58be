//! A query through the graph.

use super::looks::{cost_of_all, cost_without_graph};
use super::{Buffers, CROWDED, compare, depth};
use crate::filtered::{Filtered, NO_FILTER, Reach};
use crate::graph::Walk;
use crate::index::allowed::Allowed;
use crate::index::costs;
use crate::index::curve::Depth;
use crate::index::options::Effort;
use crate::index::space::Query;
use crate::index::version::{Grown, Linked, Version};
use crate::index::walker::walk_from_entries;

/// Where hardly anything passes near the query, a walk goes on for at most such a share of what it costs to compare all that
/// passes.
const TO_TRY: f64 = 0.25;

/// Searches the graph, where there is one and nothing else costs less; whether that found enough.
pub(super) fn walked(
    version: &Version,
    query: &Query,
    k: usize,
    effort: Effort,
    allowed: Option<&Allowed<'_>>,
    buffers: &mut Buffers,
) -> bool {
    let Some(Grown { store, linked: Some(Linked { links, curve }), .. }) = &version.leaves else {
        return false;
    };
    // As far as it takes for so many neighbours.
    let depth = |neighbours: usize| depth(curve, effort, neighbours, store.len());
    let Some(usual) = depth(k) else { return false };
    let (view, early) = (version.view(), curve.early(usual, k));
    let Buffers { walker, slots, .. } = buffers;
    let (candidates, enough) = match allowed {
        None => {
            let far = Walk { early, ..Walk::even(usual.width) };
            walk_from_entries(&version.space, links, &query.point, far, NO_FILTER, walker);
            walker.trail.cut(usual.candidates);
            (usual.candidates, k)
        }
        Some(allowed) => {
            let share = allowed.count as f64 / version.len as f64;
            let a_node = costs::nodes(links.layout, 1.0);
            let nodes = |depth: Depth| (depth.width as f32 * curve.at_share(share).far).ceil() as usize;
            if a_node * nodes(usual) as f64 >= cost_without_graph(version, k, effort, allowed) {
                return false;
            }
            let most = (cost_of_all(version, Some(allowed)) * TO_TRY / a_node) as usize;
            let passes = |slot: u32| (slot as usize) < view.len && allowed.has(view.id(slot));
            let mut walk = |depth: Depth| {
                let reach = |share: f64| {
                    let more = curve.at_share(share);
                    let far = (depth.width as f32 * more.far).ceil() as usize;
                    Reach { far: far.min(most.max(nodes(depth))), limit: depth.limit + more.limit }
                };
                let far = Walk { early: curve.early(depth, k), ..Walk::even(depth.width) };
                let filter = Some(Filtered { allowed: passes, share, reach });
                walk_from_entries(&version.space, links, &query.point, far, filter, walker);
                walker.trail.sort();
                walker.trail.crowd(k) * share
            };
            let mut last = usual;
            let crowd = walk(usual);
            if crowd > CROWDED
                && let Some(more) = depth((k as f64 * crowd).ceil() as usize)
                && nodes(more) <= most
            {
                last = more;
                walk(more);
            }
            let candidates = (last.candidates as f32 * curve.at_share(share).candidates).ceil() as usize;
            // A walk that met fewer had to end before it could tell how far it is to what passes.
            (candidates, early.map_or(usual.candidates, |early| early.nth).max(k))
        }
    };
    slots.clear();
    let found = walker.trail.found().map(|(_, slot)| slot).filter(|&slot| (slot as usize) < view.len);
    slots.extend(found.take(candidates.max(k)));
    if slots.len() < enough {
        return false;
    }
    compare(version, query, k, buffers);
    true
}
