//! What a caller may ask for beyond the vectors: effort, filters, threads, progress.

use std::ops::ControlFlow;

use crate::filter::Filter;

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

/// How to add.
#[derive(Clone, Copy, Default)]
pub struct Add<'a> {
    /// Threads to work on; one for each core when not given.
    pub threads: Option<usize>,
    /// A vector takes the place of the one that has its id. Otherwise an id in use is an error.
    pub replace: bool,
    /// Told when a part of the work is done, and at the end.
    pub progress: Option<Progress<'a>>,
}

impl std::fmt::Debug for Add<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Add")
            .field("threads", &self.threads)
            .field("replace", &self.replace)
            .finish_non_exhaustive()
    }
}
