//! Inner products with tiles in the registers of any vector instruction set.
//!
//! A register block of several points by several tiles reads a value of a point once for all its tiles, and sixteen
//! values of a tile once for all its points. The order of no sum depends on the blocks.

use std::hint::black_box;

use super::LANES;
use super::lanes::Lanes;
use super::tiles::sizes;

/// Points and rows on their way through register blocks.
pub(super) struct Tiled<'a> {
    points: &'a [f32],
    dim: usize,
    tiles: &'a [[f32; LANES]],
    out: &'a mut [[f32; LANES]],
    /// How many points there are, and how many of them are done.
    pub(super) n: usize,
    pub(super) done: usize,
    /// How many tiles there are.
    pub(super) count: usize,
}

impl<'a> Tiled<'a> {
    /// Panics unless all lengths belong together.
    pub(super) fn new(points: &'a [f32], dim: usize, tiles: &'a [f32], out: &'a mut [f32]) -> Self {
        let (n, count) = sizes(points, dim, tiles, out);
        Self { points, dim, tiles: tiles.as_chunks().0, out: out.as_chunks_mut().0, n, done: 0, count }
    }

    /// `P` points, from `point` on, with `T` tiles, from `tile` on.
    ///
    /// # Safety
    ///
    /// As for [`Lanes`]. It is inlined into a function that enables the instruction set, and must be.
    #[inline(always)]
    pub(super) unsafe fn block<L: Lanes, const P: usize, const T: usize>(
        &mut self,
        point: usize,
        tile: usize,
    ) {
        assert!(point + P <= self.n && tile + T <= self.count);
        let dim = self.dim;
        // SAFETY: the caller's promise, for every method of `L` in here. The assertion above puts the `P` points, the
        // `T` tiles and the `P * T` results, in this order, inside `points`, `tiles` and `out`, as `sizes` has measured
        // them.
        unsafe {
            let (tiles, out) = (self.tiles.as_ptr().add(tile * dim), self.out.as_mut_ptr().add(tile));
            let mut points = [self.points.as_ptr(); P];
            for (p, start) in points.iter_mut().enumerate() {
                // A compiler that knows the points to be equally far apart computes their addresses anew for every
                // value, in the execution units that the multiplications need: 4 % of the time on a Sapphire Rapids.
                *start = black_box(start.add((point + p) * dim));
            }
            let mut sums = [[L::zero(); T]; P];
            for d in 0..dim {
                let mut rows = [L::zero(); T];
                for (t, row) in rows.iter_mut().enumerate() {
                    *row = L::load(&*tiles.add(t * dim + d));
                }
                for p in 0..P {
                    let value = L::splat(*points[p].add(d));
                    for t in 0..T {
                        sums[p][t] = value.mul_add(rows[t], sums[p][t]);
                    }
                }
            }
            for (p, sums) in sums.into_iter().enumerate() {
                for (t, sum) in sums.into_iter().enumerate() {
                    sum.store(&mut *out.add((point + p) * self.count + t));
                }
            }
        }
    }
}

/// The tiling part of a backend: the function compiled for `$features` over the lanes `$lanes`. Register blocks of
/// `$points` by `$tiles` follow one another, each size for as long as there are enough points and tiles left for it.
/// All points pass by while the tiles of a block stay in the nearest cache.
macro_rules! tile_kernels {
    ($features:literal, $lanes:ty, $($points:literal by [$($tiles:literal)*]),*) => {
        #[target_feature(enable = $features)]
        fn tile_dots(points: &[f32], dim: usize, tiles: &[f32], out: &mut [f32]) {
            let mut tiled = Tiled::new(points, dim, tiles, out);
            $(
                let end = tiled.done + (tiled.n - tiled.done) / $points * $points;
                let mut tile = 0;
                $(
                    while tiled.done < end && tiled.count - tile >= $tiles {
                        for point in (tiled.done..end).step_by($points) {
                            // SAFETY: this function enables the features that the lanes need.
                            unsafe { tiled.block::<$lanes, $points, $tiles>(point, tile) }
                        }
                        tile += $tiles;
                    }
                )*
                tiled.done = end;
            )*
            debug_assert_eq!(tiled.done, tiled.n);
        }
    };
}
pub(super) use tile_kernels;
