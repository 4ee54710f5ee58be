//! The index file. It is made of the catalogue and can be made again: a file that is older than the catalogue is brought
//! up to date in memory, and a damaged or missing one is rebuilt.
//!
//! The name of the file carries the space of its vectors and the generation of the catalogue that it was made of. A file
//! is written before the catalogue names it and removed after the catalogue names another, so that a crash at any moment
//! leaves a catalogue that names a file which is there, or one that is rebuilt.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use linjin::index::error::{OpenError, SearchError, UpdateError};
use linjin::index::{Add, Index, Metric};

use super::handle::{Collection, io};
use crate::catalogue::{Active, Catalogue};
use crate::error::CollectionError;
use crate::space::{self, Space};

/// Vectors that are taken from the catalogue and added at a time.
const CHUNK: usize = 4096;
/// A reader finds the file gone as often as this only if somebody publishes all the time.
const TRIES: usize = 20;

/// The index in memory, in step with a generation of the catalogue.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) index: Index,
    pub(super) space: Space,
    pub(super) space_id: i64,
    pub(super) model: i64,
    pub(super) model_name: String,
    generation: i64,
}

impl Collection {
    /// The index as the catalogue is now.
    pub(super) fn loaded(&self) -> Result<Arc<Loaded>, CollectionError> {
        let mut slot = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = slot.as_ref()
            && loaded.generation == self.catalogue.generation()?
            && Some(loaded.space_id) == self.catalogue.active_space()?
        {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(load(&self.catalogue, &self.data)?);
        *slot = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Fits the space anew if the collection has outgrown it, writes the index file and lets searches use it.
    pub(super) fn publish(&self, model: i64, dim: usize, adapts: bool) -> Result<(), CollectionError> {
        let (ids, generation) = self.catalogue.ids(model)?;
        let current = self.catalogue.active()?.filter(|active| active.model == model);
        let current = current.filter(|active| !Space::is_outgrown(active.space.fitted, ids.len()));
        let (index, space_id) = match current {
            Some(active)
                if active.index_generation == generation && self.data.join(&active.index_file).exists() =>
            {
                return Ok(());
            }
            Some(active) => (open(&self.catalogue, &self.data, &active)?.0, active.space_id),
            None => {
                let step = ids.len().div_ceil(space::MOST).max(1);
                let sample: Vec<u64> = ids.iter().copied().step_by(step).collect();
                let (_, rows) = self.catalogue.vectors(model, &sample)?;
                let space = Space::fit(&rows, dim, ids.len(), adapts);
                let space_id = self.catalogue.add_space(model, &space)?;
                let index = empty(&space, &self.data)?;
                reconcile(&self.catalogue, &index, &space, model, &self.data)?;
                (index, space_id)
            }
        };
        let file = format!("vectors-{space_id}-{generation}.linjin");
        let path = self.data.join(&file);
        index.save(&path).map_err(|error| unusable(&path, &error))?;
        self.catalogue.publish(model, space_id, &file, generation)?;
        for entry in fs::read_dir(&self.data).map_err(io(&self.data))?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("vectors-") && name.ends_with(".linjin") && name != file {
                // One that stays for now (another system has it open) goes the next time.
                _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

/// The index that the catalogue names.
fn load(catalogue: &Catalogue, data: &Path) -> Result<Loaded, CollectionError> {
    for _ in 0..TRIES {
        let Some(active) = catalogue.active()? else {
            return Err(CollectionError::NotIndexed);
        };
        let (index, generation) = open(catalogue, data, &active)?;
        // Published anew meanwhile: vectors of the old model may have left in between.
        if catalogue.active_space()? == Some(active.space_id) {
            return Ok(Loaded {
                index,
                space: active.space,
                space_id: active.space_id,
                model: active.model,
                model_name: active.model_name,
                generation,
            });
        }
    }
    Err(CollectionError::Query("the collection changes all the time; try again".to_owned()))
}

/// Opens the file of the space, and brings the index up to date. Returns the generation that it has then.
fn open(catalogue: &Catalogue, data: &Path, active: &Active) -> Result<(Index, i64), CollectionError> {
    let path = data.join(&active.index_file);
    let opened = match Index::open(&path) {
        Ok(index) if index.dim() == active.space.dim() && index.metric() == Metric::Cosine => Some(index),
        Ok(_) | Err(OpenError::Foreign { .. } | OpenError::Damaged { .. }) => None,
        Err(OpenError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(other) => return Err(unusable(&path, &other)),
    };
    match opened {
        Some(index) if active.index_generation == active.generation => Ok((index, active.generation)),
        Some(index) => {
            let generation = reconcile(catalogue, &index, &active.space, active.model, data)?;
            Ok((index, generation))
        }
        None => {
            let index = empty(&active.space, data)?;
            let generation = reconcile(catalogue, &index, &active.space, active.model, data)?;
            Ok((index, generation))
        }
    }
}

fn empty(space: &Space, data: &Path) -> Result<Index, CollectionError> {
    Index::new(space.dim(), Metric::Cosine).map_err(|error| unusable(data, &error))
}

/// Adds what the catalogue has and the index has not, and removes what the catalogue has no more. A picture's number
/// never gets another vector in one space, so numbers are all that is compared. Returns the generation of the catalogue.
fn reconcile(
    catalogue: &Catalogue,
    index: &Index,
    space: &Space,
    model: i64,
    data: &Path,
) -> Result<i64, CollectionError> {
    let (wanted, generation) = catalogue.ids(model)?;
    let has = index.ids().map_err(|error| unanswered(data, &error))?;
    let without = |these: &[u64], those: &[u64]| -> Vec<u64> {
        these.iter().copied().filter(|id| those.binary_search(id).is_err()).collect()
    };
    let failed = |error: UpdateError| unusable(data, &error);
    index.remove(&without(&has, &wanted)).map_err(failed)?;
    for ids in without(&wanted, &has).chunks(CHUNK) {
        let (ids, values) = catalogue.vectors(model, ids)?;
        let width = if ids.is_empty() { 1 } else { values.len() / ids.len() };
        let rows: Vec<f32> = values.chunks_exact(width).flat_map(|row| space.apply(row)).collect();
        index.add(&rows, Some(&ids), &Add::default()).map_err(failed)?;
    }
    Ok(generation)
}

/// The index cannot be used, and why.
pub(super) fn unusable(path: &Path, error: &dyn std::fmt::Display) -> CollectionError {
    CollectionError::Index { path: path.to_owned(), what: error.to_string() }
}

/// A search that the index refused.
pub(super) fn unanswered(path: &Path, error: &SearchError) -> CollectionError {
    unusable(path, error)
}
