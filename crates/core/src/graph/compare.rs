//! Many vectors in bytes compared with many others at once.

use super::node::Own;
use crate::simd::{Asking, Kernels, LANES, Near, padded, set_bits, to_points, to_tiles};

/// Vectors that others are compared with, sixteen side by side.
#[derive(Debug, Default)]
pub(crate) struct Tiles {
    bytes: Vec<i8>,
    times: Vec<f32>,
    squares: Vec<f32>,
}

impl Tiles {
    /// Holds these vectors, in that order, instead of others.
    pub(crate) fn fill<'a>(&mut self, owns: impl ExactSizeIterator<Item = Own<'a>> + Clone, width: usize) {
        let places = owns.len().next_multiple_of(LANES);
        self.bytes.clear();
        to_tiles(owns.clone().map(|own| own.bytes), width, &mut self.bytes);
        self.times.clear();
        self.times.extend(owns.clone().map(|own| own.times));
        self.times.resize(places, 0.0);
        self.squares.clear();
        self.squares.extend(owns.map(|own| own.square));
        self.squares.resize(places, f32::INFINITY); // nothing is close to what is not there
    }
}

/// Vectors that are compared with tiles, and what came out for the last ones.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    width: usize,
    points: Vec<i8>,
    asking: Vec<Asking>,
    apart: Vec<f32>,
    below: Vec<u16>,
    /// Tiles that were compared with last.
    count: usize,
}

impl Comparison {
    /// Asks for these vectors, of so many bytes, from now on.
    pub(crate) fn ask<'a>(&mut self, owns: impl Iterator<Item = Own<'a>> + Clone, width: usize) {
        self.width = padded(width);
        self.points.clear();
        to_points(owns.clone().map(|own| own.bytes), width, &mut self.points);
        self.asking.clear();
        let asking = |own: Own<'_>| Asking { unit: own.unit, square: own.square, threshold: f32::INFINITY };
        self.asking.extend(owns.map(asking));
    }

    /// Compares them with some others.
    pub(crate) fn with(&mut self, kernels: &Kernels, Tiles { bytes: tiles, times, squares }: &Tiles) {
        let Self { width, points, asking, apart, below, count } = self;
        *count = squares.len() / LANES;
        apart.resize(asking.len() * squares.len(), 0.0);
        below.resize(asking.len() * *count, 0);
        if !below.is_empty() {
            let near = Near { points, width: *width, asking, tiles, times, squares };
            (kernels.near_bytes)(&near, apart, below);
        }
    }

    /// The squared distances of vector number `i` from all of these others, and from what fills the last tile.
    pub(crate) fn apart(&self, i: usize) -> &[f32] {
        &self.apart[i * self.count * LANES..][..self.count * LANES]
    }

    /// Which of these others are closer to vector number `i` than its threshold, with their squared distances.
    pub(crate) fn below(&self, i: usize) -> impl Iterator<Item = (usize, f32)> {
        let (apart, below) = (self.apart(i), &self.below[i * self.count..][..self.count]);
        let tiles = (0..).step_by(LANES).zip(below);
        tiles
            .flat_map(|(first, &below)| set_bits(below.into()).map(move |lane| first + lane))
            .map(|at| (at, apart[at]))
    }

    /// From now on only those count as close to vector number `i` that are closer than this.
    pub(crate) fn set_threshold(&mut self, i: usize, threshold: f32) {
        self.asking[i].threshold = threshold;
    }
}
