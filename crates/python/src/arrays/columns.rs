//! Columns out of Python objects, as Arrow's: tables of other libraries, or dicts of arrays and lists.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, NullArray, PrimitiveArray,
    RecordBatch, UInt64Array,
};
use arrow_schema::{ArrowError, Field, Schema};
use arrow_select::concat::{concat, concat_batches};
use half::f16;
use numpy::{Element, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyFloat, PyInt, PyString};
use pyo3_arrow::input::{AnyArray, AnyRecordBatch};

use super::{array, contiguous};
use crate::errors::{wrong_type, wrong_value};

/// What NumPy calls "not a time".
const NOT_A_TIME: i64 = i64::MIN;

/// Columns of `n` rows: of whatever hands out Arrow's tables, or of a dict, or the like, of arrays and lists.
pub(crate) fn columns(object: &Bound<'_, PyAny>, n: usize) -> PyResult<RecordBatch> {
    let batch = if object.hasattr("__arrow_c_stream__")? || object.hasattr("__arrow_c_array__")? {
        of_table(object)?
    } else if object.hasattr("keys")? {
        of_mapping(object, n)?
    } else {
        let kind = object.get_type();
        return Err(wrong_type(format!(
            "columns are a dict of arrays or lists by their names, or a table of Arrow's, Polars' or pandas', not {kind}"
        )));
    };
    if batch.num_rows() == n || batch.num_columns() == 0 {
        return Ok(batch);
    }
    Err(wrong_value(format!("columns of {} rows for {n} items", batch.num_rows())))
}

fn of_table(object: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let reader = object.extract::<AnyRecordBatch>()?.into_reader()?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(of_arrow)?;
    concat_batches(&schema, &batches).map_err(of_arrow)
}

fn of_mapping(object: &Bound<'_, PyAny>, n: usize) -> PyResult<RecordBatch> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for key in object.call_method0("keys")?.try_iter()? {
        let key = key?;
        let name: String = key
            .extract()
            .map_err(|_| wrong_type(format!("the names of columns are strings, not {}", key.get_type())))?;
        let column = column(&object.get_item(&key)?).map_err(|error| named(object.py(), &name, &error))?;
        if column.len() != n {
            return Err(wrong_value(format!("column {name:?} has {} values for {n} items", column.len())));
        }
        fields.push(Field::new(name, column.data_type().clone(), true));
        arrays.push(column);
    }
    if arrays.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::new(Schema::empty())));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(of_arrow)
}

/// The error with the name of its column before it.
fn named(py: Python<'_>, name: &str, error: &PyErr) -> PyErr {
    PyErr::from_type(error.get_type(py), format!("column {name:?}: {}", error.value(py)))
}

fn of_arrow(error: ArrowError) -> PyErr {
    wrong_value(error.to_string())
}

/// One column.
fn column(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if values.hasattr("__arrow_c_array__")? || values.hasattr("__arrow_c_stream__")? {
        return of_chunks(values);
    }
    if values.hasattr("__array__")? {
        let array = array(values)?;
        if let Some(column) = of_array(&array)? {
            return Ok(column);
        }
        return of_values(&array.call_method0("tolist")?);
    }
    of_values(values)
}

fn of_chunks(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let reader = values.extract::<AnyArray>()?.into_reader()?;
    let kind = reader.field().data_type().clone();
    let chunks = reader.collect::<Result<Vec<_>, _>>().map_err(of_arrow)?;
    if chunks.is_empty() {
        return Ok(arrow_array::new_empty_array(&kind));
    }
    concat(&chunks.iter().map(|chunk| &**chunk).collect::<Vec<_>>()).map_err(of_arrow)
}

/// The column of an array of numbers, bools or times; nothing of one of objects or strings.
fn of_array(array: &Bound<'_, PyUntypedArray>) -> PyResult<Option<ArrayRef>> {
    if array.ndim() != 1 {
        return Err(wrong_value(format!("it has one value for each item, not {} dimensions", array.ndim())));
    }
    let dtype = array.dtype();
    let column = match (dtype.kind(), dtype.itemsize()) {
        (b'b', _) => {
            let values = contiguous::<bool>(array, "bool")?;
            Arc::new(BooleanArray::from(values.as_slice()?.to_vec()))
        }
        (b'i', 1) => numbers::<Int8Type, i8>(array, "int8")?,
        (b'i', 2) => numbers::<Int16Type, i16>(array, "int16")?,
        (b'i', 4) => numbers::<Int32Type, i32>(array, "int32")?,
        (b'i', _) => numbers::<Int64Type, i64>(array, "int64")?,
        (b'u', 1) => numbers::<UInt8Type, u8>(array, "uint8")?,
        (b'u', 2) => numbers::<UInt16Type, u16>(array, "uint16")?,
        (b'u', 4) => numbers::<UInt32Type, u32>(array, "uint32")?,
        (b'u', _) => numbers::<UInt64Type, u64>(array, "uint64")?,
        (b'f', 2) => numbers::<Float16Type, f16>(array, "float16")?,
        (b'f', 4) => numbers::<Float32Type, f32>(array, "float32")?,
        (b'f', _) => numbers::<Float64Type, f64>(array, "float64")?,
        (b'M', _) => times(array, &dtype.str()?.to_string())?,
        _ => return Ok(None),
    };
    Ok(Some(column))
}

fn numbers<T, N>(array: &Bound<'_, PyUntypedArray>, dtype: &str) -> PyResult<ArrayRef>
where
    T: ArrowPrimitiveType<Native = N>,
    N: Element + Copy,
    PrimitiveArray<T>: From<Vec<N>>,
{
    let values = contiguous::<N>(array, dtype)?;
    Ok(Arc::new(PrimitiveArray::<T>::from(values.as_slice()?.to_vec())))
}

/// Times of NumPy's `datetime64` in this unit.
fn times(array: &Bound<'_, PyUntypedArray>, dtype: &str) -> PyResult<ArrayRef> {
    // Units that Arrow lacks become the next finer one that it has.
    let unit = match dtype.split_once('[').map_or("ns", |(_, unit)| unit.trim_end_matches(']')) {
        unit @ ("s" | "ms" | "us" | "ns") => unit,
        "Y" | "M" | "W" | "D" => "D",
        "h" | "m" => "s",
        _ => return Err(wrong_type(format!("times of the type {dtype} are finer than nanoseconds"))),
    };
    let moments = array.call_method1("astype", (format!("datetime64[{unit}]"),))?;
    let moments = moments.call_method1("astype", ("int64",))?.cast_into::<PyUntypedArray>()?;
    let moments = contiguous::<i64>(&moments, "int64")?;
    let moments = moments.as_slice()?.iter().map(|&moment| (moment != NOT_A_TIME).then_some(moment));
    fn times<T: ArrowPrimitiveType<Native = i64>>(moments: impl Iterator<Item = Option<i64>>) -> ArrayRef {
        Arc::new(moments.collect::<PrimitiveArray<T>>())
    }
    Ok(match unit {
        "D" => Arc::new(moments.map(|day| i32::try_from(day?).ok()).collect::<PrimitiveArray<Date32Type>>()),
        "s" => times::<TimestampSecondType>(moments),
        "ms" => times::<TimestampMillisecondType>(moments),
        "us" => times::<TimestampMicrosecondType>(moments),
        _ => times::<TimestampNanosecondType>(moments),
    })
}

/// What the values of a list are, all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Date,
    Time,
}

/// The column of an iterable of Python's own values, and of None where there is none.
fn of_values(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if values.is_instance_of::<PyString>() {
        return Err(wrong_type("one value for each item is needed, in a list or an array, not one string"));
    }
    let values = values.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let mut kind = None;
    for (row, value) in values.iter().enumerate().filter(|(_, value)| !value.is_none()) {
        let this = kind_of(value).ok_or_else(|| {
            wrong_type(format!(
                "row {row} is {}; values are bool, int, float, str, date, datetime or None",
                value.get_type()
            ))
        })?;
        kind = Some(match (kind, this) {
            (None, this) => this,
            (Some(Kind::Int | Kind::Float), Kind::Float) | (Some(Kind::Float), Kind::Int) => Kind::Float,
            (Some(kind), this) if kind == this => kind,
            (Some(kind), this) => {
                return Err(wrong_type(format!("row {row} is {this:?}, the rows before it are {kind:?}")));
            }
        });
    }
    fn each<'py, T, C: FromIterator<Option<T>>>(
        values: &[Bound<'py, PyAny>],
        get: impl Fn(&Bound<'py, PyAny>) -> PyResult<T>,
    ) -> PyResult<C> {
        values.iter().map(|value| if value.is_none() { Ok(None) } else { get(value).map(Some) }).collect()
    }
    Ok(match kind {
        None => Arc::new(NullArray::new(values.len())),
        Some(Kind::Bool) => Arc::new(each::<_, BooleanArray>(&values, |value| value.extract::<bool>())?),
        Some(Kind::Float) => Arc::new(each::<_, Float64Array>(&values, |value| value.extract::<f64>())?),
        Some(Kind::Text) => {
            Arc::new(each::<_, LargeStringArray>(&values, |value| value.extract::<String>())?)
        }
        Some(Kind::Int) => match each::<_, Int64Array>(&values, |value| value.extract::<i64>()) {
            Ok(column) => Arc::new(column),
            Err(_) => Arc::new(each::<_, UInt64Array>(&values, |value| value.extract::<u64>())?),
        },
        Some(kind @ (Kind::Date | Kind::Time)) => {
            let unit = if kind == Kind::Date { "datetime64[D]" } else { "datetime64[us]" };
            let array = values.first().map(|value| value.py().import("numpy")).transpose()?;
            let array = array.map(|numpy| numpy.call_method1("array", (values.clone(), unit))).transpose()?;
            match array {
                Some(array) => times(array.cast::<PyUntypedArray>()?, unit)?,
                None => Arc::new(NullArray::new(0)),
            }
        }
    })
}

fn kind_of(value: &Bound<'_, PyAny>) -> Option<Kind> {
    // A bool is an int, and a datetime a date, for Python.
    Some(if value.is_instance_of::<PyBool>() {
        Kind::Bool
    } else if value.is_instance_of::<PyInt>() {
        Kind::Int
    } else if value.is_instance_of::<PyFloat>() {
        Kind::Float
    } else if value.is_instance_of::<PyString>() {
        Kind::Text
    } else if value.is_instance_of::<PyDateTime>() {
        Kind::Time
    } else if value.is_instance_of::<PyDate>() {
        Kind::Date
    } else if value.extract::<i64>().is_ok() {
        Kind::Int // NumPy's own
    } else if value.extract::<f64>().is_ok() {
        Kind::Float
    } else {
        return None;
    })
}
