//! A picture's look as a vector, without any model: colours, edges and texture.
//!
//! | file | part | values |
//! | --- | --- | --- |
//! | `colour.rs` | which colours lie where, on a grid of 6 x 6 | 108 |
//! | `colour.rs` | how much there is of each colour, wherever it lies | 20 |
//! | `edges.rs` | directions of edges on a grid of 6 x 6 | 324 |
//! | `texture.rs` | local binary patterns at two scales, in quarters and in all | 100 |
//!
//! Each part has length 1 and a weight; the weights' squares add up to 1, so that a cosine of two descriptors is the
//! weighted mean of the cosines of their parts.

mod colour;
mod edges;
mod texture;

use super::Embedder;
use crate::error::EmbedError;
use crate::pixels::{Pixels, Weighing};

/// The picture is described from so many pixels a side, whatever its proportions.
const SIDE: u32 = 96;
/// Cells of a grid a side.
const GRID: usize = 6;

/// Shares of the parts in a cosine, as measured on variants of photographs (crops, mirrored, turned, darker, blurred, with
/// noise): docs/images.md.
const LAYOUT: f32 = 0.25;
const COLOURS: f32 = 0.25;
const EDGES: f32 = 0.3;
const TEXTURE: f32 = 0.2;

/// The built-in descriptor. Needs no file, and some milliseconds a picture.
#[derive(Clone, Copy, Default, Debug)]
pub struct Descriptor;

impl Embedder for Descriptor {
    fn name(&self) -> &str {
        "descriptor-1"
    }

    fn dim(&self) -> usize {
        colour::LAYOUT + colour::COLOURS + edges::EDGES + texture::TEXTURE
    }

    fn picture(&self, pixels: &Pixels) -> Result<Vec<f32>, EmbedError> {
        let small = pixels.resized(SIDE, SIDE, Weighing::Bicubic);
        let luma = small.luma();
        let lab = colour::lab(&small);
        let mut vector = Vec::with_capacity(self.dim());
        append(&mut vector, colour::layout(&lab), LAYOUT);
        append(&mut vector, colour::colours(&lab), COLOURS);
        append(&mut vector, edges::edges(&luma), EDGES);
        append(&mut vector, texture::texture(&luma), TEXTURE);
        Ok(vector)
    }

    fn adapts(&self) -> bool {
        true
    }
}

/// Appends a part with the length that its share in a cosine asks for. A part that is zero (a picture without edges) is
/// spread evenly, so that two such pictures are alike in it.
fn append(vector: &mut Vec<f32>, part: Vec<f32>, share: f32) {
    let length = part.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 1e-6 {
        vector.extend(part.iter().map(|value| value / length * share.sqrt()));
    } else {
        let even = (share / part.len() as f32).sqrt();
        vector.extend(part.iter().map(|_| even));
    }
}
