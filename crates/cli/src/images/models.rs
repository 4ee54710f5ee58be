//! Where models lie, and which one a collection wants.

use std::env;
use std::path::{Path, PathBuf};

use linjin_images::error::ModelError;
use linjin_images::{Collection, Descriptor, Embedder, Model};

use super::failed;
use crate::failure::Failure;

/// What needs no model is called this.
pub(super) const BUILT_IN: &str = "descriptor";

/// The folder of models: `$LINJIN_MODELS`, else `linjin/models` where the system keeps data of programs.
pub(super) fn home() -> Result<PathBuf, Failure> {
    if let Some(folder) = env::var_os("LINJIN_MODELS").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let data = if cfg!(windows) {
        env::var_os("LOCALAPPDATA").map(PathBuf::from)
    } else {
        let own = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        own.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))
    };
    data.map(|data| data.join("linjin/models"))
        .ok_or_else(|| Failure::Run("no folder for models: set LINJIN_MODELS to one".to_owned()))
}

/// The model that was named: `descriptor`, one of the folder of models, or a folder.
pub(crate) fn named(name: &str) -> Result<Box<dyn Embedder>, Failure> {
    if name == BUILT_IN {
        return Ok(Box::new(Descriptor));
    }
    let kept = home()?.join(name);
    let folder = if kept.is_dir() { kept.as_path() } else { Path::new(name) };
    if !folder.is_dir() {
        return Err(Failure::Run(format!(
            "no model is called {name}; `linjin images model list` shows all, `linjin images model import` brings more"
        )));
    }
    Ok(Box::new(Model::load(folder).map_err(model)?))
}

/// The model that a collection was indexed with; the built-in descriptor for a new collection.
pub(crate) fn of(pictures: &Collection) -> Result<Box<dyn Embedder>, Failure> {
    let Some(wanted) = pictures.model().map_err(failed)? else { return Ok(Box::new(Descriptor)) };
    if wanted == Descriptor.name() {
        return Ok(Box::new(Descriptor));
    }
    let found = named(wanted.split('@').next().unwrap_or_default())?;
    if found.name() == wanted {
        return Ok(found);
    }
    Err(Failure::Run(format!(
        "the collection was indexed with {wanted}, and the model at hand is {}; `linjin images index --model NAME` \
         indexes it with another",
        found.name()
    )))
}

/// A model was not loaded or imported.
pub(super) fn model(error: ModelError) -> Failure {
    match error {
        ModelError::Io { .. } => Failure::Run(error.to_string()),
        other => Failure::File(other.to_string()),
    }
}
