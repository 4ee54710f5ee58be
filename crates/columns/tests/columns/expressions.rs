//! What each part of an expression means.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch,
    StringArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use linjin_columns::Columns;

use crate::selects;

const SECOND: i64 = 1_767_225_600; // 2026-01-01T00:00:00Z
const DAY: i32 = 20_454; // 2026-01-01

/// Five rows, 1 to 5, of which the last has nothing but nulls; row 2 lies in another chunk than the others.
fn table() -> Columns {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("small", Arc::new(Int8Array::from(vec![Some(-128), Some(0), Some(5), Some(127), None]))),
        ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(2), Some(3), Some(i64::MAX), None]))),
        ("big", Arc::new(UInt64Array::from(vec![Some(0), Some(2), Some(1 << 63), Some(u64::MAX), None]))),
        (
            "price",
            Arc::new(Float32Array::from(vec![Some(0.1), Some(-0.0), Some(10.0), Some(f32::NAN), None])),
        ),
        (
            "score",
            Arc::new(Float64Array::from(vec![
                Some(0.1),
                Some(2.0),
                Some(f64::INFINITY),
                Some(f64::NAN),
                None,
            ])),
        ),
        ("lang", Arc::new(StringArray::from(vec![Some("zh"), Some("en"), Some("zh-TW"), Some(""), None]))),
        (
            "title",
            Arc::new(StringArray::from(vec![Some("Über 100%"), Some("it's"), Some("a_b"), Some("zh"), None])),
        ),
        ("sold", Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true), Some(false), None]))),
        ("day", Arc::new(Date32Array::from(vec![Some(DAY - 1), Some(DAY), Some(DAY + 1), Some(-1), None]))),
        (
            "added",
            Arc::new(TimestampSecondArray::from(vec![
                Some(SECOND - 1),
                Some(SECOND),
                Some(SECOND + 1),
                Some(0),
                None,
            ])),
        ),
        (
            "seen",
            Arc::new(
                TimestampMillisecondArray::from(vec![
                    Some(SECOND * 1000 - 1),
                    Some(SECOND * 1000),
                    Some(SECOND * 1000 + 1),
                    Some(0),
                    None,
                ])
                .with_timezone("Asia/Shanghai"),
            ),
        ),
        (
            "nano",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(0),
                Some(1),
                Some(i64::MAX),
                Some(i64::MIN),
                None,
            ])),
        ),
        ("Two words", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]))),
        ("meta.lang", Arc::new(StringArray::from(vec!["a", "b", "c", "d", "e"]))),
        ("类别", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]))),
        ("user", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]))),
        ("date", Arc::new(Date32Array::from(vec![DAY; 5]))),
    ];
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    let (columns, _) = Columns::default().with(&[1, 2, 3, 4, 5], &rows).unwrap();
    let (columns, _) = columns.with(&[2], &rows.slice(1, 1)).unwrap();
    assert_eq!(columns.chunks(), 2);
    columns
}

fn all(cases: &[(&str, &[u64])]) {
    selects(&table(), cases);
}

#[test]
fn comparisons() {
    all(&[
        ("small = 5", &[3]),
        ("small == 5", &[3]),
        ("small != 5", &[1, 2, 4]),
        ("small <> 5", &[1, 2, 4]),
        ("small < 5", &[1, 2]),
        ("small <= 5", &[1, 2, 3]),
        ("small > 5", &[4]),
        ("small >= 5", &[3, 4]),
        ("5 < small", &[4]),
        ("5 >= small", &[1, 2, 3]),
        ("(small) = (((5)))", &[3]),
        ("small = -128", &[1]),
        ("small > - 1", &[2, 3, 4]),
        ("small = +5", &[3]),
    ]);
}

#[test]
fn logic() {
    all(&[
        ("true", &[1, 2, 3, 4, 5]),
        ("FALSE", &[]),
        ("sold", &[1, 3]),
        ("not sold", &[2, 4]),
        ("NOT NOT sold", &[1, 3]),
        ("sold = true", &[1, 3]),
        ("sold != true", &[2, 4]),
        ("sold = false or small = 5", &[2, 3, 4]),
        ("sold in (true)", &[1, 3]),
        // AND binds more than OR, and NOT more than both.
        ("sold or small = 0 and lang = 'zh'", &[1, 3]),
        ("(sold or small = 0) and lang = 'zh'", &[1]),
        ("not sold or sold", &[1, 2, 3, 4]),
        ("not (sold or small = 0)", &[4]),
        ("not sold and not small = 0", &[4]),
        // Null is neither, unless the other side decides.
        ("sold and true", &[1, 3]),
        ("sold or true", &[1, 2, 3, 4, 5]),
        ("not (sold and false)", &[1, 2, 3, 4, 5]),
        ("sold is null", &[5]),
        ("sold is not null", &[1, 2, 3, 4]),
        ("sold is true", &[1, 3]),
        ("sold is not true", &[2, 4, 5]),
        ("sold is false", &[2, 4]),
        ("sold is not false", &[1, 3, 5]),
        ("(small > 0) is not true", &[1, 2, 5]),
    ]);
}

#[test]
fn nulls() {
    all(&[
        ("lang is null", &[5]),
        ("\"lang\" IS NOT NULL", &[1, 2, 3, 4]),
        ("lang != 'zh'", &[2, 3, 4]),
        ("not lang = 'zh'", &[2, 3, 4]),
        ("lang not in ('zh')", &[2, 3, 4]),
        ("small != 1000", &[1, 2, 3, 4]),
        ("not small = 1000", &[1, 2, 3, 4]),
        ("small = big or true", &[1, 2, 3, 4, 5]),
    ]);
}

#[test]
fn numbers_compare_by_value() {
    all(&[
        ("small < 2.5", &[1, 2]),
        ("small >= 2.5", &[3, 4]),
        ("small = 5.0", &[3]),
        ("small = 5.5", &[]),
        ("small != 5.5", &[1, 2, 3, 4]),
        ("small > -0.5", &[2, 3, 4]),
        ("small <= -0.5", &[1]),
        ("small < 128", &[1, 2, 3, 4]),
        ("small > 128", &[]),
        ("small >= -129", &[1, 2, 3, 4]),
        ("small = 1e30", &[]),
        ("small < 1e300", &[1, 2, 3, 4]),
        ("int = 9223372036854775807", &[4]),
        ("int >= 9223372036854775807", &[4]),
        ("int < 9223372036854775808", &[1, 2, 3, 4]),
        ("int = -9223372036854775808", &[1]),
        ("int > 9223372036854775806.5", &[4]),
        ("big = 18446744073709551615", &[4]),
        ("big > 9223372036854775807", &[3, 4]),
        ("big >= 18446744073709551616", &[]),
        ("big > -1", &[1, 2, 3, 4]),
        ("big > -0.5", &[1, 2, 3, 4]),
        ("big in (9223372036854775808, -1, 2.0, 2.5, 1e30)", &[2, 3]),
        ("int in (3, 9223372036854775808)", &[3]),
        ("small in (5, 300, -128)", &[1, 3]),
    ]);
}

#[test]
fn floats_compare_as_they_are_stored() {
    all(&[
        ("price = 0.1", &[1]),
        ("price <= 0.1", &[1, 2]),
        ("score = 0.1", &[1]),
        ("price = 0", &[2]),
        ("price = -0.0", &[2]),
        ("price < 0", &[]),
        ("price in (0, 0.1)", &[1, 2]),
        ("price in (-0.0)", &[2]),
        // NaN is not equal to anything, nor less or more.
        ("score > 0", &[1, 2, 3]),
        ("score != 2", &[1, 3, 4]),
        ("not score = 2", &[1, 3, 4]),
        ("score < 1e308", &[1, 2]),
        ("score > 1e308", &[3]),
    ]);
}

#[test]
fn columns_compare_with_columns() {
    all(&[
        ("int = big", &[2]),
        ("int < big", &[1, 3, 4]),
        ("big > int", &[1, 3, 4]),
        ("small < int", &[2, 4]),
        ("score = int", &[2]),
        ("price = small", &[2]),
        ("price < score", &[2, 3]),
        ("score != score", &[4]),
        ("lang = title", &[]),
        ("lang < title", &[1, 2, 4]),
        ("sold = sold", &[1, 2, 3, 4]),
        ("day < date", &[1, 4]),
        ("added = added", &[1, 2, 3, 4]),
    ]);
}

#[test]
fn text() {
    all(&[
        ("lang = 'zh'", &[1]),
        ("lang == \"zh\"", &[1]),
        ("\"zh\" == lang", &[1]),
        ("\"lang\" == 'zh'", &[1]),
        ("`lang` = 'zh'", &[1]),
        // In double quotes a column, as there is one of that name.
        ("lang != \"lang\"", &[]),
        ("lang = 'lang'", &[]),
        ("title = 'it''s'", &[2]),
        ("title = \"it's\"", &[2]),
        ("lang = ''", &[4]),
        ("lang > 'en'", &[1, 3]),
        ("lang in ('en', \"zh\")", &[1, 2]),
        ("lang not in ('en', 'zh')", &[3, 4]),
        ("lang in ()", &[]),
        ("lang between 'en' and 'zh'", &[1, 2]),
        ("lang not between 'en' and 'zh'", &[3, 4]),
        ("small between -1 and 5", &[2, 3]),
        ("lang like 'zh%'", &[1, 3]),
        ("lang like \"zh%\"", &[1, 3]),
        ("lang not like 'zh%'", &[2, 4]),
        ("lang like '%-%'", &[3]),
        ("lang like '_h'", &[1]),
        ("lang like 'ZH'", &[]),
        ("lang ilike 'ZH-tw'", &[3]),
        ("lang not ilike 'ZH%'", &[2, 4]),
        ("title ilike 'üBER%'", &[1]),
        ("title like '%100\\%'", &[1]),
        ("title like 'a\\_b'", &[3]),
        ("title like '_ber%'", &[1]),
    ]);
}

#[test]
fn dates_and_times() {
    all(&[
        ("day = '2026-01-01'", &[2]),
        ("day >= '2026-01-01'", &[2, 3]),
        ("day < '2026-01-01T12:00'", &[1, 2, 4]),
        ("day = '2026-01-01T12:00:00'", &[]),
        ("day in ('2026-01-02', '1969-12-31')", &[3, 4]),
        ("day > date '2026-01-01'", &[3]),
        ("added >= '2026-01-01'", &[2, 3]),
        ("added > timestamp '2026-01-01 00:00:00'", &[3]),
        ("added = '2026-01-01T00:00:00.5'", &[]),
        ("added > '2026-01-01T00:00:00.5'", &[3]),
        ("added = '2026-01-01T08:00:00+08:00'", &[2]),
        ("added in ('2026-01-01', '1970-01-01T00:00:00Z')", &[2, 4]),
        ("seen < '2026-01-01'", &[1, 4]),
        ("seen >= '2026-01-01 00:00:00.001'", &[3]),
        ("seen between '2025-12-31' and '2026-01-01'", &[1, 2]),
        ("nano > '1970-01-01'", &[2, 3]),
        ("nano < '9999-12-31'", &[1, 2, 3, 4]),
        ("date = '2026-01-01'", &[1, 2, 3, 4, 5]),
    ]);
}

#[test]
fn names_of_columns() {
    all(&[
        ("\"Two words\" = 2", &[2]),
        ("`Two words` = 2", &[2]),
        ("meta.lang = 'c'", &[3]),
        ("\"meta.lang\" = 'c'", &[3]),
        ("类别 = 4", &[4]),
        ("user = 1", &[1]),
        ("user in (1, 2) and user between 2 and 3", &[2]),
    ]);
}

#[test]
fn a_row_that_was_superseded_is_not_found() {
    let table = table();
    let gone =
        RecordBatch::try_from_iter([("small", Arc::new(Int8Array::from(vec![1])) as ArrayRef)]).unwrap();
    let (table, _) = table.with(&[3], &gone).unwrap();
    assert_eq!(table.select("small = 5").unwrap(), [0_u64; 0]);
    assert_eq!(table.select("small = 1 and lang is null").unwrap(), [3]);
    let (table, _) = table.without(&[1]).unwrap();
    assert_eq!(table.select("true").unwrap(), [2, 3, 4, 5]);
}

#[test]
fn long_lists_and_chains_are_read() {
    let table = table();
    let list = (0..9_000).map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(table.select(&format!("int in ({list})")).unwrap(), [2, 3]);
    let chain = vec!["user = 3"; 500].join(" or ");
    assert_eq!(table.select(&chain).unwrap(), [3]);
    let chain = vec!["user > 3"; 500].join(" and ");
    assert_eq!(table.select(&chain).unwrap(), [4, 5]);
}
