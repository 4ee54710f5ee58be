//! What there is to look through: pictures by age, and the folders that they lie in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;
use std::{fs, io};

use super::handle::{CATALOGUE, Collection};
use crate::catalogue::{Filter, Listing};
use crate::error::CollectionError;

impl Collection {
    /// Pictures that fit `filter`, the youngest first by the camera's date, else the file's: `limit` of them behind the
    /// first `offset`, and how many there are. Reads all that fit: about 0.2 s for 100,000.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn list(&self, filter: &Filter, offset: u64, limit: u64) -> Result<Listing, CollectionError> {
        self.catalogue.list(filter, offset, limit)
    }

    /// Folders with pictures in them or below them, named from the folder of the collection, and how many files these are.
    /// By name; the folder of the collection itself is left out.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn folders(&self) -> Result<Vec<(PathBuf, u64)>, CollectionError> {
        let mut folders: BTreeMap<PathBuf, u64> = BTreeMap::new();
        for path in self.catalogue.paths()? {
            for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
                match folders.get_mut(folder) {
                    Some(files) => *files += 1,
                    None => _ = folders.insert(folder.to_owned(), 1),
                }
            }
        }
        Ok(folders.into_iter().collect())
    }

    /// When the collection's catalogue was made, in nanoseconds since 1970, as far as the file system knows: another
    /// collection in the same place has another.
    ///
    /// # Errors
    ///
    /// The catalogue is gone.
    pub fn born(&self) -> io::Result<u128> {
        let facts = fs::metadata(self.data.join(CATALOGUE))?;
        let born = facts.created().unwrap_or(UNIX_EPOCH);
        Ok(born.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()))
    }

    /// A number that grows with each change of the collection's pictures, by this process or another.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn generation(&self) -> Result<u64, CollectionError> {
        Ok(self.catalogue.generation()?.unsigned_abs())
    }
}
