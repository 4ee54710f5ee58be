//! A query on one version of an index.

use std::cell::RefCell;

use super::exact;
use super::space::Query;
use super::version::Version;
use crate::leaves::{Filtered, Probe, Scratch, key, number, probe};

use super::options::Effort;

/// Slots that a search may return.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    bits: Vec<u64>,
    /// How many there are.
    pub(super) count: usize,
}

impl Allowed {
    pub(super) fn none(slots: usize) -> Self {
        Self { bits: vec![0; slots.div_ceil(64)], count: 0 }
    }

    pub(super) fn has(&self, slot: u32) -> bool {
        self.bits.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    pub(super) fn put(&mut self, slot: u32) {
        let word = &mut self.bits[slot as usize / 64];
        self.count += usize::from(*word >> (slot % 64) & 1 == 0);
        *word |= 1 << (slot % 64);
    }

    pub(super) fn take(&mut self, slot: u32) {
        if let Some(word) = self.bits.get_mut(slot as usize / 64) {
            self.count -= usize::from(*word >> (slot % 64) & 1 == 1);
            *word &= !(1 << (slot % 64));
        }
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let ones = |(i, &word): (usize, &u64)| {
            std::iter::successors((word != 0).then_some(word), |rest| {
                Some(rest & (rest - 1)).filter(|&rest| rest != 0)
            })
            .map(move |rest| i as u32 * 64 + rest.trailing_zeros())
        };
        self.bits.iter().enumerate().flat_map(ones)
    }
}

/// Buffers of a thread.
#[derive(Default)]
struct Buffers {
    probe: Scratch,
    /// The slots that came last, by a hash.
    seen: Vec<u32>,
    slots: Vec<u32>,
    keys: Vec<u64>,
    hits: Vec<(f32, u64)>,
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
/// Under a filter so many times as many leaves are ranked, since the closest ones may hold nothing that passes.
const RANKED_MORE: usize = 2;

/// Calls `sink` with the hits of `query`, closest first: distance and id.
pub(super) fn search(
    version: &Version,
    query: &Query,
    k: usize,
    effort: Effort,
    allowed: Option<&Allowed>,
    sink: impl FnMut(f32, u64),
) {
    BUFFERS.with_borrow_mut(|buffers| {
        let Buffers { probe: scratch, seen, slots, keys, hits } = buffers;
        slots.clear();
        hits.clear();
        let k = k.min(version.len);
        if k == 0 {
            return;
        }
        let view = version.view();
        match plan(version, k, effort, allowed) {
            Some(effort) => {
                let Some(grown) = &version.leaves else { return };
                let coded = grown.store.coded(&version.space);
                let leaves = grown.store.view();
                let filter = || {
                    allowed.map(|allowed| Filtered { allowed: |slot| allowed.has(slot), more: effort.leaves })
                };
                let everywhere = Probe { leaves: grown.store.len(), ..effort };
                let more = if allowed.is_some() { RANKED_MORE } else { 1 };
                let first = Probe { leaves: effort.leaves * more, ..effort };
                probe(coded, &leaves, &query.point, first, filter(), scratch);
                if !scratch.was_enough() {
                    probe(coded, &leaves, &query.point, everywhere, filter(), scratch);
                }
                different(scratch.found(), view.len, seen, slots);
                if slots.len() < k.min(allowed.map_or(k, |allowed| allowed.count)) {
                    // Such as leaves that lost most of their vectors.
                    probe(coded, &leaves, &query.point, everywhere, filter(), scratch);
                    different(scratch.found(), view.len, seen, slots);
                }
            }
            None => match allowed {
                Some(allowed) => slots.extend(allowed.slots()),
                None => slots.extend(view.living().map(|(slot, _)| slot)),
            },
        }
        keys.clear();
        exact::ranks(&version.space, view, slots, query, |rank, slot| keys.push(key(rank, slot)));
        // A candidate may have come twice, from its two leaves.
        let wanted = 2 * k;
        if keys.len() > wanted {
            keys.select_nth_unstable(wanted);
            let limit = keys[wanted] >> 32;
            keys.retain(|key| key >> 32 <= limit); // with all that are as far away: ties go by id
        }
        hits.extend(keys.iter().map(|&key| (crate::leaves::estimate(key), view.id(number(key)))));
        hits.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        hits.dedup_by_key(|hit| hit.1);
        let mut sink = sink;
        hits.iter().take(k).for_each(|&(rank, id)| sink(version.space.distance(rank), id));
    });
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

/// How far to look; `None` to compare all.
fn plan(version: &Version, k: usize, effort: Effort, allowed: Option<&Allowed>) -> Option<Probe> {
    let grown = version.leaves.as_ref()?;
    let n_leaves = grown.store.len();
    let mut probe = match effort {
        Effort::Exact => return None,
        Effort::Ef(ef) => grown.curve.at_ef(ef, k),
        Effort::Recall(recall) if recall >= 1.0 => return None,
        Effort::Recall(recall) => grown.curve.at_recall(recall, k, n_leaves),
    };
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
