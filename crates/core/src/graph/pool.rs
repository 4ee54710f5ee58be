//! The best nodes that a walk has met, and which of them it follows next.

use crate::keep::{estimate, key, number};

/// Keeps the best `width` of what it is shown, and hands them out closest first, each once.
///
/// A sorted list: a walk shows it few nodes that are better than its last one, and most of these come near its end.
#[derive(Debug, Default)]
pub(super) struct Pool {
    width: usize,
    /// Estimates and numbers, best first; those that were handed out with the mark [`TAKEN`].
    keys: Vec<u64>,
    /// All before this one were handed out.
    next: usize,
}

/// The last bit of the estimate: two that differ in it alone are as good.
const TAKEN: u64 = 1 << u32::BITS;

impl Pool {
    /// Empties it.
    pub(super) fn start(&mut self, width: usize) {
        self.width = width.max(1);
        self.keys.clear();
        self.next = 0;
    }

    /// Lets it keep more from now on.
    pub(super) fn widen(&mut self, width: usize) {
        self.width = self.width.max(width);
    }

    /// Only better estimates are kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.keys.get(self.width - 1).map_or(f32::INFINITY, |&last| estimate(last))
    }

    /// Takes an estimate below the threshold. What has no place then, and was not handed out, is returned.
    #[inline]
    pub(super) fn push(&mut self, estimate: f32, number: u32) -> Option<u32> {
        let key = key(estimate, number) & !TAKEN;
        let place = self.keys.partition_point(|&other| other < key);
        if self.keys.len() == self.width {
            if place == self.width {
                return Some(number);
            }
            let last = self.width - 1;
            let out = self.keys[last];
            self.keys.copy_within(place..last, place + 1);
            self.keys[place] = key;
            self.next = self.next.min(place);
            (out & TAKEN == 0).then(|| self::number(out))
        } else {
            self.keys.insert(place, key);
            self.next = self.next.min(place);
            None
        }
    }

    /// The best of those kept that was not handed out yet, with its estimate; `None` when all were whose estimates are below `bound`.
    #[inline]
    pub(super) fn pop_below(&mut self, bound: f32) -> Option<(f32, u32)> {
        let ahead = self.keys.get_mut(self.next..)?;
        let found = ahead.iter().position(|key| key & TAKEN == 0);
        self.next += found.unwrap_or(ahead.len());
        let key = ahead.get_mut(found?)?;
        let best = (estimate(*key), number(*key));
        if best.0 >= bound {
            return None;
        }
        *key |= TAKEN;
        self.next += 1;
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn hands_out_the_best_of_those_that_came_each_once() {
        let mut pool = Pool::default();
        for (width, seed) in [(1, 1), (2, 2), (7, 3), (64, 4), (500, 5)] {
            pool.start(width);
            // The naive one: those kept, and whether they were handed out.
            let mut kept: Vec<(f32, u32, bool)> = Vec::new();
            for number in 0..300 {
                let estimate = ((number * 7919 + seed) % 1009) as f32 - 500.0;
                if estimate < pool.threshold() {
                    let out = pool.push(estimate, number);
                    kept.push((estimate, number, false));
                    kept.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                    let wanted = kept.get(width).filter(|one| !one.2).map(|one| one.1);
                    assert_eq!(out, wanted, "width {width}");
                    kept.truncate(width);
                }
                assert_eq!(pool.threshold() < f32::INFINITY, kept.len() == width);
                if number % 3 == 0 {
                    let bound = if number % 2 == 0 { f32::INFINITY } else { 0.0 };
                    let next = kept.iter_mut().find(|one| !one.2).filter(|one| one.0 < bound);
                    let wanted = next.map(|one| {
                        one.2 = true;
                        one.1
                    });
                    assert_eq!(pool.pop_below(bound).map(|best| best.1), wanted, "width {width}");
                }
            }
        }
    }
}
