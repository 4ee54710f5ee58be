//! Scalar kernels: the specification of every other backend, and the fallback.

use super::bits::pack_bits;
use super::byte_tiles::near_bytes;
use super::bytes::dot_bytes;
use super::codes::lut_codes;
use super::scan::{lut_scaled, lut_scan_blocks, lut_select};
use super::shorts::{dot_shorts, to_shorts};
use super::table::lut_table;
use super::tiles::tile_dots;
use super::{Kernels, LANES, WholeRows, Word};

static KERNELS: Kernels = Kernels {
    name: "scalar",
    dot,
    l2_squared,
    l1,
    hamming,
    dot_rows: |query, rows, out| each(dot, query, rows, out),
    l2_squared_rows: |query, rows, out| each(l2_squared, query, rows, out),
    l1_rows: |query, rows, out| each(l1, query, rows, out),
    hamming_rows: |query, rows, out| each(hamming, query, rows, out),
    unsigned: whole_rows(),
    signed: whole_rows(),
    dot_rows_of_two: |queries, rows, out| each_of_two(dot, queries, rows, out),
    l2_squared_rows_of_two: |queries, rows, out| each_of_two(l2_squared, queries, rows, out),
    l1_rows_of_two: |queries, rows, out| each_of_two(l1, queries, rows, out),
    dot_pairs,
    pack_bits,
    dot_bytes: |query, rows, out| dot_bytes(query, rows, out),
    dot_shorts: |query, rows, out| dot_shorts(query, rows, out),
    to_shorts: |values, scale, out| to_shorts(values, scale, out),
    blend,
    lut_scan: |table, block, sums| lut_scan_blocks(table, block, std::slice::from_mut(sums)),
    lut_scan_blocks,
    lut_select,
    lut_scaled,
    lut_codes: |words, ends, tile, codes, dots| lut_codes(words, ends, tile, codes, dots),
    tile_dots,
    near_bytes: |near, out, below| near_bytes(near, out, below),
    lut_table: |from, exact, addends| lut_table(from, exact, addends),
};

pub(super) fn kernels() -> &'static Kernels {
    &KERNELS
}

const fn whole_rows<V: Copy + Into<f32>>() -> WholeRows<V> {
    WholeRows {
        dot: |query, rows, out| each(dot, query, rows, out),
        l2_squared: |query, rows, out| each(l2_squared, query, rows, out),
        l1: |query, rows, out| each(l1, query, rows, out),
    }
}

fn dot<V: Copy + Into<f32>>(x: &[f32], y: &[V]) -> f32 {
    sum(x, y, |a, b, sum| a.mul_add(b, sum), |a, b, sum| sum + a * b)
}

fn l2_squared<V: Copy + Into<f32>>(x: &[f32], y: &[V]) -> f32 {
    sum(x, y, |a, b, sum| (a - b).mul_add(a - b, sum), |a, b, sum| sum + (a - b) * (a - b))
}

fn l1<V: Copy + Into<f32>>(x: &[f32], y: &[V]) -> f32 {
    sum(x, y, |a, b, sum| sum + (a - b).abs(), |a, b, sum| sum + (a - b).abs())
}

fn hamming(x: &[Word], y: &[Word]) -> u64 {
    assert_eq!(x.len(), y.len());
    let bits =
        |(a, b): (&Word, &Word)| u64::from((u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones());
    x.iter().zip(y).map(bits).sum()
}

fn dot_pairs(xs: &[&[f32]], ys: &[&[f32]], out: &mut [f32]) {
    assert!(xs.len() == out.len() && ys.len() == out.len());
    for ((x, y), out) in xs.iter().zip(ys).zip(out) {
        *out = dot(x, y);
    }
}

fn blend(means: [&mut [f32]; 2], keeps: [f32; 2], rows: &[&[f32]], weights: [&[f32]; 2]) {
    for ((mean, keep), weights) in means.into_iter().zip(keeps).zip(weights) {
        assert_eq!(rows.len(), weights.len());
        for row in rows {
            assert_eq!(mean.len(), row.len());
        }
        for (i, mean) in mean.iter_mut().enumerate() {
            let terms = rows.iter().zip(weights);
            *mean = terms.fold(*mean * keep, |sum, (row, &weight)| row[i].mul_add(weight, sum));
        }
    }
}

/// The one order of summation; `step(a, b, sum)` adds a term of a whole block, `last(a, b, sum)` one of the rest.
#[inline]
fn sum<V: Copy + Into<f32>>(
    x: &[f32],
    y: &[V],
    step: impl Fn(f32, f32, f32) -> f32,
    last: impl Fn(f32, f32, f32) -> f32,
) -> f32 {
    assert_eq!(x.len(), y.len());
    let (xs, x_tail) = x.as_chunks::<LANES>();
    let (ys, y_tail) = y.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in xs.iter().zip(ys) {
        for lane in 0..LANES {
            lanes[lane] = step(a[lane], b[lane].into(), lanes[lane]);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    x_tail.iter().zip(y_tail).fold(lanes[0], |sum, (&a, &b)| last(a, b.into(), sum))
}

fn each<T, V, R>(kernel: fn(&[T], &[V]) -> R, query: &[T], rows: &[&[V]], out: &mut [R]) {
    assert_eq!(rows.len(), out.len());
    for (row, out) in rows.iter().zip(out) {
        *out = kernel(query, row);
    }
}

fn each_of_two(
    kernel: fn(&[f32], &[f32]) -> f32,
    queries: [&[f32]; 2],
    rows: &[&[f32]],
    out: [&mut [f32]; 2],
) {
    for (query, out) in queries.into_iter().zip(out) {
        each(kernel, query, rows, out);
    }
}
