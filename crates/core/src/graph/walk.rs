//! The search from node to node: best first, as far as a pool of a given width reaches.
//!
//! The method is that of Malkov and Yashunin (*Hierarchical navigable small world graphs*, 2016, algorithm 2) on one layer:
//! the start is what a look into a few leaves found. Estimates by codes take the place of distances.

use bytemuck::{cast_slice, cast_slice_mut};

use super::node::Layout;
use super::pool::Pool;
use super::seen::Seen;
use crate::quant::Table;
use crate::simd::{self, Kernels, Lines};

/// Where the nodes lie.
pub(crate) trait Nodes {
    /// A node; `None` for a number that no node has.
    fn node(&self, number: u32) -> Option<&[u32]>;
    /// A node to be fetched into the cache and not to be read; empty for a number that no node has.
    fn to_fetch(&self, number: u32) -> &[u32];
    /// One more than the largest number.
    fn len(&self) -> usize;
}

/// A query, ready to be compared with nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) kernels: &'static Kernels,
    pub(crate) layout: Layout,
    pub(crate) table: &'a Table,
    /// For each group what its centre adds to an estimate.
    pub(crate) bases: &'a [f32],
}

/// Nodes whose edges are followed at a time: those that they lead to come from memory side by side. A walk with two met
/// few nodes more than with one, and took 6 to 9 % less time at the same recall.
const FOLLOWED: usize = 2;
/// Nodes that are compared at a time.
const AT_ONCE: usize = 32;

/// Buffers of a walk.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// The table, filled up to whole chunks.
    table: Lines,
    seen: Seen,
    pool: Pool,
    now: Vec<u32>,
    next: Vec<u32>,
    looked: usize,
}

impl Trail {
    /// What [`walk`] found last, best first, with estimates.
    pub(crate) fn found(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.pool.kept()
    }

    /// How many nodes the last walk compared.
    pub(crate) fn looked(&self) -> usize {
        self.looked
    }

    fn start(&mut self, nodes: usize, table: &Table, width: usize) {
        let addends = table.addends();
        self.table.reset((addends.len() / 16).next_multiple_of(simd::CHUNK) * 4);
        let padded: &mut [u8] = cast_slice_mut(&mut self.table);
        padded[..addends.len()].copy_from_slice(addends);
        padded[addends.len()..].fill(0);
        self.seen.start(nodes);
        self.pool.start(width);
        self.now.clear();
        self.looked = 0;
    }
}

/// Walks from `seeds` to the nodes that `asked` is closest to, and keeps the best `width` of all that it meets in `trail`.
/// It passes by the node `passed`, if there is one.
pub(crate) fn walk(
    asked: Asked<'_>,
    nodes: &impl Nodes,
    seeds: &[u32],
    width: usize,
    passed: Option<u32>,
    trail: &mut Trail,
) {
    trail.start(nodes.len(), asked.table, width);
    let Trail { table, seen, pool, now, next, looked } = trail;
    let table: &[u8] = &cast_slice(table)[..asked.layout.table_bytes()];
    seen.meet(passed.as_slice(), now);
    now.clear();
    seen.meet(seeds, now);
    loop {
        // What these lead to is on its way while what the last ones led to is compared.
        next.clear();
        let mut followed = 0;
        while followed < FOLLOWED
            && let Some(number) = pool.pop()
        {
            if let Some(node) = nodes.node(number) {
                seen.meet(asked.layout.beside(node), next);
            }
            followed += 1;
        }
        if followed == 0 && now.is_empty() {
            break;
        }
        for coded in
            next.iter().filter_map(|&number| nodes.to_fetch(number).get(..asked.layout.coded_words()))
        {
            simd::prefetch_many(coded);
        }
        *looked += now.len();
        now.chunks(AT_ONCE).for_each(|some| compare(asked, table, nodes, some, pool));
        std::mem::swap(now, next);
    }
    pool.finish();
}

/// Puts those of at most [`AT_ONCE`] nodes into the pool that are good enough for it.
#[inline(always)]
fn compare(asked: Asked<'_>, table: &[u8], nodes: &impl Nodes, some: &[u32], pool: &mut Pool) {
    let (mut rows, mut sums) = ([&[] as &[u8]; AT_ONCE], [0; AT_ONCE]);
    let (mut found, mut n) = ([(0, 0.0); AT_ONCE], 0);
    for &number in some {
        let Some(node) = nodes.node(number) else { continue };
        let base = asked.bases.get(asked.layout.group(node) as usize).copied();
        rows[n] = asked.layout.codes(node);
        found[n] = (number, base.unwrap_or(f32::INFINITY) + asked.layout.bias(node));
        n += 1;
    }
    (asked.kernels.lut_rows)(table, &rows[..n], &mut sums[..n]);
    let (mut better, mut passing) = ([(0, 0.0); AT_ONCE], 0);
    for ((number, base), &sum) in found.into_iter().zip(&sums[..n]) {
        let estimate = sum as f32 * asked.table.scale + asked.table.offset + base;
        better[passing] = (number, estimate);
        passing += usize::from(estimate < pool.threshold());
    }
    for &(number, estimate) in &better[..passing] {
        pool.push(estimate, number);
    }
}
