//! When a search has done enough for its query.

/// When a search ends that does not do as much for each query.
///
/// Where the neighbours of a query lie closer together than all else, what is looked at first holds them, and where they do not,
/// much may. What was found so far shows how it is. What is looked at next weighs
///
/// ln i + slope · f
///
/// when it is the i-th, counted from 1, and lies farther away by f than the `nth` of what was found, and the search ends before the first that
/// weighs more than `limit`. How f is measured is said where it is: in `leaves/probe.rs` and in `graph/bound.rs`.
///
/// That what lies much farther than the closest is left out is of Chen et al., *SPANN*, 2021, for lists, and of Al-Jazzazi et al.,
/// *Distance adaptive beam search for provably accurate graph-based nearest neighbor search*, 2025, for graphs; that the first lists say how many more it takes, of Li, Zhang,
/// Andersen, He, *Improving approximate nearest neighbor search through learned adaptive early termination*, 2020. The count, which
/// holds back where all lies equally far away, is added here.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Early {
    pub(crate) slope: f32,
    pub(crate) limit: f32,
    pub(crate) nth: usize,
}

impl Early {
    /// The weight of what comes behind `before` others and lies farther away by `farther`.
    #[inline]
    pub(crate) fn weight(slope: f32, before: usize, farther: f32) -> f32 {
        (before as f32 + 1.0).ln() + slope * farther
    }

    /// How much farther away what comes behind `before` others may lie.
    #[inline]
    pub(crate) fn reach(self, before: usize) -> f32 {
        (self.limit - (before as f32 + 1.0).ln()) / self.slope
    }
}

#[cfg(test)]
mod tests {
    use super::Early;

    #[test]
    fn what_lies_within_reach_weighs_no_more_than_the_limit() {
        for (slope, limit, before) in [(0.5, 3.0, 0), (2.0, 4.0, 20), (8.0, 9.0, 500), (4.0, 1.0, 100)] {
            let reach = Early { slope, limit, nth: 10 }.reach(before);
            assert!(Early::weight(slope, before, reach - 0.01) < limit);
            assert!(Early::weight(slope, before, reach + 0.01) > limit);
        }
    }
}
