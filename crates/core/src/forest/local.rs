//! A dense copy of some items, to grow a branch from.
//!
//! Growing looks at the same items again at every level, and a hundred times for every plane. Here they lie side by
//! side in the cache; rows are padded with zeros to whole blocks of the kernels, and, where only directions count,
//! scaled to unit length.

use super::items::Items;
use super::metric::Metric;
use super::space::Space;
use crate::simd::{self, LANES, Lines, Word};

/// How many items are fetched ahead.
pub(super) const AHEAD: usize = 16;

/// Rows of items, numbered from 0.
#[derive(Default)]
pub(super) struct Local {
    lines: Lines,
    /// Values, or words of 4 bytes, in a row.
    stride: usize,
    ids: Vec<u32>,
}

impl Local {
    /// Copies the items `ids` in place of those that were here.
    pub(super) fn gather(&mut self, space: &Space, items: &Items, ids: &[u32]) {
        let layout = &space.layout;
        let directional = is_directional(layout.metric);
        self.ids.clear();
        self.ids.extend_from_slice(ids);
        self.stride = layout.vector_len.next_multiple_of(LANES);
        self.lines.reset(self.stride * ids.len());
        for &id in ids.iter().take(AHEAD) {
            simd::prefetch_many(items.node(id));
        }
        let words: &mut [u32] = bytemuck::cast_slice_mut(&mut self.lines);
        for (i, &id) in ids.iter().enumerate() {
            if let Some(&later) = ids.get(i + AHEAD) {
                simd::prefetch_many(items.node(later));
            }
            let node = items.node(id);
            let (row, padding) = words[i * self.stride..][..self.stride].split_at_mut(layout.vector_len);
            row.copy_from_slice(layout.vector(node));
            padding.fill(0);
            if directional {
                let norm = space.squared_length(node);
                let scale = if norm > 0.0 { 1.0 / norm.sqrt() } else { 1.0 };
                let row: &mut [f32] = bytemuck::cast_slice_mut(row);
                row.iter_mut().for_each(|value| *value *= scale);
            }
        }
    }

    /// The id of row `i`.
    pub(super) fn id(&self, i: u32) -> u32 {
        self.ids[i as usize]
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Row `i`, padded.
    #[inline]
    pub(super) fn row(&self, i: u32) -> &[f32] {
        &self.lines[i as usize * self.stride..][..self.stride]
    }

    /// Row `i` of an index of bits, padded.
    #[inline]
    pub(super) fn bits(&self, i: u32) -> &[Word] {
        bytemuck::cast_slice(self.row(i))
    }
}

/// Whether only the direction of a vector decides where it belongs in a tree.
pub(super) fn is_directional(metric: Metric) -> bool {
    matches!(metric, Metric::Angular | Metric::Dot)
}
