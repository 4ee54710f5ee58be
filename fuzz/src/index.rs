//! Index files for the fuzz targets: small sound ones, and changed ones whose checksums are made right again.

use std::sync::LazyLock;

use linjin::index::{Add, Index, Metric, Vectors};

use crate::{Numbers, folder};

/// Bytes with one checksum, and what sections begin at multiples of.
const BLOCK: usize = 65_536;
const PAGE: usize = 4096;

/// Metric, vectors, dimensions, and whether they have ids of their own: without leaves and with them.
const SHAPES: [(Metric, usize, usize, bool); 6] = [
    (Metric::Cosine, 50, 3, true),
    (Metric::Hamming, 40, 70, false),
    (Metric::Dot, 0, 5, false),
    (Metric::Euclidean, 2100, 4, false),
    (Metric::Cosine, 2100, 12, true),
    (Metric::Manhattan, 2200, 5, true),
];

/// Values, or bytes for bits, of `n` vectors.
pub fn vectors(numbers: &mut Numbers, metric: Metric, n: usize, dim: usize) -> (Vec<f32>, Vec<u8>) {
    match metric {
        Metric::Hamming => (Vec::new(), (0..n * dim.div_ceil(8)).map(|_| numbers.below(256) as u8).collect()),
        _ => ((0..n * dim).map(|_| numbers.below(257) as f32 / 16.0 - 8.0).collect(), Vec::new()),
    }
}

/// The two as an index takes them.
pub fn given<'a>(metric: Metric, (floats, bits): &'a (Vec<f32>, Vec<u8>)) -> Vectors<'a> {
    if metric == Metric::Hamming { Vectors::Bits(bits) } else { Vectors::Floats(floats) }
}

/// Sound files, one of each shape.
pub static SOUND: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = folder();
    let path = folder.path().join("sound.linjin");
    SHAPES
        .iter()
        .map(|&(metric, n, dim, own)| {
            let index = Index::new(dim, metric).expect("there can be such an index");
            let rows = vectors(&mut Numbers::new(n as u64), metric, n, dim);
            let ids: Vec<u64> = (0..n as u64).map(|i| if own { i * 5 + 2 } else { i }).collect();
            index.add(given(metric, &rows), Some(&ids), &Add::default()).expect("the vectors fit");
            index.remove(&ids[n / 2..n / 2 + n.min(5)]).expect("they are there");
            index.save(&path).expect("there is room for a file");
            std::fs::read(&path).expect("it was just written")
        })
        .collect()
});

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Makes all checksums right, as far as the head still says where they are.
pub fn seal(bytes: &mut [u8]) -> Option<()> {
    let n = word(bytes, 56)? as usize;
    let end = 64 + n.checked_mul(24).filter(|&table| table < PAGE)?;
    let mut sums = (end + 4).next_multiple_of(PAGE);
    for i in 0..n {
        let entry = 64 + i * 24;
        let (start, size) = (word(bytes, entry + 8)? as usize, word(bytes, entry + 16)? as usize);
        let first = sums;
        for block in (0..size.min(bytes.len())).step_by(BLOCK) {
            let sum = crc32fast::hash(bytes.get(start + block..(start + size).min(start + block + BLOCK))?);
            bytes.get_mut(sums..sums + 4)?.copy_from_slice(&sum.to_le_bytes());
            sums += 4;
        }
        let sum = crc32fast::hash(&bytes[first..sums]);
        bytes[entry + 4..entry + 8].copy_from_slice(&sum.to_le_bytes());
    }
    let sum = crc32fast::hash(bytes.get(..end)?);
    bytes.get_mut(end..end + 4)?.copy_from_slice(&sum.to_le_bytes());
    Some(())
}
