//! Inner products of many points with many rows in tiles: the layout and the specification.
//!
//! A tile is sixteen rows interleaved: value d of its row r is at `16 * d + r`. So sixteen inner products with one
//! point grow in one register, each in the plain order of its values, by fused multiply-adds from 0.

use super::LANES;

/// Panics unless all lengths belong together; returns the number of points and of tiles.
pub(super) fn sizes(points: &[f32], dim: usize, tiles: &[f32], out: &[f32]) -> (usize, usize) {
    assert!(dim > 0 && points.len().is_multiple_of(dim));
    assert!(tiles.len().is_multiple_of(LANES) && (tiles.len() / LANES).is_multiple_of(dim));
    let (n, count) = (points.len() / dim, tiles.len() / LANES / dim);
    assert_eq!(n.checked_mul(count * LANES), Some(out.len()));
    (n, count)
}

/// The specification.
pub(super) fn tile_dots(points: &[f32], dim: usize, tiles: &[f32], out: &mut [f32]) {
    let (_, count) = sizes(points, dim, tiles, out);
    if count == 0 {
        return;
    }
    for (point, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(count * LANES)) {
        let tiles = tiles.as_chunks::<LANES>().0.chunks_exact(dim);
        for (tile, sums) in tiles.zip(out.as_chunks_mut::<LANES>().0) {
            *sums = [0.0; LANES];
            for (&value, row_values) in point.iter().zip(tile) {
                for (sum, &row_value) in sums.iter_mut().zip(row_values) {
                    *sum = value.mul_add(row_value, *sum);
                }
            }
        }
    }
}
