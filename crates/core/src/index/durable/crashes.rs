//! Every call failing once, and power cuts at every moment: what is left is the state at some commit, and never one before
//! the last that was acknowledged.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint;
use crate::index::error::{CommitError, OpenError, UpdateError};
use crate::index::{Add, Index, Metric, Note, Vector, Writing};
use crate::journal::recorder::{Call, Luck, Mishap, Recorder, power_cut};
use crate::random::Random;

const DIM: usize = 3;
/// Ids are below this.
const IDS: usize = 120;
const NAME: &str = "items.linjin";
/// What may lie in the folder.
const FILES: [&str; 3] = [NAME, "items.linjin-journal", "items.linjin-lock"];

/// What an index holds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct State {
    /// Its vectors, by their ids.
    vectors: BTreeMap<u64, Vec<u32>>,
    notes: Vec<Vec<u8>>,
}
/// Files by their names.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What may be found: the state at each commit. Several where a commit failed, and was tried again with other changes.
#[derive(Clone, Default)]
struct Oracle {
    states: BTreeMap<u64, Vec<State>>,
    /// The last commit that was acknowledged; none while the index is being made.
    acknowledged: Option<u64>,
}

impl Oracle {
    fn acknowledge(&mut self, recorder: &Recorder, commit: u64, state: &State) {
        self.states.insert(commit, vec![state.clone()]);
        self.acknowledged = Some(commit);
        recorder.acknowledge(commit);
    }

    fn judge(&self, index: &Index, least: Option<u64>) -> Result<(), String> {
        let (commit, state) = (index.info().generation, contents(index));
        if least.is_some_and(|least| commit < least) {
            return Err(format!("commit {least:?} was acknowledged, found is {commit}"));
        }
        match self.states.get(&commit) {
            Some(states) if states.contains(&state) => Ok(()),
            states => Err(format!("commit {commit} is {states:?}, found is {state:?}")),
        }
    }
}

fn contents(index: &Index) -> State {
    let vector = |id| match index.get(id).unwrap() {
        Some(Vector::Floats(values)) => values.iter().map(|value: &f32| value.to_bits()).collect(),
        other => panic!("{other:?}"),
    };
    State {
        vectors: index.ids().unwrap().into_iter().map(|id| (id, vector(id))).collect(),
        notes: index.notes().read().unwrap().map(<[u8]>::to_vec).collect(),
    }
}

/// A program that changes an index, on a disk that notes what it does.
struct Play<'a> {
    recorder: Recorder,
    path: &'a Path,
    random: Random,
    oracle: Oracle,
    now: State,
    index: Option<Index>,
}

impl<'a> Play<'a> {
    fn new(recorder: Recorder, folder: &'a Path, seed: u64, oracle: Oracle) -> Self {
        Self {
            recorder,
            path: folder,
            random: Random::new(seed, 0),
            oracle,
            now: State::default(),
            index: None,
        }
    }

    /// Opens the index, a second time if the first does not go well.
    fn open(&mut self) {
        self.index = None;
        let options = Writing { create: Some((DIM, Metric::Euclidean)), ..Writing::default() };
        let open =
            || Index::open_writable_on(Arc::new(self.recorder.clone()), &self.path.join(NAME), &options);
        let index = open().or_else(|_| open()).unwrap_or_else(|error| panic!("{error}"));
        let commit = index.info().generation;
        self.now = contents(&index);
        if commit > 0 {
            self.oracle.judge(&index, self.oracle.acknowledged).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        self.oracle.acknowledge(&self.recorder, commit, &self.now);
        self.index = Some(index);
    }

    fn index(&self) -> &Index {
        self.index.as_ref().expect("it was opened")
    }

    fn play(&mut self, steps: usize, threads: bool) {
        self.open();
        for _ in 0..steps {
            match self.random.below(100) {
                0..45 => self.add(),
                45..58 => self.remove(),
                58..84 => self.commit(),
                84..88 => {
                    let done = self.index().checkpoint().map(drop);
                    self.survive(done);
                }
                88..90 if threads => self.checkpoint_meanwhile(),
                88..91 => self.checkpoint_in_parts(),
                91..94 => {
                    let done = self.index().rollback();
                    if self.survive(done) {
                        self.now = contents(self.index());
                    }
                }
                _ => self.open(),
            }
        }
        self.index = None;
    }

    fn add(&mut self) {
        let n = if self.random.below(8) == 0 { 60 } else { 1 + self.random.below(6) };
        let ids: Vec<u64> = self.random.sample(IDS, n).into_iter().map(|id| id as u64).collect();
        let rows: Vec<f32> = (0..n * DIM).map(|_| self.random.symmetric()).collect();
        let note = self.random.below(3) == 0;
        let make = |ids: &[u64]| Ok(ids.iter().map(|&id| id as u8).collect());
        let options = Add { replace: true, note: if note { Some(&make) } else { None }, ..Add::default() };
        match self.index().add(&rows, Some(&ids), &options) {
            Ok(_) => {
                let rows = rows.chunks(DIM).map(|row| row.iter().map(|value| value.to_bits()).collect());
                self.now.notes.extend(note.then(|| ids.iter().map(|&id| id as u8).collect()));
                self.now.vectors.extend(ids.into_iter().zip(rows));
            }
            Err(UpdateError::Commit(error)) => _ = self.survive(Err(error)),
            Err(error) => panic!("{error}"),
        }
    }

    fn remove(&mut self) {
        let n = self.random.below(4).min(self.now.vectors.len());
        let ids: Vec<u64> = self.now.vectors.keys().copied().take(n).collect();
        let only = self.random.below(3) == 0;
        let note = format!("without {ids:?}").into_bytes();
        let note_of = if only { Note::Instead(&note) } else { Note::Behind(&note) };
        match self.index().remove_and_note(&ids, note_of) {
            Ok(()) => {
                ids.iter().for_each(|id| _ = self.now.vectors.remove(id));
                if only {
                    self.now.notes.clear();
                }
                self.now.notes.push(note);
            }
            Err(UpdateError::Commit(error)) => _ = self.survive(Err(error)),
            Err(error) => panic!("{error}"),
        }
    }

    fn commit(&mut self) {
        // It may be there, whatever is said.
        let next = self.index().info().generation + 1;
        self.oracle.states.entry(next).or_default().push(self.now.clone());
        match self.index().commit() {
            Ok(commit) => self.oracle.acknowledge(&self.recorder, commit, &self.now),
            Err(error) => _ = self.survive(Err(error)),
        }
    }

    /// Commits while another thread folds the journal into the file.
    fn checkpoint_meanwhile(&mut self) {
        let index = self.index.take().expect("it was opened");
        std::thread::scope(|scope| {
            let folding = scope.spawn(|| index.checkpoint());
            for _ in 0..4 {
                let id = self.random.below(IDS) as u64;
                let row: Vec<f32> = (0..DIM).map(|_| self.random.symmetric()).collect();
                index
                    .add(&row, Some(&[id]), &Add { replace: true, ..Add::default() })
                    .expect("all goes well");
                self.now.vectors.insert(id, row.iter().map(|value| value.to_bits()).collect());
                let next = index.info().generation + 1;
                self.oracle.states.entry(next).or_default().push(self.now.clone());
                let commit = index.commit().expect("all goes well");
                self.oracle.acknowledge(&self.recorder, commit, &self.now);
            }
            folding.join().expect("it does not panic").expect("all goes well");
        });
        self.index = Some(index);
    }

    /// Commits just before the new journal comes in the place of the old one.
    fn checkpoint_in_parts(&mut self) {
        let shared = self.index().home.writer().expect("it is open for writing").shared.clone();
        match checkpoint::write_both(&shared) {
            Ok(Some(heir)) => {
                self.add();
                self.commit();
                self.add();
                // The index may have been opened anew, by a writer that has another journal.
                let done = checkpoint::finish(&shared, heir);
                if !matches!(done, Err(CommitError::Closed)) {
                    self.survive(done);
                }
            }
            done => _ = self.survive(done.map(drop)),
        }
    }

    /// Whether all went well; where nothing goes any more, the index is opened anew.
    fn survive(&mut self, done: Result<(), CommitError>) -> bool {
        if let Err(CommitError::Failed { .. }) = done {
            self.open();
        }
        done.is_ok()
    }
}

/// Power cuts that were looked at.
#[derive(Default)]
struct Seen {
    cuts: usize,
    different: HashSet<u64>,
}

impl Seen {
    /// Cuts the power behind each of the calls, as many times with some luck, and looks at what is left.
    fn cut_everywhere(
        &mut self,
        folder: &Path,
        (before, calls): (&Files, &[Call]),
        (oracle, mut least): (&Oracle, Option<u64>),
        times: usize,
        random: &mut Random,
    ) {
        for end in 0..=calls.len() {
            if let Some(Call::Acknowledged(commit)) = end.checked_sub(1).map(|last| &calls[last]) {
                least = Some(*commit);
            }
            let some = (0..times).map(|i| Luck::Some(if i % 2 == 0 { 512 } else { 4096 }));
            for luck in [Luck::Nothing, Luck::Everything].into_iter().chain(some) {
                let files = power_cut(before, &calls[..end], luck, random);
                self.cuts += 1;
                let mut hasher = DefaultHasher::new();
                (&files, least).hash(&mut hasher);
                if !self.different.insert(hasher.finish()) {
                    continue; // as before
                }
                lay_down(folder, &files);
                let verdict = match Index::open(folder.join(NAME)) {
                    Ok(index) => oracle.judge(&index, least),
                    Err(OpenError::Io(error))
                        if error.kind() == std::io::ErrorKind::NotFound && least.is_none() =>
                    {
                        Ok(())
                    }
                    Err(error) => Err(error.to_string()),
                };
                if let Err(wrong) = verdict {
                    panic!("after {end} calls of {}, {luck:?}: {wrong}", calls.len());
                }
            }
        }
    }
}

/// Puts files into a folder, and whatever else is there away.
fn lay_down(folder: &Path, files: &Files) {
    fs::create_dir_all(folder).expect("a folder can be made");
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is there").path();
        if !files.keys().any(|file| file.file_name() == path.file_name()) {
            fs::remove_file(path).expect("a file can be removed");
        }
    }
    for (path, bytes) in files {
        let name = path.file_name().expect("files have names");
        fs::write(folder.join(name), bytes).expect("a file can be written");
    }
}

/// Runs of a program, with power cuts at every moment; and of the same program on what some of them left.
fn power_cuts(runs: u64, steps: usize, times: usize) -> Seen {
    let top = tempfile::tempdir().expect("a folder can be made");
    let (home, left) = (top.path().join("home"), top.path().join("left"));
    let mut seen = Seen::default();
    for seed in 0..runs {
        let random = &mut Random::new(seed, 1);
        lay_down(&home, &Files::new());
        let mut first = Play::new(Recorder::default(), &home, seed, Oracle::default());
        first.play(steps, true);
        let calls = first.recorder.calls();
        let none = Files::new();
        seen.cut_everywhere(&left, (&none, &calls), (&first.oracle, None), times, random);
        // Once more in the middle of coming back from a power cut.
        for _ in 0..4 {
            let end = random.below(calls.len());
            let luck = [Luck::Some(512), Luck::Some(4096)][random.below(2)];
            let before = power_cut(&none, &calls[..end], luck, random);
            let least = calls[..end].iter().rev().find_map(|call| match call {
                Call::Acknowledged(commit) => Some(*commit),
                _ => None,
            });
            lay_down(&home, &before);
            let before: Files = before
                .into_iter()
                .map(|(path, bytes)| (home.join(path.file_name().expect("files have names")), bytes))
                .collect();
            let oracle = Oracle { acknowledged: least, ..first.oracle.clone() };
            let mut second = Play::new(Recorder::default(), &home, seed + 1000, oracle);
            second.play(12, false);
            // What was committed in the first life and lost in the cut has another content in the second.
            let mut oracle = second.oracle;
            for (commit, states) in &first.oracle.states {
                oracle.states.entry(*commit).or_default().extend(states.iter().cloned());
            }
            let calls = second.recorder.calls();
            seen.cut_everywhere(&left, (&before, &calls), (&oracle, least), times, random);
        }
    }
    seen
}

/// A program in which each call in turn does not go well, in each way.
fn mishaps(steps: usize) -> usize {
    let top = tempfile::tempdir().expect("a folder can be made");
    let (home, left) = (top.path().join("home"), top.path().join("left"));
    let kinds =
        [Mishap::Error(libc::ENOSPC), Mishap::Error(libc::EIO), Mishap::Error(libc::EINTR), Mishap::Short];
    let mut seen = Seen::default();
    let mut runs = 0;
    for mishap in kinds {
        let mut n = 0;
        loop {
            lay_down(&home, &Files::new());
            let mut play = Play::new(Recorder::failing(n, mishap), &home, 7, Oracle::default());
            play.play(steps, false);
            let index =
                Index::open(home.join(NAME)).unwrap_or_else(|error| panic!("{mishap:?} at {n}: {error}"));
            let verdict = play.oracle.judge(&index, play.oracle.acknowledged);
            verdict.unwrap_or_else(|wrong| panic!("{mishap:?} at {n}: {wrong}"));
            // A writer takes away what a failed one has left.
            drop(Index::open_writable(home.join(NAME), &Writing::default()).expect("it opens"));
            for entry in fs::read_dir(&home).expect("it is there") {
                let name = entry.expect("it is there").file_name();
                assert!(FILES.iter().any(|&file| name == file), "{mishap:?} at {n} leaves {name:?}");
            }
            // And then the power goes.
            let calls = play.recorder.calls();
            let random = &mut Random::new(n as u64, 2);
            for luck in [Luck::Nothing, Luck::Everything, Luck::Some(512), Luck::Some(4096)] {
                lay_down(&left, &power_cut(&Files::new(), &calls, luck, random));
                let index = Index::open(left.join(NAME));
                let index = index.unwrap_or_else(|error| panic!("{mishap:?} at {n}, {luck:?}: {error}"));
                let verdict = play.oracle.judge(&index, play.oracle.acknowledged);
                verdict.unwrap_or_else(|wrong| panic!("{mishap:?} at {n}, {luck:?}: {wrong}"));
                seen.cuts += 1;
            }
            runs += 1;
            n += 1;
            if n > play.recorder.counted() {
                break;
            }
        }
    }
    runs
}

#[test]
fn a_power_cut_leaves_a_commit() {
    let seen = power_cuts(10, 200, 16);
    assert!(seen.cuts >= 100_000, "{} cuts, {} of them different", seen.cuts, seen.different.len());
}

#[test]
fn a_call_that_fails_leaves_a_commit() {
    let runs = mishaps(200);
    assert!(runs > 1000, "{runs} runs");
}

#[test]
#[ignore = "takes minutes; `make crash`"]
fn a_million_power_cuts_leave_commits() {
    let seen = power_cuts(100, 200, 16);
    assert!(seen.cuts >= 1_000_000, "{} cuts, {} of them different", seen.cuts, seen.different.len());
}
