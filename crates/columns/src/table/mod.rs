//! The table: rows in chunks that never change, so that a change costs about its own size and old tables live on.
//!
//! A change puts a chunk of its rows behind the others and hides the rows that it supersedes. Chunks are then put together so
//! that each has at least twice as many rows as all behind it: a million changes of one row leave a dozen chunks, and each
//! row has been copied some thirty-five times at most. There is no map of all ids beside the chunks, which each change would have
//! to change: an id is looked up in the ids of each chunk, newest first, of which most are passed by at a glance.
//!
//! | file | duty |
//! | --- | --- |
//! | `mod.rs` | changes, and where rows are |
//! | `chunk.rs` | rows that never change, and which of them are hidden |
//! | `hidden.rs` | the set of hidden rows, in pages that tables share |
//! | `names.rs` | the names of a chunk's items, and the way back from them |
//! | `gather.rs` | rows of several chunks as one array |

mod chunk;
mod gather;
mod hidden;
mod names;

use std::sync::Arc;

use arrow_array::{ArrayRef, LargeStringArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use rustc_hash::FxHashSet;

use crate::error::ColumnsError;
use crate::kinds;
use crate::rows::{Change, Rows};

use chunk::Body;
pub(crate) use chunk::Chunk;
use gather::{Place, gather, gather_names};

/// How many times the rows behind it a chunk has at least.
const RATIO: usize = 2;

/// Rows within a chunk are counted in 32 bits by its names.
const MAX_ROWS: usize = u32::MAX as usize;

/// Rows by id. Cloning it costs a few words for each chunk.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The columns in the order in which they came.
    pub(crate) schema: SchemaRef,
    /// Oldest first; the rows that are not hidden have each another id.
    pub(crate) chunks: Vec<Chunk>,
    /// How many rows the changes had that led here.
    pub(crate) written: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { schema: Arc::new(Schema::empty()), chunks: Vec::new(), written: 0 }
    }
}

impl Table {
    /// How many ids have a row.
    pub(crate) fn rows(&self) -> usize {
        self.chunks.iter().map(Chunk::live).sum()
    }

    /// How many items have a name.
    pub(crate) fn named(&self) -> usize {
        self.chunks.iter().map(Chunk::named).sum()
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::bytes).sum()
    }

    /// The table after a change.
    ///
    /// # Errors
    ///
    /// A column has another type than it had, a name is another item's, or there are too many rows.
    pub(crate) fn changed(&self, change: Change) -> Result<Self, ColumnsError> {
        match change {
            Change::Put(rows) => self.put(rows),
            Change::Forget(ids) => self.forget(&ids),
        }
    }

    fn put(&self, rows: Rows) -> Result<Self, ColumnsError> {
        let count = self.rows() + rows.ids.len();
        if count > MAX_ROWS {
            return Err(ColumnsError::Full { rows: count, limit: MAX_ROWS });
        }
        if let Some(names) = &rows.names {
            self.check_names(&rows.ids, names)?;
        }
        let schema = self.widened(&rows)?;
        let mut chunks = self.chunks.clone();
        hide(&mut chunks, &rows.ids);
        let written = self.written + rows.ids.len();
        if !rows.ids.is_empty() {
            let columns = aligned(&schema, &rows);
            chunks.push(Chunk::new(Body::new(rows.ids, rows.names, columns)));
        }
        settle(&mut chunks, &schema)?;
        Ok(Self { schema, chunks, written })
    }

    fn forget(&self, ids: &[u64]) -> Result<Self, ColumnsError> {
        let mut chunks = self.chunks.clone();
        hide(&mut chunks, ids);
        settle(&mut chunks, &self.schema)?;
        Ok(Self { schema: Arc::clone(&self.schema), chunks, written: self.written + ids.len() })
    }

    /// The schema with the columns of `rows` that are new.
    fn widened(&self, rows: &Rows) -> Result<SchemaRef, ColumnsError> {
        let mut fields = self.schema.fields().to_vec();
        for field in rows.schema.fields() {
            match self.schema.field_with_name(field.name()) {
                Err(_) => fields.push(Arc::clone(field)),
                Ok(known) if known.data_type() == field.data_type() => {}
                Ok(known) => {
                    return Err(ColumnsError::Type {
                        column: field.name().clone(),
                        found: kinds::name(field.data_type()),
                        expected: kinds::name(known.data_type()),
                    });
                }
            }
        }
        let same = fields.len() == self.schema.fields().len();
        Ok(if same { Arc::clone(&self.schema) } else { Arc::new(Schema::new(fields)) })
    }

    /// Each name is that of one item: of these `ids`, or of no other.
    fn check_names(&self, ids: &[u64], names: &LargeStringArray) -> Result<(), ColumnsError> {
        let mut seen = FxHashSet::default();
        for (&id, name) in ids.iter().zip(names) {
            let Some(name) = name else { continue };
            if !seen.insert(name) {
                return Err(ColumnsError::RepeatedName { name: name.to_owned() });
            }
            // An item that is changed with these has its new name from now on, or is the very one.
            match self.id_of(name) {
                Some(other) if ids.binary_search(&other).is_err() => {
                    return Err(ColumnsError::Taken { name: name.to_owned(), id, other });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The id of the item with this name.
    pub(crate) fn id_of(&self, name: &str) -> Option<u64> {
        self.chunks.iter().rev().find_map(|chunk| chunk.id_of(name))
    }

    /// The name of the item with this id.
    pub(crate) fn name_of(&self, id: u64) -> Option<&str> {
        let (chunk, row) = self.place(id)?;
        self.chunks[chunk].name_at(row)
    }

    /// The chunk that has the row of an id, and the row in it.
    fn place(&self, id: u64) -> Option<(usize, usize)> {
        let mut newest_first = self.chunks.iter().enumerate().rev();
        newest_first.find_map(|(at, chunk)| Some((at, chunk.find(id)?)))
    }

    /// Where the rows of `ids` are, or nowhere.
    fn places(&self, ids: &[u64]) -> Vec<Place> {
        ids.iter()
            .map(|&id| self.place(id).map_or(Place::NOWHERE, |(chunk, row)| Place::at(chunk, row)))
            .collect()
    }

    /// The names of `ids`, or `None` if none of them has one.
    pub(crate) fn names_of(&self, ids: &[u64]) -> Result<Option<LargeStringArray>, ColumnsError> {
        if self.named() == 0 { Ok(None) } else { gather_names(&self.chunks, &self.places(ids)) }
    }

    /// A row for each id in their order, null where nothing is known.
    pub(crate) fn take(&self, ids: &[u64]) -> Result<RecordBatch, ColumnsError> {
        let columns = self.gathered(&self.places(ids))?;
        let options = RecordBatchOptions::new().with_row_count(Some(ids.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    /// All that is known of the ids for which `alive` is true.
    pub(crate) fn all(&self, alive: impl Fn(u64) -> bool) -> Result<Rows, ColumnsError> {
        let (ids, places) = living(&self.chunks, alive);
        let names = gather_names(&self.chunks, &places)?;
        Ok(Rows { ids, names, schema: Arc::clone(&self.schema), columns: self.gathered(&places)? })
    }

    fn gathered(&self, places: &[Place]) -> Result<Vec<ArrayRef>, ColumnsError> {
        let fields = self.schema.fields().iter().enumerate();
        fields.map(|(column, field)| gather(&self.chunks, column, field.data_type(), places)).collect()
    }
}

/// The columns of `rows` in the order of the schema; `None` where all of one is null.
fn aligned(schema: &Schema, rows: &Rows) -> Vec<Option<ArrayRef>> {
    let of = |name: &str| {
        let (position, _) = rows.schema.column_with_name(name)?;
        Some(&rows.columns[position]).filter(|values| values.null_count() < values.len()).cloned()
    };
    schema.fields().iter().map(|field| of(field.name())).collect()
}

/// Hides the rows of these ids.
fn hide(chunks: &mut [Chunk], ids: &[u64]) {
    for &id in ids {
        // Newest first, as most changes are of what changed lately; one chunk at most has the row.
        for chunk in chunks.iter_mut().rev() {
            if let Some(row) = chunk.find(id) {
                chunk.hide(row);
                break;
            }
        }
    }
}

/// Puts chunks together until each has [`RATIO`] times as many rows as all behind it, and at most half of it is hidden.
///
/// A row is copied into a chunk half as large again as its own at least, so it is copied a logarithmic number of times; a
/// chunk that is half hidden is paid for by the changes that hid its rows.
fn settle(chunks: &mut Vec<Chunk>, schema: &Schema) -> Result<(), ColumnsError> {
    let mut behind: usize = chunks.iter().map(Chunk::live).sum();
    let first = chunks.iter().position(|chunk| {
        behind -= chunk.live();
        chunk.len() < RATIO * behind || chunk.live() * 2 < chunk.len()
    });
    let Some(first) = first else { return Ok(()) };
    let merged = chunks.split_off(first);
    let (ids, places) = living(&merged, |_| true);
    if ids.is_empty() {
        return Ok(());
    }
    let names = gather_names(&merged, &places)?;
    let some = |column: usize| merged.iter().any(|chunk| chunk.column(column).is_some());
    let fields = schema.fields().iter().enumerate();
    let columns = fields
        .map(|(column, field)| {
            some(column).then(|| gather(&merged, column, field.data_type(), &places)).transpose()
        })
        .collect::<Result<_, _>>()?;
    chunks.push(Chunk::new(Body::new(ids, names, columns)));
    Ok(())
}

/// The ids of the rows that are not hidden and for which `alive` is true, ascending, and where the rows are.
fn living(chunks: &[Chunk], alive: impl Fn(u64) -> bool) -> (Vec<u64>, Vec<Place>) {
    let mut living: Vec<(u64, Place)> = Vec::new();
    for (at, chunk) in chunks.iter().enumerate() {
        let rows = chunk.living().map(|(row, id)| (id, Place::at(at, row)));
        living.extend(rows.filter(|&(id, _)| alive(id)));
    }
    // A few ascending runs: the stable sort finds and merges them.
    living.sort_by_key(|&(id, _)| id);
    living.into_iter().unzip()
}
