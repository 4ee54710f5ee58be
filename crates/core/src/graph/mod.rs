//! Every vector with those beside it: from good candidates to better ones in few steps.
//!
//! Where vectors lie in many small clumps, the closest leaves hold most neighbours and the rest is spread over hundreds of
//! others. A neighbour's neighbours are found in one step. So some indexes hold, beside the leaves, a graph whose nodes are
//! the vectors: each with the numbers of up to [`EDGES`] others and their codes as seen from it, side by side in memory.
//!
//! | file | duty |
//! | --- | --- |
//! | `node.rs` | what a node holds, and where |
//! | `rows.rs` | vectors in bytes, side by side, while a graph is built |
//! | `coding.rs` | vectors, edges and queries as codes |
//! | `walk.rs` | the search from node to node |
//! | `seen.rs` | which nodes it has met |
//! | `bound.rs` | how far away a node may be that it still follows |
//! | `pool.rs` | the best nodes it has met, and which it follows next |
//! | `near.rs` | vectors as points, and which of some are closest to one |
//! | `edges.rs` | which of the close vectors become edges |
//! | `between.rs` | the same, where the distances of all from one another are measured first |
//! | `compare.rs` | many vectors compared with many |

mod between;
mod bound;
mod coding;
mod compare;
mod edges;
mod near;
mod node;
mod pool;
mod rows;
mod seen;
mod walk;

pub(crate) use between::Between;
pub(crate) use bound::NARROW;
pub(crate) use coding::{Coder, Edge, EdgeBuffers};
pub(crate) use compare::{Comparison, Tiles};
pub(crate) use edges::{Chooser, back, choose, fill, squares};
pub(crate) use near::{Close, Collection, Source, closest, sort};
pub(crate) use node::{EDGES, Layout, Own};
pub(crate) use rows::Rows;
pub(crate) use seen::Seen;
pub(crate) use walk::{Nodes, Record, SHORTEST, Trail, Walk, walk};
