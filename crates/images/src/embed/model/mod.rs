//! Models in ONNX: a folder with a manifest and the files that it names. Nothing is ever fetched.
//!
//! | file | duty |
//! | --- | --- |
//! | `manifest.rs` | what a model is, and how its files are used |
//! | `tower.rs` | an ONNX file that gives vectors |
//! | `import.rs` | ONNX files into a folder with a manifest |
//! | `int8.rs` | products of an ONNX file in 8-bit whole numbers |
//! | `onnx.rs` | ONNX files as messages |

mod import;
mod int8;
mod manifest;
mod onnx;
mod tower;

use std::path::Path;

use tokenizers::Tokenizer;

use super::Embedder;
use crate::error::{EmbedError, ModelError};
use crate::pixels::{Pixels, Region, Weighing};
pub use import::Import;
pub use manifest::{Crop, Manifest, PictureTower, Pooling, Precision, TextTower, Tower};
use tower::Loaded;

/// A model that was loaded, on the CPU.
#[derive(Debug)]
pub struct Model {
    manifest: Manifest,
    /// Name and the beginning of the manifest's SHA-256, which changes with every file and every setting.
    name: String,
    picture: Loaded,
    text: Option<(Loaded, Tokenizer)>,
}

impl Model {
    /// Loads the model in a folder.
    ///
    /// # Errors
    ///
    /// There is no manifest or it cannot be used, a file is not the one that it tells of, or an ONNX file cannot be loaded.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let (manifest, name) = Manifest::read(folder)?;
        let open = |tower: &Tower| {
            let path = folder.join(&tower.file);
            manifest::check(&path, &tower.sha256)?;
            Loaded::open(&path, tower)
        };
        let picture = open(&manifest.picture.tower)?;
        let text = match &manifest.text {
            None => None,
            Some(text) => {
                let path = folder.join(&text.tokenizer);
                manifest::check(&path, &text.tokenizer_sha256)?;
                Some((open(&text.tower)?, tokenizer(&path)?))
            }
        };
        Ok(Self { manifest, name, picture, text })
    }

    /// What the model is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A vector, if it is one of the model's.
    fn checked(&self, vector: Result<Vec<f32>, String>) -> Result<Vec<f32>, EmbedError> {
        let vector = vector.map_err(|what| EmbedError::Run { model: self.name.clone(), what })?;
        if vector.len() == self.manifest.dim && vector.iter().all(|value| value.is_finite()) {
            return Ok(vector);
        }
        Err(EmbedError::Output {
            model: self.name.clone(),
            found: format!("{} values", vector.len()),
            expected: format!("{} finite values", self.manifest.dim),
        })
    }
}

impl Embedder for Model {
    fn name(&self) -> &str {
        &self.name
    }

    fn dim(&self) -> usize {
        self.manifest.dim
    }

    fn picture(&self, pixels: &Pixels) -> Result<Vec<f32>, EmbedError> {
        let tower = &self.manifest.picture;
        let values = prepared(pixels, tower);
        self.checked(self.picture.of_picture(values, tower.size as usize))
    }

    fn words(&self, words: &str) -> Result<Vec<f32>, EmbedError> {
        let (Some((text, tokenizer)), Some(tower)) = (&self.text, &self.manifest.text) else {
            return Err(EmbedError::NoWords { model: self.name.clone() });
        };
        let failed = |what: String| EmbedError::Run { model: self.name.clone(), what };
        let encoded = tokenizer.encode(words, true).map_err(|error| failed(error.to_string()))?;
        let mut tokens: Vec<i32> = encoded.get_ids().iter().map(|&id| id as i32).collect();
        if tokens.len() > tower.length {
            // The last token says that the text ends, and models read the vector there.
            let last = tokens[tokens.len() - 1];
            tokens.truncate(tower.length);
            tokens[tower.length - 1] = last;
        }
        let mut mask = vec![1; tokens.len()];
        tokens.resize(tower.length, tower.pad as i32);
        mask.resize(tower.length, 0);
        self.checked(text.of_tokens(tokens, mask))
    }

    fn knows_words(&self) -> bool {
        self.text.is_some()
    }

    fn adapts(&self) -> bool {
        self.manifest.adapts
    }
}

fn tokenizer(path: &Path) -> Result<Tokenizer, ModelError> {
    let mut tokenizer = Tokenizer::from_file(path)
        .map_err(|error| ModelError::Manifest { path: path.to_owned(), what: error.to_string() })?;
    // The manifest says how long a text is and what fills it up.
    tokenizer.with_padding(None);
    tokenizer
        .with_truncation(None)
        .map_err(|error| ModelError::Manifest { path: path.to_owned(), what: error.to_string() })?;
    Ok(tokenizer)
}

/// Red, then green, then blue values of the square that the model takes.
fn prepared(pixels: &Pixels, tower: &PictureTower) -> Vec<f32> {
    let square = match tower.crop {
        Crop::Squash => pixels.resized(tower.size, tower.size, Weighing::Bicubic),
        Crop::Centre => {
            let (width, height) = (pixels.width() as f32, pixels.height() as f32);
            // The share of each side that stays, in the middle.
            let (x, y) = ((height / width).min(1.0) / 2.0, (width / height).min(1.0) / 2.0);
            let middle = Region { left: 0.5 - x, top: 0.5 - y, right: 0.5 + x, bottom: 0.5 + y };
            pixels.crop(middle).resized(tower.size, tower.size, Weighing::Bicubic)
        }
    };
    let channel = |channel: usize| {
        let (mean, std) = (tower.mean[channel], tower.std[channel]);
        square
            .rgb()
            .iter()
            .skip(channel)
            .step_by(3)
            .map(move |&value| (f32::from(value) / 255.0 - mean) / std)
    };
    (0..3).flat_map(channel).collect()
}
