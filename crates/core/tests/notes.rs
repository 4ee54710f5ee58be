//! Notes beside the vectors, through the public door: they come and go with the changes that they belong to.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use linjin::index::error::UpdateError;
use linjin::index::{Add, Index, Metric, Note, Verify, Writing};

mod made;

const DIM: usize = 4;

fn notes(index: &Index) -> Vec<Vec<u8>> {
    index.notes().read().unwrap().map(<[u8]>::to_vec).collect()
}

fn add(index: &Index, ids: &[u64], note: &str) {
    let rows: Vec<f32> = ids.iter().flat_map(|&id| [id as f32; DIM]).collect();
    let make = |added: &[u64]| {
        assert_eq!(added, ids);
        Ok(note.as_bytes().to_vec())
    };
    index.add(&rows, Some(ids), &Add { note: Some(&make), ..Add::default() }).unwrap();
}

fn writable(path: &std::path::Path) -> Index {
    let create = Some((DIM, Metric::Euclidean));
    Index::open_writable(path, &Writing { create, ..Writing::default() }).unwrap()
}

#[test]
fn they_are_in_the_file_and_in_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = Index::new(DIM, Metric::Euclidean).unwrap();
    assert!(index.notes().is_empty());
    add(&index, &[1, 2], "first");
    index.note(Note::Behind(b"")).unwrap();
    index.remove_and_note(&[1], Note::Behind(b"third")).unwrap();
    let expected = [b"first".as_slice(), b"", b"third"];
    assert_eq!(notes(&index), expected);
    index.save(&path).unwrap();
    for verify in [Verify::Header, Verify::Lazy, Verify::Full] {
        let opened = Index::open_with(&path, verify).unwrap();
        assert_eq!(notes(&opened), expected);
        opened.note(Note::Behind(b"fourth")).unwrap();
        assert_eq!(notes(&opened)[3], b"fourth");
        opened.note(Note::Instead(b"alone")).unwrap();
        assert_eq!(notes(&opened), [b"alone"]);
    }
    Index::verify(&path).unwrap();
    let bytes = index.to_bytes().unwrap();
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    assert_eq!(notes(&Index::from_bytes(&bytes).unwrap()), expected);
}

#[test]
fn they_stay_when_all_is_laid_out_anew() {
    let index = Index::new(DIM, Metric::Euclidean).unwrap();
    index.note(Note::Behind(b"kept")).unwrap();
    let mut next = made::noise(1);
    let rows: Vec<f32> = (0..3000 * DIM).map(|_| next()).collect();
    index.add(&rows, None, &Add::default()).unwrap();
    assert!(index.info().leaves > 0);
    index.optimize(None).unwrap();
    assert_eq!(notes(&index), [b"kept"]);
}

#[test]
fn they_are_committed_and_taken_back_with_the_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = writable(&path);
    add(&index, &[1, 2], "one and two");
    assert_eq!(index.info().uncommitted, 2);
    index.commit().unwrap();
    let reader = Index::open(&path).unwrap();
    let before = reader.notes();
    assert!(before.read().unwrap().eq([b"one and two"]));

    index.note(Note::Behind(b"alone")).unwrap();
    assert_eq!(index.info().uncommitted, 1, "worth a commit");
    index.commit().unwrap();
    index.remove_and_note(&[1], Note::Behind(b"lost")).unwrap();
    index.rollback().unwrap();
    assert_eq!(notes(&index), [b"one and two".as_slice(), b"alone"]);
    assert_eq!(index.len(), 2);

    // A reader is told what came.
    assert!(reader.refresh().unwrap());
    let after = reader.notes();
    assert!(after.behind(&before).unwrap().eq([b"alone"]));
    assert!(after.behind(&index.notes()).is_none());

    drop(index);
    for _ in 0..2 {
        assert_eq!(notes(&Index::open(&path).unwrap()), [b"one and two".as_slice(), b"alone"]);
        let again = writable(&path);
        assert_eq!(notes(&again), [b"one and two".as_slice(), b"alone"]);
        again.checkpoint().unwrap();
    }
    let again = writable(&path);
    again.note(Note::Instead(b"only")).unwrap();
    again.note(Note::Behind(b"behind it")).unwrap();
    again.commit().unwrap();
    drop(again);
    assert_eq!(notes(&Index::open(&path).unwrap()), [b"only".as_slice(), b"behind it"]);
}

#[test]
fn without_its_note_an_addition_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let index = writable(&folder.path().join("items.linjin"));
    let make = |_: &[u64]| Err("no note to be had".into());
    let error = index.add(&[0.0; DIM], None, &Add { note: Some(&make), ..Add::default() }).unwrap_err();
    assert!(matches!(error, UpdateError::Note(_)), "{error}");
    assert_eq!(error.to_string(), "no note to be had");
    assert!(index.is_empty() && index.notes().is_empty());
    assert_eq!(index.info().uncommitted, 0);
}

#[test]
fn damaged_notes_are_refused_and_not_salvaged() {
    let folder = tempfile::tempdir().unwrap();
    let (path, saved) = (folder.path().join("items.linjin"), folder.path().join("saved.linjin"));
    let index = Index::new(DIM, Metric::Euclidean).unwrap();
    add(&index, &[1, 2], "a note to be found again");
    index.save(&path).unwrap();
    Index::salvage(&path, &saved).unwrap();
    assert_eq!(notes(&Index::open(&saved).unwrap()), notes(&index));

    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(6).position(|some| some == b"a note").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let opened = Index::open(&path).unwrap();
    let notes_of_it = opened.notes();
    let error = notes_of_it.read().err().unwrap().to_string();
    assert!(error.contains("section Notes"), "{error}");
    assert!(opened.get(1).is_err(), "nothing of a damaged file is believed");
    Index::salvage(&path, &saved).unwrap();
    let salvaged = Index::open(&saved).unwrap();
    assert_eq!((salvaged.len(), salvaged.notes().is_empty()), (2, true));
}
