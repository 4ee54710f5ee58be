//! What a version answers: for the index, which asks its newest one, and for a snapshot, which keeps one.

use super::allowed::Allowed;
use super::error::SearchError;
use super::input;
use super::options::{Effort, Filters, Search};
use super::search;
use super::space::Query;
use super::version::Version;
use crate::hits::{Hits, HitsBatch, NO_ID};
use crate::parallel;
use crate::vectors::{Vector, Vectors};

/// Queries that a thread takes at a time from a batch.
const BATCH: usize = 16;

impl Version {
    /// What was read from a file that has turned out to be damaged is not to be believed; says so.
    pub(super) fn sound(&self) -> Result<(), String> {
        self.fault().map_or(Ok(()), |what| Err(what.to_owned()))
    }

    /// An answer, if the file that it comes from is sound.
    fn sure<T>(&self, answer: T) -> Result<T, SearchError> {
        self.sound().map_err(|what| SearchError::Damaged { what })?;
        Ok(answer)
    }

    /// Whether a vector has this id.
    pub(super) fn contains(&self, id: u64) -> Result<bool, SearchError> {
        self.sure(self.slot(id).is_some())
    }

    /// All ids, in ascending order.
    pub(super) fn all_ids(&self) -> Result<Vec<u64>, SearchError> {
        let mut ids = self.sure(self.view().living().map(|(_, id)| id).collect::<Vec<_>>())?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The vector with this id, as it was added.
    pub(super) fn get(&self, id: u64) -> Result<Option<Vector>, SearchError> {
        self.sure(self.slot(id).map(|slot| self.space.vector(self.view().row(slot))))
    }

    /// The vectors closest to `query`.
    pub(super) fn search(&self, query: Vectors<'_>, search: &Search<'_>) -> Result<Hits, SearchError> {
        let n = self.queries(query, search)?;
        if n != 1 {
            let expected = self.space.width();
            return Err(SearchError::Length { expected, got: n * expected, metric: self.space.metric });
        }
        let mut hits = Hits { ids: Vec::with_capacity(search.k.min(self.len)), distances: Vec::new() };
        self.answer(query, 0, search, None, &mut Query::default(), |distance, id| {
            hits.ids.push(id);
            hits.distances.push(distance);
        });
        self.sure(hits)
    }

    /// The vectors closest to each of many queries.
    pub(super) fn search_many(
        &self,
        queries: Vectors<'_>,
        search: &Search<'_>,
    ) -> Result<HitsBatch, SearchError> {
        let n = self.queries(queries, search)?;
        let k = search.k;
        let cells = n.saturating_mul(k);
        let (mut ids, mut distances, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        let room = ids.try_reserve_exact(cells).and(distances.try_reserve_exact(cells));
        room.and(counts.try_reserve_exact(n)).map_err(|_| SearchError::Memory { queries: n, k })?;
        // A filter for all is worked out once.
        let same = |filters| !matches!(filters, Some(Filters::Each(_)));
        let shared = (same(search.filter) && same(search.exclude)).then(|| self.allowed(search, 0)).flatten();
        let parts = parallel::map_with(
            parallel::threads(search.threads),
            n.div_ceil(BATCH),
            Query::default,
            |query, part| {
                let rows = part * BATCH..((part + 1) * BATCH).min(n);
                rows.map(|row| {
                    let mut hits = Vec::with_capacity(k.min(self.len));
                    let sink = |distance, id| hits.push((distance, id));
                    self.answer(queries, row, search, shared.as_ref(), query, sink);
                    hits
                })
                .collect::<Vec<_>>()
            },
        );
        let parts = self.sure(parts)?;
        ids.resize(cells, NO_ID);
        distances.resize(cells, f32::INFINITY);
        let mut batch = HitsBatch { k, ids, distances, counts };
        for (row, hits) in parts.into_iter().flatten().enumerate() {
            batch.counts.push(hits.len());
            for (i, (distance, id)) in hits.into_iter().enumerate() {
                batch.distances[row * k + i] = distance;
                batch.ids[row * k + i] = id;
            }
        }
        Ok(batch)
    }

    /// Answers query number `row`.
    fn answer(
        &self,
        queries: Vectors<'_>,
        row: usize,
        search: &Search<'_>,
        shared: Option<&Allowed<'_>>,
        query: &mut Query,
        sink: impl FnMut(f32, u64),
    ) {
        self.space.write_query(queries, row, query);
        let own = if shared.is_none() { self.allowed(search, row) } else { None };
        search::search(self, query, search.k, search.effort, shared.or(own.as_ref()), sink);
    }

    /// How many queries there are, if all is well with them.
    pub(super) fn queries(&self, queries: Vectors<'_>, search: &Search<'_>) -> Result<usize, SearchError> {
        let n = input::rows(&self.space, queries).map_err(|fault| fault.in_search(&self.space))?;
        for filters in [search.filter, search.exclude] {
            if let Some(Filters::Each(filters)) = filters
                && filters.len() != n
            {
                return Err(SearchError::Filters { filters: filters.len(), queries: n });
            }
        }
        match search.effort {
            Effort::Recall(recall) if !(recall > 0.0 && recall <= 1.0) => Err(SearchError::Recall { recall }),
            _ => Ok(n),
        }
    }

    /// What query number `row` may return; `None` when it may return all.
    fn allowed<'a>(&self, search: &Search<'a>, row: usize) -> Option<Allowed<'a>> {
        let pick = |filters: Option<Filters<'a>>| match filters {
            None => None,
            Some(Filters::Same(filter)) => Some(filter),
            Some(Filters::Each(filters)) => Some(&filters[row]),
        };
        Allowed::new(self, pick(search.filter), pick(search.exclude))
    }
}
