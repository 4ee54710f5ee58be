//! The few calls by which bytes become durable; the disk.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::file::directory;

/// What a journal and a checkpoint ask of the operating system.
pub(crate) trait Storage: Debug + Send + Sync {
    /// An empty file to be written, in the place of whatever was there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Out>>;
    /// A file to be read.
    fn open(&self, path: &Path) -> io::Result<File>;
    /// Gives a file another name, in the place of whatever has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in the folder of `path` durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Changes are kept in memory up to so many bytes, then written, to be synced with the commit.
    fn worth_writing(&self) -> usize {
        1 << 20
    }
    /// A lock that this process alone has, until it drops the file or dies; `None` when another one has it.
    fn lock(&self, path: &Path) -> io::Result<Option<File>>;
}

/// A file that is written.
pub(crate) trait Out: Debug + Send {
    /// Writes some of `bytes` at byte `at`, and says how many.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize>;
    fn set_len(&mut self, len: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The operating system.
#[derive(Debug)]
pub(crate) struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Out>> {
        Ok(Box::new(OpenOptions::new().write(true).create(true).truncate(true).open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a folder cannot be opened, and a rename is durable by itself.
        if cfg!(unix) { File::open(directory(path))?.sync_all() } else { Ok(()) }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Out for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(at))?;
        self.write(bytes)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Writes all of `bytes` at byte `at`.
pub(super) fn write_all(out: &mut dyn Out, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write_at(at, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                at += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes what was written durable, however often the call is interrupted.
pub(super) fn sync(out: &mut dyn Out) -> io::Result<()> {
    loop {
        match out.sync() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A file written from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Stream {
    out: Box<dyn Out>,
    at: u64,
}

impl Stream {
    pub(crate) fn new(out: Box<dyn Out>) -> Self {
        Self { out, at: 0 }
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.at
    }

    /// Makes all of it durable.
    pub(crate) fn finish(mut self) -> io::Result<Box<dyn Out>> {
        sync(&mut *self.out)?;
        Ok(self.out)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write_at(self.at, bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
