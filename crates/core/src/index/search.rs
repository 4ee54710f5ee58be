//! A query on one version of an index.

use std::cell::RefCell;

use super::allowed::{Allowed, is_set};
use super::costs;
use super::curve::{Curve, Depth};
use super::exact;
use super::options::Effort;
use super::space::Query;
use super::version::{Grown, Linked, Version};
use super::walker::{Walker, walk_from_entries};
use crate::graph::Walk;
use crate::keep::{estimate, key, number};
use crate::leaves::{Filtered, NO_FILTER, Probe, Reach, Scratch, probe};
use crate::sync;

/// Buffers of a thread.
#[derive(Default)]
struct Buffers {
    walker: Walker,
    probe: Scratch,
    /// The slots that came last, by a hash.
    seen: Vec<u32>,
    slots: Vec<u32>,
    keys: Vec<u64>,
    hits: Vec<(f32, u64)>,
}

impl Buffers {
    /// Gives back what only a comparison with all vectors needed: a thread keeps its buffers for as long as it lives.
    fn shrink(&mut self) {
        const MOST: usize = 1 << 16;
        self.slots.truncate(MOST);
        self.slots.shrink_to(MOST);
        self.keys.truncate(MOST);
        self.keys.shrink_to(MOST);
        self.hits.truncate(MOST);
        self.hits.shrink_to(MOST);
    }
}

/// Places for slots that were seen; a power of two.
const SEEN: usize = 2048;
/// 2^32 divided by the golden ratio: multiplied by it, numbers that are close fall into places that are not.
const SPREAD: u32 = 0x9E37_79B9;

sync::thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// A filter that takes less than this share of all vectors is answered by leaves.
const LEAST_WALKED: f64 = 0.3;
/// When a filter takes less than this share of all vectors, these are compared one by one.
const LEAST_LOOKED_INTO: f64 = 0.015;
/// Leaves are ranked first for when so much smaller a share of the vectors close to a query passes a filter than of all.
const LESS_NEARBY: f64 = 0.6;
/// Where even less passes than this, what passes lies far away, in no leaf more than in another, and the estimates of all of it are
/// alike: then all that passes is compared.
const RARE_NEARBY: f64 = 0.3;

/// Calls `sink` with the hits of `query`, closest first: distance and id.
pub(super) fn search(
    version: &Version,
    query: &Query,
    k: usize,
    effort: Effort,
    allowed: Option<&Allowed<'_>>,
    mut sink: impl FnMut(f32, u64),
) {
    BUFFERS.with(|buffers| {
        let buffers = &mut *buffers.borrow_mut();
        let k = k.min(version.len);
        if k == 0 {
            return;
        }
        let found = walked(version, query, k, effort, allowed, buffers)
            || looked_into(version, query, k, effort, allowed, buffers);
        if !found {
            buffers.slots.clear();
            match allowed {
                Some(allowed) => allowed.slots(version, &mut buffers.slots),
                None => buffers.slots.extend(version.view().living().map(|(slot, _)| slot)),
            }
            compare(version, query, k, buffers);
        }
        buffers.hits.iter().take(k).for_each(|&(rank, id)| sink(version.space.distance(rank), id));
        buffers.shrink();
    });
}

/// Where a filter refuses so many times as much of what is closest as it refuses elsewhere, such as all that a user has seen,
/// the search is repeated for as many neighbours more.
const CROWDED: f64 = 2.5;

/// Searches the graph, where there is one and most vectors pass; whether that found enough.
fn walked(
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
    let Some(mut depth) = depth(curve, effort, k, store.len()) else { return false };
    if let Some(allowed) = allowed {
        let share = allowed.count as f64 / version.len as f64;
        if share < LEAST_WALKED {
            return false;
        }
        // So many more that what passes is more than it would be without a filter: it lies farther apart.
        let more = |part: usize, power: f64| (part as f64 * share.powf(-power)).ceil() as usize;
        (depth.width, depth.candidates) = (more(depth.width, 1.5), more(depth.candidates, 1.0));
    }
    let view = version.view();
    let Buffers { walker, slots, .. } = buffers;
    let early = curve.early(depth, k).filter(|_| allowed.is_none());
    let far = Walk { early, ..Walk::even(depth.width) };
    walk_from_entries(&version.space, links, &query.point, far, walker);
    match allowed {
        None => walker.trail.cut(depth.candidates),
        Some(_) => walker.trail.sort(),
    }
    let passes =
        |slot: &u32| (*slot as usize) < view.len && allowed.is_none_or(|allowed| allowed.has(view.id(*slot)));
    slots.clear();
    slots.extend(walker.trail.found().map(|(_, slot)| slot).filter(passes).take(depth.candidates));
    // Fewer under a filter means that it takes what is far from the query.
    let enough = if allowed.is_some() { depth.candidates.max(k) } else { k };
    if slots.len() < enough {
        return false;
    }
    compare(version, query, k, buffers);
    true
}

/// Looks into the closest leaves, where that costs less than to compare everything; whether that found enough.
fn looked_into(
    version: &Version,
    query: &Query,
    k: usize,
    effort: Effort,
    allowed: Option<&Allowed<'_>>,
    buffers: &mut Buffers,
) -> bool {
    let Some((effort, Grown { store, curve, .. })) =
        plan(version, k, effort, allowed).zip(version.leaves.as_ref())
    else {
        return false;
    };
    let view = version.view();
    let share = allowed.map(|allowed| allowed.count as f64 / version.len as f64);
    let passes = |slot| (slot as usize) < view.len && allowed.is_some_and(|it| it.has(view.id(slot)));
    let mask = allowed.and_then(|it| it.mask_of_slots(view));
    let look = |effort: Probe, nearby: f64, scratch: &mut Scratch| {
        let limit = effort.early.map_or(f32::INFINITY, |early| early.limit);
        let reach = |share| {
            let more = curve.at_share(share);
            let leaves = (effort.leaves as f32 * more.leaves).ceil() as usize;
            Reach { leaves, limit: limit + more.limit }
        };
        let ranked = share.map_or(0, |share| reach(share * nearby).leaves.min(store.len()));
        let (coded, all, point) = (store.coded(&version.space), store.view(), &query.point);
        match (share, mask) {
            (None, _) => probe(coded, &all, point, effort, NO_FILTER, scratch),
            // Most of the time goes into asking: it is worth a loop of its own.
            (Some(share), Some(mask)) => {
                let allowed = |slot| is_set(mask, u64::from(slot));
                probe(coded, &all, point, effort, Some(Filtered { allowed, share, ranked, reach }), scratch)
            }
            (Some(share), None) => probe(
                coded,
                &all,
                point,
                effort,
                Some(Filtered { allowed: passes, share, ranked, reach }),
                scratch,
            ),
        };
        // Most come twice, from their two leaves.
        let crowd = share.map_or(1.0, |share| scratch.crowd(2 * k) * share);
        (scratch.was_enough(), crowd)
    };
    let (mut enough, mut crowd) = look(effort, LESS_NEARBY, &mut buffers.probe);
    if !enough {
        (enough, crowd) = look(effort, RARE_NEARBY, &mut buffers.probe);
    }
    let mut effort = effort;
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
        compare(version, query, k, buffers);
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

/// Compares the vectors in `slots` exactly: the `k` closest, and no fewer, become the hits, closest first.
fn compare(version: &Version, query: &Query, k: usize, buffers: &mut Buffers) {
    let Buffers { slots, keys, hits, .. } = buffers;
    let view = version.view();
    keys.clear();
    exact::ranks(&version.space, view, slots, query, |rank, slot| keys.push(key(rank, slot)));
    // A candidate may have come twice, from its two leaves.
    let wanted = 2 * k;
    if keys.len() > wanted {
        keys.select_nth_unstable(wanted);
        let limit = keys[wanted] >> 32;
        keys.retain(|key| key >> 32 <= limit); // with all that are as far away: ties go by id
    }
    hits.clear();
    hits.extend(keys.iter().map(|&key| (estimate(key), view.id(number(key)))));
    hits.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    hits.dedup_by_key(|hit| hit.1);
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

/// How far `effort` goes by a curve; `None` for all the way.
fn depth(curve: &Curve, effort: Effort, k: usize, leaves: usize) -> Option<Depth> {
    match effort {
        Effort::Ef(ef) => Some(curve.at_ef(ef, k)),
        Effort::Recall(recall) if recall < 1.0 => Some(curve.at_recall(recall, k, leaves)),
        Effort::Exact | Effort::Recall(_) => None,
    }
}

/// How far to look in the leaves; `None` to compare all.
fn plan(version: &Version, k: usize, effort: Effort, allowed: Option<&Allowed<'_>>) -> Option<Probe> {
    let grown = version.leaves.as_ref()?;
    let n_leaves = grown.store.len();
    let depth = depth(&grown.curve, effort, k, n_leaves)?;
    let mut probe =
        Probe { leaves: depth.leaves, candidates: depth.candidates, early: grown.curve.early(depth, k) };
    if allowed.is_some_and(|allowed| allowed.count <= 2 * k) {
        return None;
    }
    probe.leaves = probe.leaves.min(n_leaves);
    let all = allowed.map_or(version.len, |allowed| allowed.count);
    let share = all as f64 / version.len as f64;
    if share < LEAST_LOOKED_INTO {
        return None;
    }
    let more = grown.curve.at_share(share);
    // A vector may come twice, from its two leaves.
    probe.candidates = ((probe.candidates as f32 * more.candidates).ceil() as usize).max(2 * k);
    let leaves = ((probe.leaves as f32 * more.leaves).ceil() as usize).min(n_leaves);
    let space = &version.space;
    let cost = costs::leaves(&grown.store, leaves as f64) + costs::candidates(space, probe.candidates);
    (cost < costs::candidates(space, all)).then_some(probe)
}
