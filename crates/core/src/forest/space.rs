//! The arithmetic of a metric: margins to planes, distances between vectors, and how a priority sinks.

use super::layout::Layout;
use super::metric::Metric;
use crate::simd::{self, Kernels, Word};

/// Rows whose distances are computed in one call of a kernel.
pub(super) const BLOCK: usize = 32;

/// A metric over one layout, with the kernels of this CPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) layout: Layout,
    pub(super) kernels: &'static Kernels,
}

/// A vector in the form in which nodes store it, with its squared length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    pub(super) words: &'a [u32],
    norm: f32,
}

impl<'a> Query<'a> {
    fn floats(&self) -> &'a [f32] {
        bytemuck::cast_slice(self.words)
    }

    fn bits(&self) -> &'a [Word] {
        bytemuck::cast_slice(self.words)
    }

    /// The squared length, of a metric with floats.
    pub(super) fn norm(&self) -> f32 {
        self.norm
    }
}

impl Space {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, kernels: simd::kernels() }
    }

    /// Writes `vector` as nodes store it: the floats themselves, or a bit for each value, set above 0.5.
    pub(super) fn encode(&self, vector: &[f32], words: &mut Vec<u32>) {
        words.clear();
        if self.layout.metric != Metric::Hamming {
            words.extend_from_slice(bytemuck::cast_slice(vector));
            return;
        }
        words.resize(self.layout.vector_len, 0);
        for (i, &value) in vector.iter().enumerate() {
            words[i / 32] |= u32::from(value > 0.5) << (i % 32);
        }
    }

    /// What [`encode`](Self::encode) was given, or zeros and ones for bits.
    pub(super) fn decode(&self, node: &[u32]) -> Vec<f32> {
        if self.layout.metric != Metric::Hamming {
            return self.layout.floats(node).to_vec();
        }
        let words = self.layout.vector(node);
        (0..self.layout.dim).map(|i| (words[i / 32] >> (i % 32) & 1) as f32).collect()
    }

    /// `words` as a query.
    pub(super) fn query<'a>(&self, words: &'a [u32]) -> Query<'a> {
        let norm = if self.layout.metric == Metric::Hamming { 0.0 } else { self.norm(words) };
        Query { words, norm }
    }

    /// The squared length of a vector of floats; 0 for bits, which have no use for it.
    pub(super) fn norm(&self, words: &[u32]) -> f32 {
        if self.layout.metric == Metric::Hamming {
            return 0.0;
        }
        let floats: &[f32] = bytemuck::cast_slice(words);
        (self.kernels.dot)(floats, floats)
    }

    /// The numbers that order `rows` by distance to `query`: smaller is closer. At most [`BLOCK`] rows.
    pub(super) fn orders(&self, query: &Query<'_>, rows: &[&[u32]], out: &mut [f32]) {
        if self.layout.metric == Metric::Hamming {
            let mut views: [&[Word]; BLOCK] = [&[]; BLOCK];
            let mut counts = [0; BLOCK];
            for (view, row) in views.iter_mut().zip(rows) {
                *view = self.layout.bits(row);
            }
            (self.kernels.hamming_rows)(query.bits(), &views[..rows.len()], &mut counts[..rows.len()]);
            for (out, count) in out.iter_mut().zip(counts) {
                *out = count as f32;
            }
            return;
        }
        let mut views: [&[f32]; BLOCK] = [&[]; BLOCK];
        for (view, row) in views.iter_mut().zip(rows) {
            *view = self.layout.floats(row);
        }
        let views = &views[..rows.len()];
        match self.layout.metric {
            Metric::Euclidean => (self.kernels.l2_squared_rows)(query.floats(), views, out),
            Metric::Manhattan => (self.kernels.l1_rows)(query.floats(), views, out),
            Metric::Dot => {
                (self.kernels.dot_rows)(query.floats(), views, out);
                out.iter_mut().for_each(|dot| *dot = -*dot);
            }
            _ => {
                (self.kernels.dot_rows)(query.floats(), views, out);
                // First the lengths, from memory, then the arithmetic, several at a time.
                let mut norms = [0.0; BLOCK];
                for (norm, row) in norms.iter_mut().zip(rows) {
                    *norm = self.squared_length(row);
                }
                for (out, &norm) in out.iter_mut().zip(&norms) {
                    *out = angular(query.norm, norm, *out);
                }
            }
        }
    }

    /// The squared length of an item, which most angular files carry.
    pub(super) fn squared_length(&self, node: &[u32]) -> f32 {
        let carried = if self.layout.metric == Metric::Angular { self.layout.norm(node) } else { 0.0 };
        if carried != 0.0 { carried } else { self.norm(self.layout.vector(node)) }
    }

    /// The number that orders one node by distance to another's vector.
    pub(super) fn order_between(&self, node: &[u32], other: &[u32]) -> f32 {
        let mut query = self.query(self.layout.vector(node));
        if self.layout.metric == Metric::Angular {
            query.norm = self.squared_length(node);
        }
        let mut out = [0.0];
        self.orders(&query, &[other], &mut out);
        out[0]
    }

    /// Signed distance from a split's plane (for bits: 1 where the bit is set, otherwise -1). Positive is side 1.
    #[inline]
    pub(super) fn margin(&self, split: &[u32], vector: &[u32]) -> f32 {
        match self.layout.metric {
            Metric::Hamming => self.bit(split, bytemuck::cast_slice(vector)),
            _ => {
                let dot = (self.kernels.dot)(self.layout.floats(split), bytemuck::cast_slice(vector));
                self.layout.add_offset(split, dot)
            }
        }
    }

    /// The bit that a split of binary vectors looks at: Annoy numbers the bits of a word from the highest. A position
    /// beyond the vector, which only a damaged file has, is no bit.
    pub(super) fn bit(&self, split: &[u32], bits: &[Word]) -> f32 {
        let position = self.layout.bits(split).first().map_or(0, |word| u64::from_le_bytes(*word));
        let word = usize::try_from(position / 64).ok().and_then(|word| bits.get(word));
        let set = word.is_some_and(|word| u64::from_le_bytes(*word) >> (63 - position % 64) & 1 == 1);
        if set { 1.0 } else { -1.0 }
    }

    /// The priority at which every query starts.
    pub(super) fn first_priority(&self) -> f32 {
        if self.layout.metric == Metric::Hamming { 0.0 } else { f32::INFINITY }
    }

    /// The priorities of the two children of a split with this margin, from the split's own: the worst margin on the
    /// path, or, for bits, minus the number of bits on the path that differ.
    #[inline]
    pub(super) fn sink(&self, priority: f32, margin: f32) -> [f32; 2] {
        let least = |margin: f32| if margin < priority { margin } else { priority };
        match self.layout.metric {
            Metric::Hamming if margin > 0.0 => [priority - 1.0, priority],
            Metric::Hamming => [priority, priority - 1.0],
            _ => [least(-margin), least(margin)],
        }
    }
}

/// 2 − 2 cos, from two squared lengths and the inner product; 2 when one of them has no length.
fn angular(x: f32, y: f32, dot: f32) -> f32 {
    let both = x * y;
    let order = (2.0 - 2.0 * f64::from(dot) / f64::from(both.sqrt())) as f32;
    if both > 0.0 { order } else { 2.0 }
}
