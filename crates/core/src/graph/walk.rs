//! The search from node to node: best first, as far as a pool of a given width reaches.
//!
//! The method is that of Malkov and Yashunin (*Hierarchical navigable small world graphs*, 2016, algorithm 2) on one layer:
//! the start is what a look into a few leaves found. Estimates by codes take the place of distances.

use bytemuck::{cast_slice, cast_slice_mut};

use super::node::Layout;
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

/// Nodes that are compared at a time, and more than a node has edges.
const AT_ONCE: usize = 32;

/// Buffers of a walk.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// The table, filled up to whole chunks.
    table: Lines,
    /// For each node the number of the walk that has seen it last.
    seen: Vec<u8>,
    turn: u8,
    /// The best so far, best first, and whether their edges were followed.
    pool: Vec<(f32, u32, bool)>,
    now: Vec<u32>,
    next: Vec<u32>,
    looked: usize,
}

impl Trail {
    /// What [`walk`] found last, best first, with estimates.
    pub(crate) fn found(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.pool.iter().map(|&(estimate, number, _)| (estimate, number))
    }

    /// How many nodes the last walk compared.
    pub(crate) fn looked(&self) -> usize {
        self.looked
    }

    fn start(&mut self, nodes: usize, table: &Table) {
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 {
            self.seen.fill(0);
            self.turn = 1;
        }
        if self.seen.len() < nodes {
            self.seen.resize(nodes, 0);
        }
        let addends = table.addends();
        self.table.reset((addends.len() / 16).next_multiple_of(simd::CHUNK) * 4);
        let padded: &mut [u8] = cast_slice_mut(&mut self.table);
        padded[..addends.len()].copy_from_slice(addends);
        padded[addends.len()..].fill(0);
        self.pool.clear();
        self.now.clear();
        self.looked = 0;
    }
}

/// Walks from `seeds` to the nodes that `asked` is closest to, and keeps the best `width` of all that it meets in `trail`.
/// It passes by the node `passed`, if there is one.
pub(crate) fn walk(
    asked: Asked<'_>,
    nodes: &impl Nodes,
    seeds: impl Iterator<Item = u32>,
    width: usize,
    passed: Option<u32>,
    trail: &mut Trail,
) {
    let width = width.max(1);
    trail.start(nodes.len(), asked.table);
    let Trail { table, seen, turn, pool, now, next, looked } = trail;
    let table: &[u8] = &cast_slice(table)[..asked.layout.table_bytes()];
    let mut meet = |number: u32, into: &mut Vec<u32>| {
        if let Some(seen) = seen.get_mut(number as usize)
            && *seen != *turn
        {
            *seen = *turn;
            if let Some(coded) = nodes.to_fetch(number).get(..asked.layout.coded_words()) {
                simd::prefetch(coded);
                into.push(number);
            }
        }
    };
    if let Some(passed) = passed {
        meet(passed, now);
        now.clear();
    }
    seeds.for_each(|seed| meet(seed, now));
    let mut first = 0; // all before it were followed
    loop {
        // The next node's neighbours are on their way while those of the last one are compared.
        while pool.get(first).is_some_and(|entry| entry.2) {
            first += 1;
        }
        next.clear();
        if let Some((_, number, followed)) = pool.get_mut(first) {
            *followed = true;
            if let Some(node) = nodes.node(*number) {
                asked.layout.beside(node).iter().for_each(|&beside| meet(beside, next));
            }
        } else if now.is_empty() {
            break;
        }
        *looked += now.len();
        for some in now.chunks(AT_ONCE) {
            let (mut rows, mut sums) = ([&[] as &[u8]; AT_ONCE], [0; AT_ONCE]);
            let (mut found, mut n) = ([&[] as &[u32]; AT_ONCE], 0);
            for node in some.iter().filter_map(|&number| nodes.node(number)) {
                (rows[n], found[n]) = (asked.layout.codes(node), node);
                n += 1;
            }
            (asked.kernels.lut_rows)(table, &rows[..n], &mut sums[..n]);
            for ((&number, node), &sum) in some.iter().zip(found).zip(&sums[..n]) {
                let Some(base) = asked.bases.get(asked.layout.group(node) as usize) else { continue };
                let estimate =
                    sum as f32 * asked.table.scale + (base + asked.table.offset) + asked.layout.bias(node);
                let worst = if pool.len() < width { f32::INFINITY } else { pool[width - 1].0 };
                if estimate < worst {
                    let place = pool.partition_point(|entry| entry.0 <= estimate);
                    pool.truncate(width - 1);
                    pool.insert(place, (estimate, number, false));
                    first = first.min(place);
                    simd::prefetch_many(asked.layout.edge_words(node));
                }
            }
        }
        std::mem::swap(now, next);
    }
}
