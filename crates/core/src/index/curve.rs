//! How much effort a recall takes.

use std::sync::Arc;

/// Neighbours that the effort was measured for.
pub(super) const K: usize = 10;
/// What is asked for more than the recall that is wanted: the curve is measured with few vectors.
const MARGIN: f32 = 0.005;

/// Candidates where nothing was measured.
const UNMEASURED: usize = 1024;

/// An effort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Depth {
    /// How many leaves are looked into.
    pub(super) leaves: usize,
    /// How many nodes a walk keeps; 0 where there is none.
    pub(super) width: usize,
    /// How many candidates are compared exactly.
    pub(super) candidates: usize,
}

/// The effort that was cheapest for a recall.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) recall: f32,
    pub(super) depth: Depth,
}

/// Efforts in ascending order, for [`K`] neighbours.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve {
    pub(super) points: Arc<Vec<Point>>,
}

impl Curve {
    /// How far to look for `k` neighbours with this recall, where there are so many leaves.
    pub(super) fn at_recall(&self, recall: f32, k: usize, leaves: usize) -> Depth {
        let wanted = recall + MARGIN.min((1.0 - recall) / 2.0);
        let points = &self.points;
        let depth = match points.iter().position(|point| point.recall >= wanted) {
            Some(0) => points[0].depth,
            Some(i) => {
                let (low, high) = (points[i - 1], points[i]);
                // The share that is missed falls about like a power of the effort.
                let miss = |recall: f32| (1.0 - recall).max(1e-4).ln();
                let share =
                    (miss(low.recall) - miss(wanted)) / (miss(low.recall) - miss(high.recall)).max(1e-6);
                between(low.depth, high.depth, f64::from(share))
            }
            None => {
                let most = points.last().map(|point| point.depth);
                let twice = |pick: fn(Depth) -> usize, none| most.map_or(none, |most| 2 * pick(most));
                Depth {
                    // A walk does not get better by beginning everywhere.
                    leaves: match most {
                        Some(most) if most.width > 0 => most.leaves,
                        _ => leaves,
                    },
                    width: twice(|most| most.width, 0),
                    candidates: twice(|most| most.candidates, UNMEASURED),
                }
            }
        };
        for_k(depth, k)
    }

    /// How many times as many leaves a recall of 0.99, or the highest that was reached, takes as one of 0.9; 0 when not even
    /// that was.
    pub(super) fn tail(&self) -> f64 {
        let at = |recall: f32| self.points.iter().find(|point| point.recall >= recall);
        match (at(0.9), at(0.99).or(self.points.last())) {
            (Some(low), Some(high)) => high.depth.leaves as f64 / low.depth.leaves as f64,
            _ => 0.0,
        }
    }

    /// How far to look when `ef` candidates are kept.
    pub(super) fn at_ef(&self, ef: usize, k: usize) -> Depth {
        let ef = ef.max(k).max(1);
        let points = &self.points;
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Depth { leaves: ef, width: 0, candidates: ef };
        };
        let scaled = |depth: Depth| {
            let share = |part: usize| part.saturating_mul(ef).div_ceil(depth.candidates);
            Depth { leaves: share(depth.leaves), width: share(depth.width), candidates: ef }
        };
        let depth = match points.iter().position(|point| point.depth.candidates >= ef) {
            Some(0) => scaled(first.depth),
            Some(i) => {
                let (low, high) = (points[i - 1].depth, points[i].depth);
                let place = |x: usize| (x as f64).ln();
                let share =
                    (place(ef) - place(low.candidates)) / (place(high.candidates) - place(low.candidates));
                between(low, high, share)
            }
            None => scaled(last.depth),
        };
        let width = if depth.width == 0 { 0 } else { depth.width.max(ef) };
        Depth { leaves: depth.leaves.max(1), width, candidates: ef }
    }
}

/// The curve is for [`K`] neighbours; more of them lie in more leaves.
fn for_k(depth: Depth, k: usize) -> Depth {
    let share = k.max(1) as f64 / K as f64;
    // A narrower walk may lose its way.
    let share = if depth.width == 0 { share } else { share.max(1.0) };
    let times = |part: usize| (part as f64 * share).ceil() as usize;
    let candidates = times(depth.candidates).max(k);
    Depth {
        leaves: (depth.leaves as f64 * share.sqrt()).ceil().max(1.0) as usize,
        width: if depth.width == 0 { 0 } else { times(depth.width).max(candidates) },
        candidates,
    }
}

fn between(low: Depth, high: Depth, share: f64) -> Depth {
    let mix = |pick: fn(Depth) -> usize| {
        let end = |depth: Depth| (pick(depth).max(1) as f64).ln();
        (end(low) * (1.0 - share) + end(high) * share).exp().round() as usize
    };
    let width = if high.width == 0 { 0 } else { mix(|depth| depth.width) };
    Depth { leaves: mix(|depth| depth.leaves), width, candidates: mix(|depth| depth.candidates) }
}
