//! The methods of `Index` for files: save, open, verify, salvage.

use std::path::Path;

use super::durable::{self, Home, Reader};
use super::error::OpenError;
use super::opening::{self, Verify};
use super::verify::{self, Salvaged};
use super::{Index, Info, persist};
use crate::sync::Mutex;

impl Index {
    /// Writes the index into one file, beside its place first, so that the file is there whole or not at all. In the place of
    /// the file that the index is open for writing on, it is a commit and a checkpoint.
    ///
    /// # Errors
    ///
    /// The directory cannot be written to, or the disk is full; or the file there has a journal with commits, which would be
    /// lost with it. What was in the file's place is still there then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), OpenError> {
        durable::replace(&self.current.load(), &self.home, path.as_ref())
    }

    /// The index as the bytes that [`save`](Self::save) would write, for [`from_bytes`](Self::from_bytes).
    ///
    /// # Errors
    ///
    /// There is no memory for them, or the file under the index was cut short.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OpenError> {
        persist::to_bytes(&self.current.load())
    }

    /// The index that bytes of [`to_bytes`](Self::to_bytes) or of a file hold; they are copied, and every checksum is
    /// compared.
    ///
    /// # Errors
    ///
    /// As for [`verify`](Self::verify).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        Ok(Self::at_home(opening::from_bytes(bytes)?, Home::Memory))
    }

    /// Maps the file of an index: ready at once at any size, and its pages are shared with every process that has opened
    /// it. Changes stay in memory until the index is saved; [`open_writable`](Self::open_writable) makes them durable. The
    /// same as [`open_with`](Self::open_with) and [`Verify::Lazy`].
    ///
    /// Where somebody has the index open for writing, this is its last committed state, and [`refresh`](Self::refresh) moves
    /// on to later ones.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is no index of this version, or is damaged where it is read now. Damage elsewhere is an
    /// error of the first search, or of whatever else it is, that comes upon it, and of all later ones.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, Verify::Lazy)
    }

    /// Maps the file of an index, and says how much of it is compared with its checksums.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); with [`Verify::Full`], any damage.
    pub fn open_with(path: impl AsRef<Path>, verify: Verify) -> Result<Self, OpenError> {
        let (reader, version) = Reader::open(path.as_ref(), verify)?;
        Ok(Self::at_home(version, Home::File(Mutex::new(reader))))
    }

    /// Reads all of an index's file and compares its checksums: some gigabytes a second, or as fast as the disk is.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); damage is named by its section and the byte of the file.
    pub fn verify(path: impl AsRef<Path>) -> Result<Info, OpenError> {
        Ok(Info::of(&verify::verify(path.as_ref())?))
    }

    /// Makes a new index of those vectors of a damaged file that are as they were written, with their ids, and writes it to
    /// `to`. The file may have been cut short. Takes as long as a build, and memory for the vectors.
    ///
    /// # Errors
    ///
    /// The file's head is damaged, which says where everything is, or it is no index; or the new file was not written.
    pub fn salvage(path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Salvaged, OpenError> {
        verify::salvage(path.as_ref(), to.as_ref())
    }
}
