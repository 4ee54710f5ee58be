//! What the parts of a search cost, to tell which way is faster: nanoseconds, about, as profiled on a machine with AVX-512.
//! Only their ratios matter.

use super::space::Space;
use super::store::LeafStore;
use crate::graph::Layout;

/// A leaf that is looked into, and each code in it.
const LEAF: f64 = 60.0;
const CODE: f64 = 0.03;
/// A node that a walk follows, and each word of it.
const NODE: f64 = 80.0;
const NODE_WORD: f64 = 0.45;
/// A vector that is compared exactly, from anywhere in memory, and each word of it.
const CANDIDATE: f64 = 40.0;
const WORD: f64 = 0.3;

/// Of a look into so many leaves.
pub(super) fn leaves(store: &LeafStore, leaves: f64) -> f64 {
    let per_leaf = store.view().places() as f64 / store.len().max(1) as f64;
    leaves * (LEAF + per_leaf * store.codebook.codes() as f64 * CODE)
}

/// Of comparing so many vectors exactly.
pub(super) fn candidates(space: &Space, candidates: usize) -> f64 {
    candidates as f64 * (CANDIDATE + space.row_words() as f64 * WORD)
}

/// Of following so many nodes of a graph.
pub(super) fn nodes(layout: Layout, nodes: f64) -> f64 {
    nodes * (NODE + layout.words() as f64 * NODE_WORD)
}
