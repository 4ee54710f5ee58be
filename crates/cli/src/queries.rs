//! Queries: where they are from, and how many of them are answered at once.

use std::path::Path;
use std::time::{Duration, Instant};

use linjin::index::error::SearchError;
use linjin::index::{Filter, Filters, HitsBatch, Index, Search, Vector};

use crate::failure::Failure;
use crate::output::progress::{Meter, Unit};
use crate::read::{self, Matrix};

/// How long a block of queries should take: a bar that moves a few times a second.
const BLOCK: Duration = Duration::from_millis(200);

/// What the queries are called where they are shown.
#[derive(Debug)]
pub(crate) enum Names {
    /// By their numbers.
    Numbers,
    /// By the ids of the vectors that they are.
    Ids(Vec<u64>),
}

impl Names {
    /// The id of a query that is a vector of the index.
    pub(crate) fn id(&self, query: usize) -> Option<u64> {
        match self {
            Self::Numbers => None,
            Self::Ids(ids) => ids.get(query).copied(),
        }
    }
}

/// Queries that fit an index, and where they are from.
#[derive(Debug)]
pub(crate) struct Queries {
    /// The vectors.
    pub(crate) matrix: Matrix,
    /// Where they are from, for errors.
    pub(crate) from: String,
}

impl Queries {
    /// The first `limit` rows of a file.
    pub(crate) fn of_file(
        path: &Path,
        dataset: &str,
        limit: Option<usize>,
        index: &Index,
        index_path: &Path,
    ) -> Result<Self, Failure> {
        let mut rows = read::vectors(path, dataset)?;
        rows.truncate(limit.unwrap_or(usize::MAX));
        let from = path.display().to_string();
        let matrix = rows.fit(index.metric()).map_err(|what| Failure::Run(format!("{from}: {what}")))?;
        fits(&matrix, &from, index, index_path)?;
        Ok(Self { matrix, from })
    }

    /// Numbers with commas between them.
    pub(crate) fn of_text(texts: &[String], index: &Index, index_path: &Path) -> Result<Self, Failure> {
        let from = "--vector".to_owned();
        let dim = index.dim();
        let mut floats = Vec::new();
        for text in texts {
            let numbers = text.split(',').map(|number| {
                number
                    .trim()
                    .parse::<f32>()
                    .map_err(|error| Failure::Usage(format!("--vector: {number:?}: {error}")))
            });
            let before = floats.len();
            floats.extend(numbers.collect::<Result<Vec<_>, _>>()?);
            let got = floats.len() - before;
            if got != dim {
                return Err(Failure::Run(format!(
                    "--vector: {got} numbers, where {} takes {dim}",
                    index_path.display()
                )));
            }
        }
        if !index.metric().is_binary() {
            return Ok(Self { matrix: Matrix::Floats { dim, floats }, from });
        }
        if let Some(number) = floats.iter().find(|number| ![0.0, 1.0].contains(*number)) {
            return Err(Failure::Run(format!(
                "--vector: {number}, where {} takes bits: 0 or 1",
                index_path.display()
            )));
        }
        let flags: Vec<u8> = floats.iter().map(|&number| u8::from(number != 0.0)).collect();
        Ok(Self { matrix: Matrix::of_flags(dim, &flags), from })
    }

    /// The vectors that have these ids.
    pub(crate) fn of_ids(ids: &[u64], index: &Index, index_path: &Path) -> Result<Self, Failure> {
        let dim = index.dim();
        let (mut floats, mut bytes) = (Vec::new(), Vec::new());
        for &id in ids {
            match index.get(id).map_err(|error| Failure::search("--id", index_path, &error))? {
                Some(Vector::Floats(vector)) => floats.extend(vector),
                Some(Vector::Bits(vector)) => bytes.extend(vector),
                None => {
                    return Err(Failure::Run(format!(
                        "--id: the id {id} is not in {}",
                        index_path.display()
                    )));
                }
            }
        }
        let matrix = match index.metric().is_binary() {
            true => Matrix::Bits { dim, bytes },
            false => Matrix::Floats { dim, floats },
        };
        Ok(Self { matrix, from: "--id".to_owned() })
    }
}

fn fits(queries: &Matrix, from: &str, index: &Index, index_path: &Path) -> Result<(), Failure> {
    let (got, wanted) = (queries.dim(), index.dim());
    // Packed bits come in whole bytes: a file cannot say that the last few are none.
    let same = got == wanted || (index.metric().is_binary() && got == wanted.next_multiple_of(8));
    match same {
        true => Ok(()),
        false => Err(Failure::Run(format!(
            "{from}: vectors of {got} dimensions, where {} takes {wanted}: they have to come from the same source",
            index_path.display()
        ))),
    }
}

/// Which ids each query may find.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Allowed<'a> {
    /// Any.
    All,
    /// The same for all queries.
    Same(&'a Filter),
    /// One for each query.
    Each(&'a [Filter]),
}

/// Answers all queries in blocks, with a bar. The filter of `search` is `allowed`.
pub(crate) fn answer(
    index: &Index,
    queries: &Matrix,
    search: &Search<'_>,
    allowed: Allowed<'_>,
    label: &'static str,
) -> Result<HitsBatch, SearchError> {
    let count = queries.rows();
    let meter = Meter::new(label, Unit::Things, count as u64);
    let mut all = HitsBatch { k: search.k, ..HitsBatch::default() };
    let (mut start, mut size) = (0, 64);
    while start < count {
        let rows = start..count.min(start + size);
        let filter = match allowed {
            Allowed::All => None,
            Allowed::Same(filter) => Some(Filters::Same(filter)),
            Allowed::Each(filters) => Some(Filters::Each(&filters[rows.clone()])),
        };
        let began = Instant::now();
        let found = index.search_many(queries.part(rows.clone()), &Search { filter, ..*search });
        let found = found.map_err(|error| match error {
            SearchError::NotFinite { row, column, value } => {
                SearchError::NotFinite { row: start + row, column, value }
            }
            other => other,
        })?;
        all.ids.extend(found.ids);
        all.distances.extend(found.distances);
        all.counts.extend(found.counts);
        match began.elapsed() {
            took if took < BLOCK / 2 => size *= 2,
            took if took > BLOCK * 2 => size = (size / 2).max(16),
            _ => {}
        }
        start = rows.end;
        meter.set(start as u64);
    }
    Ok(all)
}
