//! Annoy's trees and files, read and written, searched exactly as Annoy does, and changed at any time.
//!
//! ```text
//! add ── items ──► build ──► trees ──► writer ──► file           file ──► reader ──► items + trees
//!                    │ split                                                  (mapped, shared, checked where used)
//! search:  query ──► queue of nodes ──► candidates ──► distances ──► neighbours
//! update:  item ──► down every tree ──► bucket, cut in two when full            (beside the mapped nodes)
//! save:    trees ──► compact ──► writer                                         (an ordinary file again)
//! ```
//!
//! | file | duty |
//! | --- | --- |
//! | `handle.rs` | [`Forest`]: the public handle and its stages |
//! | `persist.rs` | the handle's files: save, load, bytes |
//! | `metric.rs` | [`Metric`] and the distances that it reports |
//! | `layout.rs` | where things lie in a node: Annoy's six layouts |
//! | `space.rs` | margins, distances, priorities |
//! | `items.rs` | the items: mapped ones, added ones, changed ones |
//! | `trees.rs` | the trees: planted nodes, and what changed since |
//! | `split.rs` | cuts a set of items in two |
//! | `local.rs` | a dense copy of the items of a branch that grows |
//! | `bands.rs` | parts the items of an inner-product index by length |
//! | `sample.rs` | the top of a large tree, from a sample |
//! | `build.rs` | grows trees |
//! | `search.rs` | answers queries |
//! | `update.rs` | adds items to trees that stand |
//! | `compact.rs` | makes a changed tree an ordinary one |
//! | `reader.rs`, `writer.rs` | the file |

mod bands;
mod build;
mod compact;
mod handle;
mod items;
mod layout;
mod local;
mod metric;
mod persist;
mod reader;
mod sample;
mod search;
mod space;
mod split;
mod trees;
mod update;
mod writer;

pub use build::{Progress, Watch};
pub use handle::{Forest, Grown, Stage};
pub use metric::{Metric, UnknownMetric};
pub use search::{Budget, Neighbors};
