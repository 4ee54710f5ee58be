//! AVX2 kernels. `kernels()` hands out the table only on a CPU that has AVX2, FMA and POPCNT.

use std::arch::x86_64::*;

use super::lanes::{
    Difference, Lanes, Product, SIDE_BY_SIDE, SquaredDifference, blend_lanes, float_kernels, kernel_table,
    sums, sums_of_rows,
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
    #[inline(always)]
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe {
            let (a, b) = (_mm256_add_ps(a.0, a.1), _mm256_add_ps(b.0, b.1));
            let (c, d) = (_mm256_add_ps(c.0, c.1), _mm256_add_ps(d.0, d.1));
            fold_four_eights(a, b, c, d)
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

/// [`fold_eight`] of four at a time.
///
/// # Safety
///
/// The CPU must have AVX.
#[inline(always)]
pub(super) unsafe fn fold_four_eights(a: __m256, b: __m256, c: __m256, d: __m256) -> [f32; SIDE_BY_SIDE] {
    let mut sums = [0.0; SIDE_BY_SIDE];
    // SAFETY: the caller's promise; the store is of four floats and needs no alignment.
    unsafe {
        let (a, b, c, d) = (quarters(a), quarters(b), quarters(c), quarters(d));
        // [x0 + x2, x1 + x3, y0 + y2, y1 + y3]
        let ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
        let cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
        let (even, odd) = (_mm_shuffle_ps::<0b10_00_10_00>(ab, cd), _mm_shuffle_ps::<0b11_01_11_01>(ab, cd));
        _mm_storeu_ps(sums.as_mut_ptr(), _mm_add_ps(even, odd));
    }
    sums
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
