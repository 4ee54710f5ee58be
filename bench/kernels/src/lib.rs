//! What is measured: every engine's kernels in one form.

use linjin::__bench::{Word, kernels};

/// One kernel of one engine.
pub struct Engine<T: 'static, R: 'static> {
    /// Whose it is.
    pub name: String,
    /// One vector against one.
    pub pair: fn(&[T], &[T]) -> R,
    /// One vector against many rows.
    pub rows: fn(&[T], &[&[T]], &mut [R]),
}

/// A kernel from an expression for a pair, which is inlined into the loop over the rows too.
macro_rules! engine {
    ($name:literal, |$x:ident, $y:ident| $value:expr) => {
        Engine {
            name: $name.to_owned(),
            pair: |$x, $y| $value,
            rows: |$x, rows, out| {
                for ($y, out) in rows.iter().zip(out) {
                    *out = $value;
                }
            },
        }
    };
}

const EQUAL: &str = "vectors of equal lengths";

/// Inner products.
pub fn dot() -> Vec<Engine<f32, f32>> {
    let ours = |table: &linjin::__bench::Kernels| ours(table.name, table.dot, table.dot_rows);
    let mut engines: Vec<_> = kernels().into_iter().map(ours).collect();
    engines.push(engine!("simsimd", |x, y| simsimd::SpatialSimilarity::dot(x, y).expect(EQUAL) as f32));
    engines.push(engine!("numkong", |x, y| numkong::Dot::dot(x, y).expect(EQUAL) as f32));
    engines.push(engine!("plain", |x, y| x.iter().zip(y.iter()).map(|(a, b)| a * b).sum()));
    engines
}

/// Squared Euclidean distances.
pub fn l2_squared() -> Vec<Engine<f32, f32>> {
    let ours = |table: &linjin::__bench::Kernels| ours(table.name, table.l2_squared, table.l2_squared_rows);
    let mut engines: Vec<_> = kernels().into_iter().map(ours).collect();
    engines.push(engine!("simsimd", |x, y| simsimd::SpatialSimilarity::l2sq(x, y).expect(EQUAL) as f32));
    engines.push(engine!("numkong", |x, y| numkong::Euclidean::sqeuclidean(x, y).expect(EQUAL) as f32));
    engines.push(engine!("plain", |x, y| x.iter().zip(y.iter()).map(|(a, b)| (a - b) * (a - b)).sum()));
    engines
}

/// Sums of absolute differences, which the peers do not have.
pub fn l1() -> Vec<Engine<f32, f32>> {
    let ours = |table: &linjin::__bench::Kernels| ours(table.name, table.l1, table.l1_rows);
    let mut engines: Vec<_> = kernels().into_iter().map(ours).collect();
    engines.push(engine!("plain", |x, y| x.iter().zip(y.iter()).map(|(a, b)| (a - b).abs()).sum()));
    engines
}

/// Numbers of differing bits.
pub fn hamming() -> Vec<Engine<Word, u64>> {
    let ours = |table: &linjin::__bench::Kernels| ours(table.name, table.hamming, table.hamming_rows);
    let mut engines: Vec<_> = kernels().into_iter().map(ours).collect();
    engines.push(engine!("simsimd", |x, y| {
        simsimd::BinarySimilarity::hamming(x.as_flattened(), y.as_flattened()).expect(EQUAL) as u64
    }));
    engines.push(engine!("numkong", |x, y| {
        u64::from(numkong::Hamming::hamming(numkong_bits(x), numkong_bits(y)).expect(EQUAL))
    }));
    engines.push(engine!("plain", |x, y| {
        let differing =
            |(a, b): (&Word, &Word)| (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones();
        x.iter().zip(y.iter()).map(differing).map(u64::from).sum()
    }));
    engines
}

/// Points and rows of which all inner products are wanted.
pub struct Matrices {
    /// One point after the other.
    pub points: Vec<f32>,
    /// Values in a point and in a row.
    pub dim: usize,
    /// One row after the other.
    pub rows: Vec<f32>,
    /// The rows in linjin's tiles of sixteen.
    pub tiles: Aligned<f32>,
}

impl Matrices {
    /// `n` points and `rows` rows, a multiple of sixteen.
    pub fn new(n: usize, dim: usize, rows: usize, numbers: &mut Numbers) -> Self {
        let mut values = |n: usize| -> Vec<f32> { (0..n).map(|_| numbers.float()).collect() };
        let (points, rows) = (values(n * dim), values(rows * dim));
        let interleaved = |i: usize| rows[(i / (16 * dim) * 16 + i % 16) * dim + i / 16 % dim];
        let tiles = Aligned::new(rows.len(), interleaved);
        Self { points, dim, rows, tiles }
    }
}

/// From matrices to as many results for each point as there are rows.
pub type Multiply = dyn Fn(&Matrices, &mut [f32]);

/// All inner products, by one engine.
pub struct Multiplier {
    /// Whose it is.
    pub name: String,
    /// How it multiplies.
    pub multiply: Box<Multiply>,
}

/// Inner products of many with many.
pub fn products() -> Vec<Multiplier> {
    let ours = |table: &'static linjin::__bench::Kernels| Multiplier {
        name: format!("linjin-{}", table.name),
        multiply: Box::new(|of, out| (table.tile_dots)(&of.points, of.dim, of.tiles.get(), out)),
    };
    let mut engines: Vec<_> = kernels().into_iter().map(ours).collect();
    engines
        .push(Multiplier { name: "matrixmultiply".to_owned(), multiply: Box::new(matrixmultiply_products) });
    engines
}

fn matrixmultiply_products(of: &Matrices, out: &mut [f32]) {
    let (n, k, rows) = (of.points.len() / of.dim, of.dim, of.rows.len() / of.dim);
    assert!(of.points.len() == n * k && of.rows.len() == rows * k && out.len() == n * rows);
    let (a, b, c) = (of.points.as_ptr(), of.rows.as_ptr(), out.as_mut_ptr());
    let (a_stride, c_stride) = (k as isize, rows as isize);
    // SAFETY: by the assertion, `a` is n by k values, `b` the transpose of `rows` by k, `c` n by `rows`.
    unsafe { matrixmultiply::sgemm(n, k, rows, 1.0, a, a_stride, 1, b, 1, a_stride, 0.0, c, c_stride, 1) }
}

/// Values that begin with a line of the cache, as linjin keeps its codes and tiles.
pub struct Aligned<T> {
    values: Vec<T>,
    start: usize,
}

impl<T> Aligned<T> {
    const LINE: usize = 64;

    /// The values of 0 to n.
    pub fn new(n: usize, value: impl FnMut(usize) -> T) -> Self
    where
        T: Copy + Default,
    {
        let mut values = vec![T::default(); n + Self::LINE / size_of::<T>()];
        let start = values.as_ptr().align_offset(Self::LINE);
        values.truncate(start + n);
        for (place, value) in values[start..].iter_mut().zip((0..n).map(value)) {
            *place = value;
        }
        Self { values, start }
    }

    /// All of them.
    pub fn get(&self) -> &[T] {
        &self.values[self.start..]
    }

    /// All of them.
    pub fn get_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..]
    }
}

fn ours<T, R>(name: &str, pair: fn(&[T], &[T]) -> R, rows: fn(&[T], &[&[T]], &mut [R])) -> Engine<T, R> {
    Engine { name: format!("linjin-{name}"), pair, rows }
}

fn numkong_bits(words: &[Word]) -> &[numkong::u1x8] {
    let bytes = words.as_flattened();
    // SAFETY: `u1x8` is a transparent wrapper of one byte, of which every value is valid.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

/// A small generator: the same numbers every time.
pub struct Numbers(u64);

impl Numbers {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed ^ mixed >> 27
    }

    /// A value between -1 and 1.
    pub fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Puts a slice into a random order.
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            slice.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(engines: &[Engine<f32, f32>], numbers: &mut Numbers) {
        for dim in [1, 16, 40, 100, 256, 784] {
            let rows: Vec<Vec<f32>> = (0..6).map(|_| (0..dim).map(|_| numbers.float()).collect()).collect();
            let views: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let mut want = [0.0; 6];
            (engines[0].rows)(views[0], &views, &mut want);
            for engine in engines {
                let mut got = [0.0; 6];
                (engine.rows)(views[0], &views, &mut got);
                for i in 0..6 {
                    let pair = (engine.pair)(views[0], views[i]);
                    assert!(
                        (got[i] - want[i]).abs() < 1e-3 && (pair - want[i]).abs() < 1e-3,
                        "{}",
                        engine.name
                    );
                }
            }
        }
    }

    #[test]
    fn all_multiply_the_same() {
        let of = Matrices::new(5, 40, 48, &mut Numbers::new(2));
        let (mut want, mut got) = ([0.0; 5 * 48], [0.0; 5 * 48]);
        (products()[0].multiply)(&of, &mut want);
        for engine in products() {
            (engine.multiply)(&of, &mut got);
            assert!(got.iter().zip(&want).all(|(got, want)| (got - want).abs() < 1e-3), "{}", engine.name);
        }
    }

    #[test]
    fn all_compute_the_same() {
        let mut numbers = Numbers::new(1);
        for engines in [dot(), l2_squared(), l1()] {
            agree(&engines, &mut numbers);
        }
        for engine in hamming() {
            let (x, y) = ([numbers.next().to_le_bytes(); 5], [numbers.next().to_le_bytes(); 5]);
            let want = 5 * u64::from((u64::from_le_bytes(x[0]) ^ u64::from_le_bytes(y[0])).count_ones());
            let mut got = [0];
            (engine.rows)(&x, &[&y], &mut got);
            assert_eq!(((engine.pair)(&x, &y), got[0]), (want, want), "{}", engine.name);
        }
    }
}
