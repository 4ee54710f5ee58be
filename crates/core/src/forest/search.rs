//! Answers queries, on a file of Annoy's exactly as Annoy 1.17.3 does.
//!
//! 1. *Collect.* A queue of nodes, by priority, then by number, both from the largest; it begins with all roots. A
//!    split's children go into the queue with the worst margin on their path; a bucket's items become candidates.
//!    Until there are `search_k` candidates, where an item found through two trees counts twice.
//! 2. *Rank.* The distance of each candidate, once; the `n` smallest, ties by the smaller id.
//!
//! What takes the time is memory: nodes and items lie all over the file. So both children of a split are fetched while
//! its margin is computed, and the items of the next block while the distances of this one are.

use std::collections::BinaryHeap;

use super::items::Items;
use super::metric::Metric;
use super::space::{BLOCK, Query, Space};
use super::trees::{Place, Trees};
use crate::error::Damage;
use crate::simd;

/// Ids and distances of what was found, closest first; equal distances by the smaller id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbors {
    /// The items.
    pub ids: Vec<u32>,
    /// Their distances, as [`Metric`] reports them.
    pub distances: Vec<f32>,
}

/// When a search has looked at enough: Annoy's `search_k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// As many candidates as are wanted neighbours, for every tree (`search_k = -1`).
    PerTree,
    /// Every item (`search_k < -1`).
    Unlimited,
    /// This many candidates.
    Candidates(usize),
}

/// What a search needs, kept for the next one so that searching allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) encoded: Vec<u32>,
    queue: BinaryHeap<u64>,
    /// A bit for each item that is a candidate.
    seen: Vec<u64>,
    candidates: Vec<u32>,
    best: Vec<u64>,
}

/// A forest, ready to be searched.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) space: Space,
    pub(super) items: &'a Items,
    pub(super) trees: &'a Trees,
}

impl Search<'_> {
    /// The `n` nearest among the candidates; `None`: all of them.
    pub(super) fn nearest(
        &self,
        query: &Query<'_>,
        n: Option<usize>,
        budget: Budget,
        scratch: &mut Scratch,
    ) -> Result<Neighbors, Damage> {
        let n = n.unwrap_or(usize::MAX);
        let budget = match budget {
            Budget::PerTree => n.saturating_mul(self.trees.roots.len()),
            Budget::Unlimited => usize::MAX,
            Budget::Candidates(candidates) => candidates,
        };
        let found = self
            .collect(query, &self.trees.roots, budget, f32::NEG_INFINITY, scratch)
            .and_then(|()| self.rank(query, n, scratch));
        scratch.clear();
        found?;
        self.items.intact()?;
        Ok(self.report(&scratch.best))
    }

    /// Every item within `radius`, a distance as the metric reports it; exact.
    ///
    /// One tree holds every item, and no item beyond a plane is closer than the plane.
    pub(super) fn within(
        &self,
        query: &Query<'_>,
        radius: f32,
        scratch: &mut Scratch,
    ) -> Result<Neighbors, Damage> {
        let Some(root) = self.trees.roots.first() else { return Ok(Neighbors::default()) };
        let floor = -self.reach(query, radius);
        let found = self
            .collect(query, std::slice::from_ref(root), usize::MAX, floor, scratch)
            .and_then(|()| self.rank(query, usize::MAX, scratch));
        scratch.clear();
        found?;
        let mut near = self.report(&scratch.best);
        self.items.intact()?;
        let inside = |&distance: &f32| match self.space.layout.metric {
            Metric::Dot => distance >= radius,
            _ => distance <= radius,
        };
        let kept = near.distances.iter().take_while(|distance| inside(distance)).count();
        near.ids.truncate(kept);
        near.distances.truncate(kept);
        Ok(near)
    }

    /// How far beyond a plane an item may lie that is still within `radius`, with room for rounding; infinite where
    /// planes say nothing about distances.
    fn reach(&self, query: &Query<'_>, radius: f32) -> f32 {
        let length = query.norm().sqrt();
        match self.space.layout.metric {
            // A sum of absolute differences is never below the length of the difference.
            Metric::Euclidean | Metric::Manhattan => radius * 1.001 + (length + radius) * 1e-4,
            // An item at an angle below a quarter turn is at most the angle's sine beyond a plane through 0.
            Metric::Angular if radius < std::f32::consts::SQRT_2 => {
                let half = f64::from(radius.max(0.0)) / 2.0;
                length * ((2.0 * half.asin()).sin() as f32 * 1.001 + 1e-3)
            }
            Metric::Angular | Metric::Hamming | Metric::Dot => f32::INFINITY,
        }
    }

    /// Fills `scratch.candidates`. With a `floor` above minus infinity it stops at nodes below it.
    fn collect(
        &self,
        query: &Query<'_>,
        roots: &[u32],
        budget: usize,
        floor: f32,
        scratch: &mut Scratch,
    ) -> Result<(), Damage> {
        let Self { space, items, trees } = self;
        let queue = &mut scratch.queue;
        scratch.seen.resize(items.len().div_ceil(64), 0);
        for &root in roots {
            queue.push(key(space.first_priority(), root));
        }
        // A sound forest leads to each node once, and twice to a root that has copies.
        let mut steps = 2 * trees.n_nodes() + roots.len();
        let mut found = 0;
        let mut next = queue.pop();
        while found < budget {
            let Some(current) = next else { break };
            let (priority, reference) = unkey(current);
            if priority < floor {
                break;
            }
            match trees.place(reference)? {
                Place::Item(id) => {
                    if space.layout.check_item(items.node(id), id)? {
                        found += candidate(&mut scratch.seen, &mut scratch.candidates, trees, id);
                    }
                    next = queue.pop();
                }
                Place::Bucket(ids) => {
                    for &id in ids {
                        found += candidate(&mut scratch.seen, &mut scratch.candidates, trees, id);
                    }
                    next = queue.pop();
                }
                Place::Split(plane, children) => {
                    steps = steps.checked_sub(1).ok_or_else(Damage::circle)?;
                    self.fetch(children[0]);
                    self.fetch(children[1]);
                    let margin = space.margin(plane, query.words);
                    let [zero, one] = if floor > f32::NEG_INFINITY && blind(space, plane) {
                        [priority; 2]
                    } else {
                        space.sink(priority, margin)
                    };
                    let (zero, one) = (key(zero, children[0]), key(one, children[1]));
                    queue.push(zero.min(one));
                    next = Some(take_larger(queue, zero.max(one)));
                }
            }
        }
        Ok(())
    }

    /// Starts fetching what a reference leads to.
    #[inline]
    fn fetch(&self, reference: u32) {
        if reference < self.trees.n_items {
            simd::prefetch(self.items.node(reference));
        } else {
            self.trees.fetch(reference);
        }
    }

    /// Leaves the `n` smallest of the candidates in `scratch.best`, as keys, ascending.
    fn rank(&self, query: &Query<'_>, n: usize, scratch: &mut Scratch) -> Result<(), Damage> {
        let Self { space, items, .. } = self;
        let Scratch { candidates, best, .. } = scratch;
        best.clear();
        if n == 0 {
            return Ok(());
        }
        // Once twice as many as wanted are there, the larger half goes, and nothing above the rest comes in any more.
        let room = n.saturating_mul(2).max(BLOCK);
        let mut limit = u64::MAX;
        let mut nodes: [&[u32]; BLOCK] = [&[]; BLOCK];
        let mut orders = [0.0; BLOCK];
        let mut living = [0; BLOCK];
        fetch_items(items, &candidates[..candidates.len().min(BLOCK)]);
        for (i, block) in candidates.chunks(BLOCK).enumerate() {
            let rest = candidates.get((i + 1) * BLOCK..).unwrap_or_default();
            fetch_items(items, &rest[..rest.len().min(BLOCK)]);
            let mut len = 0;
            for &id in block {
                let node = items.node(id);
                if space.layout.check_item(node, id)? {
                    (nodes[len], living[len]) = (node, id);
                    len += 1;
                }
            }
            space.orders(query, &nodes[..len], &mut orders[..len]);
            for (&order, &id) in orders[..len].iter().zip(&living) {
                let key = key(order, id);
                if key < limit {
                    best.push(key);
                }
            }
            if best.len() >= room {
                best.select_nth_unstable(n - 1);
                best.truncate(n);
                limit = best[n - 1];
            }
        }
        best.sort_unstable();
        best.truncate(n);
        Ok(())
    }

    fn report(&self, best: &[u64]) -> Neighbors {
        let metric = self.space.layout.metric;
        let (mut ids, mut distances) = (Vec::with_capacity(best.len()), Vec::with_capacity(best.len()));
        for &key in best {
            let (order, id) = unkey(key);
            ids.push(id);
            distances.push(metric.reported(order));
        }
        Neighbors { ids, distances }
    }
}

impl Scratch {
    /// Leaves everything empty, and every bit of `seen` clear, for a forest of any size.
    fn clear(&mut self) {
        for &id in &self.candidates {
            self.seen[id as usize / 64] = 0;
        }
        self.candidates.clear();
        self.queue.clear();
    }
}

/// Makes an item a candidate unless it is one; returns what it takes from the budget.
#[inline]
fn candidate(seen: &mut [u64], candidates: &mut Vec<u32>, trees: &Trees, id: u32) -> usize {
    if !trees.deleted.is_empty() && trees.deleted.contains(&id) {
        return 0;
    }
    let Some(word) = seen.get_mut(id as usize / 64) else { return 1 };
    let bit = 1 << (id % 64);
    if *word & bit == 0 {
        *word |= bit;
        candidates.push(id);
    }
    1
}

fn fetch_items(items: &Items, ids: &[u32]) {
    for &id in ids {
        simd::prefetch_many(items.node(id));
    }
}

/// Whether a plane says nothing about where its items lie.
fn blind(space: &Space, plane: &[u32]) -> bool {
    space.layout.floats(plane).iter().all(|&value| value == 0.0)
}

/// The larger of `key` and the head of the queue; the other one stays in the queue.
#[inline]
fn take_larger(queue: &mut BinaryHeap<u64>, key: u64) -> u64 {
    match queue.peek_mut() {
        Some(mut head) if *head > key => std::mem::replace(&mut *head, key),
        _ => key,
    }
}

/// A value and a number as one integer that orders as the pair does.
#[inline]
fn key(value: f32, number: u32) -> u64 {
    let bits = (value + 0.0).to_bits(); // -0 becomes 0: they are equal
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | u64::from(number)
}

#[inline]
fn unkey(key: u64) -> (f32, u32) {
    let ordered = (key >> 32) as u32;
    let bits = if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered };
    (f32::from_bits(bits), key as u32)
}
