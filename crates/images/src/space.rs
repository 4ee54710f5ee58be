//! What makes the vectors of a collection spread out: centred on its pictures, and half-whitened.
//!
//! Many models put all pictures into a narrow cone, where unrelated ones have a cosine of 0.5. Without the mean, in the
//! directions in which the collection differs most, and with each of these divided by the root of its deviation,
//! unrelated pictures have a cosine of about 0 and neighbours are told apart better.

use nalgebra::{DMatrix, SymmetricEigen};

/// From so many pictures on, vectors are centred.
const CENTRED: usize = 32;
/// From so many pictures on, they are projected and half-whitened.
const WHITENED: usize = 128;
/// Directions that are kept.
const AXES: usize = 64;
/// As many vectors, taken all over the collection, show how it spreads.
pub(crate) const MOST: usize = 50_000;
/// A collection that has grown so many times over is fitted anew.
const GROWTH: usize = 4;
/// Pairs of pictures whose cosines show how much alike unrelated pictures are.
const PAIRS: usize = 20_000;

/// How vectors of an embedder become vectors of the index.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Space {
    /// Values that come in.
    dim: usize,
    /// What is subtracted; empty in the space that leaves vectors as they are.
    centre: Vec<f32>,
    /// Rows of `dim` values, each an axis with its scale; empty where nothing is projected.
    axes: Vec<f32>,
    /// Pictures that it was fitted on.
    pub(crate) fitted: usize,
    /// The cosine that one of a hundred pairs of pictures exceeds; 1 before there are enough to tell.
    pub(crate) random_pair: f32,
}

impl Space {
    /// Vectors as they are, of length 1.
    pub(crate) fn plain(dim: usize) -> Self {
        Self { dim, centre: Vec::new(), axes: Vec::new(), fitted: 0, random_pair: 1.0 }
    }

    /// One that was stored.
    pub(crate) fn from_parts(
        dim: usize,
        centre: Vec<f32>,
        axes: Vec<f32>,
        fitted: usize,
        random_pair: f32,
    ) -> Option<Self> {
        let sound = (centre.is_empty() || centre.len() == dim) && axes.len().is_multiple_of(dim.max(1));
        sound.then_some(Self { dim, centre, axes, fitted, random_pair })
    }

    /// Centre and axes, to be stored.
    pub(crate) fn parts(&self) -> (&[f32], &[f32]) {
        (&self.centre, &self.axes)
    }

    /// Values that come out.
    pub(crate) fn dim(&self) -> usize {
        if self.axes.is_empty() { self.dim } else { self.axes.len() / self.dim }
    }

    /// Whether a collection that was fitted with `fitted` pictures and has `count` now is to be fitted anew.
    pub(crate) fn is_outgrown(fitted: usize, count: usize) -> bool {
        let stage = |count: usize| usize::from(count >= CENTRED) + usize::from(count >= WHITENED);
        count >= CENTRED && (count >= fitted.max(1) * GROWTH || stage(count) > stage(fitted))
    }

    /// Fits rows of `dim` values, a sample of `count`; `adapts` says whether they are changed at all or only measured.
    pub(crate) fn fit(rows: &[f32], dim: usize, count: usize, adapts: bool) -> Self {
        let sample: Vec<Vec<f32>> = rows.chunks_exact(dim).map(|row| unit(row.to_vec())).collect();
        let mut space = Self { fitted: count, ..Self::plain(dim) };
        if adapts && count >= CENTRED {
            space.centre = vec![0.0; dim];
            for row in &sample {
                for (mean, value) in space.centre.iter_mut().zip(row) {
                    *mean += value / sample.len() as f32;
                }
            }
            if count >= WHITENED {
                space.axes = axes(&sample, &space.centre, AXES.min(dim));
            }
        }
        space.random_pair = random_pair(&sample.iter().map(|row| space.apply(row)).collect::<Vec<_>>());
        space
    }

    /// The vector of the index, of length 1, for a vector of the embedder.
    pub(crate) fn apply(&self, vector: &[f32]) -> Vec<f32> {
        let mut vector = unit(vector.to_vec());
        for (value, mean) in vector.iter_mut().zip(&self.centre) {
            *value -= mean;
        }
        if self.axes.is_empty() {
            return unit(vector);
        }
        let along = |axis: &[f32]| axis.iter().zip(&vector).map(|(a, b)| a * b).sum::<f32>();
        unit(self.axes.chunks_exact(self.dim).map(along).collect())
    }
}

/// The vector with length 1. One that is zero stays so.
pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 1e-12 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

/// The directions of largest deviation, each divided by the root of it, largest first.
fn axes(sample: &[Vec<f32>], centre: &[f32], count: usize) -> Vec<f32> {
    let dim = centre.len();
    let mut covariance = DMatrix::<f32>::zeros(dim, dim);
    // A block of rows at a time: a product of matrices, without a copy of all rows.
    for block in sample.chunks(1024) {
        let rows = DMatrix::from_fn(dim, block.len(), |value, row| block[row][value] - centre[value]);
        covariance += &rows * rows.transpose();
    }
    covariance /= sample.len() as f32;
    let parts = SymmetricEigen::new(covariance);
    let mut order: Vec<usize> = (0..dim).collect();
    order.sort_by(|&a, &b| parts.eigenvalues[b].total_cmp(&parts.eigenvalues[a]));
    let largest = parts.eigenvalues[order[0]].max(1e-12);
    let mut axes = Vec::with_capacity(count * dim);
    for &at in order.iter().take(count) {
        let variance = parts.eigenvalues[at];
        // What is a millionth of the largest is the noise of the sums.
        let scale = if variance > largest * 1e-6 { variance.powf(-0.25) } else { 0.0 };
        axes.extend(parts.eigenvectors.column(at).iter().map(|value| value * scale));
    }
    axes
}

/// The cosine that one of a hundred pairs exceeds. The pairs are spread over the rows by a fixed rule.
fn random_pair(rows: &[Vec<f32>]) -> f32 {
    if rows.len() < CENTRED {
        return 1.0;
    }
    let pairs = PAIRS.min(rows.len() * (rows.len() - 1) / 2);
    let mut cosines: Vec<f32> = (0..pairs)
        .map(|pair| {
            let first = pair % rows.len();
            let apart = 1 + pair.wrapping_mul(2_654_435_761) % (rows.len() - 1);
            let second = (first + apart) % rows.len();
            rows[first].iter().zip(&rows[second]).map(|(a, b)| a * b).sum()
        })
        .collect();
    cosines.sort_by(f32::total_cmp);
    cosines[cosines.len() * 99 / 100]
}
