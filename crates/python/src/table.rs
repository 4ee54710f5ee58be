//! Padded NumPy tables of what many queries found.

use numpy::{Element, PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use crate::arrays;

/// A row of answers for each query, while it is filled.
pub(crate) struct Table<T> {
    width: usize,
    cells: Vec<T>,
}

impl<T: Element + Copy> Table<T> {
    /// Padding everywhere; `MemoryError` where `Vec` would end the process.
    pub(crate) fn new(rows: usize, width: usize, padding: T) -> PyResult<Self> {
        let n = rows.saturating_mul(width);
        let mut cells = arrays::room(n)?;
        cells.resize(n, padding);
        Ok(Self { width, cells })
    }

    /// Writes as many of the values as the row has columns.
    pub(crate) fn fill(&mut self, row: usize, values: impl Iterator<Item = T>) {
        let cells = &mut self.cells[row * self.width..][..self.width];
        for (cell, value) in cells.iter_mut().zip(values) {
            *cell = value;
        }
    }

    /// The NumPy array (rows, width) that owns the cells.
    pub(crate) fn into_array<'py>(self, py: Python<'py>, rows: usize) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyArray1::from_vec(py, self.cells).reshape([rows, self.width])?.into_any())
    }
}
