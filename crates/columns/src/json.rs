//! Values of columns as JSON, and JSON as columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, NullArray, RecordBatch,
    RecordBatchOptions, UInt64Array,
};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use serde_json::Value;

use crate::error::ColumnsError;
use crate::words::{ZONE, in_zone, words};

/// Each value of a column: numbers, truth values and text; dates and times as text; null where nothing is known, and for floats
/// that no JSON has.
pub fn values(column: &ArrayRef) -> Vec<Value> {
    let known =
        |values: Vec<Option<Value>>| values.into_iter().map(|value| value.unwrap_or(Value::Null)).collect();
    let kind = column.data_type();
    if kind.is_floating() {
        // By way of its digits: as an f64, the float32 0.1 would be 0.10000000149011612.
        let number = |word: Option<String>| word?.parse::<f64>().ok().map(Value::from);
        return known(words(column).into_iter().map(number).collect());
    }
    if kind.is_unsigned_integer()
        && let Ok(wide) = cast(column, &DataType::UInt64)
    {
        return known(wide.as_primitive::<UInt64Type>().iter().map(|value| value.map(Value::from)).collect());
    }
    if kind.is_signed_integer()
        && let Ok(wide) = cast(column, &DataType::Int64)
    {
        return known(wide.as_primitive::<Int64Type>().iter().map(|value| value.map(Value::from)).collect());
    }
    if let Some(flags) = column.as_boolean_opt() {
        return known(flags.iter().map(|value| value.map(Value::from)).collect());
    }
    known(words(column).into_iter().map(|word| word.map(Value::from)).collect())
}

/// Each column of some rows as a list of its [`values`].
pub fn lists(rows: &RecordBatch) -> BTreeMap<String, Vec<Value>> {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns());
    columns.map(|(field, column)| (field.name().clone(), values(column))).collect()
}

/// Columns of lists with a value for each of so many rows. Text becomes dates and times, and numbers become floats of fewer
/// digits, where the column is known as one of these; whole numbers are int64, others float64, where it is not known.
///
/// # Errors
///
/// Lists of another length; values of several kinds in one list; lists and objects as values; text that is no date.
pub fn columns(
    lists: &BTreeMap<String, Vec<Value>>,
    rows: usize,
    known: &Schema,
) -> Result<RecordBatch, ColumnsError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, values) in lists {
        if values.len() != rows {
            let what = "values of a column";
            return Err(ColumnsError::Length { what, found: values.len(), ids: rows });
        }
        let array = column(name, values, known.field_with_name(name).ok().map(Field::data_type))?;
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
}

fn column(name: &str, values: &[Value], known: Option<&DataType>) -> Result<ArrayRef, ColumnsError> {
    let Some(first) = values.iter().find(|value| !value.is_null()) else {
        return Ok(Arc::new(NullArray::new(values.len())));
    };
    match first {
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(ColumnsError::Unsupported { column: name.to_owned(), found: kind(first).to_owned() })
        }
        Value::Bool(_) => Ok(Arc::new(BooleanArray::from(all(name, values, kind(first), Value::as_bool)?))),
        Value::Number(_) => numbers(name, values, known),
        Value::String(_) => {
            let text: ArrayRef =
                Arc::new(LargeStringArray::from(all(name, values, kind(first), Value::as_str)?));
            match known {
                Some(day @ DataType::Date32) => Ok(strictly(&text, day)?),
                Some(time @ DataType::Timestamp(_, None)) => Ok(strictly(&text, time)?),
                Some(DataType::Timestamp(unit, Some(zone))) => {
                    let moments = strictly(&text, &DataType::Timestamp(*unit, Some(ZONE.into())))?;
                    Ok(in_zone(&moments, *unit, zone)?)
                }
                _ => Ok(text),
            }
        }
    }
}

/// Text as values of another type; what is none is an error, not null.
fn strictly(text: &ArrayRef, into: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(text, into, &CastOptions { safe: false, ..CastOptions::default() })
}

fn numbers(name: &str, values: &[Value], known: Option<&DataType>) -> Result<ArrayRef, ColumnsError> {
    let floats = Float64Array::from(all(name, values, "a number", Value::as_f64)?);
    let numbers = || values.iter().filter(|value| !value.is_null());
    if numbers().all(Value::is_i64) {
        return Ok(Arc::new(values.iter().map(Value::as_i64).collect::<Int64Array>()));
    }
    if numbers().all(Value::is_u64) {
        return Ok(Arc::new(values.iter().map(Value::as_u64).collect::<UInt64Array>()));
    }
    let floats: ArrayRef = Arc::new(floats);
    if let Some(known) = known.filter(|known| known.is_floating()) {
        // JSON writes decimals: to have fewer digits is no loss. To be too large is one, and is refused later.
        let fewer = cast(&floats, known)?;
        let wide = cast(&fewer, &DataType::Float64)?;
        if wide.as_primitive::<Float64Type>().iter().flatten().all(f64::is_finite) {
            return Ok(fewer);
        }
    }
    Ok(floats)
}

/// All values as those of one kind.
fn all<'a, T>(
    name: &str,
    values: &'a [Value],
    expected: &'static str,
    get: impl Fn(&'a Value) -> Option<T>,
) -> Result<Vec<Option<T>>, ColumnsError> {
    let value = |(row, value): (usize, &'a Value)| match get(value) {
        None if !value.is_null() => {
            Err(ColumnsError::Mixed { column: name.to_owned(), row, found: kind(value), expected })
        }
        got => Ok(got),
    };
    values.iter().enumerate().map(value).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
