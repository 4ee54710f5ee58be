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
    unsafe fn load_u8(from: &[u8; LANES]) -> Self;
    unsafe fn load_i8(from: &[i8; LANES]) -> Self;
    unsafe fn store(self, to: &mut [f32; LANES]);
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn abs(self) -> Self;
    /// `self * other + sum`, rounded once.
    unsafe fn mul_add(self, other: Self, sum: Self) -> Self;
    /// Lane by lane, `then` where `a` is less than `b`, `otherwise` elsewhere and where one is no number.
    unsafe fn where_less(a: Self, b: Self, then: Self, otherwise: Self) -> Self;
    /// Lane i + lane i+8, then i+4, i+2, i+1.
    unsafe fn fold(self) -> f32;
    /// [`fold`](Self::fold) of four at a time, which may share its last steps.
    unsafe fn fold_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE];
    /// The least lane of each of four, any where one is no number.
    unsafe fn least_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE];
    /// The largest lane of each of four, any where one is no number.
    unsafe fn most_of_four(a: Self, b: Self, c: Self, d: Self) -> [f32; SIDE_BY_SIDE];
    /// Cut off to whole numbers; what is beyond a byte becomes 0 or 255, and what is no number 255.
    unsafe fn store_bytes(self, to: &mut [u8; LANES]);
}

/// A value as rows hold it, which a float holds exactly.
pub(super) trait Value: Copy + Into<f32> {
    /// # Safety
    ///
    /// As for [`Lanes`].
    unsafe fn load<L: Lanes>(from: &[Self; LANES]) -> L;
}

impl Value for f32 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: &[Self; LANES]) -> L {
        // SAFETY: the caller's promise.
        unsafe { L::load(from) }
    }
}

impl Value for u8 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: &[Self; LANES]) -> L {
        // SAFETY: the caller's promise.
        unsafe { L::load_u8(from) }
    }
}

impl Value for i8 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: &[Self; LANES]) -> L {
        // SAFETY: the caller's promise.
        unsafe { L::load_i8(from) }
    }
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
pub(super) unsafe fn sums<L: Lanes, T: Term, V: Value, const N: usize>(
    query: &[f32],
    rows: [&[V]; N],
) -> [f32; N] {
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
                lanes[row] = T::lanes(a, V::load(&split[row].0[i]), lanes[row]);
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
                sums[row] = T::single(a, split[row].1[i].into(), sums[row]);
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
pub(super) unsafe fn sums_of_rows<L: Lanes, T: Term, V: Value>(
    query: &[f32],
    rows: &[&[V]],
    out: &mut [f32],
) {
    assert_eq!(rows.len(), out.len());
    let (groups, rest) = rows.as_chunks::<SIDE_BY_SIDE>();
    let (out_groups, out_rest) = out.as_chunks_mut::<SIDE_BY_SIDE>();
    // SAFETY: the caller's promise.
    unsafe {
        for (group, out) in groups.iter().zip(out_groups) {
            *out = sums::<L, T, V, SIDE_BY_SIDE>(query, *group);
        }
        match (rest, out_rest) {
            (&[a], [out]) => [*out] = sums::<L, T, V, 1>(query, [a]),
            (&[a, b], out) => out.copy_from_slice(&sums::<L, T, V, 2>(query, [a, b])),
            (&[a, b, c], out) => out.copy_from_slice(&sums::<L, T, V, 3>(query, [a, b, c])),
            _ => {}
        }
    }
}

/// The inner products of pairs, four side by side.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
pub(super) unsafe fn dots_of_pairs<L: Lanes>(xs: &[&[f32]], ys: &[&[f32]], out: &mut [f32]) {
    assert!(xs.len() == out.len() && ys.len() == out.len());
    let (x_groups, x_rest) = xs.as_chunks::<SIDE_BY_SIDE>();
    let (y_groups, y_rest) = ys.as_chunks::<SIDE_BY_SIDE>();
    let (out_groups, out_rest) = out.as_chunks_mut::<SIDE_BY_SIDE>();
    // SAFETY: the caller's promise.
    unsafe {
        for ((x, y), out) in x_groups.iter().zip(y_groups).zip(out_groups) {
            let len = x[0].len();
            for i in 0..SIDE_BY_SIDE {
                assert!(x[i].len() == len && y[i].len() == len);
            }
            let (x, y) = (x.map(|x| x.as_chunks::<LANES>()), y.map(|y| y.as_chunks::<LANES>()));
            let mut lanes = [L::zero(); SIDE_BY_SIDE];
            for block in 0..len / LANES {
                for i in 0..SIDE_BY_SIDE {
                    lanes[i] = L::load(&x[i].0[block]).mul_add(L::load(&y[i].0[block]), lanes[i]);
                }
            }
            let [a, b, c, d] = lanes;
            *out = L::fold_four(a, b, c, d);
            for tail in 0..len % LANES {
                for i in 0..SIDE_BY_SIDE {
                    out[i] += x[i].1[tail] * y[i].1[tail];
                }
            }
        }
        for ((x, y), out) in x_rest.iter().zip(y_rest).zip(out_rest) {
            *out = sums::<L, Product, f32, 1>(x, [y])[0];
        }
    }
}

/// [`sums`] of two queries against `N` rows, each row loaded once.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
unsafe fn sums_of_two<L: Lanes, T: Term>(
    queries: [&[f32]; 2],
    rows: [&[f32]; SIDE_BY_SIDE],
) -> [[f32; SIDE_BY_SIDE]; 2] {
    let split = queries.map(|query| query.as_chunks::<LANES>());
    let rows = rows.map(|row| {
        assert!(queries[0].len() == row.len() && queries[1].len() == row.len());
        row.as_chunks::<LANES>()
    });
    // SAFETY: the caller's promise, for every method of `L` and `T` in here.
    unsafe {
        let mut lanes = [[L::zero(); SIDE_BY_SIDE]; 2];
        for i in 0..split[0].0.len() {
            let (a, b) = (L::load(&split[0].0[i]), L::load(&split[1].0[i]));
            for row in 0..SIDE_BY_SIDE {
                let block = L::load(&rows[row].0[i]);
                lanes[0][row] = T::lanes(a, block, lanes[0][row]);
                lanes[1][row] = T::lanes(b, block, lanes[1][row]);
            }
        }
        let mut sums = [[0.0; SIDE_BY_SIDE]; 2];
        for query in 0..2 {
            let [a, b, c, d] = lanes[query];
            sums[query] = L::fold_four(a, b, c, d);
            for (i, &value) in split[query].1.iter().enumerate() {
                for row in 0..SIDE_BY_SIDE {
                    sums[query][row] = T::single(value, rows[row].1[i], sums[query][row]);
                }
            }
        }
        sums
    }
}

/// [`sums_of_rows`] of two queries.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
pub(super) unsafe fn sums_of_two_rows<L: Lanes, T: Term>(
    queries: [&[f32]; 2],
    rows: &[&[f32]],
    out: [&mut [f32]; 2],
) {
    let [out_a, out_b] = out;
    assert!(rows.len() == out_a.len() && rows.len() == out_b.len());
    let (groups, rest) = rows.as_chunks::<SIDE_BY_SIDE>();
    let (groups_a, rest_a) = out_a.as_chunks_mut::<SIDE_BY_SIDE>();
    let (groups_b, rest_b) = out_b.as_chunks_mut::<SIDE_BY_SIDE>();
    // SAFETY: the caller's promise.
    unsafe {
        for ((group, a), b) in groups.iter().zip(groups_a).zip(groups_b) {
            [*a, *b] = sums_of_two::<L, T>(queries, *group);
        }
        sums_of_rows::<L, T, f32>(queries[0], rest, rest_a);
        sums_of_rows::<L, T, f32>(queries[1], rest, rest_b);
    }
}

/// Each of two means becomes `mean * keep` plus the rows, of which there is at least one, each times its weight, value by
/// value.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
pub(super) unsafe fn blend_rows<L: Lanes>(
    means: [&mut [f32]; 2],
    mut keeps: [f32; 2],
    rows: &[&[f32]],
    weights: [&[f32]; 2],
) {
    let [p, q] = means;
    let (groups, rest) = rows.as_chunks::<SIDE_BY_SIDE>();
    let [(p_groups, p_rest), (q_groups, q_rest)] = weights.map(|weights| {
        assert_eq!(rows.len(), weights.len());
        weights.as_chunks::<SIDE_BY_SIDE>()
    });
    // SAFETY: the caller's promise.
    unsafe {
        for ((group, &a), &b) in groups.iter().zip(p_groups).zip(q_groups) {
            blend_some::<L, SIDE_BY_SIDE>([p, q], keeps, *group, [a, b]);
            keeps = [1.0; 2];
        }
        for ((row, &a), &b) in rest.iter().zip(p_rest).zip(q_rest) {
            blend_some::<L, 1>([p, q], keeps, [row], [[a], [b]]);
            keeps = [1.0; 2];
        }
    }
}

/// [`blend_rows`] of `N` rows, each loaded once.
///
/// # Safety
///
/// As for [`sums`].
#[inline(always)]
unsafe fn blend_some<L: Lanes, const N: usize>(
    [p, q]: [&mut [f32]; 2],
    keeps: [f32; 2],
    rows: [&[f32]; N],
    weights: [[f32; N]; 2],
) {
    let rows = rows.map(|row| {
        assert!(p.len() == row.len() && q.len() == row.len());
        row.as_chunks::<LANES>()
    });
    let (p_blocks, p_tail) = p.as_chunks_mut::<LANES>();
    let (q_blocks, q_tail) = q.as_chunks_mut::<LANES>();
    // SAFETY: the caller's promise, for every method of `L` in here.
    unsafe {
        let (keep_p, keep_q) = (L::splat(keeps[0]), L::splat(keeps[1]));
        let mut splat = [[L::zero(); N]; 2];
        for row in 0..N {
            splat[0][row] = L::splat(weights[0][row]);
            splat[1][row] = L::splat(weights[1][row]);
        }
        for (i, (p, q)) in p_blocks.iter_mut().zip(q_blocks).enumerate() {
            let (mut a, mut b) = (L::load(p).mul(keep_p), L::load(q).mul(keep_q));
            for row in 0..N {
                let block = L::load(&rows[row].0[i]);
                a = block.mul_add(splat[0][row], a);
                b = block.mul_add(splat[1][row], b);
            }
            a.store(p);
            b.store(q);
        }
    }
    for (mean, keep, weights) in [(p_tail, keeps[0], weights[0]), (q_tail, keeps[1], weights[1])] {
        for (i, mean) in mean.iter_mut().enumerate() {
            let terms = rows.iter().zip(weights);
            *mean = terms.fold(*mean * keep, |sum, (row, weight)| row.1[i].mul_add(weight, sum));
        }
    }
}

/// The floating-point half of a backend: the functions compiled for `$features` over the lanes `$lanes`.
macro_rules! float_kernels {
    ($features:literal, $lanes:ty, $shorts:ty) => {
        float_kernels!(@one $features, $lanes, dot, dot_rows, dot_rows_of_two, Product);
        float_kernels!(@one $features, $lanes, l2_squared, l2_squared_rows, l2_squared_rows_of_two, SquaredDifference);
        float_kernels!(@one $features, $lanes, l1, l1_rows, l1_rows_of_two, Difference);
        float_kernels!(@rows $features, $lanes, dot_rows_u8, u8, Product);
        float_kernels!(@rows $features, $lanes, l2_squared_rows_u8, u8, SquaredDifference);
        float_kernels!(@rows $features, $lanes, l1_rows_u8, u8, Difference);
        float_kernels!(@rows $features, $lanes, dot_rows_i8, i8, Product);
        float_kernels!(@rows $features, $lanes, l2_squared_rows_i8, i8, SquaredDifference);
        float_kernels!(@rows $features, $lanes, l1_rows_i8, i8, Difference);

        #[target_feature(enable = $features)]
        fn lut_table(
            from: &$crate::simd::Codewords<'_>,
            exact: &mut Vec<[f32; $crate::simd::LANES]>,
            addends: &mut [u8],
        ) -> (f32, f32) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { $crate::simd::table_lanes::table_of::<$lanes>(from, exact, addends) }
        }

        #[target_feature(enable = $features)]
        fn lut_codes(
            words: &[[f32; $crate::simd::LANES]],
            ends: &[u32],
            tile: &[[f32; $crate::simd::LANES]],
            codes: &mut [[u8; $crate::simd::LANES]],
            dots: &mut [f32; $crate::simd::LANES],
        ) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { $crate::simd::codes_lanes::codes_of::<$lanes>(words, ends, tile, codes, dots) }
        }

        #[target_feature(enable = $features)]
        fn dot_shorts(query: &[i16], rows: &[i16], out: &mut [i32]) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { $crate::simd::shorts_lanes::dots::<$shorts>(query, rows, out) }
        }

        #[target_feature(enable = $features)]
        fn to_shorts(values: &[f32], scale: f32, out: &mut [i16]) {
            $crate::simd::shorts::to_shorts(values, scale, out)
        }

        #[target_feature(enable = $features)]
        fn dot_pairs(xs: &[&[f32]], ys: &[&[f32]], out: &mut [f32]) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { dots_of_pairs::<$lanes>(xs, ys, out) }
        }

        #[target_feature(enable = $features)]
        fn blend(means: [&mut [f32]; 2], keeps: [f32; 2], rows: &[&[f32]], weights: [&[f32]; 2]) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { blend_rows::<$lanes>(means, keeps, rows, weights) }
        }
    };
    (@one $features:literal, $lanes:ty, $pair:ident, $rows:ident, $rows_of_two:ident, $term:ident) => {
        #[target_feature(enable = $features)]
        fn $pair(x: &[f32], y: &[f32]) -> f32 {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { sums::<$lanes, $term, f32, 1>(x, [y])[0] }
        }

        float_kernels!(@rows $features, $lanes, $rows, f32, $term);

        #[target_feature(enable = $features)]
        fn $rows_of_two(queries: [&[f32]; 2], rows: &[&[f32]], out: [&mut [f32]; 2]) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { sums_of_two_rows::<$lanes, $term>(queries, rows, out) }
        }
    };
    (@rows $features:literal, $lanes:ty, $rows:ident, $value:ty, $term:ident) => {
        #[target_feature(enable = $features)]
        fn $rows(query: &[f32], rows: &[&[$value]], out: &mut [f32]) {
            // SAFETY: this function enables the features that the lanes need.
            unsafe { sums_of_rows::<$lanes, $term, $value>(query, rows, out) }
        }
    };
}
pub(super) use float_kernels;

/// A table of a backend's functions, each behind a safe one. To be used where the table is handed out only after the
/// CPU has been found to have what the functions were compiled for.
macro_rules! kernel_table {
    // All by their usual names.
    ($name:literal) => {
        kernel_table!(
            $name,
            hamming,
            hamming_rows,
            pack_bits,
            dot_bytes,
            near_bytes,
            lut_scan_blocks,
            lut_select,
            lut_scaled
        )
    };
    (
        $name:literal,
        $hamming:path,
        $hamming_rows:path,
        $pack_bits:path,
        $dot_bytes:path,
        $near_bytes:path,
        $scan:path,
        $select:path,
        $scaled:path
    ) => {
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
            unsigned: WholeRows {
                dot: kernel_table!(@rows dot_rows_u8),
                l2_squared: kernel_table!(@rows l2_squared_rows_u8),
                l1: kernel_table!(@rows l1_rows_u8),
            },
            signed: WholeRows {
                dot: kernel_table!(@rows dot_rows_i8),
                l2_squared: kernel_table!(@rows l2_squared_rows_i8),
                l1: kernel_table!(@rows l1_rows_i8),
            },
            dot_rows_of_two: kernel_table!(@rows dot_rows_of_two),
            l2_squared_rows_of_two: kernel_table!(@rows l2_squared_rows_of_two),
            l1_rows_of_two: kernel_table!(@rows l1_rows_of_two),
            dot_pairs: |xs, ys, out| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { dot_pairs(xs, ys, out) }
            },
            pack_bits: kernel_table!(@pair $pack_bits),
            dot_bytes: kernel_table!(@rows $dot_bytes),
            dot_shorts: |query, rows, out| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { dot_shorts(query, rows, out) }
            },
            to_shorts: |values, scale, out| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { to_shorts(values, scale, out) }
            },
            blend: |means, keeps, rows, weights| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { blend(means, keeps, rows, weights) }
            },
            lut_scan: |table, block, sums| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { $scan(table, block, std::slice::from_mut(sums)) }
            },
            lut_scan_blocks: |table, blocks, out| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { $scan(table, blocks, out) }
            },
            lut_select: |scan, estimates, lanes| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { $select(scan, estimates, lanes) }
            },
            lut_scaled: |scaled, estimates| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { $scaled(scaled, estimates) }
            },
            lut_codes: |words, ends, tile, codes, dots| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { lut_codes(words, ends, tile, codes, dots) }
            },
            lut_table: |from, exact, addends| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { lut_table(from, exact, addends) }
            },
            tile_dots: |points, dim, tiles, out| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { tile_dots(points, dim, tiles, out) }
            },
            near_bytes: |near, out, below| {
                // SAFETY: reachable only through a table, which is handed out after detection.
                unsafe { $near_bytes(near, out, below) }
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
