//! AVX2 kernels. `kernels()` hands out the table only on a CPU that has AVX2, FMA and POPCNT.

use std::arch::x86_64::*;

use super::bits::{self, BITS};
use super::byte_tiles_x86::near_bytes;
use super::lanes::{
    Difference, Lanes, Product, SIDE_BY_SIDE, SquaredDifference, blend_rows, dots_of_pairs, float_kernels,
    kernel_table, sums, sums_of_rows, sums_of_two_rows,
};
use super::prefetch::prefetch_line;
use super::scan::{BLOCK, STEP, Scaled, Scan};
use super::scan_lanes::{Sums, gather_passing, scaled_block, scan_blocks, scan_kernels, select_blocks};
use super::shorts::SHORTS;
use super::shorts_lanes::ShortSums;
use super::tile_lanes::{Tiled, tile_kernels};
use super::{Kernels, LANES, WholeRows, Word, bytes};

static KERNELS: Kernels = kernel_table!("avx2");

pub(super) fn kernels() -> Option<&'static Kernels> {
    let runs = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("popcnt");
    runs.then_some(&KERNELS)
}

/// [`Lanes::fold`] of four at a time, or the same with another `$operation` than an addition. It belongs into `unsafe`: the CPU must
/// have AVX.
macro_rules! fold_four {
    ($of_eights:ident, $operation:ident, $a:expr, $b:expr, $c:expr, $d:expr) => {{
        let mut folded = [0.0; SIDE_BY_SIDE];
        let (a, b) = ($of_eights($a.0, $a.1), $of_eights($b.0, $b.1));
        let (c, d) = ($of_eights($c.0, $c.1), $of_eights($d.0, $d.1));
        let a = $operation(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
        let b = $operation(_mm256_castps256_ps128(b), _mm256_extractf128_ps::<1>(b));
        let c = $operation(_mm256_castps256_ps128(c), _mm256_extractf128_ps::<1>(c));
        let d = $operation(_mm256_castps256_ps128(d), _mm256_extractf128_ps::<1>(d));
        // [x0 + x2, x1 + x3, y0 + y2, y1 + y3]
        let ab = $operation(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
        let cd = $operation(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
        let (even, odd) = (_mm_shuffle_ps::<0b10_00_10_00>(ab, cd), _mm_shuffle_ps::<0b11_01_11_01>(ab, cd));
        _mm_storeu_ps(folded.as_mut_ptr(), $operation(even, odd));
        folded
    }};
}

/// Lanes 0..8 and lanes 8..16.
#[derive(Clone, Copy)]
struct TwoYmm(__m256, __m256);

impl Lanes for TwoYmm {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise that AVX2 and FMA are there; so in every method below.
        unsafe { Self(_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn load(from: &[f32; LANES]) -> Self {
        // SAFETY: `from` is sixteen floats, so both loads of eight are inside; they need no alignment.
        unsafe { Self(_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))) }
    }
    #[inline(always)]
    unsafe fn load_u8(from: &[u8; LANES]) -> Self {
        let low = from.as_ptr();
        // SAFETY: `from` is sixteen bytes, so both loads of eight are inside; they need no alignment.
        unsafe {
            let eight = [low, low.add(8)].map(|at| _mm256_cvtepu8_epi32(_mm_loadl_epi64(at.cast())));
            Self(_mm256_cvtepi32_ps(eight[0]), _mm256_cvtepi32_ps(eight[1]))
        }
    }
    #[inline(always)]
    unsafe fn load_i8(from: &[i8; LANES]) -> Self {
        let low = from.as_ptr();
        // SAFETY: `from` is sixteen bytes, so both loads of eight are inside; they need no alignment.
        unsafe {
            let eight = [low, low.add(8)].map(|at| _mm256_cvtepi8_epi32(_mm_loadl_epi64(at.cast())));
            Self(_mm256_cvtepi32_ps(eight[0]), _mm256_cvtepi32_ps(eight[1]))
        }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: `to` is sixteen floats, so both stores of eight are inside; they need no alignment.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), self.0);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: as in `zero`.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Self(_mm256_andnot_ps(sign, self.0), _mm256_andnot_ps(sign, self.1))
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, other: Self, sum: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self(_mm256_fmadd_ps(self.0, other.0, sum.0), _mm256_fmadd_ps(self.1, other.1, sum.1)) }
    }
    #[inline(always)]
    unsafe fn where_less(a: Self, b: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe {
            let low = _mm256_cmp_ps::<_CMP_LT_OQ>(a.0, b.0);
            let high = _mm256_cmp_ps::<_CMP_LT_OQ>(a.1, b.1);
            Self(_mm256_blendv_ps(otherwise.0, then.0, low), _mm256_blendv_ps(otherwise.1, then.1, high))
        }
    }
    #[inline(always)]
    unsafe fn fold(self) -> f32 {
        // SAFETY: as in `zero`.
        unsafe { fold_eight(_mm256_add_ps(self.0, self.1)) }
    }
    #[inline(always)]
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe { fold_four!(_mm256_add_ps, _mm_add_ps, a, b, c, d) }
    }
    #[inline(always)]
    unsafe fn least_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe { fold_four!(_mm256_min_ps, _mm_min_ps, a, b, c, d) }
    }
    #[inline(always)]
    unsafe fn most_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe { fold_four!(_mm256_max_ps, _mm_max_ps, a, b, c, d) }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8; LANES]) {
        // SAFETY: as in `zero`; `to` is sixteen bytes, and the store needs no alignment.
        unsafe {
            // Of what is no number the second operand comes out, here and below 0.
            let (zero, most) = (_mm256_setzero_ps(), _mm256_set1_ps(255.0));
            let low = _mm256_cvttps_epi32(_mm256_max_ps(_mm256_min_ps(self.0, most), zero));
            let high = _mm256_cvttps_epi32(_mm256_max_ps(_mm256_min_ps(self.1, most), zero));
            // [low 0..4, high 0..4, low 4..8, high 4..8]
            let words = _mm256_packus_epi32(low, high);
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
        }
    }
}

/// Lane i + lane i+4, then i+2, i+1.
///
/// # Safety
///
/// The CPU must have AVX.
#[inline(always)]
pub(super) unsafe fn fold_eight(lanes: __m256) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let four = quarters(lanes);
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

/// Lane i + lane i+4.
///
/// # Safety
///
/// The CPU must have AVX.
#[inline(always)]
unsafe fn quarters(eight: __m256) -> __m128 {
    // SAFETY: the caller's promise.
    unsafe { _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight)) }
}

/// Sums of products of pairs, in two registers.
#[derive(Clone, Copy)]
struct TwoSums(__m256i, __m256i);

impl ShortSums for TwoSums {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise that AVX2 is there; so in every method below.
        unsafe { Self(_mm256_setzero_si256(), _mm256_setzero_si256()) }
    }
    #[inline(always)]
    unsafe fn add_products(self, query: &[i16; SHORTS], row: &[i16; SHORTS]) -> Self {
        let (query, row): (*const __m256i, *const __m256i) = (query.as_ptr().cast(), row.as_ptr().cast());
        // SAFETY: as in `zero`; both are twice 32 bytes, and the loads need no alignment.
        unsafe {
            let low = _mm256_madd_epi16(_mm256_loadu_si256(query), _mm256_loadu_si256(row));
            let high = _mm256_madd_epi16(_mm256_loadu_si256(query.add(1)), _mm256_loadu_si256(row.add(1)));
            Self(_mm256_add_epi32(self.0, low), _mm256_add_epi32(self.1, high))
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> i32 {
        // SAFETY: as in `zero`.
        unsafe {
            let eight = _mm256_add_epi32(self.0, self.1);
            let four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
            let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
            _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)))
        }
    }
}

float_kernels!("avx2,fma", TwoYmm, TwoSums);

/// Bit counts by POPCNT: at one word a cycle it outruns AVX2's table look-ups on vectors of up to a few dozen words.
#[target_feature(enable = "popcnt")]
pub(super) fn hamming(x: &[Word], y: &[Word]) -> u64 {
    assert_eq!(x.len(), y.len());
    let bits =
        |(a, b): (&Word, &Word)| u64::from((u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones());
    x.iter().zip(y).map(bits).sum()
}

#[target_feature(enable = "popcnt")]
pub(super) fn hamming_rows(query: &[Word], rows: &[&[Word]], out: &mut [u64]) {
    assert_eq!(rows.len(), out.len());
    for (row, out) in rows.iter().zip(out) {
        *out = hamming(query, row);
    }
}

/// Rows whose sums of products of bytes are made side by side: each part of the query is widened once for all of them.
const BYTE_ROWS: usize = 4;
/// Bytes that become a register of numbers of two bytes.
const BYTES: usize = 16;

#[target_feature(enable = "avx2")]
pub(super) fn dot_bytes(query: &[i8], rows: &[&[i8]], out: &mut [i32]) {
    assert_eq!(rows.len(), out.len());
    // A shorter one does not fill a register.
    let Some(last) = query.last_chunk::<BYTES>() else { return bytes::dot_bytes(query, rows, out) };
    // Of the last bytes those that come before the last whole sixteen end count for nothing.
    let rest = query.len() % BYTES;
    let mut ends = *last;
    ends[..if rest == 0 { BYTES } else { BYTES - rest }].fill(0);
    let (many, others) = rows.as_chunks::<BYTE_ROWS>();
    let (outs, other_outs) = out.as_chunks_mut::<BYTE_ROWS>();
    for (rows, out) in many.iter().zip(outs) {
        *out = dots_of_bytes(query, &ends, rows);
    }
    for (row, out) in others.iter().zip(other_outs) {
        [*out] = dots_of_bytes(query, &ends, &[*row]);
    }
}

/// A query's inner products with some rows of sixteen bytes or more; `ends` are those of its bytes that no whole sixteen holds. Two products
/// of bytes are no more than 32,768 together, and their sums those of numbers of four bytes.
#[target_feature(enable = "avx2")]
#[inline]
fn dots_of_bytes<const N: usize>(query: &[i8], ends: &[i8; BYTES], rows: &[&[i8]; N]) -> [i32; N] {
    let whole = query.as_chunks::<BYTES>().0;
    let mut wholes: [&[[i8; BYTES]]; N] = [&[]; N];
    let mut sums = [_mm256_setzero_si256(); N];
    let values = widened(ends);
    for ((row, wholes), sum) in rows.iter().zip(&mut wholes).zip(&mut sums) {
        assert_eq!(row.len(), query.len());
        *wholes = row.as_chunks().0;
        if let Some(last) = row.last_chunk() {
            *sum = _mm256_madd_epi16(values, widened(last));
        }
    }
    for (i, values) in whole.iter().enumerate() {
        let values = widened(values);
        for (sum, wholes) in sums.iter_mut().zip(&wholes) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(values, widened(&wholes[i])));
        }
    }
    let mut dots = [0; N];
    for (dot, sum) in dots.iter_mut().zip(sums) {
        let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        *dot = _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)));
    }
    dots
}

#[target_feature(enable = "avx2")]
#[inline]
fn widened(bytes: &[i8; BYTES]) -> __m256i {
    // SAFETY: the load is of sixteen bytes, and needs no alignment.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// Two compares and two moves of masks a word.
#[target_feature(enable = "avx2")]
pub(super) fn pack_bits(bytes: &[u8], words: &mut Vec<u64>) {
    let (whole, rest) = bytes.as_chunks::<BITS>();
    words.reserve(whole.len() + 1);
    for bytes in whole {
        // SAFETY: `bytes` is 64 bytes, so both loads of 32 are inside; they need no alignment.
        let halves = unsafe {
            let first = bytes.as_ptr().cast::<__m256i>();
            [_mm256_loadu_si256(first), _mm256_loadu_si256(first.add(1))]
        };
        let [lower, upper] =
            halves.map(|half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, _mm256_setzero_si256())));
        words.push(!(u64::from(lower.cast_unsigned()) | u64::from(upper.cast_unsigned()) << 32));
    }
    bits::pack_bits(rest, words);
}

/// The sums of lanes 0..8, 8..16, 16..24, 24..32.
#[derive(Clone, Copy)]
struct FourXmm([__m128i; 4]);

impl Sums for FourXmm {
    #[inline(always)]
    unsafe fn of<const FETCH: bool>(table: &[u8], block: &[u8], ahead: &[u8]) -> Self {
        // SAFETY: the caller's promise that AVX2 is there; each chunk is 32 bytes, and the loads need no alignment.
        unsafe {
            let nibble = _mm256_set1_epi8(15);
            let mut low = _mm256_setzero_si256();
            let (mut low_odd, mut high, mut high_odd) = (low, low, low);
            let halves = table.as_chunks::<{ STEP / 2 }>().0.iter().zip(block.as_chunks::<{ STEP / 2 }>().0);
            for (i, (addends, codes)) in halves.enumerate() {
                if FETCH && i % 2 == 0 {
                    prefetch_line(ahead, i * STEP / 2);
                }
                let addends = _mm256_loadu_si256(addends.as_ptr().cast());
                let codes = _mm256_loadu_si256(codes.as_ptr().cast());
                let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
                let a = _mm256_shuffle_epi8(addends, _mm256_and_si256(codes, nibble));
                let b = _mm256_shuffle_epi8(addends, upper);
                // As 16-bit numbers, even byte + 256 * odd byte; the odd ones are taken off at the end.
                low = _mm256_add_epi16(low, a);
                low_odd = _mm256_add_epi16(low_odd, _mm256_srli_epi16::<8>(a));
                high = _mm256_add_epi16(high, b);
                high_odd = _mm256_add_epi16(high_odd, _mm256_srli_epi16::<8>(b));
            }
            let low_even = fold_halves(_mm256_sub_epi16(low, _mm256_slli_epi16::<8>(low_odd)));
            let high_even = fold_halves(_mm256_sub_epi16(high, _mm256_slli_epi16::<8>(high_odd)));
            let (low_odd, high_odd) = (fold_halves(low_odd), fold_halves(high_odd));
            Self([
                _mm_unpacklo_epi16(low_even, low_odd),
                _mm_unpackhi_epi16(low_even, low_odd),
                _mm_unpacklo_epi16(high_even, high_odd),
                _mm_unpackhi_epi16(high_even, high_odd),
            ])
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: &mut [u16; BLOCK]) {
        for i in 0..4 {
            // SAFETY: as in `of`; `to` is four times 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().add(8 * i).cast(), self.0[i]) }
        }
    }
    #[inline(always)]
    unsafe fn select(
        self,
        scan: &Scan<'_>,
        biases: &[f32; BLOCK],
        first: u32,
        estimates: &mut [f32; BLOCK],
        lanes: &mut [u32; BLOCK],
    ) -> usize {
        let mut all = [0.0; BLOCK];
        let mut passing = 0;
        // SAFETY: as in `of`; `biases` and `all` are four times eight floats.
        unsafe {
            let (base, scale) = (_mm256_set1_ps(scan.base), _mm256_set1_ps(scan.scale));
            let threshold = _mm256_set1_ps(scan.threshold);
            for i in 0..4 {
                let sums = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(self.0[i]));
                let bias = _mm256_loadu_ps(biases.as_ptr().add(8 * i));
                let estimate = _mm256_fmadd_ps(sums, scale, _mm256_add_ps(base, bias));
                _mm256_storeu_ps(all.as_mut_ptr().add(8 * i), estimate);
                let under = _mm256_cmp_ps::<_CMP_LT_OQ>(estimate, threshold);
                passing |= _mm256_movemask_ps(under).cast_unsigned() << (8 * i);
            }
        }
        gather_passing(passing, &all, first, estimates, lanes)
    }
    #[inline(always)]
    unsafe fn scaled(self, scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32 {
        let mut passing = 0;
        // SAFETY: as in `of`; factors and estimates are four times eight.
        unsafe {
            let (scale, offset) = (_mm256_set1_ps(scaled.scale), _mm256_set1_ps(scaled.offset));
            let (base, threshold) = (_mm256_set1_ps(scaled.base), _mm256_set1_ps(scaled.threshold));
            let upper = _mm256_set1_epi32(0xFFFF_0000_u32.cast_signed());
            for i in 0..4 {
                let sums = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(self.0[i]));
                let factors = _mm256_loadu_si256(scaled.factors.as_ptr().add(8 * i).cast());
                let added = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(factors));
                let times = _mm256_castsi256_ps(_mm256_and_si256(factors, upper));
                let sums = _mm256_fmadd_ps(sums, scale, offset);
                let estimate = _mm256_fmadd_ps(times, sums, _mm256_add_ps(base, added));
                _mm256_storeu_ps(estimates.as_mut_ptr().add(8 * i), estimate);
                let under = _mm256_cmp_ps::<_CMP_LT_OQ>(estimate, threshold);
                passing |= _mm256_movemask_ps(under).cast_unsigned() << (8 * i);
            }
        }
        passing
    }
}

/// Both halves, each with its own codes, added up.
///
/// # Safety
///
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn fold_halves(sums: __m256i) -> __m128i {
    // SAFETY: the caller's promise.
    unsafe { _mm_add_epi16(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)) }
}

scan_kernels!("avx2,fma", FourXmm, lut_scan_blocks, lut_select, lut_scaled);
tile_kernels!("avx2,fma", TwoYmm, 6 by [1], 2 by [2 1], 1 by [4 3 2 1]);
