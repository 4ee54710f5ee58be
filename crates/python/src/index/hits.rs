//! The class `Hits`: what a search found.

use linjin::index::{self as engine, Metric};
use numpy::{Element, PyArray0, PyArray1};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyTuple};

/// What a search found: ids and distances, closest first, equal distances by the smaller id.
///
/// For one query `ids` and `distances` have shape (k',), k' being at most k: only what was found. For q queries
/// they have shape (q, k); behind the last hit of a query stand `linjin.NO_ID` and infinity, and `counts` says
/// how many hits each query has.
///
/// A `Hits` unpacks and indexes like the tuple (ids, distances).
///
///     hits = index.search(query, k=10)
///     hits.ids, hits.distances
///     ids, distances = index.search(queries, k=10)
#[pyclass(name = "Hits", module = "linjin", frozen)]
pub(crate) struct Hits {
    metric: Metric,
    found: Found,
}

enum Found {
    /// The hits of one query. Arrays are made when they are asked for: each costs a good part of a small search.
    One { hits: engine::Hits, ids: PyOnceLock<Py<PyAny>>, distances: PyOnceLock<Py<PyAny>> },
    /// The arrays for many queries.
    Many { ids: Py<PyAny>, distances: Py<PyAny>, counts: Py<PyAny> },
}

impl Hits {
    /// The hits of one query.
    pub(super) fn one(metric: Metric, hits: engine::Hits) -> Self {
        Self { metric, found: Found::One { hits, ids: PyOnceLock::new(), distances: PyOnceLock::new() } }
    }

    /// The hits of many queries: ids (q, k), distances (q, k), counts (q,).
    pub(super) fn many(metric: Metric, [ids, distances, counts]: [Bound<'_, PyAny>; 3]) -> Self {
        let (ids, distances, counts) = (ids.unbind(), distances.unbind(), counts.unbind());
        Self { metric, found: Found::Many { ids, distances, counts } }
    }

    fn pair<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, [self.ids(py), self.distances(py)])
    }
}

#[pymethods]
impl Hits {
    /// The ids, uint64, closest first: (k',) for one query, (q, k) for many, `linjin.NO_ID` where there is none.
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        match &self.found {
            Found::One { hits, ids, .. } => array(py, ids, &hits.ids),
            Found::Many { ids, .. } => ids.bind(py),
        }
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
    /// each hit, closest first; for many queries `query` before them, the number of the query. There is no padding.
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
        self.pair(py)?.as_any().get_item(i)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.pair(py)?.try_iter()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("linjin.Hits(ids={}, distances={})", self.ids(py).repr()?, self.distances(py).repr()?))
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
