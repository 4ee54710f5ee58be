//! The functions `open` and `verify`, and the dict of what an index is made of.

use linjin::index::{Index as Engine, Info};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::class::Index;
use super::errors;
use crate::arguments;

/// Opens an index that `Index.save` has written to `path` (str or path).
///
/// The file is mapped, not read: about a millisecond whatever its size, and processes that open the same file
/// share its memory. Vectors can be added, replaced and removed at once; such changes stay in memory until `save`.
///
/// Raises OSError (FileNotFoundError and so on) if the file cannot be opened, IndexFileError if it is no index,
/// is damaged, or was written by a newer linjin. `verify` looks at every byte, `open` does not.
///
///     index = linjin.open("items.linjin")
#[pyfunction]
pub(crate) fn open(py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Index> {
    let path = arguments::path(path)?;
    let opened = py.detach(|| Engine::open(&path));
    opened.map(Index::new).map_err(|error| errors::file(py, &path, error))
}

/// Reads all of the index file `path` (str or path) and checks every checksum.
///
/// Returns the file's info, a dict as `Index.info` gives it. Takes as long as reading the file.
///
/// Raises what `open` raises.
///
///     linjin.verify("items.linjin")["len"]
#[pyfunction]
pub(crate) fn verify<'py>(py: Python<'py>, path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let path = arguments::path(path)?;
    let found = py.detach(|| Engine::verify(&path)).map_err(|error| errors::file(py, &path, error))?;
    info(py, found)
}

/// What an index is made of, as a dict.
pub(super) fn info(py: Python<'_>, info: Info) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("dim", info.dim)?;
    dict.set_item("metric", info.metric.name())?;
    dict.set_item("len", info.len)?;
    dict.set_item("bytes", info.bytes)?;
    dict.set_item("mapped", info.mapped)?;
    dict.set_item("leaves", info.leaves)?;
    dict.set_item("graph", info.graph)?;
    dict.set_item("curve", info.curve)?;
    Ok(dict)
}
