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
            apart(edge, ends[i], dot) > close[i].0
        });
    }
    edges
}

/// The squared distances of some vectors from one, by their bytes.
pub(crate) fn squares(kernels: &Kernels, from: Own<'_>, ends: &[Own<'_>]) -> Vec<f32> {
    let rows: Vec<&[i8]> = ends.iter().map(|end| end.bytes).collect();
    let mut dots = vec![0; rows.len()];
    (kernels.dot_bytes)(from.bytes, &rows, &mut dots);
    ends.iter().zip(dots).map(|(&end, dot)| apart(from, end, dot)).collect()
}

/// The squared distance of two vectors by the inner product of their bytes.
fn apart(a: Own<'_>, b: Own<'_>, dot: i32) -> f32 {
    dot as f32 * a.unit * b.times + (a.square + b.square)
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

/// Fills up `edges`, which a vector has, to `most` with others of `close`: one after the other the one that is farthest from
/// all edges, as a multiple of its distance from the vector. `ends` are the vectors of `close`, those in `edges` among them.
pub(crate) fn spread(
    kernels: &Kernels,
    close: &[Close],
    ends: &[Own<'_>],
    most: usize,
    edges: &mut Vec<Close>,
    chooser: &mut Chooser,
) {
    let Chooser { left, dots } = chooser;
    let mut taken: Vec<usize> =
        (0..close.len()).filter(|&i| edges.iter().any(|edge| edge.1 == close[i].1)).collect();
    left.clear();
    left.extend((0..close.len()).filter(|i| !taken.contains(i)));
    let mut free = vec![f32::INFINITY; left.len()];
    let mut rows: Vec<&[i8]> = Vec::with_capacity(left.len());
    while let Some(last) = taken.pop() {
        let edge = ends[last];
        rows.clear();
        rows.extend(left.iter().map(|&i| ends[i].bytes));
        dots.resize(rows.len(), 0);
        (kernels.dot_bytes)(edge.bytes, &rows, dots);
        for ((free, dot), &i) in free.iter_mut().zip(&*dots).zip(&*left) {
            *free = free.min(apart(edge, ends[i], *dot) / close[i].0.max(f32::MIN_POSITIVE));
        }
        if !taken.is_empty() {
            continue;
        }
        let farthest = (0..left.len()).max_by(|&a, &b| free[a].total_cmp(&free[b]));
        if edges.len() >= most {
            break;
        }
        let Some(farthest) = farthest else { break };
        let next = left.swap_remove(farthest);
        free.swap_remove(farthest);
        edges.push(close[next]);
        taken.push(next);
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
