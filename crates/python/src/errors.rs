//! The exceptions that both classes raise.

use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};

/// An allocation of `bytes` that failed.
pub(crate) fn out_of_memory(bytes: usize) -> PyErr {
    PyMemoryError::new_err(format!("no memory for {bytes} bytes"))
}

/// An object of a type that the argument does not take.
pub(crate) fn wrong_type(text: impl Into<String>) -> PyErr {
    PyTypeError::new_err(text.into())
}

/// A value that the argument does not take.
pub(crate) fn wrong_value(text: impl Into<String>) -> PyErr {
    PyValueError::new_err(text.into())
}
