//! The class `Annoy`, method by method: arguments in, forest, answers out.

use std::sync::atomic::{AtomicBool, Ordering};

use linjin::error::SearchError;
use linjin::forest::{Forest, Metric, Neighbors, Stage};
use pyo3::exceptions::{PyFutureWarning, PyOverflowError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyList, PyTuple, PyType};

use super::arguments::{Ask, Given};
use super::shared::Shared;
use super::{arguments, batch, errors, vectors};
use crate::arguments::path;
use crate::progress::{Watch, Words};

/// What a verbose build says.
const WORDS: Words = Words { doing: "growing trees", step: "grown", end: "trees grown" };

/// An index of vectors of `f` numbers that finds the nearest to a vector or to an item.
///
/// `metric` is "angular", "euclidean", "manhattan", "hamming" or "dot". The class follows Annoy 1.17.3, down
/// to its files in both directions; beyond it, items can be added, replaced and deleted at any time and are
/// found, or gone, at once.
///
/// Items have ids from 0 to 2**31 - 2, and memory is taken for all ids up to the largest. Vectors are
/// anything with a length and indices (list, tuple, array); their numbers are kept as float32 (hamming: as
/// bits, above 0.5 is 1). NaN and infinity raise ValueError unless `allow_nonfinite` is true.
///
/// Distances: angular sqrt(2 - 2 cos), euclidean, manhattan, hamming the number of differing bits, dot the
/// inner product itself. Results are closest first (dot: largest product first), equal ones by smaller id.
///
/// Any method may be called from any thread. Searches and builds release the GIL; searches go on during a
/// build, changes wait.
///
///     index = AnnoyIndex(40, "angular")
///     index.add_items(vectors)                    # (n, 40)
///     index.build(10)
///     index.save("items.ann")
///     index.get_nns_by_vector(vector, 10)         # ten ids
#[pyclass(name = "Annoy", module = "linjin.annoy", subclass, frozen)]
pub(crate) struct Annoy {
    forest: Shared,
    f: usize,
    allow_nonfinite: bool,
    verbose: AtomicBool,
}

#[pymethods]
impl Annoy {
    #[new]
    #[pyo3(signature = (f, metric = Given::default(), *, allow_nonfinite = Given::default()),
           text_signature = "(f, metric, *, allow_nonfinite=False)")]
    fn new(
        py: Python<'_>,
        f: &Bound<'_, PyAny>,
        metric: Given<'_, '_>,
        allow_nonfinite: Given<'_, '_>,
    ) -> PyResult<Self> {
        let f = arguments::dimension(f)?;
        let metric = match metric.0 {
            Some(name) => arguments::metric(&name)?,
            None => {
                let text = c"The default argument for metric will be removed in future version of Annoy. \
                    Please pass metric='angular' explicitly.";
                PyErr::warn(py, &py.get_type::<PyFutureWarning>(), text, 1)?;
                Metric::Angular
            }
        };
        let allow_nonfinite = arguments::flag(&allow_nonfinite)?;
        let mut forest = Forest::new(f, metric);
        forest.allow_nonfinite(allow_nonfinite);
        Ok(Self { forest: Shared::new(forest), f, allow_nonfinite, verbose: AtomicBool::new(false) })
    }

    /// Takes what the constructor takes, for subclasses that hand it on.
    #[pyo3(signature = (*_args, **_kwargs))]
    fn __init__(&self, _args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) {}

    /// How many numbers a vector has.
    #[getter]
    fn f(&self) -> usize {
        self.f
    }

    /// The name of the metric.
    #[getter]
    fn metric(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.forest.read(py)?.metric().name())
    }

    /// Adds a vector as item `i`, or replaces item `i`; on a built or loaded index too, where it is found at
    /// once.
    ///
    /// Raises IndexError for a negative `i` or a vector without exactly `f` numbers, ValueError for NaN or
    /// infinity. The index is then unchanged. As in Annoy, an item of the file that this object has just
    /// saved cannot be replaced (Exception); `add_items` does replace it.
    ///
    /// Before `build` it costs a copy; afterwards about what the item would have cost in the build.
    ///
    ///     index.add_item(0, [1.0, 0.0, 0.0])
    #[pyo3(text_signature = "($self, i, vector)")]
    fn add_item(&self, py: Python<'_>, i: &Bound<'_, PyAny>, vector: &Bound<'_, PyAny>) -> PyResult<()> {
        let id = arguments::item(i)?;
        let vector = vectors::vector(vector, self.f)?;
        let mut forest = self.forest.write(py)?;
        if forest.replaces_saved(id) {
            return Err(errors::replaces_saved(id));
        }
        if matches!(forest.stage(), Stage::Growing) {
            // A copy of a vector is over before the GIL could be released and taken again.
            forest.add(id, &vector)
        } else {
            py.detach(move || forest.add(id, &vector))
        }
        .map_err(errors::update)
    }

    /// Adds the rows of a matrix of shape (n, f), or replaces items by them; found at once in any state.
    ///
    /// `ids` are n non-negative integers; without them the rows get the ids from `get_n_items()` on.
    /// C-contiguous float32 is read in place, anything else that NumPy makes an array of is converted. Do not
    /// write to it meanwhile.
    ///
    /// All or nothing: raises ValueError for another shape, another number of ids, NaN or infinity (naming
    /// item and column) and IndexError for rows without exactly `f` numbers or a negative id, before anything
    /// is added.
    ///
    ///     index.add_items(numpy.random.rand(1000, 40))
    #[pyo3(signature = (matrix, ids = None))]
    fn add_items(
        &self,
        py: Python<'_>,
        matrix: &Bound<'_, PyAny>,
        ids: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let matrix = vectors::matrix(matrix, self.f)?;
        let ids = ids.map(vectors::ids).transpose()?;
        let rows = matrix.values()?;
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.add_rows(ids.as_deref(), rows)).map_err(errors::update)
    }

    /// Deletes item `i`, in any state; it is never returned again.
    ///
    /// Its id becomes a hole: `get_item_vector` gives zeros and `get_n_items` stays. Raises KeyError if there
    /// is no such item, IndexError for a negative `i`.
    #[pyo3(text_signature = "($self, i)")]
    fn delete_item(&self, py: Python<'_>, i: &Bound<'_, PyAny>) -> PyResult<()> {
        let id = arguments::item(i)?;
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.remove(&[id])).map_err(errors::update)
    }

    /// Deletes the items of an iterable of ids, in any state.
    ///
    /// All or nothing: raises KeyError naming an id without an item, or IndexError for a negative one, before
    /// anything is deleted.
    ///
    ///     index.delete_items([3, 5, 8])
    #[pyo3(text_signature = "($self, ids)")]
    fn delete_items(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<()> {
        let ids = vectors::ids(ids)?;
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.remove(&ids)).map_err(errors::update)
    }

    /// Grows `n_trees` trees over the items (-1: a number that suits them) in `n_jobs` threads (-1: all
    /// cores).
    ///
    /// More trees find more of the true neighbours and take more memory and time. On a saved or loaded index
    /// all trees are grown anew. With the same seed the same items give the same trees, whatever `n_jobs`.
    ///
    /// `progress(done, total)` is called about ten times a second in this thread, done / total being how much
    /// of the work is done. If it raises something, or on Ctrl-C, the build stops and the index is as before.
    /// It may read the index; changing it raises RuntimeError. Searches in other threads go on as before the
    /// build.
    ///
    /// Returns True. Raises Exception on a built index, ValueError for other numbers below 1.
    ///
    ///     index.build(10, progress=lambda done, total: print(f"{done / total:.0%}"))
    #[pyo3(signature = (n_trees, n_jobs = Given::default(), *, progress = None),
           text_signature = "($self, n_trees, n_jobs=-1, *, progress=None)")]
    fn build(
        &self,
        py: Python<'_>,
        n_trees: &Bound<'_, PyAny>,
        n_jobs: Given<'_, '_>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let n_trees = arguments::count("n_trees", n_trees)?;
        let n_jobs = arguments::n_jobs(&n_jobs)?;
        let words = self.verbose.load(Ordering::Relaxed).then_some(WORDS);
        let mut watch = Watch::new(progress, words)?;

        // Between growing and planting nobody else can change the forest: the turn is ours throughout.
        let turn = self.forest.turn(py)?;
        let forest = self.forest.read(py)?;
        let watching = &mut watch;
        let grown = py.detach(move || {
            forest.grow(n_trees, n_jobs, &mut |progress| watching.tick(progress.done, progress.total))
        });
        watch.finish(py, grown.is_ok())?;
        let trees = grown.map_err(errors::build)?;

        let mut forest = turn.write(py)?;
        py.detach(move || forest.plant(trees)).map_err(errors::build)?;
        Ok(true)
    }

    /// Fells all trees. Returns True. Raises Exception on a saved or loaded index.
    fn unbuild(&self, py: Python<'_>) -> PyResult<bool> {
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.unbuild()).map_err(errors::build)?;
        Ok(true)
    }

    /// Writes the index to the file `fn` (str or path), which Annoy reads too, and maps the index onto it.
    ///
    /// The file is written beside and renamed, so `fn` is at any time the old file or the whole new one, and
    /// processes that have mapped the old one keep it. `prefault` reads all pages in at once.
    ///
    /// Returns True. Raises OSError if the index is not built or the file cannot be written.
    #[pyo3(signature = (r#fn, prefault = Given::default()), text_signature = "($self, fn, prefault=False)")]
    fn save(&self, py: Python<'_>, r#fn: &Bound<'_, PyAny>, prefault: Given<'_, '_>) -> PyResult<bool> {
        let file = path(r#fn)?;
        let prefault = arguments::prefault(&prefault)?;
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.save(&file, prefault)).map_err(errors::open)?;
        Ok(true)
    }

    /// Maps the index onto a file that `save`, or Annoy, has written with the same `f` and metric.
    ///
    /// What was in the index is gone. Takes about a millisecond whatever the size, and processes that load
    /// the same file share its memory; `prefault` reads all pages in at once.
    ///
    /// Returns True. Raises OSError if the file cannot be read, does not fit or is damaged; the index is then
    /// as before.
    #[pyo3(signature = (r#fn, prefault = Given::default()), text_signature = "($self, fn, prefault=False)")]
    fn load(&self, py: Python<'_>, r#fn: &Bound<'_, PyAny>, prefault: Given<'_, '_>) -> PyResult<bool> {
        let file = path(r#fn)?;
        let prefault = arguments::prefault(&prefault)?;
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.load(&file, prefault)).map_err(errors::open)?;
        Ok(true)
    }

    /// Empties the index and lets go of its file; seed and state are those of a new one. Returns True.
    fn unload(&self, py: Python<'_>) -> PyResult<bool> {
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.unload());
        Ok(true)
    }

    /// Makes the next `build` work in a file instead of in memory. Items go along, trees that stand are
    /// dropped.
    ///
    /// The file is built beside `fn` and takes its name when `build` has ended; `save` writes further copies.
    ///
    /// Returns True. Raises OSError if the file cannot be made.
    #[pyo3(signature = (r#fn), text_signature = "($self, fn)")]
    fn on_disk_build(&self, py: Python<'_>, r#fn: &Bound<'_, PyAny>) -> PyResult<bool> {
        let file = path(r#fn)?;
        let mut forest = self.forest.write(py)?;
        py.detach(move || forest.build_on_disk(&file)).map_err(errors::open)?;
        Ok(true)
    }

    /// Returns the ids of the `n` items closest to item `i`, itself included; all items if `n` is negative.
    ///
    /// See `get_nns_by_vector`. Raises IndexError if `i` is negative or not below `get_n_items()`.
    #[pyo3(signature = (i, n, search_k = None, include_distances = Given::default()),
           text_signature = "($self, i, n, search_k=-1, include_distances=False)")]
    fn get_nns_by_item<'py>(
        &self,
        py: Python<'py>,
        i: &Bound<'py, PyAny>,
        n: &Bound<'py, PyAny>,
        search_k: Option<&Bound<'py, PyAny>>,
        include_distances: Given<'_, '_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ask = Ask::new(n, search_k, &include_distances)?;
        let id = arguments::item(i)?;
        let forest = self.forest.read(py)?;
        let found =
            py.detach(move || forest.nearest_to_item(id, ask.n, ask.budget)).map_err(errors::search)?;
        lists(py, found, ask.include_distances)
    }

    /// Returns the ids of the `n` items closest to a vector of `f` numbers, closest first; all items if `n`
    /// is negative.
    ///
    /// With `include_distances` it returns a pair of lists, ids and distances. The answer is approximate, and
    /// shorter than `n` if fewer items come up. `search_k` is how many candidates to look at: more find more
    /// and take longer; -1 is n * n_trees, anything below looks at all. An index without trees answers with
    /// nothing.
    ///
    /// Raises IndexError for another length, ValueError for NaN or infinity, OSError if a damaged file is
    /// met.
    ///
    ///     ids, distances = index.get_nns_by_vector([1.0, 0.0, 0.0], 10, include_distances=True)
    #[pyo3(signature = (vector, n, search_k = None, include_distances = Given::default()),
           text_signature = "($self, vector, n, search_k=-1, include_distances=False)")]
    fn get_nns_by_vector<'py>(
        &self,
        py: Python<'py>,
        vector: &Bound<'py, PyAny>,
        n: &Bound<'py, PyAny>,
        search_k: Option<&Bound<'py, PyAny>>,
        include_distances: Given<'_, '_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ask = Ask::new(n, search_k, &include_distances)?;
        let query = vectors::vector(vector, self.f)?;
        let forest = self.forest.read(py)?;
        let found = py.detach(move || forest.nearest(&query, ask.n, ask.budget)).map_err(errors::search)?;
        lists(py, found, ask.include_distances)
    }

    /// Answers the rows of a matrix of shape (q, f) with int64 ids of shape (q, w), w = min(n,
    /// get_n_items()).
    ///
    /// With `include_distances` it returns a pair, ids and float32 distances of the same shape. Each row is
    /// what `get_nns_by_vector` gives; where that is short of w, -1 and NaN follow. The rows are shared among
    /// `n_jobs` threads (-1: all cores). C-contiguous float32 is read in place; do not write to it meanwhile.
    ///
    /// Raises ValueError for another shape, NaN or infinity, IndexError for rows without exactly `f` numbers.
    ///
    ///     ids, distances = index.get_nns_by_vectors(queries, 10, include_distances=True)
    #[pyo3(signature = (matrix, n, search_k = None, include_distances = Given::default(),
                        n_jobs = Given::default()),
           text_signature = "($self, matrix, n, search_k=-1, include_distances=False, n_jobs=-1)")]
    fn get_nns_by_vectors<'py>(
        &self,
        py: Python<'py>,
        matrix: &Bound<'py, PyAny>,
        n: &Bound<'py, PyAny>,
        search_k: Option<&Bound<'py, PyAny>>,
        include_distances: Given<'_, '_>,
        n_jobs: Given<'_, '_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ask = Ask::new(n, search_k, &include_distances)?;
        let n_jobs = arguments::n_jobs(&n_jobs)?;
        let matrix = vectors::matrix(matrix, self.f)?;
        let (queries, f) = (matrix.values()?, self.f);
        batch::run(py, &self.forest, matrix.rows, ask, |forest, rows| {
            forest.nearest_batch(&queries[rows.start * f..rows.end * f], ask.n, ask.budget, n_jobs)
        })
    }

    /// Answers many items, given as an iterable of q ids, as `get_nns_by_vectors` answers many vectors.
    ///
    /// Raises IndexError if an id is negative or not below `get_n_items()`.
    #[pyo3(signature = (items, n, search_k = None, include_distances = Given::default(),
                        n_jobs = Given::default()),
           text_signature = "($self, items, n, search_k=-1, include_distances=False, n_jobs=-1)")]
    fn get_nns_by_items<'py>(
        &self,
        py: Python<'py>,
        items: &Bound<'py, PyAny>,
        n: &Bound<'py, PyAny>,
        search_k: Option<&Bound<'py, PyAny>>,
        include_distances: Given<'_, '_>,
        n_jobs: Given<'_, '_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ask = Ask::new(n, search_k, &include_distances)?;
        let n_jobs = arguments::n_jobs(&n_jobs)?;
        let ids = vectors::ids(items)?;
        batch::run(py, &self.forest, ids.len(), ask, |forest, rows| {
            forest.nearest_batch_to_items(&ids[rows], ask.n, ask.budget, n_jobs)
        })
    }

    /// Returns the ids of all items whose distance from a vector is at most `radius`, closest first.
    ///
    /// For dot these are the items whose product is at least `radius`. With `include_distances` it returns a
    /// pair of lists. Exact, however many trees there are; an index without trees answers with nothing.
    ///
    ///     index.get_nns_within([1.0, 0.0, 0.0], 0.5)
    #[pyo3(signature = (vector, radius, include_distances = Given::default()),
           text_signature = "($self, vector, radius, include_distances=False)")]
    fn get_nns_within<'py>(
        &self,
        py: Python<'py>,
        vector: &Bound<'py, PyAny>,
        radius: &Bound<'py, PyAny>,
        include_distances: Given<'_, '_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let include_distances = arguments::flag(&include_distances)?;
        let query = vectors::vector(vector, self.f)?;
        let forest = self.forest.read(py)?;
        let radius = arguments::radius(radius, forest.metric())?;
        let found = py.detach(move || forest.within(&query, radius)).map_err(errors::search)?;
        lists(py, found, include_distances)
    }

    /// Returns the `f` numbers of item `i`; zeros if it was never added or is deleted.
    ///
    /// Raises IndexError if `i` is negative or not below `get_n_items()`.
    #[pyo3(signature = (i, /))]
    fn get_item_vector<'py>(&self, py: Python<'py>, i: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let id = arguments::item(i)?;
        let vector = self.forest.read(py)?.vector(id).map_err(errors::search)?;
        floats(py, vector)
    }

    /// Returns the distance between items `i` and `j` as searches report it; works before `build` too.
    ///
    /// Raises IndexError if an id is negative or not below `get_n_items()`.
    #[pyo3(signature = (i, j, /))]
    fn get_distance(&self, py: Python<'_>, i: &Bound<'_, PyAny>, j: &Bound<'_, PyAny>) -> PyResult<f64> {
        let (i, j) = (arguments::int32(i)?, arguments::int32(j)?);
        let forest = self.forest.read(py)?;
        // The first id is looked at in full before the second.
        let known = |i: i32| {
            let (id, n_items) = (arguments::item_id(i.into())?, forest.n_items());
            let found = (id as usize) < n_items;
            found.then_some(id).ok_or_else(|| errors::search(SearchError::UnknownItem { id, n_items }))
        };
        forest.distance(known(i)?, known(j)?).map(f64::from).map_err(errors::search)
    }

    /// Returns the largest id plus one, holes included; `len()` counts the items themselves.
    fn get_n_items(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.forest.read(py)?.n_items())
    }

    /// Returns the number of trees.
    fn get_n_trees(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.forest.read(py)?.n_trees())
    }

    /// Shows, if `v` is true, the progress of builds on stderr. Returns True.
    #[pyo3(signature = (v, /))]
    fn verbose(&self, v: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.verbose.store(arguments::truth(v)? != 0, Ordering::Relaxed);
        Ok(true)
    }

    /// Sets the seed, a 32-bit integer, from which the next build draws; `unload` forgets it.
    #[pyo3(signature = (s, /))]
    fn set_seed(&self, py: Python<'_>, s: &Bound<'_, PyAny>) -> PyResult<()> {
        let seed = i64::from(arguments::int32(s)?);
        self.forest.write(py)?.set_seed(seed.cast_unsigned());
        Ok(())
    }

    /// The number of items, without holes.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let forest = self.forest.read(py)?;
        Ok(py.detach(move || forest.len()))
    }

    /// Whether there is an item with this id.
    fn __contains__(&self, py: Python<'_>, i: &Bound<'_, PyAny>) -> PyResult<bool> {
        match i.extract::<u32>() {
            Ok(id) => Ok(self.forest.read(py)?.contains(id)),
            // Negative, or more than an id can be.
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// True, for an empty index too: programs ask `if index:` to see whether there is one.
    fn __bool__(&self) -> bool {
        true
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Unloads the index.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.unload(py).map(drop)
    }

    /// For pickle and copy: the metric, the items and the trees go along, seed and `verbose` start afresh.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        let (py, this) = (slf.py(), slf.get());
        let forest = this.forest.read(py)?;
        let metric = forest.metric().name();
        let built = !matches!(forest.stage(), Stage::Growing);
        let bytes = py.detach(move || forest.to_bytes()).map_err(errors::open)?;
        let options = PyDict::new(py);
        options.set_item("allow_nonfinite", this.allow_nonfinite)?;
        Ok((
            py.import("copyreg")?.getattr("__newobj_ex__")?,
            (slf.get_type(), (this.f, metric), options),
            (built, PyBytes::new(py, &bytes), slf.getattr_opt("__dict__")?),
        ))
    }

    /// The other half of `__reduce__`.
    fn __setstate__(slf: &Bound<'_, Self>, state: State<'_>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let (built, bytes, attributes) = state;
        let metric = this.forest.read(py)?.metric();
        let bytes = bytes.as_bytes();
        let mut forest =
            py.detach(|| Forest::from_bytes(this.f, metric, built, bytes)).map_err(errors::open)?;
        forest.allow_nonfinite(this.allow_nonfinite);
        *this.forest.write(py)? = forest;
        if let Some(attributes) = attributes {
            slf.getattr("__dict__")?.call_method1("update", (attributes,))?;
        }
        Ok(())
    }
}

/// Whether there were trees, the bytes of items and trees, and what a subclass holds in its `__dict__`.
type State<'py> = (bool, Bound<'py, PyBytes>, Option<Bound<'py, PyAny>>);

/// What makes the object, with what, and its state.
type Reduced<'py> =
    (Bound<'py, PyAny>, (Bound<'py, PyType>, (usize, &'static str), Bound<'py, PyDict>), State<'py>);

/// The list of ids, or the pair of lists of ids and distances.
fn lists(py: Python<'_>, found: Neighbors, include_distances: bool) -> PyResult<Bound<'_, PyAny>> {
    let ids = PyList::new(py, found.ids)?;
    if !include_distances {
        return Ok(ids.into_any());
    }
    Ok(PyTuple::new(py, [ids, floats(py, found.distances)?])?.into_any())
}

fn floats(py: Python<'_>, values: Vec<f32>) -> PyResult<Bound<'_, PyList>> {
    PyList::new(py, values.into_iter().map(|value| PyFloat::new(py, value.into())))
}
