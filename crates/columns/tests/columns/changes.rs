//! Types, superseded rows, names, chunks and compaction.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int8Type, Int64Type};
use arrow_array::{
    ArrayRef, Int64Array, NullArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampSecondArray, record_batch,
};
use arrow_schema::{DataType, TimeUnit};
use linjin_columns::{Columns, ColumnsError};

/// A table of one row with one column.
fn of(values: ArrayRef) -> Result<Columns, ColumnsError> {
    after(&Columns::default(), values)
}

/// The table after row 1 has another value.
fn after(columns: &Columns, values: ArrayRef) -> Result<Columns, ColumnsError> {
    let rows = RecordBatch::try_from_iter_with_nullable([("x", values, true)]).unwrap();
    Ok(columns.with(&(1..=rows.num_rows() as u64).collect::<Vec<_>>(), &rows)?.0)
}

#[test]
fn text_of_any_layout_is_text() {
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    dictionary.append_value("zh");
    let layouts: [ArrayRef; 3] = [
        Arc::new(StringArray::from(vec!["zh"])),
        Arc::new(StringViewArray::from(vec!["zh"])),
        Arc::new(dictionary.finish()),
    ];
    let known = of(layouts[0].clone()).unwrap();
    for values in layouts {
        for columns in [of(values.clone()).unwrap(), after(&known, values).unwrap()] {
            assert_eq!(columns.schema().field(0).data_type(), &DataType::LargeUtf8);
            assert_eq!(columns.select("x = 'zh'").unwrap(), [1]);
        }
    }
}

#[test]
fn numbers_come_into_a_known_type_where_it_holds_them() {
    let int8 = of(record_batch!(("x", Int8, [1])).unwrap().column(0).clone()).unwrap();
    let int64 = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let columns = after(&int8, int64(127)).unwrap();
    assert_eq!(columns.schema().field(0).data_type(), &DataType::Int8);
    assert_eq!(columns.select("x = 127").unwrap(), [1]);
    let lossy = after(&int8, int64(128)).unwrap_err();
    assert_eq!(
        lossy.to_string(),
        "the column `x` is of type int8, which cannot hold all values of this int64: round them and cast to int8, or give the \
         column another name"
    );

    let float = of(record_batch!(("x", Float32, [0.5])).unwrap().column(0).clone()).unwrap();
    let wide = |value: f64| record_batch!(("x", Float64, [value])).unwrap().column(0).clone();
    assert!(after(&float, wide(0.25)).is_ok());
    assert!(after(&float, wide(f64::NAN)).is_ok());
    assert!(matches!(after(&float, wide(0.1)), Err(ColumnsError::Lossy { .. })));
    assert!(after(&float, int64(3)).is_ok());
    assert!(matches!(after(&float, int64(i64::MAX)), Err(ColumnsError::Lossy { .. })));
    assert!(after(&int8, wide(2.0)).is_ok());
    assert!(matches!(after(&int8, wide(2.5)), Err(ColumnsError::Lossy { .. })));
    assert!(matches!(after(&int8, wide(f64::NAN)), Err(ColumnsError::Lossy { .. })));
}

#[test]
fn timestamps_come_into_a_known_unit_of_their_kind() {
    let second = |value: i64| -> ArrayRef { Arc::new(TimestampSecondArray::from(vec![value])) };
    let micro = |value: i64| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(vec![value])) };
    let columns = of(second(1)).unwrap();
    assert_eq!(after(&columns, micro(5_000_000)).unwrap().select("x = '1970-01-01T00:00:05'").unwrap(), [1]);
    assert!(matches!(after(&columns, micro(5_000_001)), Err(ColumnsError::Lossy { .. })));
    let zoned: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1]).with_timezone("Asia/Shanghai"));
    let error = after(&columns, zoned).unwrap_err().to_string();
    assert_eq!(
        error,
        "the column `x` is of type timestamp[s], and now timestamp[s, Asia/Shanghai]: cast it to timestamp[s]"
    );
}

#[test]
fn a_column_of_nulls_needs_a_known_type() {
    let nulls: ArrayRef = Arc::new(NullArray::new(1));
    let error = of(nulls.clone()).unwrap_err().to_string();
    assert!(error.starts_with("the column `x` is new and all null"), "{error}");
    let known = of(Arc::new(StringArray::from(vec!["zh"]))).unwrap();
    assert_eq!(after(&known, nulls).unwrap().select("x is null").unwrap(), [1]);
}

#[test]
fn what_cannot_be_stored_is_named() {
    let two = record_batch!(("a", Int32, [1]), ("a", Int32, [2])).unwrap();
    let unnamed = record_batch!(("a", Int32, [1]), ("", Int32, [2])).unwrap();
    let reserved = record_batch!(("_linjin_id", Int32, [1])).unwrap();
    let binary: ArrayRef = Arc::new(arrow_array::BinaryArray::from(vec![&b"x"[..]]));
    let binary = RecordBatch::try_from_iter([("blob", binary)]).unwrap();
    let list: ArrayRef =
        Arc::new(arrow_array::ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]));
    let list = RecordBatch::try_from_iter([("tags", list)]).unwrap();
    let fine = record_batch!(("a", Int32, [1])).unwrap();
    let error = |ids: &[u64], rows: &RecordBatch| Columns::default().with(ids, rows).unwrap_err().to_string();
    assert_eq!(error(&[1], &two), "there are two columns `a`: rename one of them");
    assert_eq!(error(&[1], &unnamed), "column 1 has no name: give it one");
    assert!(error(&[1], &reserved).starts_with("the column `_linjin_id` cannot be stored"));
    assert!(
        error(&[1], &binary).starts_with("the column `blob` is of type binary: columns are bool, integers")
    );
    assert!(error(&[1], &list).starts_with("the column `tags` is of type list("));
    assert_eq!(error(&[1, 2], &fine), "there are 1 rows for 2 ids: give one for each id");
    let many = record_batch!(("a", Int32, [1, 2, 3])).unwrap();
    assert_eq!(error(&[7, 3, 7], &many), "id 7 is there twice: give one row for each id");
    let known = of(Arc::new(Int64Array::from(vec![1]))).unwrap();
    let clash = after(&known, Arc::new(StringArray::from(vec!["a"]))).unwrap_err().to_string();
    assert_eq!(clash, "the column `x` is of type int64, and now text: cast it to int64");
}

#[test]
fn rows_are_replaced_as_a_whole() {
    let (columns, _) = Columns::default()
        .with(
            &[3, 1, u64::MAX],
            &record_batch!(("a", Int32, [30, 10, 99]), ("b", Utf8, ["x", "y", "z"])).unwrap(),
        )
        .unwrap();
    let (changed, _) = columns.with(&[1], &record_batch!(("c", Float32, [0.5])).unwrap()).unwrap();
    let names: Vec<String> = changed.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(changed.schema().fields().iter().all(|field| field.is_nullable()));
    let rows = changed.take(&[1, 3, 2]).unwrap();
    assert_eq!(
        rows.column(0).as_primitive::<arrow_array::types::Int32Type>().iter().collect::<Vec<_>>(),
        [None, Some(30), None]
    );
    assert_eq!(
        rows.column(2).as_primitive::<Float32Type>().iter().collect::<Vec<_>>(),
        [Some(0.5), None, None]
    );
    // The table that it came of is as it was.
    assert_eq!(columns.select("a = 10").unwrap(), [1]);
    assert_eq!(columns.schema().fields().len(), 2);
    assert_eq!(changed.select("a > 0").unwrap(), [3, u64::MAX]);
}

#[test]
fn names_go_with_their_items() {
    let row = record_batch!(("a", Int32, [1])).unwrap();
    let (columns, _) = Columns::default().with_names(&[5, 4], &["five", "four"], None).unwrap();
    // A row without a name keeps it; a name without a row keeps that.
    let (columns, _) = columns.with(&[5], &row).unwrap();
    assert_eq!(columns.name_of(5), Some("five"));
    let (columns, _) = columns.with_names(&[5], &["FIVE"], None).unwrap();
    assert_eq!((columns.id_of("five"), columns.id_of("FIVE"), columns.name_of(6)), (None, Some(5), None));
    assert_eq!(columns.select("a = 1").unwrap(), [5]);
    // Two items exchange names in one change; a name of its own again is none taken.
    let (columns, _) = columns.with_names(&[4, 5], &["FIVE", "four"], None).unwrap();
    assert_eq!((columns.id_of("FIVE"), columns.id_of("four")), (Some(4), Some(5)));
    let (columns, _) = columns.with_names(&[5], &["four"], Some(&row)).unwrap();
    let error = |ids: &[u64], names: &[&str]| columns.with_names(ids, names, None).unwrap_err().to_string();
    assert_eq!(
        error(&[9], &["four"]),
        "the name \"four\" is that of id 5, and cannot be that of id 9 too: remove that item first, or choose another name"
    );
    assert_eq!(
        error(&[8, 9], &["n", "n"]),
        "the name \"n\" is there twice: give each item a name of its own"
    );
    assert_eq!(error(&[8, 9], &["n"]), "there are 1 names for 2 ids: give one for each id");
    assert_eq!(error(&[8, 8], &["n", "m"]), "id 8 is there twice: give one row for each id");
    // A name is free when its item is gone.
    let (columns, _) = columns.without(&[5, 77]).unwrap();
    assert_eq!((columns.id_of("four"), columns.rows()), (None, 1));
    assert_eq!(columns.with_names(&[9], &["four"], None).unwrap().0.id_of("four"), Some(9));
    let (columns, _) = columns.without(&[4]).unwrap();
    assert!(columns.is_empty() && !columns.has_names());
    assert_eq!(columns.schema().fields().len(), 1);
}

/// What a change takes goes with the number of chunks and with what it shares, not with the table's size.
#[test]
fn many_small_changes_leave_few_chunks() {
    let mut columns = Columns::default();
    let mut most = 0;
    for step in 0..5_000_i64 {
        let id = (step * 7_919 % 3_001) as u64;
        columns = columns.with(&[id], &record_batch!(("a", Int64, [step])).unwrap()).unwrap().0;
        most = most.max(columns.chunks());
    }
    assert_eq!((columns.rows(), columns.stored_rows()), (3_001, 5_000));
    // Each chunk has twice the rows of all behind it: the logarithm of 3,001 to the base 3 is 7.3.
    assert!(most <= 9, "{most} chunks");
    assert_eq!(columns.select("a >= 0").unwrap().len(), 3_001);
    // At most half of the rows in memory are superseded.
    let (compacted, note) = columns.compacted(|_| true).unwrap();
    assert_eq!((compacted.chunks(), compacted.stored_rows()), (1, 3_001));
    assert!(columns.bytes() <= 3 * compacted.bytes(), "{} and {} bytes", columns.bytes(), compacted.bytes());
    assert!(note.len() < 3_001 * 17 + 1_000, "{} bytes", note.len());
}

#[test]
fn memory_is_that_of_what_is_kept() {
    let large: Int64Array = (0..100_000).collect();
    let part: ArrayRef = Arc::new(large.slice(10, 1));
    let rows = RecordBatch::try_from_iter([("a", part)]).unwrap();
    let (columns, note) = Columns::default().with(&[1], &rows).unwrap();
    assert!(columns.bytes() < 1_000, "{} bytes", columns.bytes());
    assert!(note.len() < 600, "a note of one row has {} bytes", note.len());
    let read = Columns::from_notes([note.as_slice()]).unwrap();
    assert!(read.bytes() < 1_000, "{} bytes", read.bytes());
    // Removed rows are let go of.
    let all = RecordBatch::try_from_iter([("a", Arc::new(large) as ArrayRef)]).unwrap();
    let (columns, _) = columns.with(&(0..100_000).collect::<Vec<_>>(), &all).unwrap();
    let (columns, _) = columns.without(&(0..99_000).collect::<Vec<_>>()).unwrap();
    assert!(columns.bytes() < 40_000, "{} bytes", columns.bytes());
}

#[test]
fn an_empty_change_brings_its_columns() {
    let none = record_batch!(("a", Int32, [1])).unwrap().slice(0, 0);
    let (columns, note) = Columns::default().with(&[], &none).unwrap();
    assert_eq!((columns.rows(), columns.schema().fields().len()), (0, 1));
    assert_eq!(Columns::from_notes([note.as_slice()]).unwrap().schema(), columns.schema());
    assert!(columns.select("a = 1").unwrap().is_empty());
    let (again, note) = columns.compacted(|_| true).unwrap();
    assert_eq!(again.schema(), columns.schema());
    assert_eq!(Columns::from_notes([note.as_slice()]).unwrap().schema(), columns.schema());
    let (_, note) = columns.with_names(&[], &[], None).unwrap();
    assert!(Columns::from_notes([note.as_slice()]).unwrap().is_empty());
}

#[test]
fn every_type_comes_back_as_it_went() {
    use arrow_array::*;
    let zone: Arc<str> = "Europe/Berlin".into();
    let half = arrow_cast::cast(&Float32Array::from(vec![Some(0.5), None]), &DataType::Float16).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("i8", Arc::new(Int8Array::from(vec![Some(i8::MIN), None]))),
        ("i16", Arc::new(Int16Array::from(vec![Some(i16::MIN), None]))),
        ("i32", Arc::new(Int32Array::from(vec![Some(i32::MIN), None]))),
        ("i64", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("u8", Arc::new(UInt8Array::from(vec![Some(u8::MAX), None]))),
        ("u16", Arc::new(UInt16Array::from(vec![Some(u16::MAX), None]))),
        ("u32", Arc::new(UInt32Array::from(vec![Some(u32::MAX), None]))),
        ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("f16", half),
        ("f32", Arc::new(Float32Array::from(vec![Some(-0.0), None]))),
        ("f64", Arc::new(Float64Array::from(vec![Some(f64::NAN), None]))),
        ("text", Arc::new(LargeStringArray::from(vec![Some("鄰近"), None]))),
        ("day", Arc::new(Date32Array::from(vec![Some(-1), None]))),
        ("s", Arc::new(TimestampSecondArray::from(vec![Some(1), None]).with_timezone(zone))),
        ("ms", Arc::new(TimestampMillisecondArray::from(vec![Some(1), None]))),
        ("us", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None]))),
        ("ns", Arc::new(TimestampNanosecondArray::from(vec![Some(1), None]))),
    ];
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    let (columns, note) = Columns::default().with(&[1, 2], &rows).unwrap();
    let read = Columns::from_notes([note.as_slice()]).unwrap();
    // Compared as they are printed, in which NaN is NaN.
    for columns in [columns, read] {
        let taken = columns.take(&[1, 2]).unwrap();
        assert_eq!(taken.schema(), rows.schema());
        assert_eq!(format!("{:?}", taken.columns()), format!("{:?}", rows.columns()));
        assert!(columns.take(&[3]).unwrap().columns().iter().all(|values| values.is_null(0)));
    }
    assert_eq!(rows.schema().field(15).data_type(), &DataType::Timestamp(TimeUnit::Millisecond, None));
}
