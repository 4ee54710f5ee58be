//! The types that columns have, and how values come into them.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_cast::cast;
use arrow_ord::cmp::distinct;
use arrow_schema::{DataType, TimeUnit};

use crate::error::ColumnsError;

/// The type that a column of this type is stored with; `None` for types that are not stored.
///
/// All text is `LargeUtf8`: its values lie in one run without gaps, so that what a chunk takes is what it holds, and its
/// offsets do not overflow when chunks are put together. Views would keep the buffers of superseded rows alive.
pub(crate) fn stored(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Boolean | DataType::Date32 | DataType::Timestamp(..) => Some(found.clone()),
        _ if found.is_integer() || found.is_floating() => Some(found.clone()),
        _ if is_text(found) => Some(DataType::LargeUtf8),
        _ => None,
    }
}

/// A column's values as they are stored: in the type `known` if the column is known, or in the one that is stored for its own.
pub(crate) fn fit(
    column: &str,
    values: &ArrayRef,
    known: Option<&DataType>,
) -> Result<ArrayRef, ColumnsError> {
    let found = values.data_type();
    let unsupported = || ColumnsError::Unsupported { column: column.to_owned(), found: name(found) };
    match (found, known) {
        (DataType::Null, Some(known)) => return Ok(new_null_array(known, values.len())),
        (DataType::Null, None) => return Err(ColumnsError::Untyped { column: column.to_owned() }),
        _ => {}
    }
    let own = stored(found).ok_or_else(unsupported)?;
    let expected = known.unwrap_or(&own);
    if found == expected {
        return Ok(Arc::clone(values));
    }
    let clash = |lossy| {
        let (column, found, expected) = (column.to_owned(), name(found), name(expected));
        if lossy {
            ColumnsError::Lossy { column, found, expected }
        } else {
            ColumnsError::Type { column, found, expected }
        }
    };
    if !alike(&own, expected) {
        return Err(clash(false));
    }
    // Values that do not fit come out of a cast as null, or as other ones.
    let cast_to = cast(values, expected)?;
    if own == *expected {
        return Ok(cast_to);
    }
    let back = cast(&cast_to, found)?;
    if distinct(values, &back)?.true_count() > 0 {
        return Err(clash(true));
    }
    Ok(cast_to)
}

/// Whether values of one type may be values of the other, where it can hold them.
fn alike(found: &DataType, expected: &DataType) -> bool {
    let numeric = |of: &DataType| of.is_integer() || of.is_floating();
    match (found, expected) {
        (DataType::Timestamp(_, found), DataType::Timestamp(_, expected)) => found == expected,
        _ => found == expected || numeric(found) && numeric(expected),
    }
}

fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// What a type is called in messages: as in Python, where most callers are.
pub fn name(of: &DataType) -> String {
    match of {
        _ if is_text(of) => "text".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Timestamp(unit, zone) => {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            zone.as_ref().map_or(format!("timestamp[{unit}]"), |zone| format!("timestamp[{unit}, {zone}]"))
        }
        other => other.to_string().to_lowercase(),
    }
}
