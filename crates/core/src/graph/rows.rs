//! Vectors in bytes, one behind the other, while a graph of them is built.

use super::node::Own;

/// The vectors of a graph, each as its node has it. Side by side they take an eighth of the memory that their nodes do, so more of
/// those that are close together are in the cache together.
#[derive(Debug)]
pub(crate) struct Rows {
    width: usize,
    bytes: Vec<i8>,
    /// How far each is from the centre of all, and what its bytes are worth.
    numbers: Vec<[f32; 3]>,
}

impl Rows {
    /// Room for so many vectors of so many bytes, and none yet.
    pub(crate) fn with_capacity(n: usize, width: usize) -> Self {
        Self { width, bytes: Vec::with_capacity(n * width), numbers: Vec::with_capacity(n) }
    }

    /// Bytes of a vector.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Puts a vector behind those that are there.
    pub(crate) fn push(&mut self, own: Own<'_>) {
        self.bytes.extend_from_slice(own.bytes);
        self.numbers.push([own.square, own.times, own.unit]);
    }

    /// Puts all vectors of others behind those that are there.
    pub(crate) fn append(&mut self, others: &Self) {
        self.bytes.extend_from_slice(&others.bytes);
        self.numbers.extend_from_slice(&others.numbers);
    }

    /// Vector number `i`.
    #[inline]
    pub(crate) fn own(&self, i: u32) -> Own<'_> {
        let [square, times, unit] = self.numbers[i as usize];
        Own { square, times, unit, bytes: &self.bytes[i as usize * self.width..][..self.width] }
    }
}
