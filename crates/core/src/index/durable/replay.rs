//! The changes of many commits, as one.

use std::ops::ControlFlow;

use bytemuck::cast_slice_mut;
use rustc_hash::FxHashMap;

use crate::index::notes::Notes;
use crate::index::update::{self, Rows, Work};
use crate::index::version::Version;
use crate::index::{NO_ID, Vectors, handle};
use crate::journal::Change;
use crate::parallel;

/// Up to so many values are grouped into leaves while an index is opened: a few tenths of a second. Beyond, vectors that
/// came while there were no leaves stay without, and all are compared, until the next addition.
const GROUPED_AT_ONCE: usize = 2 << 20;

/// What commits changed, the later ones over the earlier ones.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Vectors that came: ids, and rows as the caller handed them in.
    added: Vec<(Vec<u64>, Vec<u8>)>,
    /// Which of these, and the row that an id has its vector from; `None` for one that is gone.
    last: FxHashMap<u64, Option<(usize, usize)>>,
    next_id: u64,
    notes: Vec<Vec<u8>>,
    /// Whether they take the place of those before.
    only: bool,
    /// How many commits.
    pub(super) commits: u64,
    /// How many vectors came or went.
    pub(super) vectors: u64,
}

impl Changes {
    /// Takes up the changes of the next commit.
    pub(super) fn take_up(&mut self, commit: Vec<Change>) {
        self.commits += 1;
        for change in commit {
            match change {
                Change::Add { ids, rows } => {
                    self.vectors += ids.len() as u64;
                    self.next_id = update::next_id(self.next_id, &ids);
                    let at = self.added.len();
                    self.last.extend(ids.iter().enumerate().map(|(row, &id)| (id, Some((at, row)))));
                    self.added.push((ids, rows));
                }
                Change::Remove { ids } => {
                    self.vectors += ids.len() as u64;
                    self.last.extend(ids.iter().map(|&id| (id, None)));
                }
                Change::Note { note, only } => {
                    if only {
                        (self.notes, self.only) = (Vec::new(), true);
                    }
                    self.notes.push(note);
                }
            }
        }
    }

    /// The version with these changes; what is wrong with them otherwise.
    pub(super) fn apply(self, version: Version) -> Result<Version, String> {
        if self.commits == 0 {
            return Ok(version);
        }
        let gone = self.last.iter().filter(|(_, place)| place.is_none());
        let mut slots: Vec<u32> = gone.filter_map(|(&id, _)| version.slot(id)).collect();
        slots.sort_unstable();
        let mut version = if slots.is_empty() { version } else { update::remove(&version, &slots) };
        let n = self.last.values().flatten().count();
        let mut ids = Vec::with_capacity(n);
        let mut rows = Rest::new(&version, n);
        for (at, (some, bytes)) in self.added.iter().enumerate() {
            let width = bytes.len() / some.len().max(1);
            for (row, &id) in some.iter().enumerate() {
                if self.last[&id] == Some((at, row)) {
                    rows.put(ids.len(), &bytes[row * width..][..width]);
                    ids.push(id);
                }
            }
        }
        drop(self.added);
        if !ids.is_empty() {
            version = add(&version, &ids, rows.vectors())?;
        }
        version.next_id = version.next_id.max(self.next_id);
        if !self.notes.is_empty() {
            let before = if self.only { Notes::default() } else { version.notes };
            version.notes = before.followed_by(self.notes.iter().map(Vec::as_slice));
        }
        Ok(version)
    }
}

/// Rows that are left, one behind the other.
enum Rest {
    Floats(Vec<f32>),
    Bits(Vec<u8>),
}

impl Rest {
    /// Room for `n` rows.
    fn new(version: &Version, n: usize) -> Self {
        let values = n * version.space.width();
        if version.space.metric.is_binary() {
            Self::Bits(vec![0; values])
        } else {
            Self::Floats(vec![0.0; values])
        }
    }

    fn put(&mut self, i: usize, row: &[u8]) {
        let all = match self {
            Self::Floats(values) => cast_slice_mut(values),
            Self::Bits(bytes) => bytes.as_mut_slice(),
        };
        all[i * row.len()..][..row.len()].copy_from_slice(row);
    }

    fn vectors(&self) -> Vectors<'_> {
        match self {
            Self::Floats(values) => Vectors::Floats(values),
            Self::Bits(bytes) => Vectors::Bits(bytes),
        }
    }
}

fn add(version: &Version, ids: &[u64], vectors: Vectors<'_>) -> Result<Version, String> {
    if let Vectors::Floats(values) = vectors
        && values.iter().any(|value| !value.is_finite())
    {
        return Err("it holds a value that is not finite".to_owned());
    }
    if ids.contains(&NO_ID) {
        return Err("it holds a vector without an id".to_owned());
    }
    let free = handle::free_slots(version);
    if version.slots.len() + ids.len() > u32::MAX as usize {
        return Err("it holds more vectors than fit into an index".to_owned());
    }
    let values = (version.len + ids.len()).saturating_mul(version.space.dim);
    let work = Work {
        seed: handle::SEED,
        threads: parallel::threads(None),
        regroup: version.leaves.is_none() && values <= GROUPED_AT_ONCE,
    };
    let mut watch = |_: f64| ControlFlow::Continue(());
    match update::add(version, Rows { vectors, ids }, &free, work, &mut watch) {
        ControlFlow::Continue((next, _)) => Ok(next),
        ControlFlow::Break(()) => Ok(version.clone()), // nobody breaks off
    }
}
