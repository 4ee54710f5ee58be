//! Colours in CIELAB, in which equal distances look about equal: where they lie, and how much there is of each.

use std::sync::OnceLock;

use super::{GRID, SIDE};
use crate::pixels::Pixels;

/// Values of [`layout`]: lightness and two colour axes for each cell.
pub(super) const LAYOUT: usize = GRID * GRID * 3;
/// Values of [`colours`]: eight hues, pale and strong, and four greys.
pub(super) const COLOURS: usize = 20;

const HUES: usize = 8;
const GREYS: usize = 4;
/// Below this chroma a colour is taken for grey, above twice as much for pale, above `STRONG` for strong.
const GREY: f32 = 6.0;
const STRONG: f32 = 32.0;

/// Lightness (0 to 100) and the two colour axes of every pixel.
pub(super) fn lab(pixels: &Pixels) -> Vec<[f32; 3]> {
    static LINEAR: OnceLock<[f32; 256]> = OnceLock::new();
    let linear = LINEAR.get_or_init(|| {
        std::array::from_fn(|byte| {
            let value = byte as f32 / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    });
    let bend = |t: f32| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let pixel = |rgb: &[u8]| {
        let [r, g, b] = [0, 1, 2].map(|i| linear[usize::from(rgb[i])]);
        // sRGB to XYZ, by the white of D65.
        let x = bend((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = bend(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = bend((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    pixels.rgb().chunks_exact(3).map(pixel).collect()
}

/// The mean colour of each cell. Lightness is told relative to the picture's mean and at half its weight: the same
/// scene is often lighter or darker, and rarely of another colour.
pub(super) fn layout(lab: &[[f32; 3]]) -> Vec<f32> {
    let cell = SIDE as usize / GRID;
    let mut means = vec![0.0; LAYOUT];
    for (at, pixel) in lab.iter().enumerate() {
        let (x, y) = (at % SIDE as usize, at / SIDE as usize);
        let first = (y / cell * GRID + x / cell) * 3;
        for (mean, value) in means[first..first + 3].iter_mut().zip(pixel) {
            *mean += value / (cell * cell) as f32;
        }
    }
    let lightness = means.iter().step_by(3).sum::<f32>() / (GRID * GRID) as f32;
    for cell in means.chunks_exact_mut(3) {
        cell[0] = (cell[0] - lightness) * 0.5;
    }
    means
}

/// How much of the picture has each colour. Every pixel is shared out between the bins beside it, so that a small change
/// of colour is a small change here; square roots keep a large sky from hiding everything else.
pub(super) fn colours(lab: &[[f32; 3]]) -> Vec<f32> {
    let mut bins = [0.0_f32; COLOURS];
    for &[lightness, a, b] in lab {
        let chroma = a.hypot(b);
        let coloured = ((chroma - GREY) / GREY).clamp(0.0, 1.0);
        let strong = ((chroma - 2.0 * GREY) / (STRONG - 2.0 * GREY)).clamp(0.0, 1.0);
        if coloured > 0.0 {
            let hue = (b.atan2(a) / std::f32::consts::TAU).rem_euclid(1.0) * HUES as f32;
            for (bin, share) in beside(hue, HUES, true) {
                bins[bin] += coloured * share * (1.0 - strong);
                bins[HUES + bin] += coloured * share * strong;
            }
        }
        let level = (lightness / 100.0 * GREYS as f32 - 0.5).clamp(0.0, (GREYS - 1) as f32);
        for (bin, share) in beside(level, GREYS, false) {
            bins[2 * HUES + bin] += (1.0 - coloured) * share;
        }
    }
    bins.iter().map(|bin| bin.sqrt()).collect()
}

/// The two bins beside a place, with its share in each.
fn beside(place: f32, bins: usize, round: bool) -> [(usize, f32); 2] {
    let low = place.floor();
    let share = place - low;
    let low = low as usize;
    let high = if round { (low + 1) % bins } else { (low + 1).min(bins - 1) };
    [(low % bins, 1.0 - share), (high, share)]
}
