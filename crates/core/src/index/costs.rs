//! What the parts of a search cost, to tell which way is faster: nanoseconds, about, from the times of searches at four efforts on eight sets on a
//! machine with AVX-512, rounded, candidates dearer than that, by what glove took then; `docs/design.md` tells of it. With AVX2 alone scanning a leaf took 1.4 to
//! 1.6 times as long, and all else about as long. Only the ratios matter.

use super::space::Space;
use super::store::LeafStore;
use crate::graph::Layout;

/// To find out which leaves to look into, beside what a walk takes to begin; each leaf that is looked into, and each code in it.
const RANKING: f64 = 1500.0;
const LEAF: f64 = 140.0;
const CODE: f64 = 0.016;
/// A node that a walk follows, and each word of it.
const NODE: f64 = 190.0;
const NODE_WORD: f64 = 0.08;
/// A vector that is compared exactly, from anywhere in memory, after it was kept as one of so many; and each word of it.
const CANDIDATE: f64 = 90.0;
const WORD: f64 = 0.1;
/// One of many that are compared exactly one after the other, and each word of it: a hundredth of gauss, glove, fashion, clusters and SIFT features, of
/// 40, 100, 196, 96 and 32 words, took 18, 23, 39, 18 and 18 ns a vector.
const ONE_OF_MANY: f64 = 12.0;
const WORD_OF_MANY: f64 = 0.12;

/// Of a look into so many leaves.
pub(super) fn leaves(store: &LeafStore, leaves: f64) -> f64 {
    let per_leaf = store.view().places() as f64 / store.len().max(1) as f64;
    RANKING + leaves * (LEAF + per_leaf * store.codebook.codes() as f64 * CODE)
}

/// Of keeping so many candidates and comparing them exactly.
pub(super) fn candidates(space: &Space, candidates: usize) -> f64 {
    candidates as f64 * (CANDIDATE + space.row_words() as f64 * WORD)
}

/// Of comparing so many vectors, which are known before.
pub(super) fn all(space: &Space, vectors: usize) -> f64 {
    vectors as f64 * (ONE_OF_MANY + space.row_words() as f64 * WORD_OF_MANY)
}

/// Of following so many nodes of a graph.
pub(super) fn nodes(layout: Layout, nodes: f64) -> f64 {
    nodes * (NODE + layout.words() as f64 * NODE_WORD)
}
