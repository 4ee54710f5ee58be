//! Which leaves a vector belongs to.

use super::directory::{Asking, Ranking};
use super::probe::Coded;
use crate::kmeans::{Grouped, Points};
use crate::parallel;
use crate::quant::{Measure, Table};
use crate::simd::Kernels;

/// Stands for "in no second leaf".
pub(crate) const NO_LEAF: u32 = u32::MAX;

/// The leaves that a vector lies in: that of its closest centroid, and a second one.
pub(crate) type Homes = [u32; 2];

/// Homes, and the squared distance from each; from none it is 0.
pub(crate) type Assigned = (Homes, [f32; 2]);

/// Centroids that are looked at for the second leaf.
const CHOICE: usize = 8;
/// How much more the part of the second residual counts that points the same way as the first (λ of the paper).
const PARALLEL: f32 = 1.0;
/// Vectors that a thread takes at a time.
const BLOCK: usize = 1024;

/// The homes of each point, and how far it is from them.
///
/// The second is the one, of the closest few, whose residual is short and crosses the first at a right angle: if a query
/// lies so that the first centroid seems far away, the second then does not (SOAR, equation 4).
pub(crate) fn assign(
    kernels: &Kernels,
    grouped: &Grouped,
    points: Points<'_>,
    threads: usize,
) -> Vec<Assigned> {
    let nearest = grouped.nearest::<CHOICE>(kernels, points, threads);
    let blocks = points.len().div_ceil(BLOCK);
    let homes = parallel::map_with(threads, blocks, Vec::new, |residual: &mut Vec<f32>, block| {
        let rows = block * BLOCK..((block + 1) * BLOCK).min(points.len());
        rows.map(|i| homes_of(kernels, points.row(i), &nearest[i], |leaf| grouped.centroid(leaf), residual))
            .collect::<Vec<_>>()
    });
    homes.into_iter().flatten().collect()
}

/// The homes of a point whose closest centroids are known, as |c|²/2 − ⟨point, c⟩ and number, closest first; and how
/// far it is from them.
fn homes_of<'a>(
    kernels: &Kernels,
    point: &[f32],
    nearest: &[(f32, u32)],
    centroid: impl Fn(usize) -> &'a [f32],
    residual: &mut Vec<f32>,
) -> Assigned {
    // Where sums overflow, no distance is a number. A search finds nothing close there either, and compares all.
    let Some(&(_, first)) = nearest.first() else { return ([0, NO_LEAF], [0.0; 2]) };
    residual.clear();
    residual.extend(point.iter().zip(centroid(first as usize)).map(|(value, centre)| value - centre));
    let square = (kernels.dot)(residual, residual);
    let along = (kernels.dot)(residual, point);
    let length = (kernels.dot)(point, point);
    let loss = |&(score, leaf): &(f32, u32)| {
        let apart = length + 2.0 * score;
        let same_way = along - (kernels.dot)(residual, centroid(leaf as usize));
        let parallel = if square > 0.0 { same_way * same_way / square } else { 0.0 };
        apart + PARALLEL * parallel
    };
    let others = nearest[1..].iter().filter(|(score, _)| *score < f32::INFINITY);
    let second = others.min_by(|a, b| loss(a).total_cmp(&loss(b)));
    match second {
        Some(&(_, second)) => {
            let second_square = (kernels.l2_squared)(point, centroid(second as usize));
            ([first, second], [square, second_square])
        }
        None => ([first, NO_LEAF], [square, 0.0]),
    }
}

/// Buffers for [`place`].
#[derive(Debug, Default)]
pub(crate) struct Placing {
    table: Table,
    ranking: Ranking,
    nearest: Vec<(f32, u32)>,
    residual: Vec<f32>,
}

/// The homes of a point that comes later.
pub(crate) fn place(coded: Coded<'_>, point: &[f32], placing: &mut Placing) -> Homes {
    let Coded { kernels, codebook, directory, .. } = coded;
    let Placing { table, ranking, nearest, residual } = placing;
    let measure = Measure::MinusTwiceDot; // leaves are groups of close vectors, whatever the metric
    codebook.table(kernels, point, measure, table);
    let asking = Asking { query: point, table, measure, wanted: CHOICE, at_most: CHOICE, among: None };
    directory.closest(kernels, asking, ranking);
    nearest.clear();
    nearest.extend(ranking.leaves.iter().map(|&(_, square, leaf)| (square / 2.0, leaf)));
    nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    homes_of(kernels, point, nearest, |leaf| directory.centroid(leaf), residual).0
}
