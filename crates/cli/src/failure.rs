//! What went wrong, in words, and the exit code that says so.

use std::fmt::Display;
use std::io;
use std::path::Path;

use linjin::index::error::{OpenError, SearchError, UpdateError};
use linjin_columns::BesideError;
use thiserror::Error;

/// Why a command was not done.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// What was typed cannot work.
    #[error("{0}")]
    Usage(String),
    /// It did not work this time.
    #[error("{0}")]
    Run(String),
    /// A file is damaged, or something else than it should be.
    #[error("{0}")]
    File(String),
    /// Nobody reads the output any more.
    #[error("the output was closed")]
    Closed,
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Closed => 0,
            Self::Run(_) => 1,
            Self::Usage(_) => 2,
            Self::File(_) => 3,
        }
    }

    /// A file could not be read or written.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Run(format!("{}: {error}", path.display()))
    }

    /// The contents of a file are not what they should be.
    pub(crate) fn file(path: &Path, what: impl Display) -> Self {
        Self::File(format!("{}: {what}", path.display()))
    }

    /// An index was not opened, checked or saved.
    pub(crate) fn index(path: &Path, error: &OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::io(path, error),
            OpenError::Foreign { .. } => {
                Self::file(path, format_args!("{error}; `linjin build` makes an index of vectors"))
            }
            OpenError::Locked { .. } | OpenError::Journalled { .. } | OpenError::Commit(_) => {
                Self::Run(error.to_string())
            }
            OpenError::Damaged { .. } => {
                Self::file(path, format_args!("{error}; bring it back from a copy, or build it anew"))
            }
            other => Self::file(path, other),
        }
    }

    /// A search was not answered. `queries` says where they are from.
    pub(crate) fn search(queries: &str, index: &Path, error: &SearchError) -> Self {
        match error {
            SearchError::Damaged { .. } => {
                Self::file(index, format_args!("{error}; bring it back from a copy, or build it anew"))
            }
            other => Self::Run(format!("{queries}: {other}")),
        }
    }

    /// What is known of the items of an index was not read.
    pub(crate) fn columns(index: &Path, error: &BesideError) -> Self {
        match error {
            BesideError::Search(error) => Self::search("columns", index, error),
            BesideError::Columns(error) => Self::file(index, error),
            other => Self::Run(format!("{}: {other}", index.display())),
        }
    }

    /// Vectors were not added. `ids` is the file that names them.
    pub(crate) fn add(vectors: &Path, ids: Option<&Path>, error: &BesideError) -> Self {
        let run = |path: &Path, what: &dyn Display| Self::Run(format!("{}: {what}", path.display()));
        match (error, ids) {
            (BesideError::Update(UpdateError::Exists { row, id }), Some(ids)) => run(
                ids,
                &format_args!("row {row}: the id {id} stands there twice; every vector needs its own"),
            ),
            (BesideError::Update(UpdateError::Reserved { .. }), Some(ids)) => run(ids, error),
            _ => run(vectors, error),
        }
    }
}

/// Of the output; files that are read have errors with their names.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Run(format!("the output was not written: {error}")),
        }
    }
}
