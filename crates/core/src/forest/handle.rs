//! The public handle: a forest and the stages of its life.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::build::{Plan, Progress, Watch};
use super::items::Items;
use super::layout::Layout;
use super::metric::Metric;
use super::search::{Budget, Neighbors, Scratch, Search};
use super::space::Space;
use super::trees::Trees;
use super::update::Leaf;
use super::writer::ForestWriter;
use crate::error::{BuildError, Damage, OpenError, SearchError, UpdateError};
use crate::file::AtomicFile;
use crate::parallel;

/// The seed of a forest for which nobody sets one (Annoy's).
const DEFAULT_SEED: u64 = 1_234_567_890_987_654_321;
/// The largest id: the numbers of nodes are signed, and there has to be one above the items.
const LARGEST_ID: u32 = i32::MAX as u32 - 1;
/// Queries that a thread takes at a time from a batch.
const BATCH: usize = 32;

/// Where a forest is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Items, but no trees; queries find nothing.
    Growing,
    /// Trees in memory, or just built on disk.
    Built,
    /// Mapped from the file to which it was saved.
    Saved,
    /// Mapped from a file.
    Loaded,
}

/// An index of vectors by Annoy's method: many trees of random planes over the same items.
///
/// Items are numbered by the caller, from 0; memory is needed for every id up to the largest. They can be added,
/// replaced and removed in every [`Stage`], and are found, or gone, at once. All distances are those of
/// [`Metric`]; results come closest first, equal ones by the smaller id.
///
/// A forest is `Send` and `Sync`; searching needs only `&self`.
///
/// # Example
///
/// ```
/// use linjin::forest::{Budget, Forest, Metric};
///
/// let mut forest = Forest::new(2, Metric::Euclidean);
/// for (id, vector) in [[2.0, 2.0], [3.0, 2.0], [3.0, 3.0]].iter().enumerate() {
///     forest.add(id as u32, vector)?;
/// }
/// forest.build(Some(10), None)?;
/// assert_eq!(forest.nearest(&[4.0, 4.0], Some(3), Budget::PerTree)?.ids, [2, 1, 0]);
///
/// let path = std::env::temp_dir().join(format!("linjin-doc-{}.ann", std::process::id()));
/// forest.save(&path, false)?;
/// let mut mapped = Forest::new(2, Metric::Euclidean);
/// mapped.load(&path, false)?;
/// mapped.add(3, &[4.0, 4.0])?;
/// mapped.remove(&[1])?;
/// assert_eq!(mapped.nearest(&[4.0, 4.0], Some(3), Budget::PerTree)?.ids, [3, 2, 0]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Forest {
    pub(super) space: Space,
    pub(super) stage: Stage,
    pub(super) items: Items,
    pub(super) trees: Option<Trees>,
    pub(super) seed: u64,
    allow_nonfinite: bool,
    /// Where the next build puts its file, when it is to be on disk.
    pub(super) disk: Option<PathBuf>,
    /// Counts the changes, so that trees are not planted over other items than they grew from.
    pub(super) revision: u64,
    scratch: Mutex<Vec<Scratch>>,
}

/// The leaves at which an item goes out of the trees, and those at which it goes in.
#[derive(Default)]
struct Way {
    from: Option<Vec<Leaf>>,
    to: Vec<Leaf>,
}

/// Trees that have grown, to be handed to [`Forest::plant`].
#[derive(Debug)]
pub struct Grown {
    pub(super) trees: GrownTrees,
    revision: u64,
}

#[derive(Debug)]
pub(super) enum GrownTrees {
    Memory(Trees),
    Disk(AtomicFile),
}

impl Forest {
    /// An empty forest for vectors of `dim` values.
    pub fn new(dim: usize, metric: Metric) -> Self {
        let layout = Layout::current(metric, dim);
        Self {
            space: Space::new(layout),
            stage: Stage::Growing,
            items: Items::new(layout),
            trees: None,
            seed: DEFAULT_SEED,
            allow_nonfinite: false,
            disk: None,
            revision: 0,
            scratch: Mutex::default(),
        }
    }

    /// Values in a vector.
    pub fn dim(&self) -> usize {
        self.space.layout.dim
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.space.layout.metric
    }

    /// Where the forest is in its life.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The largest id plus one; ids that were never added, or were removed, count.
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// How many trees there are.
    pub fn n_trees(&self) -> usize {
        self.trees.as_ref().map_or(0, |trees| trees.roots.len())
    }

    /// How many items there are. The first call on a mapped file looks at every item; later ones cost nothing.
    pub fn len(&self) -> usize {
        self.items.living()
    }

    /// Whether there are no items. Costs what [`len`](Self::len) costs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is an item `id`.
    pub fn contains(&self, id: u32) -> bool {
        self.items.contains(id)
    }

    /// Sets the seed of the builds to come. The same items, seed and number of trees give the same file.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Whether NaN and infinities are taken, as Annoy does; otherwise they are refused.
    pub fn allow_nonfinite(&mut self, allow: bool) {
        self.allow_nonfinite = allow;
    }

    /// The vector of item `id`, `dim` values; zeros for an id without item. Bits come back as 0 and 1.
    ///
    /// # Errors
    ///
    /// [`SearchError::UnknownItem`] beyond the largest id; [`SearchError::Damaged`].
    pub fn vector(&self, id: u32) -> Result<Vec<f32>, SearchError> {
        let vector = self.space.decode(self.node(id)?);
        self.items.intact()?;
        Ok(vector)
    }

    /// The distance between two items, in any stage.
    ///
    /// # Errors
    ///
    /// As for [`vector`](Self::vector).
    pub fn distance(&self, i: u32, j: u32) -> Result<f32, SearchError> {
        let order = self.space.order_between(self.node(i)?, self.node(j)?);
        self.items.intact()?;
        Ok(self.metric().reported(order))
    }

    fn node(&self, id: u32) -> Result<&[u32], SearchError> {
        if id as usize >= self.n_items() {
            return Err(SearchError::UnknownItem { id, n_items: self.n_items() });
        }
        let node = self.items.node(id);
        self.space.layout.check_item(node, id)?;
        Ok(node)
    }

    /// Adds item `id`, or replaces it, in any stage; the next search finds it.
    ///
    /// # Errors
    ///
    /// Another length than [`dim`](Self::dim), a value that is not finite (see
    /// [`allow_nonfinite`](Self::allow_nonfinite)), no memory, a damaged file. The forest is then as it was.
    ///
    /// # Cost
    ///
    /// Without trees, a copy of the vector. With trees, one walk down each.
    pub fn add(&mut self, id: u32, vector: &[f32]) -> Result<(), UpdateError> {
        if vector.len() != self.dim() {
            return Err(UpdateError::Length { expected: self.dim(), got: vector.len() });
        }
        self.check_finite(id, vector)?;
        if id > LARGEST_ID {
            return Err(UpdateError::IdTooLarge { id: u64::from(id) });
        }
        let way = self.way(id, vector)?;
        self.put(id, vector, way)
    }

    /// Adds or replaces many items: `rows` holds one vector after the other, `ids` as many ids; without ids they get
    /// the numbers from [`n_items`](Self::n_items) on. A later row of the same id replaces an earlier one.
    ///
    /// # Errors
    ///
    /// As for [`add`](Self::add), found before the first item goes in.
    pub fn add_rows(&mut self, ids: Option<&[u32]>, rows: &[f32]) -> Result<(), UpdateError> {
        let dim = self.dim();
        let n = match ids {
            Some(ids) => ids.len(),
            None => rows.len().checked_div(dim).unwrap_or(0),
        };
        if n * dim != rows.len() {
            return Err(UpdateError::Ids { ids: n, vectors: rows.len().checked_div(dim).unwrap_or(0) });
        }
        let first = self.n_items();
        let id = |i: usize| ids.map_or((first + i) as u64, |ids| u64::from(ids[i]));
        let Some(largest) = (0..n).map(id).max() else { return Ok(()) };
        if largest > u64::from(LARGEST_ID) {
            return Err(UpdateError::IdTooLarge { id: largest });
        }
        for i in 0..n {
            self.check_finite(id(i) as u32, &rows[i * dim..][..dim])?;
        }
        let memory = |source| UpdateError::Memory { id: largest as u32, source };
        self.items.reserve(largest as usize + 1).map_err(memory)?;
        if ids.is_none() && self.trees.is_none() {
            self.items.append(&self.space, rows);
            self.revision += 1;
            return Ok(());
        }
        // All ways down the trees are found before the first item goes in: damage is met now, or not at all.
        let mut ways: Vec<Way> = Vec::with_capacity(n);
        let mut latest = FxHashMap::default();
        for i in 0..n {
            let id = id(i) as u32;
            let mut way = self.way(id, &rows[i * dim..][..dim])?;
            if self.trees.is_some()
                && let Some(earlier) = latest.insert(id, i)
            {
                way.from = Some(ways[earlier].to.clone());
            }
            ways.push(way);
        }
        for (i, way) in ways.into_iter().enumerate() {
            self.put(id(i) as u32, &rows[i * dim..][..dim], way)?;
        }
        Ok(())
    }

    fn check_finite(&self, id: u32, vector: &[f32]) -> Result<(), UpdateError> {
        match not_finite(vector) {
            Some((column, value)) if !self.allow_nonfinite => {
                Err(UpdateError::NotFinite { id, column, value })
            }
            _ => Ok(()),
        }
    }

    /// Where an item is in the trees, and where it is to go with another vector.
    fn way(&self, id: u32, vector: &[f32]) -> Result<Way, Damage> {
        self.items.intact()?;
        let Some(trees) = &self.trees else { return Ok(Way::default()) };
        let leaves = |vector: &[u32]| trees.leaves(&self.space, &self.items, vector, id);
        let from = self.vector_in_trees(id).map(|before| leaves(&before)).transpose()?;
        let to = self.with_scratch(|forest, scratch| {
            forest.space.encode(vector, &mut scratch.encoded);
            leaves(&scratch.encoded)
        })?;
        self.items.intact()?;
        Ok(Way { from, to })
    }

    fn put(&mut self, id: u32, vector: &[f32], way: Way) -> Result<(), UpdateError> {
        let mut scratch = self.take_scratch();
        self.space.encode(vector, &mut scratch.encoded);
        let norm = self.space.norm(&scratch.encoded);
        let before = self.vector_in_trees(id);
        let put = self.items.put(id, &scratch.encoded, norm);
        self.give_back(scratch);
        put.map_err(|source| UpdateError::Memory { id, source })?;
        self.revision += 1;
        if let Some(trees) = &mut self.trees {
            let leftovers = match (before, way.from) {
                (Some(vector), Some(leaves)) => {
                    !trees.uproot(&self.space, &self.items, &vector, id, &leaves)?
                }
                _ => false,
            };
            if trees.deleted.remove(&id) || leftovers {
                trees.moved.insert(id);
            }
            trees.insert(self.space, &self.items, id, &way.to, self.seed)?;
        }
        Ok(())
    }

    /// The vector with which an item was put into the trees, as nodes store it, if there are trees and it lives.
    fn vector_in_trees(&self, id: u32) -> Option<Vec<u32>> {
        let lives = self.trees.is_some() && self.items.contains(id);
        lives.then(|| self.space.layout.vector(self.items.node(id)).to_vec())
    }

    /// Removes items, in any stage; no search returns them any more. Their ids become holes.
    ///
    /// # Errors
    ///
    /// [`UpdateError::UnknownItem`] for an id without item, or one that is named twice, and a damaged file, before the
    /// first is removed.
    pub fn remove(&mut self, ids: &[u32]) -> Result<(), UpdateError> {
        self.items.intact()?;
        let mut before = FxHashSet::default();
        for &id in ids {
            if !self.items.contains(id) || !before.insert(id) {
                self.items.intact()?;
                return Err(UpdateError::UnknownItem { id });
            }
        }
        // All leaves are found before the first item goes: damage is met now, or not at all.
        let mut leaves = Vec::with_capacity(ids.len());
        for &id in ids {
            let Some(trees) = &self.trees else { break };
            let vector = self.space.layout.vector(self.items.node(id));
            leaves.push(trees.leaves(&self.space, &self.items, vector, id)?);
        }
        self.items.intact()?;
        for (i, &id) in ids.iter().enumerate() {
            let before = self.vector_in_trees(id);
            self.items.remove(id).map_err(|source| UpdateError::Memory { id, source })?;
            if let (Some(trees), Some(vector)) = (&mut self.trees, before)
                && (!trees.uproot(&self.space, &self.items, &vector, id, &leaves[i])?
                    || trees.moved.contains(&id))
            {
                trees.deleted.insert(id);
            }
        }
        self.revision += 1;
        Ok(())
    }

    /// Grows trees and plants them: [`grow`](Self::grow) and [`plant`](Self::plant).
    ///
    /// # Errors
    ///
    /// As for these two.
    pub fn build(&mut self, n_trees: Option<usize>, n_jobs: Option<usize>) -> Result<(), BuildError> {
        let grown = self.grow(n_trees, n_jobs, &mut |_| ControlFlow::Continue(()))?;
        self.plant(grown)
    }

    /// Grows `n_trees` trees over all items with `n_jobs` threads (`None`: one for each core), without changing the
    /// forest; searches go on meanwhile. Without a number, trees grow until there are as many nodes as items, at
    /// least one. Same items, seed and number: the same trees, whatever the threads.
    ///
    /// `watch` is told how far it is, on this thread, some twenty times a second, and can cancel.
    ///
    /// # Errors
    ///
    /// [`BuildError::AlreadyBuilt`], unless the forest lies in a file: then the new trees take the place of the
    /// file's. [`BuildError::Cancelled`]; no room on disk or for the numbers of the nodes; a damaged file.
    ///
    /// # Cost
    ///
    /// For each tree about `n log2(n / bucket)` inner products, and 400 for every split.
    pub fn grow(
        &self,
        n_trees: Option<usize>,
        n_jobs: Option<usize>,
        watch: Watch<'_>,
    ) -> Result<Grown, BuildError> {
        if self.stage == Stage::Built {
            return Err(BuildError::AlreadyBuilt);
        }
        for (name, count) in [("n_trees", n_trees), ("n_jobs", n_jobs)] {
            if count == Some(0) {
                return Err(BuildError::Count { name, found: 0 });
            }
        }
        if let ControlFlow::Break(()) = watch(Progress { done: 0, total: 0 }) {
            return Err(BuildError::Cancelled);
        }
        let ids = self.items.ids()?;
        let plan =
            Plan { space: self.space, items: &self.items, ids: &ids, seed: self.seed, n_trees, n_jobs };
        let trees = match &self.disk {
            Some(path) => {
                let store = |error: std::io::Error| BuildError::Store(OpenError::from(error));
                let out = AtomicFile::create(path).map_err(store)?;
                let mut writer = ForestWriter::new(out, &self.items, &self.space).map_err(store)?;
                plan.grow(watch, |tree| writer.tree(tree).map_err(store))?;
                GrownTrees::Disk(writer.finish().map_err(store)?)
            }
            None => GrownTrees::Memory(self.grow_in_memory(&plan, watch)?),
        };
        self.items.intact()?;
        Ok(Grown { trees, revision: self.revision })
    }

    fn grow_in_memory(&self, plan: &Plan<'_>, watch: Watch<'_>) -> Result<Trees, BuildError> {
        let layout = self.space.layout;
        let n_items = self.items.len();
        let (mut nodes, mut roots) = (Vec::new(), Vec::new());
        plan.grow(watch, |mut tree| {
            super::build::relocate(&layout, &mut tree, n_items, (nodes.len() / layout.stride) as u32);
            nodes.append(&mut tree);
            roots.push((n_items + nodes.len() / layout.stride - 1) as u32);
            Ok(())
        })?;
        Ok(Trees::in_memory(layout, n_items, nodes, roots, 0))
    }

    /// Puts trees that [`grow`](Self::grow) returned into their place. Everything that was added on top of older trees
    /// is part of the new ones.
    ///
    /// # Errors
    ///
    /// [`BuildError::Changed`] when the items have changed since; [`BuildError::Store`] when the file of a forest that
    /// is built on disk cannot be put in its place.
    pub fn plant(&mut self, grown: Grown) -> Result<(), BuildError> {
        if grown.revision != self.revision {
            return Err(BuildError::Changed);
        }
        match grown.trees {
            GrownTrees::Memory(trees) => self.trees = Some(trees),
            GrownTrees::Disk(file) => self.settle_on(file, false, Stage::Built).map_err(BuildError::Store)?,
        }
        self.stage = Stage::Built;
        self.revision += 1;
        Ok(())
    }

    /// Drops the trees, so that `build` can be called again.
    ///
    /// # Errors
    ///
    /// [`BuildError::Loaded`]: a forest that lies in a file is planted anew by [`build`](Self::build).
    pub fn unbuild(&mut self) -> Result<(), BuildError> {
        if matches!(self.stage, Stage::Saved | Stage::Loaded) {
            return Err(BuildError::Loaded);
        }
        self.trees = None;
        self.stage = Stage::Growing;
        self.revision += 1;
        Ok(())
    }

    /// The `n` items (`None`: all) closest to `query`, among as many candidates as `budget` says. Fewer when there are
    /// not as many candidates; none without trees.
    ///
    /// # Errors
    ///
    /// Another length than [`dim`](Self::dim), a value that is not finite, a damaged file.
    ///
    /// # Cost
    ///
    /// About one distance for each candidate that only one tree found, and one inner product for each split on the
    /// way. Allocates the answer alone.
    pub fn nearest(&self, query: &[f32], n: Option<usize>, budget: Budget) -> Result<Neighbors, SearchError> {
        self.check_query(query, 0)?;
        self.with_scratch(|forest, scratch| forest.search_one(query, n, budget, scratch))
    }

    /// The items closest to item `id`, itself among them; otherwise as [`nearest`](Self::nearest). An id without item
    /// asks for the vector of zeros.
    ///
    /// # Errors
    ///
    /// [`SearchError::UnknownItem`] beyond the largest id; [`SearchError::Damaged`].
    pub fn nearest_to_item(
        &self,
        id: u32,
        n: Option<usize>,
        budget: Budget,
    ) -> Result<Neighbors, SearchError> {
        let node = self.node(id)?;
        self.with_scratch(|forest, scratch| {
            forest.search_words(forest.space.layout.vector(node), n, budget, scratch)
        })
    }

    /// [`nearest`](Self::nearest) for many queries, one after the other in `queries`, with `n_jobs` threads (`None`:
    /// one for each core). Answer i belongs to query i.
    ///
    /// # Errors
    ///
    /// As for [`nearest`](Self::nearest); one bad query, and there is no answer at all.
    pub fn nearest_batch(
        &self,
        queries: &[f32],
        n: Option<usize>,
        budget: Budget,
        n_jobs: Option<usize>,
    ) -> Result<Vec<Neighbors>, SearchError> {
        let dim = self.dim();
        if dim == 0 || !queries.len().is_multiple_of(dim) {
            return Err(SearchError::Length { expected: dim, got: queries.len() });
        }
        for (row, query) in queries.chunks_exact(dim).enumerate() {
            self.check_query(query, row)?;
        }
        self.batch(queries.len() / dim, n_jobs, |i, scratch| {
            self.search_one(&queries[i * dim..][..dim], n, budget, scratch)
        })
    }

    /// [`nearest_to_item`](Self::nearest_to_item) for many items, as [`nearest_batch`](Self::nearest_batch).
    ///
    /// # Errors
    ///
    /// As for [`nearest_to_item`](Self::nearest_to_item).
    pub fn nearest_batch_to_items(
        &self,
        ids: &[u32],
        n: Option<usize>,
        budget: Budget,
        n_jobs: Option<usize>,
    ) -> Result<Vec<Neighbors>, SearchError> {
        for &id in ids {
            self.node(id)?;
        }
        self.batch(ids.len(), n_jobs, |i, scratch| {
            self.search_words(self.space.layout.vector(self.node(ids[i])?), n, budget, scratch)
        })
    }

    /// Every item whose distance to `query` is at most `radius` (for the inner product: at least), closest first.
    /// Exact. None without trees.
    ///
    /// # Errors
    ///
    /// As for [`nearest`](Self::nearest).
    ///
    /// # Cost
    ///
    /// A walk through one tree that leaves out what lies beyond the radius; for bits and for the inner product, whose
    /// planes bound nothing, through all of it.
    pub fn within(&self, query: &[f32], radius: f32) -> Result<Neighbors, SearchError> {
        self.check_query(query, 0)?;
        self.with_scratch(|forest, scratch| {
            let Some(search) = forest.search() else { return Ok(Neighbors::default()) };
            let mut encoded = std::mem::take(&mut scratch.encoded);
            forest.space.encode(query, &mut encoded);
            let found = search.within(&forest.space.query(&encoded), radius, scratch);
            scratch.encoded = encoded;
            Ok(found?)
        })
    }

    fn search(&self) -> Option<Search<'_>> {
        self.trees.as_ref().map(|trees| Search { space: self.space, items: &self.items, trees })
    }

    fn search_one(
        &self,
        query: &[f32],
        n: Option<usize>,
        budget: Budget,
        scratch: &mut Scratch,
    ) -> Result<Neighbors, SearchError> {
        let mut encoded = std::mem::take(&mut scratch.encoded);
        self.space.encode(query, &mut encoded);
        let found = self.search_words(&encoded, n, budget, scratch);
        scratch.encoded = encoded;
        found
    }

    fn search_words(
        &self,
        words: &[u32],
        n: Option<usize>,
        budget: Budget,
        scratch: &mut Scratch,
    ) -> Result<Neighbors, SearchError> {
        let Some(search) = self.search() else { return Ok(Neighbors::default()) };
        Ok(search.nearest(&self.space.query(words), n, budget, scratch)?)
    }

    fn check_query(&self, query: &[f32], row: usize) -> Result<(), SearchError> {
        if query.len() != self.dim() {
            return Err(SearchError::Length { expected: self.dim(), got: query.len() });
        }
        match not_finite(query) {
            Some((column, value)) if !self.allow_nonfinite => {
                Err(SearchError::NotFinite { row, column, value })
            }
            _ => Ok(()),
        }
    }

    /// Runs `one` for 0..n on some threads, each with a scratch of its own.
    fn batch(
        &self,
        n: usize,
        n_jobs: Option<usize>,
        one: impl Fn(usize, &mut Scratch) -> Result<Neighbors, SearchError> + Sync,
    ) -> Result<Vec<Neighbors>, SearchError> {
        let mut answers = Vec::with_capacity(n);
        let mut failure = None;
        let stop = std::sync::atomic::AtomicBool::new(false);
        let some = |chunk: usize| -> Result<Vec<Neighbors>, SearchError> {
            self.with_scratch(|_, scratch| {
                (chunk * BATCH..n.min((chunk + 1) * BATCH)).map(|i| one(i, scratch)).collect()
            })
        };
        let take = |some: Result<Vec<Neighbors>, SearchError>| match some {
            Ok(mut some) => {
                answers.append(&mut some);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        };
        let threads = parallel::threads(n_jobs);
        _ = parallel::in_order(threads, n.div_ceil(BATCH), &stop, some, take, || ControlFlow::Continue(()));
        failure.map_or(Ok(answers), Err)
    }

    fn with_scratch<T>(&self, use_it: impl FnOnce(&Self, &mut Scratch) -> T) -> T {
        let mut scratch = self.take_scratch();
        let result = use_it(self, &mut scratch);
        self.give_back(scratch);
        result
    }

    fn take_scratch(&self) -> Scratch {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_back(&self, scratch: Scratch) {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

/// The first value that is NaN or infinite, and where it is.
fn not_finite(vector: &[f32]) -> Option<(usize, f32)> {
    // Adding up x * 0 is NaN if any value is not finite, and needs no branch for each.
    let all_finite = vector.iter().map(|value| value * 0.0).sum::<f32>() == 0.0;
    if all_finite {
        return None;
    }
    vector.iter().copied().enumerate().find(|(_, value)| !value.is_finite())
}
