//! The best nodes that a walk has met, and which of them it follows next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::keep::{Keep, estimate, key, number};

/// Keeps the best `width` of what it is shown, give or take those that came after the last clearing-up, and hands them out
/// closest first, each once.
///
/// Two structures, because one that does both, a sorted list, moves half of its entries for each that comes: that took a
/// quarter of a wide walk.
#[derive(Debug, Default)]
pub(super) struct Pool {
    keep: Keep,
    /// Those that were not handed out yet, the best on top; some that are not kept any more among them.
    waiting: BinaryHeap<Reverse<u64>>,
}

impl Pool {
    /// Empties it.
    pub(super) fn start(&mut self, width: usize) {
        let width = width.max(1);
        // A late threshold is a few nodes more to follow; a selection is paid for by several pushes.
        self.keep.start(width, width / 16 + 8);
        self.waiting.clear();
    }

    /// Only better estimates are kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.keep.threshold()
    }

    /// Takes an estimate below the threshold.
    #[inline]
    pub(super) fn push(&mut self, estimate: f32, number: u32) {
        self.keep.push(estimate, number);
        self.waiting.push(Reverse(key(estimate, number)));
        self.keep.tidy();
    }

    /// The best of those kept that was not handed out yet; `None` when all were.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let Reverse(best) = self.waiting.pop()?;
        (estimate(best) <= self.threshold()).then(|| number(best))
    }

    /// Brings what was kept into order, best first.
    pub(super) fn finish(&mut self) {
        self.keep.finish().sort_unstable();
    }

    /// What was kept: estimates and numbers.
    pub(super) fn kept(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.keep.kept()
    }
}
