//! The functions `open`, `verify` and `salvage`, and the dict of what an index is made of.

use linjin::index::{Index as Engine, Info, Verify};
use pyo3::exceptions::PyValueError;
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
/// `verify` says how much of the file is compared with its checksums:
///
///     "lazy"    each block of 64 KiB when it is used for the first time; whatever would be answered from a damaged
///               one, and all that is asked later, is an IndexFileError
///     "full"    all of it now, which takes about as long as reading the file
///     "header"  what is read now, and nothing later: damage may give wrong answers
///
/// Raises OSError (FileNotFoundError and so on) if the file cannot be opened, IndexFileError if it is no index,
/// is damaged where it is read now, or was written by a newer linjin.
///
///     index = linjin.open("items.linjin")
#[pyfunction]
#[pyo3(signature = (path, *, verify = "lazy"))]
pub(crate) fn open(py: Python<'_>, path: &Bound<'_, PyAny>, verify: &str) -> PyResult<Index> {
    let path = arguments::path(path)?;
    let verify = match verify {
        "header" => Verify::Header,
        "lazy" => Verify::Lazy,
        "full" => Verify::Full,
        other => {
            let text = format!("verify must be \"header\", \"lazy\" or \"full\", not {other:?}");
            return Err(PyValueError::new_err(text));
        }
    };
    let opened = py.detach(|| Engine::open_with(&path, verify));
    opened.map(Index::new).map_err(|error| errors::file(py, &path, error))
}

/// Reads all of the index file `path` (str or path) and checks every checksum.
///
/// Returns the file's info, a dict as `Index.info` gives it. Takes as long as reading the file.
///
/// Raises what `open` raises; the text of IndexFileError names the section and the byte.
///
///     linjin.verify("items.linjin")["len"]
#[pyfunction]
pub(crate) fn verify<'py>(py: Python<'py>, path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let path = arguments::path(path)?;
    let found = py.detach(|| Engine::verify(&path)).map_err(|error| errors::file(py, &path, error))?;
    info(py, found)
}

/// Writes those vectors of the damaged index file `path` that are as they were written, with their ids, into a new
/// index file `to` (both str or path). The damaged file may be shorter than it was.
///
/// Returns a dict: "kept", how many vectors are in the new file, and "lost", how many the other one should have had
/// besides. Takes as long as building an index of them, and memory for them.
///
/// Raises IndexFileError if the first page of the file is damaged, which says where everything is, or it is no index;
/// OSError if either file cannot be read or written.
///
///     linjin.salvage("items.linjin", "saved.linjin")["lost"]
#[pyfunction]
pub(crate) fn salvage<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    to: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let (path, to) = (arguments::path(path)?, arguments::path(to)?);
    let salvaged =
        py.detach(|| Engine::salvage(&path, &to)).map_err(|error| errors::file(py, &path, error))?;
    let dict = PyDict::new(py);
    dict.set_item("kept", salvaged.kept)?;
    dict.set_item("lost", salvaged.lost)?;
    Ok(dict)
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
