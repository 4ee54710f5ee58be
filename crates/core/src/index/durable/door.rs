//! The methods of `Index`: open for writing, commit, roll back, checkpoint, close, refresh.

use std::path::Path;
use std::sync::Arc;

use super::home::{Home, lock};
use super::load::{journal_of, load, lock_of};
use super::writer::Writer;
use crate::index::Index;
use crate::index::error::{BuildError, CommitError, OpenError};
use crate::index::opening::Verify;
use crate::index::options::Writing;
use crate::index::persist;
use crate::index::version::Version;
use crate::journal::{Disk, Storage};

impl Index {
    /// Opens the index in `path` to change it durably; or makes it, with [`Writing::create`].
    ///
    /// Changes are searched at once, as always. They are durable after [`commit`](Self::commit): from then on they are there
    /// whatever happens to the process or to the power. What was not committed is gone with the process. One may write at a
    /// time, in any process; any number read, and move on with [`refresh`](Self::refresh).
    ///
    /// Beside the file lie `path-journal`, with what was committed since the file was written, and `path-lock`.
    /// When the journal is large it is folded into the file in the background ([`Writing::checkpoint`]).
    ///
    /// After a crash this gives the last committed state; [`Info::recovered`](super::super::Info::recovered) tells of it.
    ///
    /// # Errors
    ///
    /// [`OpenError::Locked`] at once, when there is a writer; as for [`open`](Self::open) otherwise, and if nothing can be
    /// written there.
    ///
    /// ```
    /// use linjin::index::{Add, Index, Metric, Writing};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("items.linjin");
    /// let options = Writing { create: Some((2, Metric::Euclidean)), ..Writing::default() };
    /// let index = Index::open_writable(&path, &options)?;
    /// index.add(&[2.0, 2.0, 3.0, 3.0], None, &Add::default())?;
    /// assert_eq!(index.commit()?, 1);
    /// index.remove(&[0])?; // not committed
    /// drop(index);
    ///
    /// assert_eq!(Index::open(&path)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_writable(path: impl AsRef<Path>, options: &Writing) -> Result<Self, OpenError> {
        Self::open_writable_on(Arc::new(Disk), path.as_ref(), options)
    }

    pub(super) fn open_writable_on(
        storage: Arc<dyn Storage>,
        path: &Path,
        options: &Writing,
    ) -> Result<Self, OpenError> {
        if let Some((dim, metric)) = options.create {
            Self::new(dim, metric).map_err(|BuildError::Dimension { dim }| OpenError::Dimension { dim })?;
        }
        let (writer, version) = Writer::open(storage, path, options)?;
        Ok(Self::at_home(version, Home::Writable(writer)))
    }

    /// Makes all changes so far durable, as a whole, and returns the number of the commit: the index's
    /// [generation](super::super::Info::generation). Costs as much as writing the changes and one sync of a file; without
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// The index was not opened for writing, or was closed. With [`CommitError::Io`], as on a full disk, the changes are
    /// there still and can be committed again; with [`CommitError::Failed`] nothing can, and the index has to be opened
    /// anew.
    pub fn commit(&self) -> Result<u64, CommitError> {
        self.home.writer()?.commit()
    }

    /// Takes back all changes since the last commit.
    ///
    /// # Errors
    ///
    /// The index was not opened for writing, or was closed.
    pub fn rollback(&self) -> Result<(), CommitError> {
        let writer = self.home.writer()?;
        let (_, mut free) = self.writer();
        writer.roll_back(|version| self.show(version, &mut free))
    }

    /// Folds the journal into the file: a new file with all that is committed is written beside and renamed, as by
    /// [`save`](Self::save). Commits and searches go on meanwhile. False if there is nothing to fold. Happens by itself, in
    /// the background, when the journal is large; by hand it makes opening as fast as it can be.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit); nothing that was committed is lost.
    pub fn checkpoint(&self) -> Result<bool, CommitError> {
        self.home.writer()?.checkpoint()
    }

    /// Lets another writer come: the journal and the lock are let go of, changes since the last commit are taken back, and
    /// the index takes no more. It can still be searched. Dropping the index does the same. An index that is not open for
    /// writing stays as it is.
    ///
    /// # Errors
    ///
    /// The index belongs to another process, from which this one was forked.
    pub fn close(&self) -> Result<(), CommitError> {
        let Ok(writer) = self.home.writer() else { return Ok(()) };
        let (_, mut free) = self.writer();
        writer.close(|version| self.show(version, &mut free))
    }

    /// Whether changes can be committed: the index was opened for writing, and not closed.
    pub fn is_writable(&self) -> bool {
        self.home.writer().is_ok_and(Writer::is_open)
    }

    /// Moves on to what the writer of the file has committed since, or to the file that was put in the place of the one that
    /// was opened; says whether there was anything. Costs as much as applying the changes, or as opening the file. Searches
    /// that have begun go on with what they saw. An index that is open for writing is always at its newest state.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and [`OpenError::Changed`] for an index with changes of its own. The index is as it was.
    pub fn refresh(&self) -> Result<bool, OpenError> {
        let Home::File(reader) = &self.home else { return Ok(false) };
        let (version, mut free) = self.writer();
        let Some(next) = lock(reader).refresh(&version)? else { return Ok(false) };
        self.show(Arc::new(next), &mut free);
        Ok(true)
    }

    /// Has the next search see a version that is not made of the one before; what was free in that one may not be in this.
    fn show(&self, version: Arc<Version>, free: &mut Option<Vec<u32>>) {
        *free = None;
        self.current.store(version);
    }
}

/// Writes `version` in place of `path`, where no journal may be left behind that has more than the file there.
pub(in crate::index) fn replace(version: &Version, home: &Home, path: &Path) -> Result<(), OpenError> {
    let same =
        |other: &Path| path.canonicalize().is_ok_and(|path| other.canonicalize().is_ok_and(|it| it == path));
    if let Home::Writable(writer) = home
        && same(writer.path())
    {
        writer.commit()?;
        writer.checkpoint()?;
        return Ok(());
    }
    let journal = journal_of(path);
    if !journal.try_exists()? {
        persist::save(version, path)?;
    } else {
        let lock = Disk.lock(&lock_of(path))?;
        let _lock = lock.ok_or_else(|| OpenError::Locked { path: path.to_owned() })?;
        // If it cannot be read there may be anything in it.
        let empty = load(&Disk, path, Verify::Lazy).is_ok_and(|loaded| loaded.is_of_file());
        if !empty {
            return Err(OpenError::Journalled { path: path.to_owned() });
        }
        persist::save(version, path)?;
        Disk.remove(&journal)?;
    }
    if let Home::File(reader) = home
        && same(lock(reader).path())
    {
        lock(reader).changed = false;
    }
    Ok(())
}
