//! How far some close vectors are from one another, and the edges that are chosen by that.

use super::compare::{Comparison, Tiles};
use super::edges::in_all_directions;
use super::near::Close;
use super::node::Own;
use crate::simd::Kernels;

/// Farther from all edges than this is every vector but those that are edges.
const TAKEN: f32 = f32::NEG_INFINITY;

/// The squared distances of some vectors from one another, by their bytes; and the buffers that they are found with.
#[derive(Debug, Default)]
pub(crate) struct Between {
    tiles: Tiles,
    comparison: Comparison,
}

impl Between {
    /// Measures all distances between `ends`.
    pub(crate) fn measure(&mut self, kernels: &Kernels, ends: &[Own<'_>]) {
        let Some(width) = ends.first().map(|end| end.bytes.len()) else { return };
        self.tiles.fill(ends.iter().copied(), width);
        self.comparison.ask(ends.iter().copied(), width);
        self.comparison.with(kernels, &self.tiles);
    }

    /// Of the vectors that were measured, whose distances from another one are in `close`, in ascending order, `most` that become its edges:
    /// of the `first` ones those that lead in all directions; the rest is filled up one after the other with that which is farthest from all edges,
    /// as a multiple of its distance.
    pub(crate) fn edges(&self, close: &[Close], first: Vec<usize>, most: usize) -> Vec<usize> {
        let mut edges = first;
        if edges.len() > most {
            edges = in_all_directions(close, &mut edges, most, |edge, left, apart| {
                let row = self.comparison.apart(edge);
                apart.extend(left.iter().map(|&i| row[i]));
            });
        }
        let mut free = vec![f32::INFINITY; close.len()];
        let per_square: Vec<f32> = close.iter().map(|one| 1.0 / one.0.max(f32::MIN_POSITIVE)).collect();
        let take = |free: &mut [f32], edge: usize| {
            for ((free, apart), per_square) in
                free.iter_mut().zip(self.comparison.apart(edge)).zip(&per_square)
            {
                *free = free.min(apart * per_square);
            }
            free[edge] = TAKEN;
        };
        edges.iter().for_each(|&edge| take(&mut free, edge));
        while edges.len() < most {
            let farthest = (0..free.len()).max_by(|&a, &b| free[a].total_cmp(&free[b]));
            let Some(next) = farthest.filter(|&next| free[next] > TAKEN) else { break };
            take(&mut free, next);
            edges.push(next);
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::super::edges::{Chooser, choose, squares};
    use super::super::near::Close;
    use super::super::rows::Rows;
    use super::{Between, Own};
    use crate::random::Random;
    use crate::simd;

    #[test]
    fn edges_lead_in_all_directions_and_then_where_there_are_none() {
        let (kernels, random) = (simd::kernels(), &mut Random::new(5, 0));
        let mut between = Between::default();
        for (width, n, most) in [(6, 90, 12), (64, 90, 32), (33, 20, 32), (8, 1, 4)] {
            let mut rows = Rows::with_capacity(n + 1, width);
            for _ in 0..=n {
                let bytes: Vec<i8> = (0..width).map(|_| (random.symmetric() * 127.0) as i8).collect();
                let square = bytes.iter().map(|&byte| f32::from(byte).powi(2)).sum();
                rows.push(Own { square, times: -2.0, unit: 1.0, bytes: &bytes });
            }
            let own = rows.own(n as u32);
            let ends: Vec<Own<'_>> = (0..n as u32).map(|i| rows.own(i)).collect();
            let mut close: Vec<Close> = squares(kernels, own, &ends).into_iter().zip(0..).collect();
            close.sort_by(|a, b| a.0.total_cmp(&b.0));
            let ends: Vec<Own<'_>> = close.iter().map(|one| rows.own(one.1)).collect();
            between.measure(kernels, &ends);

            let chosen = choose(kernels, &close, &ends, most, &mut Chooser::default());
            let first: Vec<usize> = if n > most { (0..n).collect() } else { (0..n / 2).collect() };
            let edges = between.edges(&close, first.clone(), most);
            assert_eq!(edges.len(), most.min(n), "each place is filled");
            let before = if n > most {
                let found: Vec<Close> = edges.iter().take(chosen.len()).map(|&i| close[i]).collect();
                assert_eq!(found, chosen, "{n} of {width} bytes");
                chosen.len()
            } else {
                assert_eq!(edges[..first.len()], first);
                first.len()
            };
            for (at, &edge) in edges.iter().enumerate().skip(before) {
                let free = |i: usize| {
                    let taken: Vec<Own<'_>> = edges[..at].iter().map(|&i| ends[i]).collect();
                    let apart = squares(kernels, ends[i], &taken);
                    apart.into_iter().fold(f32::INFINITY, f32::min) / close[i].0
                };
                let others = (0..n).filter(|i| !edges[..at].contains(i));
                let most = others.map(free).fold(0.0, f32::max);
                assert!(free(edge) >= 0.9999 * most, "the farthest from all edges: {} of {most}", free(edge));
            }
        }
    }
}
