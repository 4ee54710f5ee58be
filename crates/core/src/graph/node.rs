//! A node of the graph: a coded vector, the vectors beside it, and their codes as seen from it.

use bytemuck::{cast_slice, cast_slice_mut};
use half::bf16;

use crate::simd::BLOCK;

/// Stands for "no vector" behind the last edge.
pub(crate) const NOBODY: u32 = u32::MAX;
/// Edges that a node has room for: a block of the kernel that estimates all of them at once.
pub(crate) const EDGES: usize = BLOCK;

/// Words of a cache line: a node takes whole ones.
const LINE: usize = 16;
/// Bytes of a code for all edges.
const CODE: usize = BLOCK / 2;
/// Bytes are too coarse for squared distances below so many times a vector's distance from the centre times what one of its bytes is
/// worth. Rounding to whole numbers, if all roundings are equally likely, changes a squared distance by 2 / √12 of that in the mean square.
const COARSE: f32 = 10.0;
/// Behind the last edge: an estimate of infinity.
const NO_FACTORS: u32 = f32::INFINITY.to_bits() >> 16;

/// Where everything lies in a node: the codes of the vectors beside it, relative to its own vector, as the kernel wants them;
/// the numbers of these vectors, those that lead nowhere last; their factors; its own vector in bytes; and three numbers for
/// that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    /// Codes of an edge.
    codes: usize,
    /// Bytes of its own vector.
    width: usize,
}

/// A node's own vector: how far it is from the centre of all, and its bytes with what they are worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    /// Its squared distance from the centre; infinite where there is no vector.
    pub(crate) square: f32,
    /// Minus twice the inner product with a query is the bytes' inner product times this.
    pub(crate) times: f32,
    /// What a byte is worth.
    pub(crate) unit: f32,
    pub(crate) bytes: &'a [i8],
}

impl Own<'_> {
    /// Whether there is a vector.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.square < f32::INFINITY
    }

    /// The squared distance of another vector, by the inner product of their bytes.
    #[inline]
    pub(crate) fn apart(self, other: Own<'_>, dot: i32) -> f32 {
        dot as f32 * self.unit * other.times + (self.square + other.square)
    }

    /// Whether bytes are too coarse for the distance of a vector whose square is about so much.
    pub(crate) fn is_close(&self, square: f32) -> bool {
        square < COARSE * self.square.sqrt() * self.unit
    }
}

impl Layout {
    /// For edges of so many codes, and vectors of so many bytes.
    pub(crate) fn new(codes: usize, width: usize) -> Self {
        Self { codes, width }
    }

    /// Words of a node.
    pub(crate) fn words(self) -> usize {
        (self.numbers_at() + 3).next_multiple_of(LINE)
    }

    /// Bytes of a vector.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    fn edges_at(self) -> usize {
        self.codes * CODE / size_of::<u32>()
    }

    fn own_at(self) -> usize {
        self.edges_at() + 2 * EDGES
    }

    fn numbers_at(self) -> usize {
        self.own_at() + self.width.div_ceil(size_of::<u32>())
    }

    /// Makes `node` one without a vector and without edges.
    pub(crate) fn clear(self, node: &mut [u32]) {
        node.fill(0);
        node[self.numbers_at()] = f32::INFINITY.to_bits();
        self.clear_edges(node);
    }

    /// Makes `node` that of the centre of all vectors, without edges.
    pub(crate) fn write_centre(self, node: &mut [u32]) {
        self.clear(node);
        node[self.numbers_at()] = 0.0_f32.to_bits();
    }

    /// Makes `node` that of a vector, without edges.
    pub(crate) fn write(self, node: &mut [u32], own: Own<'_>) {
        self.clear(node);
        node[self.numbers_at()..][..3].copy_from_slice(&[own.square, own.times, own.unit].map(f32::to_bits));
        let bytes: &mut [i8] = cast_slice_mut(&mut node[self.own_at()..self.numbers_at()]);
        bytes[..self.width].copy_from_slice(own.bytes);
    }

    /// The node's own vector.
    #[inline]
    pub(crate) fn own(self, node: &[u32]) -> Own<'_> {
        let number = |i: usize| f32::from_bits(node[self.numbers_at() + i]);
        let bytes: &[i8] = cast_slice(&node[self.own_at()..self.numbers_at()]);
        Own { square: number(0), times: number(1), unit: number(2), bytes: &bytes[..self.width] }
    }

    /// The words of its own vector, to be fetched; none of an empty node.
    #[inline]
    pub(crate) fn own_words(self, node: &[u32]) -> &[u32] {
        node.get(self.own_at()..self.numbers_at() + 3).unwrap_or_default()
    }

    /// The words of [`beside`](Self::beside), to be fetched; none of an empty node.
    #[inline]
    pub(crate) fn beside_words(self, node: &[u32]) -> &[u32] {
        node.get(self.edges_at()..self.edges_at() + EDGES).unwrap_or_default()
    }

    #[inline]
    pub(super) fn codes(self, node: &[u32]) -> &[u8] {
        cast_slice(&node[..self.edges_at()])
    }

    #[inline]
    pub(super) fn edge_words(self, node: &[u32]) -> &[u32] {
        &node[self.edges_at()..][..EDGES]
    }

    #[inline]
    pub(super) fn factors(self, node: &[u32]) -> Option<&[u32; EDGES]> {
        node[self.edges_at() + EDGES..].first_chunk()
    }

    /// The vectors beside it.
    pub(crate) fn beside(self, node: &[u32]) -> &[u32] {
        let edges = self.edge_words(node);
        &edges[..edges.iter().position(|&edge| edge == NOBODY).unwrap_or(EDGES)]
    }

    /// Drops all edges.
    pub(crate) fn clear_edges(self, node: &mut [u32]) {
        let (places, factors) = node[self.edges_at()..self.own_at()].split_at_mut(EDGES);
        places.fill(NOBODY);
        factors.fill(NO_FACTORS);
    }

    /// Drops the edge in a place; the last one moves there.
    pub(crate) fn drop_edge(self, node: &mut [u32], place: usize) {
        let Some(last) = self.beside(node).len().checked_sub(1) else { return };
        let (to, factors) = (node[self.edges_at() + last], node[self.edges_at() + EDGES + last]);
        let codes: Vec<u8> = self.codes(node).chunks_exact(CODE).map(|bytes| code_in(bytes, last)).collect();
        self.put(node, place, to, codes.into_iter(), factors);
        node[self.edges_at() + last] = NOBODY;
        node[self.edges_at() + EDGES + last] = NO_FACTORS;
    }

    /// Leads edge number `place` to a vector: its codes, and its factors as floats.
    pub(crate) fn set_edge(
        self,
        node: &mut [u32],
        place: usize,
        to: u32,
        codes: impl Iterator<Item = u8>,
        added: f32,
        times: f32,
    ) {
        self.put(node, place, to, codes, both_halves(added, times));
    }

    /// Leads the first edges of a half of the places to vectors: the codes of each in its lane, and its factors as floats.
    pub(super) fn set_half(
        self,
        node: &mut [u32],
        half: usize,
        to: &[u32],
        codes: &[[u8; CODE]],
        factors: &[(f32, f32); CODE],
    ) {
        let (first, shift) = (half * CODE, half * 4);
        let (kept, mask): (u8, [u8; CODE]) =
            (!(15 << shift), std::array::from_fn(|lane| if lane < to.len() { 15 } else { 0 }));
        let bytes: &mut [u8] = cast_slice_mut(&mut node[..self.edges_at()]);
        for (bytes, codes) in bytes.as_chunks_mut::<CODE>().0.iter_mut().zip(codes) {
            for lane in 0..CODE {
                bytes[lane] = bytes[lane] & kept | (codes[lane] & mask[lane]) << shift;
            }
        }
        for (place, (&to, &(added, times))) in (first..).zip(to.iter().zip(factors)) {
            node[self.edges_at() + place] = to;
            node[self.edges_at() + EDGES + place] = both_halves(added, times);
        }
    }

    fn put(self, node: &mut [u32], place: usize, to: u32, codes: impl Iterator<Item = u8>, factors: u32) {
        let shift = place / CODE * 4;
        let bytes: &mut [u8] = cast_slice_mut(&mut node[..self.edges_at()]);
        for (bytes, code) in bytes.chunks_exact_mut(CODE).zip(codes) {
            let byte = &mut bytes[place % CODE];
            *byte = *byte & !(15 << shift) | code << shift;
        }
        node[self.edges_at() + place] = to;
        node[self.edges_at() + EDGES + place] = factors;
    }
}

/// The code of the edge in a place.
fn code_in(bytes: &[u8], place: usize) -> u8 {
    bytes[place % CODE] >> (place / CODE * 4) & 15
}

/// The two factors of an edge in one word.
fn both_halves(added: f32, times: f32) -> u32 {
    upper_half(added) | upper_half(times) << 16
}

/// The upper half of a float's bits, rounded.
fn upper_half(value: f32) -> u32 {
    u32::from(bf16::from_f32(value).to_bits())
}

#[cfg(test)]
mod tests {
    use super::{EDGES, Layout, Own};

    const CODES: usize = 12;

    /// What tells an edge from others: where it leads, its codes and its factors.
    fn edges(layout: Layout, node: &[u32]) -> Vec<(u32, Vec<u8>, u32)> {
        let code =
            |place: usize| layout.codes(node).chunks_exact(16).map(|it| super::code_in(it, place)).collect();
        let beside = layout.beside(node).iter().enumerate();
        beside
            .map(|(place, &to)| (to, code(place), layout.factors(node).map_or(0, |all| all[place])))
            .collect()
    }

    #[test]
    fn a_node_keeps_what_is_put_into_it() {
        let layout = Layout::new(CODES, 19);
        let mut node = vec![7; layout.words()];
        assert!(node.len().is_multiple_of(16), "whole cache lines");
        let bytes: Vec<i8> = (-9..10).collect();
        layout.write(&mut node, Own { square: 2.5, times: -0.5, unit: 0.25, bytes: &bytes });
        let mut wanted = Vec::new();
        for place in 0..EDGES {
            let codes: Vec<u8> = (0..CODES).map(|c| (place * 5 + c * 3) as u8 % 16).collect();
            layout.set_edge(&mut node, place, place as u32 * 10, codes.iter().copied(), 1.5, -(place as f32));
            wanted.push((place as u32 * 10, codes, 0x3FC0 | (-(place as f32)).to_bits() >> 16 << 16));
            assert_eq!(edges(layout, &node), wanted);
        }
        let own = layout.own(&node);
        assert_eq!((own.square, own.times, own.unit, own.bytes), (2.5, -0.5, 0.25, bytes.as_slice()));
        assert!(own.is_there());
        // The last edge moves into the gap, whichever half of a byte either is in.
        for place in [3, 20, 0, 28, 27, 15] {
            layout.drop_edge(&mut node, place);
            wanted.swap_remove(place);
            assert_eq!(edges(layout, &node), wanted);
        }
        layout.clear(&mut node);
        assert!(!layout.own(&node).is_there() && edges(layout, &node).is_empty());
        layout.drop_edge(&mut node, 0);
        layout.write_centre(&mut node);
        assert_eq!(layout.own(&node).square, 0.0);
    }
}
