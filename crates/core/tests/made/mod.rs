//! Vectors for the tests.

#![allow(dead_code)] // each test uses a part of it

/// Values of a vector in a clump.
pub(crate) const DIM: usize = 160;
/// Enough of them for a graph to pay.
pub(crate) const N: usize = 20_000;
/// Vectors of a clump.
pub(crate) const CLUMP: usize = 10;

/// Numbers that look random, between -1 and 1.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Vectors in small clumps: most neighbours are close together, and the others are anywhere.
pub(crate) fn clumps(n: usize, seed: u64) -> Vec<f32> {
    let mut noise = noise(seed);
    let mut rows = Vec::with_capacity(n * DIM);
    for _ in 0..n / CLUMP {
        let centre: Vec<f32> = (0..DIM).map(|_| noise()).collect();
        for _ in 0..CLUMP {
            rows.extend(centre.iter().map(|value| value + 0.1 * noise()));
        }
    }
    rows
}

/// Vectors on a sheet of few directions, which `seed` does not turn, and of which each matters less than the one before.
pub(crate) fn sheet(n: usize, directions: usize, seed: u64) -> Vec<f32> {
    let (mut axis, mut noise) = (noise(1), noise(seed));
    let axes: Vec<f32> = (0..directions * DIM).map(|_| axis()).collect();
    let mut rows = Vec::with_capacity(n * DIM);
    for _ in 0..n {
        let place: Vec<f32> = (1..=directions).map(|d| noise() / (d as f32).sqrt()).collect();
        rows.extend((0..DIM).map(|d| {
            place.iter().zip(axes.chunks_exact(DIM)).map(|(along, axis)| along * axis[d]).sum::<f32>()
        }));
    }
    rows
}
