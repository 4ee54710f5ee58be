//! Leaves of close vectors, their codes packed in blocks, and how a query finds its way to them.
//!
//! | file | duty |
//! | --- | --- |
//! | `leaf.rs` | the packed codes of one leaf |
//! | `directory.rs` | the centroids of all leaves, and which of them are closest to a query |
//! | `assign.rs` | which leaves a vector belongs to |
//! | `probe.rs` | a query through the closest leaves: the candidates to compare exactly |
//!
//! A vector lies in the leaf of its closest centroid, and once more in a second leaf whose centroid lies in another
//! direction from it, so that a query that misses the one is likely to meet the other (SOAR: Sun, Simcha, Dopson, Guo,
//! Kumar, *Improved learning for approximate nearest neighbor search*, 2023). In each it is coded as what lacks from the
//! centroid, in units of how far the leaf's vectors are from it: so one set of codewords is as fine where vectors lie close
//! together as where they do not.

mod assign;
mod directory;
mod leaf;
mod probe;
#[cfg(test)]
mod ranked;

pub(crate) use assign::{Homes, NO_LEAF, Placing, assign, place};
pub(crate) use directory::{Directory, Plan};
pub(crate) use leaf::{Leaf, LeafView, scale_of};
pub(crate) use probe::{Coded, Leaves, Probe, Scratch, away, probe, probe_among, rank, unit};
