//! What a caller may ask for beyond the vectors: effort, filters, threads, progress.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Duration;

use super::memory::Memory;
use super::opening::Verify;
use crate::filter::Filter;
use crate::metric::Metric;

/// The recall that a search aims at when the caller says nothing.
pub const DEFAULT_RECALL: f32 = 0.95;

/// How hard a search looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effort {
    /// Enough to find this share of the true neighbours, by the curve that the index measured on its own data.
    Recall(f32),
    /// At most so many candidates are kept and compared exactly; raised to `k` where it is less.
    Ef(usize),
    /// Every vector is compared.
    Exact,
}

/// Filters for the queries of a search.
#[derive(Clone, Copy, Debug)]
pub enum Filters<'a> {
    /// One for all queries.
    Same(&'a Filter),
    /// One for each query.
    Each(&'a [Filter]),
}

/// How to search.
///
/// ```
/// use linjin::index::{Effort, Search};
///
/// let search = Search { effort: Effort::Recall(0.99), ..Search::new(10) };
/// # assert_eq!(search.k, 10);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// How many neighbours are wanted.
    pub k: usize,
    /// How hard to look.
    pub effort: Effort,
    /// Only these ids may be returned.
    pub filter: Option<Filters<'a>>,
    /// These ids may not be returned.
    pub exclude: Option<Filters<'a>>,
    /// Threads for many queries; one for each core when not given. One query is answered on the caller's thread.
    pub threads: Option<usize>,
}

impl Search<'_> {
    /// The `k` closest, at the default recall.
    pub fn new(k: usize) -> Self {
        Self { k, effort: Effort::Recall(DEFAULT_RECALL), filter: None, exclude: None, threads: None }
    }
}

/// Is told how far an addition has come: vectors done, of how many. It may break off.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync);

/// Is told the ids of vectors that are being added, and makes a note of them.
pub type Noting<'a> = &'a (dyn Fn(&[u64]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> + Sync);

/// How to add.
#[derive(Clone, Copy, Default)]
pub struct Add<'a> {
    /// Threads to work on; one for each core when not given.
    pub threads: Option<usize>,
    /// A vector takes the place of the one that has its id. Otherwise an id in use is an error.
    pub replace: bool,
    /// Told when a part of the work is done, and at the end.
    pub progress: Option<Progress<'a>>,
    /// Makes a note that comes with the vectors, as a whole: see [`Index::notes`](super::Index::notes).
    pub note: Option<Noting<'a>>,
}

impl std::fmt::Debug for Add<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Add")
            .field("threads", &self.threads)
            .field("replace", &self.replace)
            .finish_non_exhaustive()
    }
}

/// When changes become durable without being told to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Autocommit {
    /// As soon as so many vectors have come or gone since the last commit: before the call that changes the last of them
    /// returns. If that commit fails, so does the call, and its change is not made.
    Changes(u64),
    /// When the oldest change that is not durable is so old; in the background.
    Every(Duration),
}

/// How to open an index for writing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Writing {
    /// Dimension and metric of the index to be made where there is none. An index that is there has to have the same.
    pub create: Option<(usize, Metric)>,
    /// How much memory an index that is made may take to be fast; one that is there keeps what it was made with.
    pub memory: Memory,
    /// When changes become durable besides [`commit`](super::Index::commit); only then, when not given.
    pub autocommit: Option<Autocommit>,
    /// From how many bytes of commits on the journal is folded into the file, in the background. When not given, 16 MiB or a
    /// quarter of the file, whichever is more.
    pub checkpoint: Option<u64>,
    /// How much of the file is compared with its checksums.
    pub verify: Verify,
}
