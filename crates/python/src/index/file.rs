//! The functions `open`, `verify` and `salvage`, and the dict of what an index is made of.

use std::time::Duration;

use linjin::index::{Autocommit, Index as Engine, Info, Memory, Metric, Recovered, Verify, Writing};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyInt;

use super::class::Index;
use super::errors;
use crate::arguments;
use crate::errors::{wrong_type, wrong_value};

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
/// With `writable=True` changes become durable with `commit`, at a cost in proportion to them: they go into a journal
/// beside the file, `path` + "-journal", which is folded into the file in the background when it is large. One may write
/// at a time, in any process; any number read the last committed state, and move on with `refresh`. After a crash this
/// gives the last committed state; `info["recovered"]` tells of it. In a `with` block the end commits and an exception
/// does not, and both close the index.
///
/// `autocommit` commits besides: a number n, as soon as n vectors have come or gone, before the call returns; a
/// datetime.timedelta, when the oldest change is so old, in the background. `dim` and `metric` ("cosine" if only `dim` is
/// given) make the index if there is no file; otherwise it has to have the same. `memory` ("full" or "small", see `Index`) is
/// for one that is made; one that is there keeps its own.
///
/// Raises OSError (FileNotFoundError and so on) if the file cannot be opened, IndexFileError if it is no index,
/// is damaged where it is read now, or was written by a newer linjin, or if its journal is damaged or of another file;
/// IndexLockedError at once if there is a writer already; ValueError for arguments that do not fit.
///
///     index = linjin.open("items.linjin")
///     with linjin.open("items.linjin", writable=True, dim=40) as index:
///         index.add(vectors)
#[pyfunction]
#[pyo3(signature = (path, *, verify = "lazy", writable = false, autocommit = None, dim = None, metric = None, memory = None))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(crate) fn open(
    py: Python<'_>,
    path: &Bound<'_, PyAny>,
    verify: &str,
    writable: bool,
    autocommit: Option<&Bound<'_, PyAny>>,
    dim: Option<i64>,
    metric: Option<&str>,
    memory: Option<&str>,
) -> PyResult<Index> {
    let path = arguments::path(path)?;
    let verify = match verify {
        "header" => Verify::Header,
        "lazy" => Verify::Lazy,
        "full" => Verify::Full,
        other => {
            let text = format!("verify must be \"header\", \"lazy\" or \"full\", not {other:?}");
            return Err(wrong_value(text));
        }
    };
    let given = [
        ("autocommit", autocommit.is_some()),
        ("dim", dim.is_some()),
        ("metric", metric.is_some()),
        ("memory", memory.is_some()),
    ];
    if let Some((name, _)) = given.iter().find(|&&(_, given)| given && !writable) {
        return Err(wrong_value(format!("{name} goes with writable=True")));
    }
    let create = match (dim, metric, memory) {
        (None, None, None) => None,
        (None, Some(_), _) => return Err(wrong_value("metric goes with dim")),
        (None, None, Some(_)) => return Err(wrong_value("memory goes with dim")),
        (Some(dim), metric, _) => {
            let metric = metric.map_or(Ok(Metric::Cosine), str::parse);
            let metric = metric.map_err(|error| wrong_value(format!("{error}")))?;
            let dim = usize::try_from(dim)
                .map_err(|_| wrong_value(format!("dim has to be at least 1, got {dim}")))?;
            Some((dim, metric))
        }
    };
    let autocommit = autocommit.map(self::autocommit).transpose()?;
    let memory = memory.map_or(Ok(Memory::Full), str::parse);
    let memory = memory.map_err(|error| wrong_value(format!("{error}")))?;
    let options = Writing { create, memory, autocommit, checkpoint: None, verify };
    let open =
        || if writable { Engine::open_writable(&path, &options) } else { Engine::open_with(&path, verify) };
    py.detach(open).map(Index::new).map_err(|error| errors::file(py, &path, error))
}

/// When to commit: a number of changed vectors, or a time.
fn autocommit(value: &Bound<'_, PyAny>) -> PyResult<Autocommit> {
    if value.is_instance_of::<PyInt>() {
        let changes = value.extract::<i64>()?;
        return match u64::try_from(changes) {
            Ok(changes) if changes > 0 => Ok(Autocommit::Changes(changes)),
            _ => Err(wrong_value(format!("autocommit has to be at least 1, got {changes}"))),
        };
    }
    let time: Duration = value.extract().map_err(|_| {
        wrong_type("autocommit takes a number of vectors, or a datetime.timedelta that is not negative")
    })?;
    Ok(Autocommit::Every(time))
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
    dict.set_item("stored_as", info.stored_as)?;
    dict.set_item("len", info.len)?;
    dict.set_item("bytes", info.bytes)?;
    dict.set_item("mapped", info.mapped)?;
    dict.set_item("leaves", info.leaves)?;
    dict.set_item("graph", info.graph)?;
    dict.set_item("memory", info.memory.name())?;
    dict.set_item("curve", info.curve)?;
    dict.set_item("generation", info.generation)?;
    dict.set_item("journal", info.journal)?;
    dict.set_item("uncommitted", info.uncommitted)?;
    dict.set_item("recovered", info.recovered.map(|found| recovered(py, found)).transpose()?)?;
    dict.set_item("trouble", info.trouble)?;
    Ok(dict)
}

fn recovered(py: Python<'_>, found: Recovered) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("commits", found.commits)?;
    dict.set_item("changes", found.changes)?;
    dict.set_item("torn", found.torn)?;
    Ok(dict)
}
