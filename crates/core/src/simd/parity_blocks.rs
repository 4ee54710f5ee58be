//! Every backend equals the scalar kernels bit for bit on blocks of codes and on tiles.

use super::Codewords;
use super::parity::{NOT_FINITE, Numbers, available, same};
use super::scan::{BLOCK, Scaled, Scan};
use super::{Asking, Kernels, LANES, Near, in_fours, padded as padded_width, scalar, to_points, to_tiles};

/// Twice the most that a kernel may write.
const ROOM: usize = 2 * 5 * BLOCK;

/// `count` blocks of `m` codes, a table for them, and a bias for every lane.
struct Codes {
    table: Vec<u8>,
    blocks: Vec<u8>,
    biases: Vec<f32>,
}

impl Codes {
    fn new(m: usize, count: usize, numbers: &mut Numbers) -> Self {
        let mut bytes = |n: usize| -> Vec<u8> { (0..n).map(|_| numbers.next() as u8).collect() };
        let (table, blocks) = (bytes(16 * m), bytes(16 * m * count));
        let mut bias = || match numbers.next() % 10 {
            0 => numbers.pick(NOT_FINITE),
            1 => f32::INFINITY,
            _ => numbers.plain(),
        };
        let biases = (0..BLOCK * count).map(|_| bias()).collect();
        Self { table, blocks, biases }
    }

    /// One table look-up after the other, by the words of the layout.
    fn sum(&self, lane: usize) -> u32 {
        let block = &self.blocks[lane / BLOCK * self.table.len()..][..self.table.len()];
        let code = |c: usize| block[16 * c + lane % 16] >> (lane % BLOCK / 16 * 4) & 15;
        (0..self.table.len() / 16).map(|c| u32::from(self.table[16 * c + usize::from(code(c))])).sum()
    }

    fn sums(&self, table: &Kernels) -> Vec<u16> {
        let mut out = vec![[7; BLOCK]; self.biases.len() / BLOCK];
        (table.lut_scan_blocks)(&self.table, &self.blocks, &mut out);
        for (block, &many) in self.blocks.chunks_exact(self.table.len()).zip(&out) {
            let mut one = [7; BLOCK];
            (table.lut_scan)(&self.table, block, &mut one);
            assert_eq!(one, many, "{}", table.name);
        }
        out.concat()
    }

    fn select(&self, kernels: &Kernels, base: f32, scale: f32, threshold: f32) -> Vec<(u32, u32)> {
        let (mut estimates, mut lanes) = ([-7.0; ROOM], [u32::MAX; ROOM]);
        let all = self.biases.len();
        let Self { table, blocks, biases, .. } = self;
        let scan = Scan { table, blocks, biases, base, scale, threshold, ahead: blocks };
        let kept = (kernels.lut_select)(&scan, &mut estimates, &mut lanes);
        assert!(estimates[all..].iter().all(|&e| e == -7.0), "{}: written too far", kernels.name);
        assert!(lanes[all..].iter().all(|&l| l == u32::MAX), "{}: written too far", kernels.name);
        estimates[..kept].iter().map(|estimate| estimate.to_bits()).zip(lanes).collect()
    }
}

#[test]
fn every_backend_sums_the_same_codes() {
    let mut numbers = Numbers(17);
    for m in (4..=256).step_by(4) {
        for count in 0..=5 {
            let mut codes = Codes::new(m, count, &mut numbers);
            if m % 16 == 0 {
                codes.table.fill(u8::MAX);
            }
            let want: Vec<u16> = (0..BLOCK * count).map(|lane| codes.sum(lane) as u16).collect();
            for table in available() {
                assert_eq!(codes.sums(table), want, "{}, {m} codes, {count} blocks", table.name);
            }
        }
    }
}

#[test]
fn every_backend_scales_the_same_codes() {
    let mut numbers = Numbers(23);
    for m in (4..=256).step_by(4) {
        let codes = Codes::new(m, 1, &mut numbers);
        let mut upper = || match numbers.next() % 20 {
            0 => numbers.pick(NOT_FINITE).to_bits() >> 16,
            _ => numbers.plain().to_bits() >> 16,
        };
        let halves: [(u32, u32); BLOCK] = std::array::from_fn(|_| (upper(), upper()));
        let factors = halves.map(|(added, times)| added | times << 16);
        let (base, scale, offset) = (numbers.plain(), numbers.plain() / 50.0, numbers.plain());
        for threshold in [f32::NEG_INFINITY, base, base + 1.0, f32::INFINITY, f32::NAN] {
            let scaled = Scaled {
                table: &codes.table,
                block: &codes.blocks,
                factors: &factors,
                base,
                scale,
                offset,
                threshold,
                ahead: &codes.table,
            };
            // By the words of the layout.
            let estimate = |lane: usize| {
                let [added, times] = [halves[lane].0, halves[lane].1].map(|half| f32::from_bits(half << 16));
                times.mul_add((codes.sum(lane) as f32).mul_add(scale, offset), base + added)
            };
            for kernels in available() {
                let mut estimates = [7.0; BLOCK];
                let passing = (kernels.lut_scaled)(&scaled, &mut estimates);
                for (lane, &got) in estimates.iter().enumerate() {
                    let want = estimate(lane);
                    assert!(same(got, want), "{}, {m} codes, lane {lane}", kernels.name);
                    assert_eq!(passing >> lane & 1 == 1, want < threshold, "{}, {m} codes", kernels.name);
                }
            }
        }
    }
}

#[test]
fn every_backend_finds_the_same_codes() {
    let mut numbers = Numbers(29);
    for (values, groups) in [(1, 8), (3, 8), (16, 8), (100, 8), (100, 7), (5, 1)] {
        let ends: Vec<u32> = (1..=groups).map(|group| (group * values / groups) as u32).collect();
        let mut rows = || -> Vec<[f32; LANES]> {
            (0..values).map(|_| std::array::from_fn(|_| numbers.plain())).collect()
        };
        let (words, tile) = (rows(), rows());
        let mut wanted = (vec![[0; LANES]; ends.len()], [0.0; LANES]);
        (scalar::kernels().lut_codes)(&words, &ends, &tile, &mut wanted.0, &mut wanted.1);
        for (lane, &found) in wanted.1.iter().enumerate() {
            let mut dot = 0.0_f64;
            let starts = std::iter::once(0).chain(ends.iter().copied());
            for (codes, (start, &end)) in wanted.0.iter().zip(starts.zip(&ends)) {
                let group = || tile[start as usize..end as usize].iter().zip(&words[start as usize..]);
                let difference = |word: usize| {
                    group().map(|(tile, words)| f64::from(tile[lane] - words[word]).powi(2)).sum::<f64>()
                };
                let code = usize::from(codes[lane]);
                let least = (0..LANES).map(difference).fold(f64::INFINITY, f64::min);
                assert!(difference(code) <= least + 1e-3, "the closest codeword");
                dot +=
                    group().map(|(tile, words)| f64::from(tile[lane]) * f64::from(words[code])).sum::<f64>();
            }
            assert!((dot - f64::from(found)).abs() < 1e-2 * (1.0 + dot.abs()));
        }
        for kernels in available() {
            let mut got = (vec![[7; LANES]; ends.len()], [7.0; LANES]);
            (kernels.lut_codes)(&words, &ends, &tile, &mut got.0, &mut got.1);
            assert_eq!(got, wanted, "{}, {values} values", kernels.name);
        }
    }
}

#[test]
fn every_backend_multiplies_the_same_bytes() {
    let mut numbers = Numbers(31);
    for n in [0, 1, 15, 16, 31, 32, 33, 64, 100, 256, 1000] {
        let mut row = || -> Vec<i8> { (0..n).map(|_| numbers.next() as i8).collect() };
        let rows = [row(), row(), vec![i8::MIN; n], vec![i8::MAX; n], row()];
        let rows: Vec<&[i8]> = rows.iter().map(Vec::as_slice).collect();
        for query in &rows {
            let dot = |row: &&[i8]| query.iter().zip(*row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
            let wanted: Vec<i32> = rows.iter().map(dot).collect();
            for kernels in available() {
                let mut got = vec![7; rows.len()];
                (kernels.dot_bytes)(query, &rows, &mut got);
                assert_eq!(got, wanted, "{}, {n} values", kernels.name);
            }
        }
    }
}

#[test]
fn every_backend_multiplies_the_same_shorts() {
    let mut numbers = Numbers(37);
    for n in [32, 64, 96, 800] {
        let mut row = || -> Vec<i16> { (0..n).map(|_| numbers.next() as i16).collect() };
        let rows: Vec<_> = (0..6).map(|_| row()).chain([vec![i16::MIN; n], vec![i16::MAX; n]]).collect();
        for query in &rows {
            let dot = |row: &Vec<i16>| -> i64 {
                query.iter().zip(row).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
            };
            let wanted: Vec<i32> = rows.iter().map(|row| dot(row) as i32).collect();
            for kernels in available() {
                let mut got = vec![7; rows.len()];
                (kernels.dot_shorts)(query, &in_fours(&rows), &mut got);
                assert_eq!(got, wanted, "{}, {n} values", kernels.name);
            }
        }
    }
}

#[test]
fn every_backend_rounds_to_the_same_shorts() {
    let values = [
        0.0,
        -0.0,
        0.49,
        0.5,
        -0.5,
        1.5,
        -7.3,
        16_383.6,
        -16_383.6,
        2e4,
        -2e4,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    let wanted = [0, 0, 1, 1, -1, 3, -15, 32_767, -32_767, 32_767, -32_767, 32_767, 32_767, 32_767];
    let (values, wanted) = (values.repeat(3), wanted.repeat(3));
    for kernels in available() {
        let mut got = vec![7; values.len()];
        (kernels.to_shorts)(&values, 2.0, &mut got);
        assert_eq!(got, wanted, "{}", kernels.name);
    }
}

#[test]
fn every_backend_selects_the_same_codes() {
    let mut numbers = Numbers(19);
    for m in (4..=256).step_by(4) {
        for count in 0..=5 {
            let codes = Codes::new(m, count, &mut numbers);
            let (base, scale) = (numbers.plain(), numbers.plain() / 50.0);
            let middle = base + scale * 127.5 * m as f32;
            let thresholds = [f32::NEG_INFINITY, middle - 1.0, middle, middle + 1.0, f32::INFINITY, f32::NAN];
            for threshold in thresholds {
                let estimate =
                    |lane: usize| (codes.sum(lane) as f32).mul_add(scale, base + codes.biases[lane]);
                let want: Vec<(u32, u32)> = (0..codes.biases.len())
                    .filter(|&lane| estimate(lane) < threshold)
                    .map(|lane| (estimate(lane).to_bits(), lane as u32))
                    .collect();
                for table in available() {
                    let got = codes.select(table, base, scale, threshold);
                    assert_eq!(got, want, "{}, {m} codes, {count} blocks, {threshold}", table.name);
                }
            }
        }
    }
}

#[test]
fn every_backend_multiplies_the_same_tiles() {
    let mut numbers = Numbers(23);
    for dim in [1, 2, 3, 7, 15, 16, 17, 31, 40, 64, 100, 129, 300] {
        for n in 0..=30 {
            for count in [0, 1, 2, 3, 4, 5, 7, 8, 11] {
                let mut values = |n: usize| -> Vec<f32> {
                    let odd = |numbers: &mut Numbers| match numbers.next() % 5000 {
                        0 => numbers.pick(NOT_FINITE),
                        1 => -0.0,
                        _ => numbers.plain(),
                    };
                    (0..n).map(|_| odd(&mut numbers)).collect()
                };
                let (points, tiles) = (values(n * dim), values(count * dim * LANES));
                let mut want = vec![7.0; n * count * LANES];
                (scalar::kernels().tile_dots)(&points, dim, &tiles, &mut want);
                for table in available() {
                    let mut got = vec![7.0; want.len()];
                    (table.tile_dots)(&points, dim, &tiles, &mut got);
                    let equal = got.iter().zip(&want).all(|(&got, &want)| same(got, want));
                    assert!(equal, "{}, dim {dim}, {n} points, {count} tiles", table.name);
                }
            }
        }
    }
}

#[test]
fn a_tile_is_sixteen_rows_interleaved() {
    let (dim, n, rows) = (5, 3, 32);
    let value = |row: usize, d: usize| (row * 10 + d) as f32;
    let points: Vec<f32> = (0..n * dim).map(|i| value(i / dim, i % dim)).collect();
    let at = |i: usize| value(i / (LANES * dim) * LANES + i % LANES, i / LANES % dim);
    let tiles: Vec<f32> = (0..rows * dim).map(at).collect();
    let mut out = vec![0.0; n * rows];
    (scalar::kernels().tile_dots)(&points, dim, &tiles, &mut out);
    for (i, &got) in out.iter().enumerate() {
        let want: f32 = (0..dim).map(|d| value(i / rows, d) * value(i % rows, d)).sum();
        assert_eq!(got, want, "point {}, row {}", i / rows, i % rows);
    }
}

#[test]
fn every_backend_compares_the_same_tiles_of_bytes() {
    let mut numbers = Numbers(41);
    for width in [1, 3, 4, 8, 62, 64, 100, 256, 1000] {
        for n in [0, 1, 2, 3, 7, 8, 9, 17] {
            for n_rows in [0, 1, 16, 33, 48, 64, 100] {
                let mut rows = |n: usize| -> Vec<i8> {
                    // Some of one number alone: sums as large as they get.
                    let byte = |i| if i / width % 5 == 4 { i8::MIN } else { numbers.next() as i8 };
                    (0..n * width).map(byte).collect()
                };
                let (vectors, rows) = (rows(n), rows(n_rows));
                let (mut points, mut tiles) = (Vec::new(), Vec::new());
                to_points(vectors.chunks_exact(width), width, &mut points);
                to_tiles(rows.chunks_exact(width), width, &mut tiles);
                let padded = n_rows.next_multiple_of(LANES);
                let mut floats = |n: usize| -> Vec<f32> { (0..n).map(|_| numbers.plain()).collect() };
                let (times, mut squares) = (floats(padded), floats(padded));
                squares.iter_mut().skip(n_rows).for_each(|square| *square = f32::INFINITY);
                let floats = floats(3 * n);
                let asking = floats.as_chunks().0.iter();
                let asking: Vec<Asking> =
                    asking.map(|&[unit, square, threshold]| Asking { unit, square, threshold }).collect();
                let near = Near {
                    points: &points,
                    width: padded_width(width),
                    asking: &asking,
                    tiles: &tiles,
                    times: &times,
                    squares: &squares,
                };
                let (mut want, mut below) = (vec![7.0; n * padded], vec![7; n * padded / LANES]);
                (scalar::kernels().near_bytes)(&near, &mut want, &mut below);
                for (i, &want) in want.iter().enumerate().filter(|(i, _)| i % padded < n_rows) {
                    let (point, row) = (i / padded, i % padded);
                    let values = vectors[point * width..].iter().zip(&rows[row * width..]).take(width);
                    let dot: i32 = values.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                    let Asking { unit, square, threshold } = asking[point];
                    assert_eq!(want, (dot as f32).mul_add(unit * times[row], square + squares[row]));
                    assert_eq!(below[i / LANES] >> (i % LANES) & 1 == 1, want < threshold);
                }
                for table in available() {
                    let mut got = (vec![7.0; want.len()], vec![7; below.len()]);
                    (table.near_bytes)(&near, &mut got.0, &mut got.1);
                    let equal = got.0.iter().zip(&want).all(|(&got, &want)| same(got, want));
                    assert!(
                        equal && got.1 == below,
                        "{}, width {width}, {n} vectors, {n_rows} rows",
                        table.name
                    );
                }
            }
        }
    }
}

/// A call that must panic on every backend.
fn refused(call: impl Fn(&Kernels)) {
    for table in available() {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(table)));
        assert!(caught.is_err(), "{}", table.name);
    }
}

#[test]
fn lengths_that_do_not_belong_together_are_refused() {
    for (table, block) in [(0, 0), (16, 16), (96, 96), (4160, 4160), (64, 128), (128, 64), (64, 63)] {
        refused(|kernels| (kernels.lut_scan)(&vec![1; table], &vec![1; block], &mut [0; BLOCK]));
    }
    for (blocks, biases, estimates, lanes) in
        [(2, 32, 64, 64), (1, 64, 64, 64), (1, 33, 64, 64), (2, 64, 63, 64), (2, 64, 64, 63)]
    {
        refused(|kernels| {
            let (mut estimates, mut lanes) = (vec![0.0; estimates], vec![0; lanes]);
            let (blocks, biases) = (vec![1; 64 * blocks], vec![1.0; biases]);
            let (base, scale, threshold) = (0.0, 1.0, 1e9);
            let (table, blocks, biases) = (&[1; 64], &*blocks, &*biases);
            let scan = Scan { table, blocks, biases, base, scale, threshold, ahead: &[] };
            (kernels.lut_select)(&scan, &mut estimates, &mut lanes);
        });
    }
    let scaled = |table: &[u8], block: &[u8]| {
        let factors = &[0; BLOCK];
        let (base, scale, offset, threshold) = (0.0, 1.0, 0.0, 1.0);
        refused(|kernels| {
            let scaled = Scaled { table, block, factors, base, scale, offset, threshold, ahead: &[] };
            (kernels.lut_scaled)(&scaled, &mut [0.0; BLOCK]);
        });
    };
    scaled(&[1; 64], &[1; 128]);
    scaled(&[1; 16], &[1; 16]);
    refused(|kernels| {
        (kernels.lut_codes)(
            &[[0.0; LANES]; 3],
            &[3],
            &[[0.0; LANES]; 2],
            &mut [[0; LANES]],
            &mut [0.0; LANES],
        );
    });
    refused(|kernels| (kernels.dot_bytes)(&[1, 2], &[&[1]], &mut [0]));
    refused(|kernels| (kernels.dot_shorts)(&[1; 32], &[1; 127], &mut [0; 4]));
    refused(|kernels| (kernels.dot_shorts)(&[1; 32], &[1; 64], &mut [0; 2]));
    refused(|kernels| (kernels.dot_shorts)(&[1; 16], &[1; 64], &mut [0; 4]));
    refused(|kernels| (kernels.dot_shorts)(&[], &[], &mut [0; 4]));
    refused(|kernels| (kernels.to_shorts)(&[1.0], 1.0, &mut [0; 2]));
    for (points, dim, tiles, out) in
        [(5, 0, 80, 16), (6, 5, 80, 16), (5, 5, 81, 16), (5, 5, 96, 16), (5, 5, 80, 15), (10, 5, 80, 16)]
    {
        refused(|kernels| {
            (kernels.tile_dots)(&vec![1.0; points], dim, &vec![1.0; tiles], &mut vec![0.0; out]);
        });
    }
    // Vectors' bytes, width, vectors, tiles' bytes, rows, results, words of bits.
    for [points, width, n, tiles, rows, out, below] in [
        [4, 0, 1, 64, 16, 16, 1],
        [6, 6, 1, 96, 16, 16, 1],
        [8, 4, 1, 64, 16, 16, 1],
        [4, 4, 1, 65, 16, 16, 1],
        [4, 4, 1, 64, 15, 16, 1],
        [4, 4, 1, 64, 16, 15, 1],
        [4, 4, 1, 64, 16, 16, 2],
    ] {
        refused(|kernels| {
            let near = Near {
                points: &vec![1; points],
                width,
                asking: &vec![Asking { unit: 1.0, square: 1.0, threshold: 1.0 }; n],
                tiles: &vec![1; tiles],
                times: &vec![1.0; rows],
                squares: &vec![1.0; rows],
            };
            (kernels.near_bytes)(&near, &mut vec![0.0; out], &mut vec![0; below]);
        });
    }
}

#[test]
fn tables_of_a_query_are_the_same_bytes() {
    for (values, groups) in [(1, 8), (3, 8), (16, 8), (100, 8), (100, 7), (5, 1)] {
        let ends: Vec<u32> = (1..=groups).map(|group| (group * values / groups) as u32).collect();
        let row: Vec<f32> = (0..values).map(|i| (i as f32 + 0.7).sin() * 3.0).collect();
        let words: Vec<[f32; LANES]> =
            (0..values).map(|i| std::array::from_fn(|lane| ((i * LANES + lane) as f32).cos())).collect();
        for weight in [Some(-2.0), Some(-1.0), None] {
            let from = Codewords { values: &row, words: &words, ends: &ends, weight };
            let mut want = (Vec::new(), vec![0; ends.len() * LANES]);
            let wanted = (scalar::kernels().lut_table)(&from, &mut want.0, &mut want.1);
            assert!(want.1.contains(&255), "the widest group reaches from 0 to 255");
            for table in available() {
                let mut got = (Vec::new(), vec![0; ends.len() * LANES]);
                let found = (table.lut_table)(&from, &mut got.0, &mut got.1);
                assert_eq!((found, &got), (wanted, &want), "{} {values} {weight:?}", table.name);
            }
        }
    }
}
