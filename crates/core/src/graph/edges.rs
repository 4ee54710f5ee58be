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
    left.clear();
    left.extend(0..close.len());
    let mut rows = Vec::with_capacity(close.len());
    let edges = in_all_directions(close, left, most, |edge, left, apart| {
        rows.clear();
        rows.extend(left.iter().map(|&i| ends[i].bytes));
        dots.resize(rows.len(), 0);
        (kernels.dot_bytes)(ends[edge].bytes, &rows, dots);
        apart.extend(left.iter().zip(&*dots).map(|(&i, &dot)| ends[edge].apart(ends[i], dot)));
    });
    edges.into_iter().map(|i| close[i]).collect()
}

/// The same of those numbered in `left`, in ascending order, where `measure` appends the squared distances of one of them from those left.
pub(super) fn in_all_directions(
    close: &[Close],
    left: &mut Vec<usize>,
    most: usize,
    mut measure: impl FnMut(usize, &[usize], &mut Vec<f32>),
) -> Vec<usize> {
    let mut edges = Vec::with_capacity(most.min(left.len()));
    let mut apart = Vec::with_capacity(left.len());
    while let Some(&edge) = left.first() {
        edges.push(edge);
        if edges.len() == most {
            break;
        }
        left.remove(0);
        apart.clear();
        measure(edge, left, &mut apart);
        let mut apart = apart.iter();
        left.retain(|&i| apart.next().is_some_and(|&apart| apart > close[i].0));
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
