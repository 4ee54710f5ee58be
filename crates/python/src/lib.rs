//! The extension module `linjin._linjin`: which classes it holds.
//!
//! | file | duty |
//! | --- | --- |
//! | `annoy.rs` | the class `Annoy`, method by method |
//! | `batch.rs` | many queries at once, into padded NumPy arrays |
//! | `progress.rs` | the progress callback, the bar and Ctrl-C during a build |
//! | `shared.rs` | the forest behind its locks |
//! | `vectors.rs` | vectors, matrices and lists of ids out of Python objects |
//! | `arguments.rs` | numbers, flags and paths out of Python objects |
//! | `errors.rs` | which Python exception each Rust error becomes |

use pyo3::prelude::*;

mod annoy;
mod arguments;
mod batch;
mod errors;
mod progress;
mod shared;
mod vectors;

#[pymodule]
mod _linjin {
    #[pymodule_export]
    use super::annoy::Annoy;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name Python programmers look for")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
