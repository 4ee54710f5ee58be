//! A query through the leaves.

use super::{Asked, Buffers, CROWDED, compare};
use crate::filtered::{Filtered, NO_FILTER};
use crate::index::allowed::is_set;
use crate::index::costs;
use crate::index::version::Grown;
use crate::leaves::{Probe, Scratch, probe};

/// Places for slots that were seen; a power of two.
const SEEN: usize = 2048;
/// 2^32 divided by the golden ratio: multiplied by it, numbers that are close fall into places that are not.
const SPREAD: u32 = 0x9E37_79B9;

/// When a filter takes less than this share of all vectors, these are compared one by one.
const LEAST_LOOKED_INTO: f64 = 0.015;
/// Leaves are ranked first for when so much smaller a share of the vectors close to a query passes a filter than of all.
const LESS_NEARBY: f64 = 0.6;
/// Where even less passes than this, what passes lies far away, in no leaf more than in another, and the estimates of all of it are
/// alike: then all that passes is compared.
const RARE_NEARBY: f64 = 0.3;

/// Looks into the closest leaves, where that costs less than to compare everything; whether that found enough.
pub(super) fn looked_into(asked: Asked<'_>, buffers: &mut Buffers) -> bool {
    let Asked { version, query, k, allowed, .. } = asked;
    let Some((plan, Grown { store, curve, .. })) = plan(asked).zip(version.leaves.as_ref()) else {
        return false;
    };
    if plan.cost >= cost_of_all(asked) {
        return false;
    }
    let view = version.view();
    let share = allowed.map(|allowed| allowed.share(version));
    let passes = |slot| (slot as usize) < view.len && allowed.is_some_and(|it| it.has(view.id(slot)));
    let mask = allowed.and_then(|it| it.mask_of_slots(view));
    let look = |effort: Probe, nearby: f64, scratch: &mut Scratch| {
        let limit = effort.early.map_or(f32::INFINITY, |early| early.limit);
        let reach = |share| curve.reach(effort.leaves, limit, share);
        let leaves = share.map_or(effort.leaves, |share| reach(share * nearby).far.min(store.len()));
        let effort = Probe { leaves, ..effort };
        let (coded, all, point) = (store.coded(&version.space), store.view(), &query.point);
        match (share, mask) {
            (None, _) => probe(coded, &all, point, effort, NO_FILTER, scratch),
            // Most of the time goes into asking: it is worth a loop of its own.
            (Some(share), Some(mask)) => {
                let allowed = |slot| is_set(mask, u64::from(slot));
                probe(coded, &all, point, effort, Some(Filtered { allowed, share, reach }), scratch)
            }
            (Some(share), None) => {
                probe(coded, &all, point, effort, Some(Filtered { allowed: passes, share, reach }), scratch)
            }
        };
        // Most come twice, from their two leaves.
        let crowd = share.map_or(1.0, |share| scratch.crowd(2 * k) * share);
        (scratch.was_enough(), crowd)
    };
    let (mut enough, mut crowd) = look(plan.probe, LESS_NEARBY, &mut buffers.probe);
    if !enough {
        (enough, crowd) = look(plan.probe, RARE_NEARBY, &mut buffers.probe);
    }
    let mut effort = plan.probe;
    if enough && crowd > CROWDED {
        // The closest that pass are as far away as the k·crowd closest of all.
        let more = |part: usize, power: f64| (part as f64 * crowd.powf(power)).ceil() as usize;
        let (leaves, candidates) = (more(effort.leaves, 0.5), more(effort.candidates, 1.0));
        effort = Probe { leaves, candidates, early: None };
        enough = look(effort, RARE_NEARBY, &mut buffers.probe).0;
    }
    let wanted = k.min(allowed.map_or(k, |allowed| allowed.count));
    while enough {
        different(buffers.probe.found(), view.len, &mut buffers.seen, &mut buffers.slots);
        compare(asked, buffers);
        if buffers.hits.len() >= wanted {
            return true;
        }
        if effort.leaves >= store.len() {
            return false;
        }
        // Fewer come out of leaves of vectors that lie alone, of such as lost most of theirs, and where all come twice.
        effort = Probe { leaves: 2 * effort.leaves, candidates: 2 * effort.candidates, early: None };
        enough = look(effort, RARE_NEARBY, &mut buffers.probe).0;
    }
    false
}

/// How far to look in the leaves, and about what that costs.
struct Plan {
    probe: Probe,
    cost: f64,
}

/// `None` where all that is allowed is to be compared in any case.
fn plan(asked: Asked<'_>) -> Option<Plan> {
    let Asked { version, k, allowed, .. } = asked;
    let grown = version.leaves.as_ref()?;
    let n_leaves = grown.store.len();
    let depth = asked.depth(&grown.curve, k, n_leaves)?;
    let mut probe =
        Probe { leaves: depth.leaves, candidates: depth.candidates, early: grown.curve.early(depth, k) };
    if allowed.is_some_and(|allowed| allowed.count <= 2 * k) {
        return None;
    }
    probe.leaves = probe.leaves.min(n_leaves);
    let share = allowed.map_or(1.0, |allowed| allowed.share(version));
    if share < LEAST_LOOKED_INTO {
        return None;
    }
    let more = grown.curve.at_share(share);
    // A vector may come twice, from its two leaves.
    probe.candidates = ((probe.candidates as f32 * more.candidates).ceil() as usize).max(2 * k);
    let leaves = ((probe.leaves as f32 * more.far).ceil() as usize).min(n_leaves);
    let cost =
        costs::leaves(&grown.store, leaves as f64) + costs::candidates(&version.space, probe.candidates);
    Some(Plan { probe, cost })
}

/// About what it costs to compare all that is allowed.
pub(super) fn cost_of_all(Asked { version, allowed, .. }: Asked<'_>) -> f64 {
    costs::all(&version.space, allowed.map_or(version.len, |allowed| allowed.count))
}

/// About what a search costs that makes no use of a graph.
pub(super) fn cost_without_graph(asked: Asked<'_>) -> f64 {
    let all = cost_of_all(asked);
    plan(asked).map_or(all, |plan| plan.cost.min(all))
}

/// The slots of what was found, each once, or nearly so.
fn different(found: &[(f32, u32)], len: usize, seen: &mut Vec<u32>, slots: &mut Vec<u32>) {
    seen.clear();
    seen.resize(SEEN, u32::MAX);
    slots.clear();
    for &(_, slot) in found {
        // One that pushes another out of its place here lets that come again.
        let here = &mut seen[slot.wrapping_mul(SPREAD) as usize >> (u32::BITS - SEEN.ilog2())];
        // In a damaged file a leaf may name a vector that is not there.
        if *here != slot && (slot as usize) < len {
            slots.push(slot);
        }
        *here = slot;
    }
}
