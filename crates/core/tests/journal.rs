//! An index that is open for writing, through the public door: what is durable, what is not, and who sees what.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linjin::index::error::{CommitError, OpenError, UpdateError};
use linjin::index::{Add, Autocommit, Effort, Index, Metric, Search, Vector, Vectors, Writing};

mod made;

const DIM: usize = 4;
/// Bytes of the head of a journal, and of the record with which every one ends.
const HEAD: usize = 56;
const BEGIN: usize = 40;

fn new(metric: Metric, dim: usize) -> Writing {
    Writing { create: Some((dim, metric)), ..Writing::default() }
}

fn create(path: &Path) -> Index {
    Index::open_writable(path, &new(Metric::Euclidean, DIM)).unwrap()
}

fn again(path: &Path) -> Index {
    Index::open_writable(path, &Writing::default()).unwrap()
}

fn journal(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-journal", path.display()))
}

fn add(index: &Index, ids: &[u64]) {
    let rows: Vec<f32> = ids.iter().flat_map(|&id| [id as f32; DIM]).collect();
    index.add(&rows, Some(ids), &Add { replace: true, ..Add::default() }).unwrap();
}

/// The names in the folder of `path`.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_committed_is_there_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = create(&path);
    add(&index, &[1, 2, 3]);
    assert_eq!((index.info().generation, index.info().uncommitted), (0, 3));
    assert_eq!(index.commit().unwrap(), 1);
    assert_eq!(index.commit().unwrap(), 1, "there was nothing to commit");
    index.remove(&[2]).unwrap();
    add(&index, &[3, 4]);
    assert_eq!(index.ids().unwrap(), [1, 3, 4], "searched at once");
    drop(index);

    let index = again(&path);
    assert_eq!(index.ids().unwrap(), [1, 2, 3]);
    let recovered = index.info().recovered.unwrap();
    assert_eq!((recovered.commits, recovered.changes), (1, 3));
    index.remove(&[2]).unwrap();
    index.rollback().unwrap();
    assert_eq!(index.ids().unwrap(), [1, 2, 3]);
    index.remove(&[3]).unwrap();
    assert_eq!(index.commit().unwrap(), 2);
    drop(index);
    // The number of a vector that is gone is not given again.
    let index = again(&path);
    assert_eq!(index.add(&[0.0; DIM], None, &Add::default()).unwrap(), [4]);
}

#[test]
fn all_metrics_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    for metric in Metric::ALL {
        let path = folder.path().join(metric.name());
        // Not a multiple of eight bits, and bits beyond the last one.
        let (dim, n) = (21, 3000);
        let index = Index::open_writable(&path, &new(metric, dim)).unwrap();
        let mut noise = made::noise(9);
        let (floats, bits): (Vec<f32>, Vec<u8>) = match metric.is_binary() {
            true => (Vec::new(), (0..n * 3).map(|_| (noise() * 127.0) as i8 as u8).collect()),
            false => ((0..n * dim).map(|_| noise()).collect(), Vec::new()),
        };
        let vectors = if metric.is_binary() { Vectors::Bits(&bits) } else { Vectors::Floats(&floats) };
        index.add(vectors, None, &Add::default()).unwrap();
        index.remove(&[5, 7]).unwrap();
        index.commit().unwrap();
        let found = Index::open(&path).unwrap();
        assert_eq!(found.ids().unwrap(), index.ids().unwrap());
        assert!(found.info().leaves > 0, "{metric}");
        let exact = Search { effort: Effort::Exact, ..Search::new(10) };
        for id in [0, 6, 2999] {
            assert_eq!(found.get(id).unwrap(), index.get(id).unwrap());
            let hits = match index.get(id).unwrap().unwrap() {
                Vector::Floats(query) => [&found, &index].map(|it| it.search(&query, &exact).unwrap()),
                Vector::Bits(query) => {
                    [&found, &index].map(|it| it.search(Vectors::Bits(&query), &exact).unwrap())
                }
            };
            assert_eq!(hits[0], hits[1], "{metric}");
        }
    }
}

/// A file with a journal of three commits, and where each of them ends.
fn three_commits(path: &Path) -> [usize; 3] {
    let index = create(path);
    let ends = [[1, 2], [3, 4], [5, 6]].map(|ids| {
        add(&index, &ids);
        index.commit().unwrap();
        fs::metadata(journal(path)).unwrap().len() as usize - BEGIN
    });
    add(&index, &[7]); // in memory only
    ends
}

#[test]
fn a_journal_cut_at_any_byte_gives_the_commits_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let ends = three_commits(&path);
    let whole = fs::read(journal(&path)).unwrap();
    for len in 0..=whole.len() {
        fs::write(journal(&path), &whole[..len]).unwrap();
        if len < HEAD {
            let error = Index::open(&path).unwrap_err();
            assert!(matches!(error, OpenError::Journal { .. }), "{error}");
            continue;
        }
        let index = Index::open(&path).unwrap();
        let commits = ends.iter().filter(|&&end| end <= len).count() as u64;
        assert_eq!((index.info().generation, index.len() as u64), (commits, 2 * commits), "{len} bytes");
        let behind = ends.iter().rev().find(|&&end| end <= len).map_or(HEAD, |&end| end);
        assert_eq!(index.info().recovered.unwrap().torn, (len - behind) as u64);
    }
    // The next writer goes on from there.
    fs::write(journal(&path), &whole[..ends[1] + 50]).unwrap();
    let index = again(&path);
    add(&index, &[9]);
    assert_eq!(index.commit().unwrap(), 3);
    assert_eq!(Index::open(&path).unwrap().ids().unwrap(), [1, 2, 3, 4, 9]);
}

#[test]
fn damage_before_the_end_is_an_error_and_not_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let ends = three_commits(&path);
    let whole = fs::read(journal(&path)).unwrap();
    for at in 0..ends[2] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(journal(&path), damaged).unwrap();
        match Index::open(&path) {
            // Zeros that fill up mean nothing.
            Ok(index) => assert!(whole[at] == 0 && index.ids().unwrap() == [1, 2, 3, 4, 5, 6], "byte {at}"),
            Err(error) => assert!(error.to_string().contains("journal"), "{error}"),
        }
    }
    let mut damaged = whole.clone();
    damaged[ends[1] + 60] ^= 1;
    fs::write(journal(&path), damaged).unwrap();
    let error = again_error(&path).to_string();
    assert!(error.contains("commit 3 is damaged") && error.contains("items.linjin-journal"), "{error}");
    // What begins the next transaction is no loss.
    for at in ends[2]..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(journal(&path), damaged).unwrap();
        assert_eq!(Index::open(&path).unwrap().len(), 6);
    }
}

/// A power cut may leave some sectors of one try at a commit and some of the next, which was written over it.
#[test]
fn what_two_tries_at_a_commit_left_is_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = create(&path);
    add(&index, &[1, 2]);
    index.commit().unwrap();
    drop(index);
    let before = fs::read(journal(&path)).unwrap();
    let [one, other] = [[3, 4], [5, 6]].map(|ids| {
        fs::write(journal(&path), &before).unwrap();
        let index = again(&path);
        add(&index, &ids);
        index.commit().unwrap();
        drop(index);
        fs::read(journal(&path)).unwrap()
    });
    let end = one.len() - BEGIN;
    let last = end - BEGIN - 8; // the record of the commit, with its sum
    fs::write(journal(&path), [&one[..last], &other[last..end]].concat()).unwrap();
    for index in [Index::open(&path).unwrap(), again(&path)] {
        assert_eq!(index.ids().unwrap(), [1, 2]);
        assert_eq!(index.info().recovered.unwrap().torn as usize, end - before.len() + BEGIN);
    }
    // One that was longer, behind one that came to the disk as a whole.
    let [long, short] = [true, false].map(|long| {
        fs::write(journal(&path), &before).unwrap();
        let index = again(&path);
        if long {
            add(&index, &[3]);
            index.remove(&[1]).unwrap(); // a record as long as that of a commit
            add(&index, &[5]);
        } else {
            add(&index, &[4]);
        }
        index.commit().unwrap();
        drop(index);
        fs::read(journal(&path)).unwrap()
    });
    let end_of_short = short.len() - BEGIN;
    fs::write(journal(&path), [&short[..end_of_short], &long[end_of_short..long.len() - BEGIN]].concat())
        .unwrap();
    for index in [Index::open(&path).unwrap(), again(&path)] {
        assert_eq!((index.ids().unwrap(), index.info().generation), (vec![1, 2, 4], 2));
    }
    // With the record that begins the next transaction behind it, it was durable once.
    fs::write(journal(&path), [&one[..last], &other[last..]].concat()).unwrap();
    let error = again_error(&path).to_string();
    assert!(error.contains("commit 2 is damaged"), "{error}");
}

#[test]
fn a_journal_of_more_commits_than_there_can_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    three_commits(&path);
    let mut bytes = fs::read(journal(&path)).unwrap();
    bytes[32..40].fill(255);
    let sum = crc32fast::hash(&bytes[..48]);
    bytes[48..52].copy_from_slice(&sum.to_le_bytes());
    fs::write(journal(&path), &bytes).unwrap();
    for error in [Index::open(&path).unwrap_err(), again_error(&path)] {
        assert!(error.to_string().contains("begins behind commit 18446744073709551615"), "{error}");
    }
}

fn again_error(path: &Path) -> OpenError {
    Index::open_writable(path, &Writing::default()).unwrap_err()
}

#[test]
fn one_writes_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = create(&path);
    let begun = Instant::now();
    let error = again_error(&path);
    assert!(
        matches!(error, OpenError::Locked { .. }) && error.to_string().contains("items.linjin"),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_millis(100));
    add(&index, &[1]);
    index.close().unwrap();
    index.close().unwrap();
    assert!(index.is_empty(), "what was not committed is taken back");
    assert_eq!((index.info().generation, index.info().uncommitted), (0, 0));
    drop(again(&path));
    assert!(matches!(index.commit(), Err(CommitError::Closed)));
    let error = index.add(&[0.0; DIM], None, &Add::default()).unwrap_err();
    assert!(matches!(error, UpdateError::Commit(CommitError::Closed)));
    assert!(matches!(Index::open(&path).unwrap().commit(), Err(CommitError::ReadOnly)));
}

#[test]
fn readers_move_on_when_they_like() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let writer = create(&path);
    let reader = Index::open(&path).unwrap();
    assert!(!reader.refresh().unwrap());
    add(&writer, &[1, 2]);
    assert!(!reader.refresh().unwrap(), "not committed");
    writer.commit().unwrap();
    assert!(reader.is_empty());
    assert!(reader.refresh().unwrap() && reader.ids().unwrap() == [1, 2]);
    assert!(!reader.refresh().unwrap());
    for round in 0..20 {
        add(&writer, &[100 + round, round % 3]);
        writer.remove(&[100 + round]).unwrap();
        add(&writer, &[200 + round]);
        writer.commit().unwrap();
        if round % 4 == 0 {
            assert!(writer.checkpoint().unwrap());
            assert!(!writer.checkpoint().unwrap(), "there is nothing more");
        }
        if round % 3 == 0 {
            assert!(reader.refresh().unwrap());
            assert_eq!(
                (reader.ids().unwrap(), reader.info().generation),
                (writer.ids().unwrap(), writer.info().generation)
            );
            assert_eq!(Index::open(&path).unwrap().ids().unwrap(), writer.ids().unwrap());
        }
    }
    add(&reader, &[7]);
    assert!(matches!(reader.refresh(), Err(OpenError::Changed)));
}

#[test]
fn a_file_put_in_the_place_of_another_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = Index::new(DIM, Metric::Euclidean).unwrap();
    index.save(&path).unwrap();
    let reader = Index::open(&path).unwrap();
    index.save(&path).unwrap();
    assert!(!reader.refresh().unwrap(), "the same again");
    add(&index, &[3]);
    index.save(&path).unwrap();
    assert!(reader.refresh().unwrap() && reader.ids().unwrap() == [3]);
    assert_eq!(names(&path), ["items.linjin"], "nothing lies beside an index that nobody opens for writing");
    Index::new(DIM + 1, Metric::Euclidean).unwrap().save(&path).unwrap();
    for _ in 0..2 {
        assert!(matches!(reader.refresh(), Err(OpenError::Other { dim: 5, .. })));
    }
    assert_eq!(reader.ids().unwrap(), [3]);
}

#[test]
fn a_journal_of_another_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["items.linjin", "copy.linjin"].map(|name| folder.path().join(name));
    let index = create(&path);
    add(&index, &[1]);
    index.commit().unwrap();
    index.checkpoint().unwrap();
    fs::copy(&path, &copy).unwrap();
    add(&index, &[2]);
    index.commit().unwrap();
    drop(index);
    // A copy of the file alone is the index at the last checkpoint.
    assert_eq!(Index::open(&copy).unwrap().ids().unwrap(), [1]);
    // Another history from the same file on.
    let index = again(&copy);
    add(&index, &[3]);
    index.commit().unwrap();
    index.checkpoint().unwrap();
    drop(index);
    fs::copy(&copy, &path).unwrap();
    for error in [Index::open(&path).unwrap_err(), again_error(&path)] {
        assert!(error.to_string().contains("do not build on the file beside it"), "{error}");
    }
    // One without commits is no loss, whatever it belongs to.
    fs::copy(journal(&copy), journal(&path)).unwrap();
    Index::new(DIM, Metric::Euclidean).unwrap().save(&copy).unwrap();
    fs::copy(journal(&path), journal(&copy)).unwrap();
    assert!(Index::open(&copy).unwrap().is_empty());
}

#[test]
fn a_save_does_not_lose_what_a_journal_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let other = Index::new(DIM, Metric::Euclidean).unwrap();
    let index = create(&path);
    assert!(matches!(other.save(&path), Err(OpenError::Locked { .. })));
    add(&index, &[1]);
    index.commit().unwrap();
    drop(index);
    assert!(matches!(other.save(&path), Err(OpenError::Journalled { .. })));
    let index = again(&path);
    add(&index, &[2]);
    index.save(&path).unwrap(); // a commit and a checkpoint
    assert_eq!(index.info().journal, 0);
    index.save(folder.path().join("copy.linjin")).unwrap();
    assert_eq!(Index::open(folder.path().join("copy.linjin")).unwrap().ids().unwrap(), [1, 2]);
    drop(index);
    other.save(&path).unwrap();
    assert!(!journal(&path).exists() && Index::open(&path).unwrap().is_empty());
}

#[test]
fn changes_are_committed_by_themselves_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let every = |autocommit| Writing { autocommit: Some(autocommit), ..new(Metric::Euclidean, DIM) };
    let index = Index::open_writable(&path, &every(Autocommit::Changes(3))).unwrap();
    add(&index, &[1, 2]);
    assert_eq!(index.info().generation, 0);
    index.remove(&[1]).unwrap();
    assert_eq!((index.info().generation, index.info().uncommitted), (1, 0));
    drop(index);
    let index = Index::open_writable(&path, &every(Autocommit::Every(Duration::from_millis(20)))).unwrap();
    add(&index, &[5]);
    wait_for(|| index.info().generation == 2);
    assert_eq!(Index::open(&path).unwrap().ids().unwrap(), [2, 5]);
}

#[test]
fn a_large_journal_is_folded_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let options = Writing { checkpoint: Some(10_000), ..new(Metric::Euclidean, DIM) };
    let index = Index::open_writable(&path, &options).unwrap();
    for id in 0..400 {
        add(&index, &[id]);
        index.commit().unwrap();
    }
    wait_for(|| index.info().journal < 10_000);
    assert_eq!((index.info().generation, index.info().trouble), (400, None));
    drop(index);
    let index = Index::open(&path).unwrap();
    assert_eq!((index.len(), index.info().generation), (400, 400));
    assert!(index.info().recovered.unwrap().commits < 400);
}

fn wait_for(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_not_there_is_not_made_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    assert!(
        matches!(again_error(&path), OpenError::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
    );
    assert!(matches!(
        Index::open_writable(&path, &new(Metric::Dot, 0)).unwrap_err(),
        OpenError::Dimension { dim: 0 }
    ));
    assert!(names(&path).is_empty(), "{:?}", names(&path));
    drop(create(&path));
    let error = Index::open_writable(&path, &new(Metric::Dot, DIM)).unwrap_err();
    assert!(matches!(error, OpenError::Other { dim: DIM, metric: Metric::Euclidean }), "{error}");
    assert!(matches!(Index::new(2, Metric::Dot).unwrap().commit(), Err(CommitError::ReadOnly)));
}

#[test]
fn laid_out_anew_it_is_the_same_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = create(&path);
    let mut noise = made::noise(3);
    let rows: Vec<f32> = (0..3000 * DIM).map(|_| noise()).collect();
    index.add(&rows, None, &Add::default()).unwrap();
    index.commit().unwrap();
    index.checkpoint().unwrap();
    index.optimize(None).unwrap();
    assert!(index.checkpoint().unwrap(), "it lies otherwise now");
    index.remove(&[7]).unwrap();
    index.optimize(None).unwrap();
    assert!(!index.checkpoint().unwrap(), "the removal is not committed");
    drop(index);
    assert_eq!(Index::verify(&path).unwrap().len, 3000);
}
