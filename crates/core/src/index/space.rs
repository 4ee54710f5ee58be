//! How vectors of one metric and dimension are stored, turned into points, and compared exactly.

use bytemuck::{cast_slice, cast_slice_mut};

use super::Metric;
use crate::quant::Measure;
use crate::simd::{self, Kernels, Word};
use crate::vectors::{Vector, Vectors};

/// Words of a kernel's word of bits.
const WORD: usize = size_of::<Word>() / size_of::<u32>();

/// A metric over vectors of one dimension.
///
/// A *row* is a vector as it is stored: the floats as they were given, or the bits, filled up with zeros. A *point* is
/// what the leaves are made of: the row as floats, of length 1 for `cosine`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) dim: usize,
    pub(super) metric: Metric,
    pub(super) kernels: &'static Kernels,
}

/// A query, ready to be compared.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) row: Vec<u32>,
    pub(super) point: Vec<f32>,
}

impl Space {
    pub(super) fn new(dim: usize, metric: Metric) -> Self {
        Self { dim, metric, kernels: simd::kernels() }
    }

    /// Words of a row.
    pub(super) fn row_words(&self) -> usize {
        if self.metric.is_binary() { self.dim.div_ceil(32).next_multiple_of(WORD) } else { self.dim }
    }

    /// Values, or bytes, of a vector as callers give it.
    pub(super) fn width(&self) -> usize {
        if self.metric.is_binary() { self.dim.div_ceil(8) } else { self.dim }
    }

    /// What callers give.
    pub(super) fn expected(&self) -> &'static str {
        if self.metric.is_binary() { "packed bits, 8 dimensions in a byte" } else { "floats" }
    }

    /// What the sums of the leaves' codes mean.
    pub(super) fn measure(&self) -> Measure {
        match self.metric {
            Metric::Dot => Measure::MinusDot,
            Metric::Manhattan => Measure::Absolute,
            Metric::Cosine | Metric::Euclidean | Metric::SqEuclidean | Metric::Hamming => {
                Measure::MinusTwiceDot
            }
        }
    }

    /// Row `i` of `vectors`, as it is stored.
    pub(super) fn write_row(&self, vectors: Vectors<'_>, i: usize, row: &mut [u32]) {
        let width = self.width();
        let Vectors::Bits(bytes) = vectors else {
            return vectors.write_floats(i * width, cast_slice_mut(row));
        };
        row.fill(0);
        let row: &mut [u8] = cast_slice_mut(row);
        row[..width].copy_from_slice(&bytes[i * width..][..width]);
        if !self.dim.is_multiple_of(8) {
            row[width - 1] &= (1 << (self.dim % 8)) - 1;
        }
    }

    /// A row as the caller gave it.
    pub(super) fn vector(&self, row: &[u32]) -> Vector {
        if self.metric.is_binary() {
            Vector::Bits(cast_slice(row)[..self.width()].to_vec())
        } else {
            Vector::Floats(cast_slice(row).to_vec())
        }
    }

    /// 1 / length, where only directions count; 0 for a vector without one.
    pub(super) fn scale(&self, row: &[u32]) -> f32 {
        if self.metric != Metric::Cosine {
            return 1.0;
        }
        let values: &[f32] = cast_slice(row);
        let square = (self.kernels.dot)(values, values);
        if square.is_normal() {
            return 1.0 / square.sqrt();
        }
        // Beyond what a float can square: once more with doubles.
        let square: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        if square > 0.0 { (1.0 / square.sqrt()).min(f64::from(f32::MAX)) as f32 } else { 0.0 }
    }

    /// The point of a row, behind what is in `points`.
    pub(super) fn push_point(&self, row: &[u32], points: &mut Vec<f32>) {
        if self.metric.is_binary() {
            let bit = |d: usize| (row[d / 32] >> (d % 32) & 1) as f32;
            points.extend((0..self.dim).map(bit));
        } else if self.metric == Metric::Cosine {
            let scale = self.scale(row);
            points.extend(cast_slice::<u32, f32>(row).iter().map(|value| value * scale));
        } else {
            points.extend_from_slice(cast_slice(row));
        }
    }

    /// Makes `query` of row `i` of `queries`.
    pub(super) fn write_query(&self, queries: Vectors<'_>, i: usize, query: &mut Query) {
        query.row.resize(self.row_words(), 0);
        self.write_row(queries, i, &mut query.row);
        query.point.clear();
        self.push_point(&query.row, &mut query.point);
    }

    /// What orders rows by their distance from the query; [`distance`](Self::distance) makes the distance of it.
    /// `scales` are those of the rows.
    pub(super) fn ranks(&self, query: &Query, rows: &[&[u32]], scales: &[f32], ranks: &mut [f32]) {
        const MOST: usize = 16;
        for ((rows, scales), ranks) in rows.chunks(MOST).zip(scales.chunks(MOST)).zip(ranks.chunks_mut(MOST))
        {
            let n = rows.len();
            if self.metric.is_binary() {
                let mut views: [&[Word]; MOST] = [&[]; MOST];
                views.iter_mut().zip(rows).for_each(|(view, row)| *view = cast_slice(row));
                let mut counts = [0; MOST];
                (self.kernels.hamming_rows)(cast_slice(&query.row), &views[..n], &mut counts[..n]);
                ranks.iter_mut().zip(counts).for_each(|(rank, count)| *rank = count as f32);
                continue;
            }
            let mut views: [&[f32]; MOST] = [&[]; MOST];
            views.iter_mut().zip(rows).for_each(|(view, row)| *view = cast_slice(row));
            let kernel = match self.metric {
                Metric::Cosine | Metric::Dot => self.kernels.dot_rows,
                Metric::Manhattan => self.kernels.l1_rows,
                _ => self.kernels.l2_squared_rows,
            };
            kernel(&query.point, &views[..n], ranks);
            match self.metric {
                Metric::Cosine => {
                    ranks.iter_mut().zip(scales).for_each(|(rank, scale)| *rank = 1.0 - *rank * scale);
                }
                // A difference, so that nothing becomes -0.
                Metric::Dot => ranks.iter_mut().for_each(|rank| *rank = 0.0 - *rank),
                _ => {}
            }
        }
    }

    /// The distance that a rank stands for.
    pub(super) fn distance(&self, rank: f32) -> f32 {
        match self.metric {
            Metric::Euclidean => rank.sqrt(),
            Metric::Hamming => rank / self.dim as f32,
            Metric::Cosine => rank.max(0.0),
            _ => rank,
        }
    }
}
