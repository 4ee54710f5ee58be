//! How much effort a recall takes.

use std::sync::Arc;

use crate::early::Early;
use crate::filtered::Reach;

/// Neighbours that the effort was measured for.
pub(super) const K: usize = 10;
/// What is asked for more than the recall that is wanted, and at most a tenth of what may be missed: the curve is measured with
/// few vectors, and near 1 a little more recall costs much.
const MARGIN: f32 = 0.005;

/// Candidates where nothing was measured.
const UNMEASURED: usize = 1024;

/// An effort.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Depth {
    /// How many leaves are looked into, if as many are for each query.
    pub(super) leaves: usize,
    /// How many nodes a walk keeps, if as many for each query; 0 where there is none.
    pub(super) width: usize,
    /// What a leaf or a node may weigh at most, if more is looked at for some queries than for others ([`Early`]).
    pub(super) limit: f32,
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
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) points: Arc<Vec<Point>>,
    /// How many times as much it takes under filters that let the shares [`SPARSE`] pass.
    pub(super) sparse: [More; SPARSE.len()],
    /// By which slope leaves or nodes weigh more the farther away they are ([`Early`]); 0 where as much is looked at for each query.
    pub(super) slope: f32,
}

/// The shares of the vectors, let pass by a filter, for which more effort is measured.
pub(super) const SPARSE: [f64; 3] = [0.5, 0.25, 0.1];
/// With which powers of 1 / share leaves and nodes grow below the last of these: fewer and fewer of what passes lie in each leaf, and of
/// nodes as many more are met as pass.
const GROWTH_BELOW: [f64; 2] = [0.6, 1.0];
/// With which powers of the number of neighbours leaves and candidates grow, for fewer than [`K`] and for more. Measured on
/// word vectors, pictures and random vectors.
const GROWTH_TO_K: [f64; 2] = [0.15, 0.3];
const GROWTH_FROM_K: [f64; 2] = [0.4, 0.9];
/// From one point of a curve to the next, `ef` grows by this at least: where a recall takes more leaves and hardly more
/// candidates, a small step of `ef` would be a large one of effort.
const EF_STEP: f64 = 1.12;
/// So many times as much.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct More {
    /// Of leaves, or of the width of a walk.
    pub(super) far: f32,
    pub(super) candidates: f32,
    /// What comes to [`Depth::limit`].
    pub(super) limit: f32,
}

impl More {
    /// As much as without a filter.
    pub(super) const NONE: Self = Self { far: 1.0, candidates: 1.0, limit: 0.0 };
}

impl Default for Curve {
    /// One without points; leaves grow as where nothing was measured.
    fn default() -> Self {
        let sparse = SPARSE.map(|share| {
            let far = (1.0 / share).sqrt() as f32;
            More { far, candidates: 1.0, limit: far.ln() }
        });
        Self { points: Arc::default(), sparse, slope: 0.0 }
    }
}

/// Which of the vectors in leaves stands for the last of `k` neighbours; many are there twice.
pub(super) fn nth_of_leaves(k: usize) -> usize {
    k.max(K) * 8 / 5
}

impl Curve {
    /// The recall and the effort of each value of `ef` that the curve has a point for, in ascending order.
    pub(super) fn efs(&self) -> impl Iterator<Item = (usize, Point)> {
        self.points.iter().scan(0, |last: &mut usize, &point| {
            let Depth { width, candidates, .. } = point.depth;
            let own = if width > 0 { width } else { candidates };
            *last = own.max((*last as f64 * EF_STEP).ceil() as usize);
            Some((*last, point))
        })
    }

    /// How many times as much it takes when a filter lets this share pass.
    pub(super) fn at_share(&self, share: f64) -> More {
        let mut before = (1.0, More::NONE);
        for (at, more) in SPARSE.into_iter().zip(self.sparse) {
            if share >= at {
                // Between two shares both grow like powers of 1 / share.
                let part = ((before.0 / share).ln() / (before.0 / at).ln()) as f32;
                let mix = |pick: fn(More) -> f32| pick(before.1) * (pick(more) / pick(before.1)).powf(part);
                let limit = before.1.limit + part * (more.limit - before.1.limit);
                return More { far: mix(|more| more.far), candidates: mix(|more| more.candidates), limit };
            }
            before = (at, more);
        }
        let (at, last) = before;
        let walks = self.points.first().is_some_and(|point| point.depth.width > 0);
        let [leaves, nodes] = GROWTH_BELOW;
        let grown = (at / share).powf(if walks { nodes } else { leaves }) as f32;
        More { far: last.far * grown, limit: last.limit + grown.ln(), ..last }
    }

    /// How far a search goes that goes so far without a filter, when one lets this share pass.
    pub(super) fn reach(&self, far: usize, limit: f32, share: f64) -> Reach {
        let more = self.at_share(share);
        Reach { far: (far as f32 * more.far).ceil() as usize, limit: limit + more.limit }
    }

    /// When a search for `k` neighbours ends that need not go as far for each query.
    pub(super) fn early(&self, depth: Depth, k: usize) -> Option<Early> {
        let (slope, limit) = (self.slope, depth.limit);
        let nth = if depth.width > 0 { k.max(K) } else { nth_of_leaves(k) };
        // Beyond what was measured there is no limit: then it goes as far for each.
        (slope > 0.0 && limit < f32::INFINITY).then_some(Early { slope, limit, nth })
    }

    /// How far to look for `k` neighbours with this recall, where there are so many leaves.
    pub(super) fn at_recall(&self, recall: f32, k: usize, leaves: usize) -> Depth {
        let wanted = recall + MARGIN.min((1.0 - recall) / 10.0);
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
                    // A walk looks into none, whatever is written there.
                    leaves: match most {
                        Some(most) if most.width > 0 => most.leaves,
                        _ => leaves,
                    },
                    limit: f32::INFINITY,
                    width: twice(|most| most.width, 0),
                    candidates: twice(|most| most.candidates, UNMEASURED),
                }
            }
        };
        self.for_k(depth, k)
    }

    /// How far to look for `k` neighbours when `ef` candidates are kept at most.
    pub(super) fn at_ef(&self, ef: usize, k: usize) -> Depth {
        let ef = ef.max(k).max(1);
        let mut below: Option<(usize, Depth)> = None;
        let scaled = |at: usize, depth: Depth| {
            let share = |part: usize| part.saturating_mul(ef).div_ceil(at);
            Depth {
                leaves: share(depth.leaves),
                limit: depth.limit + (ef as f32 / at as f32).ln(),
                width: share(depth.width),
                candidates: share(depth.candidates),
            }
        };
        let place = |x: usize| (x as f64).ln();
        let mut depth = None;
        for (at, Point { depth: here, .. }) in self.efs() {
            if at >= ef {
                depth = Some(match below {
                    None => scaled(at, here),
                    Some((low, less)) => {
                        between(less, here, (place(ef) - place(low)) / (place(at) - place(low)))
                    }
                });
                break;
            }
            below = Some((at, here));
        }
        let depth = depth.or(below.map(|(at, last)| scaled(at, last)));
        let depth = depth.unwrap_or(Depth { leaves: ef, limit: f32::INFINITY, width: 0, candidates: ef });
        let candidates = depth.candidates.clamp(k.max(1), ef);
        let width = if depth.width == 0 { 0 } else { depth.width.max(candidates) };
        Depth { leaves: depth.leaves.max(1), width, candidates, ..depth }
    }

    /// The points are for [`K`] neighbours; more of them lie in more leaves, and fewer not in as much fewer.
    fn for_k(&self, depth: Depth, k: usize) -> Depth {
        let times = k.max(1) as f64 / K as f64;
        let [leaves, candidates] = if times < 1.0 { GROWTH_TO_K } else { GROWTH_FROM_K };
        let part = |part: usize, power: f64| (part as f64 * times.powf(power)).ceil() as usize;
        let wanted = part(depth.candidates, candidates).max(k);
        // A narrower walk may lose its way.
        let wider = if times < 1.0 { 0.0 } else { candidates };
        let width = part(depth.width, wider);
        Depth {
            leaves: part(depth.leaves, leaves).max(1),
            limit: depth.limit + (if depth.width == 0 { leaves } else { wider } * times.ln()) as f32,
            width: if depth.width == 0 { 0 } else { width.max(wanted) },
            candidates: wanted,
        }
    }
}

fn between(low: Depth, high: Depth, share: f64) -> Depth {
    let mix = |pick: fn(Depth) -> usize| {
        let end = |depth: Depth| (pick(depth).max(1) as f64).ln();
        (end(low) * (1.0 - share) + end(high) * share).exp().round() as usize
    };
    let width = if high.width == 0 { 0 } else { mix(|depth| depth.width) };
    let limit = low.limit + share as f32 * (high.limit - low.limit);
    Depth { leaves: mix(|depth| depth.leaves), limit, width, candidates: mix(|depth| depth.candidates) }
}
