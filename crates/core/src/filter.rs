//! Which ids a search may return.

use crate::simd;

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
        Self::from_bytes(bytemuck::cast_slice(mask))
    }

    /// The ids `i` for which `bytes[i]` is not 0: what NumPy's arrays of bool hold.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut words = Vec::new();
        (simd::kernels().pack_bits)(bytes, &mut words);
        Self::Mask(words)
    }

    /// These ids, in the form in which a search asks for them: as a mask where they lie close enough together. For many searches
    /// with one set, that is worked out once here and not in each of them, as it is for [`Filter::Ids`]. Ids that lie farther apart stay
    /// as they are, and each search puts them into a table.
    pub fn from_ids(ids: &[u64]) -> Self {
        dense(ids).map_or_else(|| Self::Ids(ids.to_vec()), Self::Mask)
    }
}

impl From<Vec<u64>> for Filter {
    fn from(ids: Vec<u64>) -> Self {
        Self::Ids(ids)
    }
}

/// Ids become a mask if that takes no more than so many words for each of them.
const DENSE: usize = 4;
/// From so many ids a word on, those of a word are put together before they are written: one after the other, each would wait for the one
/// before it.
const MANY_A_WORD: usize = 16;

/// Ids as a mask, where that is not much larger than they are.
pub(crate) fn dense(ids: &[u64]) -> Option<Vec<u64>> {
    let words = if ids.is_empty() { 0 } else { most(ids) / 64 + 1 };
    if words > (ids.len() * DENSE) as u64 {
        return None;
    }
    let mut mask = vec![0; words as usize];
    if ids.len() < mask.len() * MANY_A_WORD {
        ids.iter().for_each(|id| mask[(id / 64) as usize] |= 1 << (id % 64));
        return Some(mask);
    }
    let (mut place, mut bits) = (0, 0);
    for id in ids {
        let other = (id / 64) as usize;
        if other != place {
            mask[place] |= bits;
            (place, bits) = (other, 0);
        }
        bits |= 1 << (id % 64);
    }
    if let Some(word) = mask.get_mut(place) {
        *word |= bits;
    }
    Some(mask)
}

/// The largest of some ids.
fn most(ids: &[u64]) -> u64 {
    // Eight maxima at a time, none of which waits for another.
    let (groups, rest) = ids.as_chunks::<8>();
    let mut most = [0; 8];
    for group in groups {
        for (most, &id) in most.iter_mut().zip(group) {
            *most = id.max(*most);
        }
    }
    most.iter().chain(rest).fold(0, |most, &id| id.max(most))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Filter, dense};

    fn ids_of(words: &[u64]) -> BTreeSet<u64> {
        (0..words.len() as u64 * 64).filter(|&id| words[(id / 64) as usize] >> (id % 64) & 1 == 1).collect()
    }

    proptest! {
        #[test]
        fn a_mask_of_ids_holds_these(mut ids in prop::collection::vec(0_u64..900, 0..200), sorted: bool) {
            if sorted {
                ids.sort_unstable();
            }
            if let Some(words) = dense(&ids) {
                prop_assert_eq!(ids_of(&words), ids.iter().copied().collect());
                prop_assert!(words.len() <= 4 * ids.len());
            } else {
                prop_assert!(ids.iter().max().is_none_or(|&most| most / 64 >= 4 * ids.len() as u64));
            }
        }

        #[test]
        fn a_mask_of_bools_holds_where_these_are_true(mask in prop::collection::vec(any::<bool>(), 0..300)) {
            let Filter::Mask(words) = Filter::from_mask(&mask) else { unreachable!() };
            let ids = (0..mask.len() as u64).filter(|&id| mask[id as usize]).collect();
            prop_assert_eq!(ids_of(&words), ids);
        }
    }

    #[test]
    fn ids_far_apart_are_no_mask() {
        assert!(dense(&[1, u64::MAX]).is_none());
        assert!(matches!(Filter::from_ids(&[3, 1 << 40]), Filter::Ids(ids) if ids == [3, 1 << 40]));
        assert!(matches!(Filter::from_ids(&[]), Filter::Mask(words) if words.is_empty()));
    }
}
