//! What becomes of every kind of input: the table of `docs/reliability.md`, row by row.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::path::Path;

use linjin::index::error::{SearchError, UpdateError};
use linjin::index::{Add, Effort, Filter, Filters, Index, Metric, NO_ID, Search, Vectors};

/// The first column of the page's table of inputs.
fn rows() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = page.lines().skip_while(|line| *line != "| input | what happens |").skip(2);
    table.map_while(|line| Some(line.strip_prefix("| ")?.split(" | ").next()?.replace('`', ""))).collect()
}

/// Three vectors with the ids 5, 6 and 7.
fn index() -> Index {
    let index = Index::new(2, Metric::Cosine).unwrap();
    index.add(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], Some(&[5, 6, 7]), &Add::default()).unwrap();
    index
}

/// The error of an addition, which has to change nothing.
fn refused<'a>(
    index: &Index,
    vectors: impl Into<Vectors<'a>>,
    ids: Option<&[u64]>,
    replace: bool,
) -> UpdateError {
    let before = (index.ids().unwrap(), index.get(5).unwrap());
    let error = index.add(vectors, ids, &Add { replace, ..Add::default() }).unwrap_err();
    assert_eq!((index.ids().unwrap(), index.get(5).unwrap()), before);
    error
}

fn found(index: &Index, search: &Search<'_>) -> Vec<u64> {
    index.search(&[1.0, 0.1], search).unwrap().ids
}

fn with(effort: Effort) -> Search<'static> {
    Search { effort, ..Search::new(2) }
}

#[test]
fn every_row_of_the_table_holds() {
    let rows = rows();
    assert!(rows.len() > 20, "{rows:?}");
    rows.iter().for_each(|row| check(row));
}

fn check(row: &str) {
    let index = index();
    match row {
        "NaN or an infinity in a vector or a query" => {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let error = refused(&index, &[1.0, 0.0, 2.0, value], None, false);
                assert!(matches!(error, UpdateError::NotFinite { row: 1, column: 1, .. }), "{error}");
                let error = index.search_many(&[1.0, 0.0, value, 1.0], &Search::new(1)).unwrap_err();
                assert!(matches!(error, SearchError::NotFinite { row: 1, column: 0, .. }), "{error}");
            }
        }
        "a vector of zeros under cosine" => {
            assert_eq!(index.add(&[0.0, 0.0], None, &Add::default()).unwrap(), [8]);
            let exactly = Search { effort: Effort::Exact, ..Search::new(9) };
            let hits = index.search(&[1.0, 0.0], &exactly).unwrap();
            assert_eq!(hits.distances[hits.ids.iter().position(|&id| id == 8).unwrap()], 1.0);
            assert_eq!(index.search(&[0.0, 0.0], &Search::new(9)).unwrap().distances, [1.0; 4]);
        }
        "vectors or a query of another dimension" => {
            let error = refused(&index, &[1.0, 2.0, 3.0], None, false);
            assert!(matches!(error, UpdateError::Length { expected: 2, got: 3, .. }), "{error}");
            let error = index.search(&[1.0], &Search::new(1)).unwrap_err();
            assert!(matches!(error, SearchError::Length { expected: 2, got: 1, .. }), "{error}");
        }
        "floats for hamming, bits for another metric" => {
            let error = refused(&index, Vectors::Bits(&[1, 2]), None, false);
            assert!(matches!(error, UpdateError::Kind { expected: "floats", .. }), "{error}");
            let bits = Index::new(8, Metric::Hamming).unwrap();
            assert!(bits.add(&[0.0; 8], None, &Add::default()).is_err());
            assert!(bits.search(&[0.0; 8], &Search::new(1)).is_err());
        }
        "an id that is in use" => {
            let error = refused(&index, &[1.0, 0.0, 0.0, 1.0], Some(&[9, 6]), false);
            assert!(matches!(error, UpdateError::Exists { row: 1, id: 6 }), "{error}");
            index.add(&[9.0, 9.0], Some(&[6]), &Add { replace: true, ..Add::default() }).unwrap();
            assert_eq!(index.len(), 3);
        }
        "an id twice in one call" => {
            for replace in [false, true] {
                let error = refused(&index, &[1.0, 0.0, 0.0, 1.0], Some(&[9, 9]), replace);
                assert!(matches!(error, UpdateError::Exists { row: 1, id: 9 }), "{error}");
            }
        }
        "2⁶⁴ − 1, or a negative number, as an id" => {
            let error = refused(&index, &[1.0, 0.0], Some(&[NO_ID]), true);
            assert!(matches!(error, UpdateError::Reserved { row: 0 }), "{error}");
            assert_eq!((index.get(NO_ID).unwrap(), index.contains(NO_ID).unwrap()), (None, false));
        }
        "numbers by themselves after the id 2⁶⁴ − 2" => {
            index.add(&[1.0, 0.0], Some(&[NO_ID - 1]), &Add::default()).unwrap();
            let error = refused(&index, &[1.0, 0.0], None, false);
            assert!(matches!(error, UpdateError::Reserved { row: 0 }), "{error}");
            // Also where the id is gone, and in a file.
            index.remove(&[NO_ID - 1]).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.linjin");
            index.save(&path).unwrap();
            let index = Index::open(&path).unwrap();
            refused(&index, &[1.0, 0.0], None, false);
            assert_eq!(index.add(&[1.0, 0.0], Some(&[40]), &Add::default()).unwrap(), [40]);
        }
        "remove, get, update of an id that is not there" => {
            let error = index.remove(&[5, 8]).unwrap_err();
            assert!(matches!(error, UpdateError::Unknown { id: 8 }), "{error}");
            assert_eq!((index.len(), index.get(8).unwrap()), (3, None));
        }
        "remove of an id twice" => {
            index.remove(&[5, 5]).unwrap();
            assert_eq!(index.ids().unwrap(), [6, 7]);
        }
        "k of 0" => {
            assert!(found(&index, &Search::new(0)).is_empty());
            let batch = index.search_many(&[1.0, 0.0, 0.0, 1.0], &Search::new(0)).unwrap();
            assert_eq!((batch.counts.as_slice(), batch.ids.len()), ([0, 0].as_slice(), 0));
        }
        "k beyond the number of vectors" => {
            assert_eq!(found(&index, &Search::new(9)), [5, 7, 6]);
            let batch = index.search_many(&[1.0, 0.1], &Search::new(4)).unwrap();
            assert_eq!((batch.ids, batch.counts), (vec![5, 7, 6, NO_ID], vec![3]));
        }
        "k for which there is no memory" => {
            for k in [usize::MAX, 1 << 60, 1 << 50] {
                assert_eq!(found(&index, &Search::new(k)), [5, 7, 6]);
                let error = index.search_many(&[1.0, 0.1, 1.0, 0.0], &Search::new(k)).unwrap_err();
                assert!(matches!(error, SearchError::Memory { queries: 2, .. }), "{error}");
            }
        }
        "ef of 0, or below k" => {
            assert_eq!(found(&index, &with(Effort::Ef(0))), [5, 7]);
            assert_eq!(found(&index, &with(Effort::Ef(1))), [5, 7]);
        }
        "ef beyond the number of vectors" => {
            let large = large();
            for ef in [100_000, usize::MAX] {
                let hits = large.search(&[0.5, 0.5], &with(Effort::Ef(ef))).unwrap();
                assert_eq!(hits, large.search(&[0.5, 0.5], &with(Effort::Exact)).unwrap());
            }
        }
        "a recall of 0, above 1, or NaN" => {
            for recall in [0.0, -1.0, 1.01, f32::NAN, f32::INFINITY] {
                let error = index.search(&[1.0, 0.0], &with(Effort::Recall(recall))).unwrap_err();
                assert!(matches!(error, SearchError::Recall { .. }), "{error}");
            }
        }
        "no vectors in a call" => {
            assert_eq!(index.add(&[], None, &Add::default()).unwrap(), [0_u64; 0]);
            index.remove(&[]).unwrap();
            assert!(index.search_many(&[], &Search::new(3)).unwrap().counts.is_empty());
            assert_eq!(index.len(), 3);
        }
        "an empty index" => empty(),
        "a dimension of 0 or above 65,535" => {
            for dim in [0, 65_536, usize::MAX] {
                assert!(Index::new(dim, Metric::Dot).is_err());
            }
            assert!(Index::new(65_535, Metric::Dot).is_ok());
        }
        // A matter of Python's and the command line's types, and what no machine here has the memory for.
        "a float64 beyond the range of float32"
        | "complex numbers, text, dates as vectors"
        | "vectors for which there is no memory"
        | "more than 2³² − 1 vectors" => {}
        other => panic!("nobody looks at {other:?}"),
    }
}

/// An index with leaves.
fn large() -> Index {
    let index = Index::new(2, Metric::Euclidean).unwrap();
    let rows: Vec<f32> = (0..3000).flat_map(|i| [i as f32 % 53.0, i as f32 / 53.0]).collect();
    index.add(&rows, None, &Add::default()).unwrap();
    index
}

fn empty() {
    let index = Index::new(2, Metric::Cosine).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.linjin");
    index.save(&path).unwrap();
    let none = Filter::Ids(vec![3]);
    for index in [index, Index::open(&path).unwrap()] {
        for effort in [Effort::Exact, Effort::Ef(3), Effort::Recall(0.5)] {
            let search = Search { filter: Some(Filters::Same(&none)), ..with(effort) };
            assert!(found(&index, &search).is_empty() && found(&index, &with(effort)).is_empty());
            assert_eq!(index.search_many(&[1.0, 0.1], &with(effort)).unwrap().ids, [NO_ID; 2]);
        }
        assert!(index.remove(&[0]).is_err() && index.is_empty());
        index.optimize(None).unwrap();
        assert_eq!(index.add(&[1.0, 1.0], None, &Add::default()).unwrap(), [0]);
    }
    assert_eq!(Index::verify(&path).unwrap().len, 0);
}
