//! True, false or neither, for many rows at once.

use std::ops::Not;

use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;

/// SQL's three values as two sets of rows; a row in neither is unknown. Logic is a few bit operations then.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    yes: BooleanBuffer,
    no: BooleanBuffer,
}

impl Truth {
    /// The same for all rows.
    pub(super) fn all(rows: usize, value: bool) -> Self {
        Self::exactly(if value { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) })
    }

    /// Unknown for all rows.
    pub(super) fn unknown(rows: usize) -> Self {
        Self { yes: BooleanBuffer::new_unset(rows), no: BooleanBuffer::new_unset(rows) }
    }

    /// True for these rows and false for the others.
    pub(super) fn exactly(yes: BooleanBuffer) -> Self {
        Self { no: !&yes, yes }
    }

    /// Unknown where the array is null.
    pub(super) fn of(array: &BooleanArray) -> Self {
        let values = array.values();
        match array.nulls() {
            None => Self::exactly(values.clone()),
            Some(valid) => Self { yes: values & valid.inner(), no: &!values & valid.inner() },
        }
    }

    /// The rows for which it is true.
    pub(super) fn yes(&self) -> &BooleanBuffer {
        &self.yes
    }

    /// The rows for which it is false.
    pub(super) fn no(&self) -> &BooleanBuffer {
        &self.no
    }

    /// True where both are, false where one is.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self { yes: &self.yes & &other.yes, no: &self.no | &other.no }
    }

    /// True where one is, false where both are.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self { yes: &self.yes | &other.yes, no: &self.no & &other.no }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}
