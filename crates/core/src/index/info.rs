//! What an index is made of.

use super::version::Version;
use super::{Index, Memory, Metric};

/// What an index is made of.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Info {
    /// Values in a vector; bits, for `hamming`.
    pub dim: usize,
    /// The metric.
    pub metric: Metric,
    /// What the values are stored as: `float32`, or `uint8` or `int8` where all are whole numbers from 0 to 255 or from −128
    /// to 127 and there are leaves, or `bits`.
    pub stored_as: &'static str,
    /// How many vectors there are.
    pub len: usize,
    /// Bytes of vectors, ids and leaves, in memory or in the mapped file.
    pub bytes: u64,
    /// Of these, bytes that lie in a mapped file.
    pub mapped: u64,
    /// Groups of close vectors; 0 while every search compares all vectors.
    pub leaves: usize,
    /// Whether there is a graph too: where that costs less, searches walk on it.
    pub graph: bool,
    /// How much it may take to be fast.
    pub memory: Memory,
    /// Effort (`ef`) and the recall@10 that it reached on a sample of the index's own vectors, in ascending order.
    pub curve: Vec<(usize, f32)>,
    /// How many commits led to it; 0 for an index that was never opened for writing.
    pub generation: u64,
    /// Bytes of commits in the journal, which are not in the file yet.
    pub journal: u64,
    /// Vectors that came or went since the last commit.
    pub uncommitted: u64,
    /// What was found in the journal when the index was opened; `None` where there was no journal.
    pub recovered: Option<Recovered>,
    /// What went wrong when the background last committed or folded the journal into the file. It goes on trying.
    pub trouble: Option<String>,
}

/// What was found in a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// Commits that the file did not have.
    pub commits: u64,
    /// Vectors that came or went with them.
    pub changes: u64,
    /// Bytes behind the last commit, of changes that were never committed. Where a writer is at work, it is what it is
    /// writing.
    pub torn: u64,
}

impl Index {
    /// What the index is made of.
    pub fn info(&self) -> Info {
        let mut info = Info::of(&self.current.load());
        self.home.tell(&mut info);
        info
    }
}

impl Info {
    /// What a version is made of, wherever it lives.
    pub(super) fn of(version: &Version) -> Self {
        let grown = version.leaves.as_ref();
        let (memory, mapped) = version.bytes();
        Self {
            dim: version.space.dim,
            metric: version.space.metric,
            stored_as: version.space.form.name(),
            len: version.len,
            bytes: memory + mapped,
            mapped,
            leaves: grown.map_or(0, |grown| grown.store.len()),
            graph: grown.is_some_and(|grown| grown.linked.is_some()),
            memory: version.memory,
            curve: grown.map_or(Vec::new(), |grown| {
                grown.main_curve().efs().map(|(ef, point)| (ef, point.recall)).collect()
            }),
            generation: 0,
            journal: 0,
            uncommitted: 0,
            recovered: None,
            trouble: None,
        }
    }
}
