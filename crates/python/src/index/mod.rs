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
//! | `sets.rs` | ids, filters and exclusions out of Python objects |
//! | `arguments.rs` | numbers out of Python objects |
//! | `errors.rs` | which Python exception each error of an index becomes |

mod add;
mod arguments;
mod class;
mod errors;
mod file;
mod hits;
mod search;
mod sets;
mod vectors;

pub(crate) use class::{Index, unpickle};
pub(crate) use errors::{IndexFileError, IndexLockedError};
pub(crate) use file::{open, salvage, verify};
pub(crate) use hits::Hits;
