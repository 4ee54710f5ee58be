//! Many queries at once, answered into padded NumPy arrays.

use std::ops::Range;

use linjin::error::SearchError;
use linjin::forest::{Forest, Neighbors};
use pyo3::prelude::*;

use super::arguments::Ask;
use super::errors;
use super::shared::Shared;
use crate::table::Table;

/// The queries go in blocks: between two of them Ctrl-C and waiting writers are served. The most rows of a
/// block: more would keep Ctrl-C waiting for seconds, fewer would start threads too often.
const BLOCK_ROWS: usize = 1 << 14;
/// About the most neighbours of a block, which are held a second time until they are copied: 32 MiB.
const BLOCK_CELLS: usize = 1 << 22;

/// What stands where a row has found fewer neighbours than it has columns.
const NO_ID: i64 = -1;
const NO_DISTANCE: f32 = f32::NAN;

/// The answers of `rows` queries: ids (rows, w), or the pair of ids and distances; w is `n`, at most the
/// number of items.
///
/// `search` answers one range of the queries and counts their rows from 0.
pub(super) fn run<'py>(
    py: Python<'py>,
    shared: &Shared,
    rows: usize,
    ask: Ask,
    search: impl Fn(&Forest, Range<usize>) -> Result<Vec<Neighbors>, SearchError> + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let n_items = shared.read(py)?.n_items();
    let width = ask.n.map_or(n_items, |n| n.min(n_items));
    let mut ids = Table::new(rows, width, NO_ID)?;
    let mut distances = Table::new(rows, if ask.include_distances { width } else { 0 }, NO_DISTANCE)?;

    let block = (BLOCK_CELLS / width.max(1)).clamp(1, BLOCK_ROWS);
    for start in (0..rows).step_by(block) {
        let range = start..rows.min(start + block);
        let forest = shared.read(py)?;
        py.detach(|| {
            for (row, found) in search(&forest, range)?.into_iter().enumerate() {
                ids.fill(start + row, found.ids.into_iter().map(i64::from));
                distances.fill(start + row, found.distances.into_iter());
            }
            drop(forest);
            Ok(())
        })
        .map_err(|error| errors::search(in_whole_batch(error, start)))?;
        py.check_signals()?;
    }

    let ids = ids.into_array(py, rows)?;
    if !ask.include_distances {
        return Ok(ids);
    }
    Ok((ids, distances.into_array(py, rows)?).into_pyobject(py)?.into_any())
}

/// The error with its row counted from the first query instead of from the first of the block.
fn in_whole_batch(error: SearchError, start: usize) -> SearchError {
    match error {
        SearchError::NotFinite { row, column, value } => {
            SearchError::NotFinite { row: start + row, column, value }
        }
        other => other,
    }
}
