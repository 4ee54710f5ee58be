//! Distances from tiles of bytes by AVX2 and by VNNI.
//!
//! As in `tile_lanes.rs` a block of several vectors by several tiles reads each value of either once; the order of a sum of whole numbers
//! does not matter.

use std::arch::x86_64::*;

use super::LANES;
use super::byte_tiles::{Asking, FOUR, Near, STEP, sizes};

/// Vectors and rows on their way through register blocks.
struct Tiled<'a> {
    near: &'a Near<'a>,
    /// Fours of a vector.
    fours: usize,
    tiles: &'a [[i8; STEP]],
    times: &'a [[f32; LANES]],
    squares: &'a [[f32; LANES]],
    out: &'a mut [[f32; LANES]],
    below: &'a mut [u16],
    /// How many tiles there are.
    count: usize,
}

impl<'a> Tiled<'a> {
    fn points<const P: usize>(&self, point: usize) -> &'a [i8] {
        &self.near.points[point * self.near.width..][..P * self.near.width]
    }
}

/// An instruction set.
trait Block {
    /// `P` vectors, from `point` on, by `T` tiles, from `tile` on.
    ///
    /// # Safety
    ///
    /// The CPU has the instruction set. It is inlined into a function that enables it, and must be.
    unsafe fn block<const P: usize, const T: usize>(tiled: &mut Tiled<'_>, point: usize, tile: usize);
}

/// All blocks: of `P` vectors by `T` tiles, and smaller ones for the rest.
///
/// # Safety
///
/// As for [`Block`].
#[inline(always)]
unsafe fn blocks<B: Block, const P: usize, const T: usize>(
    near: &Near<'_>,
    out: &mut [f32],
    below: &mut [u16],
) {
    let (n, count) = sizes(near, out, below);
    let mut tiled = Tiled {
        near,
        fours: near.width / FOUR,
        tiles: near.tiles.as_chunks().0,
        times: near.times.as_chunks().0,
        squares: near.squares.as_chunks().0,
        out: out.as_chunks_mut().0,
        below,
        count,
    };
    let (many, wide) = (n / P * P, count / T * T);
    // SAFETY: the caller's promise.
    unsafe {
        for tile in (0..wide).step_by(T) {
            (0..many).step_by(P).for_each(|point| B::block::<P, T>(&mut tiled, point, tile));
            (many..n).for_each(|point| B::block::<1, T>(&mut tiled, point, tile));
        }
        for tile in wide..count {
            (0..many).step_by(P).for_each(|point| B::block::<P, 1>(&mut tiled, point, tile));
            (many..n).for_each(|point| B::block::<1, 1>(&mut tiled, point, tile));
        }
    }
}

/// The instruction multiplies bytes without a sign with those of a sign, so 128 is added to those of the rows, by their uppermost bit,
/// and as many times the sum of a vector's is taken away at the beginning. What overflows on the way comes back.
struct Vnni;

impl Block for Vnni {
    #[inline(always)]
    unsafe fn block<const P: usize, const T: usize>(tiled: &mut Tiled<'_>, point: usize, tile: usize) {
        let (fours, count, points) = (tiled.fours, tiled.count, tiled.points::<P>(point));
        let tiles: [&[[i8; STEP]]; T] = std::array::from_fn(|t| &tiled.tiles[(tile + t) * fours..][..fours]);
        // SAFETY: the caller's promise; loads and stores need no alignment, and lie within the slices above.
        unsafe {
            let upper = _mm512_set1_epi8(i8::MIN);
            let mut sums = [[_mm512_setzero_si512(); T]; P];
            for (sums, values) in sums.iter_mut().zip(points.chunks_exact(fours * FOUR)) {
                let all: i32 = values.iter().map(|&value| i32::from(value)).sum();
                *sums = [_mm512_set1_epi32(all * i32::from(i8::MIN)); T];
            }
            for four in 0..fours {
                let mut rows = [upper; T];
                for (row, tile) in rows.iter_mut().zip(&tiles) {
                    *row = _mm512_xor_si512(_mm512_loadu_si512(tile[four].as_ptr().cast()), upper);
                }
                for (p, sums) in sums.iter_mut().enumerate() {
                    let four = points.as_ptr().add((p * fours + four) * FOUR).cast::<i32>().read_unaligned();
                    for (sum, row) in sums.iter_mut().zip(&rows) {
                        *sum = _mm512_dpbusd_epi32(*sum, *row, _mm512_set1_epi32(four));
                    }
                }
            }
            for (p, sums) in sums.iter().enumerate() {
                let Asking { unit, square, threshold } = tiled.near.asking[point + p];
                let [unit, square, threshold] =
                    [unit, square, threshold].map(|number| _mm512_set1_ps(number));
                for (t, sum) in sums.iter().enumerate() {
                    let times = _mm512_loadu_ps(tiled.times[tile + t].as_ptr());
                    let squares = _mm512_loadu_ps(tiled.squares[tile + t].as_ptr());
                    let apart = _mm512_fmadd_ps(
                        _mm512_cvtepi32_ps(*sum),
                        _mm512_mul_ps(unit, times),
                        _mm512_add_ps(square, squares),
                    );
                    let at = (point + p) * count + tile + t;
                    _mm512_storeu_ps(tiled.out[at].as_mut_ptr(), apart);
                    tiled.below[at] = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(apart, threshold);
                }
            }
        }
    }
}

/// Bytes become numbers of two bytes, of which products are added up in pairs: the two halves of a row's four stay apart until the end.
struct Avx2;

/// Rows whose fours, of two bytes a value, fill a register.
const ROWS: usize = 4;
/// Floats of a register.
const FLOATS: usize = 8;

impl Block for Avx2 {
    #[inline(always)]
    unsafe fn block<const P: usize, const T: usize>(tiled: &mut Tiled<'_>, point: usize, tile: usize) {
        let (fours, count, points) = (tiled.fours, tiled.count, tiled.points::<P>(point));
        for tile in tile..tile + T {
            let steps = &tiled.tiles[tile * fours..][..fours];
            // SAFETY: the caller's promise; loads and stores need no alignment, and lie within the slices above.
            unsafe {
                let mut sums = [[_mm256_setzero_si256(); LANES / ROWS]; P];
                for (four, step) in steps.iter().enumerate() {
                    let mut values = [_mm256_setzero_si256(); P];
                    for (p, values) in values.iter_mut().enumerate() {
                        let four =
                            points.as_ptr().add((p * fours + four) * FOUR).cast::<i32>().read_unaligned();
                        *values = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
                    }
                    for (part, rows) in step.as_chunks::<{ ROWS * FOUR }>().0.iter().enumerate() {
                        let rows = _mm256_cvtepi8_epi16(_mm_loadu_si128(rows.as_ptr().cast()));
                        for (sums, values) in sums.iter_mut().zip(&values) {
                            sums[part] = _mm256_add_epi32(sums[part], _mm256_madd_epi16(rows, *values));
                        }
                    }
                }
                for (p, sums) in sums.iter().enumerate() {
                    let at = (point + p) * count + tile;
                    let Asking { unit, square, threshold } = tiled.near.asking[point + p];
                    let [unit, square, threshold] =
                        [unit, square, threshold].map(|number| _mm256_set1_ps(number));
                    let mut all = 0;
                    for (half, sums) in sums.as_chunks::<2>().0.iter().enumerate() {
                        // Sums of rows 0 1 4 5 2 3 6 7.
                        let mixed = _mm256_hadd_epi32(sums[0], sums[1]);
                        let sums = _mm256_permute4x64_epi64::<0b11_01_10_00>(mixed);
                        let times = _mm256_loadu_ps(tiled.times[tile][half * FLOATS..].as_ptr());
                        let squares = _mm256_loadu_ps(tiled.squares[tile][half * FLOATS..].as_ptr());
                        let apart = _mm256_fmadd_ps(
                            _mm256_cvtepi32_ps(sums),
                            _mm256_mul_ps(unit, times),
                            _mm256_add_ps(square, squares),
                        );
                        _mm256_storeu_ps(tiled.out[at][half * FLOATS..].as_mut_ptr(), apart);
                        let below = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(apart, threshold));
                        all |= (below as u16) << (half * FLOATS);
                    }
                    tiled.below[at] = all;
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn near_bytes_vnni(near: &Near<'_>, out: &mut [f32], below: &mut [u16]) {
    // SAFETY: this function enables the features.
    unsafe { blocks::<Vnni, 8, 3>(near, out, below) }
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn near_bytes(near: &Near<'_>, out: &mut [f32], below: &mut [u16]) {
    // SAFETY: this function enables the features.
    unsafe { blocks::<Avx2, 2, 1>(near, out, below) }
}
