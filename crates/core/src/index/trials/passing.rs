//! Filters for trials.

use super::Trials;
use crate::index::curve::{Curve, Depth, K, More, SPARSE};

/// The recall for which it is measured how much more a filter takes,
const SPARSE_AT: f32 = 0.95;
/// with so much more of it, since queries and filters differ.
const SAFETY: f32 = 0.005;

/// A filter that lets a share of the slots pass.
#[derive(Clone, Copy)]
pub(super) struct Passing {
    pub(super) share: f64,
    below: u32,
}

impl Passing {
    fn new(share: f64) -> Self {
        Self { share, below: (share * 2_f64.powi(32)) as u32 }
    }

    #[inline]
    pub(super) fn has(self, slot: u32) -> bool {
        // The upper bits of a product with a large odd number look random.
        slot.wrapping_mul(0x9E37_79B1) < self.below
    }
}

/// What it takes where so many times as many leaves or nodes were not enough: these, and more candidates than any set needed that was looked at.
pub(super) fn at_least(far: usize) -> More {
    More { far: far as f32, candidates: 4.0, limit: (far as f32).ln() }
}

/// So many times as much; never less.
pub(super) fn times(more: usize, of: usize) -> f32 {
    (more as f32 / of.max(1) as f32).max(1.0)
}

/// So many queries are tried under filters, of which each takes as long as several without.
const TRIED: usize = 256;

impl Trials<'_> {
    /// The same with some of the queries.
    pub(super) fn some(&self) -> Self {
        let Self { space, threads, ref queries, ref own, ref truth } = *self;
        let n = queries.len().min(TRIED);
        Self {
            space,
            threads,
            queries: queries[..n].to_vec(),
            own: own[..n].to_vec(),
            truth: truth[..n].to_vec(),
        }
    }

    /// The neighbours of a query that pass, those that are to be found.
    pub(super) fn passing(&self, filter: Passing, query: usize) -> Vec<u32> {
        self.truth[query].iter().copied().filter(|&slot| filter.has(slot)).take(K).collect()
    }

    /// How much more it takes under filters that let a part of the vectors pass. `more` says it for a filter, how many of what
    /// passes are to be found, and how far searches go without a filter.
    pub(super) fn under_filters(
        &self,
        curve: &Curve,
        more: impl Fn(Passing, usize, Depth) -> More,
    ) -> [More; SPARSE.len()] {
        let usual = curve.points.iter().find(|point| point.recall >= SPARSE_AT);
        let Some(point) = usual else { return Curve::default().sparse };
        SPARSE.map(|share| {
            let filter = Passing::new(share);
            let all: usize = (0..self.queries.len()).map(|i| self.passing(filter, i).len()).sum();
            let found = (f64::from(point.recall + SAFETY) * all as f64).ceil() as usize;
            more(filter, found.max(1), point.depth)
        })
    }
}
