//! Paths, as the current folder sees them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Turns paths of a collection into paths that lead there from the current folder.
pub(super) struct Paths {
    folder: PathBuf,
    here: Option<PathBuf>,
}

impl Paths {
    /// For the pictures below `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
        Self { folder: folder.to_owned(), here }
    }

    /// Short where the picture lies below the current folder, else from the root.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        let whole = self.folder.join(path);
        match self.here.as_ref().and_then(|here| whole.strip_prefix(here).ok()) {
            Some(short) => short.to_owned(),
            None => whole,
        }
    }

    /// Writes a path, byte for byte, with `end` behind it.
    pub(super) fn write(&self, out: &mut dyn Write, path: &Path, end: u8) -> io::Result<()> {
        let path = self.path(path);
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            out.write_all(path.as_os_str().as_bytes())?;
        }
        #[cfg(not(unix))]
        out.write_all(path.to_string_lossy().as_bytes())?;
        out.write_all(&[end])
    }
}

/// What ends a path in a list of paths; `None` for other forms.
pub(super) fn end(form: &super::args::Form) -> Option<u8> {
    match form {
        form if form.null => Some(0),
        form if form.paths => Some(b'\n'),
        _ => None,
    }
}
