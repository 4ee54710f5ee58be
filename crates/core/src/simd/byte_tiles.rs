//! Distances of many vectors of bytes from many rows in tiles: the layout and the specification.
//!
//! A tile is sixteen rows interleaved by fours of their values: value d of its row r is at `64 * (d / 4) + 4 * r + d % 4`. So one
//! instruction that adds up products of four bytes adds to the inner products of sixteen rows.

use super::LANES;

/// Values of a row that lie side by side.
pub(super) const FOUR: usize = 4;
/// Bytes of the fours of all rows of a tile.
pub(super) const STEP: usize = LANES * FOUR;

/// Values of vectors and of rows of `width` values, with zeros up to a multiple of four.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(FOUR)
}

/// Puts vectors of `width` values, padded, one behind the other behind those that are there.
pub(crate) fn to_points<'a>(rows: impl Iterator<Item = &'a [i8]>, width: usize, points: &mut Vec<i8>) {
    for row in rows {
        assert_eq!(row.len(), width);
        points.extend_from_slice(row);
        points.resize(points.len() + padded(width) - width, 0);
    }
}

/// Puts rows of `width` values, padded, into tiles, one behind the other behind those that are there; rows that a last tile lacks are zeros.
pub(crate) fn to_tiles<'a>(rows: impl ExactSizeIterator<Item = &'a [i8]>, width: usize, tiles: &mut Vec<i8>) {
    let (start, tile_len) = (tiles.len(), LANES * padded(width));
    tiles.resize(start + rows.len().div_ceil(LANES) * tile_len, 0);
    for (i, row) in rows.enumerate() {
        assert_eq!(row.len(), width);
        let tile = tiles[start + i / LANES * tile_len..][..tile_len].as_chunks_mut::<FOUR>().0;
        for (values, place) in row.chunks(FOUR).zip(tile[i % LANES..].iter_mut().step_by(LANES)) {
            place[..values.len()].copy_from_slice(values);
        }
    }
}

/// Vectors of bytes, and rows of them in tiles, to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Near<'a> {
    /// The vectors, one after the other.
    pub points: &'a [i8],
    /// Bytes of a vector and of a row, a multiple of four.
    pub width: usize,
    /// What is known of each vector.
    pub asking: &'a [Asking],
    /// The rows, as [`to_tiles`] puts them.
    pub tiles: &'a [i8],
    /// What a vector's inner product with each row is multiplied by.
    pub times: &'a [f32],
    /// What is added for each row.
    pub squares: &'a [f32],
}

/// What is known of a vector that is compared with rows.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// What its inner products are multiplied by.
    pub unit: f32,
    /// What is added.
    pub square: f32,
    /// Only what is less is wanted.
    pub threshold: f32,
}

/// Panics unless all lengths belong together; returns the number of vectors and of tiles.
pub(super) fn sizes(near: &Near<'_>, out: &[f32], below: &[u16]) -> (usize, usize) {
    let Near { points, width, asking, tiles, times, squares } = *near;
    assert!(width > 0 && width.is_multiple_of(FOUR) && tiles.len().is_multiple_of(LANES * width));
    let (n, count) = (asking.len(), tiles.len() / LANES / width);
    assert_eq!(n.checked_mul(width), Some(points.len()));
    assert!(times.len() == count * LANES && squares.len() == count * LANES);
    assert!(n.checked_mul(count) == Some(below.len()) && out.len() == below.len() * LANES);
    (n, count)
}

/// The specification.
#[inline(always)]
pub(super) fn near_bytes(near: &Near<'_>, out: &mut [f32], below: &mut [u16]) {
    let (_, count) = sizes(near, out, below);
    let width = near.width;
    for (i, (out, below)) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(below).enumerate() {
        let (point, tile) = (i / count, i % count);
        let mut sums = [0; LANES];
        let values = near.points[point * width..][..width].as_chunks::<FOUR>().0;
        let steps = near.tiles[tile * LANES * width..][..LANES * width].as_chunks::<STEP>().0;
        for (values, step) in values.iter().zip(steps) {
            for (sum, row) in sums.iter_mut().zip(step.as_chunks::<FOUR>().0) {
                *sum += values.iter().zip(row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>();
            }
        }
        let Asking { unit, square, threshold } = near.asking[point];
        *below = 0;
        for (lane, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
            let row = tile * LANES + lane;
            *out = (sum as f32).mul_add(unit * near.times[row], square + near.squares[row]);
            *below |= u16::from(*out < threshold) << lane;
        }
    }
}
