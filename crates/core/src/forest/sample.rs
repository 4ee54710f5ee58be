//! Deals many items out to cells: the planes at the top of a large tree, chosen from a sample.
//!
//! A plane is chosen by a few hundred random items (see `split.rs`), so near the root nearly all items are only looked
//! at to tell their side, again at every level, and each time they come from far away in memory. Here the planes of all
//! upper levels come from a sample that is small enough to stay near; then one pass over all items, in their order
//! in memory, takes each down to its cell. A cell's items fit into the second-level cache, and the tree goes on from
//! there as usual.

use super::items::Items;
use super::local::{AHEAD, Local};
use super::metric::Metric;
use super::space::{BLOCK, Space};
use super::split::Splitter;
use crate::random::Random;
use crate::simd::{self, LANES, Lines};

/// Bytes of items in a cell: what stays in the second-level cache of a common processor, or nearly.
const CELL_BYTES: usize = 3 << 19;
/// Buckets in a cell, at least: below that there is nothing to gain by stopping early.
const CELL_BUCKETS: usize = 8;
/// Items of the sample in a cell: more than a plane draws on, so that the last planes are as good as the first.
const SAMPLE: usize = 256;
/// A sample has to be this many times smaller than the items.
const WORTH_IT: usize = 4;

/// The planes above the cells.
struct Top {
    stride: usize,
    planes: Vec<u32>,
    /// Numbers of planes, or of cells with the bit [`CELL`].
    children: Vec<[u32; 2]>,
    n_cells: u32,
}

/// Tells the number of a cell from that of a plane.
const CELL: u32 = 1 << 31;

/// What lies on a side of a plane.
#[derive(Clone, Copy)]
pub(super) enum Below {
    /// A plane.
    Plane(u32),
    /// The items of a cell.
    Cell(u32),
}

/// Items, dealt out.
pub(super) struct Dealt {
    top: Top,
    /// Where each cell ends among the ids.
    ends: Vec<usize>,
}

impl Dealt {
    /// Orders `ids` by cell, within a cell as they were. `None`, and nothing changed, when there are too few for this
    /// to be worth it, or too many alike.
    pub(super) fn new(
        space: &Space,
        items: &Items,
        splitter: &mut Splitter,
        local: &mut Local,
        ids: &mut [u32],
        random: &mut Random,
    ) -> Option<Self> {
        let layout = &space.layout;
        let cell =
            (CELL_BYTES / (layout.stride * 4)).max(layout.bucket * CELL_BUCKETS).max(SAMPLE * WORTH_IT);
        if ids.len() < 2 * cell {
            return None;
        }
        local.gather(space, items, &draw(ids, (ids.len() / cell + 1) * SAMPLE, random));
        let mut top = Top { stride: layout.stride, planes: Vec::new(), children: Vec::new(), n_cells: 0 };
        top.grow(splitter, local, &mut (0..local.len() as u32).collect::<Vec<_>>(), random);
        let cells = top.route(space, items, ids, random);
        let mut ends = vec![0; top.n_cells as usize];
        cells.iter().for_each(|&cell| ends[cell as usize] += 1);
        if ends.contains(&0) {
            return None;
        }
        let mut start = 0;
        for end in &mut ends {
            (*end, start) = (start, start + *end);
        }
        let mut ordered = vec![0; ids.len()];
        for (&id, &cell) in ids.iter().zip(&cells) {
            let at = &mut ends[cell as usize];
            ordered[*at] = id;
            *at += 1;
        }
        ids.copy_from_slice(&ordered);
        Some(Self { top, ends })
    }

    /// The root.
    pub(super) fn root(&self) -> Below {
        Below::Plane(0)
    }

    /// A plane in node form, and what is below it.
    pub(super) fn plane(&self, plane: u32) -> (&[u32], [Below; 2]) {
        let below = |at| if at & CELL == 0 { Below::Plane(at) } else { Below::Cell(at & !CELL) };
        (self.top.plane(plane as usize), self.top.children[plane as usize].map(below))
    }

    /// Where the ids of a cell lie.
    pub(super) fn cell(&self, cell: u32) -> std::ops::Range<usize> {
        let cell = cell as usize;
        cell.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[cell]
    }
}

impl Top {
    fn plane(&self, plane: usize) -> &[u32] {
        &self.planes[plane * self.stride..][..self.stride]
    }

    /// Cuts a sample down to cells; returns what is at the top.
    fn grow(
        &mut self,
        splitter: &mut Splitter,
        local: &Local,
        sample: &mut [u32],
        random: &mut Random,
    ) -> u32 {
        if sample.len() <= SAMPLE * 3 / 2 && !self.children.is_empty() {
            self.n_cells += 1;
            return (self.n_cells - 1) | CELL;
        }
        let number = self.children.len();
        self.children.push([0; 2]);
        self.planes.resize(self.planes.len() + self.stride, 0);
        let at = number * self.stride..(number + 1) * self.stride;
        let middle = splitter.cut(local, sample, random, &mut self.planes[at]);
        let (zero, one) = sample.split_at_mut(middle);
        let zero = self.grow(splitter, local, zero, random);
        self.children[number] = [zero, self.grow(splitter, local, one, random)];
        number as u32
    }

    /// The cell of each item. A block of items, copied side by side, goes down together, so that the sums of many run at
    /// once.
    fn route(&self, space: &Space, items: &Items, ids: &[u32], random: &mut Random) -> Vec<u32> {
        let layout = &space.layout;
        let is_bits = layout.metric == Metric::Hamming;
        // Padded with zeros to whole blocks of the kernels, as the rows of a local copy are.
        let width = layout.vector_len.max(1).next_multiple_of(LANES);
        let (mut rows, mut normals) = (Lines::default(), Lines::default());
        rows.reset(BLOCK * width);
        normals.reset(self.children.len() * width);
        let mut offsets = vec![0.0; self.children.len()];
        for (plane, (normal, offset)) in normals.chunks_exact_mut(width).zip(&mut offsets).enumerate() {
            normal[..layout.vector_len].copy_from_slice(layout.floats(self.plane(plane)));
            *offset = layout.add_offset(self.plane(plane), 0.0);
        }
        let normals: Vec<&[f32]> = normals.chunks_exact(width).collect();
        let mut cells = Vec::with_capacity(ids.len());
        for (i, block) in ids.chunks(BLOCK).enumerate() {
            let later = ids.get(i * BLOCK + AHEAD..).unwrap_or_default();
            for (j, (row, &id)) in rows.chunks_exact_mut(width).zip(block).enumerate() {
                if let Some(&later) = later.get(j) {
                    simd::prefetch_many(items.node(later));
                }
                row[..layout.vector_len].copy_from_slice(layout.floats(items.node(id)));
            }
            let mut views: [&[f32]; BLOCK] = [&[]; BLOCK];
            views.iter_mut().zip(rows.chunks_exact(width)).for_each(|(view, row)| *view = row);
            let at = &mut [0u32; BLOCK][..block.len()];
            loop {
                let (mut going, mut n) = ([0; BLOCK], 0);
                for (i, at) in at.iter().enumerate() {
                    going[n] = i;
                    n += usize::from(at & CELL == 0);
                }
                if n == 0 {
                    break;
                }
                let mut pairs = ([&[] as &[f32]; BLOCK], [&[] as &[f32]; BLOCK]);
                for (k, &i) in going[..n].iter().enumerate() {
                    (pairs.0[k], pairs.1[k]) = (normals[at[i] as usize], views[i]);
                }
                let mut margins = [0.0; BLOCK];
                if !is_bits {
                    (space.kernels.dot_pairs)(&pairs.0[..n], &pairs.1[..n], &mut margins[..n]);
                }
                for (k, &i) in going[..n].iter().enumerate() {
                    let plane = at[i] as usize;
                    let margin = if is_bits {
                        space.bit(self.plane(plane), bytemuck::cast_slice(pairs.1[k]))
                    } else {
                        margins[k] + offsets[plane]
                    };
                    let one = if margin == 0.0 { random.flip() } else { margin > 0.0 };
                    at[i] = self.children[plane][usize::from(one)];
                }
            }
            cells.extend(at.iter().map(|at| at & !CELL));
        }
        cells
    }
}

/// `n` different ids, in their order: each stretch of equal length gives one.
fn draw(ids: &[u32], n: usize, random: &mut Random) -> Vec<u32> {
    (0..n)
        .map(|i| {
            let (from, to) = (ids.len() * i / n, ids.len() * (i + 1) / n);
            ids[from + random.below(to - from)]
        })
        .collect()
}
