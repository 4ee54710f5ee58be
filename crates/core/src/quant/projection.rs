//! Which directions of a space are coded, and in which order.

use std::sync::Arc;

use bytemuck::cast_slice;

use crate::kmeans::{Points, Tiles};
use crate::parallel;
use crate::random::Random;
use crate::simd::{Kernels, LANES, SHORTS, in_fours};

/// Principal components are looked for among the first few thousand directions at most: beyond, the matrix costs a
/// query more than it saves.
const MOST_ROTATED: usize = 2048;
/// As many vectors show where the variance lies.
const MOST_ROWS: usize = 8192;
/// At most this many components are kept.
const MOST_COMPONENTS: usize = 512;
/// The share of the variance that the components hold together; the rest is not coded.
const KEPT_VARIANCE: f64 = 0.99;
/// Rounds of the subspace iteration: the leading components need to span the right space, not to be exact.
const ROUNDS: usize = 8;

/// Vectors whose moments are taken at a time.
const AT_ONCE: usize = 512;
/// Where this share of a row's length is left, it is at right angles to the others as well as numbers allow.
const ENOUGH_LEFT: f32 = 0.5;

/// A map from vectors to the values that are coded, in the order of falling variance.
#[derive(Clone, Debug)]
pub(crate) enum Projection {
    /// Some of the vector's own values.
    Chosen(Vec<u32>),
    /// Inner products with orthonormal directions: the principal components.
    Rotated(Arc<Rotation>),
}

/// Orthonormal directions, which the codebooks of leaves, directory and graph share.
#[derive(Debug)]
pub(crate) struct Rotation {
    tiles: Tiles,
    /// The directions once more in whole numbers, [`in_fours`], in units of 1 / [`LENGTH`]: half as many bytes, all of which a query
    /// reads.
    shorts: Vec<i16>,
}

/// The lengths of directions and queries in whole numbers. No value is longer, and what is added up on the way to an inner product
/// is less than 2^30, by Cauchy's and Schwarz's inequality.
const LENGTH: f32 = 32_767.0;

impl Rotation {
    fn new(kernels: &Kernels, rows: Points<'_>) -> Arc<Self> {
        let shorts = (0..rows.len()).map(|i| {
            let mut row = vec![0; rows.dim];
            (kernels.to_shorts)(rows.row(i), LENGTH, &mut row);
            row
        });
        let shorts = in_fours(&shorts.collect::<Vec<_>>());
        Arc::new(Self { tiles: Tiles::new(kernels, rows), shorts })
    }

    /// The inner products of a query with the directions, up to a thousandth of its length, in [`Tiles::padded`] numbers.
    fn of_query(&self, kernels: &Kernels, query: &[f32], whole: &mut Whole, out: &mut Vec<f32>) {
        let square = (kernels.dot)(query, query);
        let length = if square.is_normal() {
            square.sqrt()
        } else {
            query.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32
        };
        let scale = if length > 0.0 { LENGTH / length } else { 0.0 };
        let Whole { query: shorts, dots } = whole;
        shorts.resize(query.len().next_multiple_of(SHORTS), 0);
        dots.resize(self.shorts.len() / shorts.len(), 0);
        (kernels.to_shorts)(query, scale, &mut shorts[..query.len()]);
        (kernels.dot_shorts)(shorts, &self.shorts, dots);
        let unit = length / LENGTH / LENGTH;
        out.clear();
        out.extend(dots.iter().map(|&dot| dot as f32 * unit));
        out.resize(self.tiles.padded(), 0.0);
    }
}

/// Buffers for a query in whole numbers.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    query: Vec<i16>,
    dots: Vec<i32>,
}

impl Projection {
    /// The vector's own values in the order of their variance in `sample`, those that never vary left out, with the
    /// variances.
    pub(crate) fn chosen(sample: Points<'_>) -> (Self, Vec<f64>) {
        let variances = variances(sample);
        let mut order: Vec<u32> = (0..sample.dim as u32).collect();
        order.sort_by(|&a, &b| variances[b as usize].total_cmp(&variances[a as usize]));
        let total: f64 = variances.iter().sum();
        let mut held = 0.0;
        let kept = order.iter().take_while(|&&d| {
            let more = held <= total * (1.0 - 1e-6);
            held += variances[d as usize];
            more
        });
        let kept = kept.count().max(1);
        order.truncate(kept);
        let kept = order.iter().map(|&d| variances[d as usize]).collect();
        (Self::Chosen(order), kept)
    }

    /// The principal components of `sample` that hold nearly all of its variance, with their variances; `None` where
    /// there are too many dimensions to look for them.
    ///
    /// By subspace iteration on the matrix of second moments (Halko, Martinsson, Tropp, 2011). Residuals have a mean of
    /// about zero, so that second moments are covariances.
    pub(crate) fn rotated(
        kernels: &Kernels,
        sample: Points<'_>,
        random: &mut Random,
        threads: usize,
    ) -> Option<(Self, Vec<f64>)> {
        let dim = sample.dim;
        if dim > MOST_ROTATED {
            return None;
        }
        let sample = Points { values: &sample.values[..sample.len().min(MOST_ROWS) * dim], dim };
        let moments = moments(kernels, sample, threads);
        let tiles = Tiles::new(kernels, Points { values: &moments, dim });
        let n = dim.min(MOST_COMPONENTS);
        let mut basis: Vec<f32> = (0..n * dim).map(|_| random.symmetric()).collect();
        let mut image = vec![0.0; n * tiles.padded()];
        orthonormalise(kernels, &mut basis, dim);
        for _ in 0..ROUNDS {
            tiles.dots(kernels, &basis, &mut image);
            for (row, image) in basis.chunks_exact_mut(dim).zip(image.chunks_exact(tiles.padded())) {
                row.copy_from_slice(&image[..dim]);
            }
            orthonormalise(kernels, &mut basis, dim);
        }
        tiles.dots(kernels, &basis, &mut image);
        let held = |i: usize| {
            let (row, image) = (&basis[i * dim..][..dim], &image[i * tiles.padded()..][..dim]);
            f64::from((kernels.dot)(row, image)).max(0.0)
        };
        let mut order: Vec<(f64, usize)> = (0..n).map(|i| (held(i), i)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total: f64 = (0..dim).map(|d| f64::from(moments[d * dim + d])).sum();
        let mut so_far = 0.0;
        let kept = order.iter().take_while(|(variance, _)| {
            let more = so_far < total * KEPT_VARIANCE;
            so_far += variance;
            more
        });
        let kept = kept.count().max(1).next_multiple_of(LANES).min(n);
        let rows = Points { values: &basis, dim }.gather(order[..kept].iter().map(|&(_, i)| i));
        let variances = order[..kept].iter().map(|&(variance, _)| variance).collect();
        Some((Self::Rotated(Rotation::new(kernels, Points { values: &rows, dim })), variances))
    }

    /// Leaves out the values from number `len` on.
    pub(crate) fn truncate(&mut self, kernels: &Kernels, len: usize) {
        match self {
            Self::Chosen(order) => order.truncate(len),
            Self::Rotated(rotation) => {
                let (rows, dim) = (rotation.tiles.rows(), rotation.tiles.dim);
                *rotation = Rotation::new(kernels, Points { values: &rows[..len * dim], dim });
            }
        }
    }

    /// How many values are coded.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Chosen(order) => order.len(),
            Self::Rotated(rotation) => rotation.tiles.len(),
        }
    }

    /// Values that [`apply`](Self::apply) writes: [`len`](Self::len), with some that mean nothing behind.
    pub(crate) fn padded(&self) -> usize {
        match self {
            Self::Chosen(order) => order.len(),
            Self::Rotated(rotation) => rotation.tiles.padded(),
        }
    }

    /// The coded values of one vector or of several.
    pub(crate) fn apply(&self, kernels: &Kernels, vectors: &[f32], dim: usize, out: &mut Vec<f32>) {
        out.clear();
        out.resize(vectors.len() / dim * self.padded(), 0.0);
        match self {
            Self::Chosen(order) => {
                for (vector, out) in vectors.chunks_exact(dim).zip(out.chunks_exact_mut(order.len())) {
                    for (out, &d) in out.iter_mut().zip(order) {
                        *out = vector[d as usize];
                    }
                }
            }
            Self::Rotated(rotation) => rotation.tiles.dots(kernels, vectors, out),
        }
    }

    /// [`apply`](Self::apply) to a query, which takes less time and gives nearly the same.
    pub(super) fn apply_to_query(
        &self,
        kernels: &Kernels,
        query: &[f32],
        whole: &mut Whole,
        out: &mut Vec<f32>,
    ) {
        match self {
            Self::Chosen(_) => self.apply(kernels, query, query.len(), out),
            Self::Rotated(rotation) => rotation.of_query(kernels, query, whole, out),
        }
    }

    /// How many words [`to_words`](Self::to_words) makes of it.
    pub(super) fn words(&self) -> usize {
        match self {
            Self::Chosen(order) => 2 + order.len(),
            Self::Rotated(rotation) => 2 + rotation.tiles.len() * rotation.tiles.dim,
        }
    }

    /// As words for a file: the kind, the number of values, then their numbers or directions.
    pub(crate) fn to_words(&self) -> Vec<u32> {
        match self {
            Self::Chosen(order) => [&[0, order.len() as u32], order.as_slice()].concat(),
            Self::Rotated(rotation) => {
                [&[1, self.len() as u32], cast_slice(rotation.tiles.rows().as_slice())].concat()
            }
        }
    }

    /// What [`to_words`](Self::to_words) wrote, with what comes behind it; `None` for anything else.
    pub(crate) fn from_words<'a>(
        kernels: &Kernels,
        words: &'a [u32],
        dim: usize,
    ) -> Option<(Self, &'a [u32])> {
        let (&[kind, len], rest) = words.split_first_chunk::<2>()?;
        let len = len as usize;
        match kind {
            0 => {
                let (order, rest) = rest.split_at_checked(len)?;
                let sound = (1..=dim).contains(&len) && order.iter().all(|&d| (d as usize) < dim);
                sound.then(|| (Self::Chosen(order.to_vec()), rest))
            }
            1 => {
                let (rows, rest) = rest.split_at_checked(len.checked_mul(dim)?)?;
                let rows = Points { values: cast_slice(rows), dim };
                let sound = len > 0 && rows.values.iter().all(|value| value.is_finite());
                sound.then(|| (Self::Rotated(Rotation::new(kernels, rows)), rest))
            }
            _ => None,
        }
    }
}

/// The mean square of each value.
pub(super) fn variances(sample: Points<'_>) -> Vec<f64> {
    let mut sums = vec![0.0; sample.dim];
    for i in 0..sample.len() {
        for (sum, &value) in sums.iter_mut().zip(sample.row(i)) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().map(|sum| sum / sample.len().max(1) as f64).collect()
}

/// The matrix of second moments, row by row.
fn moments(kernels: &Kernels, sample: Points<'_>, threads: usize) -> Vec<f32> {
    let dim = sample.dim;
    // Of so many vectors at a time the values lie in the nearest cache while they are multiplied.
    let parts = parallel::map_ranges(threads, sample.len(), AT_ONCE, |some| {
        let mut columns = vec![0.0; dim * some.len()];
        for (at, i) in some.clone().enumerate() {
            for (column, &value) in columns.chunks_exact_mut(some.len()).zip(sample.row(i)) {
                column[at] = value;
            }
        }
        let tiles = Tiles::new(kernels, Points { values: &columns, dim: some.len() });
        (columns, tiles)
    });
    let moments = parallel::map_ranges(threads, dim, LANES, |rows| {
        let padded = dim.next_multiple_of(LANES);
        let mut sums = vec![0.0; rows.len() * padded];
        let mut products = sums.clone();
        for (columns, tiles) in &parts {
            tiles.dots(kernels, &columns[rows.start * tiles.dim..rows.end * tiles.dim], &mut products);
            sums.iter_mut().zip(&products).for_each(|(sum, product)| *sum += product);
        }
        let n = sample.len().max(1) as f32;
        sums.chunks_exact(padded).flat_map(|row| row[..dim].iter().map(|sum| sum / n)).collect::<Vec<_>>()
    });
    moments.concat()
}

/// Makes the rows orthonormal, one after the other (Gram and Schmidt), twice where little is left of one: what is taken away is
/// exact up to a share of what there was. A row that depends on those before it becomes zero.
fn orthonormalise(kernels: &Kernels, rows: &mut [f32], dim: usize) {
    for i in 0..rows.len() / dim {
        let (before, row) = rows.split_at_mut(i * dim);
        let row = &mut row[..dim];
        let length = (kernels.dot)(row, row).sqrt();
        let mut left = length;
        for _ in 0..2 {
            let was = left;
            for other in before.chunks_exact(dim) {
                let dot = (kernels.dot)(row, other);
                row.iter_mut().zip(other).for_each(|(value, other)| *value -= dot * other);
            }
            left = (kernels.dot)(row, row).sqrt();
            if left >= was * ENOUGH_LEFT {
                break;
            }
        }
        let scale = if left > length * 1e-6 { 1.0 / left } else { 0.0 };
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd;

    #[test]
    fn a_query_in_whole_numbers_is_nearly_the_query() {
        let (kernels, dim, rows) = (simd::kernels(), 75, 21);
        let random = &mut Random::new(3, 4);
        let mut directions: Vec<f32> = (0..rows * dim).map(|_| random.symmetric()).collect();
        orthonormalise(kernels, &mut directions, dim);
        let projection = Projection::Rotated(Rotation::new(kernels, Points { values: &directions, dim }));
        let plain: Vec<f32> = (0..dim).map(|_| random.symmetric()).collect();
        let mut outlier = plain.clone();
        outlier[3] = 1000.0;
        let mut whole = Whole::default();
        // Squares of 1e25 are no floats, those of 1e-25 are 0.
        for (query, scale) in [(&plain, 1.0), (&outlier, 1.0), (&plain, 1e25), (&plain, 1e-25), (&plain, 0.0)]
        {
            let query: Vec<f32> = query.iter().map(|value| value * scale).collect();
            let length = query.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
            let (mut found, mut wanted) = (Vec::new(), Vec::new());
            projection.apply_to_query(kernels, &query, &mut whole, &mut found);
            projection.apply(kernels, &query, dim, &mut wanted);
            assert_eq!((found.len(), found.len()), (wanted.len(), projection.padded()));
            for (found, wanted) in found.iter().zip(&wanted) {
                let apart = f64::from(found - wanted).abs();
                assert!(apart <= length / 1000.0, "{found} instead of {wanted}, of {length}");
            }
        }
    }
}
