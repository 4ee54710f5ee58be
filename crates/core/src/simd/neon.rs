//! NEON kernels: part of every AArch64 CPU.

use std::arch::aarch64::*;

use super::lanes::{
    Difference, Lanes, Product, SIDE_BY_SIDE, SquaredDifference, blend_lanes, float_kernels, kernel_table,
    sums, sums_of_rows,
};
use super::{Kernels, LANES, Word};

/// Words in a register.
const WORDS: usize = 2;

static KERNELS: Kernels = kernel_table!("neon", hamming, hamming_rows);

pub(super) fn kernels() -> &'static Kernels {
    &KERNELS
}

/// Lanes 0..4, 4..8, 8..12, 12..16.
#[derive(Clone, Copy)]
struct FourQ([float32x4_t; 4]);

impl Lanes for FourQ {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: AArch64 always has NEON; so in every method below.
        unsafe { Self([vdupq_n_f32(0.0); 4]) }
    }
    #[inline(always)]
    unsafe fn load(from: &[f32; LANES]) -> Self {
        // SAFETY: `from` is sixteen floats, so each load of four is inside; they need no alignment.
        unsafe { Self([0, 4, 8, 12].map(|at| vld1q_f32(from.as_ptr().add(at)))) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self([vdupq_n_f32(value); 4]) }
    }
    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; LANES]) {
        for (i, four) in self.0.into_iter().enumerate() {
            // SAFETY: `to` is sixteen floats, so each store of four is inside; they need no alignment.
            unsafe { vst1q_f32(to.as_mut_ptr().add(4 * i), four) }
        }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self([0, 1, 2, 3].map(|i| vmulq_f32(self.0[i], other.0[i]))) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self([0, 1, 2, 3].map(|i| vaddq_f32(self.0[i], other.0[i]))) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self([0, 1, 2, 3].map(|i| vsubq_f32(self.0[i], other.0[i]))) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self(self.0.map(|four| vabsq_f32(four))) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, other: Self, sum: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self([0, 1, 2, 3].map(|i| vfmaq_f32(sum.0[i], self.0[i], other.0[i]))) }
    }
    #[inline(always)]
    unsafe fn fold(self) -> f32 {
        // SAFETY: as in `zero`.
        unsafe {
            let [a, b, c, d] = self.0;
            let four = vaddq_f32(vaddq_f32(a, c), vaddq_f32(b, d));
            let two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        }
    }
    #[inline(always)]
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe { [a.fold(), b.fold(), c.fold(), d.fold()] }
    }
}

float_kernels!("neon", FourQ);

#[target_feature(enable = "neon")]
fn hamming(x: &[Word], y: &[Word]) -> u64 {
    assert_eq!(x.len(), y.len());
    let (xs, x_tail) = x.as_chunks::<WORDS>();
    let (ys, y_tail) = y.as_chunks::<WORDS>();
    let mut bits = 0;
    for (a, b) in xs.iter().zip(ys) {
        // SAFETY: `a` and `b` are sixteen bytes each; the loads need no alignment.
        let (a, b) = unsafe { (vld1q_u8(a.as_ptr().cast()), vld1q_u8(b.as_ptr().cast())) };
        bits += u64::from(vaddlvq_u8(vcntq_u8(veorq_u8(a, b))));
    }
    for (a, b) in x_tail.iter().zip(y_tail) {
        bits += u64::from((u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones());
    }
    bits
}

#[target_feature(enable = "neon")]
fn hamming_rows(query: &[Word], rows: &[&[Word]], out: &mut [u64]) {
    assert_eq!(rows.len(), out.len());
    for (row, out) in rows.iter().zip(out) {
        *out = hamming(query, row);
    }
}
