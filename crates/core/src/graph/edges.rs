//! Which of the close vectors become edges.

use super::near::Close;
use super::node::Own;
use crate::simd::Kernels;

/// As many vectors that chose a vector may become its edges.
const MOST_BACK: usize = 96;

/// Buffers of [`choose`].
#[derive(Debug, Default)]
pub(crate) struct Chooser {
    left: Vec<usize>,
    dots: Vec<i32>,
}

/// Of the vectors `ends`, whose distances from a vector are in `close`, in ascending order, those that are closer to it than
/// to any edge before them, `most` at most. They lead in all directions (the relative neighbourhood
/// graph: Toussaint, 1980; used so by Malkov and Yashunin).
pub(crate) fn choose(
    kernels: &Kernels,
    close: &[Close],
    ends: &[Own<'_>],
    most: usize,
    chooser: &mut Chooser,
) -> Vec<Close> {
    let Chooser { left, dots } = chooser;
    let mut edges = Vec::with_capacity(most.min(close.len()));
    left.clear();
    left.extend(0..close.len());
    let mut rows = Vec::with_capacity(close.len());
    while let Some(&first) = left.first() {
        edges.push(close[first]);
        if edges.len() == most {
            break;
        }
        let edge = ends[first];
        left.remove(0);
        rows.clear();
        rows.extend(left.iter().map(|&i| ends[i].bytes));
        dots.resize(rows.len(), 0);
        (kernels.dot_bytes)(edge.bytes, &rows, dots);
        let mut dots = dots.iter();
        left.retain(|&i| {
            let dot = dots.next().copied().unwrap_or_default();
            edge.apart(ends[i], dot) > close[i].0
        });
    }
    edges
}

/// The squared distances of some vectors from one, by their bytes.
pub(crate) fn squares(kernels: &Kernels, from: Own<'_>, ends: &[Own<'_>]) -> Vec<f32> {
    let rows: Vec<&[i8]> = ends.iter().map(|end| end.bytes).collect();
    let mut dots = vec![0; rows.len()];
    (kernels.dot_bytes)(from.bytes, &rows, &mut dots);
    ends.iter().zip(dots).map(|(&end, dot)| from.apart(end, dot)).collect()
}

/// Fills up `edges` to `most` with the first of `close` that are not among them.
pub(crate) fn fill(edges: &mut Vec<Close>, close: &[Close], most: usize) {
    for &other in close {
        if edges.len() >= most {
            break;
        }
        if edges.iter().all(|edge| edge.1 != other.1) {
            edges.push(other);
        }
    }
}

/// For each vector at most [`MOST_BACK`] of those that chose it.
pub(crate) fn back(chosen: &[Vec<Close>]) -> Vec<Vec<Close>> {
    let mut back: Vec<Vec<Close>> = vec![Vec::new(); chosen.len()];
    for (number, close) in chosen.iter().enumerate() {
        for &(apart, other) in close {
            let back = &mut back[other as usize];
            if back.len() < MOST_BACK {
                back.push((apart, number as u32));
            }
        }
    }
    back
}
