//! The index that takes additions and deletions at any moment and answers fast.
//!
//! | file | duty |
//! | --- | --- |
//! | `handle.rs`, `files.rs`, `info.rs` | the public [`Index`]; its files; what it is made of |
//! | `options.rs`, `memory.rs` | effort, filters, threads, progress; how much memory an index may take |
//! | `error.rs` | what can go wrong, by the moment |
//! | `version.rs` | the index at one moment |
//! | `slots.rs`, `ids.rs`, `store.rs`, `overlay.rs` | its vectors, ids and leaves, shared with the version before |
//! | `space.rs` | how vectors are stored and compared |
//! | `links.rs` | its graph, where there is one |
//! | `notes.rs` | what callers keep beside the vectors |
//! | `snapshot.rs`, `answers.rs`, `input.rs` | the index at one moment, for callers; what it answers; what comes in |
//! | `search/`, `allowed.rs`, `walker.rs`, `exact.rs` | a query on one version |
//! | `update.rs`, `ties.rs`, `reach.rs`, `back.rs`, `room.rs`, `settle.rs` | the next version: vectors that come and go |
//! | `rebuild.rs`, `train.rs`, `pilot.rs`, `linking.rs`, `neighbours.rs` | the next version: all laid out anew |
//! | `stored.rs`, `buffer.rs` | vectors as points, and memory for many of them |
//! | `curve.rs`, `trials/`, `costs.rs` | how much effort a recall takes, its measurement, and what effort costs |
//! | `format.rs` | the head of a file |
//! | `persist.rs`, `opening.rs`, `verify.rs` | into a file, out of it, and what is wrong with one |
//! | `durable/` | changes that outlive the process, and those who read meanwhile |

mod allowed;
mod answers;
mod back;
mod buffer;
mod costs;
mod curve;
mod durable;
pub mod error;
mod exact;
mod files;
mod format;
mod handle;
mod ids;
mod info;
mod input;
mod linking;
mod links;
mod memory;
mod neighbours;
mod notes;
mod opening;
mod options;
mod overlay;
mod persist;
mod pilot;
mod reach;
mod rebuild;
mod room;
mod search;
mod settle;
mod slots;
mod snapshot;
mod space;
mod store;
mod stored;
mod ties;
mod train;
mod trials;
mod update;
mod verify;
mod version;
mod walker;

pub use crate::filter::Filter;
pub use crate::hits::{Hits, HitsBatch, NO_ID};
pub use crate::metric::{Metric, UnknownMetric};
pub use crate::vectors::{Vector, Vectors};
pub use handle::Index;
pub use info::{Info, Recovered};
pub use memory::{Memory, UnknownMemory};
pub use notes::{Note, Notes};
pub use opening::Verify;
pub use options::{Add, Autocommit, DEFAULT_RECALL, Effort, Filters, Noting, Progress, Search, Writing};
pub use snapshot::Snapshot;
pub use verify::Salvaged;
