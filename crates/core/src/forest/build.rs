//! Grows trees: each from its own seed, so that a forest is the same whatever the number of threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::bands::{self, Band};
use super::items::Items;
use super::layout::Layout;
use super::local::Local;
use super::metric::Metric;
use super::sample::{Below, Dealt};
use super::space::Space;
use super::split::Splitter;
use crate::error::BuildError;
use crate::parallel;
use crate::random::Random;

/// Node numbers are signed 32-bit integers in Annoy's files.
const MOST_NODES: u64 = i32::MAX as u64;

/// How far a build has come: items put in their place in a tree, of all in all trees. Without a number of trees the
/// total is a guess that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Items placed.
    pub done: u64,
    /// Items to place.
    pub total: u64,
}

/// Called on the thread that builds, about twenty times a second; breaks off to cancel.
pub type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// What one build needs to know.
pub(super) struct Plan<'a> {
    pub(super) space: Space,
    pub(super) items: &'a Items,
    /// Living items, ascending.
    pub(super) ids: &'a [u32],
    pub(super) seed: u64,
    /// `None`: until there are twice as many nodes as items.
    pub(super) n_trees: Option<usize>,
    pub(super) n_jobs: Option<usize>,
}

impl Plan<'_> {
    /// Grows the trees and hands them to `take` in order. A tree is an array of nodes, the root last, in which nodes
    /// are numbered from the number of items on; [`relocate`] moves them to their place in a forest.
    pub(super) fn grow(
        &self,
        watch: Watch<'_>,
        mut take: impl FnMut(Vec<u32>) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let (stop, placed) = (AtomicBool::new(false), AtomicU64::new(0));
        let n_items = self.items.len() as u64;
        let mut nodes = n_items;
        let mut trees = 0u64;
        let mut failure = None;
        let mut cancelled = false;
        let progress = |trees: u64, nodes: u64| {
            let done = placed.load(Relaxed);
            let guess = n_items.saturating_mul(trees + 1) / (nodes - n_items).max(1) + 1;
            let total = self.n_trees.map_or(guess, |n| n as u64) * self.ids.len() as u64;
            Progress { done, total: total.max(done) }
        };
        let shape = (std::cell::Cell::new(trees), std::cell::Cell::new(nodes));
        _ = parallel::in_order(
            parallel::threads(self.n_jobs),
            self.n_trees.unwrap_or(usize::MAX),
            &stop,
            |tree| self.grow_one(tree, &stop, &placed),
            |grown: Option<Vec<u32>>| {
                let Some(grown) = grown else { return ControlFlow::Break(()) };
                trees += 1;
                nodes += (grown.len() / self.space.layout.stride) as u64;
                shape.0.set(trees);
                shape.1.set(nodes);
                let result = if nodes + trees > MOST_NODES {
                    Err(BuildError::TooManyNodes { nodes: nodes + trees })
                } else {
                    take(grown)
                };
                if let Err(error) = result {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
                match self.n_trees {
                    None if nodes >= 2 * n_items => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            },
            || {
                let flow = watch(progress(shape.0.get(), shape.1.get()));
                cancelled |= flow.is_break();
                flow
            },
        );
        match failure {
            Some(error) => Err(error),
            None if cancelled => Err(BuildError::Cancelled),
            None => Ok(()),
        }
    }

    fn grow_one(&self, tree: usize, stop: &AtomicBool, placed: &AtomicU64) -> Option<Vec<u32>> {
        let random = Random::new(self.seed, tree as u64);
        let mut grower = Grower::new(self.space, self.items, self.items.len(), random, stop, placed);
        grower.root(&mut self.ids.to_vec())?;
        Some(grower.nodes)
    }
}

/// Cuts more than a bucketful of items into buckets, outside of a build; returns the nodes, numbered as those of a
/// tree from `n_items` on, and the last one as its root.
pub(super) fn grow_branch(
    space: Space,
    items: &Items,
    n_items: usize,
    ids: &[u32],
    random: Random,
) -> Vec<u32> {
    let (stop, placed) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut grower = Grower::new(space, items, n_items, random, &stop, &placed);
    grower.local.gather(&space, items, ids);
    grower.branch(&mut (0..ids.len() as u32).collect::<Vec<_>>()).expect("nobody stops it");
    grower.nodes
}

/// Grows one tree.
struct Grower<'a> {
    layout: Layout,
    space: Space,
    items: &'a Items,
    n_items: usize,
    splitter: Splitter,
    local: Local,
    random: Random,
    nodes: Vec<u32>,
    /// Nodes to write planes into, one for each level that is being grown.
    spare: Vec<Vec<u32>>,
    stop: &'a AtomicBool,
    placed: &'a AtomicU64,
}

impl<'a> Grower<'a> {
    fn new(
        space: Space,
        items: &'a Items,
        n_items: usize,
        random: Random,
        stop: &'a AtomicBool,
        placed: &'a AtomicU64,
    ) -> Self {
        Self {
            layout: space.layout,
            space,
            items,
            n_items,
            splitter: Splitter::new(space),
            local: Local::default(),
            random,
            nodes: Vec::new(),
            spare: Vec::new(),
            stop,
            placed,
        }
    }

    /// Grows the whole tree; `None` when the build was stopped.
    fn root(&mut self, ids: &mut [u32]) -> Option<()> {
        if self.n_items <= self.layout.bucket {
            push_root_bucket(&self.layout, &mut self.nodes, ids, self.n_items);
            return Some(());
        }
        if ids.len() < 2 {
            push_forked_root(&self.layout, &mut self.nodes, ids, self.n_items);
            return Some(());
        }
        let root = match self.layout.metric {
            // A root is a split, even over few items, once a bucket could not name all ids.
            _ if ids.len() <= self.layout.bucket => {
                self.local.gather(&self.space, self.items, ids);
                self.fork(&mut (0..ids.len() as u32).collect::<Vec<_>>())?
            }
            Metric::Dot => self.chain(bands::by_length(&self.space, self.items, ids))?,
            _ => self.whole(ids)?,
        };
        let at = (root as usize - self.n_items) * self.layout.stride;
        self.layout.set_count(&mut self.nodes[at..], self.n_items);
        Some(())
    }

    /// Grows the bands, and the splits that part each from the shorter ones.
    fn chain(&mut self, bands: Vec<Band>) -> Option<u32> {
        let mut below: Option<(u32, usize)> = None;
        for mut band in bands.into_iter().rev() {
            let count = band.ids.len();
            let top = self.whole(&mut band.ids)?;
            below = Some(match below {
                None => (top, count),
                Some((shorter, shorter_count)) => {
                    let mut node = vec![0; self.layout.stride];
                    self.layout.set_offset(&mut node, band.offset);
                    let count = count + shorter_count;
                    (
                        push_split(
                            &self.layout,
                            &mut self.nodes,
                            &mut node,
                            [shorter, top],
                            count,
                            self.n_items,
                        ),
                        count,
                    )
                }
            });
        }
        below.map(|(top, _)| top)
    }

    /// Grows what holds all of `ids`.
    fn whole(&mut self, ids: &mut [u32]) -> Option<u32> {
        let (space, items) = (self.space, self.items);
        match Dealt::new(&space, items, &mut self.splitter, &mut self.local, ids, &mut self.random) {
            Some(dealt) => Some(self.below(&dealt, dealt.root(), ids)?.0),
            None => {
                self.local.gather(&space, items, ids);
                self.branch(&mut (0..ids.len() as u32).collect::<Vec<_>>())
            }
        }
    }

    /// Grows what lies below a plane that was chosen from a sample; returns its top and how many items it holds.
    fn below(&mut self, dealt: &Dealt, below: Below, ids: &[u32]) -> Option<(u32, usize)> {
        match below {
            Below::Cell(cell) => {
                let ids = &ids[dealt.cell(cell)];
                self.local.gather(&self.space, self.items, ids);
                let mut rows: Vec<u32> = (0..ids.len() as u32).collect();
                Some((self.branch(&mut rows)?, ids.len()))
            }
            Below::Plane(plane) => {
                let (node, [zero, one]) = dealt.plane(plane);
                let (zero, zero_count) = self.below(dealt, zero, ids)?;
                let (one, one_count) = self.below(dealt, one, ids)?;
                let count = zero_count + one_count;
                let top = push_split(
                    &self.layout,
                    &mut self.nodes,
                    &mut node.to_vec(),
                    [zero, one],
                    count,
                    self.n_items,
                );
                Some((top, count))
            }
        }
    }

    /// Grows what holds these rows of the local copy.
    fn branch(&mut self, rows: &mut [u32]) -> Option<u32> {
        if rows.len() > self.layout.bucket {
            return self.fork(rows);
        }
        self.placed.fetch_add(rows.len() as u64, Relaxed);
        match rows {
            [row] => Some(self.local.id(*row)),
            _ => {
                rows.iter_mut().for_each(|row| *row = self.local.id(*row));
                Some(push_bucket(&self.layout, &mut self.nodes, rows, self.n_items))
            }
        }
    }

    fn fork(&mut self, rows: &mut [u32]) -> Option<u32> {
        if self.stop.load(Relaxed) {
            return None;
        }
        let mut node = self.spare.pop().unwrap_or_else(|| vec![0; self.layout.stride]);
        let middle = self.splitter.cut(&self.local, rows, &mut self.random, &mut node);
        let count = rows.len();
        let (zero, one) = rows.split_at_mut(middle);
        // The smaller side first, as in Annoy: the larger one then lies closer to its parent.
        let children = if zero.len() <= one.len() {
            let zero = self.branch(zero)?;
            [zero, self.branch(one)?]
        } else {
            let one = self.branch(one)?;
            [self.branch(zero)?, one]
        };
        let split = push_split(&self.layout, &mut self.nodes, &mut node, children, count, self.n_items);
        self.spare.push(node);
        Some(split)
    }
}

/// The number that the next node gets.
fn next(layout: &Layout, nodes: &[u32], n_items: usize) -> u32 {
    (n_items + nodes.len() / layout.stride) as u32
}

/// Appends a bucket of at most [`Layout::bucket`] ids.
pub(super) fn push_bucket(layout: &Layout, nodes: &mut Vec<u32>, ids: &[u32], n_items: usize) -> u32 {
    let number = next(layout, nodes, n_items);
    let start = nodes.len();
    nodes.resize(start + layout.stride, 0);
    let node = &mut nodes[start..];
    layout.set_count(node, ids.len());
    node[layout.children..][..ids.len()].copy_from_slice(ids);
    number
}

/// Appends a split; `node` holds its plane.
pub(super) fn push_split(
    layout: &Layout,
    nodes: &mut Vec<u32>,
    node: &mut [u32],
    children: [u32; 2],
    count: usize,
    n_items: usize,
) -> u32 {
    let number = next(layout, nodes, n_items);
    layout.set_count(node, count);
    *layout.children_mut(node) = children;
    nodes.extend_from_slice(node);
    number
}

/// Appends the root of a tree whose items fit into a bucket. A root counts all ids, holes too; the places of the holes
/// repeat an item that lives, which readers meet twice and keep once.
pub(super) fn push_root_bucket(layout: &Layout, nodes: &mut Vec<u32>, ids: &[u32], n_items: usize) {
    let mut padded = ids.to_vec();
    padded.resize(n_items, ids.first().copied().unwrap_or_default());
    push_bucket(layout, nodes, &padded, n_items);
}

/// Appends the root of a tree that has too few items for a split and too many ids for a bucket: a plane without a
/// normal over one bucket that holds the item and an empty one.
pub(super) fn push_forked_root(layout: &Layout, nodes: &mut Vec<u32>, ids: &[u32], n_items: usize) {
    let children = [push_bucket(layout, nodes, &[], n_items), push_bucket(layout, nodes, ids, n_items)];
    push_split(layout, nodes, &mut vec![0; layout.stride], children, n_items, n_items);
}

/// Moves a tree that was numbered from `n_items` on up by `by` nodes.
pub(super) fn relocate(layout: &Layout, nodes: &mut [u32], n_items: usize, by: u32) {
    for node in nodes.chunks_exact_mut(layout.stride) {
        if layout.count(node) > layout.bucket {
            for child in layout.children_mut(node) {
                if *child >= n_items as u32 {
                    *child += by;
                }
            }
        }
    }
}
