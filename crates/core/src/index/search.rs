//! A query on one version of an index.

use std::cell::RefCell;

use super::allowed::Allowed;
use super::curve::{Curve, Depth};
use super::exact;
use super::options::Effort;
use super::space::Query;
use super::version::{Grown, Linked, Version};
use super::walker::{Walker, walk_from_leaves};
use crate::leaves::{Filtered, Probe, estimate, key, number, probe};

/// Buffers of a thread.
#[derive(Default)]
struct Buffers {
    walker: Walker,
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

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// What [`Allowed`] vectors cost in a scan of all of them against one that is met in a leaf, which is compared in its
/// short form.
const EXACT_COST: usize = 4;
/// A filter that takes less than this share of all vectors is answered by leaves.
const LEAST_WALKED: f64 = 0.3;
/// Under a filter so many times as many leaves are ranked as are looked into at most when all pass.
const RANKED_MORE: usize = 2;

/// Calls `sink` with the hits of `query`, closest first: distance and id.
pub(super) fn search(
    version: &Version,
    query: &Query,
    k: usize,
    effort: Effort,
    allowed: Option<&Allowed<'_>>,
    mut sink: impl FnMut(f32, u64),
) {
    BUFFERS.with_borrow_mut(|buffers| {
        let k = k.min(version.len);
        if k == 0 {
            return;
        }
        let view = version.view();
        if walked(version, query, k, effort, allowed, buffers) {
            buffers.hits.iter().take(k).for_each(|&(rank, id)| sink(version.space.distance(rank), id));
            return;
        }
        let leaves = plan(version, k, effort, allowed).zip(version.leaves.as_ref());
        if let Some((effort, Grown { store, .. })) = leaves {
            // Under a filter more leaves are ranked than looked into, since the closest ones may hold nothing that passes.
            let more = if allowed.is_some() { RANKED_MORE } else { 1 };
            let everywhere = store.len();
            for leaves in [effort.leaves * more, everywhere] {
                let passes =
                    |slot| (slot as usize) < view.len && allowed.is_some_and(|it| it.has(view.id(slot)));
                let filter = allowed.map(|_| Filtered { allowed: passes, more: effort.leaves });
                let Buffers { walker, seen, slots, .. } = buffers;
                let scratch = &mut walker.probe;
                let effort = Probe { leaves, ..effort };
                probe(store.coded(&version.space), &store.view(), &query.point, effort, filter, scratch);
                different(scratch.found(), view.len, seen, slots);
                if leaves < everywhere && !scratch.was_enough() {
                    continue;
                }
                compare(version, query, k, buffers);
                if buffers.hits.len() >= k.min(allowed.map_or(k, |allowed| allowed.count)) {
                    break;
                }
                // Such as leaves that lost most of their vectors: once more, everywhere.
            }
        } else {
            buffers.slots.clear();
            match allowed {
                Some(allowed) => allowed.slots(version, &mut buffers.slots),
                None => buffers.slots.extend(view.living().map(|(slot, _)| slot)),
            }
            compare(version, query, k, buffers);
        }
        buffers.hits.iter().take(k).for_each(|&(rank, id)| sink(version.space.distance(rank), id));
        buffers.shrink();
    });
}

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
        depth.width = (depth.width as f64 / share).ceil() as usize;
    }
    let view = version.view();
    let Buffers { walker, slots, .. } = buffers;
    walk_from_leaves(&version.space, store, links, &query.point, depth, None, walker);
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
    let mut probe = Probe { leaves: depth.leaves, candidates: depth.candidates };
    if let Some(allowed) = allowed {
        // The k closest of a tenth are about the 10 k closest of all; see `Curve::at_recall`.
        let share = version.len as f64 / allowed.count.max(1) as f64;
        probe.leaves = (probe.leaves as f64 * share.sqrt()).ceil() as usize;
        if allowed.count <= 2 * k {
            return None;
        }
    }
    probe.leaves = probe.leaves.min(n_leaves);
    // A vector may come twice, from its two leaves.
    probe.candidates = probe.candidates.max(2 * k);
    // What a leaf holds, twice over for the two homes of each vector.
    let scanned = probe.leaves * 2 * version.len / n_leaves.max(1);
    let all = allowed.map_or(version.len, |allowed| allowed.count);
    (all * EXACT_COST > scanned + probe.candidates * EXACT_COST).then_some(probe)
}
