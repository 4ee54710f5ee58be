//! Which Python exception each error of a forest becomes: the one table.
//!
//! | what went wrong | exception |
//! | --- | --- |
//! | a vector of another length, an id below 0 or past the last | `IndexError` |
//! | a value that is NaN or infinite, or that the argument does not take | `ValueError` |
//! | deleting what is not there | `KeyError` |
//! | a number beyond 32 bits | `OverflowError` |
//! | a file that is damaged, foreign or out of reach | `OSError`, text only, without `errno`, as Annoy's |
//! | no memory | `MemoryError` |
//! | not possible in this state | `Exception`, exactly that, as Annoy's |
//! | a change from inside another change | `RuntimeError` |

use std::io;

use linjin::error::{BuildError, OpenError, SearchError, UpdateError};
use pyo3::PyErr;
use pyo3::exceptions::{
    PyException, PyIndexError, PyKeyError, PyMemoryError, PyOSError, PyOverflowError, PyRuntimeError,
    PyValueError,
};

/// From a query or from reading an item.
pub(super) fn search(error: SearchError) -> PyErr {
    let text = error.to_string();
    match error {
        SearchError::Length { .. } | SearchError::UnknownItem { .. } => PyIndexError::new_err(text),
        SearchError::NotFinite { .. } => PyValueError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// From adding, replacing and deleting.
pub(super) fn update(error: UpdateError) -> PyErr {
    let text = error.to_string();
    match error {
        UpdateError::Length { .. } => PyIndexError::new_err(text),
        UpdateError::NotFinite { .. } | UpdateError::Ids { .. } => PyValueError::new_err(text),
        UpdateError::UnknownItem { .. } => PyKeyError::new_err(text),
        UpdateError::IdTooLarge { .. } => PyOverflowError::new_err(text),
        UpdateError::Memory { .. } => PyMemoryError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// From `build` and `unbuild`.
pub(super) fn build(error: BuildError) -> PyErr {
    let text = error.to_string();
    match error {
        BuildError::Count { .. } => PyValueError::new_err(text),
        BuildError::Changed => PyRuntimeError::new_err(text),
        BuildError::Store(error) => open(error),
        BuildError::Damaged(_) => PyOSError::new_err(text),
        _ => PyException::new_err(text),
    }
}

/// From saving and loading.
pub(super) fn open(error: OpenError) -> PyErr {
    let text = error.to_string();
    match error {
        OpenError::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => PyMemoryError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// A vector or a row that has not `f` values.
pub(super) fn wrong_length(expected: usize, got: usize) -> PyErr {
    search(SearchError::Length { expected, got })
}

/// An id below 0.
pub(super) fn negative_item() -> PyErr {
    PyIndexError::new_err("Item index can not be negative")
}

/// A number that the width of an argument has no room for.
pub(super) fn overflow(text: &'static str) -> PyErr {
    PyOverflowError::new_err(text)
}

/// `add_item` of an id which the file that was just saved holds: Annoy refuses, and programs count on it.
pub(super) fn replaces_saved(id: u32) -> PyErr {
    PyException::new_err(format!(
        "You can't add an item to a loaded index: the file just saved holds item {id}; \
         replace it with add_items, or load the file first"
    ))
}

/// A change from inside a change of the same thread, which would wait for itself for ever.
pub(super) fn changed_from_within() -> PyErr {
    PyRuntimeError::new_err(
        "this thread is already changing the index; a progress callback or signal handler may only read it",
    )
}
