//! AVX-512 kernels. `kernels()` hands out a table only on a CPU that has AVX-512F beside what AVX2's table needs.

use std::arch::x86_64::*;

use super::lanes::{
    Difference, Lanes, Product, SIDE_BY_SIDE, SquaredDifference, blend_lanes, float_kernels, kernel_table,
    sums, sums_of_rows,
};
use super::{Kernels, LANES, Word, avx2};

/// Words in a register.
const WORDS: usize = 8;

static WITHOUT_POPCOUNT: Kernels = kernel_table!("avx512", avx2::hamming, avx2::hamming_rows);
static WITH_POPCOUNT: Kernels = kernel_table!("avx512", hamming, hamming_rows);

pub(super) fn kernels() -> Option<&'static Kernels> {
    let runs = avx2::kernels().is_some() && is_x86_feature_detected!("avx512f");
    let table = if is_x86_feature_detected!("avx512vpopcntdq") { &WITH_POPCOUNT } else { &WITHOUT_POPCOUNT };
    runs.then_some(table)
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
    unsafe fn fold(self) -> f32 {
        // SAFETY: as in `zero`; AVX-512F implies AVX.
        unsafe { avx2::fold_eight(halves(self)) }
    }
    #[inline(always)]
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `fold`.
        unsafe { avx2::fold_four_eights(halves(a), halves(b), halves(c), halves(d)) }
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

float_kernels!("avx512f,avx2,fma", __m512);

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
