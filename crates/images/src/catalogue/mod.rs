//! The catalogue: which files there are, what they show, their vectors. One SQLite file, the only truth of a collection;
//! the index file is made of it.
//!
//! | file | duty |
//! | --- | --- |
//! | `schema.rs` | the tables, and the version they have |
//! | `write.rs` | what indexing changes |
//! | `read.rs` | what searches ask |
//! | `paths.rs` | paths as bytes |
//!
//! A *picture* is the contents of a file, known by their BLAKE3; any number of files may hold it. Its number is never
//! given to another, so that a number in an old index file means the same picture or none. Numbers that another process
//! may see are on the disk (`synchronous = FULL`) before an index file with them is.

mod paths;
mod read;
mod schema;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::error::CollectionError;
pub(crate) use read::{Active, KnownFile};
pub use read::{FileFacts, Filter, Listing, PictureFacts};
pub(crate) use write::{Batch, NewPicture, Outcome};

/// An open catalogue.
#[derive(Debug)]
pub(crate) struct Catalogue {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Catalogue {
    /// Opens the catalogue at `path`, or makes one if `create` says so.
    pub(crate) fn open(path: &Path, create: bool) -> Result<Self, CollectionError> {
        let failed = |error| CollectionError::Catalogue { path: path.to_owned(), error };
        let connection = schema::open(path, create).map_err(failed)?;
        let found = schema::version(&connection).map_err(failed)?;
        if found != schema::VERSION {
            let path = path.to_owned();
            return Err(CollectionError::Version { path, found, supported: schema::VERSION });
        }
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// Does something with the connection. A thread that panicked has left no transaction open: its guard rolled back.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CollectionError> {
        let mut connection: MutexGuard<'_, Connection> =
            self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut connection).map_err(|error| CollectionError::Catalogue { path: self.path.clone(), error })
    }
}

/// Floats as the bytes that are stored: little-endian.
fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Stored bytes as floats, appended.
fn append_floats(bytes: &[u8], values: &mut Vec<f32>) {
    let (groups, _) = bytes.as_chunks::<4>();
    values.extend(groups.iter().map(|group| f32::from_le_bytes(*group)));
}
