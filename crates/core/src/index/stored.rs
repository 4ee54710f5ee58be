//! The vectors of a version, as points: what leaves and a graph are made of.

use super::slots::SlotsView;
use super::space::Space;
use crate::graph::{Collection, Source};
use crate::kmeans::Points;
use crate::parallel;

/// Vectors that a thread takes at a time.
const BLOCK: usize = 256;

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

    /// What `make` makes of the first slot, the second one and so on with their points, some at a time, on `threads` threads;
    /// `start` makes a thread's buffers.
    pub(super) fn map_points<B, T: Send>(
        &self,
        threads: usize,
        start: impl Fn() -> B + Sync,
        make: impl Fn(&mut B, &[u32], Points<'_>) -> Vec<T> + Sync,
    ) -> Vec<T> {
        let n = self.len();
        let parts = parallel::map_with(threads, n.div_ceil(BLOCK), start, |buffers, block| {
            let some: Vec<u32> = (block * BLOCK..((block + 1) * BLOCK).min(n)).map(|i| i as u32).collect();
            let points = self.points(&some);
            make(buffers, &some, Points { values: &points, dim: self.space.dim })
        });
        parts.into_iter().flatten().collect()
    }
}
