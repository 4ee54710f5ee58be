//! The index at one moment, for those who ask more than once.

use std::sync::Arc;

use super::error::SearchError;
use super::notes::Notes;
use super::options::Search;
use super::version::Version;
use crate::hits::{Hits, HitsBatch};
use crate::metric::Metric;
use crate::vectors::{Vector, Vectors};

/// An index as it was at one moment, whatever becomes of it: all that is asked of it fits together, such as a search and
/// what the [`notes`](Self::notes) say of its hits.
///
/// It shares with the index what has not changed since, and keeps the rest in memory for as long as it lives.
///
/// ```
/// use linjin::index::{Add, Index, Metric, Search};
///
/// let index = Index::new(2, Metric::Euclidean)?;
/// index.add(&[2.0, 2.0, 3.0, 3.0], None, &Add::default())?;
/// let before = index.snapshot();
/// index.remove(&[1])?;
/// assert_eq!(before.search(&[4.0, 4.0], &Search::new(1))?.ids, [1]);
/// assert!(before.contains(1)? && !index.contains(1)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot {
    version: Arc<Version>,
}

impl Snapshot {
    pub(super) fn new(version: Arc<Version>) -> Self {
        Self { version }
    }

    /// Values in a vector; bits, for `hamming`.
    pub fn dim(&self) -> usize {
        self.version.space.dim
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.version.space.metric
    }

    /// How many vectors there were.
    pub fn len(&self) -> usize {
        self.version.len
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a vector had this id.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where the answer would come from.
    pub fn contains(&self, id: u64) -> Result<bool, SearchError> {
        self.version.contains(id)
    }

    /// All ids, in ascending order.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where the ids are.
    pub fn ids(&self) -> Result<Vec<u64>, SearchError> {
        self.version.all_ids()
    }

    /// The vector with this id: see [`Index::get`](super::Index::get).
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where the vector is.
    pub fn get(&self, id: u64) -> Result<Option<Vector>, SearchError> {
        self.version.get(id)
    }

    /// What callers kept beside the vectors: see [`Index::notes`](super::Index::notes).
    pub fn notes(&self) -> &Notes {
        &self.version.notes
    }

    /// The vectors closest to `query`: see [`Index::search`](super::Index::search).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn search<'a>(
        &self,
        query: impl Into<Vectors<'a>>,
        search: &Search<'_>,
    ) -> Result<Hits, SearchError> {
        self.version.search(query.into(), search)
    }

    /// The vectors closest to each of many queries: see [`Index::search_many`](super::Index::search_many).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn search_many<'a>(
        &self,
        queries: impl Into<Vectors<'a>>,
        search: &Search<'_>,
    ) -> Result<HitsBatch, SearchError> {
        self.version.search_many(queries.into(), search)
    }
}
