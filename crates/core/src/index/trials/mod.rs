//! The measurement of how much effort a recall takes: on the index's own vectors, or on queries such as will be asked.
//!
//! | file | duty |
//! | --- | --- |
//! | `cheapest.rs` | the cheapest effort for each recall |
//! | `leaves.rs` | the curve of searches that look into leaves |
//! | `passing.rs` | filters |
//! | `sparse.rs` | how much more it takes under filters, in leaves |
//! | `walks.rs` | the curve of searches through the graph |
//! | `sparse_walks.rs` | how much more it takes under filters, in the graph |
//! | `stops.rs` | when searches may end early |

mod cheapest;
mod leaves;
mod passing;
mod sparse;
mod sparse_walks;
mod stops;
mod walks;

pub(super) use cheapest::Measured;

use super::curve::K;
use super::exact::{self, Wanted};
use super::space::{Query, Space};
use super::stored::Stored;
use super::train;
use crate::random::Random;

/// Vectors that are looked for.
const PROBES: usize = 512;
/// So many neighbours of each are known, to see how much more effort a filter takes.
const MANY: usize = 10 * K;
/// No slot has this number.
const NOBODY: u32 = u32::MAX;
/// The recall for which it is found out how searches may end early, and how hard neighbours are to find.
pub(super) const USUAL: f32 = 0.95;

/// The vectors that the curve is measured with. No centroid may be trained on them: a vector's own share in one draws that
/// closer, and the vector would be easier to find the neighbours of than one that comes from outside. And no edge may lead to them:
/// edges would lead from one neighbour to another if the vector were not there, so these would be harder to find.
pub(super) fn probes(n: usize, seed: u64) -> Vec<u32> {
    train::sample(n, PROBES.min(n / 16), &mut Random::new(seed, 1))
}

/// What the curve is measured with.
pub(super) enum Probes {
    /// Vectors of the index, as if they were not there.
    Own(u64),
    /// Queries such as will be asked.
    Given(Vec<Query>),
}

/// Queries whose neighbours among the vectors of an index are known.
pub(super) struct Trials<'a> {
    space: &'a Space,
    threads: usize,
    queries: Vec<Query>,
    /// The slot that each query was made of; [`NOBODY`] when it comes from outside.
    own: Vec<u32>,
    /// The [`MANY`] neighbours of each, closest first, among vectors of which no query was made.
    truth: Vec<Vec<u32>>,
}

/// How deep in what was found, with its ranks, those of some neighbours lie that are in it, if the closest comes first.
fn depths(found: &[(f32, u32)], neighbours: &[u32]) -> Vec<usize> {
    let rank = |neighbour: &u32| {
        // One that came twice counts where it came first.
        found.iter().filter(|(_, slot)| slot == neighbour).map(|found| found.0).min_by(f32::total_cmp)
    };
    let ranks = neighbours.iter().filter_map(rank);
    ranks.map(|rank| 1 + found.iter().filter(|found| found.0 < rank).count()).collect()
}

impl<'a> Trials<'a> {
    /// Finds the neighbours of what is measured with.
    pub(super) fn new(stored: Stored<'a>, with: Probes, threads: usize) -> Self {
        let Stored { space, slots } = stored;
        let (queries, own) = match with {
            Probes::Own(seed) => {
                let own = probes(stored.len(), seed);
                let query = |&slot: &u32| {
                    let mut query = Query { row: slots.row(slot).to_vec(), point: Vec::new() };
                    space.push_point(&query.row, &mut query.point);
                    query
                };
                (own.iter().map(query).collect::<Vec<_>>(), own)
            }
            Probes::Given(queries) => {
                let none = vec![NOBODY; queries.len()];
                (queries, none)
            }
        };
        let truth = exact::closest(stored, Wanted { queries: &queries, without: &own, k: MANY }, threads);
        Self { space, threads, queries, own, truth }
    }

    /// The slots of the vectors that are looked for.
    pub(super) fn held_out(&self) -> &[u32] {
        &self.own
    }

    /// How many there are when the [`K`] neighbours of all queries are found.
    fn wanted(&self) -> usize {
        self.truth.iter().map(|truth| truth.len().min(K)).sum::<usize>().max(1)
    }

    /// The [`K`] neighbours of a query.
    fn neighbours(&self, query: usize) -> &[u32] {
        &self.truth[query][..K.min(self.truth[query].len())]
    }
}
