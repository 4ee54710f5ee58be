//! How much more effort a recall takes under filters.

use super::Trials;
use crate::index::curve::{Curve, K, More, Point, SPARSE};
use crate::index::store::LeafStore;
use crate::leaves::{Filtered, Probe, Scratch, probe};
use crate::parallel;

/// The recall for which it is measured,
const SPARSE_AT: f32 = 0.95;
/// with so much more of it, since queries and filters differ.
const SAFETY: f32 = 0.005;
/// So many times as many candidates are tried, each with up to so many times as many leaves.
const MORE_CANDIDATES: [usize; 3] = [1, 2, 4];
const MORE_LEAVES: usize = 12;

impl Trials<'_> {
    /// How much more it takes under filters that let a part of the vectors pass.
    pub(super) fn sparse(&self, store: &LeafStore, curve: &Curve) -> [More; SPARSE.len()] {
        match curve.points.iter().find(|point| point.recall >= SPARSE_AT) {
            Some(&point) => SPARSE.map(|share| self.at_share(store, point, share)),
            None => Curve::default().sparse,
        }
    }

    /// How many times as much it takes to reach the recall of a point when so many of the vectors pass a filter.
    fn at_share(&self, store: &LeafStore, Point { recall, depth }: Point, share: f64) -> More {
        let Self { space, threads, .. } = *self;
        // The bits of a product with a large odd number look random.
        let passes = |slot: u32| f64::from(slot.wrapping_mul(0x9E37_79B1) >> 16) < share * 65_536.0;
        let passing = |i: usize| self.truth[i].iter().filter(|&&slot| passes(slot)).take(K);
        let wanted: usize = (0..self.queries.len()).map(|i| passing(i).count()).sum();
        let entry = store.view();
        let found = |leaves: usize, candidates: usize| {
            let found = parallel::map_with(threads, self.queries.len(), Scratch::default, |scratch, i| {
                let allowed = |slot: u32| passes(slot) && slot != self.own[i];
                let filter = Some(Filtered { allowed, share, leaves: |_| leaves });
                let effort = Probe { leaves, candidates, early: None };
                let point = &self.queries[i].point;
                let found = probe(store.coded(space), &entry, point, effort, filter, scratch);
                passing(i).filter(|&&slot| found.iter().any(|found| found.1 == slot)).count()
            });
            found.iter().sum::<usize>() as f32 / wanted.max(1) as f32
        };
        let mut more = More { leaves: 1.0, candidates: 1.0 };
        for times in MORE_CANDIDATES {
            let candidates = depth.candidates.max(2 * K) * times;
            let mut leaves = depth.leaves;
            while leaves <= store.len().min(MORE_LEAVES * depth.leaves) {
                more = More { leaves: leaves as f32 / depth.leaves as f32, candidates: times as f32 };
                if found(leaves, candidates) >= recall + SAFETY {
                    return more;
                }
                leaves += leaves.div_ceil(10);
            }
        }
        more
    }
}
