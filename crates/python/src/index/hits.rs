//! The class `Hits`: what a search found.

use std::sync::Arc;

use linjin::index::{self as engine, Metric, NO_ID, Notes};
use linjin_columns::{self as columns, Beside};
use numpy::{Element, PyArray0, PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PyTuple};

use super::table::Columns;
use super::{errors, names};

/// What a search found: ids and distances, closest first, equal distances by the smaller id.
///
/// For one query `ids` and `distances` have shape (k',), k' being at most k: only what was found. For q queries
/// they have shape (q, k); behind the last hit of a query stand `linjin.NO_ID` and infinity, and `counts` says
/// how many hits each query has.
///
/// A `Hits` unpacks and indexes like the tuple (ids, distances). Where the index has columns, `hits["price"]` are the
/// values of one for the hits: a list, or for many queries a list of lists, without padding.
///
///     hits = index.search(query, k=10)
///     hits.ids, hits.distances
///     ids, distances = index.search(queries, k=10)
#[pyclass(name = "Hits", module = "linjin", frozen)]
pub(crate) struct Hits {
    metric: Metric,
    found: Found,
    /// Nothing where the index has no columns.
    known: Option<Known>,
}

/// What the index knew of its items at the moment of the search.
pub(super) struct Known {
    beside: Arc<Beside>,
    notes: Notes,
}

impl Known {
    /// What the index knew then.
    pub(super) fn of(index: &engine::Snapshot, beside: &Arc<Beside>) -> Option<Self> {
        let notes = index.notes();
        (!notes.is_empty()).then(|| Self { beside: beside.clone(), notes: notes.clone() })
    }

    fn columns(&self, py: Python<'_>) -> PyResult<columns::Columns> {
        py.detach(|| self.beside.of(&self.notes)).map_err(errors::beside)
    }

    /// Whether the items have names instead of numbers.
    fn has_names(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.beside.has_names(&self.notes)).map_err(errors::beside)
    }
}

enum Found {
    /// The hits of one query. Arrays are made when they are asked for: each costs a good part of a small search.
    One { hits: engine::Hits, ids: PyOnceLock<Py<PyAny>>, distances: PyOnceLock<Py<PyAny>> },
    /// The arrays for many queries.
    Many { ids: Py<PyAny>, distances: Py<PyAny>, counts: Py<PyAny> },
}

impl Hits {
    /// The hits of one query.
    pub(super) fn one(metric: Metric, hits: engine::Hits, known: Option<Known>) -> Self {
        let found = Found::One { hits, ids: PyOnceLock::new(), distances: PyOnceLock::new() };
        Self { metric, found, known }
    }

    /// The hits of many queries: ids (q, k), distances (q, k), counts (q,).
    pub(super) fn many(
        metric: Metric,
        [ids, distances, counts]: [Bound<'_, PyAny>; 3],
        known: Option<Known>,
    ) -> Self {
        let (ids, distances, counts) = (ids.unbind(), distances.unbind(), counts.unbind());
        Self { metric, found: Found::Many { ids, distances, counts }, known }
    }

    fn pair<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, [self.ids(py)?, self.distances(py).clone()])
    }

    /// The numbers of the items, of the shape of `ids`.
    fn numbers<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        match &self.found {
            Found::One { hits, ids, .. } => array(py, ids, &hits.ids),
            Found::Many { ids, .. } => ids.bind(py),
        }
    }

    /// The numbers of the hits, without padding, one query behind the other.
    fn flat(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        Ok(match &self.found {
            Found::One { hits, .. } => hits.ids.clone(),
            Found::Many { ids, .. } => {
                let ids = ids.bind(py).cast::<PyArray2<u64>>()?.try_readonly()?;
                ids.as_slice()?.iter().copied().filter(|&id| id != NO_ID).collect()
            }
        })
    }
}

#[pymethods]
impl Hits {
    /// The ids, uint64, closest first: (k',) for one query, (q, k) for many, `linjin.NO_ID` where there is none. In an
    /// index whose items have names these, as str objects, and None where there is none.
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let numbers = self.numbers(py);
        match &self.known {
            Some(known) if known.has_names(py)? => {
                let columns = known.columns(py)?;
                let shape = numbers.getattr("shape")?;
                let flat: Vec<u64> = numbers.call_method0("ravel")?.extract()?;
                names::array(py, &columns, flat.into_iter())?.call_method1("reshape", (shape,))
            }
            _ => Ok(numbers.clone()),
        }
    }

    /// What the index knows of the items that were found, a `Columns`: a row for each hit, closest first, one query behind
    /// the other, without padding. It is as it was at the moment of the search.
    ///
    ///     index.search(query, k=10).columns.to_dict()
    #[getter]
    fn columns(&self, py: Python<'_>) -> PyResult<Columns> {
        let ids = self.flat(py)?;
        let known = self.known.as_ref().map(|known| known.columns(py)).transpose()?.unwrap_or_default();
        Ok(Columns::new(py.detach(|| known.take(&ids)).map_err(|error| errors::beside(error.into()))?))
    }

    /// The distances, float32, of the same shape as `ids`; infinity where there is no id.
    #[getter]
    fn distances<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        match &self.found {
            Found::One { hits, distances, .. } => array(py, distances, &hits.distances),
            Found::Many { distances, .. } => distances.bind(py),
        }
    }

    /// The similarities, float32, larger being closer: the cosine for the metric `cosine`, the inner product for
    /// `dot`. Minus infinity where there is no id. Computed anew each time.
    ///
    /// Raises AttributeError for the other metrics, which have distances only.
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.metric {
            Metric::Cosine => 1_i32.into_pyobject(py)?.sub(self.distances(py)),
            Metric::Dot => self.distances(py).neg(),
            other => Err(PyAttributeError::new_err(format!(
                "hits of the metric {other} have no scores, only distances; cosine and dot have scores"
            ))),
        }
    }

    /// How many hits there are, int64: of shape (q,) for q queries, of shape () for one.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match &self.found {
            Found::One { hits, .. } => {
                PyArray0::from_owned_array(py, numpy::ndarray::arr0(hits.ids.len() as i64)).into_any()
            }
            Found::Many { counts, .. } => counts.bind(py).clone(),
        }
    }

    /// The hits as a table of PyArrow's: the columns `id`, `distance` and, for `cosine` and `dot`, `score`, a row for
    /// each hit, closest first; for many queries `query` before them, the number of the query; and behind them the columns
    /// of the index, `id_` for one that is called `id`. There is no padding.
    ///
    /// Raises ImportError where PyArrow is not installed.
    ///
    ///     index.search(queries, k=10).to_arrow()
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        framed(slf, "to_arrow")
    }

    /// The hits as a data frame of Polars', with the columns of `to_arrow`.
    ///
    /// Raises ImportError where Polars is not installed.
    ///
    ///     index.search(queries, k=10).to_polars()
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        framed(slf, "to_polars")
    }

    /// The hits as a data frame of pandas', with the columns of `to_arrow`.
    ///
    /// Raises ImportError where pandas is not installed.
    ///
    ///     index.search(queries, k=10).to_pandas()
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        framed(slf, "to_pandas")
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, py: Python<'py>, i: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let Ok(name) = i.extract::<String>() else { return self.pair(py)?.as_any().get_item(i) };
        let values = self.columns(py)?.__getitem__(py, &name)?;
        let Found::Many { counts, .. } = &self.found else { return Ok(values.into_any()) };
        let (mut start, rows) = (0, PyList::empty(py));
        for count in counts.bind(py).try_iter()? {
            let end = start + count?.extract::<usize>()?;
            rows.append(values.get_slice(start, end))?;
            start = end;
        }
        Ok(rows.into_any())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.pair(py)?.try_iter()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("linjin.Hits(ids={}, distances={})", self.ids(py)?.repr()?, self.distances(py).repr()?))
    }
}

/// What the function of `linjin._frames` makes of the hits.
fn framed<'py>(hits: &Bound<'py, Hits>, function: &str) -> PyResult<Bound<'py, PyAny>> {
    hits.py().import("linjin._frames")?.call_method1(function, (hits,))
}

/// The array that is in the cell, or else a new one of these values.
fn array<'a, 'py, T: Element>(
    py: Python<'py>,
    cell: &'a PyOnceLock<Py<PyAny>>,
    values: &[T],
) -> &'a Bound<'py, PyAny> {
    cell.get_or_init(py, || PyArray1::from_slice(py, values).into_any().unbind()).bind(py)
}
