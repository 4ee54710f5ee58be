//! What a search may return.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::NO_ID;
use super::slots::SlotsView;
use super::version::Version;
use crate::filter::{self, Filter};

/// Ids, to ask whether one is among them.
#[derive(Debug)]
enum Set<'a> {
    Ids(FxHashSet<u64>),
    Mask(Cow<'a, [u64]>),
}

impl<'a> Set<'a> {
    fn new(filter: &'a Filter) -> Self {
        match filter {
            Filter::Mask(words) => Self::Mask(words.into()),
            Filter::Ids(ids) => match filter::dense(ids) {
                Some(words) => Self::Mask(words.into()),
                None => Self::Ids(ids.iter().copied().collect()),
            },
        }
    }

    #[inline]
    fn has(&self, id: u64) -> bool {
        match self {
            Self::Ids(ids) => contains(ids, id),
            Self::Mask(words) => is_set(words, id),
        }
    }

    fn for_each(&self, mut sink: impl FnMut(u64)) {
        match self {
            Self::Ids(ids) => ids.iter().copied().for_each(sink),
            Self::Mask(words) => {
                for (i, &word) in words.iter().enumerate() {
                    let mut rest = word;
                    while rest != 0 {
                        sink(i as u64 * 64 + u64::from(rest.trailing_zeros()));
                        rest &= rest - 1;
                    }
                }
            }
        }
    }
}

#[inline]
pub(super) fn is_set(mask: &[u64], number: u64) -> bool {
    mask.get((number / 64) as usize).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

/// Apart, so that masks are asked in place.
#[inline(never)]
fn contains(ids: &FxHashSet<u64>, id: u64) -> bool {
    ids.contains(&id)
}

/// What a search may return. Nothing is worked out for all vectors: a query that leaves out a hundred of a million costs a
/// hundred steps more, and a look at each candidate.
#[derive(Debug)]
pub(super) struct Allowed<'a> {
    filter: Option<Set<'a>>,
    exclude: Option<Set<'a>>,
    /// About how many vectors are allowed; never fewer than are.
    pub(super) count: usize,
}

impl<'a> Allowed<'a> {
    /// The vectors in `filter`, or all, without those in `exclude`; `None` when that is all.
    pub(super) fn new(
        version: &Version,
        filter: Option<&'a Filter>,
        exclude: Option<&'a Filter>,
    ) -> Option<Self> {
        if filter.is_none() && exclude.is_none() {
            return None;
        }
        let filter = filter.map(Set::new);
        let count = match &filter {
            None => version.len,
            Some(Set::Ids(ids)) => ids.len().min(version.len),
            Some(Set::Mask(words)) => {
                words.iter().map(|word| word.count_ones() as usize).sum::<usize>().min(version.len)
            }
        };
        Some(Self { filter, exclude: exclude.map(Set::new), count })
    }

    /// The share of all vectors that are allowed.
    pub(super) fn share(&self, version: &Version) -> f64 {
        self.count as f64 / version.len as f64
    }

    /// The slots that are allowed, as a mask, where such a one is at hand.
    pub(super) fn mask_of_slots(&self, slots: SlotsView<'_>) -> Option<&[u64]> {
        match (&self.filter, &self.exclude) {
            (Some(Set::Mask(words)), None) if slots.ids_are_slots => Some(words),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn has(&self, id: u64) -> bool {
        self.filter.as_ref().is_none_or(|set| set.has(id))
            && !self.exclude.as_ref().is_some_and(|set| set.has(id))
    }

    /// The slots of all allowed vectors.
    pub(super) fn slots(&self, version: &Version, slots: &mut Vec<u32>) {
        match &self.filter {
            None => {
                slots.extend(version.view().living().filter(|&(_, id)| self.has(id)).map(|(slot, _)| slot))
            }
            Some(set) => {
                // Made once, not for each id.
                let view = version.view();
                let slot = |id| (id != NO_ID).then(|| version.ids.slot(id, &view)).flatten();
                set.for_each(|id| slots.extend(slot(id).filter(|_| self.has(id))));
            }
        }
    }
}
