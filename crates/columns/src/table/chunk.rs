//! Rows that never change, and which of them are hidden.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, LargeStringArray};
use arrow_buffer::BooleanBuffer;

use super::hidden::Hidden;
use super::names::Names;

/// Rows in ascending order of their ids, less those that later changes superseded. Cloning it costs a few words.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    body: Arc<Body>,
    hidden: Hidden,
    /// How many rows with a name are not hidden.
    named: usize,
}

/// The rows themselves.
#[derive(Debug)]
pub(super) struct Body {
    /// Ascending, each once; there is one at least.
    ids: Vec<u64>,
    names: Option<Names>,
    /// By position in the table's schema; `None`, or beyond the end, where all of a column is null.
    columns: Vec<Option<ArrayRef>>,
}

impl Body {
    pub(super) fn new(
        ids: Vec<u64>,
        names: Option<LargeStringArray>,
        columns: Vec<Option<ArrayRef>>,
    ) -> Self {
        Self { ids, names: names.map(Names::new), columns }
    }

    /// The row of an id, hidden or not.
    fn find(&self, id: u64) -> Option<usize> {
        let (first, last) = (self.ids[0], self.ids[self.ids.len() - 1]);
        if id < first || id > last {
            return None;
        }
        // Ids without gaps, as items are numbered when their ids are not given.
        if last - first == self.ids.len() as u64 - 1 {
            return Some((id - first) as usize);
        }
        self.ids.binary_search(&id).ok()
    }
}

impl Chunk {
    pub(super) fn new(body: Body) -> Self {
        let named = body.names.as_ref().map_or(0, Names::count);
        Self { body: Arc::new(body), hidden: Hidden::default(), named }
    }

    /// All rows, hidden ones included.
    pub(crate) fn len(&self) -> usize {
        self.body.ids.len()
    }

    /// Rows that are not hidden.
    pub(super) fn live(&self) -> usize {
        self.len() - self.hidden.count()
    }

    /// Of these, the rows with a name.
    pub(super) fn named(&self) -> usize {
        self.named
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        let columns: usize =
            self.body.columns.iter().flatten().map(|values| values.get_array_memory_size()).sum();
        let names = self.body.names.as_ref().map_or(0, Names::bytes);
        self.len() * size_of::<u64>() + columns + names + self.hidden.bytes()
    }

    /// The row of an id, if it is here and not hidden.
    pub(super) fn find(&self, id: u64) -> Option<usize> {
        self.body.find(id).filter(|&row| !self.hidden.contains(row))
    }

    /// Hides a row that is not hidden.
    pub(super) fn hide(&mut self, row: usize) {
        self.named -= usize::from(self.name_at(row).is_some());
        self.hidden.insert(row);
    }

    /// The values of a column, by its position in the table's schema; `None` where all are null.
    pub(super) fn column(&self, position: usize) -> Option<&ArrayRef> {
        self.columns().get(position).and_then(Option::as_ref)
    }

    /// The values of all columns, by position in the table's schema: `None`, or beyond the end, where all are null.
    pub(crate) fn columns(&self) -> &[Option<ArrayRef>] {
        &self.body.columns
    }

    /// The names of the rows, if any has one.
    pub(super) fn names(&self) -> Option<&LargeStringArray> {
        self.body.names.as_ref().map(Names::values)
    }

    /// The name of the item at a row.
    pub(super) fn name_at(&self, row: usize) -> Option<&str> {
        self.names().filter(|names| names.is_valid(row)).map(|names| names.value(row))
    }

    /// The id of the item with this name, if it is here and not hidden.
    pub(super) fn id_of(&self, name: &str) -> Option<u64> {
        let row = self.body.names.as_ref()?.find(name)?;
        (!self.hidden.contains(row)).then(|| self.body.ids[row])
    }

    /// The rows that are not hidden, with their ids.
    pub(super) fn living(&self) -> impl Iterator<Item = (usize, u64)> {
        let rows = self.body.ids.iter().copied().enumerate();
        rows.filter(|&(row, _)| !self.hidden.contains(row))
    }

    /// The ids of those of the chosen rows that are not hidden.
    pub(crate) fn ids(&self, chosen: &BooleanBuffer) -> impl Iterator<Item = u64> {
        let rows = chosen.set_indices().filter(|&row| !self.hidden.contains(row));
        rows.map(|row| self.body.ids[row])
    }
}
