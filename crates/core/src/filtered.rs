//! A filter within a search, and how far to look under it.

/// A filter, and what it takes.
#[derive(Debug)]
pub(crate) struct Filtered<F, R> {
    /// Whether a slot may be found.
    pub(crate) allowed: F,
    /// The share of all vectors that may be found.
    pub(crate) share: f64,
    /// How far to look when such a share of what is met passes.
    pub(crate) reach: R,
}

/// How far to look.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Reach {
    /// Into how many leaves, or at how many nodes.
    pub(crate) far: usize,
    /// As [`Early::limit`](crate::early::Early::limit), where the search may end early.
    pub(crate) limit: f32,
}

/// As if so many vectors had been met before the first, of which the share of all passed.
const MET_BEFORE: f64 = 64.0;

impl<F, R: Fn(f64) -> Reach> Filtered<F, R> {
    /// How far to look when so many of those that were met have passed.
    pub(crate) fn reach_after(&self, passed: usize, met: usize) -> Reach {
        (self.reach)((self.share * MET_BEFORE + passed as f64) / (MET_BEFORE + met as f64))
    }

    /// How far to look before anything is met.
    pub(crate) fn usual(&self) -> Reach {
        (self.reach)(self.share)
    }
}

/// Everything may be found.
pub(crate) const NO_FILTER: Option<NoFilter> = None;
type NoFilter = Filtered<fn(u32) -> bool, fn(f64) -> Reach>;
