//! Times every engine's kernels: one vector against one, and against a thousand rows in random order.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use linjin::__bench::Word;
use linjin_bench_kernels::{Engine, Numbers, dot, hamming, l1, l2_squared};

/// Values in a vector.
const DIMS: [usize; 4] = [40, 100, 256, 784];
/// Bits in a binary vector.
const BITS: [usize; 2] = [256, 1024];
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

criterion_group!(kernels, floats, bits);
criterion_main!(kernels);
