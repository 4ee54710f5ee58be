//! The leaves that a directory ranks first, against all of its centroids compared.

use super::directory::{Asking, Directory, HANDICAP, Plan, Ranking, TAIL};
use crate::kmeans::Points;
use crate::quant::{Codebook, Measure, Table};
use crate::random::Random;
use crate::simd;

/// The directions that centroids lie in, each a group.
const GROUPS: usize = 20;

/// Centroids, direction after direction; their lengths are spread over so many decades to both sides.
fn centroids(n: usize, dim: usize, decades: f32, random: &mut Random) -> Vec<f32> {
    let directions: Vec<f32> = (0..GROUPS * dim).map(|_| random.symmetric()).collect();
    (0..n)
        .flat_map(|i| {
            let length = 10_f32.powf(decades * random.symmetric());
            let direction = &directions[i * GROUPS / n * dim..][..dim];
            direction.iter().map(|value| length * (value + 0.2 * random.symmetric())).collect::<Vec<_>>()
        })
        .collect()
}

/// How many of the leaves are ranked first, as a share, that come first by all centroids and spreads, which go up to `spread`.
fn share_found(measure: Measure, decades: f32, spread: f32) -> f64 {
    let (n, dim, n_queries, wanted) = (2000, 24, 50, 40);
    let kernels = simd::kernels();
    let random = &mut Random::new(1, 2);
    let values = centroids(n, dim, decades, random);
    let points = Points { values: &values, dim };
    // Vectors lie around their centroids in all directions, as those do around the centres of their groups.
    let residuals: Vec<f32> = (0..n * dim).map(|_| random.symmetric()).collect();
    let codebook = Codebook::train(kernels, Points { values: &residuals, dim }, random, 1);
    let sizes = vec![n / GROUPS; GROUPS];
    let spreads: Vec<f32> = (0..n).map(|_| spread * random.symmetric().abs()).collect();
    let plan = Plan { dim, centroids: values.clone(), spreads: spreads.clone(), sizes };
    let directory = Directory::new(kernels, plan, &codebook, random, 1);
    let mut found = 0;
    for query in centroids(n_queries, dim, decades, random).chunks(dim) {
        let apart = |leaf: usize| {
            let dot = (kernels.dot)(points.row(leaf), query);
            match measure {
                Measure::MinusTwiceDot => {
                    (kernels.dot)(points.row(leaf), points.row(leaf)) - 2.0 * dot + HANDICAP * spreads[leaf]
                }
                Measure::MinusDot | Measure::Absolute => {
                    let deviation = ((kernels.dot)(query, query) * spreads[leaf] / dim as f32).sqrt();
                    -dot - TAIL * deviation
                }
            }
        };
        let mut closest: Vec<usize> = (0..n).collect();
        closest.sort_by(|&a, &b| apart(a).total_cmp(&apart(b)));
        let (mut table, mut ranking) = (Table::default(), Ranking::default());
        codebook.table(kernels, query, measure, &mut table);
        let asking = Asking { query, table: &table, measure, wanted, at_most: wanted, among: None };
        directory.closest(kernels, asking, &mut ranking);
        let ranked: Vec<u32> = ranking.leaves.iter().map(|&(_, _, leaf)| leaf).collect();
        found += closest[..wanted].iter().filter(|&&leaf| ranked.contains(&(leaf as u32))).count();
    }
    found as f64 / (n_queries * wanted) as f64
}

#[test]
fn the_closest_leaves_come_first() {
    for spread in [0.0, 4.0] {
        let found = share_found(Measure::MinusTwiceDot, 0.1, spread);
        assert!(found > 0.9, "{spread}: {found}");
    }
}

#[test]
fn the_leaves_of_the_largest_products_come_first_at_any_lengths() {
    for spread in [0.0, 400.0] {
        let found = share_found(Measure::MinusDot, 1.0, spread);
        assert!(found > 0.9, "{spread}: {found}");
    }
}
