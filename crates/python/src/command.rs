//! The function `main`: the command line.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Does what was typed, `argv` (list of str) as in `sys.argv`, and returns the exit code.
///
/// Writes to the process's standard output and standard error, past `sys.stdout` and `sys.stderr`.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<OsString>) -> i32 {
    py.detach(|| linjin_cli::run(argv))
}
