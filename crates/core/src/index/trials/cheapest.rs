//! The cheapest effort for each recall.

use crate::index::curve::{Curve, Depth, Point};

/// Recalls for which the cheapest effort is sought.
const TARGETS: [f32; 14] =
    [0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999];
/// Recalls for which it is to pay that searches end early, or go through a graph.
const TO_PAY_AT: [f32; 3] = [0.9, 0.95, 0.99];

/// What costs so many times as much as the highest of them does not.
const HOPELESS: f64 = 2.0;

/// What an effort has that is not said; a walk looks into no leaf.
pub(super) const NO_DEPTH: Depth = Depth { leaves: 1, width: 0, limit: 0.0, candidates: 0 };

/// A curve, and what each of its points costs: nanoseconds, about.
pub(in crate::index) struct Measured {
    pub(in crate::index) curve: Curve,
    costs: Vec<f64>,
    /// How many times as many leaves a recall of 0.99 takes as one of 0.9, or all that were tried where it was not reached; 0 when
    /// not even 0.9 was.
    pub(in crate::index) tail: f64,
}

impl Measured {
    /// What it costs to reach `recall`; infinite beyond what was reached.
    fn cost(&self, recall: f32) -> f64 {
        let at = self.curve.points.iter().position(|point| point.recall >= recall);
        at.map_or(f64::INFINITY, |i| self.costs[i])
    }

    /// How far searches go with this recall, or the highest that was reached.
    pub(in crate::index) fn at(&self, recall: f32) -> Depth {
        let points = &self.curve.points;
        let point = points.iter().find(|point| point.recall >= recall).or(points.last());
        point.map_or(NO_DEPTH, |point| point.depth)
    }

    /// This, of searches that end early by such a slope, if it is cheaper than `even`.
    pub(super) fn instead_of(mut self, even: &Self, slope: f32) -> Option<Self> {
        (self.curve.slope, self.tail) = (slope, even.tail);
        (self.share_of(even) < 1.0).then_some(self)
    }

    /// What costs more, instead, is no better at any of the recalls that are compared.
    pub(in crate::index) fn hopeless(&self) -> f64 {
        HOPELESS * TO_PAY_AT.map(|recall| self.cost(recall)).into_iter().fold(0.0, f64::max)
    }

    /// What it costs, as a share of what another one does: the geometric mean over some recalls. Nothing where only the other one
    /// does not reach one of them.
    pub(in crate::index) fn share_of(&self, other: &Self) -> f64 {
        let logs = TO_PAY_AT.map(|recall| (self.cost(recall) / other.cost(recall)).ln());
        // No number where neither reaches a recall.
        (logs.into_iter().filter(|log| !log.is_nan()).sum::<f64>() / TO_PAY_AT.len() as f64).exp()
    }
}

/// The cheapest effort for each target.
#[derive(Default)]
pub(super) struct Cheapest([Option<(f64, Point)>; TARGETS.len()]);

impl Cheapest {
    /// Takes into account an effort with which the neighbours of all queries, `wanted` of them, were found at `depths`; so
    /// many candidates at `least` are compared exactly.
    pub(super) fn offer(
        &mut self,
        mut depths: Vec<usize>,
        wanted: usize,
        least: usize,
        cost: impl Fn(usize) -> f64,
        depth: Depth,
    ) {
        depths.sort_unstable();
        for (target, cheapest) in TARGETS.iter().zip(&mut self.0) {
            let needed = (f64::from(*target) * wanted as f64).ceil() as usize;
            let Some(&deep) = depths.get(needed.max(1) - 1) else { continue };
            let candidates = deep.max(least);
            let cost = cost(candidates);
            if cheapest.as_ref().is_none_or(|(least, _)| cost < *least) {
                *cheapest = Some((cost, Point { recall: *target, depth: Depth { candidates, ..depth } }));
            }
        }
    }

    /// [`Measured::tail`] when up to so many leaves were tried.
    pub(super) fn tail(&self, tried: usize) -> f64 {
        let leaves = |recall: f32| {
            let (_, point) = self.0.iter().flatten().find(|(_, point)| point.recall >= recall)?;
            Some(point.depth.leaves)
        };
        leaves(0.9).map_or(0.0, |low| leaves(0.99).unwrap_or(tried) as f64 / low as f64)
    }

    /// Whether the highest target was reached.
    pub(super) fn is_complete(&self) -> bool {
        self.0.last().is_some_and(Option::is_some)
    }

    pub(super) fn measured(self) -> Measured {
        let (mut points, mut costs): (Vec<Point>, Vec<f64>) = (Vec::new(), Vec::new());
        for (cost, mut point) in self.0.into_iter().flatten() {
            if let Some(Point { depth: last, .. }) = points.last() {
                let depth = &mut point.depth;
                depth.leaves = depth.leaves.max(last.leaves);
                depth.limit = depth.limit.max(last.limit);
                depth.width = depth.width.max(last.width);
                depth.candidates = depth.candidates.max(last.candidates);
            }
            points.push(point);
            costs.push(cost);
        }
        Measured { curve: Curve { points: points.into(), ..Curve::default() }, costs, tail: 0.0 }
    }
}
