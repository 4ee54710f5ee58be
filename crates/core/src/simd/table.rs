//! The table of a query: what each of sixteen codewords adds to a sum, as bytes. The specification.

use super::LANES;

/// What a table is made of.
#[derive(Clone, Copy, Debug)]
pub struct Codewords<'a> {
    /// The query's values.
    pub values: &'a [f32],
    /// For each value the sixteen codewords' values.
    pub words: &'a [[f32; LANES]],
    /// Where each group of values ends; the first begins at 0.
    pub ends: &'a [u32],
    /// An addend is the inner product times this; without it, the sum of absolute differences.
    pub weight: Option<f32>,
}

/// The specification. It multiplies and adds in two steps.
pub(super) fn lut_table(
    from: &Codewords<'_>,
    exact: &mut Vec<[f32; LANES]>,
    addends: &mut [u8],
) -> (f32, f32) {
    let Codewords { values, words, ends, weight } = *from;
    assert_eq!(addends.len(), ends.len() * LANES);
    exact.clear();
    let (mut offset, mut widest) = (0.0_f32, 0.0_f32);
    let mut start = 0;
    for &end in ends {
        let end = end as usize;
        let mut sums = [0.0; LANES];
        match weight {
            Some(weight) => {
                for (value, words) in values[start..end].iter().zip(&words[start..end]) {
                    let value = value * weight;
                    for lane in 0..LANES {
                        sums[lane] += value * words[lane];
                    }
                }
            }
            None => {
                for (value, words) in values[start..end].iter().zip(&words[start..end]) {
                    for lane in 0..LANES {
                        sums[lane] += (value - words[lane]).abs();
                    }
                }
            }
        }
        start = end;
        let (mut least, mut most) = (sums, sums);
        for half in [8, 4, 2, 1] {
            for lane in 0..half {
                least[lane] = if least[lane + half] < least[lane] { least[lane + half] } else { least[lane] };
                most[lane] = if most[lane + half] > most[lane] { most[lane + half] } else { most[lane] };
            }
        }
        offset += least[0];
        let width = most[0] - least[0];
        widest = if width > widest { width } else { widest };
        for sum in &mut sums {
            *sum -= least[0];
        }
        exact.push(sums);
    }
    let per_unit = if widest > 0.0 { 255.0 / widest } else { 0.0 };
    for (addends, sums) in addends.as_chunks_mut::<LANES>().0.iter_mut().zip(exact) {
        for lane in 0..LANES {
            // Between 0 and 255 by the choice of the unit; adding a half and cutting off rounds. Sums that are no numbers count as 255.
            let scaled = sums[lane] * per_unit + 0.5;
            addends[lane] = if scaled < 255.0 { scaled as u8 } else { 255 };
        }
    }
    (offset, widest / 255.0)
}
