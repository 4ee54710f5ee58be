//! A folder of pictures that can be searched.
//!
//! | file | duty |
//! | --- | --- |
//! | `handle.rs` | the public [`Collection`]: where it lies, what is in it |
//! | `browse.rs` | what there is to look through: pictures by age, folders |
//! | `ingest.rs` | a run of indexing: what is new, changed, moved and gone |
//! | `intake.rs` | files into the catalogue, on several threads |
//! | `vectors.rs` | the index file, made of the catalogue |
//! | `search.rs` | pictures like a query |
//! | `watch.rs` | kept up to date while the folder changes |
//! | `duplicates.rs` | copies of one picture |

mod browse;
mod duplicates;
mod handle;
mod ingest;
mod intake;
mod search;
mod vectors;
mod watch;

pub use crate::catalogue::{FileFacts, Filter, Listing, PictureFacts};
pub use duplicates::{Copy, Group, Keep, Likeness};
pub use handle::{Collection, DATA, Info};
pub use ingest::{IndexOptions, Progress, Report, Stage, Watcher};
pub use search::{Hit, Query, Term};
