//! Values of columns in words.

use arrow_array::{Array, ArrayRef, make_array};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// The zone in which moments are told. Arrow reads no names of zones, and a moment is the same one in each.
pub(crate) const ZONE: &str = "+00:00";

/// Each value in words, moments of a zone in UTC; `None` where nothing is known, and for types that columns do not have.
pub fn words(column: &ArrayRef) -> Vec<Option<String>> {
    let shown = match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => in_zone(column, *unit, ZONE).unwrap_or_else(|_| column.clone()),
        _ => column.clone(),
    };
    match ArrayFormatter::try_new(&shown, &FormatOptions::new()) {
        Ok(words) => {
            (0..shown.len()).map(|row| shown.is_valid(row).then(|| words.value(row).to_string())).collect()
        }
        Err(_) => vec![None; shown.len()],
    }
}

/// The same moments, in a zone of another name.
pub(crate) fn in_zone(moments: &ArrayRef, unit: TimeUnit, zone: &str) -> Result<ArrayRef, ArrowError> {
    let kind = DataType::Timestamp(unit, Some(zone.into()));
    Ok(make_array(moments.to_data().into_builder().data_type(kind).build()?))
}
