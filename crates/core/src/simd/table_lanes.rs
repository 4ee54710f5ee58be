//! The table of a query in the registers of any vector instruction set.

use super::LANES;
use super::lanes::{Lanes, SIDE_BY_SIDE};
use super::table::Codewords;

/// `lut_table` in registers.
///
/// # Safety
///
/// As for [`Lanes`]. It is inlined into a function that enables the instruction set, and must be.
#[inline(always)]
pub(super) unsafe fn table_of<L: Lanes>(
    from: &Codewords<'_>,
    exact: &mut Vec<[f32; LANES]>,
    addends: &mut [u8],
) -> (f32, f32) {
    let Codewords { values, words, ends, weight } = *from;
    assert_eq!(addends.len(), ends.len() * LANES);
    exact.resize(ends.len(), [0.0; LANES]);
    let (mut offset, mut widest) = (0.0_f32, 0.0_f32);
    let mut start = 0;
    // SAFETY: the caller's promise, for every method of `L` in here.
    unsafe {
        for (ends, exact) in ends.chunks(SIDE_BY_SIDE).zip(exact.chunks_mut(SIDE_BY_SIDE)) {
            let mut sums = [L::zero(); SIDE_BY_SIDE];
            for (group, &end) in ends.iter().enumerate() {
                let end = end as usize;
                let mut sum = L::zero();
                let terms = values[start..end].iter().zip(&words[start..end]);
                match weight {
                    Some(weight) => {
                        for (value, words) in terms {
                            sum = sum.add(L::splat(value * weight).mul(L::load(words)));
                        }
                    }
                    None => {
                        for (value, words) in terms {
                            sum = sum.add(L::splat(*value).sub(L::load(words)).abs());
                        }
                    }
                }
                sums[group] = sum;
                start = end;
            }
            let [a, b, c, d] = sums;
            let (least, most) = (L::least_of_four(a, b, c, d), L::most_of_four(a, b, c, d));
            for (group, exact) in exact.iter_mut().enumerate() {
                offset += least[group];
                let width = most[group] - least[group];
                widest = if width > widest { width } else { widest };
                sums[group].sub(L::splat(least[group])).store(exact);
            }
        }
        let per_unit = if widest > 0.0 { 255.0 / widest } else { 0.0 };
        let (per_unit, half) = (L::splat(per_unit), L::splat(0.5));
        for (addends, exact) in addends.as_chunks_mut::<LANES>().0.iter_mut().zip(exact) {
            L::load(exact).mul(per_unit).add(half).store_bytes(addends);
        }
    }
    (offset, widest / 255.0)
}
