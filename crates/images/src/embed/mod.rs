//! Vectors of pictures: the one trait, and what implements it.
//!
//! | file | duty |
//! | --- | --- |
//! | `descriptor/` | colours, edges and texture, without any model |
//! | `model/` | models in ONNX |

mod descriptor;
mod model;

use crate::error::EmbedError;
use crate::pixels::Pixels;
pub use descriptor::Descriptor;
pub use model::{Crop, Import, Manifest, Model, PictureTower, Pooling, Precision, TextTower, Tower};

/// Makes vectors of pictures, and of words where it knows any. Similar pictures have vectors with a small angle.
pub trait Embedder: Send + Sync {
    /// A name that changes whenever the vectors do: vectors under one name can be compared.
    fn name(&self) -> &str;

    /// Values in a vector.
    fn dim(&self) -> usize;

    /// The vector of a picture: [`dim`](Self::dim) finite values, of any length.
    ///
    /// # Errors
    ///
    /// The model did not run, or gave something else than a vector.
    fn picture(&self, pixels: &Pixels) -> Result<Vec<f32>, EmbedError>;

    /// The vector of words, to be compared with those of pictures.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoWords`] if the embedder knows pictures only; else as for [`picture`](Self::picture).
    fn words(&self, _words: &str) -> Result<Vec<f32>, EmbedError> {
        Err(EmbedError::NoWords { model: self.name().to_owned() })
    }

    /// Whether [`words`](Self::words) makes vectors.
    fn knows_words(&self) -> bool {
        false
    }

    /// Whether the vectors of a collection are to be centred and half-whitened: for embedders whose vectors all point
    /// into about the same direction.
    fn adapts(&self) -> bool {
        false
    }
}
