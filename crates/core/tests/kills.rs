//! Processes that change an index and are killed at any moment: nothing that was acknowledged is lost.
//!
//! The children are this program again, told by the environment what to do. They note in a log what they are about to do
//! and what was acknowledged; what a process has written to a file outlives it.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use linjin::index::error::OpenError;
use linjin::index::{Add, Index, Metric, Vector, Writing};

/// Says what a child does.
const ROLE: &str = "LINJIN_TEST_CHILD";
const DIM: usize = 4;
/// Enough for leaves.
const IDS: u64 = 4000;
/// Vectors that come together.
const GROUP: u64 = 5;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// The vectors of an index, each of which has one value all over.
type State = BTreeMap<u64, u32>;

fn contents(index: &Index) -> State {
    let value = |id| match index.get(id).unwrap() {
        Some(Vector::Floats(values)) => {
            assert!(values.iter().all(|&value| value == values[0]), "half a vector at {id}");
            values[0] as u32
        }
        other => panic!("{other:?}"),
    };
    index.ids().unwrap().into_iter().map(|id| (id, value(id))).collect()
}

fn rows(values: impl Iterator<Item = u32>) -> Vec<f32> {
    values.flat_map(|value| [value as f32; DIM]).collect()
}

fn start(role: &str, folder: &Path, seed: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child", "--nocapture"])
        .env(ROLE, format!("{role} {seed} {}", folder.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn log(folder: &Path, name: &str) -> File {
    OpenOptions::new().append(true).create(true).open(folder.join(name)).unwrap()
}

/// One call for a line, so that it is there as a whole.
fn note(log: &mut File, line: &str) {
    log.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The lines of a log, but one that the process was killed in.
fn lines(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
#[ignore = "is started by the others"]
fn child() {
    let Ok(role) = env::var(ROLE) else { return };
    let mut words = role.splitn(3, ' ');
    let role = words.next().unwrap().to_owned();
    let seed = words.next().unwrap().parse().unwrap();
    let folder = PathBuf::from(words.next().unwrap());
    match role.as_str() {
        "alone" => alone(&folder, &mut Dice(seed)),
        _ => together(&folder, &mut Dice(seed), seed),
    }
}

fn options(checkpoint: u64) -> Writing {
    Writing { create: Some((DIM, Metric::Euclidean)), checkpoint: Some(checkpoint), ..Writing::default() }
}

/// Changes, commits and checkpoints until it is killed.
fn alone(folder: &Path, dice: &mut Dice) {
    let mut log = log(folder, "log");
    let index = Index::open_writable(folder.join("items.linjin"), &options(40_000)).unwrap();
    note(&mut log, "open");
    for value in (dice.below(1 << 23) as u32).. {
        let ids: BTreeSet<u64> = (0..=dice.below(40)).map(|_| dice.below(IDS)).collect();
        let ids: Vec<u64> = ids.into_iter().collect();
        match dice.below(20) {
            0..11 => {
                let all: Vec<String> = ids.iter().map(|id| format!("{id} {value}")).collect();
                note(&mut log, &format!("add {}", all.join(" ")));
                let rows = rows(ids.iter().map(|_| value));
                index.add(&rows, Some(&ids), &Add { replace: true, ..Add::default() }).unwrap();
            }
            11..14 => {
                let ids: Vec<u64> = ids.into_iter().filter(|&id| index.contains(id).unwrap()).collect();
                let all: Vec<String> = ids.iter().map(u64::to_string).collect();
                note(&mut log, &format!("remove {}", all.join(" ")));
                index.remove(&ids).unwrap();
            }
            14..18 => {
                note(&mut log, "try");
                let commit = index.commit().unwrap();
                note(&mut log, &format!("done {commit}"));
            }
            18 => _ = index.checkpoint().unwrap(),
            _ => {
                note(&mut log, "back");
                index.rollback().unwrap();
            }
        }
    }
}

/// What a log says that may be found, by the number of the commit.
fn told(lines: &[Vec<String>], mut now: State, commit: u64) -> BTreeMap<u64, State> {
    let mut last = (commit, now.clone());
    let mut tried = None;
    for line in lines {
        let numbers: Vec<u64> = line[1..].iter().map(|word| word.parse().unwrap()).collect();
        match line[0].as_str() {
            "add" => now.extend(numbers.chunks(2).map(|pair| (pair[0], pair[1] as u32))),
            "remove" => now.retain(|id, _| !numbers.contains(id)),
            "back" => now.clone_from(&last.1),
            "try" => tried = Some(now.clone()),
            "done" => (last, tried) = ((numbers[0], now.clone()), None),
            _ => {}
        }
    }
    let mut all = BTreeMap::from([last.clone()]);
    all.extend(tried.map(|state| (last.0 + 1, state)));
    all
}

fn rounds(n: usize) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut state, mut commit) = (State::new(), 0);
    let dice = &mut Dice(5);
    let mut recovered = 0;
    for round in 0..n {
        _ = fs::remove_file(folder.join("log"));
        let mut child = start("alone", folder, round as u64);
        let begun = Instant::now();
        while lines(folder, "log").is_empty() {
            assert!(
                child.try_wait().unwrap().is_none() && begun.elapsed().as_secs() < 60,
                "it does not open"
            );
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_micros(dice.below(40_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let index = Index::open(folder.join("items.linjin")).unwrap();
        let found = (index.info().generation, contents(&index));
        let told = told(&lines(folder, "log"), state, commit);
        assert_eq!(told.get(&found.0), Some(&found.1), "round {round}: commits {:?}", told.keys());
        recovered += index.info().recovered.unwrap().commits;
        (commit, state) = found;
    }
    assert!(
        commit as usize > n / 10 && recovered as usize > n / 10, // a slow disk takes some hundredths for each
        "{commit} commits, {recovered} out of journals"
    );
}

#[test]
fn a_process_killed_fifty_times_loses_nothing() {
    rounds(50);
}

#[test]
#[ignore = "takes minutes; `make crash`"]
fn a_process_killed_a_thousand_times_loses_nothing() {
    rounds(1000);
}

/// Writes when it may, reads otherwise, until it is killed.
fn together(folder: &Path, dice: &mut Dice, seed: u64) {
    let path = folder.join("items.linjin");
    let mut log = log(folder, &format!("log-{seed}"));
    let mut next = 0;
    loop {
        match Index::open_writable(&path, &options(20_000)) {
            Ok(index) => {
                for _ in 0..1 + dice.below(30) {
                    let ids: Vec<u64> = (next..next + GROUP).map(|i| seed << 32 | i).collect();
                    next += GROUP;
                    note(&mut log, &format!("try {}", ids[0]));
                    index.add(&rows(ids.iter().map(|_| seed as u32)), Some(&ids), &Add::default()).unwrap();
                    index.commit().unwrap();
                    note(&mut log, &format!("done {}", ids[0]));
                }
                index.close().unwrap();
            }
            Err(OpenError::Locked { .. }) => {
                // Nothing to be read before the first writer has made it.
                let Ok(index) = Index::open(&path) else { continue };
                let mut seen = index.info().generation;
                for _ in 0..20 {
                    whole_groups(&index);
                    index.refresh().unwrap();
                    let now = index.info().generation;
                    assert!(now >= seen, "back from commit {seen} to {now}");
                    seen = now;
                    sleep(Duration::from_micros(dice.below(3000)));
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// What was committed together is there together.
fn whole_groups(index: &Index) -> BTreeSet<u64> {
    let state = contents(index);
    let groups: BTreeSet<u64> = state.keys().map(|id| id / GROUP * GROUP).collect();
    assert_eq!(groups.len() as u64 * GROUP, state.len() as u64, "a part of a group");
    groups
}

#[test]
fn eight_processes_leave_what_they_noted() {
    // Numbers of groups begin at multiples of their size.
    let seeds = |i: u64| i * GROUP;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let dice = &mut Dice(11);
    let mut started = 8;
    let mut children: Vec<Child> = (1..=started).map(|i| start("together", folder, seeds(i))).collect();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        sleep(Duration::from_millis(20 + dice.below(100)));
        let unlucky = &mut children[dice.below(8) as usize];
        assert!(unlucky.try_wait().unwrap().is_none(), "a child has failed");
        unlucky.kill().unwrap();
        unlucky.wait().unwrap();
        started += 1;
        *unlucky = start("together", folder, seeds(started));
    }
    for child in &mut children {
        assert!(child.try_wait().unwrap().is_none(), "a child has failed");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let index = Index::open(folder.join("items.linjin")).unwrap();
    let groups = whole_groups(&index);
    let (mut tried, mut done) = (BTreeSet::new(), BTreeSet::new());
    for i in 1..=started {
        for line in lines(folder, &format!("log-{}", seeds(i))) {
            let group: u64 = line[1].parse().unwrap();
            if line[0] == "try" {
                tried.insert(group)
            } else {
                done.insert(group)
            };
        }
    }
    assert!(done.is_subset(&groups), "lost: {:?}", done.difference(&groups));
    assert!(groups.is_subset(&tried), "from nowhere: {:?}", groups.difference(&tried));
    assert!(done.len() > 50, "{} groups", done.len());
    // The dead have left no lock.
    drop(Index::open_writable(folder.join("items.linjin"), &Writing::default()).unwrap());
}
