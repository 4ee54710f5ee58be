//! What indexing changes; each call is one transaction.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Catalogue, paths, to_bytes};
use crate::error::CollectionError;
use crate::space::Space;
use crate::walk::Found;

/// A picture that was looked at.
#[derive(Debug)]
pub(crate) struct NewPicture {
    pub(crate) hash: [u8; 32],
    pub(crate) format: &'static str,
    pub(crate) bytes: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) taken: Option<String>,
    pub(crate) camera: Option<String>,
    pub(crate) thumbnail: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) vector: Vec<f32>,
}

/// What became of a file.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It holds a picture that was embedded now.
    New(Box<NewPicture>),
    /// It holds the picture with this hash, which has its row and its vector already.
    Known([u8; 32]),
    /// It was refused.
    Failed(String),
}

/// Files with what became of them, to be written together.
pub(crate) type Batch = Vec<(Found, Outcome)>;

impl Catalogue {
    /// Sets a fact.
    pub(crate) fn set_folder(&self, folder: &Path) -> Result<(), CollectionError> {
        self.with(|connection| {
            connection
                .execute("INSERT OR REPLACE INTO meta VALUES ('folder', ?)", [paths::to_bytes(folder)])?;
            Ok(())
        })
    }

    /// The number of the model with this name.
    pub(crate) fn add_model(&self, name: &str, dim: usize) -> Result<i64, CollectionError> {
        self.with(|connection| {
            connection.execute(
                "INSERT OR IGNORE INTO model (name, dim) VALUES (?, ?)",
                params![name, dim as i64],
            )?;
            connection.query_row("SELECT id FROM model WHERE name = ?", [name], |row| row.get(0))
        })
    }

    /// Writes what became of some files. A picture's row, its vector and its files appear together or not at all.
    pub(crate) fn commit(&self, model: i64, batch: &Batch) -> Result<(), CollectionError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (found, outcome) in batch {
                let path = paths::to_bytes(&found.path);
                let (bytes, modified) = (found.bytes as i64, found.modified);
                let picture = match outcome {
                    Outcome::Failed(reason) => {
                        change.prepare_cached("DELETE FROM file WHERE path = ?")?.execute([&path])?;
                        change
                            .prepare_cached("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)")?
                            .execute(params![path, bytes, modified, reason])?;
                        continue;
                    }
                    Outcome::Known(hash) => change
                        .prepare_cached("SELECT id FROM picture WHERE hash = ?")?
                        .query_row([&hash[..]], |row| row.get(0))?,
                    Outcome::New(new) => insert(&change, model, new)?,
                };
                change.prepare_cached("DELETE FROM failure WHERE path = ?")?.execute([&path])?;
                change
                    .prepare_cached("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)")?
                    .execute(params![path, bytes, modified, picture])?;
            }
            if batch.iter().any(|(_, outcome)| matches!(outcome, Outcome::New(_))) {
                next_generation(&change)?;
            }
            change.commit()
        })
    }

    /// Forgets files that are gone, then pictures that no file holds any more. Returns how many pictures left.
    pub(crate) fn remove(&self, gone: &[PathBuf]) -> Result<usize, CollectionError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for path in gone {
                let path = paths::to_bytes(path);
                change.prepare_cached("DELETE FROM file WHERE path = ?")?.execute([&path])?;
                change.prepare_cached("DELETE FROM failure WHERE path = ?")?.execute([&path])?;
            }
            let left =
                change.execute("DELETE FROM picture WHERE id NOT IN (SELECT picture FROM file)", [])?;
            if left > 0 {
                next_generation(&change)?;
            }
            change.commit()?;
            Ok(left)
        })
    }

    /// Stores a space that nothing uses yet, and returns its number.
    pub(crate) fn add_space(&self, model: i64, space: &Space) -> Result<i64, CollectionError> {
        let (centre, axes) = space.parts();
        self.with(|connection| {
            connection.execute(
                "INSERT INTO space (model, fitted, random_pair, centre, axes) VALUES (?, ?, ?, ?, ?)",
                params![model, space.fitted as i64, space.random_pair, to_bytes(centre), to_bytes(axes)],
            )?;
            Ok(connection.last_insert_rowid())
        })
    }

    /// From here on searches use this model, space and index file, which is in its place already. Vectors of other models
    /// and other spaces leave.
    pub(crate) fn publish(
        &self,
        model: i64,
        space: i64,
        file: &str,
        generation: i64,
    ) -> Result<(), CollectionError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let set = "INSERT OR REPLACE INTO meta VALUES (?, ?)";
            change.execute(set, params!["model", model])?;
            change.execute(set, params!["space", space])?;
            change.execute(set, params!["index_file", file])?;
            change.execute(set, params!["index_generation", generation])?;
            change.execute("DELETE FROM vector WHERE model <> ?", [model])?;
            change.execute("DELETE FROM space WHERE id <> ?", [space])?;
            change.execute("DELETE FROM model WHERE id <> ?", [model])?;
            change.commit()
        })
    }
}

/// Adds a picture, or gives one that is there already a vector of another model.
fn insert(change: &Transaction<'_>, model: i64, new: &NewPicture) -> rusqlite::Result<i64> {
    let known: Option<i64> = change
        .prepare_cached("SELECT id FROM picture WHERE hash = ?")?
        .query_row([&new.hash[..]], |row| row.get(0))
        .optional()?;
    let picture = match known {
        Some(picture) => picture,
        None => {
            change
                .prepare_cached(
                    "INSERT INTO picture (hash, format, bytes, width, height, taken, camera)
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    &new.hash[..],
                    new.format,
                    new.bytes as i64,
                    new.width,
                    new.height,
                    new.taken,
                    new.camera
                ])?;
            let picture = change.last_insert_rowid();
            change
                .prepare_cached("INSERT INTO thumbnail VALUES (?, ?)")?
                .execute(params![picture, new.thumbnail])?;
            change
                .prepare_cached("INSERT INTO signature VALUES (?, ?)")?
                .execute(params![picture, new.signature])?;
            picture
        }
    };
    change
        .prepare_cached("INSERT OR REPLACE INTO vector (picture, model, value) VALUES (?, ?, ?)")?
        .execute(params![picture, model, to_bytes(&new.vector)])?;
    Ok(picture)
}

fn next_generation(change: &Transaction<'_>) -> rusqlite::Result<()> {
    change.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'", [])?;
    Ok(())
}
