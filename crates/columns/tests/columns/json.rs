//! Values as JSON, and JSON as columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float32Array, Int8Array, LargeStringArray, RecordBatch,
    TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Schema};
use linjin_columns::{Columns, ColumnsError, json};
use serde_json::{Value, json};

fn lists(lists: &Value) -> BTreeMap<String, Vec<Value>> {
    serde_json::from_value(lists.clone()).unwrap()
}

/// A table with a column of each kind, one row known and one not.
fn table() -> Columns {
    let time = TimestampSecondArray::from(vec![Some(1_767_225_600), None]);
    let columns: [(&str, ArrayRef); 7] = [
        ("small", Arc::new(Int8Array::from(vec![Some(-3), None]))),
        ("large", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("tenth", Arc::new(Float32Array::from(vec![Some(0.1), None]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("text", Arc::new(LargeStringArray::from(vec![Some(""), None]))),
        ("day", Arc::new(Date32Array::from(vec![Some(20_454), None]))),
        ("time", Arc::new(time.with_timezone("UTC"))),
    ];
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    Columns::default().with(&[1, 2], &rows).unwrap().0
}

fn as_json(rows: &RecordBatch) -> Value {
    serde_json::to_value(json::lists(rows)).unwrap()
}

#[test]
fn values_are_written_as_they_are_read() {
    let table = table();
    let written = as_json(&table.take(&[1, 2]).unwrap());
    let expected = json!({
        "small": [-3, null], "large": [u64::MAX, null], "tenth": [0.1, null], "flag": [true, null],
        "text": ["", null], "day": ["2026-01-01", null], "time": ["2026-01-01T00:00:00Z", null],
    });
    assert_eq!(written, expected);
    let read = json::columns(&lists(&written), 2, &table.schema()).unwrap();
    let again = table.with(&[3, 4], &read).unwrap().0;
    assert_eq!(again.take(&[3, 4]).unwrap(), table.take(&[1, 2]).unwrap());
}

#[test]
fn new_columns_have_the_types_of_their_values() {
    let given = json!({ "whole": [1, -2], "part": [1, 0.5], "huge": [1, u64::MAX], "text": [null, "a"], "flag": [false, null] });
    let read = json::columns(&lists(&given), 2, &Schema::empty()).unwrap();
    let kind = |name: &str| read.column_by_name(name).unwrap().data_type().clone();
    assert_eq!(kind("whole"), DataType::Int64);
    assert_eq!(kind("part"), DataType::Float64);
    assert_eq!(kind("huge"), DataType::UInt64);
    assert_eq!(kind("text"), DataType::LargeUtf8);
    assert_eq!(kind("flag"), DataType::Boolean);
    assert_eq!(
        as_json(&read),
        json!({ "whole": [1, -2], "part": [1.0, 0.5], "huge": [1, u64::MAX], "text": [null, "a"], "flag": [false, null] })
    );
    assert_eq!(json::columns(&BTreeMap::new(), 3, &Schema::empty()).unwrap().num_rows(), 3);
}

#[test]
fn floats_that_no_json_has_are_null() {
    let column: ArrayRef = Arc::new(Float32Array::from(vec![f32::NAN, f32::INFINITY, 1e30]));
    assert_eq!(Value::from(json::values(&column)), json!([null, null, 1e30]));
}

#[test]
fn lists_that_are_no_columns_are_refused() {
    let schema = table().schema();
    let refused = |given: &Value| json::columns(&lists(given), 2, &schema).unwrap_err();
    assert!(matches!(refused(&json!({ "small": [1] })), ColumnsError::Length { found: 1, ids: 2, .. }));
    let mixed = refused(&json!({ "small": [1, "a"] })).to_string();
    assert_eq!(
        mixed,
        "the column `small` has text in row 1, and a number before: give it values of one kind"
    );
    for given in [json!({ "x": [[1], [2]] }), json!({ "x": [null, {}] })] {
        assert!(matches!(refused(&given), ColumnsError::Unsupported { .. }), "{given}");
    }
    assert!(refused(&json!({ "day": ["soon", null] })).to_string().contains("soon"));
    // A float that float32 does not hold is found when it comes to the table.
    let large = json::columns(&lists(&json!({ "tenth": [1e300, 0.5] })), 2, &schema).unwrap();
    assert!(matches!(table().with(&[3, 4], &large), Err(ColumnsError::Lossy { .. })));
    // So is a column of which nothing is known.
    let nothing = json::columns(&lists(&json!({ "x": [null, null] })), 2, &schema).unwrap();
    assert!(matches!(table().with(&[3, 4], &nothing), Err(ColumnsError::Untyped { .. })));
}
