//! How far away a node may be that a walk still follows.

use crate::early::Early;

/// So many nodes are followed in any case.
pub(crate) const NARROW: usize = 16;
/// Of the squared distance of a query from the centre, the share below which distances count as this.
const LEAST: f32 = 1e-6;

/// What a walk that may end early knows of the nodes that it followed.
///
/// A node is farther away than another by the logarithm of the ratio of their squared distances from the query: its own by its
/// estimate, and that of the other by its bytes.
#[derive(Debug, Default)]
pub(super) struct Bound {
    early: Option<Early>,
    /// The query's squared distance from the centre: what estimates lack of squared distances.
    square: f32,
    /// The estimates of the closest nodes, in order.
    nearest: Vec<f32>,
    /// The squared distance of the last of them, once there are as many as count.
    near: Option<f32>,
}

impl Bound {
    /// Forgets all; `square` is asked for the query's squared distance from the centre if the walk may end early.
    pub(super) fn start(&mut self, early: Option<Early>, square: impl Fn() -> f32) {
        self.early = early;
        self.square = if early.is_some() { square() } else { 0.0 };
        self.nearest.clear();
        self.near = None;
    }

    /// Takes a node that was followed.
    #[inline]
    pub(super) fn meet(&mut self, estimate: f32) {
        let Some(Early { nth, .. }) = self.early else { return };
        if self.nearest.len() == nth && self.nearest.last().is_none_or(|&last| estimate >= last) {
            return;
        }
        self.nearest.insert(self.nearest.partition_point(|&other| other <= estimate), estimate);
        self.nearest.truncate(nth);
        if self.nearest.len() == nth {
            self.near = self.nearest.last().map(|&last| self.apart(last));
        }
    }

    /// Lets a node weigh so much from now on, if the walk may end early.
    pub(super) fn limit(&mut self, limit: f32) {
        self.early = self.early.map(|early| Early { limit, ..early });
    }

    /// The estimate from which on a node is too far away to be followed behind `before` others; `None` while there is no telling.
    #[inline]
    pub(super) fn behind(&self, before: usize) -> Option<f32> {
        let (early, near) = self.early.zip(self.near).filter(|_| before >= NARROW)?;
        Some(near * early.reach(before).exp() - self.square)
    }

    /// How much farther away a node behind `before` others is; no number while there is no telling.
    pub(super) fn farther(&self, before: usize, estimate: f32) -> f32 {
        let near = self.near.filter(|_| before >= NARROW);
        near.map_or(f32::NAN, |near| (self.apart(estimate) / near).ln())
    }

    /// The squared distance of a node.
    fn apart(&self, estimate: f32) -> f32 {
        (estimate + self.square).max(LEAST * self.square).max(f32::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, NARROW};
    use crate::early::Early;
    use crate::random::Random;

    #[test]
    fn what_lies_within_the_bound_weighs_no_more_than_the_limit() {
        let random = &mut Random::new(1, 2);
        let mut bound = Bound::default();
        for slope in [0.5, 4.0, 32.0] {
            let early = Early { slope, limit: 5.0, nth: 10 };
            bound.start(Some(early), || 2.0);
            let mut met = Vec::new();
            for before in 0..200 {
                let estimate = random.symmetric(); // squared distances from 1 to 3
                let told = bound.behind(before);
                assert_eq!(
                    (told.is_some(), bound.farther(before, estimate).is_nan()),
                    (before >= NARROW, before < NARROW)
                );
                if let Some(told) = told {
                    let weight = Early::weight(slope, before, bound.farther(before, estimate));
                    let close = (weight - early.limit).abs() < 1e-3;
                    assert!(
                        close || (weight < early.limit) == (estimate < told),
                        "{weight}, {estimate}, {told}"
                    );
                    met.sort_unstable_by(f32::total_cmp);
                    let ratio = (estimate + 2.0) / (met[9] + 2.0);
                    assert!((bound.farther(before, estimate) - ratio.ln()).abs() < 1e-5);
                }
                bound.meet(estimate);
                met.push(estimate);
            }
        }
    }

    #[test]
    fn a_walk_that_may_not_end_early_has_none() {
        let mut bound = Bound::default();
        bound.start(None, || unreachable!("nobody asks"));
        (0..50).for_each(|i| bound.meet(i as f32));
        assert_eq!(bound.behind(50), None);
    }

    #[test]
    fn of_vectors_that_equal_the_query_only_such_are_followed() {
        let mut bound = Bound::default();
        bound.start(Some(Early { slope: 4.0, limit: 3.0, nth: 2 }), || 1.0);
        bound.meet(-1.0);
        bound.meet(-1.0);
        let told = bound.behind(NARROW);
        assert!(told.is_some_and(|told| told > -1.0 && told < -0.999), "{told:?}");
    }
}
