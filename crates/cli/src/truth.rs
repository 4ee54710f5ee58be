//! The true neighbours of queries, and how many of them a search found.

use std::collections::HashSet;
use std::path::Path;

use linjin::index::error::SearchError;
use linjin::index::{Effort, Filter, Hits, HitsBatch, Index, NO_ID, Search};

use crate::failure::Failure;
use crate::queries::{self, Allowed};
use crate::read::{self, Matrix};

/// Two distances that differ by no more than this share are taken for equal: what was reckoned elsewhere, in another
/// order, differs in the last digits.
const SAME: f32 = 1e-6;

/// For each query, its true neighbours and how far away the last of them is.
#[derive(Debug)]
pub(crate) struct Truth {
    neighbours: Vec<(HashSet<u64>, f32)>,
}

impl Truth {
    /// By comparing every vector of the index.
    pub(crate) fn exact(index: &Index, queries: &Matrix, k: usize) -> Result<Self, SearchError> {
        let search = Search { effort: Effort::Exact, ..Search::new(k) };
        Ok(Self::of(&queries::answer(index, queries, &search, Allowed::All, "true neighbours")?))
    }

    /// The first `k` of each row of a file. How far away they are, the index tells.
    pub(crate) fn of_file(
        path: &Path,
        index: &Index,
        index_path: &Path,
        queries: &Matrix,
        k: usize,
    ) -> Result<Self, Failure> {
        let (columns, ids) = read::neighbours(path)?;
        let (rows, count) = (ids.len() / columns, queries.rows());
        let at = path.display();
        if rows < count {
            return Err(Failure::Run(format!(
                "{at}: {rows} rows of neighbours for {count} queries; --limit {rows} takes only the first queries"
            )));
        }
        if columns < k {
            return Err(Failure::Run(format!(
                "{at}: {columns} neighbours a query; -k {columns} is the most"
            )));
        }
        let row = |query: usize| ids[query * columns..][..k].iter().copied().filter(|&id| id != NO_ID);
        let filters: Vec<_> = (0..count).map(|query| Filter::Ids(row(query).collect())).collect();
        let search = Search { effort: Effort::Exact, ..Search::new(k) };
        let found = queries::answer(index, queries, &search, Allowed::Each(&filters), "true neighbours")
            .map_err(|error| Failure::search("queries", index_path, &error))?;
        for query in 0..count {
            for id in row(query) {
                let there =
                    index.contains(id).map_err(|error| Failure::search("neighbours", index_path, &error))?;
                if there {
                    continue;
                }
                return Err(Failure::Run(format!(
                    "{at}: the neighbour {id} of query {query} is not in {}: was that built from other vectors, or \
                     with other ids?",
                    index_path.display()
                )));
            }
        }
        Ok(Self::of(&found))
    }

    fn of(hits: &HitsBatch) -> Self {
        let neighbours = |(query, &count): (usize, &usize)| {
            let places = query * hits.k..query * hits.k + count;
            let last = hits.distances[places.clone()].last().copied().unwrap_or(f32::NEG_INFINITY);
            (hits.ids[places].iter().copied().collect(), last)
        };
        Self { neighbours: hits.counts.iter().enumerate().map(neighbours).collect() }
    }

    /// How many neighbours there are to be found.
    pub(crate) fn total(&self) -> usize {
        self.neighbours.iter().map(|(ids, _)| ids.len()).sum()
    }

    /// How many of them were found. One that is not among them but as far away as the last of them counts as well.
    pub(crate) fn found(&self, query: usize, hits: &Hits) -> usize {
        let (ids, last) = &self.neighbours[query];
        let right = |(id, distance): &(&u64, &f32)| {
            ids.contains(id) || (**distance - last).abs() <= SAME * last.abs()
        };
        hits.ids.iter().zip(&hits.distances).filter(right).count().min(ids.len())
    }
}
