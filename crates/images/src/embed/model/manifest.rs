//! The manifest of a model: a JSON file beside its ONNX files that says what they are and how they are used.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ModelError;

/// The manifest's name in the folder of a model.
pub(super) const FILE: &str = "manifest.json";
/// Changes when the meaning of a field does.
pub(super) const FORMAT: u32 = 1;

/// What a model is, and how its files are used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the manifest: 1.
    pub format: u32,
    /// The model's name, also of its folder.
    pub name: String,
    /// Licence of the weights, as its owner writes it; empty where nobody said.
    pub licence: String,
    /// Values in a vector.
    pub dim: usize,
    /// Whether vectors are centred and half-whitened on the pictures of a collection. Not for models with a text tower:
    /// words lie elsewhere than pictures.
    pub adapts: bool,
    /// The part that takes pictures.
    pub picture: PictureTower,
    /// The part that takes words, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextTower>,
}

/// The part of a model that takes pictures: floats of the shape (1, 3, size, size).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureTower {
    /// The ONNX file and its output.
    #[serde(flatten)]
    pub tower: Tower,
    /// Pixels a side that the model takes.
    pub size: u32,
    /// How a picture of other proportions becomes a square.
    pub crop: Crop,
    /// Subtracted from red, green and blue of 0 to 1.
    pub mean: [f32; 3],
    /// What they are divided by then.
    pub std: [f32; 3],
}

/// The part of a model that takes words: token numbers of the shape (1, length).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextTower {
    /// The ONNX file and its output.
    #[serde(flatten)]
    pub tower: Tower,
    /// The tokenizer, a file of Hugging Face's tokenizers.
    pub tokenizer: String,
    /// SHA-256 of the tokenizer's file.
    pub tokenizer_sha256: String,
    /// Tokens that the model takes; fewer are filled up.
    pub length: usize,
    /// The token that fills up.
    pub pad: u32,
}

/// An ONNX file and its output.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tower {
    /// The file's name in the model's folder.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The tensor that holds the vector, an output or one inside; without it, the first output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// How the tensor becomes one vector.
    pub pooling: Pooling,
    /// What the products with its weights are computed in.
    #[serde(default, skip_serializing_if = "Precision::is_float32")]
    pub precision: Precision,
}

/// What the products with a model's weights are computed in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Floats of 32 bits, as in the file that was imported.
    #[default]
    Float32,
    /// Whole numbers of 8 bits, into which the weights were turned by the import.
    Int8,
}

impl Precision {
    /// Manifests do not say what goes without saying.
    fn is_float32(&self) -> bool {
        *self == Self::Float32
    }
}

/// How a picture of other proportions becomes a square.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// The shorter side is made to fit, the longer one cut at both ends.
    Centre,
    /// Both sides are made to fit.
    Squash,
}

/// How a tensor of the shape (1, tokens, dim) becomes a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// It has the shape (1, dim) and is the vector.
    None,
    /// The first token, which stands for all (CLS).
    First,
    /// The mean of all tokens.
    Mean,
}

impl Manifest {
    /// What products are computed in: whole numbers if those of one tower are.
    pub fn precision(&self) -> Precision {
        let mut towers = [&self.picture.tower].into_iter().chain(self.text.iter().map(|text| &text.tower));
        towers.find(|tower| !tower.precision.is_float32()).map_or(Precision::Float32, |tower| tower.precision)
    }

    /// Reads and checks the manifest in a model's folder. Also returns the first half of a name that changes with it.
    pub(super) fn read(folder: &Path) -> Result<(Self, String), ModelError> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(io_error(&path))?;
        let refused = |what: String| ModelError::Manifest { path: path.clone(), what };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        if manifest.format != FORMAT {
            let found = manifest.format;
            return Err(refused(format!(
                "format {found} was found, this linjin reads {FORMAT}: upgrade linjin"
            )));
        }
        let picture = &manifest.picture;
        let sound = (1..=65_535).contains(&manifest.dim)
            && (1..=2048).contains(&picture.size)
            && picture.std.iter().all(|value| value.is_finite() && *value > 0.0)
            && picture.mean.iter().all(|value| value.is_finite())
            && manifest.text.as_ref().is_none_or(|text| (1..=4096).contains(&text.length));
        if !sound {
            return Err(refused("dim, size, mean, std or length is out of range".to_owned()));
        }
        // Files lie in the folder and nowhere else.
        let text_files = manifest.text.iter().flat_map(|text| [&text.tower.file, &text.tokenizer]);
        for file in [&picture.tower.file].into_iter().chain(text_files) {
            if Path::new(file).file_name() != Some(file.as_ref()) {
                return Err(refused(format!("{file}: the name of a file in the same folder was expected")));
            }
        }
        let digest = hex(&Sha256::digest(text.as_bytes()));
        let name = format!("{}@{}", manifest.name, &digest[..12]);
        Ok((manifest, name))
    }
}

/// The SHA-256 of a file in hexadecimal.
pub(super) fn sha256(path: &Path) -> Result<String, ModelError> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path).map_err(io_error(path))?;
    io::copy(&mut file, &mut hasher).map_err(io_error(path))?;
    Ok(hex(&hasher.finalize()))
}

/// Whether a file is the one that the manifest tells of.
pub(super) fn check(path: &Path, expected: &str) -> Result<(), ModelError> {
    let found = sha256(path)?;
    if found == expected {
        Ok(())
    } else {
        Err(ModelError::Changed { path: path.to_owned(), found, expected: expected.to_owned() })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error of the operating system, with the file's name.
pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ModelError {
    move |error| ModelError::Io { path: path.to_owned(), error }
}
