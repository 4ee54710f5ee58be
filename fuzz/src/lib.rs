//! What the fuzz targets and their seeds share: the head of an input, numbers, vectors, a folder; tables, index files, journals.

pub mod columns;
pub mod index;
pub mod journal;

use std::path::Path;

use linjin::forest::Metric;
use tempfile::TempDir;

/// The metric and the dimension that the first two bytes stand for, and the bytes of the file behind them.
pub fn unpack(input: &[u8]) -> Option<(Metric, usize, &[u8])> {
    let (&[metric, dim], file) = input.split_first_chunk()?;
    Some((Metric::ALL[usize::from(metric) % Metric::ALL.len()], usize::from(dim), file))
}

/// The input that [`unpack`] takes apart; the dimension is below 256.
pub fn pack(metric: Metric, dim: usize, file: &[u8]) -> Vec<u8> {
    let number = Metric::ALL.iter().position(|&other| other == metric).expect("it is one of all");
    [&[number as u8, dim as u8], file].concat()
}

/// A small generator: an input must do the same thing every time.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    /// A vector of small multiples of 1/16, so that sums over it are exact; for bits, of 0 and 1.
    pub fn plain(&mut self, metric: Metric, dim: usize) -> Vec<f32> {
        let value = |numbers: &mut Self| match metric {
            Metric::Hamming => numbers.below(2) as f32,
            _ => numbers.below(257) as f32 / 16.0 - 8.0,
        };
        (0..dim).map(|_| value(self)).collect()
    }

    /// A vector of values at which arithmetic goes wrong.
    pub fn wild(&mut self, dim: usize) -> Vec<f32> {
        const WILD: [f32; 12] =
            [0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, f32::MIN_POSITIVE, 1e-20, 1e19, -1e30, f32::MAX, f32::MIN];
        (0..dim).map(|_| WILD[self.below(WILD.len())]).collect()
    }
}

/// A folder that goes when it is dropped, in memory where there is such a place: saving waits for the disk.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
        .expect("there is room for a folder")
}
