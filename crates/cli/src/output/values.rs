//! The values of columns, in words.

use arrow_array::ArrayRef;

/// What stands where nothing is known.
const UNKNOWN: &str = "-";

/// Each value, in words.
pub(crate) fn words(column: &ArrayRef) -> Vec<String> {
    linjin_columns::words(column).into_iter().map(|word| word.unwrap_or_else(|| UNKNOWN.to_owned())).collect()
}
