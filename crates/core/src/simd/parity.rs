//! Every backend equals the scalar kernels bit for bit, on awkward lengths and awkward values.

use super::{Kernels, Word, scalar};

/// Every table that this CPU can run, those for older CPUs too.
pub(super) fn available() -> Vec<&'static Kernels> {
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut))]
    let mut tables = super::available();
    #[cfg(target_arch = "x86_64")]
    tables.extend(super::avx512::first());
    tables
}

/// Around every block length (2, 4, 8, 16 and their multiples), empty, and odd ones far out.
const PARITY_DIMS: &[usize] = &[
    0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 23, 24, 31, 32, 33, 40, 47, 48, 63, 64, 65, 100, 127, 128,
    129, 255, 256, 257, 300, 511, 513, 784, 1023, 1025, 1536,
];
/// Row counts around the number of rows that run side by side.
const PARITY_ROWS: &[usize] = &[0, 1, 2, 3, 4, 5, 7, 8, 9, 13];

const AWKWARD: &[f32] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    1e-40,
    1e-20,
    -1e-20,
    3.4e38,
    -3.4e38,
    1e30,
    f32::MAX,
    f32::MIN,
    f32::EPSILON,
    0.1,
];
pub(super) const NOT_FINITE: &[f32] = &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// A small generator, so that the test depends on nothing that it tests.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11 ^ self.0 >> 40
    }
    pub(super) fn pick(&mut self, from: &[f32]) -> f32 {
        from[self.next() as usize % from.len()]
    }
    pub(super) fn plain(&mut self) -> f32 {
        (self.next() % 20_000) as f32 / 7_000.0 - 1.4
    }
    fn word(&mut self) -> Word {
        self.next().wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()
    }
}

pub(super) fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn check_floats(table: &Kernels, dim: usize, mut value: impl FnMut() -> f32) {
    let spec = scalar::kernels();
    for &n in PARITY_ROWS {
        let query: Vec<f32> = (0..dim).map(|_| value()).collect();
        let rows: Vec<Vec<f32>> = (0..n).map(|_| (0..dim).map(|_| value()).collect()).collect();
        let views: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        for (pair, many, expected) in [
            (table.dot, table.dot_rows, spec.dot),
            (table.l2_squared, table.l2_squared_rows, spec.l2_squared),
            (table.l1, table.l1_rows, spec.l1),
        ] {
            let mut out = vec![0.0; n];
            many(&query, &views, &mut out);
            for (row, &got) in views.iter().zip(&out) {
                let want = expected(&query, row);
                assert!(same(got, want), "{} rows, dim {dim}: {got} is not {want}", table.name);
                let got = pair(&query, row);
                assert!(same(got, want), "{} pair, dim {dim}: {got} is not {want}", table.name);
            }
        }
        let mut pairs = vec![0.0; n];
        let turned: Vec<&[f32]> = views.iter().rev().copied().collect();
        (table.dot_pairs)(&views, &turned, &mut pairs);
        for ((x, y), got) in views.iter().zip(turned).zip(pairs) {
            let want = (spec.dot)(x, y);
            assert!(same(got, want), "{} pairs, dim {dim}: {got} is not {want}", table.name);
        }
        let other: Vec<f32> = (0..dim).map(|_| value()).collect();
        for (many, expected) in [
            (table.dot_rows_of_two, spec.dot),
            (table.l2_squared_rows_of_two, spec.l2_squared),
            (table.l1_rows_of_two, spec.l1),
        ] {
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            many([&query, &other], &views, [&mut a, &mut b]);
            for (query, out) in [(&query, a), (&other, b)] {
                for (row, got) in views.iter().zip(out) {
                    let want = expected(query, row);
                    assert!(same(got, want), "{} rows of two, dim {dim}: {got} is not {want}", table.name);
                }
            }
        }
    }
}

#[test]
fn every_backend_equals_the_specification() {
    let mut numbers = Numbers(7);
    for table in available() {
        for &dim in PARITY_DIMS {
            check_floats(table, dim, || numbers.plain());
            check_floats(table, dim, || numbers.pick(AWKWARD));
            check_floats(table, dim, || {
                if numbers.next().is_multiple_of(20) { numbers.pick(NOT_FINITE) } else { numbers.plain() }
            });
        }
    }
}

/// Rows of whole numbers give the sums of the floats that these are.
fn check_whole<V: Copy + Into<f32>>(
    spec: &Kernels,
    whole: &super::WholeRows<V>,
    dim: usize,
    mut value: impl FnMut() -> V,
    query: &[f32],
) {
    for &n in PARITY_ROWS {
        let rows: Vec<Vec<V>> = (0..n).map(|_| (0..dim).map(|_| value()).collect()).collect();
        let views: Vec<&[V]> = rows.iter().map(Vec::as_slice).collect();
        for (many, expected) in
            [(whole.dot, spec.dot), (whole.l2_squared, spec.l2_squared), (whole.l1, spec.l1)]
        {
            let mut out = vec![0.0; n];
            many(query, &views, &mut out);
            for (row, got) in views.iter().zip(out) {
                let floats: Vec<f32> = row.iter().map(|&value| value.into()).collect();
                let want = expected(query, &floats);
                assert!(same(got, want), "dim {dim}: {got} is not {want}");
            }
        }
    }
}

#[test]
fn every_backend_sums_rows_of_whole_numbers_as_floats() {
    let spec = scalar::kernels();
    let mut numbers = Numbers(13);
    for table in available().into_iter().chain([spec]) {
        for &dim in PARITY_DIMS {
            let plain: Vec<f32> = (0..dim).map(|_| numbers.plain() * 100.0).collect();
            let awkward: Vec<f32> = (0..dim).map(|_| numbers.pick(AWKWARD)).collect();
            for query in [plain, awkward] {
                check_whole(spec, &table.unsigned, dim, || numbers.next() as u8, &query);
                check_whole(spec, &table.signed, dim, || numbers.next() as i8, &query);
            }
        }
    }
}

#[test]
fn every_backend_blends_alike() {
    let mut numbers = Numbers(9);
    for table in available() {
        for (&dim, n) in PARITY_DIMS.iter().zip((1..18).cycle()) {
            let rows: Vec<Vec<f32>> = (0..n).map(|_| (0..dim).map(|_| numbers.plain()).collect()).collect();
            let views: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let start = [0, 1].map(|_| (0..dim).map(|_| numbers.pick(AWKWARD)).collect::<Vec<f32>>());
            let [a, b] = [0, 1].map(|_| (0..n).map(|_| numbers.plain()).collect::<Vec<f32>>());
            let blended = |table: &Kernels| {
                let [mut p, mut q] = start.clone();
                (table.blend)([&mut p, &mut q], [0.7, 0.9], &views, [&a, &b]);
                [p, q].concat()
            };
            let (got, want) = (blended(table), blended(scalar::kernels()));
            assert!(got.iter().zip(&want).all(|(&got, &want)| same(got, want)), "{}, dim {dim}", table.name);
        }
    }
}

#[test]
fn every_backend_counts_the_same_bits() {
    let mut numbers = Numbers(11);
    for table in available() {
        for words in 0..70 {
            let query: Vec<Word> = (0..words).map(|_| numbers.word()).collect();
            let rows: Vec<Vec<Word>> = (0..5).map(|_| (0..words).map(|_| numbers.word()).collect()).collect();
            let views: Vec<&[Word]> = rows.iter().map(Vec::as_slice).collect();
            let mut out = vec![0; rows.len()];
            (table.hamming_rows)(&query, &views, &mut out);
            for (row, &got) in rows.iter().zip(&out) {
                let by_bit =
                    |i: usize| u64::from((query[i / 64][i / 8 % 8] ^ row[i / 64][i / 8 % 8]) >> (i % 8) & 1);
                let want: u64 = (0..words * 64).map(by_bit).sum();
                assert_eq!(got, want, "{} rows, {words} words", table.name);
                assert_eq!((table.hamming)(&query, row), want, "{} pair, {words} words", table.name);
            }
        }
    }
}

#[test]
fn every_backend_packs_the_same_bits() {
    let mut numbers = Numbers(15);
    for table in available() {
        for n in (0..300_usize).chain([4096, 5001]) {
            let bytes: Vec<u8> = (0..n)
                .map(|_| if numbers.next().is_multiple_of(3) { 0 } else { numbers.next() as u8 })
                .collect();
            let mut words = vec![7];
            (table.pack_bits)(&bytes, &mut words);
            assert_eq!(words.len(), 1 + n.div_ceil(64), "{}, {n} bytes", table.name);
            for i in 0..words.len() * 64 - 64 {
                let want = bytes.get(i).is_some_and(|&byte| byte != 0);
                assert_eq!(
                    words[1 + i / 64] >> (i % 64) & 1 == 1,
                    want,
                    "{}, {n} bytes, byte {i}",
                    table.name
                );
            }
        }
    }
}

#[test]
fn the_sum_is_close_to_the_exact_one() {
    let mut numbers = Numbers(13);
    for table in available() {
        for &dim in PARITY_DIMS {
            let x: Vec<f32> = (0..dim).map(|_| numbers.plain()).collect();
            let y: Vec<f32> = (0..dim).map(|_| numbers.plain()).collect();
            let terms = || x.iter().zip(&y).map(|(&a, &b)| (f64::from(a), f64::from(b)));
            let bound = 1e-6 * (1.0 + terms().map(|(a, b)| (a * b).abs()).sum::<f64>());
            let dot: f64 = terms().map(|(a, b)| a * b).sum();
            assert!((f64::from((table.dot)(&x, &y)) - dot).abs() <= bound, "{} dot, dim {dim}", table.name);
            let l1: f64 = terms().map(|(a, b)| (a - b).abs()).sum();
            assert!((f64::from((table.l1)(&x, &y)) - l1).abs() <= 1e-6 * (1.0 + l1), "{} l1", table.name);
            let l2: f64 = terms().map(|(a, b)| (a - b) * (a - b)).sum();
            assert!(
                (f64::from((table.l2_squared)(&x, &y)) - l2).abs() <= 1e-6 * (1.0 + l2),
                "{} l2",
                table.name
            );
        }
    }
}

#[test]
#[should_panic]
fn vectors_of_different_lengths_are_refused() {
    let table = super::kernels();
    (table.dot)(&[1.0; 17], &[1.0; 16]);
}
