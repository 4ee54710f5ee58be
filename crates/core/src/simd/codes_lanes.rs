//! The codes of vectors in the registers of any vector instruction set.

use super::LANES;
use super::lanes::Lanes;

/// `lut_codes` in registers: a lane is a vector, and the numbers of codewords are floats until they are stored.
///
/// # Safety
///
/// As for [`Lanes`]. It is inlined into a function that enables the instruction set, and must be.
#[inline(always)]
pub(super) unsafe fn codes_of<L: Lanes>(
    words: &[[f32; LANES]],
    ends: &[u32],
    tile: &[[f32; LANES]],
    codes: &mut [[u8; LANES]],
    dots: &mut [f32; LANES],
) {
    assert_eq!(ends.len(), codes.len());
    assert!(tile.len() >= words.len());
    let mut start = 0;
    // SAFETY: the caller's promise, for every method of `L` in here.
    unsafe {
        let mut sums = L::zero();
        for (&end, codes) in ends.iter().zip(codes) {
            let group = start..end as usize;
            start = group.end;
            let (words, values) = (&words[group.clone()], &tile[group]);
            let (mut squares, half) = (L::zero(), L::splat(0.5));
            for word in words {
                let word = L::load(word);
                squares = word.mul(half).mul_add(word, squares);
            }
            let mut halves = [0.0; LANES];
            squares.store(&mut halves);
            let (mut least, mut best, mut half_of_best) =
                (L::splat(f32::INFINITY), L::zero(), L::splat(halves[0]));
            for (word, &half) in halves.iter().enumerate() {
                let half = L::splat(half);
                let mut apart = half;
                for (words, values) in words.iter().zip(values) {
                    apart = L::load(values).mul_add(L::splat(-words[word]), apart);
                }
                best = L::where_less(apart, least, L::splat(word as f32), best);
                half_of_best = L::where_less(apart, least, half, half_of_best);
                least = L::where_less(apart, least, apart, least);
            }
            best.store_bytes(codes);
            sums = sums.add(half_of_best.sub(least));
        }
        sums.store(dots);
    }
}
