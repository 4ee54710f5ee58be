//! The best nodes that a walk has met, and which of them it follows next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::keep::{estimate, key, number};

/// Keeps the best `width` of what it is shown, give or take those that came after the last clearing-up, and hands them out
/// closest first, each once.
///
/// Two structures, because one that does both, a sorted list, moves half of its entries for each that comes: that took a
/// quarter of a wide walk.
#[derive(Debug, Default)]
pub(super) struct Pool {
    width: usize,
    /// Estimate and number in one, in no order.
    kept: Vec<u64>,
    threshold: f32,
    /// Those that were not handed out yet, the best on top; some that are not kept any more among them.
    waiting: BinaryHeap<Reverse<u64>>,
}

impl Pool {
    /// Empties it.
    pub(super) fn start(&mut self, width: usize) {
        self.width = width.max(1);
        self.threshold = f32::INFINITY;
        self.kept.clear();
        self.waiting.clear();
    }

    /// Only better estimates are kept.
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Takes an estimate below the threshold.
    #[inline]
    pub(super) fn push(&mut self, estimate: f32, number: u32) {
        let key = key(estimate, number);
        self.kept.push(key);
        self.waiting.push(Reverse(key));
        // The threshold may be a little late: a few nodes more are followed, and a selection is paid for by several pushes.
        if self.kept.len() >= self.width + self.width / 16 + 8 {
            self.cut();
        }
    }

    /// The best of those kept that was not handed out yet; `None` when all were.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let Reverse(best) = self.waiting.pop()?;
        (estimate(best) <= self.threshold).then(|| number(best))
    }

    fn cut(&mut self) {
        if self.kept.len() > self.width {
            let (_, &mut worst, _) = self.kept.select_nth_unstable(self.width - 1);
            self.kept.truncate(self.width);
            self.threshold = estimate(worst);
        }
    }

    /// Brings what was kept into order, best first.
    pub(super) fn finish(&mut self) {
        self.cut();
        self.kept.sort_unstable();
    }

    /// What was kept: estimates and numbers.
    pub(super) fn kept(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.kept.iter().map(|&key| (estimate(key), number(key)))
    }
}
