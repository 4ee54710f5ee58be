//! The one source of randomness: seeded, and the same numbers on every machine.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A stream of numbers that its seeds determine.
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The stream number `stream` of a seed; different streams are independent.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(mix(seed, stream)))
    }

    /// A number in `0..n`; `n` must not be 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // The high half of a 128-bit product maps a uniform word onto 0..n; the bias is n / 2^64.
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Sixty-four random bits.
    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// `k` different numbers in `0..n`, in ascending order (Knuth's selection sampling, algorithm S).
    pub(crate) fn sample(&mut self, n: usize, k: usize) -> Vec<usize> {
        let mut taken = Vec::with_capacity(k);
        for i in 0..n {
            if self.below(n - i) < k - taken.len() {
                taken.push(i);
            }
        }
        taken
    }

    /// A number between -1 and 1.
    pub(crate) fn symmetric(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// A fair coin.
    pub(crate) fn flip(&mut self) -> bool {
        self.0.next_u64() >> 63 == 1
    }
}

/// Two numbers, stirred into one: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
