//! The class `Annoy`.
//!
//! | file | duty |
//! | --- | --- |
//! | `class.rs` | the class, method by method |
//! | `batch.rs` | many queries at once |
//! | `shared.rs` | the forest behind its locks |
//! | `vectors.rs` | vectors, matrices and lists of ids, read as Annoy reads them |
//! | `arguments.rs` | numbers and flags, read as Annoy reads them |
//! | `errors.rs` | which Python exception each error of a forest becomes |

mod arguments;
mod batch;
mod class;
mod errors;
mod shared;
mod vectors;

pub(crate) use class::Annoy;
