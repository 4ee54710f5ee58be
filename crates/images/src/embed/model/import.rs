//! ONNX files into a folder with a manifest.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::manifest::{
    self, Crop, FILE, FORMAT, Manifest, PictureTower, Pooling, Precision, TextTower, Tower, io_error,
};
use super::tower::Loaded;
use super::{Model, int8};
use crate::embed::Embedder;
use crate::error::ModelError;

const PICTURE: &str = "picture.onnx";
const TEXT: &str = "text.onnx";
const TOKENIZER: &str = "tokenizer.json";
/// Tokens of a text where no file says how many: those of CLIP.
const LENGTH: usize = 77;

/// What is imported, and what its file does not say.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    /// The model's name.
    pub name: String,
    /// An ONNX file that takes pictures; or a folder with `visual/model.onnx`, and for words `textual/model.onnx` and
    /// `textual/tokenizer.json`, as immich keeps CLIP models.
    pub source: PathBuf,
    /// Licence of the weights.
    pub licence: String,
    /// The tensor that holds the vector; without it, the first output.
    pub tensor: Option<String>,
    /// How the tensor becomes one vector; without it, the tensor itself or its first token, by its shape.
    pub pooling: Option<Pooling>,
    /// Pixels a side that the model takes.
    pub size: u32,
    /// How a picture of other proportions becomes a square.
    pub crop: Crop,
    /// Subtracted from red, green and blue of 0 to 1.
    pub mean: [f32; 3],
    /// What they are divided by then.
    pub std: [f32; 3],
    /// What products with constant weights are computed in. [`Precision::Int8`] is faster and gives vectors that differ a
    /// little; of two towers, one that has no such products stays as it is.
    pub precision: Precision,
}

impl Import {
    /// An import with the usual settings: 224 pixels, cut to a square, mean and deviation of ImageNet.
    pub fn new(name: impl Into<String>, source: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            source: source.into(),
            licence: String::new(),
            tensor: None,
            pooling: None,
            size: 224,
            crop: Crop::Centre,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            precision: Precision::Float32,
        }
    }

    /// Copies the files into `folder`, which is made, writes the manifest and loads the model. The model has to run once
    /// for the import to succeed; the folder appears whole or not at all.
    ///
    /// # Errors
    ///
    /// `folder` is there already, a file cannot be read or copied, the model does not run or gives no vector, or nothing of
    /// it can be computed in the precision that is asked for.
    pub fn into_folder(mut self, folder: &Path) -> Result<Model, ModelError> {
        if folder.exists() {
            let what = "there is a model already; remove the folder first, or choose another name".to_owned();
            return Err(ModelError::Manifest { path: folder.to_owned(), what });
        }
        let parent = folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io_error(parent))?;
        let beside =
            tempfile::Builder::new().prefix(".import-").tempdir_in(parent).map_err(io_error(parent))?;
        let text = if self.source.is_dir() { self.two_towers(beside.path())? } else { None };
        let visual =
            if self.source.is_dir() { self.source.join("visual/model.onnx") } else { self.source.clone() };
        let picture = self.tower(&visual, beside.path(), PICTURE, self.tensor.clone())?;
        let mut manifest = Manifest {
            format: FORMAT,
            name: self.name.clone(),
            licence: self.licence.clone(),
            dim: 0,
            adapts: text.is_none(),
            picture: PictureTower {
                tower: picture,
                size: self.size,
                crop: self.crop,
                mean: self.mean,
                std: self.std,
            },
            text,
        };
        if manifest.precision() != self.precision {
            let what = "no product with constant weights (MatMul or Gemm, in float32, inside the file) was found, and nothing \
                        else is computed in int8: import the model without int8";
            return Err(ModelError::Onnx { path: self.source, what: what.to_owned() });
        }
        manifest.dim = self.try_out(&mut manifest.picture, beside.path())?;
        let path = beside.path().join(FILE);
        let json = serde_json::to_string_pretty(&manifest)
            .map_err(|error| ModelError::Manifest { path: path.clone(), what: error.to_string() })?;
        fs::write(&path, json + "\n").map_err(io_error(&path))?;
        let model = Model::load(beside.path())?;
        if model.knows_words() {
            use crate::embed::Embedder;
            model.words("a picture").map_err(|error| ModelError::Onnx {
                path: self.source.clone(),
                what: format!("the text tower: {error}"),
            })?;
        }
        fs::rename(beside.keep(), folder).map_err(io_error(folder))?;
        Ok(model)
    }

    /// Copies a file, and describes it.
    fn tower(
        &self,
        from: &Path,
        folder: &Path,
        name: &str,
        tensor: Option<String>,
    ) -> Result<Tower, ModelError> {
        let to = folder.join(name);
        let whole = match self.precision {
            Precision::Float32 => None,
            Precision::Int8 => {
                let file = fs::read(from).map_err(io_error(from))?;
                int8::quantised(&file, tensor.as_deref())
                    .map_err(|what| ModelError::Onnx { path: from.to_owned(), what })?
            }
        };
        let precision = if whole.is_some() { Precision::Int8 } else { Precision::Float32 };
        match whole {
            Some(file) => fs::write(&to, file).map_err(io_error(&to))?,
            None => _ = fs::copy(from, &to).map_err(io_error(from))?,
        }
        let pooling = self.pooling.unwrap_or(Pooling::None);
        Ok(Tower { file: name.to_owned(), sha256: manifest::sha256(&to)?, tensor, pooling, precision })
    }

    /// Runs the model on a grey square to see what comes out: how it is pooled where nobody said, and how long it is.
    fn try_out(&self, picture: &mut PictureTower, folder: &Path) -> Result<usize, ModelError> {
        let path = folder.join(&picture.tower.file);
        let size = picture.size as usize;
        let run = |pooling| {
            let loaded = Loaded::open(&path, &Tower { pooling, ..picture.tower.clone() })?;
            Ok(loaded.of_picture(vec![0.0; 3 * size * size], size))
        };
        let poolings = match self.pooling {
            Some(pooling) => vec![pooling],
            None => vec![Pooling::None, Pooling::First],
        };
        let mut said = String::new();
        for pooling in poolings {
            match run(pooling)? {
                Ok(vector) => {
                    picture.tower.pooling = pooling;
                    return Ok(vector.len());
                }
                Err(what) => said = what,
            }
        }
        Err(ModelError::Onnx { path: self.source.clone(), what: format!("no vector came out: {said}") })
    }

    /// The text tower of a folder with two, and its settings in place of those of the import. A folder may have none.
    fn two_towers(&mut self, folder: &Path) -> Result<Option<TextTower>, ModelError> {
        let source = self.source.clone();
        if let Some(settings) = read::<Preprocess>(&source.join("visual/preprocess_cfg.json"))? {
            (self.mean, self.std) = (settings.mean, settings.std);
            self.size = match settings.size {
                Sides::One(side) | Sides::Two([side, _]) => side,
            };
            self.crop =
                if settings.resize_mode.as_deref() == Some("squash") { Crop::Squash } else { Crop::Centre };
        }
        let onnx = source.join("textual/model.onnx");
        if !onnx.is_file() {
            return Ok(None);
        }
        let config = read::<Config>(&source.join("config.json"))?.unwrap_or_default();
        let length = config.text_cfg.and_then(|text| text.context_length).unwrap_or(LENGTH);
        let tokenizer = folder.join(TOKENIZER);
        let from = source.join("textual").join(TOKENIZER);
        fs::copy(&from, &tokenizer).map_err(io_error(&from))?;
        let special = read::<Special>(&source.join("textual/tokenizer_config.json"))?.unwrap_or_default();
        let pad = match special.pad_token {
            None => 0,
            Some(Token::Name(name) | Token::Full { content: name }) => {
                super::tokenizer(&tokenizer)?.token_to_id(&name).ok_or_else(|| ModelError::Manifest {
                    path: from.clone(),
                    what: format!("the padding token {name:?} is not in the tokenizer"),
                })?
            }
        };
        let tower = self.tower(&onnx, folder, TEXT, None)?;
        let tokenizer_sha256 = manifest::sha256(&tokenizer)?;
        let tower = Tower { pooling: Pooling::None, ..tower };
        Ok(Some(TextTower { tower, tokenizer: TOKENIZER.to_owned(), tokenizer_sha256, length, pad }))
    }
}

/// `visual/preprocess_cfg.json`.
#[derive(Deserialize)]
struct Preprocess {
    size: Sides,
    mean: [f32; 3],
    std: [f32; 3],
    resize_mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Sides {
    One(u32),
    Two([u32; 2]),
}

/// `config.json`.
#[derive(Default, Deserialize)]
struct Config {
    text_cfg: Option<TextConfig>,
}

#[derive(Deserialize)]
struct TextConfig {
    context_length: Option<usize>,
}

/// `textual/tokenizer_config.json`.
#[derive(Default, Deserialize)]
struct Special {
    pad_token: Option<Token>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Name(String),
    Full { content: String },
}

/// A JSON file, if it is there.
fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, ModelError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(io_error(path))?;
    let parsed = serde_json::from_str(&text);
    parsed.map(Some).map_err(|error| ModelError::Manifest { path: path.to_owned(), what: error.to_string() })
}
