//! The leaves of a version: laid out together, and those that changed since.

use std::sync::Arc;

use super::overlay::Overlay;
use super::space::Space;
use crate::file::Values;
use crate::leaves::{Coded, Directory, Leaf, LeafView, Leaves};
use crate::quant::Codebook;
use crate::simd::BLOCK;

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
    biases: &'a [f32],
    slots: &'a [u32],
    codes: &'a [u8],
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
        let blocks = self.starts[number] as usize..self.starts[number + 1] as usize;
        let places = blocks.start * BLOCK..blocks.end * BLOCK;
        LeafView {
            biases: &self.biases[places.clone()],
            slots: &self.slots[places],
            codes: &self.codes[blocks.start * self.block_bytes..blocks.end * self.block_bytes],
        }
    }
}

impl LeavesView<'_> {
    /// Places for vectors in the leaves that were laid out together.
    pub(super) fn places(&self) -> usize {
        self.biases.len()
    }
}

impl LeafStore {
    pub(super) fn view(&self) -> LeavesView<'_> {
        LeavesView {
            starts: self.base.starts.as_slice(),
            biases: self.base.biases.as_slice(),
            slots: self.base.slots.as_slice(),
            codes: self.base.codes.as_slice(),
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
