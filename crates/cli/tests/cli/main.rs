//! The command, as a shell runs it.
//!
//! | file | what it holds down |
//! | --- | --- |
//! | `usage.rs` | help, and what is typed wrongly |
//! | `files.rs` | damaged, truncated and foreign files: an error that says what is wrong, never a crash |
//! | `inputs.rs` | every kind of input |
//! | `round_trip.rs` | build, search, info, verify |
//! | `change.rs` | add, remove, merge, convert, tune, completions, manual pages |
//! | `columns.rs` | tables with columns beside the vectors |
//! | `eval.rs` | recall, truth, the plot |
//! | `journal.rs` | an index that is open for writing elsewhere |
//! | `images.rs` | pictures in folders |
//! | `pages.rs` | the commands in the pages; progress on a terminal |
//! | `serve.rs` | pictures and vectors over HTTP |

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

mod change;
mod columns;
mod eval;
mod files;
#[cfg(feature = "images")]
mod images;
mod inputs;
mod journal;
mod pages;
mod round_trip;
#[cfg(feature = "serve")]
mod serve;
mod usage;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// An empty folder, and the command run in it.
struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// `linjin` with what is typed, in this folder.
    fn linjin(&self, typed: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("linjin"));
        command.current_dir(self.folder.path()).args(typed.split_whitespace());
        command
    }

    /// Runs it, and returns what it printed; it has to succeed.
    fn text(&self, typed: &str) -> String {
        let done = self.linjin(typed).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    }

    /// Runs it, and returns the JSON that it printed, line by line; it has to succeed.
    fn json(&self, typed: &str) -> Vec<Value> {
        self.text(typed).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs it, and returns what it said was wrong; it has to fail with this exit code.
    fn error(&self, typed: &str, code: i32) -> String {
        let done = self.linjin(typed).assert().code(code);
        assert!(done.get_output().stdout.is_empty(), "errors go to standard error");
        String::from_utf8(done.get_output().stderr.clone()).unwrap()
    }

    /// 200 vectors of 6 values in `x.npy`, 10 queries in `q.npy`, and the vectors.
    fn vectors(&self) -> Vec<Vec<f32>> {
        let vectors = numbers(200, 6, 1);
        self.write("x.npy", npy(&vectors));
        self.write("q.npy", npy(&numbers(10, 6, 2)));
        vectors
    }
}

/// A file that is kept beside the tests.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/data").join(name)
}

/// Numbers from −1 to 1 that look random.
fn numbers(rows: usize, columns: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut next = dice(seed);
    let mut number = || (next() % 2_000_001) as f32 / 1e6 - 1.0;
    (0..rows).map(|_| (0..columns).map(|_| number()).collect()).collect()
}

/// Marsaglia's xorshift.
fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// An .npy file with this type, shape and data.
fn npy_of(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    npy_with(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"), data)
}

/// An .npy file with this header and data.
fn npy_with(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// An .npy file of floats.
fn npy(rows: &[Vec<f32>]) -> Vec<u8> {
    let data: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    npy_of("'<f4'", &format!("({}, {})", rows.len(), rows[0].len()), &data)
}

/// An .npy file of whole numbers.
fn npy_ids(ids: &[i64]) -> Vec<u8> {
    let data: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    npy_of("'<i8'", &format!("({},)", ids.len()), &data)
}

/// An .fvecs file.
fn fvecs(rows: &[Vec<f32>]) -> Vec<u8> {
    vecs(rows, |value| value.to_le_bytes().to_vec())
}

/// A file of rows, each behind its length.
fn vecs<T>(rows: &[Vec<T>], bytes: impl Fn(&T) -> Vec<u8>) -> Vec<u8> {
    let row = |row: &Vec<T>| {
        let head = (row.len() as i32).to_le_bytes().to_vec();
        [head, row.iter().flat_map(&bytes).collect()].concat()
    };
    rows.iter().flat_map(row).collect()
}
