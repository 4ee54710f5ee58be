//! The values of columns, as words and as JSON.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use serde_json::Value;

/// What stands where nothing is known.
const UNKNOWN: &str = "-";

/// A type, in a word.
pub(crate) fn kind(kind: &DataType) -> String {
    match kind {
        DataType::LargeUtf8 => "text".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, None) => "time".to_owned(),
        DataType::Timestamp(_, Some(zone)) => format!("time, {zone}"),
        other => other.to_string().to_lowercase(),
    }
}

/// Each value, in words.
pub(crate) fn words(column: &ArrayRef) -> Vec<String> {
    let options = FormatOptions::new().with_null(UNKNOWN);
    match ArrayFormatter::try_new(column, &options) {
        Ok(words) => (0..column.len()).map(|row| words.value(row).to_string()).collect(),
        Err(_) => vec![UNKNOWN.to_owned(); column.len()], // of a type that columns do not have
    }
}

/// Each value, in JSON: numbers, truth values and text; dates and times as text.
pub(crate) fn json(column: &ArrayRef) -> Vec<Value> {
    let known =
        |values: Vec<Option<Value>>| values.into_iter().map(|value| value.unwrap_or(Value::Null)).collect();
    let kind = column.data_type();
    if kind.is_floating() {
        // By way of its digits: as an f64, the float32 0.1 would be 0.10000000149011612.
        let number = |word: &String| word.parse::<f64>().ok().map(Value::from);
        return words(column).iter().map(|word| number(word).unwrap_or(Value::Null)).collect();
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
    let words = words(column).into_iter().enumerate();
    words.map(|(row, word)| if column.is_null(row) { Value::Null } else { word.into() }).collect()
}
