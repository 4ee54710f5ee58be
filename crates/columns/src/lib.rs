//! What is known of the items beside their vectors: columns, found by id and filtered by expressions, and names.
//!
//! [`Columns`] is a table with a row for each id of which something is known. It never changes: a change makes another table
//! that shares with it, and a note, which are the bytes to store. The notes in their order are the table.
//!
//! ```text
//! change:  record batch -> rows -> note, to store
//!                            \---> table, of the old one's chunks and a new one
//! filter:  text -> predicate -> chunk by chunk, a column at a time -> ids
//! ```
//!
//! | layer | modules | may use |
//! | --- | --- | --- |
//! | 6 | `beside`: the table of an index, kept in its notes | all below, and `linjin` |
//! | 5 | `columns`: the table as callers see it | all below |
//! | 4 | `expression`: which rows an expression selects | all below |
//! | 3 | `table`: chunks of rows; `note`: changes as bytes | layers 0 to 2 |
//! | 2 | `rows`: what a change says; [`json`]: values as JSON, and JSON as columns | all below |
//! | 1 | `kinds`: the types that columns have; `words`: their values in words | layer 0 |
//! | 0 | [`error`] | nothing of ours |
//!
//! `tests/layers.rs` fails when a module uses one that is not below it.

mod beside;
mod columns;
pub mod error;
mod expression;
pub mod json;
mod kinds;
mod note;
mod rows;
mod table;
mod words;

pub use beside::{Beside, BesideError, Described};
pub use columns::Columns;
pub use error::{ColumnsError, ExpressionError};
pub use kinds::name as type_name;
pub use words::words;
