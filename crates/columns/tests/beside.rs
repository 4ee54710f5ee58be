//! Columns of an index, through the public door: they come, go and are found with its vectors.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use linjin::index::error::UpdateError;
use linjin::index::{Add, Filter, Filters, Index, Metric, Search, Writing};
use linjin_columns::{Beside, BesideError, Described};

fn rows(numbers: impl Iterator<Item = i64>) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
    RecordBatch::try_from_iter([("n", numbers)]).unwrap()
}

fn numbers(index: &Index, beside: &Beside, ids: &[u64]) -> Vec<Option<i64>> {
    let batch = beside.of(&index.notes()).unwrap().take(ids).unwrap();
    batch.column(0).as_primitive::<Int64Type>().iter().collect()
}

fn found(index: &Index, beside: &Beside, expression: &str) -> Vec<u64> {
    let filter = beside.filter(&index.notes(), expression).unwrap();
    let search = Search { filter: Some(Filters::Same(&filter)), ..Search::new(100) };
    let mut ids = index.search(&[0.0, 0.0], &search).unwrap().ids;
    ids.sort_unstable();
    ids
}

#[test]
fn columns_come_and_go_with_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let options = Writing { create: Some((2, Metric::Euclidean)), ..Writing::default() };
    let index = Index::open_writable(&path, &options).unwrap();
    let beside = Beside::default();
    let ten = rows(0..10);
    beside.add(&index, &[0.0; 20], None, Described::Columns(&ten), &Add::default()).unwrap();
    index.commit().unwrap();
    let (reader, readers) = (Index::open(&path).unwrap(), Beside::default());
    assert_eq!(found(&reader, &readers, "n >= 7"), [7, 8, 9]);

    beside.remove(&index, &[8]).unwrap();
    beside.set(&index, &[9], &rows(90..91)).unwrap();
    beside.add(&index, &[1.0, 1.0], Some(&[8]), Described::Not, &Add::default()).unwrap();
    assert_eq!(numbers(&index, &beside, &[7, 8, 9]), [Some(7), None, Some(90)]);
    assert_eq!(found(&index, &beside, "n >= 7"), [7, 9]);
    assert_eq!(found(&reader, &readers, "n >= 7"), [7, 8, 9], "not committed yet");
    index.commit().unwrap();
    reader.refresh().unwrap();
    assert_eq!(numbers(&reader, &readers, &[7, 8, 9]), [Some(7), None, Some(90)]);
    index.rollback().unwrap();
    assert_eq!(numbers(&index, &beside, &[9]), [Some(90)]);

    let error = beside.set(&index, &[77], &rows(0..1)).unwrap_err();
    assert!(matches!(error, BesideError::Update(UpdateError::Unknown { id: 77 })), "{error}");
    let error = UpdateError::from(beside.set(&index, &[1, 1], &rows(0..2)).unwrap_err());
    assert!(matches!(error, UpdateError::Note(_)), "{error}");
}

#[test]
fn filters_are_masks_where_these_are_smaller() {
    let (index, beside) = (Index::new(2, Metric::Euclidean).unwrap(), Beside::default());
    let thousand = rows(0..1000);
    beside.add(&index, &[0.0; 2000], None, Described::Columns(&thousand), &Add::default()).unwrap();
    assert!(
        matches!(&*beside.filter(&index.notes(), "n != 5").unwrap(), Filter::Mask(words) if words.len() == 16)
    );
    assert!(matches!(&*beside.filter(&index.notes(), "n = 999").unwrap(), Filter::Ids(ids) if ids == &[999]));
    let (once, again) =
        (beside.filter(&index.notes(), "n > 3").unwrap(), beside.filter(&index.notes(), "n > 3").unwrap());
    assert!(Arc::ptr_eq(&once, &again), "worked out once");
}

#[test]
fn what_was_replaced_is_left_out_now_and_then() {
    let (index, beside) = (Index::new(2, Metric::Euclidean).unwrap(), Beside::default());
    beside.add(&index, &[0.0; 20], None, Described::Columns(&rows(0..10)), &Add::default()).unwrap();
    let mut most = 0;
    for i in 0..20_000_i64 {
        beside.set(&index, &[(i % 10) as u64], &rows(i..i + 1)).unwrap();
        most = most.max(beside.of(&index.notes()).unwrap().stored_rows());
    }
    assert!(most <= 2 * 10 + 4096, "{most} rows");
    assert!(index.notes().read().unwrap().count() <= 1024, "few notes to read");
    let last: Vec<_> = (19_990..20_000).map(Some).collect();
    assert_eq!(numbers(&index, &beside, &(0..10).collect::<Vec<_>>()), last);
}

#[test]
fn threads_that_ask_while_others_add_see_whole_changes() {
    let (index, beside) = (Index::new(2, Metric::Euclidean).unwrap(), Beside::default());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let adders: Vec<_> = (0..2_u64)
            .map(|thread| {
                let (index, beside) = (&index, &beside);
                scope.spawn(move || {
                    for i in 0..200 {
                        let ids = [thread * 1000 + i, thread * 1000 + i + 500];
                        let pair = rows([i as i64, i as i64].into_iter());
                        let known = Described::Columns(&pair);
                        beside.add(index, &[0.0; 4], Some(&ids), known, &Add::default()).unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let columns = beside.of(&index.notes()).unwrap();
                let ids = columns.select("n >= 0").unwrap_or_default();
                assert!(ids.len().is_multiple_of(2), "a pair comes as a whole");
            }
        });
        adders.into_iter().for_each(|adder| adder.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(beside.of(&index.notes()).unwrap().rows(), 800);
}

#[test]
fn what_is_found_is_known_while_items_come_and_go() {
    let (index, beside) = (Index::new(2, Metric::Euclidean).unwrap(), Beside::default());
    let add = |name: &str, value: f32| {
        let (names, row) = ([name.to_owned()], rows(std::iter::once(value as i64)));
        let known = Described::Names(&names, Some(&row));
        let options = Add { replace: true, ..Add::default() };
        beside.add(&index, &[value; 2], None, known, &options).unwrap();
    };
    add("one that stays", -1.0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let seeker = scope.spawn(|| {
            let mut found = 0_usize;
            while !done.load(Ordering::Relaxed) {
                let now = index.snapshot();
                let known = beside.of(now.notes()).unwrap();
                let positive = beside.filter(now.notes(), "n >= 0").unwrap();
                let search = Search { filter: Some(Filters::Same(&positive)), ..Search::new(10) };
                let hits = now.search(&[0.0, 0.0], &search).unwrap();
                assert_eq!(
                    hits.ids.len(),
                    known.rows() - 1,
                    "all of which the condition is true, and nothing else"
                );
                let values = known.take(&hits.ids).unwrap();
                for (row, (&id, n)) in
                    hits.ids.iter().zip(values.column(0).as_primitive::<Int64Type>()).enumerate()
                {
                    assert_eq!(known.name_of(id).map(str::to_owned), n.map(|n| format!("item {n}")));
                    let distance = n.unwrap() as f32 * 2.0_f32.sqrt();
                    assert!((hits.distances[row] - distance).abs() < 1e-3, "the vector that was known so");
                    found += 1;
                }
            }
            found
        });
        for i in 0..400 {
            let name = format!("item {}", i % 7);
            add(&name, (i % 7) as f32);
            if i % 3 == 0 {
                let id = beside.ids_of(&index.snapshot(), &[name]).unwrap();
                beside.remove(&index, &id).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(seeker.join().unwrap() > 0, "something was found");
    });
}
