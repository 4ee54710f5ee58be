//! Arrow's vectors as NumPy matrices, by the PyCapsule interface: PyArrow, Polars, pandas, DuckDB.
//!
//! Vectors are rows of a list type: `FixedSizeList`, or `List` where all are of one length. What lies in one piece is read
//! where it lies; several chunks are put together once.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_schema::DataType;
use numpy::ndarray::ArrayView2;
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyUntypedArray};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyArray;

use super::room;
use crate::errors::{wrong_type, wrong_value};

/// Keeps Arrow's memory for as long as a NumPy array shows it.
#[pyclass(frozen)]
struct Owner {
    _values: ArrayRef,
}

/// The rows of an object that hands out Arrow's lists, or a table with one column of these, as (n, dim); nothing of any
/// other object.
pub(super) fn matrix<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyUntypedArray>>> {
    let array_like = object.hasattr("__array__")?;
    if !(object.hasattr("__arrow_c_stream__")? || object.hasattr("__arrow_c_array__")?) {
        return Ok(None);
    }
    // A frame with several columns of numbers is a matrix for NumPy.
    if array_like && object.getattr("shape").and_then(|shape| shape.get_item(1)?.gt(1)).unwrap_or(false) {
        return Ok(None);
    }
    let arrow = match object.extract::<AnyArray>() {
        Ok(arrow) => arrow,
        Err(_) if array_like => return Ok(None), // pandas without PyArrow, say
        Err(error) => return Err(error),
    };
    let reader = arrow.into_reader()?;
    let field = reader.field();
    let Some(kind) = column(field.data_type()) else {
        if array_like {
            return Ok(None);
        }
        return Err(wrong_type(format!(
            "expected Arrow's FixedSizeList of numbers, or a table with one such column, got {}",
            field.data_type()
        )));
    };
    let mut rows = Rows { n: 0, dim: None };
    let mut chunks = Vec::new();
    for chunk in reader {
        let chunk = chunk.map_err(|error| wrong_value(error.to_string()))?;
        let chunk = chunk.as_struct_opt().map_or(chunk.clone(), |table| table.column(0).clone());
        if !chunk.is_empty() {
            chunks.push(rows.values(&chunk)?);
        }
    }
    if chunks.is_empty() {
        // The width of a list that is not of a fixed size is nowhere to be seen.
        let dim = if let DataType::FixedSizeList(_, dim) = kind { *dim as usize } else { 0 };
        let none: Bound<'py, PyArray1<f32>> = PyArray1::from_vec(object.py(), Vec::new());
        return if dim == 0 { Ok(Some(untyped(&none))) } else { Ok(Some(untyped(&none.reshape([0, dim])?))) };
    }
    together(object.py(), &chunks, [rows.n, rows.dim.unwrap_or(0)]).map(Some)
}

/// The type of the vectors: the one column of a table, or what it is itself, where that is a list.
fn column(kind: &DataType) -> Option<&DataType> {
    let kind = match kind {
        DataType::Struct(fields) if fields.len() == 1 => fields[0].data_type(),
        other => other,
    };
    matches!(kind, DataType::FixedSizeList(..) | DataType::List(_) | DataType::LargeList(_)).then_some(kind)
}

/// What is known of the rows so far.
struct Rows {
    n: usize,
    dim: Option<usize>,
}

impl Rows {
    /// The numbers of a chunk of lists, row by row.
    fn values(&mut self, chunk: &ArrayRef) -> PyResult<ArrayRef> {
        if let Some(row) = (0..chunk.len()).find(|&row| chunk.is_null(row)) {
            return Err(wrong_value(format!("row {} is null", self.n + row)));
        }
        let (start, values) = if let Some(lists) = chunk.as_fixed_size_list_opt() {
            self.check(0, lists.value_length() as usize)?;
            (lists.value_offset(0) as usize, lists.values())
        } else if let Some(lists) = chunk.as_list_opt::<i32>() {
            (self.offsets(lists.value_offsets())?, lists.values())
        } else {
            let lists = chunk.as_list::<i64>();
            (self.offsets(lists.value_offsets())?, lists.values())
        };
        let dim = self.dim.unwrap_or(0);
        let values = values.slice(start, chunk.len() * dim);
        if let Some(at) = (0..values.len()).find(|&at| values.null_count() > 0 && values.is_null(at)) {
            return Err(wrong_value(format!("row {}, column {} is null", self.n + at / dim, at % dim)));
        }
        self.n += chunk.len();
        Ok(values)
    }

    /// Where the first list begins; all have to be of one length.
    fn offsets<O: OffsetSizeTrait>(&mut self, offsets: &[O]) -> PyResult<usize> {
        for (row, pair) in offsets.windows(2).enumerate() {
            self.check(row, (pair[1] - pair[0]).as_usize())?;
        }
        Ok(offsets[0].as_usize())
    }

    fn check(&mut self, row: usize, got: usize) -> PyResult<()> {
        let dim = *self.dim.get_or_insert(got);
        if dim == got {
            return Ok(());
        }
        Err(wrong_value(format!("row {} has {got} values, the first one has {dim}", self.n + row)))
    }
}

/// The matrix of all chunks.
fn together<'py>(
    py: Python<'py>,
    chunks: &[ArrayRef],
    shape: [usize; 2],
) -> PyResult<Bound<'py, PyUntypedArray>> {
    match chunks[0].data_type() {
        DataType::Float16 => numbers::<Float16Type>(py, chunks, shape),
        DataType::Float32 => numbers::<Float32Type>(py, chunks, shape),
        DataType::Float64 => numbers::<Float64Type>(py, chunks, shape),
        DataType::Int8 => numbers::<Int8Type>(py, chunks, shape),
        DataType::Int16 => numbers::<Int16Type>(py, chunks, shape),
        DataType::Int32 => numbers::<Int32Type>(py, chunks, shape),
        DataType::Int64 => numbers::<Int64Type>(py, chunks, shape),
        DataType::UInt8 => numbers::<UInt8Type>(py, chunks, shape),
        DataType::UInt16 => numbers::<UInt16Type>(py, chunks, shape),
        DataType::UInt32 => numbers::<UInt32Type>(py, chunks, shape),
        DataType::UInt64 => numbers::<UInt64Type>(py, chunks, shape),
        DataType::Boolean => {
            let mut all = room(shape[0].saturating_mul(shape[1]))?;
            for chunk in chunks {
                all.extend(chunk.as_boolean().values().iter());
            }
            Ok(untyped(&PyArray1::from_vec(py, all).reshape(shape)?))
        }
        other => Err(wrong_type(format!("expected lists of numbers, got lists of {other}"))),
    }
}

fn numbers<'py, T>(
    py: Python<'py>,
    chunks: &[ArrayRef],
    shape: [usize; 2],
) -> PyResult<Bound<'py, PyUntypedArray>>
where
    T: ArrowPrimitiveType<Native: Element>,
{
    if let [chunk] = chunks {
        return shown(py, chunk.as_primitive::<T>().values(), shape, chunk.clone());
    }
    let mut all = room(shape[0].saturating_mul(shape[1]))?;
    for chunk in chunks {
        all.extend_from_slice(chunk.as_primitive::<T>().values());
    }
    Ok(untyped(&PyArray1::from_vec(py, all).reshape(shape)?))
}

/// A matrix of `values`, which lie in `owner`, where they lie.
#[expect(unsafe_code, reason = "NumPy shows memory that is Arrow's")]
fn shown<'py, T: Element>(
    py: Python<'py>,
    values: &[T],
    shape: [usize; 2],
    owner: ArrayRef,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let view = ArrayView2::from_shape(shape, values).map_err(|error| wrong_value(error.to_string()))?;
    let owner = Bound::new(py, Owner { _values: owner })?.into_any();
    // SAFETY: `values` lie in a buffer that `owner` holds a share of, which neither moves nor goes before `owner` does; the
    // array holds on to `owner` as its base. Nobody but this crate gets the array, and it only reads.
    let array = unsafe { PyArray2::borrow_from_array(&view, owner) };
    Ok(untyped(&array))
}

fn untyped<'py, T: Element, D: numpy::ndarray::Dimension>(
    array: &Bound<'py, numpy::PyArray<T, D>>,
) -> Bound<'py, PyUntypedArray> {
    array.as_untyped().clone()
}
