//! One query, and many in blocks.

use std::ops::Range;
use std::sync::Arc;

use linjin::index::error::SearchError;
use linjin::index::{Effort, Filters, NO_ID, Search, Snapshot, Vectors};
use linjin_columns::Beside;
use numpy::PyArray1;
use pyo3::prelude::*;

use super::hits::{Hits, Known};
use super::sets::{Each, Sets};
use super::{errors, vectors};
use crate::table::Table;

/// Many queries go in blocks: between two of them Ctrl-C is heard. The most queries of a block: more would keep Ctrl-C
/// waiting for seconds, fewer would start threads too often.
const BLOCK_ROWS: usize = 1 << 14;
/// About the most neighbours of a block, which are held a second time until they are copied: 48 MiB.
const BLOCK_CELLS: usize = 1 << 22;
/// About how many values the queries of a block are compared with where every vector is compared: half a second's work
/// for one thread.
const BLOCK_VALUES: usize = 1 << 31;
/// The fewest queries of such a block, so that all threads have some.
const FEWEST_ROWS: usize = 64;

/// What is asked of a search besides its queries.
pub(super) struct Ask {
    pub(super) k: usize,
    pub(super) effort: Effort,
    pub(super) filter: Option<Sets>,
    pub(super) exclude: Option<Sets>,
    pub(super) threads: Option<usize>,
}

impl Ask {
    /// The search for the queries `rows`, of which there are `k` neighbours each to be had.
    fn of(&self, k: usize, rows: &Range<usize>) -> Search<'_> {
        let filter = match &self.filter {
            // No filter stands for "all ids", and there is none among the sets that says so.
            Some(Sets::Each(each)) if each.absent.get(rows.start) == Some(&true) => None,
            other => part(other.as_ref(), rows),
        };
        let exclude = part(self.exclude.as_ref(), rows);
        Search { effort: self.effort, filter, exclude, threads: self.threads, ..Search::new(k) }
    }

    /// As many sets as queries are needed where there is one for each.
    fn check(&self, queries: usize) -> PyResult<()> {
        for sets in [&self.filter, &self.exclude] {
            if let Some(Sets::Each(Each { sets, .. })) = sets
                && sets.len() != queries
            {
                return Err(errors::search(SearchError::Filters { filters: sets.len(), queries }));
            }
        }
        Ok(())
    }
}

/// The sets for some of the queries.
fn part<'a>(sets: Option<&'a Sets>, rows: &Range<usize>) -> Option<Filters<'a>> {
    sets.map(|sets| match sets {
        Sets::Same(set) => Filters::Same(set),
        Sets::Shared(set) => Filters::Same(set),
        Sets::Each(each) => Filters::Each(&each.sets[rows.clone()]),
    })
}

/// The hits of one query, in the index at one moment.
pub(super) fn one(
    py: Python<'_>,
    (index, beside): (&Snapshot, &Arc<Beside>),
    query: Vectors<'_>,
    ask: &Ask,
) -> PyResult<Hits> {
    ask.check(1)?;
    // The GIL goes even for a query of microseconds: to give it up and take it again costs some 50 nanoseconds.
    let found = py.detach(|| index.search(query, &ask.of(ask.k.min(index.len()), &(0..1))));
    Ok(Hits::one(index.metric(), found.map_err(errors::search)?, Known::of(index, beside)))
}

/// The hits of `n` queries.
pub(super) fn many(
    py: Python<'_>,
    (index, beside): (&Snapshot, &Arc<Beside>),
    (queries, n): (Vectors<'_>, usize),
    ask: &Ask,
) -> PyResult<Hits> {
    ask.check(n)?;
    let width = vectors::width(index.metric(), index.dim());
    let mut ids = Table::new(n, ask.k, NO_ID)?;
    let mut distances = Table::new(n, ask.k, f32::INFINITY)?;
    let mut counts = vec![0_i64; n];

    let len = index.len();
    let k = ask.k.min(len); // the rest is padding
    let compared = if ask.effort == Effort::Exact { len.saturating_mul(width).max(1) } else { 1 };
    let rows = (BLOCK_VALUES / compared).clamp(FEWEST_ROWS, BLOCK_ROWS);
    let block = rows.min(BLOCK_CELLS / k.max(1)).max(1);
    let mut start = 0;
    while start < n {
        let rows = start..alike(ask.filter.as_ref(), start..n.min(start + block));
        py.detach(|| {
            let queries = vectors::slice(queries, width, rows.clone());
            let found = index.search_many(queries, &ask.of(k, &rows))?;
            for (i, &count) in found.counts.iter().enumerate() {
                let hits = i * k..i * k + count;
                ids.fill(start + i, found.ids[hits.clone()].iter().copied());
                distances.fill(start + i, found.distances[hits].iter().copied());
                counts[start + i] = count as i64;
            }
            Ok(())
        })
        .map_err(|error| errors::search(in_whole_batch(error, start)))?;
        py.check_signals()?;
        start = rows.end;
    }
    let counts = PyArray1::from_vec(py, counts).into_any();
    let found = [ids.into_array(py, n)?, distances.into_array(py, n)?, counts];
    Ok(Hits::many(index.metric(), found, Known::of(index, beside)))
}

/// The end of the first of the queries `rows` that have a filter, or have none, as the first of them.
fn alike(filter: Option<&Sets>, rows: Range<usize>) -> usize {
    let Some(Sets::Each(Each { absent, .. })) = filter else { return rows.end };
    let first = absent[rows.start];
    rows.clone().find(|&row| absent[row] != first).unwrap_or(rows.end)
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
