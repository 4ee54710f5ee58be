//! The extension module `linjin._linjin`: which classes it holds.
//!
//! | file | duty |
//! | --- | --- |
//! | `index/` | the class `Index` and what its searches answer |
//! | `annoy/` | the class `Annoy` |
//! | `command.rs` | the command line, as a function |
//! | `progress.rs` | the progress callback, the bar and Ctrl-C during long work |
//! | `table.rs` | padded NumPy tables of what many queries found |
//! | `arrays/` | NumPy arrays out of Python objects |
//! | `arguments.rs` | paths and the names of types, for both classes |
//! | `errors.rs` | the exceptions that both classes raise |

use pyo3::prelude::*;

mod annoy;
mod arguments;
mod arrays;
mod command;
mod errors;
mod index;
mod progress;
mod table;

#[pymodule]
mod _linjin {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::annoy::Annoy;
    #[pymodule_export]
    use super::command::main;
    #[pymodule_export]
    use super::index::{
        Columns, Filter, Hits, Index, IndexFileError, IndexLockedError, open, salvage, unpickle, verify,
    };

    #[pymodule_export]
    const NO_ID: u64 = linjin::index::NO_ID;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name Python programmers look for")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Through its decimal form: 0.95, where the plain conversion from f32 gives 0.949999988079071.
        let recall: f64 = linjin::index::DEFAULT_RECALL.to_string().parse()?;
        module.add("DEFAULT_RECALL", recall)
    }
}
