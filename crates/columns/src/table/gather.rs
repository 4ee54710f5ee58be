//! Rows of several chunks as one array.

use arrow_array::{Array, ArrayRef, LargeStringArray, new_null_array};
use arrow_schema::DataType;
use arrow_select::interleave::interleave;

use super::chunk::Chunk;
use crate::error::ColumnsError;
use crate::rows;

/// A row of a chunk, or nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The chunk's position and one, so that nowhere is the row 0 of an array that goes before those of the chunks.
    source: usize,
    row: usize,
}

impl Place {
    /// What is known of an id without a row.
    pub(super) const NOWHERE: Self = Self { source: 0, row: 0 };

    /// A row of the chunk at this position.
    pub(super) fn at(chunk: usize, row: usize) -> Self {
        Self { source: chunk + 1, row }
    }
}

/// The values of a column at these places.
pub(super) fn gather(
    chunks: &[Chunk],
    column: usize,
    of: &DataType,
    places: &[Place],
) -> Result<ArrayRef, ColumnsError> {
    let sources: Vec<_> = chunks.iter().map(|chunk| chunk.column(column).map(|values| &**values)).collect();
    gather_from(&sources, of, places)
}

/// The names at these places, or `None` if there is none.
pub(super) fn gather_names(
    chunks: &[Chunk],
    places: &[Place],
) -> Result<Option<LargeStringArray>, ColumnsError> {
    let sources: Vec<_> = chunks.iter().map(|chunk| chunk.names().map(|names| names as &dyn Array)).collect();
    let names = gather_from(&sources, &DataType::LargeUtf8, places)?;
    Ok((names.null_count() < names.len()).then(|| rows::text(&*names)))
}

/// The values at these places, null where a chunk has no array.
fn gather_from(
    sources: &[Option<&dyn Array>],
    of: &DataType,
    places: &[Place],
) -> Result<ArrayRef, ColumnsError> {
    if sources.iter().all(Option::is_none) {
        return Ok(new_null_array(of, places.len()));
    }
    let null = new_null_array(of, 1);
    let mut arrays: Vec<&dyn Array> = vec![&*null];
    // Where the array of each source is among `arrays`; the null is that of those without one.
    let mut positions = vec![0];
    for source in sources {
        positions.push(if source.is_some() { arrays.len() } else { 0 });
        arrays.extend(source);
    }
    let indices: Vec<(usize, usize)> = places
        .iter()
        .map(|place| match positions[place.source] {
            0 => (0, 0),
            position => (position, place.row),
        })
        .collect();
    Ok(interleave(&arrays, &indices)?)
}
