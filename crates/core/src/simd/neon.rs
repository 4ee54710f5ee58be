//! NEON kernels: part of every AArch64 CPU.

use std::arch::aarch64::*;

use super::byte_tiles::Near;
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
use super::{Kernels, LANES, WholeRows, Word, bits, byte_tiles, bytes};

/// Words in a register.
const WORDS: usize = 2;

static KERNELS: Kernels = kernel_table!("neon");

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
    unsafe fn load_u8(from: &[u8; LANES]) -> Self {
        // SAFETY: `from` is sixteen bytes; the load needs no alignment.
        unsafe {
            let bytes = vld1q_u8(from.as_ptr());
            let (low, high) = (vmovl_u8(vget_low_u8(bytes)), vmovl_u8(vget_high_u8(bytes)));
            Self(
                [vget_low_u16(low), vget_high_u16(low), vget_low_u16(high), vget_high_u16(high)]
                    .map(|four| vcvtq_f32_u32(vmovl_u16(four))),
            )
        }
    }
    #[inline(always)]
    unsafe fn load_i8(from: &[i8; LANES]) -> Self {
        // SAFETY: `from` is sixteen bytes; the load needs no alignment.
        unsafe {
            let bytes = vld1q_s8(from.as_ptr());
            let (low, high) = (vmovl_s8(vget_low_s8(bytes)), vmovl_s8(vget_high_s8(bytes)));
            Self(
                [vget_low_s16(low), vget_high_s16(low), vget_low_s16(high), vget_high_s16(high)]
                    .map(|four| vcvtq_f32_s32(vmovl_s16(four))),
            )
        }
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
    unsafe fn where_less(a: Self, b: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe { Self([0, 1, 2, 3].map(|i| vbslq_f32(vcltq_f32(a.0[i], b.0[i]), then.0[i], otherwise.0[i]))) }
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
    #[inline(always)]
    unsafe fn least_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe {
            [a, b, c, d].map(|Self([a, b, c, d])| vminvq_f32(vminq_f32(vminq_f32(a, b), vminq_f32(c, d))))
        }
    }
    #[inline(always)]
    unsafe fn most_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE] {
        // SAFETY: as in `zero`.
        unsafe {
            [a, b, c, d].map(|Self([a, b, c, d])| vmaxvq_f32(vmaxq_f32(vmaxq_f32(a, b), vmaxq_f32(c, d))))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8; LANES]) {
        // SAFETY: as in `zero`; `to` is sixteen bytes, and the store needs no alignment.
        unsafe {
            let most = vdupq_n_f32(255.0);
            let [a, b, c, d] = self.0.map(|four| {
                // What is no number is not below anything; what is below 0 becomes 0.
                vmovn_u32(vcvtq_u32_f32(vbslq_f32(vcltq_f32(four, most), four, most)))
            });
            let (low, high) = (vmovn_u16(vcombine_u16(a, b)), vmovn_u16(vcombine_u16(c, d)));
            vst1q_u8(to.as_mut_ptr(), vcombine_u8(low, high));
        }
    }
}

/// Sums of products, in two registers.
#[derive(Clone, Copy)]
struct TwoSums(int32x4_t, int32x4_t);

impl ShortSums for TwoSums {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: AArch64 always has NEON; so in every method below.
        unsafe { Self(vdupq_n_s32(0), vdupq_n_s32(0)) }
    }
    #[inline(always)]
    unsafe fn add_products(self, query: &[i16; SHORTS], row: &[i16; SHORTS]) -> Self {
        let Self(mut low, mut high) = self;
        for eight in (0..SHORTS).step_by(8) {
            // SAFETY: as in `zero`; eight numbers from each multiple of eight are inside, and the loads need no alignment.
            unsafe {
                let (query, row) = (vld1q_s16(query.as_ptr().add(eight)), vld1q_s16(row.as_ptr().add(eight)));
                low = vmlal_s16(low, vget_low_s16(query), vget_low_s16(row));
                high = vmlal_high_s16(high, query, row);
            }
        }
        Self(low, high)
    }
    #[inline(always)]
    unsafe fn sum(self) -> i32 {
        // SAFETY: as in `zero`.
        unsafe { vaddvq_s32(vaddq_s32(self.0, self.1)) }
    }
}

float_kernels!("neon", FourQ, TwoSums);

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

#[target_feature(enable = "neon")]
fn dot_bytes(query: &[i8], rows: &[&[i8]], out: &mut [i32]) {
    bytes::dot_bytes(query, rows, out);
}

#[target_feature(enable = "neon")]
fn near_bytes(near: &Near<'_>, out: &mut [f32], below: &mut [u16]) {
    byte_tiles::near_bytes(near, out, below);
}

#[target_feature(enable = "neon")]
fn pack_bits(bytes: &[u8], words: &mut Vec<u64>) {
    bits::pack_bits(bytes, words);
}

/// The sums of lanes 0..8, 8..16, 16..24, 24..32.
#[derive(Clone, Copy)]
struct FourU16([uint16x8_t; 4]);

impl Sums for FourU16 {
    #[inline(always)]
    unsafe fn of<const FETCH: bool>(table: &[u8], block: &[u8], ahead: &[u8]) -> Self {
        // SAFETY: AArch64 always has NEON; each chunk is 16 bytes, and the loads need no alignment.
        unsafe {
            let mut sums = [vdupq_n_u16(0); 4];
            let quarters =
                table.as_chunks::<{ STEP / 4 }>().0.iter().zip(block.as_chunks::<{ STEP / 4 }>().0);
            for (i, (addends, codes)) in quarters.enumerate() {
                if FETCH && i % 4 == 0 {
                    prefetch_line(ahead, i * STEP / 4);
                }
                let (addends, codes) = (vld1q_u8(addends.as_ptr()), vld1q_u8(codes.as_ptr()));
                let a = vqtbl1q_u8(addends, vandq_u8(codes, vdupq_n_u8(15)));
                let b = vqtbl1q_u8(addends, vshrq_n_u8::<4>(codes));
                sums[0] = vaddw_u8(sums[0], vget_low_u8(a));
                sums[1] = vaddw_high_u8(sums[1], a);
                sums[2] = vaddw_u8(sums[2], vget_low_u8(b));
                sums[3] = vaddw_high_u8(sums[3], b);
            }
            Self(sums)
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: &mut [u16; BLOCK]) {
        for i in 0..4 {
            // SAFETY: as in `of`; `to` is four times eight numbers.
            unsafe { vst1q_u16(to.as_mut_ptr().add(8 * i), self.0[i]) }
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
        // SAFETY: as in `of`; `biases` and `all` are eight times four floats, and `bits` four numbers.
        unsafe {
            let (base, scale) = (vdupq_n_f32(scan.base), vdupq_n_f32(scan.scale));
            let threshold = vdupq_n_f32(scan.threshold);
            let bits = vld1q_u32([1, 2, 4, 8].as_ptr());
            for i in 0..8 {
                let eight = self.0[i / 2];
                let four = if i % 2 == 0 { vmovl_u16(vget_low_u16(eight)) } else { vmovl_high_u16(eight) };
                let bias = vld1q_f32(biases.as_ptr().add(4 * i));
                let estimate = vfmaq_f32(vaddq_f32(base, bias), vcvtq_f32_u32(four), scale);
                vst1q_f32(all.as_mut_ptr().add(4 * i), estimate);
                passing |= vaddvq_u32(vandq_u32(vcltq_f32(estimate, threshold), bits)) << (4 * i);
            }
        }
        gather_passing(passing, &all, first, estimates, lanes)
    }
    #[inline(always)]
    unsafe fn scaled(self, scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32 {
        let mut passing = 0;
        // SAFETY: as in `of`; factors and estimates are eight times four, and `bits` four numbers.
        unsafe {
            let (scale, offset) = (vdupq_n_f32(scaled.scale), vdupq_n_f32(scaled.offset));
            let (base, threshold) = (vdupq_n_f32(scaled.base), vdupq_n_f32(scaled.threshold));
            let (bits, upper) = (vld1q_u32([1, 2, 4, 8].as_ptr()), vdupq_n_u32(0xFFFF_0000));
            for i in 0..8 {
                let eight = self.0[i / 2];
                let four = if i % 2 == 0 { vmovl_u16(vget_low_u16(eight)) } else { vmovl_high_u16(eight) };
                let factors = vld1q_u32(scaled.factors.as_ptr().add(4 * i));
                let added = vreinterpretq_f32_u32(vshlq_n_u32::<16>(factors));
                let times = vreinterpretq_f32_u32(vandq_u32(factors, upper));
                let sums = vfmaq_f32(offset, vcvtq_f32_u32(four), scale);
                let estimate = vfmaq_f32(vaddq_f32(base, added), times, sums);
                vst1q_f32(estimates.as_mut_ptr().add(4 * i), estimate);
                passing |= vaddvq_u32(vandq_u32(vcltq_f32(estimate, threshold), bits)) << (4 * i);
            }
        }
        passing
    }
}

scan_kernels!("neon", FourU16, lut_scan_blocks, lut_select, lut_scaled);
tile_kernels!("neon", FourQ, 6 by [1], 2 by [2 1], 1 by [4 3 2 1]);
