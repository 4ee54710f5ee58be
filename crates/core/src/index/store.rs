//! The leaves of a version: laid out together, and those that changed since.

use std::ops::Range;
use std::sync::Arc;

use super::overlay::Overlay;
use super::space::Space;
use crate::file::{Slice, Values};
use crate::leaves::{Coded, Directory, Leaf, LeafView, Leaves};
use crate::quant::Codebook;
use crate::simd::{self, BLOCK};

/// Leaves laid out one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct LeafBase {
    /// Where each leaf begins, in blocks; one more than there are leaves.
    pub(super) starts: Values<u32>,
    pub(super) biases: Values<f32>,
    pub(super) slots: Values<u32>,
    pub(super) codes: Values<u8>,
}

/// All leaves of a version.
#[derive(Clone, Debug)]
pub(super) struct LeafStore {
    pub(super) codebook: Arc<Codebook>,
    pub(super) directory: Arc<Directory>,
    pub(super) base: LeafBase,
    pub(super) changed: Overlay<Leaf>,
    /// How many vectors there were when the codebook was trained.
    pub(super) trained: usize,
}

/// A version's leaves, to read many of them.
#[derive(Clone, Copy)]
pub(super) struct LeavesView<'a> {
    starts: &'a [u32],
    biases: Slice<'a, f32>,
    slots: Slice<'a, u32>,
    codes: Slice<'a, u8>,
    block_bytes: usize,
    changed: &'a Overlay<Leaf>,
}

impl Leaves for LeavesView<'_> {
    #[inline]
    fn leaf(&self, number: u32) -> LeafView<'_> {
        let number = number as usize;
        if let Some(leaf) = self.changed.get(number) {
            return leaf.view();
        }
        let (places, codes) = self.place(number);
        LeafView {
            biases: self.biases.part(places.clone()),
            slots: self.slots.part(places),
            codes: self.codes.part(codes),
        }
    }

    #[inline]
    fn slot(&self, number: u32, place: usize) -> u32 {
        let number = number as usize;
        match self.changed.get(number) {
            Some(leaf) => leaf.slots[place],
            None => {
                let at = self.place(number).0.start + place;
                self.slots.part(at..at + 1)[0]
            }
        }
    }

    #[inline]
    fn fetch(&self, number: u32, slots: bool) -> &[u8] {
        let number = number as usize;
        let (biases, numbers, codes) = match self.changed.get(number) {
            Some(leaf) => (&*leaf.biases, &*leaf.slots, &*leaf.codes),
            None => {
                let (places, codes) = self.place(number);
                let (biases, slots) = (self.biases.to_fetch(places.clone()), self.slots.to_fetch(places));
                (biases, slots, self.codes.to_fetch(codes))
            }
        };
        simd::prefetch_many(biases);
        if slots {
            simd::prefetch_many(numbers);
        }
        codes
    }
}

impl LeavesView<'_> {
    /// The places of a leaf that was laid out with the others, and the bytes of its codes.
    #[inline]
    fn place(&self, number: usize) -> (Range<usize>, Range<usize>) {
        let blocks = self.starts[number] as usize..self.starts[number + 1] as usize;
        let codes = blocks.start * self.block_bytes..blocks.end * self.block_bytes;
        (blocks.start * BLOCK..blocks.end * BLOCK, codes)
    }

    /// Places for vectors in the leaves that were laid out together.
    pub(super) fn places(&self) -> usize {
        self.biases.len()
    }
}

impl LeafStore {
    pub(super) fn view(&self) -> LeavesView<'_> {
        LeavesView {
            // Compared when the file was opened.
            starts: self.base.starts.slice().all(),
            biases: self.base.biases.slice(),
            slots: self.base.slots.slice(),
            codes: self.base.codes.slice(),
            block_bytes: self.codebook.block_bytes(),
            changed: &self.changed,
        }
    }

    pub(super) fn coded(&self, space: &Space) -> Coded<'_> {
        Coded {
            kernels: space.kernels,
            measure: space.measure(),
            codebook: &self.codebook,
            directory: &self.directory,
        }
    }

    /// How many leaves there are.
    pub(super) fn len(&self) -> usize {
        self.directory.len()
    }
}
