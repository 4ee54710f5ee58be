//! The class `Columns`: what is known of items, as Python's values or as a table of Arrow's.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::as_datetime;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use pyo3_arrow::PyTable;

use crate::errors::wrong_type;

/// What an index knows of some items: columns by their names, a row for each item.
///
/// `columns["price"]` is a list of Python's values, None where nothing is known. It is a table for whatever takes
/// Arrow's: `pyarrow.table(columns)`, `polars.DataFrame(columns)`, DuckDB by its name.
///
///     columns = index.columns([3, 5, 8])
///     columns["price"], columns.names
#[pyclass(name = "Columns", module = "linjin", frozen)]
pub(crate) struct Columns {
    batch: RecordBatch,
}

impl Columns {
    pub(super) fn new(batch: RecordBatch) -> Self {
        Self { batch }
    }
}

#[pymethods]
impl Columns {
    /// The names of the columns, in the order in which they came.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// A dict of lists by the names of the columns.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (field, column) in self.batch.schema().fields().iter().zip(self.batch.columns()) {
            dict.set_item(field.name(), list(py, column)?)?;
        }
        Ok(dict)
    }

    /// How many items there are.
    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    /// The values of a column, a list.
    pub(super) fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        match self.batch.column_by_name(name) {
            Some(column) => list(py, column),
            None => Err(PyKeyError::new_err(format!("there is no column {name:?}, but {:?}", self.names()))),
        }
    }

    /// The table, for whatever takes Arrow's.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let table = PyTable::try_new(vec![self.batch.clone()], self.batch.schema())?;
        Bound::new(py, table)?.call_method1("__arrow_c_stream__", (requested_schema,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("linjin.Columns({})", self.to_dict(py)?.repr()?))
    }
}

/// The values of a column as Python's.
fn list<'py>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>> {
    match column.data_type() {
        DataType::Boolean => PyList::new(py, column.as_boolean().iter()),
        DataType::Int8 => numbers::<Int8Type>(py, column),
        DataType::Int16 => numbers::<Int16Type>(py, column),
        DataType::Int32 => numbers::<Int32Type>(py, column),
        DataType::Int64 => numbers::<Int64Type>(py, column),
        DataType::UInt8 => numbers::<UInt8Type>(py, column),
        DataType::UInt16 => numbers::<UInt16Type>(py, column),
        DataType::UInt32 => numbers::<UInt32Type>(py, column),
        DataType::UInt64 => numbers::<UInt64Type>(py, column),
        DataType::Float16 => {
            PyList::new(py, column.as_primitive::<Float16Type>().iter().map(|value| value.map(f32::from)))
        }
        DataType::Float32 => numbers::<Float32Type>(py, column),
        DataType::Float64 => numbers::<Float64Type>(py, column),
        DataType::Utf8 => PyList::new(py, column.as_string::<i32>().iter()),
        DataType::LargeUtf8 => PyList::new(py, column.as_string::<i64>().iter()),
        DataType::Utf8View => PyList::new(py, column.as_string_view().iter()),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>();
            PyList::new(py, (0..days.len()).map(|row| days.value_as_date(row).filter(|_| days.is_valid(row))))
        }
        DataType::Timestamp(unit, zone) => {
            let utc = zone.is_some();
            match unit {
                TimeUnit::Second => times::<TimestampSecondType>(py, column, utc),
                TimeUnit::Millisecond => times::<TimestampMillisecondType>(py, column, utc),
                TimeUnit::Microsecond => times::<TimestampMicrosecondType>(py, column, utc),
                TimeUnit::Nanosecond => times::<TimestampNanosecondType>(py, column, utc),
            }
        }
        DataType::Null => PyList::new(py, (0..column.len()).map(|_| None::<bool>)),
        other => Err(wrong_type(format!("values of the type {other} have none of Python's that they are"))),
    }
}

fn numbers<'py, T>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>>
where
    T: ArrowPrimitiveType<Native: IntoPyObject<'py>>,
{
    PyList::new(py, column.as_primitive::<T>().iter())
}

/// Moments as `datetime`: in UTC, where they are of some time zone, and else of none.
fn times<'py, T>(py: Python<'py>, column: &dyn Array, utc: bool) -> PyResult<Bound<'py, PyList>>
where
    T: ArrowPrimitiveType<Native = i64>,
{
    let moments = column.as_primitive::<T>().iter().map(|moment| {
        let Some(moment) = moment.and_then(as_datetime::<T>) else { return Ok(py.None().into_bound(py)) };
        if utc { moment.and_utc().into_bound_py_any(py) } else { moment.into_bound_py_any(py) }
    });
    PyList::new(py, moments.collect::<PyResult<Vec<_>>>()?)
}
