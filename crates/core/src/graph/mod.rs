//! Every vector with those beside it: from good candidates to better ones in few steps.
//!
//! Where vectors lie in many small clumps, the closest leaves hold most neighbours and the rest is spread over hundreds of
//! others. A neighbour's neighbours are found in one step. So some indexes hold, beside the leaves, a graph whose nodes are
//! the vectors: their codes and the numbers of [`Layout::edges`] others, side by side in memory.
//!
//! | file | duty |
//! | --- | --- |
//! | `node.rs` | what a node holds, and where |
//! | `walk.rs` | the search from node to node |
//! | `seen.rs` | which nodes it has met |
//! | `pool.rs` | the best nodes it has met, and which it follows next |
//! | `near.rs` | vectors as points, and which of some are closest to one |
//! | `edges.rs` | which of the close vectors become edges |

mod edges;
mod near;
mod node;
mod pool;
mod seen;
mod walk;

pub(crate) use edges::{choose, link};
pub(crate) use near::{Close, Collection, Source, closest, merge};
pub(crate) use node::{Layout, NOBODY};
pub(crate) use walk::{Asked, Nodes, Trail, walk};
