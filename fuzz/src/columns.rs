//! A small table for the fuzz targets: columns of several kinds, with nulls and names.

use std::sync::{Arc, LazyLock};

use arrow_array::types::Float16Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampSecondArray,
};
use half::f16;
use linjin_columns::Columns;

/// The ids of the table's rows, but for the last, which has none.
pub const IDS: [u64; 4] = [10, 20, 30, 40];

/// A condition on every column.
pub const EXPRESSION: &str =
    "int > 1 and text like '%o%' or flag or time > '2026-01-01' or half < 1 or day < '2026-01-01'";

/// A table, and the note that it was read from.
#[derive(Debug)]
pub struct Sound {
    /// The table.
    pub columns: Columns,
    /// The note.
    pub note: Vec<u8>,
}

/// Three rows.
pub static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let columns: [(&str, ArrayRef); 6] = [
        ("int", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
        ("text", Arc::new(StringArray::from(vec![Some("one"), Some("two"), None]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("time", Arc::new(TimestampSecondArray::from(vec![Some(1), None, None]).with_timezone("UTC"))),
        (
            "half",
            Arc::new(PrimitiveArray::<Float16Type>::from_iter_values([0.5, 1.0, 2.0].map(f16::from_f32))),
        ),
        ("day", Arc::new(Date32Array::from(vec![1, 2, 3]))),
    ];
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let rows = RecordBatch::try_from_iter_with_nullable(columns).expect("they are of one length");
    let (columns, note) =
        Columns::default().with_names(&IDS[..3], &["a", "b", "c"], Some(&rows)).expect("it is sound");
    Sound { columns, note }
});
