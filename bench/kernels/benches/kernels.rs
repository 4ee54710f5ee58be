//! Times every engine's kernels: one vector against one, and against a thousand rows in random order; lists of codes;
//! and many vectors against many.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use linjin::__bench::{Scan, Word, kernels as tables};
use linjin_bench_kernels::{Aligned, Engine, Matrices, Numbers, dot, hamming, l1, l2_squared, products};

/// Values in a vector.
const DIMS: [usize; 4] = [40, 100, 256, 784];
/// Bits in a binary vector.
const BITS: [usize; 2] = [256, 1024];
/// Codes of 4 bits of a vector.
const CODES: [usize; 4] = [16, 32, 64, 100];
/// Vectors in a block of codes, and blocks in a list.
const LIST: (usize, usize) = (32, 32);
/// Points, values in each, rows.
const PRODUCTS: [(usize, usize, usize); 4] =
    [(1, 100, 512), (1, 1024, 256), (256, 100, 512), (256, 784, 512)];
/// Bytes of the set: more than the second-level cache of a core holds.
const SET: usize = 10 << 20;
/// Rows of it that are compared with one vector.
const ROWS: usize = 1000;

fn measure<T: Copy, R: Copy + Default>(
    criterion: &mut Criterion,
    label: &str,
    len: usize,
    engines: Vec<Engine<T, R>>,
    mut value: impl FnMut() -> T,
) {
    let set: Vec<T> = (0..SET / size_of::<T>()).map(|_| value()).collect();
    let mut rows: Vec<&[T]> = set.chunks_exact(len).collect();
    Numbers::new(5).shuffle(&mut rows);
    let query = rows[0].to_vec();
    let mut out = vec![R::default(); ROWS];
    for engine in &engines {
        let mut group = criterion.benchmark_group(format!("{label}/one"));
        let (x, y) = (query.clone(), rows[1].to_vec());
        group.bench_function(&engine.name, |bencher| {
            bencher.iter(|| (engine.pair)(black_box(&x), black_box(&y)))
        });
        group.finish();

        let mut group = criterion.benchmark_group(format!("{label}/{ROWS}"));
        group.throughput(Throughput::Elements(ROWS as u64));
        let mut thousands = rows.chunks_exact(ROWS).cycle();
        group.bench_function(&engine.name, |bencher| {
            bencher.iter(|| {
                let rows = thousands.next().expect("a cycle has no end");
                (engine.rows)(black_box(&query), rows, black_box(&mut out));
            });
        });
        group.finish();
    }
}

fn floats(criterion: &mut Criterion) {
    for (name, engines) in [("dot", dot as fn() -> _), ("l2_squared", l2_squared), ("l1", l1)] {
        for dim in DIMS {
            let mut numbers = Numbers::new(dim as u64);
            measure(criterion, &format!("{name}/{dim}"), dim, engines(), || numbers.float());
        }
    }
}

fn bits(criterion: &mut Criterion) {
    for bits in BITS {
        let mut numbers = Numbers::new(bits as u64);
        let words = bits / 8 / size_of::<Word>();
        measure(criterion, &format!("hamming/{bits}"), words, hamming(), || numbers.next().to_le_bytes());
    }
}

/// The sums of lists in random order, and of them those of the smallest hundredth.
fn codes(criterion: &mut Criterion) {
    let (block, blocks) = LIST;
    let lanes = block * blocks;
    for m in CODES {
        let mut numbers = Numbers::new(m as u64);
        let table = Aligned::new(16 * m, |_| numbers.next() as u8);
        let set = Aligned::new(SET, |_| numbers.next() as u8);
        let mut lists: Vec<&[u8]> = set.get().chunks_exact(16 * m * blocks).collect();
        Numbers::new(5).shuffle(&mut lists);
        let mut sums = vec![[0; 32]; blocks];
        let biases = vec![0.0; lanes];
        let (mut estimates, mut passing) = (vec![0.0; lanes], vec![0; lanes]);
        for kernels in tables() {
            let name = format!("linjin-{}", kernels.name);
            (kernels.lut_scan_blocks)(table.get(), lists[0], &mut sums);
            let mut all = sums.concat();
            all.sort_unstable();
            let threshold = f32::from(all[lanes / 100]);

            let mut group = criterion.benchmark_group(format!("lut_scan/{m}/{lanes}"));
            group.throughput(Throughput::Elements(lanes as u64));
            let mut next = lists.iter().cycle();
            group.bench_function(&name, |bencher| {
                bencher.iter(|| {
                    let list = next.next().expect("a cycle has no end");
                    (kernels.lut_scan_blocks)(black_box(table.get()), list, black_box(&mut sums));
                });
            });
            group.finish();

            let mut group = criterion.benchmark_group(format!("lut_select/{m}/{lanes}"));
            group.throughput(Throughput::Elements(lanes as u64));
            let mut next = lists.iter().cycle();
            group.bench_function(&name, |bencher| {
                bencher.iter(|| {
                    let list = next.next().expect("a cycle has no end");
                    let scan = Scan {
                        table: black_box(table.get()),
                        blocks: list,
                        biases: &biases,
                        base: 0.0,
                        scale: 1.0,
                        threshold,
                        ahead: &[],
                    };
                    (kernels.lut_select)(&scan, black_box(&mut estimates), black_box(&mut passing))
                });
            });
            group.finish();
        }
    }
}

/// All inner products of points and rows; the throughput is in multiplications.
fn many_with_many(criterion: &mut Criterion) {
    for (n, dim, rows) in PRODUCTS {
        let of = Matrices::new(n, dim, rows, &mut Numbers::new(dim as u64));
        let mut out = Aligned::new(n * rows, |_| 0.0);
        let mut group = criterion.benchmark_group(format!("tile_dots/{n}x{dim}x{rows}"));
        group.throughput(Throughput::Elements((n * dim * rows) as u64));
        for engine in products() {
            group.bench_function(&engine.name, |bencher| {
                bencher.iter(|| (engine.multiply)(black_box(&of), black_box(out.get_mut())));
            });
        }
        group.finish();
    }
}

criterion_group!(kernels, floats, bits, codes, many_with_many);
criterion_main!(kernels);
