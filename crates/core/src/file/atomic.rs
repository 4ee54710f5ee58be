//! A file that appears whole or not at all: written beside its place, synced, renamed.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Zeros at least as long as this become a hole in the file instead of being written.
const HOLE: usize = 64 * 1024;

/// A file being written. Dropping it without [`commit`](Self::commit) leaves nothing behind.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
    len: u64,
}

impl AtomicFile {
    /// Starts a file that will take `path`'s place, whatever is there now.
    ///
    /// # Errors
    ///
    /// The directory does not exist or cannot be written to, or `path` names a directory or nothing.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        if path.file_name().is_none() {
            return Err(io::Error::from_raw_os_error(libc::ENOENT));
        }
        if path.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".linjin-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
        let temp = builder.tempfile_in(directory(path))?;
        Ok(Self { out: BufWriter::with_capacity(1 << 20, temp), path: path.to_owned(), len: 0 })
    }

    /// Everything that was written so far, to be looked at before the file takes its place.
    pub(crate) fn written(&mut self) -> io::Result<&File> {
        self.out.flush()?;
        let file = self.out.get_ref().as_file();
        file.set_len(self.len)?; // a hole at the end is not there until somebody says so
        Ok(file)
    }

    /// Puts the file in its place, durable.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        self.written()?.sync_all()?;
        let temp = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        temp.persist(&self.path)?;
        #[cfg(unix)]
        File::open(directory(&self.path))?.sync_all()?; // the new name is durable too
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if bytes.len() >= HOLE && bytes[..HOLE].iter().all(|&byte| byte == 0) {
            self.out.seek(SeekFrom::Current(HOLE as i64))?;
            HOLE
        } else {
            // At most one hole's length at a time, so that a hole inside a long write is seen.
            self.out.write(&bytes[..bytes.len().min(HOLE)])?
        };
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The directory that holds `path`.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
