//! Texture: rotation-invariant uniform local binary patterns at two scales.

use super::SIDE;

/// Zero to eight neighbours lighter in one run, and patterns of several runs.
const PATTERNS: usize = 10;
/// The quarters of the picture, and all of it.
const PLACES: usize = 5;
/// Values of [`texture`].
pub(super) const TEXTURE: usize = 2 * PLACES * PATTERNS;

/// How often each pattern comes, as square roots: in each quarter and in all, in pixels and in blocks of 2 x 2.
pub(super) fn texture(luma: &[f32]) -> Vec<f32> {
    let side = SIDE as usize;
    let half = side / 2;
    let blocks: Vec<f32> = (0..half * half)
        .map(|at| {
            let first = at / half * 2 * side + at % half * 2;
            (luma[first] + luma[first + 1] + luma[first + side] + luma[first + side + 1]) / 4.0
        })
        .collect();
    [patterns(luma, side), patterns(&blocks, half)].concat()
}

/// The histograms at one scale.
fn patterns(luma: &[f32], side: usize) -> Vec<f32> {
    let mut bins = [0.0_f32; PLACES * PATTERNS];
    let around = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)];
    let steps = around.map(|(dx, dy): (isize, isize)| dy * side as isize + dx);
    for y in 1..side - 1 {
        for x in 1..side - 1 {
            let at = y * side + x;
            // A step of one grey level is noise of the file format.
            let threshold = luma[at] + 1.0;
            let lighter = steps.map(|step| luma[at.wrapping_add_signed(step)] > threshold);
            let changes = (0..8).filter(|&i| lighter[i] != lighter[(i + 1) % 8]).count();
            let pattern = if changes <= 2 { lighter.iter().filter(|&&is| is).count() } else { PATTERNS - 1 };
            let quarter = (y * 2 / side) * 2 + x * 2 / side;
            bins[quarter * PATTERNS + pattern] += 1.0;
            bins[4 * PATTERNS + pattern] += 1.0;
        }
    }
    bins.iter().map(|count| count.sqrt()).collect()
}
