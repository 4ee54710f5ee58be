//! The values of columns, in words.

use arrow_array::ArrayRef;
use arrow_schema::DataType;

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
    linjin_columns::words(column).into_iter().map(|word| word.unwrap_or_else(|| UNKNOWN.to_owned())).collect()
}
