//! Vectors, matrices and lists of ids out of Python objects.

use numpy::{
    PyArray1, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray2, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::{arguments, errors};

/// A vector of `f` values: anything with `len()` and `[0]` to `[f - 1]` that `float()` takes.
///
/// As in Annoy the length is looked at first, then one element after the other; `float()` narrows to float32.
pub(crate) fn vector(object: &Bound<'_, PyAny>, f: usize) -> PyResult<Vec<f32>> {
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
    let mut values = empty(f)?;
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
    let mut values = empty(f)?;
    values.extend(from.iter().map(|&value| narrow(value)));
    Ok(values)
}

/// Room for `n` values; `MemoryError` where `Vec` would end the process.
fn empty(n: usize) -> PyResult<Vec<f32>> {
    let mut values = Vec::new();
    match values.try_reserve_exact(n) {
        Ok(()) => Ok(values),
        Err(_) => Err(errors::out_of_memory(n.saturating_mul(size_of::<f32>()))),
    }
}

/// Rows of `f` float32 values, one behind the other.
pub(crate) struct Matrix<'py> {
    pub(crate) rows: usize,
    values: Values<'py>,
}

enum Values<'py> {
    /// The caller's own memory, or a contiguous copy that NumPy made of it.
    Array(PyReadonlyArray2<'py, f32>),
    /// Narrowed from wider numbers.
    Narrowed(Vec<f32>),
}

impl Matrix<'_> {
    /// All values, row by row.
    pub(crate) fn values(&self) -> PyResult<&[f32]> {
        match &self.values {
            Values::Array(array) => Ok(array.as_slice()?),
            Values::Narrowed(values) => Ok(values),
        }
    }
}

/// An (n, f) matrix out of anything that NumPy makes one of; C-contiguous float32 is taken without a copy.
///
/// An empty list is a matrix without rows.
pub(crate) fn matrix<'py>(object: &Bound<'py, PyAny>, f: usize) -> PyResult<Matrix<'py>> {
    let py = object.py();
    let numpy = py.import("numpy")?;
    let array = numpy.call_method1("asarray", (object,))?.cast_into::<PyUntypedArray>()?;
    let rows = match *array.shape() {
        [rows, width] if width == f => rows,
        [_, width] => return Err(errors::wrong_length(f, width)),
        [0] => return Ok(Matrix { rows: 0, values: Values::Narrowed(Vec::new()) }),
        ref shape => {
            let text = format!("expected a matrix of shape (n, {f}), got an array of shape {shape:?}");
            return Err(errors::wrong_value(text));
        }
    };
    let dtype = array.dtype();
    let contiguous = |name: &str| numpy.call_method1("require", (&array, name, "CA"));
    let values = match dtype.kind() {
        b'c' | b'S' | b'U' | b'M' | b'm' => {
            return Err(errors::wrong_type(format!("must be real numbers, not {dtype}")));
        }
        // NumPy would warn of numbers beyond float32; here they become infinite and are refused as such, as
        // in a vector.
        b'f' | b'O' if dtype.itemsize() > size_of::<f32>() => {
            let wide = contiguous("float64")?.cast_into::<PyArray2<f64>>()?.try_readonly()?;
            let wide = wide.as_slice()?;
            Values::Narrowed(py.detach(|| copy(wide, wide.len(), |value| value as f32))?)
        }
        _ => Values::Array(contiguous("float32")?.cast_into::<PyArray2<f32>>()?.try_readonly()?),
    };
    Ok(Matrix { rows, values })
}

/// Ids of items out of any iterable of integers.
pub(crate) fn ids(object: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    if let Ok(array) = object.cast_exact::<PyArray1<i64>>()
        && let Ok(wide) = array.to_vec()
    {
        return wide.into_iter().map(arguments::item_id).collect();
    }
    object.try_iter()?.map(|id| arguments::item(&id?)).collect()
}
