//! Which ids a search may return.

/// A set of ids, to allow or to leave out.
#[derive(Clone, Debug)]
pub enum Filter {
    /// These ids, in any order; ids that are not in the index mean nothing.
    Ids(Vec<u64>),
    /// The ids at which the mask holds a 1: bit `id % 64` of word `id / 64`. Ids beyond its end are not in the set.
    Mask(Vec<u64>),
}

impl Filter {
    /// The ids `i` for which `mask[i]` is true.
    pub fn from_mask(mask: &[bool]) -> Self {
        let word =
            |bits: &[bool]| bits.iter().enumerate().fold(0, |word, (i, &bit)| word | u64::from(bit) << i);
        Self::Mask(mask.chunks(64).map(word).collect())
    }
}

impl From<Vec<u64>> for Filter {
    fn from(ids: Vec<u64>) -> Self {
        Self::Ids(ids)
    }
}
