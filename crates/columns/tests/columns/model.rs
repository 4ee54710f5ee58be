//! Random changes, notes and expressions against a naive table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use linjin_columns::Columns;
use proptest::prelude::*;

/// Ids are below this.
const IDS: u64 = 40;

type Row = (Option<i64>, Option<f64>, Option<String>, Option<bool>);

#[derive(Clone, Debug)]
enum Change {
    /// Rows, with these of the four columns.
    Put(BTreeMap<u64, Row>, [bool; 4]),
    Names(BTreeMap<u64, String>, Option<BTreeMap<u64, Row>>),
    Forget(BTreeSet<u64>),
    Compact(BTreeSet<u64>),
    Reload,
}

#[derive(Clone, Debug)]
enum Asked {
    Whole(&'static str, i64),
    Real(&'static str, f64),
    Text(&'static str, String),
    Flag,
    Null(&'static str),
    Among(Vec<i64>),
    Not(Box<Asked>),
    And(Box<Asked>, Box<Asked>),
    Or(Box<Asked>, Box<Asked>),
    Is(Box<Asked>, bool),
}

fn row() -> impl Strategy<Value = Row> {
    (
        prop::option::weighted(0.8, -3..4i64),
        prop::option::weighted(0.8, (-4..5i32).prop_map(|half| f64::from(half) / 2.0)),
        prop::option::weighted(0.8, "[ab]{0,2}"),
        prop::option::weighted(0.8, any::<bool>()),
    )
}

fn rows() -> impl Strategy<Value = BTreeMap<u64, Row>> {
    prop::collection::btree_map(0..IDS, row(), 0..12)
}

fn change() -> impl Strategy<Value = Change> {
    let names = prop::collection::btree_map(0..IDS, "[a-f][xyz]", 0..4);
    let ids = || prop::collection::btree_set(0..IDS, 0..10);
    prop_oneof![
        6 => (rows(), any::<[bool; 4]>()).prop_map(|(rows, with)| Change::Put(rows, with)),
        4 => (names, prop::option::of(row())).prop_map(|(names, row)| {
            let rows = row.map(|row| names.keys().map(|&id| (id, row.clone())).collect());
            Change::Names(names, rows)
        }),
        2 => ids().prop_map(Change::Forget),
        1 => ids().prop_map(Change::Compact),
        1 => Just(Change::Reload),
    ]
}

const OPERATORS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

fn asked() -> impl Strategy<Value = Asked> {
    let operator = || prop::sample::select(&OPERATORS[..]);
    let leaf = prop_oneof![
        (operator(), -4..5i64).prop_map(|(op, value)| Asked::Whole(op, value)),
        (operator(), (-9..10i32).prop_map(|q| f64::from(q) / 4.0))
            .prop_map(|(op, value)| Asked::Real(op, value)),
        (operator(), "[ab]{0,2}").prop_map(|(op, value)| Asked::Text(op, value)),
        Just(Asked::Flag),
        prop::sample::select(&["whole", "real", "text", "flag"][..]).prop_map(Asked::Null),
        prop::collection::vec(-4..5i64, 0..4).prop_map(Asked::Among),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Asked::Not),
            (boxed.clone(), boxed.clone()).prop_map(|(left, right)| Asked::And(left, right)),
            (boxed.clone(), boxed.clone()).prop_map(|(left, right)| Asked::Or(left, right)),
            (boxed, any::<bool>()).prop_map(|(inner, value)| Asked::Is(inner, value)),
        ]
    })
}

impl Asked {
    fn text(&self) -> String {
        match self {
            Self::Whole(op, value) => format!("whole {op} {value}"),
            // The value on the left: the operator turns round.
            Self::Real(op, value) => format!("{value} {} real", turned(op)),
            Self::Text(op, value) => format!("text {op} '{value}'"),
            Self::Flag => "flag".to_owned(),
            Self::Null(column) => format!("{column} is null"),
            Self::Among(values) => {
                format!("whole in ({})", values.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::And(left, right) => format!("({}) and ({})", left.text(), right.text()),
            Self::Or(left, right) => format!("({}) OR ({})", left.text(), right.text()),
            Self::Is(inner, value) => format!("({}) is {value}", inner.text()),
        }
    }

    fn truth(&self, row: &Row) -> Option<bool> {
        match self {
            Self::Whole(op, value) => Some(holds(op, row.0.as_ref()?.partial_cmp(value)?)),
            Self::Real(op, value) => Some(holds(op, row.1.as_ref()?.partial_cmp(value)?)),
            Self::Text(op, value) => Some(holds(op, row.2.as_ref()?.cmp(value))),
            Self::Flag => row.3,
            Self::Null("whole") => Some(row.0.is_none()),
            Self::Null("real") => Some(row.1.is_none()),
            Self::Null("text") => Some(row.2.is_none()),
            Self::Null(_) => Some(row.3.is_none()),
            Self::Among(values) => Some(values.contains(row.0.as_ref()?)),
            Self::Not(inner) => inner.truth(row).map(|value| !value),
            Self::And(left, right) => match (left.truth(row), right.truth(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.truth(row), right.truth(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Is(inner, value) => Some(inner.truth(row) == Some(*value)),
        }
    }
}

fn turned(op: &str) -> &str {
    match op {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => op,
    }
}

fn holds(op: &str, order: std::cmp::Ordering) -> bool {
    match op {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// Rows in an order that is not that of their ids.
fn batch(rows: &BTreeMap<u64, Row>, with: [bool; 4]) -> (Vec<u64>, RecordBatch) {
    let mut rows: Vec<(u64, Row)> = rows.clone().into_iter().collect();
    rows.sort_by_key(|(id, _)| id * 7 % 13);
    let ids = rows.iter().map(|(id, _)| *id).collect();
    let of = |name: &str, of| Field::new(name, of, true);
    let columns: [(Field, Arc<dyn Array>); 4] = [
        (of("whole", DataType::Int64), Arc::new(Int64Array::from_iter(rows.iter().map(|(_, row)| row.0)))),
        (of("real", DataType::Float64), Arc::new(Float64Array::from_iter(rows.iter().map(|(_, row)| row.1)))),
        (
            of("text", DataType::Utf8),
            Arc::new(StringArray::from_iter(rows.iter().map(|(_, row)| row.2.as_ref()))),
        ),
        (of("flag", DataType::Boolean), Arc::new(BooleanArray::from_iter(rows.iter().map(|(_, row)| row.3)))),
    ];
    let kept = columns.into_iter().zip(with).filter(|(_, with)| *with).map(|(column, _)| column);
    let (fields, arrays): (Vec<_>, Vec<_>) = kept.unzip();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    (ids, RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).unwrap())
}

/// The rows that a batch of `take` has, for the columns that there are.
fn taken(batch: &RecordBatch) -> Vec<Row> {
    let valid = |name: &str, row: usize| batch.column_by_name(name).filter(|column| column.is_valid(row));
    (0..batch.num_rows())
        .map(|row| {
            (
                valid("whole", row).map(|column| column.as_primitive::<Int64Type>().value(row)),
                valid("real", row).map(|column| column.as_primitive::<Float64Type>().value(row)),
                valid("text", row).map(|column| column.as_string::<i64>().value(row).to_owned()),
                valid("flag", row).map(|column| column.as_boolean().value(row)),
            )
        })
        .collect()
}

#[derive(Default)]
struct Model {
    rows: BTreeMap<u64, Row>,
    names: BTreeMap<u64, String>,
}

impl Model {
    /// Whether these items can have these names.
    fn free(&self, names: &BTreeMap<u64, String>) -> bool {
        let distinct: BTreeSet<_> = names.values().collect();
        let others = self.names.iter().filter(|(id, _)| !names.contains_key(id));
        distinct.len() == names.len() && others.into_iter().all(|(_, name)| !distinct.contains(name))
    }

    fn check(&self, columns: &Columns, asked: &[Asked]) {
        let ids: Vec<u64> = (0..IDS).rev().chain([5, 5]).collect();
        let expected: Vec<Row> =
            ids.iter().map(|id| self.rows.get(id).cloned().unwrap_or_default()).collect();
        assert_eq!(taken(&columns.take(&ids).unwrap()), expected);
        assert_eq!(columns.rows(), self.rows.len());
        assert_eq!(columns.is_empty(), self.rows.is_empty());
        assert_eq!(columns.has_names(), !self.names.is_empty());
        for id in 0..IDS {
            assert_eq!(columns.name_of(id), self.names.get(&id).map(String::as_str));
        }
        for (&id, name) in &self.names {
            assert_eq!(columns.id_of(name), Some(id));
        }
        for asked in asked {
            let text = asked.text();
            let Ok(found) = columns.select(&text) else {
                // A column that was never there.
                assert!(
                    columns.schema().fields().len() < 4,
                    "{text}: {}",
                    columns.select(&text).unwrap_err()
                );
                continue;
            };
            let rows = self.rows.iter().filter(|(_, row)| asked.truth(row) == Some(true));
            assert_eq!(found, rows.map(|(&id, _)| id).collect::<Vec<_>>(), "{text}");
        }
        let bound = 2 + (columns.rows().max(1) as f64).log(3.0) as usize;
        assert!(columns.chunks() <= bound, "{} chunks of {} rows", columns.chunks(), columns.rows());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_table_is_what_a_naive_one_is(
        changes in prop::collection::vec(change(), 1..20),
        asked in prop::collection::vec(asked(), 4),
    ) {
        let (mut columns, mut model, mut notes) = (Columns::default(), Model::default(), Vec::<Vec<u8>>::new());
        for change in changes {
            let (next, note) = match change {
                Change::Put(rows, with) => {
                    let (ids, batch) = batch(&rows, with);
                    for (id, (whole, real, text, flag)) in rows {
                        let [a, b, c, d] = with;
                        let row = (whole.filter(|_| a), real.filter(|_| b), text.filter(|_| c), flag.filter(|_| d));
                        model.rows.insert(id, row);
                    }
                    columns.with(&ids, &batch).unwrap()
                }
                Change::Names(names, rows) => {
                    let given: BTreeMap<u64, Row> =
                        names.keys().map(|&id| (id, rows.as_ref().map_or_else(Row::default, |rows| rows[&id].clone()))).collect();
                    let (ids, batch) = batch(&given, [true; 4]);
                    let in_order: Vec<&str> = ids.iter().map(|id| names[id].as_str()).collect();
                    let changed = columns.with_names(&ids, &in_order, rows.as_ref().map(|_| &batch));
                    prop_assert_eq!(changed.is_ok(), model.free(&names));
                    let Ok(changed) = changed else { continue };
                    for (id, name) in names {
                        model.names.insert(id, name);
                        match &rows {
                            Some(rows) => drop(model.rows.insert(id, rows[&id].clone())),
                            None => drop(model.rows.entry(id).or_default()),
                        }
                    }
                    changed
                }
                Change::Forget(ids) => {
                    model.rows.retain(|id, _| !ids.contains(id));
                    model.names.retain(|id, _| !ids.contains(id));
                    columns.without(&ids.into_iter().rev().collect::<Vec<_>>()).unwrap()
                }
                Change::Compact(dead) => {
                    model.rows.retain(|id, _| !dead.contains(id));
                    model.names.retain(|id, _| !dead.contains(id));
                    notes.clear();
                    let (compacted, note) = columns.compacted(|id| !dead.contains(&id)).unwrap();
                    prop_assert_eq!(compacted.stored_rows(), compacted.rows());
                    prop_assert_eq!(compacted.schema(), columns.schema());
                    (compacted, note)
                }
                Change::Reload => {
                    let read = Columns::from_notes(notes.iter().map(Vec::as_slice)).unwrap();
                    prop_assert_eq!(read.schema(), columns.schema());
                    prop_assert_eq!(read.stored_rows(), columns.stored_rows());
                    columns = read;
                    model.check(&columns, &asked);
                    continue;
                }
            };
            // What was there before is as it was, whatever was made of it.
            let before = columns.take(&(0..IDS).collect::<Vec<_>>()).unwrap();
            model.check(&next, &asked);
            prop_assert_eq!(columns.take(&(0..IDS).collect::<Vec<_>>()).unwrap(), before);
            columns = next;
            notes.push(note);
        }
    }
}
