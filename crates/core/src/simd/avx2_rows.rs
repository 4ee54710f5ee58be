//! Sums of table look-ups over rows of 4-bit codes, for CPUs with AVX2.

use std::arch::x86_64::*;

use super::avx2::fold_halves;
use super::rows::{self, ROW, TABLE};

/// Rows that are summed at a time: as many as half a register has bytes.
const ROWS: usize = 16;

/// [`lut_rows`](rows::lut_rows), sixteen rows at a time.
///
/// An instruction looks up in no more than sixteen bytes, which is one code's part of the table. So the bytes of the rows are
/// turned round, that code by code the values of all sixteen come together. One half of a register has the codes of a chunk,
/// the other those of the chunk behind it.
///
/// # Safety
///
/// The CPU must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn lut_rows(table: &[u8], codes: &[&[u8]], sums: &mut [u32]) {
    rows::check(table, codes, sums);
    for (codes, sums) in codes.chunks(ROWS).zip(sums.chunks_mut(ROWS)) {
        // The last row fills up what is missing.
        let rows: [&[u8]; ROWS] = std::array::from_fn(|i| codes[i.min(codes.len() - 1)]);
        // Sums of 16 bits: of the even rows with bytes of the odd ones above, and of the odd ones.
        let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        for (pair, table) in table.chunks(2 * TABLE).enumerate() {
            // Behind the last of an odd number of chunks comes one that adds nothing.
            let mut filled = [0; 2 * TABLE];
            let table = table.first_chunk().unwrap_or_else(|| {
                filled[..TABLE].copy_from_slice(table);
                &filled
            });
            for (j, values) in turned(&rows, 2 * ROW * pair).into_iter().enumerate() {
                let low = _mm256_set1_epi8(15);
                let halves = [values, _mm256_srli_epi16::<4>(values)];
                for (code, values) in [j, j + ROW].into_iter().zip(halves) {
                    let [first, second] = [16 * code, 16 * code + TABLE];
                    // SAFETY: a table of two chunks has 512 bytes, and `code` is below 16.
                    let addends = unsafe {
                        let from = table.as_ptr();
                        _mm256_loadu2_m128i(from.add(second).cast(), from.add(first).cast())
                    };
                    let found = _mm256_shuffle_epi8(addends, _mm256_and_si256(values, low));
                    even = _mm256_add_epi16(even, found);
                    odd = _mm256_add_epi16(odd, _mm256_srli_epi16::<8>(found));
                }
            }
        }
        even = _mm256_sub_epi16(even, _mm256_slli_epi16::<8>(odd));
        let mut each = [0_u16; ROWS];
        // SAFETY: AVX2 is there; sixteen sums of 16 bits are as long as two registers of 128.
        unsafe {
            let (even, odd) = (fold_halves(even), fold_halves(odd));
            let to: *mut __m128i = each.as_mut_ptr().cast();
            _mm_storeu_si128(to, _mm_unpacklo_epi16(even, odd));
            _mm_storeu_si128(to.add(1), _mm_unpackhi_epi16(even, odd));
        }
        for (sum, each) in sums.iter_mut().zip(each) {
            *sum = u32::from(each);
        }
    }
}

/// Eight registers: in the halves of number j, of each row in turn, byte j of the chunk at `start` and byte j of the next; zeros
/// where there is none.
#[inline]
#[target_feature(enable = "avx2")]
fn turned(rows: &[&[u8]; ROWS], start: usize) -> [__m256i; ROW] {
    let two_chunks = |row: &[u8]| {
        let mut bytes = [0; 2 * ROW];
        match row[start..].first_chunk() {
            Some(whole) => bytes = *whole,
            None => bytes[..ROW].copy_from_slice(&row[start..]),
        }
        // SAFETY: sixteen bytes are as long as the register.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    };
    let pair = |i: usize| {
        let (a, b) = (two_chunks(rows[i]), two_chunks(rows[i + ROWS / 2]));
        _mm256_set_m128i(_mm_unpackhi_epi8(a, b), _mm_unpacklo_epi8(a, b))
    };
    let all: [__m256i; ROW] = std::array::from_fn(pair);
    interleaved::<1>(interleaved::<2>(interleaved::<4>(all)))
}

/// Of registers in groups of twice `HALF`, the bytes of each group's first half interleaved with those of its second: the
/// lower ones make a group, and the upper ones the next.
#[inline]
#[target_feature(enable = "avx2")]
fn interleaved<const HALF: usize>(all: [__m256i; ROW]) -> [__m256i; ROW] {
    std::array::from_fn(|i| {
        let (group, within) = (i / (2 * HALF), i % (2 * HALF));
        let first = 2 * HALF * group + within % HALF;
        let (a, b) = (all[first], all[first + HALF]);
        if within < HALF { _mm256_unpacklo_epi8(a, b) } else { _mm256_unpackhi_epi8(a, b) }
    })
}
