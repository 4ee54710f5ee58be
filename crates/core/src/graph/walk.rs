//! The search from node to node: best first, as far as a pool of a given width reaches.
//!
//! The search is that of Malkov and Yashunin (*Hierarchical navigable small world graphs*, 2016, algorithm 2) on one layer, with
//! the estimates of all vectors beside a node made at once from codes that lie in it, and exact distances only to the
//! nodes that are followed (Gou, Gao, Xu, Long: *SymphonyQG*, 2024).

use super::bound::Bound;
use super::coding::Asked;
use super::node::{EDGES, NOBODY};
use super::pool::Pool;
use super::seen::Seen;
use crate::early::Early;
use crate::keep::{Keep, estimate, key, number};
use crate::simd::{self, Scaled};

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

impl Walk {
    /// As wide for each query, past no node.
    pub(crate) fn even(width: usize) -> Self {
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
    /// Those that were followed: what they are ordered by, and their numbers.
    followed: Vec<u64>,
    bound: Bound,
    /// How much farther away than the nearest each was when it was followed, if that is recorded.
    farther: Option<Vec<f32>>,
}

impl Trail {
    /// What [`walk`] found last, in the order in which it was followed, with what orders it by distance.
    pub(crate) fn found(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.followed.iter().map(|&key| (estimate(key), number(key)))
    }

    /// From the next walk on, records how much farther away than the nearest nodes each node was when it was followed.
    pub(crate) fn record(&mut self) {
        self.farther = Some(Vec::new());
    }

    /// What was recorded of the last walk, in the order in which nodes were followed; no number where there was no telling.
    pub(crate) fn recorded(&self) -> &[f32] {
        self.farther.as_deref().unwrap_or_default()
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
}

/// Walks from the closest vectors beside the `entries`, which are laid out as nodes, to the nodes that `asked` is closest to, and
/// keeps those that it follows in `trail`, in the order in which it followed them.
pub(crate) fn walk(
    asked: Asked<'_>,
    nodes: &impl Nodes,
    entries: &[u32],
    Walk { width, early, passed }: Walk,
    trail: &mut Trail,
) {
    let Trail { seen, starts, pool, now, next, followed, bound, farther } = trail;
    let layout = asked.layout;
    seen.start(nodes.len());
    pool.start(width);
    now.clear();
    followed.clear();
    bound.start(early, || asked.square());
    if let Some(farther) = farther {
        farther.clear();
    }
    let mut popped = 0;
    let scaled = |node, base, threshold| Scaled {
        table: asked.table.addends(),
        block: layout.codes(node),
        factors: layout.factors(node).unwrap_or(&[0; EDGES]),
        base,
        scale: asked.table.scale,
        offset: asked.table.offset,
        threshold,
    };
    let mut estimates = [0.0; EDGES];
    if let Some(passed) = passed {
        seen.meet(passed);
    }
    starts.start(STARTS, STARTS);
    for entry in entries.chunks_exact(layout.words()) {
        let beside = scaled(entry, layout.own(entry).square, starts.threshold());
        for lane in lanes((asked.kernels.lut_scaled)(&beside, &mut estimates)) {
            starts.push(estimates[lane], layout.edge_words(entry)[lane]);
        }
        starts.tidy();
    }
    for &start in starts.finish().iter() {
        if seen.meet(number(start)) {
            pool.push(estimate(start), number(start));
        }
    }
    loop {
        let beyond = bound.behind(popped).map_or(f32::INFINITY, |beyond| {
            // Not before: while there is no bound, a wider pool takes in what will never be followed.
            pool.widen(Walk::most(width));
            beyond
        });
        // What is followed next is on its way while what is followed now is read.
        next.clear();
        while next.len() < FOLLOWED
            && let Some((estimate, number)) = pool.pop_below(beyond)
        {
            simd::prefetch_many(nodes.to_fetch(number));
            next.push(number);
            popped += 1;
            if let Some(farther) = farther {
                farther.push(bound.farther(estimate));
            }
        }
        if next.is_empty() && now.is_empty() {
            break;
        }
        for &number in now.iter() {
            let Some(node) = nodes.node(number) else { continue };
            let own = layout.own(node);
            if !own.is_there() {
                continue;
            }
            let base = asked.apart(own);
            followed.push(key(base, number));
            bound.meet(base);
            let edges = layout.edge_words(node);
            // What is not to be followed is not worth a place.
            let beside = scaled(node, base, pool.threshold().min(beyond));
            for lane in lanes((asked.kernels.lut_scaled)(&beside, &mut estimates)) {
                if edges[lane] != NOBODY && seen.meet(edges[lane]) {
                    pool.push(estimates[lane], edges[lane]);
                }
            }
        }
        std::mem::swap(now, next);
    }
}

/// The numbers of the bits that are set.
#[inline(always)]
fn lanes(mut passing: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = (passing != 0).then(|| passing.trailing_zeros() as usize)?;
        passing &= passing - 1;
        Some(lane)
    })
}
