//! The codes of vectors: for each group of values the closest of sixteen codewords. The specification.

use super::LANES;

/// Of codewords w and values v, |v − w|² is least where |w|²/2 − ⟨v, w⟩ is. Of equally close ones the first is taken.
pub(super) fn lut_codes(
    words: &[[f32; LANES]],
    ends: &[u32],
    tile: &[[f32; LANES]],
    codes: &mut [[u8; LANES]],
    dots: &mut [f32; LANES],
) {
    assert_eq!(ends.len(), codes.len());
    assert!(tile.len() >= words.len());
    *dots = [0.0; LANES];
    let mut start = 0;
    for (&end, codes) in ends.iter().zip(codes) {
        let group = start..end as usize;
        start = group.end;
        let (words, values) = (&words[group.clone()], &tile[group]);
        let mut halves = [0.0; LANES];
        for word in words {
            for i in 0..LANES {
                halves[i] = (word[i] * 0.5).mul_add(word[i], halves[i]);
            }
        }
        let (mut least, mut best) = ([f32::INFINITY; LANES], [0_u32; LANES]);
        for word in 0..LANES {
            let mut apart = [halves[word]; LANES];
            for (words, values) in words.iter().zip(values) {
                let minus = -words[word];
                for lane in 0..LANES {
                    apart[lane] = values[lane].mul_add(minus, apart[lane]);
                }
            }
            for lane in 0..LANES {
                let closer = apart[lane] < least[lane];
                least[lane] = if closer { apart[lane] } else { least[lane] };
                best[lane] = if closer { word as u32 } else { best[lane] };
            }
        }
        for lane in 0..LANES {
            codes[lane] = best[lane] as u8;
            dots[lane] += halves[best[lane] as usize] - least[lane];
        }
    }
}
