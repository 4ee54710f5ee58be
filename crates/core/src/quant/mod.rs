//! Codes of 4 bits that stand for vectors while they are searched.
//!
//! ```text
//! vector - centroid --projection--> values by falling variance --groups--> one of 16 codewords each --> packed block
//! query -----------projection--> values ----------------------> one table of 16 addends a group --> estimates
//! ```
//!
//! | file | duty |
//! | --- | --- |
//! | `projection.rs` | which directions are coded, and in which order |
//! | `groups.rs` | how many of them share a code |
//! | `codebook.rs` | the codewords: training, coding, the tables of a query |
//!
//! This is product quantisation (Jégou, Douze, Schmid, *Product quantization for nearest neighbor search*, 2011) with
//! groups of unequal size: where a few directions hold most of the variance, as in pictures, they get codes of their own
//! and the rest shares what is left.

mod codebook;
mod groups;
mod projection;

pub(crate) use codebook::{Codebook, Measure, Table};
pub(crate) use groups::MOST_CODES;
pub(crate) use projection::Projection;
