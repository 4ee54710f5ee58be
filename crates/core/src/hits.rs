//! What a search found.

/// Stands where there is no result: in the ids of a batch, behind the last hit of a query.
pub const NO_ID: u64 = u64::MAX;

/// The closest vectors of one query: closest first, equal distances by the smaller id. Never more than `k`; fewer when
/// there are not as many to be had.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hits {
    /// The ids.
    pub ids: Vec<u64>,
    /// Their distances.
    pub distances: Vec<f32>,
}

/// The hits of many queries, `k` places for each.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HitsBatch {
    /// Places for each query.
    pub k: usize,
    /// `k` ids for each query, closest first; [`NO_ID`] behind the last hit.
    pub ids: Vec<u64>,
    /// Their distances; infinity behind the last hit.
    pub distances: Vec<f32>,
    /// How many hits each query has.
    pub counts: Vec<usize>,
}
