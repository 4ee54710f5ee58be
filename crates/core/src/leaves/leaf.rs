//! The packed codes of one leaf.

use crate::kmeans::Points;
use crate::quant::{Codebook, Measure};
use crate::simd::{BLOCK, Kernels};

/// The vectors of a leaf, in blocks of [`BLOCK`] places; a place without a vector has a bias of infinity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaf {
    pub(crate) biases: Vec<f32>,
    pub(crate) slots: Vec<u32>,
    pub(crate) codes: Vec<u8>,
}

/// A leaf, wherever it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafView<'a> {
    /// What an estimate needs beside the sum of the table's addends; infinity where there is no vector.
    pub(crate) biases: &'a [f32],
    /// Which vector it is.
    pub(crate) slots: &'a [u32],
    /// Blocks of 4-bit codes, as the kernels want them.
    pub(crate) codes: &'a [u8],
}

impl LeafView<'_> {
    pub(crate) fn to_leaf(self) -> Leaf {
        Leaf { biases: self.biases.to_vec(), slots: self.slots.to_vec(), codes: self.codes.to_vec() }
    }

    /// The vectors in the leaf, place by place.
    pub(crate) fn members(self) -> impl Iterator<Item = u32> {
        self.biases.iter().zip(self.slots).filter(|(bias, _)| **bias < f32::INFINITY).map(|(_, &slot)| slot)
    }
}

impl Leaf {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        (size_of_val(&*self.biases) + size_of_val(&*self.slots) + self.codes.len()) as u64
    }

    pub(crate) fn view(&self) -> LeafView<'_> {
        LeafView { biases: &self.biases, slots: &self.slots, codes: &self.codes }
    }

    /// One that holds `points`, the vectors `slots`, as [`insert`](Self::insert) codes them.
    pub(crate) fn of(
        kernels: &Kernels,
        codebook: &Codebook,
        measure: Measure,
        centre: (&[f32], f32),
        points: Points<'_>,
        slots: &[u32],
    ) -> Self {
        let mut leaf = Self::default();
        leaf.insert(kernels, codebook, measure, centre, points, slots);
        leaf
    }

    /// Puts in `points`, the vectors `slots`, coded as what they lack from `centroid` in units of `scale`; first where there
    /// are gaps. Returns the place of the last one.
    pub(crate) fn insert(
        &mut self,
        kernels: &Kernels,
        codebook: &Codebook,
        measure: Measure,
        (centroid, scale): (&[f32], f32),
        points: Points<'_>,
        slots: &[u32],
    ) -> usize {
        let mut gap = 0;
        codebook.encode(kernels, measure, points, (centroid, scale), |i, codes, bias| {
            while gap < self.biases.len() && self.biases[gap] < f32::INFINITY {
                gap += 1;
            }
            if gap == self.biases.len() {
                self.biases.resize(gap + BLOCK, f32::INFINITY);
                self.slots.resize(gap + BLOCK, 0);
                self.codes.resize(self.codes.len() + codebook.block_bytes(), 0);
            }
            (self.biases[gap], self.slots[gap]) = (bias, slots[i]);
            let block = &mut self.codes[gap / BLOCK * codebook.block_bytes()..][..codebook.block_bytes()];
            let (byte, shift) = (gap % (BLOCK / 2), gap % BLOCK / (BLOCK / 2) * 4);
            for (bytes, &code) in block.as_chunks_mut::<{ BLOCK / 2 }>().0.iter_mut().zip(codes) {
                bytes[byte] = bytes[byte] & !(15 << shift) | code << shift;
            }
        });
        gap
    }

    /// Takes vectors out.
    pub(crate) fn remove(&mut self, gone: impl Fn(u32) -> bool) {
        for (bias, &slot) in self.biases.iter_mut().zip(&self.slots) {
            if *bias < f32::INFINITY && gone(slot) {
                *bias = f32::INFINITY;
            }
        }
    }
}

/// The unit in which vectors are coded whose squared distance from their centroid is `spread`, in the mean.
pub(crate) fn scale_of(spread: f32) -> f32 {
    let scale = spread.sqrt();
    if scale.is_normal() { scale } else { 1.0 }
}
