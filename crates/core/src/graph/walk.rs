//! The search from node to node: best first, as far as a pool of a given width reaches.
//!
//! The search is that of Malkov and Yashunin (*Hierarchical navigable small world graphs*, 2016, algorithm 2) on one layer, with
//! the estimates of all vectors beside a node made at once from codes that lie in it, and exact distances only to the
//! nodes that are followed (Gou, Gao, Xu, Long: *SymphonyQG*, 2024).

use super::coding::Asked;
use super::node::{EDGES, NOBODY};
use super::pool::Pool;
use super::seen::Seen;
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
}

impl Trail {
    /// What [`walk`] found last, closest first, with what orders them.
    pub(crate) fn found(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.followed.iter().map(|&key| (estimate(key), number(key)))
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
/// keeps those that it follows, `width` and some, in `trail`, in no order. It passes by the node `passed`, if there is one.
pub(crate) fn walk(
    asked: Asked<'_>,
    nodes: &impl Nodes,
    entries: &[u32],
    width: usize,
    passed: Option<u32>,
    trail: &mut Trail,
) {
    let Trail { seen, starts, pool, now, next, followed } = trail;
    let layout = asked.layout;
    seen.start(nodes.len());
    pool.start(width);
    now.clear();
    followed.clear();
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
        // What is followed next is on its way while what is followed now is read.
        next.clear();
        while next.len() < FOLLOWED
            && let Some(number) = pool.pop()
        {
            simd::prefetch_many(nodes.to_fetch(number));
            next.push(number);
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
            let edges = layout.edge_words(node);
            let beside = scaled(node, base, pool.threshold());
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
