//! Vectors and queries as they come in, and what may be wrong with them.

use super::error::{SearchError, UpdateError};
use super::space::Space;
use crate::vectors::Vectors;

/// What is wrong with vectors.
pub(super) enum Fault {
    Kind,
    Length(usize),
    NotFinite { row: usize, column: usize, value: f32 },
}

/// How many vectors there are, if all is well with them.
pub(super) fn rows(space: &Space, vectors: Vectors<'_>) -> Result<usize, Fault> {
    let width = space.width();
    if matches!(vectors, Vectors::Bits(_)) != space.metric.is_binary() {
        return Err(Fault::Kind);
    }
    if let Some((at, value)) = vectors.not_finite() {
        return Err(Fault::NotFinite { row: at / width, column: at % width, value });
    }
    let len = vectors.len();
    if len.is_multiple_of(width) { Ok(len / width) } else { Err(Fault::Length(len)) }
}

impl Fault {
    pub(super) fn in_search(self, space: &Space) -> SearchError {
        let metric = space.metric;
        match self {
            Self::Kind => SearchError::Kind { metric, expected: space.expected() },
            Self::Length(got) => SearchError::Length { expected: space.width(), got, metric },
            Self::NotFinite { row, column, value } => SearchError::NotFinite { row, column, value },
        }
    }

    pub(super) fn in_update(self, space: &Space) -> UpdateError {
        let metric = space.metric;
        match self {
            Self::Kind => UpdateError::Kind { metric, expected: space.expected() },
            Self::Length(got) => UpdateError::Length { expected: space.width(), got, metric },
            Self::NotFinite { row, column, value } => UpdateError::NotFinite { row, column, value },
        }
    }
}
