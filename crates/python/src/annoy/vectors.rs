//! Vectors, matrices and lists of ids, read as Annoy reads them.

use numpy::{PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::{arguments, errors};
use crate::arrays::{self, Floats, room};
use crate::errors::wrong_value;

/// A vector of `f` values: anything with `len()` and `[0]` to `[f - 1]` that `float()` takes.
///
/// As in Annoy the length is looked at first, then one element after the other; `float()` narrows to float32.
pub(super) fn vector(object: &Bound<'_, PyAny>, f: usize) -> PyResult<Vec<f32>> {
    if let Ok(list) = object.cast_exact::<PyList>() {
        return elements(f, list.len(), |i| list.get_item(i));
    }
    if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        return elements(f, tuple.len(), |i| tuple.get_item(i));
    }
    if let Some(values) = whole_array(object, f) {
        return values;
    }
    elements(f, object.len()?, |i| object.get_item(i))
}

/// The `f` elements that `get` hands out.
fn elements<'py>(
    f: usize,
    length: usize,
    get: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Vec<f32>> {
    if length != f {
        return Err(errors::wrong_length(f, length));
    }
    let mut values = room(f)?;
    for i in 0..f {
        values.push(get(i)?.extract::<f64>()? as f32);
    }
    Ok(values)
}

/// The values of a contiguous one-dimensional float32 or float64 array; nothing for all other objects.
fn whole_array(object: &Bound<'_, PyAny>, f: usize) -> Option<PyResult<Vec<f32>>> {
    if let Ok(array) = object.cast_exact::<PyArray1<f32>>() {
        let array = array.try_readonly().ok()?;
        return Some(copy(array.as_slice().ok()?, f, |value| value));
    }
    let array = object.cast_exact::<PyArray1<f64>>().ok()?.try_readonly().ok()?;
    Some(copy(array.as_slice().ok()?, f, |value| value as f32))
}

/// The `f` values, each as `narrow` makes it.
fn copy<T: Copy>(from: &[T], f: usize, narrow: impl Fn(T) -> f32) -> PyResult<Vec<f32>> {
    if from.len() != f {
        return Err(errors::wrong_length(f, from.len()));
    }
    let mut values = room(f)?;
    values.extend(from.iter().map(|&value| narrow(value)));
    Ok(values)
}

/// Rows of `f` float32 values, one behind the other.
pub(super) struct Matrix<'py> {
    pub(super) rows: usize,
    values: Floats<'py>,
}

impl Matrix<'_> {
    /// All values, row by row.
    pub(super) fn values(&self) -> PyResult<&[f32]> {
        self.values.values()
    }
}

/// An (n, f) matrix out of anything that NumPy makes one of; C-contiguous float32 is taken without a copy.
///
/// An empty list is a matrix without rows.
pub(super) fn matrix<'py>(object: &Bound<'py, PyAny>, f: usize) -> PyResult<Matrix<'py>> {
    let array = arrays::array(object)?;
    let rows = match *array.shape() {
        [rows, width] if width == f => rows,
        [_, width] => return Err(errors::wrong_length(f, width)),
        [0] => return Ok(Matrix { rows: 0, values: Floats::Narrowed(Vec::new()) }),
        ref shape => {
            let text = format!("expected a matrix of shape (n, {f}), got an array of shape {shape:?}");
            return Err(wrong_value(text));
        }
    };
    Ok(Matrix { rows, values: arrays::floats(&array)? })
}

/// Ids of items out of any iterable of integers.
pub(super) fn ids(object: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    if let Ok(array) = object.cast_exact::<PyArray1<i64>>()
        && let Ok(wide) = array.to_vec()
    {
        return wide.into_iter().map(arguments::item_id).collect();
    }
    object.try_iter()?.map(|id| arguments::item(&id?)).collect()
}
