//! Where things lie in a node of an Annoy file: the six layouts.
//!
//! A file is an array of nodes of equal size, without header or footer, all little-endian: first the items by id, then
//! the trees' nodes, children before parents, then a copy of each root. All offsets below are in 4-byte words.
//!
//! ```text
//! item    count = 1 | extra | vector                          (a hole, an id without item, is all zeros)
//! bucket  count     | count ids, from `children` on, over the place of the vector
//! split   count     | two children, extra | normal of the plane
//! ```
//!
//! `count` is the number of items below; a node is a bucket when it is at most [`Layout::bucket`]. A child is an item
//! when its number is below the number of items.

use super::metric::Metric;
use crate::error::Damage;
use crate::simd::Word;

/// Where an item's count lies in every layout.
const COUNT: usize = 0;
/// The mark of a split of bits that tells nothing: "blnd".
const BLIND: u32 = u32::from_le_bytes(*b"blnd");
/// Where the vector lies in a dot-product file of Annoy's unreleased head.
const HEAD_DOT_VECTOR: usize = 6;

/// One of the six layouts, for one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) metric: Metric,
    /// Dimensions: floats, or bits.
    pub(super) dim: usize,
    /// Words in a node.
    pub(super) stride: usize,
    /// Where the children, or a bucket's ids, begin.
    pub(super) children: usize,
    /// Where the vector or the normal begins.
    pub(super) vector: usize,
    /// Words in a vector.
    pub(super) vector_len: usize,
    /// Most ids in a bucket.
    pub(super) bucket: usize,
}

impl Layout {
    /// The layout that Annoy 1.17.3 writes and reads.
    pub(super) fn current(metric: Metric, dim: usize) -> Self {
        match metric {
            Metric::Angular => Self::new(metric, dim, 1, 3),
            Metric::Euclidean | Metric::Manhattan => Self::new(metric, dim, 2, 4),
            Metric::Hamming | Metric::Dot => Self::new(metric, dim, 1, 4),
        }
    }

    /// The other layouts under which a file of this metric may have been written.
    pub(super) fn others(metric: Metric, dim: usize) -> Option<Self> {
        match metric {
            // 1.16.3 and before packed the words of a binary vector behind the children without a gap.
            Metric::Hamming => Some(Self::new(metric, dim, 1, 3)),
            // Annoy's unreleased head keeps the norm and a flag before the vector.
            Metric::Dot => Some(Self::new(metric, dim, 1, HEAD_DOT_VECTOR)),
            Metric::Angular | Metric::Euclidean | Metric::Manhattan => None,
        }
    }

    fn new(metric: Metric, dim: usize, children: usize, vector: usize) -> Self {
        let vector_len = if metric == Metric::Hamming { dim.div_ceil(64) * 2 } else { dim };
        let stride = vector + vector_len;
        Self { metric, dim, stride, children, vector, vector_len, bucket: stride - children }
    }

    /// Bytes in a node.
    pub(super) fn bytes(&self) -> u64 {
        self.stride as u64 * 4
    }

    /// The node number `i` of `words`.
    #[inline]
    pub(super) fn node<'a>(&self, words: &'a [u32], i: usize) -> &'a [u32] {
        &words[i * self.stride..][..self.stride]
    }

    /// How many items a node says are below it. Annoy's integers are signed; a negative one comes back as huge.
    #[inline]
    pub(super) fn count(&self, node: &[u32]) -> usize {
        node[COUNT] as usize
    }

    #[inline]
    pub(super) fn set_count(&self, node: &mut [u32], count: usize) {
        node[COUNT] = count as u32;
    }

    #[inline]
    pub(super) fn children<'a>(&self, node: &'a [u32]) -> &'a [u32; 2] {
        node[self.children..].first_chunk().expect("a node has room for two children")
    }

    #[inline]
    pub(super) fn children_mut<'a>(&self, node: &'a mut [u32]) -> &'a mut [u32; 2] {
        node[self.children..].first_chunk_mut().expect("a node has room for two children")
    }

    /// The ids of a bucket of `count` ids, at most [`bucket`](Self::bucket).
    #[inline]
    pub(super) fn ids<'a>(&self, node: &'a [u32], count: usize) -> &'a [u32] {
        &node[self.children..][..count]
    }

    /// The vector or normal, as stored.
    #[inline]
    pub(super) fn vector<'a>(&self, node: &'a [u32]) -> &'a [u32] {
        &node[self.vector..][..self.vector_len]
    }

    #[inline]
    pub(super) fn vector_mut<'a>(&self, node: &'a mut [u32]) -> &'a mut [u32] {
        &mut node[self.vector..][..self.vector_len]
    }

    #[inline]
    pub(super) fn floats<'a>(&self, node: &'a [u32]) -> &'a [f32] {
        bytemuck::cast_slice(self.vector(node))
    }

    #[inline]
    pub(super) fn bits<'a>(&self, node: &'a [u32]) -> &'a [Word] {
        bytemuck::cast_slice(self.vector(node))
    }

    /// The margin to a split's plane, from normal · vector: the plane's constant is added.
    #[inline]
    pub(super) fn add_offset(&self, node: &[u32], dot: f32) -> f32 {
        match self.metric {
            Metric::Angular | Metric::Hamming => dot,
            Metric::Euclidean | Metric::Manhattan => f32::from_bits(node[1]) + dot,
            // The head of Annoy keeps the constant for building; its queries leave it out.
            Metric::Dot if self.vector == HEAD_DOT_VECTOR => dot,
            // What Annoy 1.17.3 computes on such files, whatever its authors meant.
            Metric::Dot => {
                let factor = f32::from_bits(node[3]);
                factor.mul_add(factor, dot)
            }
        }
    }

    /// Writes the constant of a plane; for the dot product it must not be negative.
    pub(super) fn set_offset(&self, node: &mut [u32], offset: f32) {
        match self.metric {
            Metric::Angular | Metric::Hamming => {}
            Metric::Euclidean | Metric::Manhattan => node[1] = offset.to_bits(),
            Metric::Dot => node[3] = offset.sqrt().to_bits(),
        }
    }

    /// Marks a split of bits whose sides no bit tells apart. Annoy writes bit 0 there and reads it as such; the mark
    /// lies in the gap before the vector, which it leaves alone.
    pub(super) fn mark_blind(&self, node: &mut [u32]) {
        if self.metric == Metric::Hamming && self.vector == 4 {
            node[3] = BLIND;
        }
    }

    /// Whether a split is marked so.
    pub(super) fn is_blind(&self, node: &[u32]) -> bool {
        self.metric == Metric::Hamming && self.vector == 4 && node[3] == BLIND
    }

    /// The squared length that an item of an angular file carries; 0 in files of Annoy before 1.11.2.
    #[inline]
    pub(super) fn norm(&self, node: &[u32]) -> f32 {
        f32::from_bits(node[1])
    }

    /// Writes an item. `norm` is its squared length, kept where the layout has a place for it.
    pub(super) fn write_item(&self, node: &mut [u32], vector: &[u32], norm: f32) {
        node.fill(0);
        self.set_count(node, 1);
        if self.metric == Metric::Angular {
            node[1] = norm.to_bits();
        }
        self.vector_mut(node).copy_from_slice(vector);
    }

    /// Whether a node in the place of an item is one: `Some(false)` for a hole, `None` for neither.
    #[inline]
    pub(super) fn is_item(&self, node: &[u32]) -> Option<bool> {
        match node[COUNT] {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// [`is_item`](Self::is_item), with the error that names the id.
    #[inline]
    pub(super) fn check_item(&self, node: &[u32], id: u32) -> Result<bool, Damage> {
        self.is_item(node).ok_or_else(|| {
            Damage::new(format!(
                "item {id} says that it has {} items below it; an item has 0 or 1",
                node[COUNT]
            ))
        })
    }

    /// Whether the words between the count and the vector are those of an item of this metric.
    pub(super) fn looks_like_item(&self, node: &[u32]) -> bool {
        let children_are_zero = match self.metric {
            Metric::Angular => node[2] == 0 && (self.norm(node) >= 0.0 || self.norm(node).is_nan()),
            _ => *self.children(node) == [0, 0],
        };
        match self.is_item(node) {
            Some(true) => children_are_zero,
            Some(false) => true,
            None => false,
        }
    }
}
