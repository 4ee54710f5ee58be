//! The class `Index`, method by method: arguments in, engine, answers out.

use std::sync::Arc;

use indicatif::HumanCount;
use linjin::index::error::UpdateError;
use linjin::index::{Add, Index as Engine, Memory, Metric, Notes, Snapshot, Vectors};
use linjin_columns::{Beside, BesideError, Described};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::hits::Hits;
use super::names::{self, Items};
use super::search::{self, Ask};
use super::sets::{self, Ids, Sets};
use super::table::Columns;
use super::{add, arguments, errors, file, vectors};
use crate::arguments::path;
use crate::arrays;
use crate::errors::wrong_value;

/// An index of vectors that finds the nearest to a vector, and takes additions, replacements and removals at any
/// moment.
///
/// `dim` is how many values a vector has, from 1 to 65535. `metric` says what a distance is, in scipy's numbers;
/// smaller is closer, and equal distances are ordered by the smaller id:
///
/// * "cosine": 1 - cos, from 0 to 2; 1 if one of the vectors is zero
/// * "euclidean", "sqeuclidean": the length of the difference, or its square
/// * "dot": minus the inner product
/// * "manhattan": the sum of absolute differences
/// * "hamming": the share of bits that differ
///
/// Each vector has an id, an integer from 0 to 2**64 - 2. Vectors are float32; other real numbers are converted.
/// They come as NumPy arrays, as anything with the buffer protocol or DLPack such as PyTorch's tensors on the CPU, as
/// Arrow's FixedSizeList from PyArrow, Polars, pandas or DuckDB, or as lists. For "hamming" they are bool, or bits packed into uint8: bit i of a vector is bit i % 8 of byte i // 8, as
/// numpy.packbits(..., bitorder="little") packs them.
///
/// Any method may be called from any thread at any time. Searches, additions and files release the GIL.
///
/// `memory` says how much the index may take to be fast: "full", where it makes searches faster a graph beside the leaves, some 2 KB
/// a vector at 256 dimensions, or "small", never a graph: a tenth of that there, for searches that take longer. It is kept in the file.
///
/// Raises ValueError for another dimension, metric or memory.
///
///     index = linjin.Index(dim=40, metric="cosine")
///     index.add(vectors)                          # (n, 40): ids 0 to n - 1
///     hits = index.search(query, k=10)
///     hits.ids, hits.distances
#[pyclass(name = "Index", module = "linjin", frozen)]
pub(crate) struct Index {
    engine: Engine,
    beside: Arc<Beside>,
}

impl Index {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, beside: Arc::default() }
    }

    fn target<'a>(&'a self, described: Described<'a>) -> add::Target<'a> {
        add::Target { engine: &self.engine, beside: &self.beside, described }
    }

    fn numbers(&self, object: &Bound<'_, PyAny>) -> PyResult<Ids> {
        self.numbers_at(&self.engine.snapshot(), object)
    }

    fn numbers_at(&self, index: &Snapshot, object: &Bound<'_, PyAny>) -> PyResult<Ids> {
        Items::of(object)?.numbers(object.py(), &self.beside, index)
    }

    fn sets(&self, notes: &Notes, object: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Sets>> {
        object.map(|object| names::sets(object, &self.beside, notes)).transpose()
    }

    /// Items as a caller knows them, by their numbers.
    fn called<'py>(&self, py: Python<'py>, notes: &Notes, ids: Vec<u64>) -> PyResult<Bound<'py, PyAny>> {
        if notes.is_empty() || !py.detach(|| self.beside.has_names(notes)).map_err(errors::beside)? {
            return Ok(PyArray1::from_vec(py, ids).into_any());
        }
        let columns = py.detach(|| self.beside.of(notes)).map_err(errors::beside)?;
        names::array(py, &columns, ids.into_iter())
    }
}

#[pymethods]
impl Index {
    #[new]
    #[pyo3(signature = (dim, metric = "cosine", *, memory = "full"))]
    fn empty(dim: i64, metric: &str, memory: &str) -> PyResult<Self> {
        let memory: Memory = memory.parse().map_err(|error| wrong_value(format!("{error}")))?;
        let metric: Metric = metric.parse().map_err(|error| wrong_value(format!("{error}")))?;
        let dim =
            usize::try_from(dim).map_err(|_| wrong_value(format!("dim has to be at least 1, got {dim}")))?;
        Engine::with_memory(dim, metric, memory).map(Self::new).map_err(errors::build)
    }

    /// How many values a vector has; bits, for "hamming".
    #[getter]
    fn dim(&self) -> usize {
        self.engine.dim()
    }

    /// The name of the metric.
    #[getter]
    fn metric(&self) -> &'static str {
        self.engine.metric().name()
    }

    /// All ids, a uint64 array in ascending order; or all names, an array of str objects in the order in which they came.
    /// Costs a copy and a sort.
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let index = self.engine.snapshot();
        let ids = py.detach(|| index.ids()).map_err(errors::search)?;
        self.called(py, index.notes(), ids)
    }

    /// What is known of the items besides their vectors, a `Columns`: a row for each of `ids`, or without them for all
    /// items in the order of `index.ids`. None stands where nothing is known.
    ///
    /// Raises KeyError for an id that is not in the index.
    ///
    ///     index.columns([3, 5])["price"]
    #[pyo3(signature = (ids = None))]
    fn columns(&self, py: Python<'_>, ids: Option<&Bound<'_, PyAny>>) -> PyResult<Columns> {
        let index = self.engine.snapshot();
        let ids = match ids {
            Some(ids) => self.numbers_at(&index, ids)?.as_slice().to_vec(),
            None => py.detach(|| index.ids()).map_err(errors::search)?,
        };
        let taken = py.detach(|| {
            for &id in &ids {
                if !index.contains(id)? {
                    return Err(UpdateError::Unknown { id }.into());
                }
            }
            Ok::<_, BesideError>(self.beside.of(index.notes())?.take(&ids)?)
        });
        taken.map(Columns::new).map_err(errors::beside)
    }

    /// Replaces what is known of the items with these ids, all of it: `columns` as for `add`, with a row for each of them.
    ///
    /// Raises KeyError for an id that is not in the index, ValueError for columns that do not fit.
    ///
    ///     index.set_columns([3, 5], {"price": [9.5, 20.0], "lang": ["zh", "en"]})
    fn set_columns(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        columns: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let ids = self.numbers(ids)?;
        let rows = arrays::columns(columns, ids.as_slice().len())?;
        py.detach(|| self.beside.set(&self.engine, ids.as_slice(), &rows)).map_err(errors::beside)
    }

    /// What the index is made of, a dict:
    ///
    /// * "dim", "metric", "len": the dimension, the metric's name, the number of vectors
    /// * "stored_as": what the values are stored as: "float32", or "uint8" or "int8" where there are leaves and all values
    ///   are whole numbers from 0 to 255 or from −128 to 127, or "bits"
    /// * "bytes", "mapped": its size, and how much of it lies in a mapped file
    /// * "leaves": groups of close vectors; 0 while every search compares all vectors
    /// * "graph": whether there is a graph beside them, as there is where it makes searches faster
    /// * "memory": "full" or "small", as it was made
    /// * "generation": how many commits led to it; "uncommitted": vectors that came or went since the last one
    /// * "journal": bytes of commits that are not in the file yet
    /// * "recovered": what was found in the journal when the index was opened, a dict of "commits", "changes" (vectors
    ///   that came or went with them) and "torn" (bytes of changes that were never committed); None without a journal
    /// * "trouble": what went wrong when something was last done in the background, or None
    /// * "curve": pairs of effort (`ef`) and the recall@10 that it reached on a sample of the own vectors
    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let info = py.detach(|| self.engine.info());
        file::info(py, info)
    }

    /// Adds one vector, of shape (dim,), or n vectors, of shape (n, dim), and returns their ids, a uint64 array
    /// (n,). They are found by every search that starts later.
    ///
    /// `ids` are n integers, or one for a single vector; without them the vectors get the numbers from the largest
    /// id plus one on. They may be strings, for all items of an index or for none: then these are their ids everywhere.
    ///
    /// `columns` are what is known of the items besides: a dict of arrays or lists by their names, or a table of
    /// PyArrow's, Polars', pandas' or DuckDB's, with a row for each vector; of bool, numbers, strings, dates and times, None
    /// where nothing is known. They are saved and committed with the vectors, come back with hits (`hits["price"]`), and
    /// filters ask for them (`filter="price < 30"`). New columns may come at any time, and lack in items before.
    ///
    /// With `replace` a vector takes the place of the one that has its id; otherwise that is an
    /// error. `threads` is how many to work on, by default one for each core.
    ///
    /// `progress=True` draws a bar on stderr; a callable is called as progress(done, total) about ten times a
    /// second, in this thread. If it raises something, or on Ctrl-C, the addition stops and the index is as before,
    /// unless all was done already.
    ///
    /// C-contiguous float32, float64, float16 and int8 are read in place (for "hamming" packed uint8), and so is an Arrow
    /// array in one chunk; do not write to them meanwhile. All others are copied once.
    ///
    /// All or nothing. Raises ValueError for another shape, NaN or infinity (naming row and column), an id that is
    /// in use, comes twice or is 2**64 - 1, or another number of ids.
    ///
    ///     index.add(vectors)
    ///     index.add(vector, ids=7, replace=True)
    ///     index.add(vectors, columns={"price": prices, "lang": languages})
    #[pyo3(signature = (vectors, ids = None, *, columns = None, replace = false, threads = None, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords of a Python method")]
    fn add<'py>(
        &self,
        py: Python<'py>,
        vectors: &Bound<'py, PyAny>,
        ids: Option<&Bound<'py, PyAny>>,
        columns: Option<&Bound<'py, PyAny>>,
        replace: bool,
        threads: Option<&Bound<'py, PyAny>>,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let items = ids.map(Items::of).transpose()?;
        let options = Add { threads: arguments::threads(threads)?, replace, ..Add::default() };
        let rows = vectors::rows(vectors, &self.engine)?;
        let columns = columns.map(|columns| arrays::columns(columns, rows.n)).transpose()?;
        let described = columns.as_ref().map_or(Described::Not, Described::Columns);
        let (ids, described) = match &items {
            None => (None, described),
            Some(Items::Numbers(ids)) => (Some(ids.as_slice()), described),
            Some(Items::Names { names, .. }) => (None, Described::Names(names, columns.as_ref())),
        };
        let target = self.target(described);
        let ids = add::add(py, target, (rows.vectors()?, rows.n), ids, &options, progress)?;
        self.called(py, &self.engine.notes(), ids)
    }

    /// Puts other vectors in the place of those with these ids: one id and shape (dim,), or n ids and (n, dim).
    ///
    /// Arguments, cost and errors are those of `add`; raises KeyError for an id that is not in the index, which is
    /// then unchanged.
    ///
    ///     index.update(7, vector)
    #[pyo3(signature = (ids, vectors, *, columns = None, threads = None, progress = None))]
    fn update(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        columns: Option<&Bound<'_, PyAny>>,
        threads: Option<&Bound<'_, PyAny>>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let ids = self.numbers(ids)?;
        let options = Add { threads: arguments::threads(threads)?, replace: true, ..Add::default() };
        let rows = vectors::rows(vectors, &self.engine)?;
        let columns = columns.map(|columns| arrays::columns(columns, rows.n)).transpose()?;
        for &id in ids.as_slice() {
            if !py.detach(|| self.engine.contains(id)).map_err(errors::search)? {
                return Err(errors::unknown(id));
            }
        }
        let target = self.target(columns.as_ref().map_or(Described::Not, Described::Columns));
        add::add(py, target, (rows.vectors()?, rows.n), Some(ids.as_slice()), &options, progress).map(drop)
    }

    /// Removes the vectors with these ids: an integer, or an array or any iterable of integers. No search that
    /// starts later finds them.
    ///
    /// All or nothing: raises KeyError naming an id that is not in the index, before anything is removed.
    ///
    ///     index.remove([3, 5, 8])
    fn remove(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<()> {
        let ids = self.numbers(ids)?;
        py.detach(|| self.beside.remove(&self.engine, ids.as_slice())).map_err(errors::beside)
    }

    /// Returns the vector with an id, shape (dim,), or those with n ids, shape (n, dim): float32 as added, for
    /// "hamming" uint8 of packed bits. The array is a copy.
    ///
    /// Raises KeyError for an id that is not in the index.
    ///
    ///     index.get(7)
    ///     index.get(hits.ids)
    fn get<'py>(&self, py: Python<'py>, ids: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let index = self.engine.snapshot();
        match self.numbers_at(&index, ids)? {
            Ids::One(id) => {
                let vector = py.detach(|| index.get(id)).map_err(errors::search)?;
                let vector = vector.ok_or_else(|| errors::unknown(id))?;
                Ok(vectors::one(py, vector))
            }
            Ids::Many(ids) => vectors::many(py, &index, &ids),
        }
    }

    /// Finds the `k` vectors closest to one query, of shape (dim,), or to each of q queries, of shape (q, dim).
    ///
    /// Returns a `Hits`: ids and distances, closest first, equal distances by the smaller id. One query gets
    /// shape (k',), where k' is less than k if there are fewer to be had; q queries get (q, k), padded with
    /// `linjin.NO_ID` and infinity.
    ///
    /// How hard to look, one of:
    ///
    /// * `recall`: the share of the true neighbours to find on average, above 0 and at most 1; 0.95 if nothing is
    ///   said. The effort comes from a curve that the index has measured on its own vectors.
    /// * `ef`: how many candidates to keep and compare exactly; at least k are.
    /// * `exact=True`: compare with every vector.
    ///
    /// `filter`: only these ids; `exclude`: all but these. Each an expression on the columns of the index, such as
    /// "price * 1.1 < 30 and lang == 'zh'", or an array or any iterable of ids, or a mask, a
    /// bool array that is true at the ids of the set; for many queries also a list with such a set, or None, for each
    /// query, or an array with a row for each. Ids that are not in the index mean nothing. Sets are read for each
    /// search; where one holds a good part of the ids, a mask is the smaller and faster form, and a `Filter` saves the reading.
    ///
    /// The time goes up with the effort, slowly with the number of vectors; `exact` takes time in proportion to it.
    /// Many queries are shared among `threads`, by default one for each core; one query is answered on this thread.
    /// The GIL is released. Between blocks of some thousand queries Ctrl-C is heard; all of them see the index as it was when
    /// the search began, with what was known of its items then. C-contiguous float32 is read in place; do not write to it meanwhile.
    ///
    /// Raises ValueError for another shape, NaN or infinity (naming row and column), a recall out of range, another
    /// number of sets than of queries.
    ///
    ///     index.search(query, k=10).ids
    ///     index.search(queries, k=10, recall=0.99, exclude=seen)
    #[pyo3(signature = (query, k = None, *, recall = None, ef = None, exact = false, filter = None, exclude = None,
                        threads = None),
           text_signature = "($self, query, k=10, *, recall=None, ef=None, exact=False, filter=None, exclude=None, \
                             threads=None)")]
    #[expect(clippy::too_many_arguments, reason = "keywords of a Python method")]
    fn search(
        &self,
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        k: Option<&Bound<'_, PyAny>>,
        recall: Option<&Bound<'_, PyAny>>,
        ef: Option<&Bound<'_, PyAny>>,
        exact: bool,
        filter: Option<&Bound<'_, PyAny>>,
        exclude: Option<&Bound<'_, PyAny>>,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Hits> {
        let index = self.engine.snapshot();
        let ask = Ask {
            k: arguments::k(k)?,
            effort: arguments::effort(recall, ef, exact)?,
            filter: self.sets(index.notes(), filter)?,
            exclude: self.sets(index.notes(), exclude)?,
            threads: arguments::threads(threads)?,
        };
        let index = (&index, &self.beside);
        // The usual case by the shortest way: one float32 array in one piece.
        if let Ok(array) = query.cast_exact::<PyArray1<f32>>()
            && let Ok(array) = array.try_readonly()
            && let Ok(values) = array.as_slice()
            && values.len() == self.engine.dim()
            && !self.engine.metric().is_binary()
        {
            return search::one(py, index, Vectors::Floats(values), &ask);
        }
        let rows = vectors::rows(query, &self.engine)?;
        if rows.single {
            search::one(py, index, rows.vectors()?, &ask)
        } else {
            search::many(py, index, (rows.vectors()?, rows.n), &ask)
        }
    }

    /// Measures anew which effort reaches which recall, on a sample of `queries`, of shape (q, dim), such as will be
    /// asked, or without them on a sample of the own vectors. Searches by `recall` go by the new curve.
    ///
    /// Takes many searches, without the GIL.
    ///
    /// Raises ValueError for another shape, NaN or infinity.
    ///
    ///     index.optimize(queries)
    #[pyo3(signature = (queries = None))]
    fn optimize(&self, py: Python<'_>, queries: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let rows = queries.map(|queries| vectors::rows(queries, &self.engine)).transpose()?;
        let queries = rows.as_ref().map(vectors::Rows::vectors).transpose()?;
        py.detach(|| self.engine.optimize(queries)).map_err(errors::search)
    }

    /// Writes the index to the file `path` (str or path), for `linjin.open`.
    ///
    /// Takes as long as writing that many bytes. The file is written beside and renamed: `path` is at any time the old file or the whole new one, and whoever
    /// has opened the old one keeps it. In the place of the file that the index is open for writing on, it is a commit
    /// and a checkpoint.
    ///
    /// Raises OSError if the file cannot be written; IndexLockedError if somebody has it open for writing, and
    /// FileExistsError if it has a journal with commits, which would be lost with it.
    ///
    ///     index.save("items.linjin")
    fn save(&self, py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let file = self::path(path)?;
        py.detach(|| self.engine.save(&file)).map_err(|error| errors::file(py, &file, error))
    }

    /// Makes all changes so far durable, as a whole, and returns the number of the commit (`info["generation"]`): from
    /// then on they are there whatever happens to the process or to the power. Readers see them after `refresh`.
    ///
    /// Costs as much as writing the changes and one sync of a file; nothing without changes. The GIL is released.
    ///
    /// Raises ValueError if the index is not open for writing; OSError if the journal cannot be written, as on a full
    /// disk: then the changes are there still, and can be committed again unless the message says that the index has
    /// to be opened anew.
    ///
    ///     index = linjin.open("items.linjin", writable=True)
    ///     index.add(vectors)
    ///     index.commit()
    fn commit(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.engine.commit()).map_err(errors::commit)
    }

    /// Takes back all changes since the last commit.
    ///
    /// Raises ValueError if the index is not open for writing.
    fn rollback(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.engine.rollback()).map_err(errors::commit)
    }

    /// Folds the journal into the file, so that the file holds all that is committed; returns whether there was
    /// anything to fold. Happens by itself, in the background, when the journal is large.
    ///
    /// Takes as long as `save`; searches, changes and commits by other threads go on. The GIL is released.
    ///
    /// Raises what `commit` raises; nothing that was committed is lost.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.engine.checkpoint()).map_err(errors::commit)
    }

    /// Moves on to what the writer of the file has committed since it was opened or last refreshed, or to the file that
    /// was put in its place; returns whether there was anything.
    ///
    /// Costs as much as applying the changes, or as opening the file. An index that is open for writing is always at
    /// its newest state.
    ///
    /// Raises what `linjin.open` raises, and ValueError for an index with changes of its own. It is as it was then.
    ///
    ///     index = linjin.open("items.linjin")
    ///     index.refresh()
    fn refresh(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.engine.refresh()).map_err(|error| errors::refresh(py, error))
    }

    /// Lets another writer come. Changes since the last commit are taken back; the index can still be searched, but not
    /// changed. Does nothing to an index that is not open for writing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.engine.close()).map_err(errors::commit)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// Commits, unless an exception ended the block, and closes.
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let commit = kind.is_none() && self.engine.is_writable();
        py.detach(|| {
            let committed = if commit { self.engine.commit().map(drop) } else { Ok(()) };
            let closed = self.engine.close();
            committed.and(closed)
        })
        .map_err(errors::commit)?;
        Ok(false)
    }

    /// How many vectors there are.
    fn __len__(&self, py: Python<'_>) -> usize {
        py.detach(|| self.engine.len())
    }

    /// Whether there is a vector with this id.
    fn __contains__(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(name) = id.extract::<String>() {
            return py
                .detach(|| self.beside.contains(&self.engine.snapshot(), &name))
                .map_err(errors::beside);
        }
        let id = sets::possible_id(id)?;
        id.map_or(Ok(false), |id| py.detach(|| self.engine.contains(id)).map_err(errors::search))
    }

    /// True, for an empty index too: programs ask `if index:` to see whether there is one.
    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let len = HumanCount(self.__len__(py) as u64);
        format!("linjin.Index(dim={}, metric='{}', len={len})", self.dim(), self.metric())
    }

    /// For pickle and copy: all vectors go along. To share an index between processes, `save` and `open` it instead.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = py.detach(|| self.engine.to_bytes()).map_err(|error| errors::bytes(py, error))?;
        Ok((py.import("linjin._linjin")?.getattr("_unpickle")?, (PyBytes::new(py, &bytes),)))
    }
}

/// The index that `Index.__reduce__` has made these bytes of.
#[pyfunction]
#[pyo3(name = "_unpickle")]
pub(crate) fn unpickle(py: Python<'_>, bytes: &Bound<'_, PyBytes>) -> PyResult<Index> {
    let bytes = bytes.as_bytes();
    py.detach(|| Engine::from_bytes(bytes)).map(Index::new).map_err(|error| errors::bytes(py, error))
}
