//! Scalar kernels: the specification of every other backend, and the fallback.

use super::{Kernels, LANES, Word};

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
    blend,
};

pub(super) fn kernels() -> &'static Kernels {
    &KERNELS
}

fn dot(x: &[f32], y: &[f32]) -> f32 {
    sum(x, y, |a, b, sum| a.mul_add(b, sum), |a, b, sum| sum + a * b)
}

fn l2_squared(x: &[f32], y: &[f32]) -> f32 {
    sum(x, y, |a, b, sum| (a - b).mul_add(a - b, sum), |a, b, sum| sum + (a - b) * (a - b))
}

fn l1(x: &[f32], y: &[f32]) -> f32 {
    sum(x, y, |a, b, sum| sum + (a - b).abs(), |a, b, sum| sum + (a - b).abs())
}

fn hamming(x: &[Word], y: &[Word]) -> u64 {
    assert_eq!(x.len(), y.len());
    let bits =
        |(a, b): (&Word, &Word)| u64::from((u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones());
    x.iter().zip(y).map(bits).sum()
}

fn blend(mean: &mut [f32], keep: f32, rows: &[&[f32]], weight: f32) {
    for row in rows {
        assert_eq!(mean.len(), row.len());
    }
    for (i, mean) in mean.iter_mut().enumerate() {
        *mean = rows.iter().fold(*mean * keep, |sum, row| row[i].mul_add(weight, sum));
    }
}

/// The one order of summation; `step(a, b, sum)` adds a term of a whole block, `last(a, b, sum)` one of the rest.
#[inline]
fn sum(
    x: &[f32],
    y: &[f32],
    step: impl Fn(f32, f32, f32) -> f32,
    last: impl Fn(f32, f32, f32) -> f32,
) -> f32 {
    assert_eq!(x.len(), y.len());
    let (xs, x_tail) = x.as_chunks::<LANES>();
    let (ys, y_tail) = y.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in xs.iter().zip(ys) {
        for lane in 0..LANES {
            lanes[lane] = step(a[lane], b[lane], lanes[lane]);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    x_tail.iter().zip(y_tail).fold(lanes[0], |sum, (&a, &b)| last(a, b, sum))
}

fn each<T, R>(kernel: fn(&[T], &[T]) -> R, query: &[T], rows: &[&[T]], out: &mut [R]) {
    assert_eq!(rows.len(), out.len());
    for (row, out) in rows.iter().zip(out) {
        *out = kernel(query, row);
    }
}
