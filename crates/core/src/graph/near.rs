//! Vectors as points, and which of some are closest to one.

use crate::simd::Kernels;

/// A vector's squared distance from another one, and its number.
pub(crate) type Close = (f32, u32);

/// Vectors that are fetched ahead.
const AHEAD: usize = 4;

/// Where vectors lie.
pub(crate) trait Source: Sync {
    /// Puts a vector's point behind those that are there.
    fn push_point(&self, number: u32, points: &mut Vec<f32>);
    /// Fetches what will be needed for that.
    fn prefetch(&self, number: u32);
}

/// Vectors by their numbers, as points.
#[derive(Clone, Copy)]
pub(crate) struct Collection<'a> {
    pub(crate) kernels: &'static Kernels,
    pub(crate) dim: usize,
    pub(crate) source: &'a dyn Source,
}

impl Collection<'_> {
    pub(crate) fn points(&self, numbers: &[u32]) -> Vec<f32> {
        let mut points = Vec::with_capacity(numbers.len() * self.dim);
        for (i, &number) in numbers.iter().enumerate() {
            if let Some(&later) = numbers.get(i + AHEAD) {
                self.source.prefetch(later);
            }
            self.source.push_point(number, &mut points);
        }
        points
    }
}

/// The closest `kept` of `others` to a point, closest first.
pub(crate) fn closest(collection: &Collection<'_>, point: &[f32], others: &[u32], kept: usize) -> Vec<Close> {
    let points = collection.points(others);
    let mut close: Vec<Close> = points
        .chunks_exact(collection.dim)
        .zip(others)
        .map(|(row, &other)| ((collection.kernels.l2_squared)(point, row), other))
        .collect();
    sort(&mut close);
    close.truncate(kept);
    close
}

/// In ascending order, each once: the distance of a pair may come out a little different from its two ends.
pub(crate) fn sort(close: &mut Vec<Close>) {
    close.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0)));
    close.dedup_by_key(|one| one.1);
    close.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}
