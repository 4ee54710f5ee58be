//! Distance kernels for every instruction set, chosen once at run time.
//!
//! | file | duty |
//! | --- | --- |
//! | `scalar.rs` | the specification, and the fallback for any CPU |
//! | `lanes.rs` | the same sum, once for all vector instruction sets |
//! | `avx2.rs` | x86-64 with AVX2, FMA and POPCNT |
//! | `avx512.rs` | x86-64 with AVX-512F (and VPOPCNTDQ for bits) |
//! | `neon.rs` | AArch64 |
//! | `prefetch.rs` | a hint to the cache |
//! | `parity.rs` | test: every table equals the scalar one, bit for bit |
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
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod parity;
mod prefetch;
mod scalar;

use std::sync::OnceLock;

pub(crate) use prefetch::{prefetch, prefetch_many};

/// How many running sums a floating-point kernel keeps.
pub(crate) const LANES: usize = 16;

/// Sixty-four bits of a binary vector, as the eight bytes of a little-endian `u64`; so it needs no alignment.
pub type Word = [u8; 8];

/// One query against one vector.
type Pair<T, R> = fn(&[T], &[T]) -> R;
/// One query against many rows: `out[i]` belongs to `rows[i]`.
type Rows<T, R> = fn(&[T], &[&[T]], &mut [R]);

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
    /// `(mean, keep, rows, weight)`: `mean` becomes `mean * keep + weight * (sum of the rows)`, each row fused in.
    pub blend: fn(&mut [f32], f32, &[&[f32]], f32),
}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernels").field("name", &self.name).finish_non_exhaustive()
    }
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
