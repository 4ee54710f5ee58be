//! AVX-512 kernels. `kernels()` hands out a table only on a CPU that has AVX-512F and BW, and what AVX2's table needs.

use std::arch::x86_64::*;

use super::lanes::{
    Difference, Lanes, Product, SIDE_BY_SIDE, SquaredDifference, blend_rows, dots_of_pairs, float_kernels,
    kernel_table, sums, sums_of_rows, sums_of_two_rows,
};
use super::prefetch::prefetch_line;
use super::scan::{BLOCK, STEP, Scaled, Scan};
use super::scan_lanes::{Sums, scaled_block, scan_blocks, scan_kernels, select_blocks};
use super::shorts::SHORTS;
use super::shorts_lanes::ShortSums;
use super::tile_lanes::{Tiled, tile_kernels};
use super::{Kernels, LANES, WholeRows, Word, avx2, byte_tiles_x86};

/// Words in a register.
const WORDS: usize = 8;

static FIRST: Kernels = kernel_table!(
    "avx512",
    avx2::hamming,
    avx2::hamming_rows,
    avx2::pack_bits,
    avx2::dot_bytes,
    byte_tiles_x86::near_bytes,
    lut_scan_blocks,
    lut_select,
    lut_scaled
);
/// For CPUs with VPOPCNTDQ, GFNI and VNNI: Intel's since Ice Lake, AMD's since Zen 4.
static LATER: Kernels = kernel_table!(
    "avx512",
    hamming,
    hamming_rows,
    avx2::pack_bits,
    dot_bytes_vnni,
    byte_tiles_x86::near_bytes_vnni,
    lut_scan_blocks_gfni,
    lut_select_gfni,
    lut_scaled_gfni
);

pub(super) fn kernels() -> Option<&'static Kernels> {
    let later = is_x86_feature_detected!("avx512vpopcntdq")
        && is_x86_feature_detected!("gfni")
        && is_x86_feature_detected!("avx512vnni");
    if later { first().map(|_| &LATER) } else { first() }
}

/// The table for CPUs without one of these, which those with them can run too.
pub(super) fn first() -> Option<&'static Kernels> {
    let runs = avx2::kernels().is_some()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw");
    runs.then_some(&FIRST)
}

/// The lanes of four registers, folded into one lane each by an `$operation`. It belongs into `unsafe`: the CPU must have AVX-512F.
macro_rules! fold_four_sixteens {
    ($operation:ident, $a:expr, $b:expr, $c:expr, $d:expr) => {{
        let mut folded = [0.0; SIDE_BY_SIDE];
        let [a, b, c, d] = [$a, $b, $c, $d];
        // Fours of lanes are moved whole: [a0 a1 b0 b1] is lanes 0..8 of a and of b.
        let ab = $operation(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xEE>(a, b));
        let cd = $operation(_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xEE>(c, d));
        let four = $operation(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xDD>(ab, cd));
        let two = $operation(four, _mm512_permute_ps::<0b01_00_11_10>(four));
        let one = $operation(two, _mm512_permute_ps::<0b10_11_00_01>(two));
        let firsts = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        _mm_storeu_ps(folded.as_mut_ptr(), _mm512_castps512_ps128(_mm512_permutexvar_ps(firsts, one)));
        folded
    }};
}

impl Lanes for __m512 {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise that AVX-512F is there; so in every method below.
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn load(from: &[f32; LANES]) -> Self {
        // SAFETY: `from` is sixteen floats; the load needs no alignment.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn load_u8(from: &[u8; LANES]) -> Self {
        // SAFETY: `from` is sixteen bytes; the load needs no alignment.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }
    #[inline(always)]
    unsafe fn load_i8(from: &[i8; LANES]) -> Self {
        // SAFETY: `from` is sixteen bytes; the load needs no alignment.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: `to` is sixteen floats; the store needs no alignment.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_mul_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_add_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_sub_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_abs_ps(self) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, other: Self, sum: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_fmadd_ps(self, other, sum) }
    }
    #[inline(always)]
    unsafe fn where_less(a: Self, b: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), otherwise, then) }
    }
    #[inline(always)]
    unsafe fn fold(self) -> f32 {
        // SAFETY: as in `zero`; AVX-512F implies AVX.
        unsafe { avx2::fold_eight(halves(self)) }
    }
    #[inline(always)]
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`; AVX-512F implies AVX.
        unsafe { fold_four_sixteens!(_mm512_add_ps, a, b, c, d) }
    }
    #[inline(always)]
    unsafe fn least_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `fold_four`.
        unsafe { fold_four_sixteens!(_mm512_min_ps, a, b, c, d) }
    }
    #[inline(always)]
    unsafe fn most_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `fold_four`.
        unsafe { fold_four_sixteens!(_mm512_max_ps, a, b, c, d) }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8; LANES]) {
        // SAFETY: as in `zero`; `to` is sixteen bytes, and the store needs no alignment.
        unsafe {
            // Of what is no number the second operand comes out.
            let within = _mm512_max_ps(_mm512_min_ps(self, _mm512_set1_ps(255.0)), _mm512_setzero_ps());
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(within)));
        }
    }
}

/// Lane i + lane i+8.
///
/// # Safety
///
/// The CPU must have AVX-512F.
#[inline(always)]
unsafe fn halves(lanes: __m512) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(lanes)));
        _mm256_add_ps(_mm512_castps512_ps256(lanes), high)
    }
}

/// Sums of products of pairs.
#[derive(Clone, Copy)]
struct OneSum(__m512i);

impl ShortSums for OneSum {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise that AVX-512F and BW are there; so in every method below.
        unsafe { Self(_mm512_setzero_si512()) }
    }
    #[inline(always)]
    unsafe fn add_products(self, query: &[i16; SHORTS], row: &[i16; SHORTS]) -> Self {
        // SAFETY: as in `zero`; both are 64 bytes, and the loads need no alignment.
        unsafe {
            let (query, row) = (_mm512_loadu_epi16(query.as_ptr()), _mm512_loadu_epi16(row.as_ptr()));
            Self(_mm512_add_epi32(self.0, _mm512_madd_epi16(query, row)))
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> i32 {
        // SAFETY: as in `zero`.
        unsafe { _mm512_reduce_add_epi32(self.0) }
    }
}

float_kernels!("avx512f,avx512bw,avx2,fma", __m512, OneSum);

#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
fn hamming(x: &[Word], y: &[Word]) -> u64 {
    assert_eq!(x.len(), y.len());
    let (xs, x_tail) = x.as_chunks::<WORDS>();
    let (ys, y_tail) = y.as_chunks::<WORDS>();
    let mut counts = _mm512_setzero_si512();
    for (a, b) in xs.iter().zip(ys) {
        // SAFETY: `a` and `b` are eight words of eight bytes each; the loads need no alignment.
        let (a, b) =
            unsafe { (_mm512_loadu_si512(a.as_ptr().cast()), _mm512_loadu_si512(b.as_ptr().cast())) };
        counts = _mm512_add_epi64(counts, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
    }
    let whole = if xs.is_empty() { 0 } else { _mm512_reduce_add_epi64(counts).cast_unsigned() };
    whole + avx2::hamming(x_tail, y_tail)
}

#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
fn hamming_rows(query: &[Word], rows: &[&[Word]], out: &mut [u64]) {
    assert_eq!(rows.len(), out.len());
    for (row, out) in rows.iter().zip(out) {
        *out = hamming(query, row);
    }
}

/// Rows whose sums are made side by side.
const ROWS: usize = 4;

#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2")]
fn dot_bytes_vnni(query: &[i8], rows: &[&[i8]], out: &mut [i32]) {
    assert_eq!(rows.len(), out.len());
    assert!(rows.iter().all(|row| row.len() == query.len()));
    let (many, last) = rows.as_chunks::<ROWS>();
    let (outs, last_out) = out.as_chunks_mut::<ROWS>();
    // SAFETY: this function enables the features; the lengths were compared.
    unsafe {
        for (rows, out) in many.iter().zip(outs) {
            *out = dots_of_bytes(query, rows);
        }
        for (row, out) in last.iter().zip(last_out) {
            [*out] = dots_of_bytes(query, &[row]);
        }
    }
}

/// A query's inner products with some rows. The instruction multiplies bytes without a sign with those of a sign, so 128 is
/// added to those of the rows, by their uppermost bit. What overflows on the way comes back at the end.
///
/// # Safety
///
/// The CPU must have AVX-512F, BW, VNNI and AVX2; the rows must be as long as the query.
#[inline(always)]
unsafe fn dots_of_bytes<const N: usize>(query: &[i8], rows: &[&[i8]; N]) -> [i32; N] {
    const WIDE: usize = 64;
    // SAFETY: the caller's promise; bytes behind the end are masked, and loads need no alignment.
    unsafe {
        let upper = _mm512_set1_epi8(i8::MIN);
        let mut sums = [_mm512_setzero_si512(); N];
        let mut raised = _mm512_setzero_si512();
        for at in (0..query.len()).step_by(WIDE) {
            let there = u64::MAX >> (WIDE - (query.len() - at).min(WIDE));
            let values = _mm512_maskz_loadu_epi8(there, query.as_ptr().add(at));
            raised = _mm512_dpbusd_epi32(raised, upper, values);
            for (sum, row) in sums.iter_mut().zip(rows) {
                let row = _mm512_maskz_loadu_epi8(there, row.as_ptr().add(at));
                *sum = _mm512_dpbusd_epi32(*sum, _mm512_xor_si512(row, upper), values);
            }
        }
        let mut dots = [0; N];
        for (dot, sum) in dots.iter_mut().zip(sums) {
            *dot = _mm512_reduce_add_epi32(_mm512_sub_epi32(sum, raised));
        }
        dots
    }
}

/// The sums of lanes 0..32, in order; computed with GFNI's help or without.
#[derive(Clone, Copy)]
struct Zmm<const GFNI: bool>(__m512i);

impl<const GFNI: bool> Sums for Zmm<GFNI> {
    #[inline(always)]
    unsafe fn of<const FETCH: bool>(table: &[u8], block: &[u8], ahead: &[u8]) -> Self {
        // SAFETY: the caller's promise that AVX-512F and BW are there, and GFNI where it is asked for; each chunk is 64
        // bytes, and the loads need no alignment.
        unsafe {
            let nibble = _mm512_set1_epi8(15);
            let mut low = _mm512_setzero_si512();
            let (mut low_odd, mut high, mut high_odd) = (low, low, low);
            let steps = table.as_chunks::<STEP>().0.iter().zip(block.as_chunks::<STEP>().0);
            for (i, (addends, codes)) in steps.enumerate() {
                if FETCH {
                    prefetch_line(ahead, i * STEP);
                }
                let addends = _mm512_loadu_si512(addends.as_ptr().cast());
                let codes = _mm512_loadu_si512(codes.as_ptr().cast());
                let upper = if GFNI {
                    _mm512_gf2p8affine_epi64_epi8::<0>(codes, _mm512_set1_epi64(UPPER_NIBBLE))
                } else {
                    _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble)
                };
                let a = _mm512_shuffle_epi8(addends, _mm512_and_si512(codes, nibble));
                let b = _mm512_shuffle_epi8(addends, upper);
                // As 16-bit numbers, even byte + 256 * odd byte; the odd ones are taken off at the end.
                low = _mm512_add_epi16(low, a);
                low_odd = _mm512_add_epi16(low_odd, _mm512_srli_epi16::<8>(a));
                high = _mm512_add_epi16(high, b);
                high_odd = _mm512_add_epi16(high_odd, _mm512_srli_epi16::<8>(b));
            }
            low = _mm512_sub_epi16(low, _mm512_slli_epi16::<8>(low_odd));
            high = _mm512_sub_epi16(high, _mm512_slli_epi16::<8>(high_odd));
            // Every quarter of a register has its own codes: add up the four of each register, into one register.
            let (low, high) = (fold_quarters(low, low_odd), fold_quarters(high, high_odd));
            let sums = _mm512_add_epi16(
                _mm512_shuffle_i64x2::<0b10_00_10_00>(low, high),
                _mm512_shuffle_i64x2::<0b11_01_11_01>(low, high),
            );
            Self(_mm512_permutexvar_epi16(_mm512_loadu_si512(IN_ORDER.as_ptr().cast()), sums))
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: &mut [u16; BLOCK]) {
        // SAFETY: as in `of`; `to` is 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), self.0) }
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
        // SAFETY: as in `of`; the second half is stored at most 16 behind the first, so both are inside.
        unsafe {
            let (base, scale) = (_mm512_set1_ps(scan.base), _mm512_set1_ps(scan.scale));
            let threshold = _mm512_set1_ps(scan.threshold);
            let mut lane = _mm512_add_epi32(
                _mm512_set1_epi32(first.cast_signed()),
                _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            );
            let halves = [_mm512_castsi512_si256(self.0), _mm512_extracti64x4_epi64::<1>(self.0)];
            let mut kept = 0;
            for (half, sums) in halves.into_iter().enumerate() {
                let sums = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
                let bias = _mm512_loadu_ps(biases.as_ptr().add(16 * half));
                let estimate = _mm512_fmadd_ps(sums, scale, _mm512_add_ps(base, bias));
                let passing = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(estimate, threshold);
                // Compressed in a register and stored whole: AMD's Zen 4 is very slow to compress into memory.
                let compressed = _mm512_maskz_compress_ps(passing, estimate);
                _mm512_storeu_ps(estimates.as_mut_ptr().add(kept), compressed);
                let compressed = _mm512_maskz_compress_epi32(passing, lane);
                _mm512_storeu_si512(lanes.as_mut_ptr().add(kept).cast(), compressed);
                kept += passing.count_ones() as usize;
                lane = _mm512_add_epi32(lane, _mm512_set1_epi32(16));
            }
            kept
        }
    }
    #[inline(always)]
    unsafe fn scaled(self, scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32 {
        // SAFETY: as in `of`; factors and estimates are twice as long as a register.
        unsafe {
            let (scale, offset) = (_mm512_set1_ps(scaled.scale), _mm512_set1_ps(scaled.offset));
            let (base, threshold) = (_mm512_set1_ps(scaled.base), _mm512_set1_ps(scaled.threshold));
            let upper = _mm512_set1_epi32(0xFFFF_0000_u32.cast_signed());
            let halves = [_mm512_castsi512_si256(self.0), _mm512_extracti64x4_epi64::<1>(self.0)];
            let mut passing = 0;
            for (half, sums) in halves.into_iter().enumerate() {
                let sums = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
                let factors = _mm512_loadu_si512(scaled.factors.as_ptr().add(16 * half).cast());
                let added = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(factors));
                let times = _mm512_castsi512_ps(_mm512_and_si512(factors, upper));
                let sums = _mm512_fmadd_ps(sums, scale, offset);
                let estimate = _mm512_fmadd_ps(times, sums, _mm512_add_ps(base, added));
                _mm512_storeu_ps(estimates.as_mut_ptr().add(16 * half), estimate);
                let under = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(estimate, threshold);
                passing |= u32::from(under) << (16 * half);
            }
            passing
        }
    }
}

/// The matrix of bits that shifts a byte right by four.
const UPPER_NIBBLE: i64 = 0x1020_4080_0000_0000;

/// Where lane i's sum is among the even and the odd ones of lanes 0..16, then of lanes 16..32.
const IN_ORDER: [u16; BLOCK] = {
    let mut order = [0; BLOCK];
    let mut lane = 0;
    while lane < BLOCK {
        order[lane] = (lane / 16 * 16 + lane % 2 * 8 + lane % 16 / 2) as u16;
        lane += 1;
    }
    order
};

/// Quarters 0 + 2 and 1 + 3 of `a`, then those of `b`.
///
/// # Safety
///
/// The CPU must have AVX-512F and BW.
#[inline(always)]
unsafe fn fold_quarters(a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe {
        _mm512_add_epi16(
            _mm512_shuffle_i64x2::<0b01_00_01_00>(a, b),
            _mm512_shuffle_i64x2::<0b11_10_11_10>(a, b),
        )
    }
}

scan_kernels!("avx512f,avx512bw,avx2,fma,popcnt", Zmm<false>, lut_scan_blocks, lut_select, lut_scaled);
scan_kernels!(
    "avx512f,avx512bw,avx2,fma,popcnt,gfni",
    Zmm<true>,
    lut_scan_blocks_gfni,
    lut_select_gfni,
    lut_scaled_gfni
);
tile_kernels!("avx512f,avx2,fma", __m512, 8 by [3 2 1], 4 by [4 2 1], 1 by [4 3 2 1]);
