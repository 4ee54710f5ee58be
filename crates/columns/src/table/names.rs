//! The names of a chunk's items, and the way back from a name to its row.

use std::fmt;
use std::hash::BuildHasher;

use arrow_array::{Array, LargeStringArray};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Names by row, and rows by name. The table has rows only, 6 to 12 bytes a name, and compares with the names
/// themselves.
pub(super) struct Names {
    values: LargeStringArray,
    rows: HashTable<u32>,
}

impl Names {
    /// Names of the rows of a chunk, null where there is none, each another one.
    pub(super) fn new(values: LargeStringArray) -> Self {
        let mut rows = HashTable::with_capacity(values.len() - values.null_count());
        for (row, name) in values.iter().enumerate() {
            if let Some(name) = name {
                let row = u32::try_from(row).expect("tables of more rows are refused");
                rows.insert_unique(hash(name), row, |&row| hash(values.value(row as usize)));
            }
        }
        Self { values, rows }
    }

    /// The names by row.
    pub(super) fn values(&self) -> &LargeStringArray {
        &self.values
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.values.get_array_memory_size() + self.rows.allocation_size()
    }

    /// The row of a name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let row = self.rows.find(hash(name), |&row| self.values.value(row as usize) == name)?;
        Some(*row as usize)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(f)
    }
}

fn hash(name: &str) -> u64 {
    FxBuildHasher.hash_one(name)
}
