//! AVX2 kernels. `kernels()` hands out the table only on a CPU that has AVX2, FMA and POPCNT.

use std::arch::x86_64::*;

use super::lanes::{
    Difference, Lanes, Product, SquaredDifference, blend_lanes, float_kernels, kernel_table, sums,
    sums_of_rows,
};
use super::{Kernels, LANES, Word};

static KERNELS: Kernels = kernel_table!("avx2", hamming, hamming_rows);

pub(super) fn kernels() -> Option<&'static Kernels> {
    let runs = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("popcnt");
    runs.then_some(&KERNELS)
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
    unsafe fn fold(self) -> f32 {
        // SAFETY: as in `zero`.
        unsafe { fold_eight(_mm256_add_ps(self.0, self.1)) }
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
        let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

float_kernels!("avx2,fma", TwoYmm);

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
