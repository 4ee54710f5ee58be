//! Which Python exception each error of an index becomes: the one table.
//!
//! | what went wrong | exception |
//! | --- | --- |
//! | a shape, a value or an argument that does not fit; an id in use | `ValueError` |
//! | an object of a kind that the argument does not take | `TypeError` |
//! | an id or a name that is not in the index | `KeyError` |
//! | the operating system said no | `OSError` by its `errno`, with the file's name |
//! | a file that is foreign, damaged or too new; a journal that is damaged or of another file | `IndexFileError`, a `ValueError` |
//! | an index that somebody else has open for writing | `IndexLockedError`, an `OSError` |
//! | a save over a journal with commits | `FileExistsError` |
//! | a commit of an index that is not open for writing | `ValueError` |
//! | no memory | `MemoryError` |

use std::io;
use std::path::Path;

use linjin::index::error::{BuildError, CommitError, OpenError, SearchError, UpdateError};
use linjin_columns::{BesideError, ColumnsError};
use pyo3::exceptions::{PyFileExistsError, PyKeyError, PyMemoryError, PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;

pyo3::create_exception!(
    linjin,
    IndexFileError,
    PyValueError,
    "A file is no linjin index, is damaged, or was written by a newer linjin."
);

pyo3::create_exception!(
    linjin,
    IndexLockedError,
    PyOSError,
    "Somebody else has the index open for writing, in this process or in another one."
);

/// From making an index.
pub(super) fn build(error: BuildError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// From a search.
pub(super) fn search(error: SearchError) -> PyErr {
    let text = error.to_string();
    match error {
        SearchError::Damaged { .. } => IndexFileError::new_err(text),
        SearchError::Memory { .. } => PyMemoryError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// From adding, replacing and removing.
pub(super) fn update(error: UpdateError) -> PyErr {
    let text = error.to_string();
    match error {
        UpdateError::Unknown { .. } => PyKeyError::new_err(text),
        UpdateError::Damaged { .. } => IndexFileError::new_err(text),
        UpdateError::Commit(error) => commit(error),
        UpdateError::Memory { .. } => PyMemoryError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// From what is known of the items.
pub(super) fn beside(error: BesideError) -> PyErr {
    let text = error.to_string();
    match error {
        BesideError::Update(error) => update(error),
        BesideError::Search(error) => search(error),
        BesideError::Unknown { .. } => PyKeyError::new_err(text),
        BesideError::Columns(ColumnsError::Damaged { .. }) => IndexFileError::new_err(text),
        BesideError::Kind { .. } => PyTypeError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// From making changes durable.
pub(super) fn commit(error: CommitError) -> PyErr {
    let text = error.to_string();
    match error {
        CommitError::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => PyMemoryError::new_err(text),
        CommitError::Io(error) => match error.raw_os_error() {
            // Python finds the class that goes with the number.
            Some(code) if cfg!(unix) => PyOSError::new_err((code, text)),
            _ => PyOSError::new_err(text),
        },
        CommitError::Failed { .. } => PyOSError::new_err(text),
        CommitError::Damaged { .. } => IndexFileError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// From moving on to a later commit.
pub(super) fn refresh(py: Python<'_>, error: OpenError) -> PyErr {
    match error {
        OpenError::Changed | OpenError::Other { .. } => PyValueError::new_err(error.to_string()),
        OpenError::Io(error) => commit(CommitError::Io(error)),
        other => file(py, Path::new("the index"), other),
    }
}

/// From saving, opening and verifying the file `path`.
pub(super) fn file(py: Python<'_>, path: &Path, error: OpenError) -> PyErr {
    match error {
        OpenError::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            PyMemoryError::new_err(error.to_string())
        }
        OpenError::Io(error) => system(py, path, &error).unwrap_or_else(|failure| failure),
        OpenError::Locked { .. } => IndexLockedError::new_err(error.to_string()),
        OpenError::Journalled { .. } => PyFileExistsError::new_err(error.to_string()),
        OpenError::Commit(error) => commit(error),
        OpenError::Other { .. } | OpenError::Dimension { .. } | OpenError::Changed => {
            PyValueError::new_err(format!("{}: {error}", path.display()))
        }
        other => IndexFileError::new_err(format!("{}: {other}", path.display())),
    }
}

/// From an index as bytes.
pub(super) fn bytes(py: Python<'_>, error: OpenError) -> PyErr {
    file(py, Path::new("the pickled index"), error)
}

/// As Python's own `open` raises it: the class by the number of the error, with the file's name.
fn system(py: Python<'_>, path: &Path, error: &io::Error) -> PyResult<PyErr> {
    let name = path.as_os_str().to_owned();
    let code: i32 = match (error.raw_os_error(), symbol(error.kind())) {
        // Python finds the `errno` that goes with the number, which is one of Windows' own.
        (Some(code), _) if cfg!(windows) => {
            return Ok(PyOSError::new_err((0, error.to_string(), name, code)));
        }
        (Some(code), _) => code,
        (None, Some(symbol)) => py.import("errno")?.getattr(symbol)?.extract()?,
        (None, None) => return Ok(PyOSError::new_err(format!("{}: {error}", path.display()))),
    };
    let text: String = py.import("os")?.call_method1("strerror", (code,))?.extract()?;
    Ok(PyOSError::new_err((code, text, name)))
}

/// What C calls an error of this kind. A library that adds words of its own to an error keeps the kind only.
fn symbol(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::NotFound => "ENOENT",
        io::ErrorKind::PermissionDenied => "EACCES",
        io::ErrorKind::AlreadyExists => "EEXIST",
        io::ErrorKind::IsADirectory => "EISDIR",
        io::ErrorKind::NotADirectory => "ENOTDIR",
        io::ErrorKind::StorageFull => "ENOSPC",
        io::ErrorKind::FileTooLarge => "EFBIG",
        io::ErrorKind::ReadOnlyFilesystem => "EROFS",
        _ => return None,
    })
}

/// An id that is not in the index.
pub(super) fn unknown(id: u64) -> PyErr {
    update(UpdateError::Unknown { id })
}
