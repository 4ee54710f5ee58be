//! A small copy of a picture, and whether two are copies of the same picture, however they lie.

use crate::pixels::{Orientation, Pixels, Weighing};

/// Pixels a side of the lightness.
const SIDE: usize = 32;
/// Pixels a side of the two colour axes.
const TINT: usize = 8;
/// Bytes of a signature.
pub(crate) const BYTES: usize = SIDE * SIDE + 2 * TINT * TINT;
/// Values of a sketch: the lightness on a grid of 12 x 12.
pub(crate) const SKETCH: usize = 12 * 12;

/// Below this deviation of the lightness (of 255) a picture has no shapes to compare.
const FLAT: f32 = 2.0;

/// Lightness on 32 x 32 pixels and colour on 8 x 8, whatever the picture's proportions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Signature(Vec<u8>);

impl Signature {
    /// Of a picture.
    pub(crate) fn of(pixels: &Pixels) -> Self {
        let small = pixels.resized(SIDE as u32, SIDE as u32, Weighing::Mean);
        let mut bytes: Vec<u8> = small.luma().iter().map(|value| value.round() as u8).collect();
        let tiny = small.resized(TINT as u32, TINT as u32, Weighing::Mean);
        let axis = |weights: [f32; 3]| {
            tiny.rgb().chunks_exact(3).map(move |rgb| {
                let value = (0..3).map(|i| weights[i] * f32::from(rgb[i])).sum::<f32>();
                (value + 128.0).clamp(0.0, 255.0).round() as u8
            })
        };
        bytes.extend(axis([-0.169, -0.331, 0.5]));
        bytes.extend(axis([0.5, -0.419, -0.081]));
        Self(bytes)
    }

    /// One that was stored.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == BYTES).then_some(Self(bytes))
    }

    /// To be stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn luma(&self, orientation: Orientation) -> Vec<f32> {
        turned(&self.0[..SIDE * SIDE], SIDE, orientation)
    }

    fn tints(&self, orientation: Orientation) -> [Vec<f32>; 2] {
        let (first, second) = self.0[SIDE * SIDE..].split_at(TINT * TINT);
        [turned(first, TINT, orientation), turned(second, TINT, orientation)]
    }

    /// Whether there are no shapes in it to compare: a plain colour, a blank page.
    pub(crate) fn is_flat(&self) -> bool {
        deviation(&self.luma(Orientation::Upright)) < FLAT
    }

    /// A coarse form of length 1, the picture turned so: copies have sketches with a small angle. For finding pairs to
    /// compare.
    pub(crate) fn sketch(&self, orientation: Orientation) -> Vec<f32> {
        let grid = 12;
        let luma = self.luma(orientation);
        let mut sums = vec![0.0; SKETCH];
        let mut counts = vec![0.0_f32; SKETCH];
        for (at, value) in luma.iter().enumerate() {
            let cell = (at / SIDE * grid / SIDE) * grid + at % SIDE * grid / SIDE;
            sums[cell] += value;
            counts[cell] += 1.0;
        }
        let mut sketch: Vec<f32> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
        standardise(&mut sketch);
        crate::space::unit(sketch)
    }
}

/// How two pictures are alike.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Match {
    /// How the second has to be turned to lie as the first.
    pub(crate) orientation: Orientation,
    /// From 0 to 1: the correlation of their lightness.
    pub(crate) similarity: f32,
}

/// Correlation of the lightness that copies reach, and of its fine part: what is left of a pixel without the mean
/// around it. Different pictures of one scene agree in the first and not in the second.
const COARSE: f32 = 0.96;
const FINE: f32 = 0.75;
/// Largest mean difference of the colours, of 255, by which copies differ; exposure changes colours as well.
const TINTS: f32 = 14.0;

/// Whether `b` is a copy of `a`: of another size, recompressed, lighter or darker, turned or mirrored. Pictures without
/// shapes are copies of nothing.
pub(crate) fn compare(a: &Signature, b: &Signature) -> Option<Match> {
    if a.is_flat() || b.is_flat() {
        return None;
    }
    let first = a.luma(Orientation::Upright);
    let first_fine = fine(&first);
    let first_tints = a.tints(Orientation::Upright);
    let candidates = Orientation::ALL.map(|orientation| {
        let second = b.luma(orientation);
        (correlation(&first, &second), orientation, second)
    });
    let (similarity, orientation, second) = candidates.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    if similarity < COARSE || correlation(&first_fine, &fine(&second)) < FINE {
        return None;
    }
    let tints = first_tints.into_iter().zip(b.tints(orientation));
    let apart = tints.flat_map(|(a, b)| a.into_iter().zip(b)).map(|(a, b)| (a - b).abs()).sum::<f32>();
    (apart / (2 * TINT * TINT) as f32 <= TINTS).then_some(Match { orientation, similarity })
}

/// The square with this side, turned.
fn turned(bytes: &[u8], side: usize, orientation: Orientation) -> Vec<f32> {
    let size = side as u32;
    (0..size * size)
        .map(|at| {
            let (x, y) = orientation.source(at % size, at / size, size, size);
            f32::from(bytes[(y * size + x) as usize])
        })
        .collect()
}

/// What is left without the mean of the 5 x 5 pixels around.
fn fine(luma: &[f32]) -> Vec<f32> {
    let reach = 2;
    (0..SIDE * SIDE)
        .map(|at| {
            let (x, y) = (at % SIDE, at / SIDE);
            let columns = x.saturating_sub(reach)..(x + reach + 1).min(SIDE);
            let rows = y.saturating_sub(reach)..(y + reach + 1).min(SIDE);
            let count = (columns.len() * rows.len()) as f32;
            let sum: f32 = rows
                .map(|y| luma[y * SIDE + columns.start..y * SIDE + columns.end].iter().sum::<f32>())
                .sum();
            luma[at] - sum / count
        })
        .collect()
}

fn deviation(values: &[f32]) -> f32 {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt()
}

fn standardise(values: &mut [f32]) {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter_mut().for_each(|value| *value -= mean);
}

/// Pearson's.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    standardise(&mut a);
    standardise(&mut b);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt().max(1e-6)
}
