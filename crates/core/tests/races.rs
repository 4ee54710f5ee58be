//! Several threads at one index, in thousands of the orders in which they may come to what they share: `make races`.
//!
//! [shuttle](https://docs.rs/shuttle) runs one thread at a time and chooses the next one wherever a lock is taken or an atomic
//! is touched (`src/sync.rs`); a schedule that fails is printed and can be run again. It knows nothing of the weaker orders in
//! which a processor may show memory.

#![cfg(shuttle)]
#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use linjin::index::error::{CommitError, UpdateError};
use linjin::index::{Add, Effort, Index, Metric, Search, Vector, Verify, Writing};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread;

/// Orders that are tried of each test, by chance and with few changes of the thread at chosen places.
const ORDERS: usize = 1500;
/// Such places.
const CHANGES: usize = 3;

fn try_orders(play: impl Fn() + Send + Sync + Copy + 'static) {
    let config = || {
        let mut config = shuttle::Config::new();
        config.stack_size = 1 << 20;
        config
    };
    shuttle::Runner::new(RandomScheduler::new(ORDERS), config()).run(play);
    shuttle::Runner::new(PctScheduler::new(CHANGES, ORDERS), config()).run(play);
}

/// What an index holds: ids, and the one value that all places of a vector have.
type State = BTreeMap<u64, u32>;

fn alone() -> Add<'static> {
    Add { threads: Some(1), replace: true, ..Add::default() }
}

/// Vectors that lie where `value` says.
fn add(index: &Index, ids: &[u64], value: u32) -> Result<Vec<u64>, UpdateError> {
    index.add(&vec![value as f32; 2 * ids.len()], Some(ids), &alone())
}

fn contents(index: &Index) -> State {
    let value = |id| match index.get(id).unwrap() {
        Some(Vector::Floats(values)) => {
            assert_eq!(values[0].to_bits(), values[1].to_bits(), "a vector is one that was given");
            Some((id, values[0] as u32))
        }
        _ => None, // it went between the two calls
    };
    index.ids().unwrap().into_iter().filter_map(value).collect()
}

/// What a search for everything finds; it sees one state, whatever goes on.
fn found(index: &Index) -> State {
    let search = Search { effort: Effort::Exact, threads: Some(1), ..Search::new(100) };
    let hits = index.search(&[0.0, 0.0], &search).unwrap();
    let state: State = hits
        .ids
        .iter()
        .zip(&hits.distances)
        .map(|(&id, &distance)| (id, (distance / 2.0).sqrt().round() as u32))
        .collect();
    assert_eq!(state.len(), hits.ids.len(), "an id comes once");
    state
}

fn index() -> Arc<Index> {
    Arc::new(Index::new(2, Metric::SqEuclidean).unwrap())
}

fn writable(path: &Path) -> Index {
    Index::open_writable(
        path,
        &Writing { create: Some((2, Metric::SqEuclidean)), checkpoint: Some(1), ..Writing::default() },
    )
    .unwrap()
}

#[test]
fn a_search_sees_all_of_a_change_or_nothing() {
    try_orders(|| {
        let index = index();
        add(&index, &[1, 2], 1).unwrap();
        let done = Arc::new(AtomicU64::new(1));
        let writer = {
            let (index, done) = (index.clone(), done.clone());
            thread::spawn(move || {
                for value in 2..5 {
                    add(&index, &[1, 2], value).unwrap();
                    done.store(u64::from(value), SeqCst);
                }
            })
        };
        let reader = {
            let (index, done) = (index.clone(), done.clone());
            thread::spawn(move || {
                for _ in 0..3 {
                    let least = done.load(SeqCst) as u32;
                    let state = found(&index);
                    assert_eq!(state.len(), 2);
                    assert_eq!(state[&1], state[&2], "both were replaced together");
                    assert!(state[&1] >= least, "what was added is found by the next search");
                    assert_eq!(index.len(), 2);
                }
            })
        };
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(found(&index), State::from([(1, 4), (2, 4)]));
    });
}

#[test]
fn what_was_removed_is_never_found_again() {
    try_orders(|| {
        let index = index();
        add(&index, &[1, 2, 3], 1).unwrap();
        let gone = Arc::new(AtomicU64::new(0));
        let remover = {
            let (index, gone) = (index.clone(), gone.clone());
            thread::spawn(move || {
                for id in [1, 2] {
                    index.remove(&[id]).unwrap();
                    gone.store(id, SeqCst);
                }
            })
        };
        // Takes the places that become free.
        let adder = {
            let index = index.clone();
            thread::spawn(move || {
                for id in [7, 8] {
                    add(&index, &[id], 2).unwrap();
                }
            })
        };
        let reader = {
            let index = index.clone();
            thread::spawn(move || {
                for _ in 0..3 {
                    let gone = gone.load(SeqCst);
                    let state = found(&index);
                    assert!((1..=gone).all(|id| !state.contains_key(&id)), "{state:?} after {gone} went");
                    assert!(
                        state.iter().all(|(&id, &value)| value == if id < 4 { 1 } else { 2 }),
                        "{state:?}"
                    );
                }
            })
        };
        [remover, adder, reader].into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(contents(&index), State::from([(3, 1), (7, 2), (8, 2)]));
    });
}

#[test]
fn ids_that_are_given_out_are_different() {
    try_orders(|| {
        let index = index();
        let adders = [1, 2].map(|value| {
            let index = index.clone();
            thread::spawn(move || {
                let two = |_| index.add(&[value as f32; 4], None, &alone()).unwrap();
                (0..2).flat_map(two).collect::<Vec<u64>>()
            })
        });
        let given: Vec<u64> = adders.into_iter().flat_map(|adder| adder.join().unwrap()).collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 8);
        assert_eq!(index.len(), 8);
        let state = contents(&index);
        assert!(given[..4].iter().all(|id| state[id] == 1) && given[4..].iter().all(|id| state[id] == 2));
    });
}

#[test]
fn what_was_acknowledged_is_there_after_commits_checkpoints_and_a_close() {
    try_orders(|| {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = folder.path().join("items.linjin");
        let index = Arc::new(writable(&path));
        let writers = [1_u64, 2].map(|id| {
            let index = index.clone();
            thread::spawn(move || {
                let mut last = 0;
                for value in 1..4 {
                    match add(&index, &[id, id + 10], value) {
                        Ok(_) => {}
                        Err(UpdateError::Commit(CommitError::Closed)) => break,
                        Err(error) => panic!("{error}"),
                    }
                    match index.commit() {
                        Ok(_) => last = value,
                        Err(CommitError::Closed) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                last
            })
        });
        let folder_in = {
            let index = index.clone();
            thread::spawn(move || match index.checkpoint() {
                Ok(_) | Err(CommitError::Closed) => {}
                Err(error) => panic!("{error}"),
            })
        };
        let closer = {
            let index = index.clone();
            thread::spawn(move || index.close().unwrap())
        };
        folder_in.join().unwrap();
        let last: Vec<u32> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        closer.join().unwrap();
        let closed = contents(&index);
        drop(index);
        let again = Index::open_with(&path, Verify::Full).unwrap();
        let state = contents(&again);
        assert_eq!(state, closed, "a closed index shows what is durable");
        for (id, last) in [1, 2].into_iter().zip(last) {
            assert_eq!(state.get(&id), state.get(&(id + 10)), "a change is there as a whole");
            assert!(
                state.get(&id).copied().unwrap_or(0) >= last,
                "{state:?}, acknowledged was {last} of {id}"
            );
        }
    });
}

#[test]
fn taking_back_takes_nothing_that_was_committed() {
    try_orders(|| {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = folder.path().join("items.linjin");
        let index = Arc::new(writable(&path));
        let committer = {
            let index = index.clone();
            thread::spawn(move || {
                let mut committed = 0;
                for value in 1..3 {
                    add(&index, &[1], value).unwrap();
                    index.commit().unwrap();
                    // Whether it was taken back before it was committed, nobody can say; not after.
                    let now = contents(&index).get(&1).copied().unwrap_or(0);
                    assert!(now == value || now == committed, "{now} behind {committed}, {value} was added");
                    committed = now;
                }
            })
        };
        let taker = {
            let index = index.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    index.rollback().unwrap();
                }
            })
        };
        committer.join().unwrap();
        taker.join().unwrap();
        index.rollback().unwrap();
        let kept = contents(&index);
        drop(index);
        assert_eq!(contents(&Index::open(&path).unwrap()), kept);
    });
}

#[test]
fn one_who_reads_the_file_sees_commits_only_and_later_ones() {
    try_orders(|| {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = folder.path().join("items.linjin");
        let index = writable(&path);
        let reading = Index::open(&path).unwrap();
        let reader = thread::spawn(move || {
            let mut before = 0;
            for _ in 0..3 {
                reading.refresh().unwrap();
                let state = found(&reading);
                let commit = reading.info().generation;
                assert!(commit >= before, "{commit} after {before}");
                let value = u32::try_from(commit).unwrap();
                let committed: State = [1, 2].into_iter().map(|id| (id, value)).collect();
                assert_eq!(state, if commit == 0 { State::new() } else { committed });
                before = commit;
                thread::yield_now();
            }
        });
        for value in 1..4 {
            add(&index, &[1], value).unwrap();
            add(&index, &[2], value).unwrap();
            assert_eq!(index.commit().unwrap(), u64::from(value));
        }
        reader.join().unwrap();
    });
}

#[test]
fn threads_that_come_upon_damage_together_all_see_it() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let path: &'static Path = Box::leak(folder.path().join("damaged.linjin").into_boxed_path());
    // An index can be made only where shuttle runs.
    shuttle::check_random(
        move || {
            let index = Index::new(2, Metric::SqEuclidean).unwrap();
            let values: Vec<f32> = (0..40).map(|i| i as f32).collect();
            index.add(&values, None, &alone()).unwrap();
            index.save(path).unwrap();
        },
        1,
    );
    let mut bytes = std::fs::read(path).unwrap();
    let wrong = bytes.windows(4).position(|word| word == 30_f32.to_le_bytes()).unwrap();
    bytes[wrong] ^= 1;
    std::fs::write(path, bytes).unwrap();
    try_orders(move || {
        let index = Arc::new(Index::open(path).unwrap());
        let askers = [1, 2, 3].map(|i| {
            let index = index.clone();
            thread::spawn(move || {
                let search = Search { effort: Effort::Exact, threads: Some(1), ..Search::new(i) };
                assert!(index.search(&[7.0, 7.0], &search).is_err(), "no answer comes from a damaged block");
            })
        });
        askers.into_iter().for_each(|asker| asker.join().unwrap());
    });
}
