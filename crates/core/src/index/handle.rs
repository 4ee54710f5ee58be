//! The public index.

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use rustc_hash::FxHashSet;

use super::durable::Home;
use super::error::{BuildError, SearchError, UpdateError};
use super::input;
use super::options::{Add, Search};
use super::rebuild;
use super::snapshot::Snapshot;
use super::space::{Query, Space};
use super::update::{self, Rows, Work};
use super::version::Version;
use super::{Hits, HitsBatch, Memory, Metric, NO_ID, Note, Notes, Vector, Vectors};
use crate::parallel;
use crate::sync::{Mutex, MutexGuard, Newest};

/// The seed of an index for which nobody sets one.
pub(super) const SEED: u64 = 0x6c69_6e6a_696e;
/// As many queries show how much effort a recall takes.
const MOST_PROBES: usize = 2048;

/// Vectors with ids, and the closest ones to any vector among them.
///
/// Vectors can be added, replaced and removed at any moment, by any thread, while others search: a search sees the index
/// as it was when the search began, and waits for nobody. Everything needs only `&self`.
///
/// ```
/// use linjin::index::{Add, Index, Metric, Search};
///
/// let index = Index::new(2, Metric::Euclidean)?;
/// index.add(&[2.0, 2.0, 3.0, 2.0, 3.0, 3.0], None, &Add::default())?;
/// index.remove(&[1])?;
/// let hits = index.search(&[4.0, 4.0], &Search::new(2))?;
/// assert_eq!(hits.ids, [2, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Index {
    space: Space,
    pub(super) current: Newest<Version>,
    /// Slots without a vector; whoever holds it is the one who makes the next version.
    free: Mutex<Option<Vec<u32>>>,
    pub(super) home: Home,
}

impl Index {
    /// An empty index for vectors of `dim` values (bits, for `hamming`).
    ///
    /// # Errors
    ///
    /// `dim` is not from 1 to 65,535.
    pub fn new(dim: usize, metric: Metric) -> Result<Self, BuildError> {
        Self::with_memory(dim, metric, Memory::Full)
    }

    /// The same, with a say in how much memory it may take to be fast.
    ///
    /// ```
    /// use linjin::index::{Index, Memory, Metric};
    ///
    /// let index = Index::with_memory(256, Metric::Cosine, Memory::Small)?;
    /// assert_eq!(index.info().memory, Memory::Small);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `dim` is not from 1 to 65,535.
    pub fn with_memory(dim: usize, metric: Metric, memory: Memory) -> Result<Self, BuildError> {
        if !(1..=65_535).contains(&dim) {
            return Err(BuildError::Dimension { dim });
        }
        Ok(Self::at_home(Version::empty(Space::new(dim, metric), memory), Home::Memory))
    }

    pub(super) fn at_home(version: Version, home: Home) -> Self {
        Self { space: version.space, current: Newest::from_pointee(version), free: Mutex::new(None), home }
    }

    /// Values in a vector; bits, for `hamming`.
    pub fn dim(&self) -> usize {
        self.space.dim
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.space.metric
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.current.load().len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a vector has this id.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where the answer would come from.
    pub fn contains(&self, id: u64) -> Result<bool, SearchError> {
        self.current.load().contains(id)
    }

    /// All ids, in ascending order.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where the ids are.
    pub fn ids(&self) -> Result<Vec<u64>, SearchError> {
        self.current.load().all_ids()
    }

    /// The vector with this id, as it was added; `None` when there is none.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where the vector is.
    pub fn get(&self, id: u64) -> Result<Option<Vector>, SearchError> {
        self.current.load().get(id)
    }

    /// Adds vectors, one behind the other, and returns their ids: those given, or the numbers that follow the largest id
    /// that there ever was. They are found by every search that begins after this returns. All are added or none.
    ///
    /// The first few thousand are compared one by one in every search. From then on, and again whenever there are four
    /// times as many, an addition groups all vectors into leaves, which takes seconds for each hundred thousand; all
    /// others take some dozens of microseconds a vector, and less in batches.
    ///
    /// # Errors
    ///
    /// Vectors of another length or kind, values that are not finite, ids that are in use (unless
    /// [`replace`](Add::replace) is set), twice among the new ones, or [`NO_ID`].
    pub fn add<'a>(
        &self,
        vectors: impl Into<Vectors<'a>>,
        ids: Option<&[u64]>,
        options: &Add<'_>,
    ) -> Result<Vec<u64>, UpdateError> {
        let vectors = vectors.into();
        let n = input::rows(&self.space, vectors).map_err(|fault| fault.in_update(&self.space))?;
        let (version, mut free) = self.writer();
        let given = ids.is_some();
        let ids = match ids {
            Some(ids) if ids.len() != n => return Err(UpdateError::Ids { ids: ids.len(), vectors: n }),
            Some(ids) => ids.to_vec(),
            None => match version.next_id.checked_add(n as u64) {
                Some(end) => (version.next_id..end).collect(),
                None => return Err(UpdateError::Reserved { row: (NO_ID - version.next_id) as usize }),
            },
        };
        if version.slots.len() + n > u32::MAX as usize {
            return Err(UpdateError::Full);
        }
        let mut seen = FxHashSet::default();
        // Numbers that follow are new and differ.
        for (row, &id) in ids.iter().enumerate().filter(|_| given) {
            if id == NO_ID {
                return Err(UpdateError::Reserved { row });
            }
            if !seen.insert(id) || (!options.replace && version.slot(id).is_some()) {
                version.sound().map_err(|what| UpdateError::Damaged { what })?;
                return Err(UpdateError::Exists { row, id });
            }
        }
        if n == 0 {
            return Ok(ids);
        }
        if !update::has_room(&version, vectors) {
            return Err(UpdateError::Memory { vectors: n });
        }
        let mut watch = |share: f64| match options.progress {
            Some(progress) => progress((share * n as f64) as usize, n),
            None => ControlFlow::Continue(()),
        };
        let work = Work { seed: SEED, threads: parallel::threads(options.threads), regroup: true };
        let rows = Rows { vectors, ids: &ids };
        let left = free.get_or_insert_with(|| free_slots(&version));
        let ControlFlow::Continue((mut next, used)) = update::add(&version, rows, left, work, &mut watch)
        else {
            return Err(UpdateError::Cancelled);
        };
        version.sound().map_err(|what| UpdateError::Damaged { what })?;
        let note = options.note.map(|make| make(&ids)).transpose().map_err(UpdateError::Note)?;
        let note = note.as_deref().map(Note::Behind);
        next.take(note);
        let next = Arc::new(next);
        self.home.add(&ids, vectors, note, &next)?;
        left.truncate(left.len() - used);
        self.current.store(next);
        _ = watch(1.0);
        Ok(ids)
    }

    /// Removes the vectors with these ids; an id may come twice. No search that begins after this returns finds them. All
    /// are removed or none. Takes some microseconds a vector.
    ///
    /// # Errors
    ///
    /// An id is not in the index.
    pub fn remove(&self, ids: &[u64]) -> Result<(), UpdateError> {
        self.take_away(ids, None)
    }

    /// The same with a note that comes as the vectors go: see [`notes`](Self::notes).
    ///
    /// # Errors
    ///
    /// An id is not in the index.
    pub fn remove_and_note(&self, ids: &[u64], note: Note<'_>) -> Result<(), UpdateError> {
        self.take_away(ids, Some(note))
    }

    fn take_away(&self, ids: &[u64], note: Option<Note<'_>>) -> Result<(), UpdateError> {
        let (version, mut free) = self.writer();
        let slots = ids.iter().map(|&id| version.slot(id).ok_or(UpdateError::Unknown { id }));
        let slots = slots.collect::<Result<Vec<u32>, _>>();
        // Where ids cannot be read, one that is there may seem not to be.
        version.sound().map_err(|what| UpdateError::Damaged { what })?;
        let mut slots = slots?;
        slots.sort_unstable();
        slots.dedup();
        let left = free.get_or_insert_with(|| free_slots(&version));
        let mut next = if slots.is_empty() { (*version).clone() } else { update::remove(&version, &slots) };
        version.sound().map_err(|what| UpdateError::Damaged { what })?;
        next.take(note);
        let next = Arc::new(next);
        self.home.remove(ids, note, &next)?;
        left.extend(slots);
        self.current.store(next);
        Ok(())
    }

    /// Keeps bytes beside the vectors, which mean nothing to the index: see [`notes`](Self::notes).
    ///
    /// # Errors
    ///
    /// The journal does not take it, of an index that is open for writing.
    pub fn note(&self, note: Note<'_>) -> Result<(), UpdateError> {
        self.take_away(&[], Some(note))
    }

    /// What callers keep beside the vectors, such as what the items are: bytes that came with additions
    /// ([`Add::note`]), with removals or alone ([`note`](Self::note)), in the order in which they came. They are saved,
    /// committed and rolled back with the vectors. They cost nothing until they are read.
    ///
    /// ```
    /// use linjin::index::{Add, Index, Metric, Note};
    ///
    /// let index = Index::new(2, Metric::Euclidean)?;
    /// let note = |ids: &[u64]| Ok(format!("{ids:?} are red").into_bytes());
    /// index.add(&[2.0, 2.0, 3.0, 3.0], None, &Add { note: Some(&note), ..Add::default() })?;
    /// index.note(Note::Behind(b"0 is round"))?;
    /// let notes = index.notes();
    /// assert!(notes.read()?.eq([b"[0, 1] are red".as_slice(), b"0 is round"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn notes(&self) -> Notes {
        self.current.load().notes.clone()
    }

    /// The id that the next vector gets which comes without one.
    pub fn next_id(&self) -> u64 {
        self.current.load().next_id
    }

    /// The vectors closest to `query`.
    ///
    /// # Errors
    ///
    /// A query of another length or kind, a value that is not finite, a recall that is none, a damaged file under the index.
    pub fn search<'a>(
        &self,
        query: impl Into<Vectors<'a>>,
        search: &Search<'_>,
    ) -> Result<Hits, SearchError> {
        self.current.load().search(query.into(), search)
    }

    /// The vectors closest to each of many queries, one behind the other.
    ///
    /// # Errors
    ///
    /// As for [`search`](Self::search); and as many filters as queries are needed, or one, and room for `k` hits of each.
    pub fn search_many<'a>(
        &self,
        queries: impl Into<Vectors<'a>>,
        search: &Search<'_>,
    ) -> Result<HitsBatch, SearchError> {
        self.current.load().search_many(queries.into(), search)
    }

    /// The index as it is now, to be asked more than once: see [`Snapshot`]. Costs next to nothing.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.current.load_full())
    }

    pub(super) fn writer(&self) -> (Arc<Version>, MutexGuard<'_, Option<Vec<u32>>>) {
        // A change that panicked has left the version as it was, and the free slots may be anything.
        let free = self.free.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut free = poisoned.into_inner();
            *free = None;
            free
        });
        (self.current.load_full(), free)
    }

    /// Groups all vectors into new leaves, and measures anew how much effort a recall takes: with `queries`, when there are
    /// any, such as will be asked; otherwise with some of the index's own vectors. For after many changes, and for queries
    /// that come from elsewhere than the vectors. Takes as long as a build; searches go on meanwhile.
    ///
    /// # Errors
    ///
    /// As for [`search`](Self::search); the index is as it was before.
    pub fn optimize(&self, queries: Option<Vectors<'_>>) -> Result<(), SearchError> {
        let mut all = Vec::new();
        if let Some(queries) = queries {
            let n = self.current.load().queries(queries, &Search::new(1))?;
            all.extend((0..n.min(MOST_PROBES)).map(|row| {
                let mut query = Query::default();
                self.space.write_query(queries, row, &mut query);
                query
            }));
        }
        let (version, mut free) = self.writer();
        let work = Work { seed: SEED, threads: parallel::threads(None), regroup: true };
        let next = rebuild::optimize(&version, all, work);
        version.sound().map_err(|what| SearchError::Damaged { what })?;
        *free = Some(Vec::new()); // all slots were laid out anew
        let next = Arc::new(next);
        self.home.lay_out(&next);
        self.current.store(next);
        Ok(())
    }
}

pub(super) fn free_slots(version: &Version) -> Vec<u32> {
    let view = version.view();
    (0..view.len as u32).rev().filter(|&slot| view.id(slot) == NO_ID).collect()
}
