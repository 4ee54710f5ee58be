//! The specified sum, written once over the sixteen lanes of any instruction set.

use super::LANES;

/// How many rows the `*_rows` kernels run side by side: enough to hide the latency of a fused multiply-add.
pub(super) const SIDE_BY_SIDE: usize = 4;

/// Sixteen `f32` values in the registers of one instruction set.
///
/// # Safety
///
/// Every method may be called only where the CPU has that instruction set.
pub(super) trait Lanes: Copy {
    unsafe fn zero() -> Self;
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: &[f32; LANES]) -> Self;
    unsafe fn store(self, to: &mut [f32; LANES]);
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn abs(self) -> Self;
    /// `self * other + sum`, rounded once.
    unsafe fn mul_add(self, other: Self, sum: Self) -> Self;
    /// Lane i + lane i+8, then i+4, i+2, i+1.
    unsafe fn fold(self) -> f32;
    /// [`fold`](Self::fold) of four at a time, which may share its last steps.
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE];
}

/// One term of a sum, for sixteen lanes and for a single value.
pub(super) trait Term {
    /// # Safety
    ///
    /// As for [`Lanes`].
    unsafe fn lanes<L: Lanes>(a: L, b: L, sum: L) -> L;
    fn single(a: f32, b: f32, sum: f32) -> f32;
}

/// `a * b`
pub(super) struct Product;
/// `(a - b)²`
pub(super) struct SquaredDifference;
/// `|a - b|`
pub(super) struct Difference;

impl Term for Product {
    #[inline(always)]
    unsafe fn lanes<L: Lanes>(a: L, b: L, sum: L) -> L {
        // SAFETY: the caller's promise.
        unsafe { a.mul_add(b, sum) }
    }
    #[inline(always)]
    fn single(a: f32, b: f32, sum: f32) -> f32 {
        sum + a * b
    }
}

impl Term for SquaredDifference {
    #[inline(always)]
    unsafe fn lanes<L: Lanes>(a: L, b: L, sum: L) -> L {
        // SAFETY: the caller's promise.
        unsafe { a.sub(b).mul_add(a.sub(b), sum) }
    }
    #[inline(always)]
    fn single(a: f32, b: f32, sum: f32) -> f32 {
        sum + (a - b) * (a - b)
    }
}

impl Term for Difference {
    #[inline(always)]
    unsafe fn lanes<L: Lanes>(a: L, b: L, sum: L) -> L {
        // SAFETY: the caller's promise.
        unsafe { sum.add(a.sub(b).abs()) }
    }
    #[inline(always)]
    fn single(a: f32, b: f32, sum: f32) -> f32 {
        sum + (a - b).abs()
    }
}

/// The sums of `query` against `N` rows, side by side.
///
/// # Safety
///
/// As for [`Lanes`]. It is inlined into a function that enables the instruction set, and must be: only there do the
/// methods of `L` become single instructions.
#[inline(always)]
pub(super) unsafe fn sums<L: Lanes, T: Term, const N: usize>(query: &[f32], rows: [&[f32]; N]) -> [f32; N] {
    let (blocks, tail) = query.as_chunks::<LANES>();
    let split = rows.map(|row| {
        assert_eq!(query.len(), row.len());
        row.as_chunks::<LANES>()
    });
    // SAFETY: the caller's promise, for every method of `L` and `T` in here.
    unsafe {
        let mut lanes = [L::zero(); N];
        for (i, block) in blocks.iter().enumerate() {
            let a = L::load(block);
            for row in 0..N {
                lanes[row] = T::lanes(a, L::load(&split[row].0[i]), lanes[row]);
            }
        }
        // No closures over lanes: a function of the standard library that calls them has no vector instructions.
        let mut sums = [0.0; N];
        if N == SIDE_BY_SIDE {
            sums.copy_from_slice(&L::fold_four(lanes[0], lanes[1 % N], lanes[2 % N], lanes[3 % N]));
        } else {
            for row in 0..N {
                sums[row] = lanes[row].fold();
            }
        }
        for (i, &a) in tail.iter().enumerate() {
            for row in 0..N {
                sums[row] = T::single(a, split[row].1[i], sums[row]);
            }
        }
        sums
    }
}

/// [`sums`] over any number of rows.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
pub(super) unsafe fn sums_of_rows<L: Lanes, T: Term>(query: &[f32], rows: &[&[f32]], out: &mut [f32]) {
    assert_eq!(rows.len(), out.len());
    let (groups, rest) = rows.as_chunks::<SIDE_BY_SIDE>();
    let (out_groups, out_rest) = out.as_chunks_mut::<SIDE_BY_SIDE>();
    // SAFETY: the caller's promise.
    unsafe {
        for (group, out) in groups.iter().zip(out_groups) {
            *out = sums::<L, T, SIDE_BY_SIDE>(query, *group);
        }
        match (rest, out_rest) {
            (&[a], [out]) => [*out] = sums::<L, T, 1>(query, [a]),
            (&[a, b], out) => out.copy_from_slice(&sums::<L, T, 2>(query, [a, b])),
            (&[a, b, c], out) => out.copy_from_slice(&sums::<L, T, 3>(query, [a, b, c])),
            _ => {}
        }
    }
}

/// `mean * keep` plus `weight` times the sum of `rows`, value by value.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
pub(super) unsafe fn blend_lanes<L: Lanes>(mean: &mut [f32], keep: f32, rows: &[&[f32]], weight: f32) {
    for row in rows {
        assert_eq!(mean.len(), row.len());
    }
    let whole = mean.len() / LANES * LANES;
    let (blocks, tail) = mean.as_chunks_mut::<LANES>();
    // SAFETY: the caller's promise, for every method of `L` in here.
    unsafe {
        let (keeps, weights) = (L::splat(keep), L::splat(weight));
        for (i, block) in blocks.iter_mut().enumerate() {
            let mut blended = L::load(block).mul(keeps);
            for row in rows {
                blended = L::load(&row.as_chunks().0[i]).mul_add(weights, blended);
            }
            blended.store(block);
        }
    }
    for (i, mean) in tail.iter_mut().enumerate() {
        *mean = rows.iter().fold(*mean * keep, |sum, row| row[whole + i].mul_add(weight, sum));
    }
}

/// The floating-point half of a backend: the functions compiled for `$features` over the lanes `$lanes`.
macro_rules! float_kernels {
    ($features:literal, $lanes:ty) => {
        float_kernels!(@one $features, $lanes, dot, dot_rows, Product);
        float_kernels!(@one $features, $lanes, l2_squared, l2_squared_rows, SquaredDifference);
        float_kernels!(@one $features, $lanes, l1, l1_rows, Difference);

        #[target_feature(enable = $features)]
        fn blend(mean: &mut [f32], keep: f32, rows: &[&[f32]], weight: f32) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { blend_lanes::<$lanes>(mean, keep, rows, weight) }
        }
    };
    (@one $features:literal, $lanes:ty, $pair:ident, $rows:ident, $term:ident) => {
        #[target_feature(enable = $features)]
        fn $pair(x: &[f32], y: &[f32]) -> f32 {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { sums::<$lanes, $term, 1>(x, [y])[0] }
        }

        #[target_feature(enable = $features)]
        fn $rows(query: &[f32], rows: &[&[f32]], out: &mut [f32]) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { sums_of_rows::<$lanes, $term>(query, rows, out) }
        }
    };
}
pub(super) use float_kernels;

/// A table of a backend's functions, each behind a safe one. To be used where the table is handed out only after the
/// CPU has been found to have what the functions were compiled for.
macro_rules! kernel_table {
    ($name:literal, $hamming:path, $hamming_rows:path) => {
        Kernels {
            name: $name,
            dot: kernel_table!(@pair dot),
            l2_squared: kernel_table!(@pair l2_squared),
            l1: kernel_table!(@pair l1),
            hamming: kernel_table!(@pair $hamming),
            dot_rows: kernel_table!(@rows dot_rows),
            l2_squared_rows: kernel_table!(@rows l2_squared_rows),
            l1_rows: kernel_table!(@rows l1_rows),
            hamming_rows: kernel_table!(@rows $hamming_rows),
            blend: |mean, keep, rows, weight| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { blend(mean, keep, rows, weight) }
            },
        }
    };
    (@pair $kernel:path) => {
        |x, y| {
            // SAFETY: reachable only through a table, which is handed out after detection.
            unsafe { $kernel(x, y) }
        }
    };
    (@rows $kernel:path) => {
        |query, rows, out| {
            // SAFETY: reachable only through a table, which is handed out after detection.
            unsafe { $kernel(query, rows, out) }
        }
    };
}
pub(super) use kernel_table;
