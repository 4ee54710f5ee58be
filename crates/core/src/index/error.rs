//! What can go wrong with an index, by the moment at which it does.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::metric::Metric;

/// Why an index was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Dimensions are from 1 to 65,535.
    #[error("an index has from 1 to 65535 dimensions, got {dim}")]
    Dimension {
        /// What was given.
        dim: usize,
    },
}

/// Why a file was not opened or not written. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is something else.
    #[error("this is not a linjin index: {found}")]
    Foreign {
        /// What was found.
        found: String,
    },
    /// The file was written by a newer linjin.
    #[error("the index has format version {found}, this linjin reads up to {supported}: upgrade linjin")]
    Version {
        /// The file's version.
        found: u32,
        /// The newest version that can be read.
        supported: u32,
    },
    /// The file is damaged.
    #[error("the index file is damaged: {what}")]
    Damaged {
        /// What was found, and what was expected.
        what: String,
    },
    /// The journal beside the file is damaged, or of another file.
    #[error("the journal {} cannot be used: {what}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// Somebody else has the index open for writing.
    #[error("{} is open for writing already, here or in another process; one at a time may write", path.display())]
    Locked {
        /// The index.
        path: PathBuf,
    },
    /// The file has a journal with commits that it does not hold itself.
    #[error(
        "{} has a journal with commits that would be lost: save under another name, or open it for writing",
        path.display()
    )]
    Journalled {
        /// The file.
        path: PathBuf,
    },
    /// The index is not of the dimension and metric that were asked for.
    #[error("the index is there already and has {dim} dimensions and the metric {metric}")]
    Other {
        /// Its dimension.
        dim: usize,
        /// Its metric.
        metric: Metric,
    },
    /// Dimensions are from 1 to 65,535.
    #[error("an index has from 1 to 65535 dimensions, got {dim}")]
    Dimension {
        /// What was given.
        dim: usize,
    },
    /// The index has changes of its own, which would be lost.
    #[error("the index has changes of its own: save it, or open the file again")]
    Changed,
    /// Saving in the place of the file that the index is open for writing on is a commit, and that failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl OpenError {
    /// Whether the file is at fault: damaged, foreign, or not what it is beside.
    pub fn is_of_file(&self) -> bool {
        matches!(
            self,
            Self::Foreign { .. } | Self::Version { .. } | Self::Damaged { .. } | Self::Journal { .. }
        )
    }
}

/// Why changes did not become durable.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The operating system said no, as on a full disk. Nothing is lost: it can be tried again.
    #[error("the journal was not written: {0}")]
    Io(#[source] io::Error),
    /// What was written did not reach the disk, and nothing that follows can be relied on.
    #[error(
        "changes could not be made durable ({why}), so nothing is committed any more: open the index again, which          gives the last committed state"
    )]
    Failed {
        /// What the operating system said.
        why: String,
    },
    /// The index was not opened for writing.
    #[error("the index is not open for writing: open it as writable")]
    ReadOnly,
    /// The index was closed.
    #[error("the index is closed: it can be searched, but no longer changed")]
    Closed,
    /// The index belongs to another process.
    #[error("the index was opened by the process that this one was forked from: open it here")]
    Forked,
    /// The file under the index is damaged.
    #[error("{what}")]
    Damaged {
        /// What was found, and what was expected.
        what: String,
    },
}

/// Why a search was not answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The queries are not whole rows of the index's dimension.
    #[error("queries of {got} values do not fit an index of {expected} ({metric})")]
    Length {
        /// Values, or bytes of packed bits, in a row of the index.
        expected: usize,
        /// Values or bytes that were given.
        got: usize,
        /// The index's metric.
        metric: Metric,
    },
    /// Bits were given where floats are needed, or the other way round.
    #[error("an index with the metric {metric} takes {expected}")]
    Kind {
        /// The index's metric.
        metric: Metric,
        /// What it takes.
        expected: &'static str,
    },
    /// The query holds NaN or an infinity.
    #[error("query {row}: the value at column {column} is {value}; every value has to be finite")]
    NotFinite {
        /// Which query of a batch (0 for a single one).
        row: usize,
        /// Which value of the query.
        column: usize,
        /// The value.
        value: f32,
    },
    /// One filter for each query is needed, or one for all.
    #[error("{filters} filters for {queries} queries")]
    Filters {
        /// How many filters were given.
        filters: usize,
        /// How many queries there are.
        queries: usize,
    },
    /// There is no memory for so many hits.
    #[error("there is no memory for {k} hits of each of {queries} queries; ask for fewer")]
    Memory {
        /// How many queries there are.
        queries: usize,
        /// How many hits of each were asked for.
        k: usize,
    },
    /// A recall is above 0 and at most 1.
    #[error("recall has to be above 0 and at most 1, got {recall}")]
    Recall {
        /// What was given.
        recall: f32,
    },
    /// The file under the index is damaged.
    #[error("the index file is damaged: {what}")]
    Damaged {
        /// What was found, and what was expected.
        what: String,
    },
}

/// Why a change was not made. The index is as it was before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The vectors are not whole rows of the index's dimension.
    #[error("vectors of {got} values do not fit an index of {expected} ({metric})")]
    Length {
        /// Values, or bytes of packed bits, in a row of the index.
        expected: usize,
        /// Values or bytes that were given.
        got: usize,
        /// The index's metric.
        metric: Metric,
    },
    /// Bits were given where floats are needed, or the other way round.
    #[error("an index with the metric {metric} takes {expected}")]
    Kind {
        /// The index's metric.
        metric: Metric,
        /// What it takes.
        expected: &'static str,
    },
    /// As many ids as vectors are needed.
    #[error("{ids} ids for {vectors} vectors")]
    Ids {
        /// How many ids were given.
        ids: usize,
        /// How many vectors were given.
        vectors: usize,
    },
    /// A vector holds NaN or an infinity.
    #[error("row {row}: the value at column {column} is {value}; every value has to be finite")]
    NotFinite {
        /// Which of the vectors.
        row: usize,
        /// Which value of it.
        column: usize,
        /// The value.
        value: f32,
    },
    /// The id is in the index, or twice among the new ones.
    #[error("row {row}: the id {id} is in use already; pass replace to put the vector in its place")]
    Exists {
        /// Which of the vectors.
        row: usize,
        /// Its id.
        id: u64,
    },
    /// The largest number means "no id".
    #[error("row {row}: the id 18446744073709551615 stands for no id; choose another")]
    Reserved {
        /// Which of the vectors.
        row: usize,
    },
    /// No vector has this id.
    #[error("the id {id} is not in the index")]
    Unknown {
        /// The id.
        id: u64,
    },
    /// There is no memory for so many vectors.
    #[error("there is no memory for {vectors} vectors more; the index is as it was before")]
    Memory {
        /// How many were to be added.
        vectors: usize,
    },
    /// No more vectors fit.
    #[error("an index holds up to 4294967295 vectors")]
    Full,
    /// The caller asked to stop.
    #[error("cancelled; the index is as it was before")]
    Cancelled,
    /// The file under the index is damaged.
    #[error("the index file is damaged: {what}")]
    Damaged {
        /// What was found, and what was expected.
        what: String,
    },
    /// The change was not taken into the journal.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The caller had no note to go with the vectors.
    #[error(transparent)]
    Note(Box<dyn std::error::Error + Send + Sync>),
}
