//! Distance kernels for every instruction set, chosen once at run time.
//!
//! | file | duty |
//! | --- | --- |
//! | `scalar.rs` | the specification of sums, and the fallback for any CPU |
//! | `lines.rs` | values that begin at a cache line |
//! | `lanes.rs` | the same sum, once for all vector instruction sets |
//! | `scan.rs` | sums of table look-ups over blocks of 4-bit codes, and choosing the small ones: the specification |
//! | `scan_lanes.rs` | the same, once for all vector instruction sets |
//! | `bits.rs` | bytes that say yes or no, as bits: the specification |
//! | `bytes.rs` | inner products of bytes: the specification |
//! | `shorts.rs` | inner products of numbers of two bytes: the layout and the specification |
//! | `shorts_lanes.rs` | the same, once for all vector instruction sets |
//! | `codes.rs` | the codes of vectors: the specification |
//! | `codes_lanes.rs` | the same, once for all vector instruction sets |
//! | `tiles.rs` | inner products of many points with many rows: the specification |
//! | `byte_tiles.rs` | distances of many vectors of bytes from many rows: the specification |
//! | `byte_tiles_x86.rs` | the same by AVX2 and by VNNI |
//! | `tile_lanes.rs` | the same, once for all vector instruction sets |
//! | `avx2.rs` | x86-64 with AVX2, FMA and POPCNT |
//! | `avx512.rs` | x86-64 with AVX-512F and BW (and, for bits and codes, VPOPCNTDQ and GFNI) |
//! | `neon.rs` | AArch64 |
//! | `prefetch.rs` | a hint to the cache |
//! | `table.rs` | the table of a query: the specification |
//! | `table_lanes.rs` | the same, once for all vector instruction sets |
//! | `parity.rs`, `parity_blocks.rs` | tests: every table equals the scalar one, bit for bit |
//!
//! # One sum on every machine
//!
//! A floating-point sum depends on its order, so the order is part of the specification: whole blocks of
//! [`LANES`] values go through fused multiply-adds into sixteen running sums; the sixteen are folded in halves (lane
//! i + lane i+8, then i+4, i+2, i+1); what is left of the vector is multiplied and added one value after the other,
//! each step rounded. Every backend does exactly that, so distances, and with them the trees built from a seed, are the
//! same bits on every CPU. It is also the order in which Annoy 1.17.3 sums when GCC compiles it for AVX-512, so that on
//! its files the distances agree to the last bit.
//!
//! One such sum is bound by the latency of its chain of additions; the `*_rows` kernels therefore run four rows side
//! by side, which changes no row's sum.
//!
//! # Soundness
//!
//! This is one of the rooms in which `unsafe` is allowed. Each backend hands out its [`Kernels`] table only after the
//! CPU has been found to have what the functions behind it were compiled for: holding the table is the proof.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bits;
mod byte_tiles;
#[cfg(target_arch = "x86_64")]
mod byte_tiles_x86;
mod bytes;
mod codes;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod codes_lanes;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod lanes;
mod lines;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod parity_blocks;
mod prefetch;
mod scalar;
mod scan;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod scan_lanes;
mod shorts;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod shorts_lanes;
mod table;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod table_lanes;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tile_lanes;
mod tiles;

use std::sync::OnceLock;

pub(crate) use byte_tiles::{Asking, Near, padded, to_points, to_tiles};
pub(crate) use lines::Lines;
pub(crate) use prefetch::{prefetch, prefetch_many};
pub(crate) use scan::BLOCK;
pub(crate) use scan::Scaled;
pub use scan::Scan;
pub(crate) use shorts::{SHORTS, in_fours};
pub use table::Codewords;

/// How many running sums a floating-point kernel keeps.
pub(crate) const LANES: usize = 16;

/// Sixty-four bits of a binary vector, as the eight bytes of a little-endian `u64`; so it needs no alignment.
pub type Word = [u8; 8];

/// One query against one vector.
type Pair<T, R> = fn(&[T], &[T]) -> R;
/// One query against many rows: `out[i]` belongs to `rows[i]`.
type Rows<T, R> = fn(&[T], &[&[T]], &mut [R]);

/// Many pairs: `out[i]` belongs to `xs[i]` and `ys[i]`.
type Pairs<T, R> = fn(&[&[T]], &[&[T]], &mut [R]);
/// Two queries against many rows: `out[q][i]` belongs to query q and `rows[i]`.
type RowsOfTwo<T, R> = fn([&[T]; 2], &[&[T]], [&mut [R]; 2]);
/// Two means, what to keep of each, rows, and the weights of the rows in each mean.
type Blend = fn([&mut [f32]; 2], [f32; 2], &[&[f32]], [&[f32]; 2]);
/// See [`Kernels::lut_codes`].
type Code = fn(&[[f32; LANES]], &[u32], &[[f32; LANES]], &mut [[u8; LANES]], &mut [f32; LANES]);

/// See [`Kernels::lut_table`].
type Tabulate = fn(&Codewords<'_>, &mut Vec<[f32; LANES]>, &mut [u8]) -> (f32, f32);

/// A query against many rows of whole numbers, of a byte each, which count as the floats that they are.
#[derive(Debug)]
pub struct WholeRows<V: 'static> {
    /// Inner product.
    pub dot: fn(&[f32], &[&[V]], &mut [f32]),
    /// Squared Euclidean distance.
    pub l2_squared: fn(&[f32], &[&[V]], &mut [f32]),
    /// Sum of absolute differences.
    pub l1: fn(&[f32], &[&[V]], &mut [f32]),
}

/// The kernels of one instruction set.
///
/// Every function panics when the lengths of its vectors differ (or, for the `*_rows` forms, when there are not
/// as many results as rows). NaN and infinities follow IEEE 754.
pub struct Kernels {
    /// The instruction set: `scalar`, `avx2`, `avx512` or `neon`.
    pub name: &'static str,
    /// Inner product.
    pub dot: Pair<f32, f32>,
    /// Squared Euclidean distance.
    pub l2_squared: Pair<f32, f32>,
    /// Sum of absolute differences.
    pub l1: Pair<f32, f32>,
    /// Number of differing bits.
    pub hamming: Pair<Word, u64>,
    /// [`dot`](Self::dot) against many rows.
    pub dot_rows: Rows<f32, f32>,
    /// [`l2_squared`](Self::l2_squared) against many rows.
    pub l2_squared_rows: Rows<f32, f32>,
    /// [`l1`](Self::l1) against many rows.
    pub l1_rows: Rows<f32, f32>,
    /// [`hamming`](Self::hamming) against many rows.
    pub hamming_rows: Rows<Word, u64>,
    /// Against rows of numbers from 0 to 255.
    pub unsigned: WholeRows<u8>,
    /// Against rows of numbers from −128 to 127.
    pub signed: WholeRows<i8>,
    /// [`dot_rows`](Self::dot_rows) of two queries.
    pub dot_rows_of_two: RowsOfTwo<f32, f32>,
    /// [`l2_squared_rows`](Self::l2_squared_rows) of two queries.
    pub l2_squared_rows_of_two: RowsOfTwo<f32, f32>,
    /// [`l1_rows`](Self::l1_rows) of two queries.
    pub l1_rows_of_two: RowsOfTwo<f32, f32>,
    /// [`dot`](Self::dot) of many pairs.
    pub dot_pairs: Pairs<f32, f32>,
    /// `(bytes, words)`: appends a word for each 64 bytes, or for the last ones, with a 1 for each byte that is not 0: bit i is byte i.
    pub pack_bits: fn(&[u8], &mut Vec<u64>),
    /// Inner products of bytes with many rows of them, exact for up to 65,535 values.
    pub dot_bytes: Rows<i8, i32>,
    /// Inner products of numbers of two bytes with rows of them in fours, as `in_fours` puts them; modulo 2^32. Panics unless the
    /// query has a multiple of 32 numbers, and there are results for a multiple of four rows.
    pub dot_shorts: fn(&[i16], &[i16], &mut [i32]),
    /// `(values, scale, out)`: the closest whole numbers to the values times the scale, and to what is beyond sixteen bits the
    /// ends: ±32,767.
    pub to_shorts: fn(&[f32], f32, &mut [i16]),
    /// `(means, keeps, rows, weights)`: each mean becomes `mean * keep` plus the rows times their weights, one fused in
    /// after the other. There is at least one row.
    pub blend: Blend,
    /// `(table, block, sums)`: for each of the 32 vectors of a block of 4-bit codes, the sum of what `table` has for
    /// them. The layout is in `scan.rs`. Panics unless both are equally long, 16 bytes a code, and the number of codes
    /// is a multiple of 4 and at most 256.
    pub lut_scan: fn(&[u8], &[u8], &mut [u16; BLOCK]),
    /// [`lut_scan`](Self::lut_scan) of as many consecutive blocks as there are results.
    pub lut_scan_blocks: fn(&[u8], &[u8], &mut [[u16; BLOCK]]),
    /// `(scan, estimates, lanes)`: returns how many of the vectors of all
    /// blocks have an estimate, `sum * scale + (base + bias)` with one rounding for the multiplication and the
    /// addition, below the threshold; puts these estimates and the vectors' numbers, ascending, at the front of
    /// `estimates` and `lanes`, and may write anything behind them. A bias of infinity keeps its vector out, and so
    /// does an estimate that is NaN. Panics where [`lut_scan`](Self::lut_scan) does, unless there are 32 biases for
    /// each block, and unless `estimates` and `lanes` are each as long as `biases`, or longer.
    pub lut_select: fn(&Scan<'_>, &mut [f32], &mut [u32]) -> usize,
    /// The estimates of the vectors of one block, each with factors of its own: (sum · scale + offset) · times + (base + added),
    /// with one rounding for each multiplication and the addition behind it. Returns a bit for each vector whose estimate is
    /// below the threshold. Panics where [`lut_scan`](Self::lut_scan) does.
    pub lut_scaled: fn(&Scaled<'_>, &mut [f32; BLOCK]) -> u32,
    /// `(words, ends, tile, codes, dots)`: for each of sixteen vectors, interleaved in `tile` (value d of vector r is
    /// `tile[d][r]`), and for each group of values, which end at `ends`, the number of the closest of the sixteen codewords
    /// whose values `words` holds; and the inner product of the vector with its codewords. Panics unless there are codes for
    /// each group and values for each word.
    pub lut_codes: Code,
    /// `(points, dim, tiles, out)`: the inner products of n points, one after the other, with rows in tiles of sixteen
    /// interleaved ones (value d of row r of a tile is at `16 * d + r`); `out` is n times as many results as there
    /// are rows. Each is summed from the first value to the last by fused multiply-adds. Tiles that begin at a
    /// multiple of 64 bytes are read up to twice as fast. Panics when the lengths do not belong together or `dim` is 0.
    pub tile_dots: fn(&[f32], usize, &[f32], &mut [f32]),
    /// `(near, out, below)`: for each vector of bytes and each row, dot · (unit · times) + (square + squares), with one rounding for the first
    /// multiplication and the last addition; the inner product is exact for up to 65,535 values. Of each vector and each tile there are sixteen in
    /// `out`, and bits in `below` for those that are less than the vector's threshold. Panics when the lengths do not belong together or the
    /// width is no multiple of 4.
    pub near_bytes: fn(&Near<'_>, &mut [f32], &mut [u16]),
    /// `(codewords, exact, addends)`: for each group of values, what each of the sixteen codewords adds to a sum, as a
    /// byte: the exact addends, which are left in `exact`, less the least of their group and in units of 1/255 of the
    /// widest range of a group. Returns what all groups' least addends come to, and the unit. Panics unless there are
    /// sixteen bytes for each group.
    pub lut_table: Tabulate,
}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernels").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The numbers of the bits that are set, as kernels say which lanes pass.
#[inline(always)]
pub(crate) fn set_bits(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(bit)
    })
}

/// Every table that this CPU can run, slowest first; `scalar` is always there.
pub(crate) fn available() -> Vec<&'static Kernels> {
    let mut tables = vec![scalar::kernels()];
    #[cfg(target_arch = "x86_64")]
    tables.extend([avx2::kernels(), avx512::kernels()].into_iter().flatten());
    #[cfg(target_arch = "aarch64")]
    tables.push(neon::kernels());
    tables
}

/// The fastest table of this CPU, found at the first call.
///
/// The environment variable `LINJIN_SIMD` (`scalar`, `avx2`, `avx512`, `neon`) asks for another one, to measure or to
/// rule out a kernel; a name that this CPU cannot run is passed over.
pub(crate) fn kernels() -> &'static Kernels {
    static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let tables = available();
        let wanted = std::env::var("LINJIN_SIMD").ok();
        let named = wanted.and_then(|name| tables.iter().find(|table| table.name == name).copied());
        named.or(tables.last().copied()).unwrap_or(scalar::kernels())
    })
}
