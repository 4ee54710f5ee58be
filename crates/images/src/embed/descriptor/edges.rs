//! Directions of edges on a grid: a histogram of oriented gradients.

use super::{GRID, SIDE};

const DIRECTIONS: usize = 9;
/// Values of [`edges`].
pub(super) const EDGES: usize = GRID * GRID * DIRECTIONS;

/// For each cell, how strong its edges are in each of nine directions. A cell is measured against those around it, so
/// that light and contrast fall out; square roots keep one long edge from hiding the rest.
pub(super) fn edges(luma: &[f32]) -> Vec<f32> {
    let side = SIDE as usize;
    let cell = side as f32 / GRID as f32;
    let mut bins = vec![0.0_f32; EDGES];
    for y in 1..side - 1 {
        for x in 1..side - 1 {
            let at = y * side + x;
            let (dx, dy) = (luma[at + 1] - luma[at - 1], luma[at + side] - luma[at - side]);
            let strength = dx.hypot(dy);
            if strength < 1.0 {
                continue;
            }
            let direction = (dy.atan2(dx) / std::f32::consts::PI).rem_euclid(1.0) * DIRECTIONS as f32;
            // Shared out between the cells and the directions beside it.
            let places = [x, y].map(|place| (place as f32 + 0.5) / cell - 0.5);
            for (row, down) in beside(places[1]) {
                for (column, across) in beside(places[0]) {
                    let first = (row * GRID + column) * DIRECTIONS;
                    let low = direction as usize;
                    let share = direction - low as f32;
                    let weight = strength * down * across;
                    bins[first + low % DIRECTIONS] += weight * (1.0 - share);
                    bins[first + (low + 1) % DIRECTIONS] += weight * share;
                }
            }
        }
    }
    let energy: Vec<f32> =
        bins.chunks_exact(DIRECTIONS).map(|cell| cell.iter().map(|bin| bin * bin).sum()).collect();
    let mean = energy.iter().sum::<f32>() / energy.len() as f32;
    for (cell, bins) in bins.chunks_exact_mut(DIRECTIONS).enumerate() {
        let (row, column) = (cell / GRID, cell % GRID);
        let rows = row.saturating_sub(1)..(row + 2).min(GRID);
        let around = rows
            .flat_map(|row| (column.saturating_sub(1)..(column + 2).min(GRID)).map(move |c| row * GRID + c));
        let (sum, count) = around.fold((0.0, 0.0), |(sum, count), at| (sum + energy[at], count + 1.0));
        // A tenth of the picture's mean keeps noise in a flat sky from looking like edges.
        let scale = (sum / count + 0.1 * mean).sqrt().max(1e-3);
        for bin in bins {
            *bin = (*bin / scale).sqrt();
        }
    }
    bins
}

/// The two cells beside a place, with its share in each; outside the picture there is none.
fn beside(place: f32) -> impl Iterator<Item = (usize, f32)> {
    let low = place.floor();
    let share = place - low;
    let inside = |cell: f32| (0.0..GRID as f32).contains(&cell);
    [(low, 1.0 - share), (low + 1.0, share)]
        .into_iter()
        .filter(move |&(cell, _)| inside(cell))
        .map(|(cell, share)| (cell as usize, share))
}
