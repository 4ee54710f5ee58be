//! Paths and the names of types, for both classes.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::errors;

/// A file name: `str` or anything with `__fspath__` that gives one.
pub(crate) fn path(value: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let path: PathBuf = value.extract()?;
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(errors::wrong_value("embedded null character"));
    }
    Ok(path)
}

/// What the type of `value` is called.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}
