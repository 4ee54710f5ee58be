//! The class `Index`.
//!
//! | file | duty |
//! | --- | --- |
//! | `class.rs` | the class, method by method |
//! | `add.rs` | an addition that hears Ctrl-C and tells how far it is |
//! | `search.rs` | one query, and many in blocks |
//! | `hits.rs` | the class `Hits`, what a search found |
//! | `file.rs` | the functions `open`, `verify` and `salvage`, the dict of an index's info |
//! | `vectors.rs` | vectors out of Python objects and back |
//! | `filter.rs` | the class `Filter`, a set of ids that is read once |
//! | `sets.rs`, `names.rs` | ids, names, filters and exclusions out of Python objects |
//! | `table.rs` | the class `Columns`, what is known of items |
//! | `arguments.rs` | numbers out of Python objects |
//! | `errors.rs` | which Python exception each error of an index becomes |

mod add;
mod arguments;
mod class;
mod errors;
mod file;
mod filter;
mod hits;
mod names;
mod search;
mod sets;
mod table;
mod vectors;

pub(crate) use class::{Index, unpickle};
pub(crate) use errors::{IndexFileError, IndexLockedError};
pub(crate) use file::{open, salvage, verify};
pub(crate) use filter::Filter;
pub(crate) use hits::Hits;
pub(crate) use table::Columns;
