//! The columns of an index: read from its notes when they are asked for, changed with its vectors.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use linjin::index::error::{SearchError, UpdateError};
use linjin::index::{Add, Filter, Index, Note, Notes, Snapshot, Vectors};
use rustc_hash::FxHashSet;
use thiserror::Error;

use crate::columns::Columns;
use crate::error::{ColumnsError, ExpressionError};

/// Some states and selections are kept: hits may be of an earlier state than the newest.
const KEPT: usize = 4;
/// A filter is a mask if that takes no more than so many words for each id.
const DENSE: u64 = 4;
/// The schema of a note takes so many bytes, and hardly ever more.
const MOST_SCHEMA: usize = 1 << 14;
/// With fewer rows that were replaced it is not worth while to leave them out.
const LEAST_REPLACED: usize = 4096;
/// A note takes some dozens of microseconds to read, whatever it says; up to so many are never put together.
const MOST_NOTES: usize = 1024;
/// With more rows there may be a note for so many: to put them together costs each about as much as so many rows.
const ROWS_A_NOTE: usize = 32;

/// Why columns could not be read or changed. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BesideError {
    /// The columns that were given, or those of the file.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The expression.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// The file under the index.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The vectors.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// No item has this name.
    #[error("the name {name:?} is not in the index")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The name is in the index, or twice among the new ones.
    #[error("row {row}: the name {name:?} is in use already; pass replace to put the vector in its place")]
    Exists {
        /// Which of the vectors.
        row: usize,
        /// Its name.
        name: String,
    },
    /// An index has names for all of its items, or for none.
    #[error("the items of this index have {has}, not {given}")]
    Kind {
        /// What it has.
        has: &'static str,
        /// What was given.
        given: &'static str,
    },
}

/// For doors that know vectors alone.
impl From<BesideError> for UpdateError {
    fn from(error: BesideError) -> Self {
        match error {
            BesideError::Update(error) => error,
            other => Self::Note(Box::new(other)),
        }
    }
}

/// What comes with vectors.
#[derive(Clone, Copy, Debug)]
pub enum Described<'a> {
    /// Nothing.
    Not,
    /// A row for each of them.
    Columns(&'a RecordBatch),
    /// A name for each of them, and perhaps a row.
    Names(&'a [String], Option<&'a RecordBatch>),
}

/// The columns of one index, and of no other. Costs nothing until columns are asked for.
///
/// Vectors are removed through it too: the index itself does not know what its notes say, and what is known of an item that
/// [`Index::remove`] took away would be known of the next one with its id.
///
/// ```
/// use arrow_array::record_batch;
/// use linjin::index::{Add, Filters, Index, Metric, Search};
/// use linjin_columns::{Beside, Described};
///
/// let (index, beside) = (Index::new(2, Metric::Euclidean)?, Beside::default());
/// let rows = record_batch!(("price", Float32, [9.5, 20.0]), ("lang", Utf8, ["zh", "en"]))?;
/// beside.add(&index, &[1.0, 1.0, 2.0, 2.0], None, Described::Columns(&rows), &Add::default())?;
/// let cheap = beside.filter(&index.notes(), "price < 10")?;
/// let hits = index.search(&[2.0, 2.0], &Search { filter: Some(Filters::Same(&cheap)), ..Search::new(1) })?;
/// assert_eq!(hits.ids, [0]);
/// assert_eq!(beside.of(&index.notes())?.take(&hits.ids)?.num_columns(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Beside {
    kept: Mutex<Kept>,
    /// Held by whoever changes columns.
    changing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Newest last, as are the next ones.
    states: Vec<State>,
    selections: Vec<(Notes, String, Arc<Filter>)>,
}

/// The columns at the moment of some notes.
#[derive(Clone, Debug)]
struct State {
    notes: Notes,
    columns: Columns,
    /// How many notes there are.
    count: usize,
}

impl Beside {
    /// The columns at the moment of these notes of the index.
    ///
    /// Costs as much as what came since they were last asked for; the first time, as all of them.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where they are.
    pub fn of(&self, notes: &Notes) -> Result<Columns, BesideError> {
        if notes.is_empty() { Ok(Columns::default()) } else { Ok(self.state(notes)?.columns) }
    }

    fn state(&self, notes: &Notes) -> Result<State, BesideError> {
        let mut kept = lock(&self.kept);
        if let Some(state) = kept.states.iter().rev().find(|state| state.notes.is(notes)) {
            return Ok(state.clone());
        }
        let follows = |state: &State| Some((state.clone(), notes.behind(&state.notes)?));
        let mut count = 0;
        let columns = match kept.states.iter().rev().find_map(follows) {
            Some((earlier, more)) => {
                count = earlier.count;
                earlier.columns.followed_by(more.inspect(|_| count += 1))?
            }
            None => Columns::from_notes(notes.read()?.inspect(|_| count += 1))?,
        };
        let state = State { notes: notes.clone(), columns, count };
        kept.keep(state.clone());
        Ok(state)
    }

    /// Whether the items have names at the moment of these notes. Costs next to nothing: the first note says so.
    ///
    /// # Errors
    ///
    /// As for [`of`](Self::of).
    pub fn has_names(&self, notes: &Notes) -> Result<bool, BesideError> {
        match Columns::has_names_in(notes.beginning(MOST_SCHEMA)) {
            Some(named) => Ok(named),
            None => Ok(self.of(notes)?.has_names()),
        }
    }

    /// The items of which the expression is true at the moment of these notes, as a filter.
    ///
    /// # Errors
    ///
    /// As for [`of`](Self::of) and [`Columns::select`].
    pub fn filter(&self, notes: &Notes, expression: &str) -> Result<Arc<Filter>, BesideError> {
        let known = lock(&self.kept);
        let found = known.selections.iter().find(|(at, text, _)| text == expression && at.is(notes));
        if let Some((_, _, filter)) = found {
            return Ok(filter.clone());
        }
        drop(known);
        let filter = Arc::new(as_filter(self.of(notes)?.select(expression)?));
        let mut kept = lock(&self.kept);
        if kept.selections.len() == KEPT {
            kept.selections.remove(0);
        }
        kept.selections.push((notes.clone(), expression.to_owned(), filter.clone()));
        Ok(filter)
    }

    /// Adds vectors with what is known of them: see [`Index::add`].
    ///
    /// # Errors
    ///
    /// As for [`Index::add`] and [`Columns::with`]; names that are in use, unless `replace` is set; names in an index whose
    /// items have none, or none in an index whose items have names.
    pub fn add<'a>(
        &self,
        index: &Index,
        vectors: impl Into<Vectors<'a>>,
        ids: Option<&[u64]>,
        described: Described<'_>,
        options: &Add<'_>,
    ) -> Result<Vec<u64>, BesideError> {
        if let Described::Not = described
            && index.notes().is_empty()
        {
            return Ok(index.add(vectors, ids, options)?);
        }
        let _alone = lock(&self.changing);
        let notes = index.notes();
        let columns = self.of(&notes)?;
        let added = match described {
            Described::Names(names, rows) => {
                let numbers = numbers_for(index, &self.named(&index.snapshot())?, names, options.replace)?;
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let note = |ids: &[u64]| Ok(columns.with_names(ids, &names, rows)?.1);
                index.add(vectors, Some(&numbers), &Add { note: Some(&note), ..*options })?
            }
            _ if self.has_names(&notes)? && !ids.is_some_and(|ids| all_named(&columns, ids)) => {
                return Err(BesideError::numbers_for_names());
            }
            Described::Columns(rows) => {
                let note = |ids: &[u64]| Ok(columns.with(ids, rows)?.1);
                index.add(vectors, ids, &Add { note: Some(&note), ..*options })?
            }
            Described::Not => return Ok(index.add(vectors, ids, options)?),
        };
        self.tidy(index);
        Ok(added)
    }

    /// Replaces what is known of items by these rows, one for each id.
    ///
    /// # Errors
    ///
    /// An id is not in the index; as for [`Columns::with`].
    pub fn set(&self, index: &Index, ids: &[u64], rows: &RecordBatch) -> Result<(), BesideError> {
        let _alone = lock(&self.changing);
        for &id in ids {
            if !index.contains(id)? {
                return Err(UpdateError::Unknown { id }.into());
            }
        }
        let (_, note) = self.of(&index.notes())?.with(ids, rows)?;
        index.note(Note::Behind(&note))?;
        self.tidy(index);
        Ok(())
    }

    /// Removes vectors, and what is known of them: see [`Index::remove`].
    ///
    /// # Errors
    ///
    /// As for [`Index::remove`] and [`of`](Self::of).
    pub fn remove(&self, index: &Index, ids: &[u64]) -> Result<(), BesideError> {
        if index.notes().is_empty() {
            return Ok(index.remove(ids)?);
        }
        let _alone = lock(&self.changing);
        let (_, note) = self.of(&index.notes())?.without(ids)?;
        index.remove_and_note(ids, Note::Behind(&note))?;
        self.tidy(index);
        Ok(())
    }

    /// The numbers of the items with these names; the first name that no item has otherwise.
    ///
    /// # Errors
    ///
    /// A name that is not in the index; an index whose items have no names.
    pub fn ids_of(&self, index: &Snapshot, names: &[String]) -> Result<Vec<u64>, BesideError> {
        let columns = self.named(index)?;
        let id =
            |name: &String| columns.id_of(name).ok_or_else(|| BesideError::Unknown { name: name.clone() });
        names.iter().map(id).collect()
    }

    /// Whether an item has this name.
    ///
    /// # Errors
    ///
    /// An index whose items have no names.
    pub fn contains(&self, index: &Snapshot, name: &str) -> Result<bool, BesideError> {
        Ok(self.named(index)?.id_of(name).is_some())
    }

    /// The columns of an index whose items have names, or may have.
    fn named(&self, index: &Snapshot) -> Result<Columns, BesideError> {
        let notes = index.notes();
        if (notes.is_empty() && index.is_empty()) || self.has_names(notes)? {
            return self.of(notes);
        }
        Err(BesideError::Kind { has: "numbers as ids", given: "strings" })
    }

    /// Puts one note in the place of all, when most of what they say was replaced, or there are very many. What does not
    /// succeed is tried again after the next change.
    fn tidy(&self, index: &Index) {
        _ = (|| {
            let State { columns, count, .. } = self.state(&index.notes())?;
            let few = columns.stored_rows() < 2 * columns.rows() + LEAST_REPLACED;
            let few_notes = count < MOST_NOTES.max(columns.rows() / ROWS_A_NOTE);
            // With no row left, only the first note still says whether items have names.
            if (few && few_notes) || columns.rows() == 0 {
                return Ok(());
            }
            let (columns, note) = columns.compacted(|_| true)?;
            index.note(Note::Instead(&note))?;
            lock(&self.kept).keep(State { notes: index.notes(), columns, count: 1 });
            Ok::<_, BesideError>(())
        })();
    }
}

impl BesideError {
    /// Numbers were given for the items of an index in which they have names.
    pub fn numbers_for_names() -> Self {
        Self::Kind { has: "strings as ids", given: "numbers" }
    }
}

/// The numbers of items with these names: those that they have, or new ones.
fn numbers_for(
    index: &Index,
    columns: &Columns,
    names: &[String],
    replace: bool,
) -> Result<Vec<u64>, BesideError> {
    let mut seen = FxHashSet::default();
    let mut next = index.next_id();
    let mut numbers = Vec::with_capacity(names.len());
    for (row, name) in names.iter().enumerate() {
        let known = columns.id_of(name);
        if !seen.insert(name) || (known.is_some() && !replace) {
            return Err(BesideError::Exists { row, name: name.clone() });
        }
        numbers.push(known.unwrap_or(next));
        next += u64::from(known.is_none());
    }
    Ok(numbers)
}

fn all_named(columns: &Columns, ids: &[u64]) -> bool {
    ids.iter().all(|&id| columns.name_of(id).is_some())
}

/// A set of ids as the smaller kind of filter; they ascend.
fn as_filter(ids: Vec<u64>) -> Filter {
    let words = ids.last().map_or(0, |most| most / 64 + 1);
    if words > ids.len() as u64 * DENSE {
        return Filter::Ids(ids);
    }
    let mut mask = vec![0; words as usize];
    ids.iter().for_each(|id| mask[(id / 64) as usize] |= 1 << (id % 64));
    Filter::Mask(mask)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind it is changed as a whole or not at all.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    fn keep(&mut self, state: State) {
        if self.states.len() == KEPT {
            self.states.remove(0);
        }
        self.states.push(state);
    }
}
