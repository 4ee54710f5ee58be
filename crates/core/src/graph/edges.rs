//! Which of the close vectors become edges.

use super::near::{Close, Collection, sort};
use crate::parallel;

/// Vectors that a thread takes at a time.
const BLOCK: usize = 256;
/// As many vectors that have a vector among their closest ones may become its edges.
const MOST_BACK: usize = 24;

/// Edges for a vector: of `close`, in ascending order, those that are closer to it than to any edge before them; then the
/// closest of the others, up to `most`. So edges lead in all directions (the relative neighbourhood graph: Toussaint, 1980;
/// used so by Malkov and Yashunin), and none of the room for them stays empty.
pub(crate) fn choose(collection: &Collection<'_>, close: &[Close], most: usize, edges: &mut Vec<u32>) {
    let dim = collection.dim;
    edges.clear();
    let points = collection.points(&close.iter().map(|&(_, number)| number).collect::<Vec<_>>());
    let point = |i: usize| &points[i * dim..][..dim];
    let mut chosen: Vec<usize> = Vec::with_capacity(most);
    for (i, &(apart, _)) in close.iter().enumerate() {
        if chosen.len() == most {
            break;
        }
        let free = |&other: &usize| (collection.kernels.l2_squared)(point(i), point(other)) > apart;
        if chosen.iter().all(free) {
            chosen.push(i);
        }
    }
    let mut rest = (0..close.len()).filter(|i| !chosen.contains(i)).collect::<Vec<_>>().into_iter();
    while chosen.len() < most
        && let Some(i) = rest.next()
    {
        chosen.push(i);
    }
    chosen.sort_unstable();
    edges.extend(chosen.iter().map(|&i| close[i].1));
}

/// The edges of all vectors, `most` for each, [`NOBODY`](super::NOBODY) behind the last: chosen of those close to a vector
/// and those to which it is close.
pub(crate) fn link(
    collection: &Collection<'_>,
    near: &[Vec<Close>],
    most: usize,
    threads: usize,
) -> Vec<u32> {
    let back = back(near);
    let parts = parallel::map(threads, near.len().div_ceil(BLOCK), |block| {
        let numbers = block * BLOCK..((block + 1) * BLOCK).min(near.len());
        let mut all = Vec::with_capacity(numbers.len() * most);
        let (mut close, mut edges) = (Vec::new(), Vec::new());
        for number in numbers {
            close.clear();
            close.extend_from_slice(&near[number]);
            close.extend_from_slice(&back[number]);
            sort(&mut close);
            choose(collection, &close, most, &mut edges);
            edges.resize(most, super::NOBODY);
            all.extend_from_slice(&edges);
        }
        all
    });
    parts.concat()
}

/// For each vector at most [`MOST_BACK`] of those that have it among their close ones.
fn back(near: &[Vec<Close>]) -> Vec<Vec<Close>> {
    let mut back: Vec<Vec<Close>> = vec![Vec::new(); near.len()];
    for (number, close) in near.iter().enumerate() {
        for &(apart, other) in close {
            let back = &mut back[other as usize];
            if back.len() < MOST_BACK {
                back.push((apart, number as u32));
            }
        }
    }
    back
}
