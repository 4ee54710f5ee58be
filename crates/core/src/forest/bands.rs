//! Parts the items of an inner-product index by length: long ones are what most queries want.
//!
//! The largest inner products belong to long vectors, whatever the direction, and the planes of `split.rs`, which part
//! directions, know nothing of lengths. So the top of such a tree parts the items into bands of length, each of which
//! is a tree of directions. The split between two bands has no normal, only an offset, which every query is above: the
//! longer band comes first, and the shorter one when what is left of the longer one lies that far beyond its planes.

use super::items::Items;
use super::metric::Metric;
use super::space::Space;
use super::trees::{Place, Trees};
use crate::error::Damage;
use crate::random::Random;

/// Which share of the items is longer than the end of each band but the last.
const SHARES: [f64; 2] = [1.0 / 16.0, 1.0 / 4.0];
/// Buckets in the longest band, at least; fewer items are searched well enough without bands.
const BUCKETS: usize = 2;
/// A band ends where the next one is shorter by this factor, median to median. Where lengths differ by less, as those of
/// normally distributed vectors of a dozen dimensions do, directions matter more.
const APART: f32 = 1.33;
/// The offset below the longest band, in typical distances of a query from a plane, if queries are as long as the
/// middle item; the next one is twice that. On two sets, lengths over two decades and over half a one, 0.25 to 4 gave
/// about the same recall: 0.76 to 0.83 and 0.99 among 1,000 candidates, where one band gave 0.15 and 0.79. The smallest
/// leaves the most to directions.
const OFFSET: f32 = 0.25;

/// Random walks to a bucket that tell how long the items of a band are: a thousand items and more.
const DESCENTS: usize = 64;

/// Items of similar length.
pub(super) struct Band {
    pub(super) ids: Vec<u32>,
    /// The offset of the split that parts this band from all shorter ones.
    pub(super) offset: f32,
}

/// The items in bands, the longest first; a single band when there are few or their lengths are much alike.
pub(super) fn by_length(space: &Space, items: &Items, ids: &[u32]) -> Vec<Band> {
    let n = ids.len();
    if (n as f64 * SHARES[0]) < (space.layout.bucket * BUCKETS) as f64 {
        return vec![Band { ids: ids.to_vec(), offset: 0.0 }];
    }
    let length = |&id: &u32| (space.norm(space.layout.vector(items.node(id))).sqrt(), id);
    let mut order: Vec<(f32, u32)> = ids.iter().map(length).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let ends: Vec<usize> = SHARES.iter().map(|share| (n as f64 * share) as usize).chain([n]).collect();
    let typical = order[n / 2].0 / (space.layout.dim as f32).sqrt();

    let mut bands: Vec<Band> = Vec::new();
    let mut start = 0;
    for (i, &end) in ends.iter().enumerate() {
        let next = ends.get(i + 1).map(|&next| order[(end + next) / 2].0);
        if next.is_some_and(|next| order[(start + end) / 2].0 < next * APART) {
            continue; // the next band is as long: one band of both
        }
        let mut ids: Vec<u32> = order[start..end].iter().map(|item| item.1).collect();
        ids.sort_unstable();
        bands.push(Band { ids, offset: OFFSET * typical * (bands.len() + 1) as f32 });
        start = end;
    }
    bands
}

/// Whether a split parts bands: it has an offset and no normal.
pub(super) fn is_band(space: &Space, plane: &[u32]) -> bool {
    let layout = &space.layout;
    layout.metric == Metric::Dot
        && layout.add_offset(plane, 0.0) > 0.0
        && layout.floats(plane).iter().all(|&value| value == 0.0)
}

/// The squared length from which on an item belongs to the longer band, below `top`: the shortest of some items in it.
pub(super) fn shortest(space: &Space, items: &Items, trees: &Trees, top: u32) -> Result<f32, Damage> {
    let mut random = Random::new(u64::from(top), 0);
    let mut shortest = f32::INFINITY;
    for _ in 0..DESCENTS {
        let mut reference = top;
        let mut left = trees.n_nodes() + 1;
        let ids = loop {
            match trees.place(reference)? {
                Place::Split(_, children) => reference = children[usize::from(random.flip())],
                Place::Bucket(ids) => break ids,
                Place::Item(_) => break std::slice::from_ref(&reference),
            }
            left = left.checked_sub(1).ok_or_else(Damage::circle)?;
        };
        for &id in ids.iter().filter(|&&id| items.contains(id)) {
            shortest = shortest.min(space.norm(space.layout.vector(items.node(id))));
        }
    }
    Ok(shortest)
}
