//! Notes that are damaged or foreign.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, Int64Array, LargeStringArray, RecordBatch, StringArray, UInt64Array,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use linjin_columns::{Columns, ColumnsError};

/// A note with a column of each kind of buffers, with nulls, and with names.
fn note() -> (Columns, Vec<u8>) {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
        ("text", Arc::new(StringArray::from(vec![Some("one"), Some("two"), None]))),
        ("flag", Arc::new(arrow_array::BooleanArray::from(vec![Some(true), None, Some(false)]))),
        (
            "time",
            Arc::new(arrow_array::TimestampSecondArray::from(vec![Some(1), None, None]).with_timezone("UTC")),
        ),
        ("half", arrow_cast::cast(&Int64Array::from(vec![1, 2, 3]), &DataType::Float16).unwrap()),
        ("day", Arc::new(arrow_array::Date32Array::from(vec![1, 2, 3]))),
    ];
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    Columns::default().with_names(&[10, 20, 30], &["a", "b", "c"], Some(&rows)).unwrap()
}

/// Reads a note that may be anything, and uses what it says.
fn read(note: &[u8]) -> Option<Columns> {
    let columns = match Columns::from_notes([note]) {
        Ok(columns) => columns,
        Err(error) => {
            assert!(
                matches!(
                    error,
                    ColumnsError::Damaged { .. } | ColumnsError::Version { .. } | ColumnsError::Arrow(_)
                ),
                "{error:?}"
            );
            return None;
        }
    };
    assert!(columns.rows() <= note.len());
    assert!(columns.bytes() <= 16 * note.len() + 10_000, "{} bytes of {}", columns.bytes(), note.len());
    columns.take(&[10, 20, 30, 40]).unwrap();
    columns.select("true").unwrap();
    let _ = columns.select(
        "int > 1 and text like '%o%' or flag or time > '2026-01-01' or half < 1 or day < '2026-01-01'",
    );
    let _ = (columns.id_of("a"), columns.name_of(10), columns.id_of(""));
    columns.compacted(|_| true).unwrap();
    Some(columns)
}

#[test]
fn damage_at_any_byte_is_an_error_or_a_table() {
    let (_, whole) = note();
    for at in 0..whole.len() {
        for change in [0x01, 0x02, 0x04, 0x10, 0x40, 0x80, 0xff] {
            let mut note = whole.clone();
            note[at] ^= change;
            read(&note);
        }
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut note = whole.clone();
            note[at] = value;
            read(&note);
        }
        // Whole words are offsets, lengths and counts.
        for value in [0, 1, -1, i32::MAX, i32::MIN, 0x0100_0000] {
            let mut note = whole.clone();
            if let Some(word) = note.get_mut(at..at + 4) {
                word.copy_from_slice(&value.to_le_bytes());
                read(&note);
            }
        }
        for value in [-1, i64::MAX, i64::MIN, 1 << 40, 1 << 61] {
            let mut note = whole.clone();
            if let Some(word) = note.get_mut(at..at + 8) {
                word.copy_from_slice(&value.to_le_bytes());
                read(&note);
            }
        }
    }
}

#[test]
fn a_cut_note_is_an_error() {
    let (_, whole) = note();
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_none(), "{end} bytes");
    }
    assert!(read(&[&whole[..], &[0]].concat()).is_none());
    assert!(read(&[&whole[..], &whole[..]].concat()).is_none());
    assert!(read(&whole).is_some());
}

#[test]
fn random_bytes_are_an_error() {
    let (_, whole) = note();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..20_000 {
        let mut note = whole.clone();
        for _ in 0..1 + next() % 6 {
            let at = next() as usize % note.len();
            note[at] = next() as u8;
        }
        read(&note);
    }
    for length in 0..200 {
        assert!(read(&(0..length).map(|_| next() as u8).collect::<Vec<_>>()).is_none());
    }
}

/// A stream of these columns, as another program may write it.
fn stream(metadata: &[(&str, &str)], columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), values.is_nullable()))
        .collect();
    let metadata: HashMap<_, _> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let batch = RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, values)| values).collect())
        .unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    // In two batches, where there are rows for that.
    let half = batch.num_rows() / 2;
    writer.write(&batch.slice(0, half)).unwrap();
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn foreign_streams_are_refused_with_their_reason() {
    let ids = || ("_linjin_id", Arc::new(UInt64Array::from(vec![2, 1])) as ArrayRef);
    let int = || Arc::new(Int64Array::from(vec![5, 6])) as ArrayRef;
    let own = [("linjin", "1")];
    let fine = Columns::from_notes([stream(&own, vec![ids(), ("a", int())]).as_slice()]).unwrap();
    assert_eq!(fine.select("a = 5").unwrap(), [2]);

    let two = Arc::new(UInt64Array::from(vec![1, 1])) as ArrayRef;
    let text = Arc::new(StringArray::from(vec!["x", "y"])) as ArrayRef;
    let names = Arc::new(LargeStringArray::from(vec!["x", "x"])) as ArrayRef;
    let binary = Arc::new(BinaryArray::from(vec![&b"x"[..], b"y"])) as ArrayRef;
    let holes = Arc::new(UInt64Array::from(vec![Some(1), None])) as ArrayRef;
    let first = "its first column is not `_linjin_id` of uint64 without nulls";
    let cases = [
        (stream(&[], vec![ids()]), "it is an Arrow stream, but not of linjin: its metadata have no `linjin`"),
        (stream(&own, vec![("a", int())]), first),
        (stream(&own, vec![("_linjin_id", int())]), first),
        (stream(&own, vec![("_linjin_id", holes)]), first),
        (stream(&own, vec![("_linjin_id", two)]), "id 1 is there twice: give one row for each id"),
        (
            stream(&own, vec![ids(), ("a", int()), ("a", int())]),
            "its column 1 is called \"a\", as no column can be",
        ),
        (stream(&own, vec![ids(), ("", int())]), "its column 0 is called \"\", as no column can be"),
        (
            stream(&own, vec![ids(), ("_linjin_x", int())]),
            "its column 0 is called \"_linjin_x\", as no column can be",
        ),
        (
            stream(&own, vec![ids(), ("_linjin_name", int())]),
            "its column `_linjin_name` is not of large_utf8",
        ),
        (
            stream(&own, vec![ids(), ("_linjin_name", names)]),
            "the name \"x\" is there twice: give each item a name of its own",
        ),
        (stream(&own, vec![ids(), ("a", text)]), "its column \"a\" is of a type (Utf8) that is not stored"),
        (
            stream(&own, vec![ids(), ("a", binary)]),
            "its column \"a\" is of a type (Binary) that is not stored",
        ),
        (
            stream(&[("linjin", "1"), ("forget", "")], vec![ids(), ("a", int())]),
            "it forgets ids, but has a column `a`",
        ),
    ];
    for (note, expected) in cases {
        let error = Columns::from_notes([note.as_slice()]).unwrap_err().to_string();
        assert_eq!(error, format!("a note of columns is damaged: {expected}"));
    }
    let newer = stream(&[("linjin", "2")], vec![ids()]);
    assert_eq!(
        Columns::from_notes([newer.as_slice()]).unwrap_err().to_string(),
        "a note of columns has version \"2\", this linjin reads \"1\": upgrade linjin"
    );
}

#[test]
fn notes_that_contradict_each_other_are_damaged() {
    let one = Columns::default().with_names(&[1], &["a"], None).unwrap().1;
    let other = Columns::default().with_names(&[2], &["a"], None).unwrap().1;
    let error = Columns::from_notes([one.as_slice(), other.as_slice()]).unwrap_err().to_string();
    assert!(error.starts_with("a note of columns is damaged: the name \"a\" is that of id 1"), "{error}");
    let own = [("linjin", "1")];
    let column = |values: ArrayRef| {
        stream(&own, vec![("_linjin_id", Arc::new(UInt64Array::from(vec![1, 2]))), ("a", values)])
    };
    let int = column(Arc::new(Int64Array::from(vec![1, 2])));
    let text = column(Arc::new(LargeStringArray::from(vec!["1", "2"])));
    let error = Columns::from_notes([int.as_slice(), text.as_slice()]).unwrap_err().to_string();
    assert!(
        error.starts_with("a note of columns is damaged: the column `a` is of type int64, and now text"),
        "{error}"
    );
}
