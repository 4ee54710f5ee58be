//! Files of the collection, opened below its folder and nowhere else.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// The folder of a collection, held open.
#[derive(Debug)]
pub(crate) struct Originals(Dir);

impl Originals {
    /// Holds `folder` open.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self(Dir::open_ambient_dir(folder, ambient_authority())?))
    }

    /// Opens the file at `path`, which is relative to the folder. Links that lead out of it are refused, and so is what is
    /// no plain file: a pipe would never end.
    pub(crate) fn file(&self, path: &Path) -> io::Result<File> {
        if !self.0.metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file any more"));
        }
        Ok(self.0.open(path)?.into_std())
    }
}
