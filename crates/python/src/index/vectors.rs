//! Vectors out of Python objects and back: rows of float32, or of packed bits for `hamming`.

use std::ops::Range;

use half::f16;
use linjin::index::{Index, Metric, Snapshot, Vector, Vectors};
use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::arrays::{self, Floats};
use crate::errors::{wrong_type, wrong_value};

/// One vector or the rows of a matrix.
pub(super) struct Rows<'py> {
    /// How many.
    pub(super) n: usize,
    /// Whether the object was one vector and not a matrix.
    pub(super) single: bool,
    values: Values<'py>,
}

enum Values<'py> {
    /// Of these types the index reads the caller's memory; what NumPy had to put in order first is a copy.
    Floats(PyReadonlyArrayDyn<'py, f32>),
    Doubles(PyReadonlyArrayDyn<'py, f64>),
    Halves(PyReadonlyArrayDyn<'py, f16>),
    Bytes(PyReadonlyArrayDyn<'py, i8>),
    Bits(PyReadonlyArrayDyn<'py, u8>),
    /// Of all other types.
    Converted(Floats<'py>),
}

impl Rows<'_> {
    /// The values as the index takes them.
    pub(super) fn vectors(&self) -> PyResult<Vectors<'_>> {
        Ok(match &self.values {
            Values::Floats(values) => Vectors::Floats(values.as_slice()?),
            Values::Doubles(values) => Vectors::Doubles(values.as_slice()?),
            Values::Halves(values) => Vectors::Halves(values.as_slice()?),
            Values::Bytes(values) => Vectors::Bytes(values.as_slice()?),
            Values::Bits(bits) => Vectors::Bits(bits.as_slice()?),
            Values::Converted(floats) => Vectors::Floats(floats.values()?),
        })
    }
}

/// The numbers of an array.
fn numbers<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Values<'py>> {
    let dtype = array.dtype();
    Ok(match (dtype.kind(), dtype.itemsize()) {
        (b'f', 4) => Values::Floats(arrays::contiguous(array, "float32")?),
        (b'f', 8) => Values::Doubles(arrays::contiguous(array, "float64")?),
        (b'f', 2) => Values::Halves(arrays::contiguous(array, "float16")?),
        (b'i', 1) => Values::Bytes(arrays::contiguous(array, "int8")?),
        _ => Values::Converted(arrays::floats(array)?),
    })
}

/// Values, or bytes of packed bits, in a vector.
pub(super) fn width(metric: Metric, dim: usize) -> usize {
    if metric.is_binary() { dim.div_ceil(8) } else { dim }
}

/// Some of the rows.
pub(super) fn slice(vectors: Vectors<'_>, width: usize, rows: Range<usize>) -> Vectors<'_> {
    let range = rows.start * width..rows.end * width;
    match vectors {
        Vectors::Floats(values) => Vectors::Floats(&values[range]),
        Vectors::Doubles(values) => Vectors::Doubles(&values[range]),
        Vectors::Halves(values) => Vectors::Halves(&values[range]),
        Vectors::Bytes(values) => Vectors::Bytes(&values[range]),
        Vectors::Bits(bytes) => Vectors::Bits(&bytes[range]),
    }
}

/// One vector, of shape (dim,), or rows, of shape (n, dim), out of anything that NumPy makes an array of.
///
/// Taken without a copy: C-contiguous float32, float64, float16 and int8, for `hamming` C-contiguous uint8 of packed
/// bits. An empty list has no rows.
pub(super) fn rows<'py>(object: &Bound<'py, PyAny>, index: &Index) -> PyResult<Rows<'py>> {
    let array = arrays::array(object)?;
    if index.metric().is_binary() {
        return bits(&array, index);
    }
    let (n, single) = shape(&array, index.dim()).ok_or_else(|| {
        let (dim, got) = (index.dim(), array.shape());
        wrong_value(format!(
            "expected an array of shape ({dim},) or (n, {dim}), got one of shape {}",
            tuple(got)
        ))
    })?;
    Ok(Rows { n, single, values: numbers(&array)? })
}

fn bits<'py>(array: &Bound<'py, PyUntypedArray>, index: &Index) -> PyResult<Rows<'py>> {
    let dim = index.dim();
    let bytes = width(index.metric(), dim);
    let dtype = array.dtype();
    let (packed, width) = match (dtype.kind(), dtype.itemsize()) {
        (b'b', _) => (false, dim),
        (b'u', 1) => (true, bytes),
        // What an empty list becomes.
        _ if array.shape() == [0] => (false, dim),
        _ => return Err(wrong_type(format!("hamming takes bool, or bits packed into uint8, not {dtype}"))),
    };
    let (n, single) = shape(array, width).ok_or_else(|| {
        wrong_value(format!(
            "expected bool of shape ({dim},) or (n, {dim}), or bits packed into uint8 of shape ({bytes},) or \
             (n, {bytes}), got {dtype} of shape {}",
            tuple(array.shape())
        ))
    })?;
    let packed = if packed { array.clone() } else { arrays::pack_bits(array)? };
    Ok(Rows { n, single, values: Values::Bits(arrays::contiguous(&packed, "uint8")?) })
}

/// How many vectors of this width, and whether it is one on its own.
fn shape(array: &Bound<'_, PyUntypedArray>, width: usize) -> Option<(usize, bool)> {
    match *array.shape() {
        [got] if got == width => Some((1, true)),
        [n, got] if got == width => Some((n, false)),
        [0] => Some((0, false)),
        _ => None,
    }
}

/// A shape as Python writes it.
fn tuple(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// A vector as a NumPy array.
pub(super) fn one(py: Python<'_>, vector: Vector) -> Bound<'_, PyAny> {
    match vector {
        Vector::Floats(values) => PyArray1::from_vec(py, values).into_any(),
        Vector::Bits(bytes) => PyArray1::from_vec(py, bytes).into_any(),
    }
}

/// The vectors with these ids as a NumPy matrix, a row for each; the first id that is not in the index otherwise.
pub(super) fn many<'py>(py: Python<'py>, index: &Snapshot, ids: &[u64]) -> PyResult<Bound<'py, PyAny>> {
    let width = width(index.metric(), index.dim());
    let cells = ids.len().saturating_mul(width);
    let (mut floats, mut bits) = (Vec::new(), Vec::new());
    if index.metric().is_binary() {
        bits = arrays::room(cells)?;
    } else {
        floats = arrays::room(cells)?;
    }
    let unknown = py.detach(|| {
        for &id in ids {
            match index.get(id)? {
                Some(Vector::Floats(values)) => floats.extend(values),
                Some(Vector::Bits(bytes)) => bits.extend(bytes),
                None => return Ok(Some(id)),
            }
        }
        Ok(None)
    });
    if let Some(id) = unknown.map_err(super::errors::search)? {
        return Err(super::errors::unknown(id));
    }
    let shape = [ids.len(), width];
    Ok(if index.metric().is_binary() {
        PyArray1::from_vec(py, bits).reshape(shape)?.into_any()
    } else {
        PyArray1::from_vec(py, floats).reshape(shape)?.into_any()
    })
}
