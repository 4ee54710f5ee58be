//! `linjin images model`: ONNX files brought in, and what there is.

use std::fs;
use std::io::Write;
use std::path::Path;

use linjin_images::{Crop, Embedder, Import, Model, Pooling, Precision};
use serde::Serialize;

use super::args::{self, ModelCommand, ModelImport};
use super::models;
use crate::failure::Failure;
use crate::output::json_line;

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    identity: &'a str,
    dim: usize,
    words: bool,
    precision: Precision,
    licence: &'a str,
    folder: &'a Path,
}

pub(super) fn run(command: &ModelCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        ModelCommand::Import(arguments) => import(arguments, out),
        ModelCommand::List(arguments) => list(arguments.json, out),
    }
}

fn import(arguments: &ModelImport, out: &mut dyn Write) -> Result<(), Failure> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let name = &arguments.name;
    if name == models::BUILT_IN || name.starts_with('.') || !name.chars().all(fits) {
        return Err(Failure::Usage(format!(
            "{name}: a name has letters, digits, dashes, dots and underscores, and is not {}",
            models::BUILT_IN
        )));
    }
    let usual = Import::new(name.as_str(), &arguments.source);
    let import = Import {
        licence: arguments.licence.clone().unwrap_or_default(),
        tensor: arguments.tensor.clone(),
        pooling: arguments.pooling.map(|pooling| match pooling {
            args::Pooling::None => Pooling::None,
            args::Pooling::First => Pooling::First,
            args::Pooling::Mean => Pooling::Mean,
        }),
        size: arguments.size,
        crop: match arguments.crop {
            args::Crop::Centre => Crop::Centre,
            args::Crop::Squash => Crop::Squash,
        },
        mean: arguments.mean.unwrap_or(usual.mean),
        std: arguments.std.unwrap_or(usual.std),
        precision: if arguments.int8 { Precision::Int8 } else { Precision::Float32 },
        ..usual
    };
    let folder = models::home()?.join(name);
    let model = import.into_folder(&folder).map_err(models::model)?;
    line(out, &model, &folder, arguments.json)
}

fn list(json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let home = models::home()?;
    let mut folders: Vec<_> = match fs::read_dir(&home) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Failure::io(&home, &error)),
    };
    folders.sort();
    for folder in &folders {
        match Model::load(folder) {
            Ok(model) => line(out, &model, folder, json)?,
            Err(error) if json => return Err(models::model(error)),
            Err(error) => writeln!(out, "{}: {error}", folder.display())?,
        }
    }
    if folders.is_empty() && !json {
        writeln!(out, "no models in {}; the built-in descriptor needs none", home.display())?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, model: &Model, folder: &Path, json: bool) -> Result<(), Failure> {
    let manifest = model.manifest();
    if json {
        let (name, licence) = (&manifest.name, &manifest.licence);
        let (identity, dim, words) = (model.name(), manifest.dim, model.knows_words());
        let precision = manifest.precision();
        return json_line(out, &Line { name, identity, dim, words, precision, licence, folder });
    }
    let takes = if model.knows_words() { "pictures and words" } else { "pictures" };
    let int8 = if manifest.precision() == Precision::Int8 { ", int8" } else { "" };
    let licence = if manifest.licence.is_empty() { "licence unknown" } else { &manifest.licence };
    writeln!(
        out,
        "{}: {} values, {takes}{int8}, {licence}, {}",
        manifest.name,
        manifest.dim,
        folder.display()
    )?;
    Ok(())
}
