//! What can go wrong, by the moment at which it does: building, opening and saving, searching, changing.

use std::io;

use thiserror::Error;

/// Why a forest was not built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The forest has trees already; `unbuild` drops them, `save` and `build` plants them anew.
    #[error("You can't build a built index")]
    AlreadyBuilt,
    /// A forest that lies in a file has no trees to drop; `build` plants them anew.
    #[error("You can't unbuild a loaded index")]
    Loaded,
    /// A number of trees or threads that means nothing.
    #[error("{name} has to be -1 or at least 1, got {found}")]
    Count {
        /// The argument.
        name: &'static str,
        /// What was given.
        found: i64,
    },
    /// Annoy's files number their nodes with 31 bits.
    #[error(
        "{nodes} nodes do not fit into an Annoy file, which holds fewer than 2147483648: build fewer trees"
    )]
    TooManyNodes {
        /// How many there would be.
        nodes: u64,
    },
    /// The caller asked to stop; the forest is as it was before.
    #[error("the build was cancelled; the index is as it was before")]
    Cancelled,
    /// The forest was changed between growing the trees and planting them.
    #[error("the index was changed while its trees were growing; build again")]
    Changed,
    /// The trees could not be stored.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The file under the forest is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// Why a file was not opened or not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system said no.
    #[error("Unable to open: {}", describe(.0))]
    Io(#[from] io::Error),
    /// Only a forest with trees can be saved.
    #[error("You can't save an index that hasn't been built")]
    NotBuilt,
    /// The file has no bytes.
    #[error("Size of file is zero")]
    Empty,
    /// The file's size does not fit this dimension and metric.
    #[error(
        "Index size is not a multiple of vector size. Ensure you are opening using the same metric you used to create \
         the index. (The file has {size} bytes; a node of {dim} dimensions, {metric}, has {stride}.)"
    )]
    Stride {
        /// Bytes in the file.
        size: u64,
        /// Bytes in a node.
        stride: u64,
        /// Dimensions of the index that was to open the file.
        dim: usize,
        /// Metric of the index that was to open the file.
        metric: &'static str,
    },
    /// The size fits, the contents do not.
    #[error(
        "Not an Annoy index of {dim} dimensions, {metric}: {found}. Was it made with another metric or dimension? \
         (Annoy's files name neither; those that `linjin convert` makes of them do, and have checksums.)"
    )]
    Foreign {
        /// Dimensions of the index that was to open the file.
        dim: usize,
        /// Metric of the index that was to open the file.
        metric: &'static str,
        /// What was found, and what was expected.
        found: String,
    },
    /// The file under the forest is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// Why a search was not answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query has another dimension than the index.
    #[error("Vector has wrong length (expected {expected}, got {got})")]
    Length {
        /// Dimensions of the index.
        expected: usize,
        /// Dimensions of the query.
        got: usize,
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
    /// No item has this id.
    #[error("Item index larger than the largest item index")]
    UnknownItem {
        /// The id that was asked for.
        id: u32,
        /// The largest id plus one.
        n_items: usize,
    },
    /// The file under the forest is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// Why a change was not made. The forest is as it was before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The vector has another dimension than the index.
    #[error("Vector has wrong length (expected {expected}, got {got})")]
    Length {
        /// Dimensions of the index.
        expected: usize,
        /// Dimensions of the vector.
        got: usize,
    },
    /// As many ids as vectors are needed.
    #[error("{ids} ids for {vectors} vectors")]
    Ids {
        /// How many ids were given.
        ids: usize,
        /// How many vectors were given.
        vectors: usize,
    },
    /// The vector holds NaN or an infinity.
    #[error("item {id}: the value at column {column} is {value}; every value has to be finite")]
    NotFinite {
        /// The item whose vector it is.
        id: u32,
        /// Which value of the vector.
        column: usize,
        /// The value.
        value: f32,
    },
    /// No living item has this id.
    #[error("item {id} is not in the index")]
    UnknownItem {
        /// The id that was asked for.
        id: u32,
    },
    /// Annoy's files number their nodes with 31 bits.
    #[error("item {id} is beyond what an Annoy file can number: ids have to be below 2147483647")]
    IdTooLarge {
        /// The id.
        id: u64,
    },
    /// There was no room for the items.
    #[error("no memory for item {id}, which needs room for all ids up to it: {source}")]
    Memory {
        /// The item that did not fit.
        id: u32,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file under the forest is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// A file that contradicts itself, found at the place where it was used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the index file is damaged: {what}")]
pub struct Damage {
    /// What was found, and what was expected.
    pub what: String,
}

impl Damage {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }

    /// What a walk says that is longer than all nodes together.
    pub(crate) fn circle() -> Self {
        Self::new("its nodes lead to one another in circles")
    }
}

/// The operating system's words and number, as Annoy prints them: `No such file or directory (2)`.
fn describe(error: &io::Error) -> String {
    error.to_string().replace("(os error ", "(")
}
