//! NumPy arrays out of Python objects, of the element type and in the order that Rust reads.
//!
//! | file | duty |
//! | --- | --- |
//! | `mod.rs` | what NumPy makes of an object, and its elements |
//! | `arrow.rs` | Arrow's vectors as matrices, where they lie |
//! | `columns.rs` | columns of tables and dicts, as Arrow's |

mod arrow;
mod columns;

pub(crate) use columns::columns;

use numpy::{
    Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;

use crate::errors;

/// What NumPy makes of an object; an array is taken as it is, and so is what lies in Arrow's memory, or where DLPack or
/// the buffer protocol say.
pub(crate) fn array<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static FROM_DLPACK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Ok(array) = object.cast_exact::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    if let Some(matrix) = arrow::matrix(object)? {
        return Ok(matrix);
    }
    if !object.hasattr("__array__")? && object.hasattr("__dlpack__")? {
        let from_dlpack = FROM_DLPACK.import(object.py(), "numpy", "from_dlpack")?;
        return Ok(from_dlpack.call1((object,))?.cast_into()?);
    }
    let asarray = ASARRAY.import(object.py(), "numpy", "asarray")?;
    Ok(asarray.call1((object,))?.cast_into()?)
}

/// The array with elements of type `T`, which NumPy calls `dtype`, C-contiguous: itself, or else a copy.
pub(crate) fn contiguous<'py, T: Element>(
    array: &Bound<'py, PyUntypedArray>,
    dtype: &str,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    static REQUIRE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // `require` is written in Python: it takes two microseconds to find that there is nothing to do.
    if let Ok(array) = array.cast::<PyArrayDyn<T>>()
        && array.is_c_contiguous()
        && array.is_aligned()
    {
        return Ok(array.try_readonly()?);
    }
    let require = REQUIRE.import(array.py(), "numpy", "require")?;
    let array = require.call1((array, dtype, "CA"))?.cast_into::<PyArrayDyn<T>>()?;
    Ok(array.try_readonly()?)
}

/// float32 values, one behind the other.
pub(crate) enum Floats<'py> {
    /// The caller's own memory, or a contiguous copy that NumPy made of it.
    Array(PyReadonlyArrayDyn<'py, f32>),
    /// Narrowed from wider numbers.
    Narrowed(Vec<f32>),
}

impl Floats<'_> {
    /// All values, row by row.
    pub(crate) fn values(&self) -> PyResult<&[f32]> {
        match self {
            Self::Array(array) => Ok(array.as_slice()?),
            Self::Narrowed(values) => Ok(values),
        }
    }
}

/// The values of an array of real numbers as float32; C-contiguous float32 is taken without a copy.
///
/// Numbers beyond float32 become infinite.
pub(crate) fn floats<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Floats<'py>> {
    let dtype = array.dtype();
    match dtype.kind() {
        b'c' | b'S' | b'U' | b'M' | b'm' => {
            Err(errors::wrong_type(format!("must be real numbers, not {dtype}")))
        }
        // NumPy would warn of numbers beyond float32; here they become infinite and are refused as such.
        b'f' | b'O' if dtype.itemsize() > size_of::<f32>() => {
            let wide = contiguous::<f64>(array, "float64")?;
            let wide = wide.as_slice()?;
            let narrowed = array.py().detach(|| {
                let mut values = room(wide.len())?;
                values.extend(wide.iter().map(|&value| value as f32));
                Ok::<_, PyErr>(values)
            })?;
            Ok(Floats::Narrowed(narrowed))
        }
        _ => Ok(Floats::Array(contiguous(array, "float32")?)),
    }
}

/// An array of bool as bits along its last axis, eight to a byte of uint8, the first one lowest.
pub(crate) fn pack_bits<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyUntypedArray>> {
    static PACKBITS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = array.py();
    let options = [("axis", (-1).into_bound_py_any(py)?), ("bitorder", "little".into_bound_py_any(py)?)];
    let packbits = PACKBITS.import(py, "numpy", "packbits")?;
    Ok(packbits.call((array,), Some(&options.into_py_dict(py)?))?.cast_into()?)
}

/// Room for `n` values; `MemoryError` where `Vec` would end the process.
pub(crate) fn room<T>(n: usize) -> PyResult<Vec<T>> {
    let mut values = Vec::new();
    match values.try_reserve_exact(n) {
        Ok(()) => Ok(values),
        Err(_) => Err(errors::out_of_memory(n.saturating_mul(size_of::<T>()))),
    }
}
