//! The search from node to node: best first, as far as a pool of a given width reaches.
//!
//! The search is that of Malkov and Yashunin (*Hierarchical navigable small world graphs*, 2016, algorithm 2) on one layer, with
//! the estimates of all vectors beside a node made at once from codes that lie in it, and exact distances only to the
//! nodes that are followed (Gou, Gao, Xu, Long: *SymphonyQG*, 2024).

use bytemuck::cast_slice;

use super::bound::{Bound, NARROW};
use super::coding::Asked;
use super::node::{EDGES, NOBODY};
use super::pool::{self, Pool};
use super::seen::Seen;
use crate::early::Early;
use crate::filtered::{Filtered, Reach};
use crate::keep::{Keep, estimate, key, number};
use crate::simd::{self, Scaled, set_bits};

/// Where the nodes lie.
pub(crate) trait Nodes {
    /// A node; `None` for a number that no node has.
    fn node(&self, number: u32) -> Option<&[u32]>;
    /// A node to be fetched into the cache and not to be read; empty for a number that no node has.
    fn to_fetch(&self, number: u32) -> &[u32];
    /// One more than the largest number.
    fn len(&self) -> usize;
}

/// Nodes that are followed at a time: while these are read, the next ones come from memory.
const FOLLOWED: usize = 2;
/// A walk begins at so many of the vectors beside the entry points.
const STARTS: usize = 8;

/// Under a filter, how far to walk is asked again behind so many nodes.
const ASKED_EVERY: usize = 16;

/// How far to walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// How many of the closest nodes are followed, and some.
    pub(crate) width: usize,
    /// When it ends instead; [`Bound`] says how it is measured how much farther away a node is.
    pub(crate) early: Option<Early>,
    /// A node that is passed by.
    pub(crate) passed: Option<u32>,
}

/// The shortest walk of a search, which finds what comes to the graph: that is made sure of when it comes.
pub(crate) const SHORTEST: Walk =
    Walk { width: NARROW, early: Some(Early { slope: 1.0, limit: f32::NEG_INFINITY, nth: 1 }), passed: None };

impl Walk {
    /// As wide for each query, past no node.
    pub(crate) const fn even(width: usize) -> Self {
        Self { width, early: None, passed: None }
    }

    /// How many are followed at most instead of `width`, and some, if the walk may end early.
    pub(crate) fn most(width: usize) -> usize {
        width.saturating_mul(2)
    }
}

/// Buffers of a walk.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    seen: Seen,
    starts: Keep,
    pool: Pool,
    now: Vec<u32>,
    next: Vec<u32>,
    /// Those that were followed and may be found: what they are ordered by, and their numbers.
    followed: Vec<u64>,
    /// Estimates of those that were followed and may not be found.
    refused: Vec<f32>,
    bound: Bound,
    record: Option<Record>,
}

/// What was recorded of a walk.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// How much farther away than the nearest each node was when it was followed, in that order; no number where there was no telling.
    pub(crate) farther: Vec<f32>,
    /// The place in that order of each node that was found.
    pub(crate) places: Vec<usize>,
}

impl Trail {
    /// What [`walk`] found last, in the order in which it was followed, with what orders it by distance.
    pub(crate) fn found(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.followed.iter().map(|&key| (estimate(key), number(key)))
    }

    /// From the next walk on, records it.
    pub(crate) fn record(&mut self) {
        self.record = Some(Record::default());
    }

    /// What was recorded of the last walk.
    pub(crate) fn recorded(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Brings the closest `n` of what was found to the front, in no order, and drops the others.
    pub(crate) fn cut(&mut self, n: usize) {
        if n < self.followed.len() {
            self.followed.select_nth_unstable(n);
            self.followed.truncate(n);
        }
    }

    /// Brings what was found into order.
    pub(crate) fn sort(&mut self) {
        self.followed.sort_unstable();
    }

    /// How many of those followed, the refused among them, are as close as the closest `n` of those found, for each of these. What
    /// was found is in order.
    pub(crate) fn crowd(&self, n: usize) -> f64 {
        let n = n.min(self.followed.len());
        let Some(&last) = n.checked_sub(1).and_then(|last| self.followed.get(last)) else { return 1.0 };
        let refused = self.refused.iter().filter(|&&other| other <= estimate(last)).count();
        1.0 + refused as f64 / n as f64
    }
}

/// Walks from the closest vectors beside the `entries`, which are laid out as nodes, to the nodes that `asked` is closest to, and
/// keeps those that it follows and that `filter` lets pass in `trail`, in the order in which it followed them.
///
/// Under a filter, nodes that do not pass lead on as those do that pass, as in hnswlib, and how far it goes is the filter's to say,
/// not that of the [`Walk`].
pub(crate) fn walk(
    asked: Asked<'_>,
    nodes: &impl Nodes,
    entries: &[u32],
    Walk { mut width, mut early, passed }: Walk,
    filter: Option<Filtered<impl Fn(u32) -> bool, impl Fn(f64) -> Reach>>,
    trail: &mut Trail,
) {
    let Trail { seen, starts, pool, now, next, followed, refused, bound, record } = trail;
    if let Some(filter) = &filter {
        let Reach { far, limit } = filter.usual();
        width = far;
        early = early.map(|early| Early { limit, ..early });
    }
    let layout = asked.layout;
    seen.start(nodes.len());
    pool.start(width);
    now.clear();
    followed.clear();
    refused.clear();
    bound.start(early, || asked.square());
    if let Some(Record { farther, places }) = record {
        farther.clear();
        places.clear();
    }
    let (mut popped, mut asked_at) = (0, 0);
    let scaled = |node, base, threshold, ahead| Scaled {
        table: asked.table.addends(),
        block: layout.codes(node),
        factors: layout.factors(node).unwrap_or(&[0; EDGES]),
        base,
        scale: asked.table.scale,
        offset: asked.table.offset,
        threshold,
        ahead: cast_slice(ahead),
    };
    let mut estimates = [0.0; EDGES];
    if let Some(passed) = passed {
        seen.meet(passed);
    }
    starts.start(STARTS, STARTS);
    for entry in entries.chunks_exact(layout.words()) {
        let beside = scaled(entry, layout.own(entry).square, starts.threshold(), &[]);
        for lane in set_bits((asked.kernels.lut_scaled)(&beside, &mut estimates)) {
            starts.push(estimates[lane], layout.edge_words(entry)[lane]);
        }
        starts.tidy();
    }
    for &start in starts.finish().iter() {
        if seen.meet(number(start))
            && let Some(out) = pool.push(estimate(start), number(start))
        {
            seen.forget(out);
        }
    }
    loop {
        let beyond = bound.behind(popped).map_or(f32::INFINITY, |beyond| {
            // Not before: while there is no bound, a wider pool takes in what will never be followed.
            pool.widen(Walk::most(width));
            beyond
        });
        next.clear();
        while next.len() < FOLLOWED
            && let Some((estimate, number)) = pool.pop_below(beyond)
        {
            next.push(number);
            if let Some(Record { farther, .. }) = record {
                farther.push(bound.farther(popped, estimate));
            }
            popped += 1;
        }
        let over = next.is_empty() && now.is_empty();
        let met = followed.len() + refused.len();
        if let Some(filter) = &filter
            && met >= asked_at + if over { 1 } else { ASKED_EVERY }
        {
            let Reach { far, limit } = filter.reach_after(followed.len(), met);
            width = width.max(far);
            pool.widen(width);
            bound.limit(limit);
            asked_at = met;
            if over {
                continue;
            }
        }
        if over {
            break;
        }
        // What is followed next is on its way while what is followed now is read.
        let mut to_fetch = next.iter().map(|&number| nodes.to_fetch(number));
        for &number in now.iter() {
            let ahead = to_fetch.next().unwrap_or_default();
            let Some(node) = nodes.node(number) else { continue };
            let own = layout.own(node);
            if !own.is_there() {
                continue;
            }
            let base = asked.apart(own);
            if filter.as_ref().is_none_or(|filter| (filter.allowed)(number)) {
                followed.push(key(base, number));
                bound.meet(base);
                if let Some(Record { places, .. }) = record {
                    places.push(followed.len() - 1 + refused.len());
                }
            } else {
                refused.push(base);
            }
            let edges = layout.edge_words(node);
            // What is not to be followed is not worth a place.
            let beside = scaled(node, base, pool.threshold().min(beyond), ahead);
            let passing = set_bits((asked.kernels.lut_scaled)(&beside, &mut estimates));
            // What has no place in the pool any more may come again, by an edge that tells better how close it is.
            if pool.is_long() {
                let (mut new, mut met) = ([0; EDGES], 0);
                for lane in passing {
                    if edges[lane] != NOBODY && seen.meet(edges[lane]) {
                        new[met] = pool::key(estimates[lane], edges[lane]);
                        met += 1;
                    }
                }
                pool.merge(&mut new[..met], |out| seen.forget(out));
            } else {
                for lane in passing {
                    if edges[lane] != NOBODY
                        && seen.meet(edges[lane])
                        && let Some(out) = pool.push(estimates[lane], edges[lane])
                    {
                        seen.forget(out);
                    }
                }
            }
        }
        to_fetch.for_each(simd::prefetch_many);
        std::mem::swap(now, next);
    }
}
