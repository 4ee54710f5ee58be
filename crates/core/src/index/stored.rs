//! The vectors of a version, as points: what leaves and a graph are made of.

use super::slots::SlotsView;
use super::space::Space;
use crate::graph::{Collection, Source};

/// The vectors in the slots of a version.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) space: &'a Space,
    pub(super) slots: SlotsView<'a>,
}

impl Source for Stored<'_> {
    fn push_point(&self, slot: u32, points: &mut Vec<f32>) {
        self.space.push_point(self.slots.row(slot), points);
    }

    fn prefetch(&self, slot: u32) {
        self.slots.fetch_row(slot);
    }
}

impl Stored<'_> {
    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len
    }

    pub(super) fn collection(&self) -> Collection<'_> {
        Collection { kernels: self.space.kernels, dim: self.space.dim, source: self }
    }

    /// The points of some slots, one behind the other.
    pub(super) fn points(&self, slots: &[u32]) -> Vec<f32> {
        self.collection().points(slots)
    }
}
