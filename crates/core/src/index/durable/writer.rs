//! The one who writes: changes into the journal, commits.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::checkpoint;
use super::home::lock;
use super::load::{Followed, Loaded, journal_of, load, lock_of, of};
use crate::index::error::{CommitError, OpenError};
use crate::index::info::{Info, Recovered};
use crate::index::options::{Autocommit, Writing};
use crate::index::space::Space;
use crate::index::version::Version;
use crate::journal::{Journal, Refusal, Storage, beside};
use crate::sync::{Builder, Condvar, JoinHandle, Mutex};

/// The one who may change the index in a file.
#[derive(Debug)]
pub(in crate::index) struct Writer {
    pub(super) shared: Arc<Shared>,
    background: Mutex<Option<JoinHandle<()>>>,
    process: u32,
}

/// What the background has in common with the calls.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) path: PathBuf,
    pub(super) state: Mutex<State>,
    /// There may be something to do in the background.
    pub(super) wake: Condvar,
    /// Whoever folds the journal into the file.
    pub(super) folding: Mutex<()>,
    pub(super) autocommit: Option<Autocommit>,
    /// From so many bytes of journal on it is folded into the file.
    pub(super) most: Option<u64>,
}

/// Where the writing has come.
#[derive(Debug)]
pub(super) struct State {
    /// None once the index was closed.
    pub(super) open: Option<Open>,
    latest: Arc<Version>,
    /// The version that the journal's last commit led to.
    pub(super) committed: Arc<Version>,
    /// Whether it lies otherwise in the file, with the same vectors.
    pub(super) laid_out: bool,
    /// Bytes of the file.
    pub(super) file: u64,
    /// When the first change since the last commit was made.
    pub(super) since: Option<Instant>,
    recovered: Option<Recovered>,
    /// How many commits there were when it was closed.
    generation: u64,
    /// What went wrong in the background the last time.
    pub(super) trouble: Option<String>,
}

/// What a writer holds until it closes.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) journal: Journal,
    /// Held, and let go of by the operating system with the process.
    _lock: File,
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Io(error) => Self::Io(error),
            Refusal::Failed(why) => Self::Failed { why },
        }
    }
}

impl State {
    pub(super) fn journal(&mut self) -> Result<&mut Journal, CommitError> {
        self.open.as_mut().map(|open| &mut open.journal).ok_or(CommitError::Closed)
    }

    pub(super) fn commit(&mut self) -> Result<u64, CommitError> {
        let generation = self.journal()?.commit()?;
        self.committed = self.latest.clone();
        self.since = None;
        Ok(generation)
    }
}

impl Writer {
    /// Opens the index in `path`, or makes it.
    pub(in crate::index) fn open(
        storage: Arc<dyn Storage>,
        path: &Path,
        options: &Writing,
    ) -> Result<(Self, Version), OpenError> {
        // The working folder may be another one at the next checkpoint.
        let path = std::path::absolute(path)?;
        if options.create.is_none() {
            path.metadata()?; // so that no lock is left beside nothing
        }
        let lock = storage.lock(&lock_of(&path))?;
        let Some(lock) = lock else { return Err(OpenError::Locked { path: path.clone() }) };
        let journal_path = journal_of(&path);
        for left in [beside(&path), beside(&journal_path)] {
            _ = storage.remove(&left); // of a writer that died
        }
        if let Some((dim, metric)) = options.create
            && !path.try_exists()?
        {
            let empty = Version::empty(Space::new(dim, metric), options.memory);
            checkpoint::write(&*storage, &path, &empty, None)?;
        }
        let Loaded { version, base, moment, journal: found } = load(&*storage, &path, options.verify)?;
        let space = version.space;
        if let Some((dim, metric)) = options.create
            && (dim, metric) != (space.dim, space.metric)
        {
            return Err(OpenError::Other { dim: space.dim, metric: space.metric });
        }
        let bytes = |it: &Followed| it.behind..it.reader.at();
        let taken = found.as_ref().map(|it| (&it.reader, bytes(it)));
        let journal = Journal::begin(storage.clone(), &journal_path, of(&space), base, moment, taken)?;
        let recovered =
            found.map(|it| Recovered { commits: it.commits, changes: it.vectors, torn: it.reader.rest() });
        let committed = Arc::new(version.clone());
        let state = State {
            open: Some(Open { journal, _lock: lock }),
            latest: committed.clone(),
            committed,
            laid_out: false,
            file: path.metadata()?.len(),
            since: None,
            recovered,
            generation: 0,
            trouble: None,
        };
        let shared = Arc::new(Shared {
            storage,
            path,
            state: Mutex::new(state),
            wake: Condvar::new(),
            folding: Mutex::new(()),
            autocommit: options.autocommit,
            most: options.checkpoint,
        });
        let own = shared.clone();
        let background = Builder::new().name("linjin-journal".to_owned()).spawn(move || own.run())?;
        let background = Mutex::new(Some(background));
        Ok((Self { shared, background, process: std::process::id() }, version))
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(super) fn is_open(&self) -> bool {
        lock(&self.shared.state).open.is_some()
    }

    /// Notes a change in the journal; `next` is the index with it.
    pub(super) fn change(
        &self,
        next: &Arc<Version>,
        note: impl FnOnce(&mut Journal) -> Result<(), Refusal>,
    ) -> Result<(), CommitError> {
        self.own()?;
        let mut state = lock(&self.shared.state);
        let journal = state.journal()?;
        let before = journal.mark();
        note(journal).inspect_err(|_| journal.cut(before))?;
        if let Some(Autocommit::Changes(most)) = self.shared.autocommit
            && journal.changes() >= most
        {
            journal.commit().inspect_err(|_| journal.cut(before))?;
        }
        let clean = journal.changes() == 0;
        state.latest = next.clone();
        if clean {
            (state.committed, state.since) = (next.clone(), None);
            self.shared.wake_if_full(&mut state);
        } else if state.since.is_none() {
            state.since = Some(Instant::now());
            if let Some(Autocommit::Every(_)) = self.shared.autocommit {
                self.shared.wake.notify_one();
            }
        }
        Ok(())
    }

    /// The index was laid out anew.
    pub(super) fn lay_out(&self, next: &Arc<Version>) {
        let mut state = lock(&self.shared.state);
        let clean = state.journal().is_ok_and(|journal| journal.changes() == 0);
        state.latest = next.clone();
        if clean {
            (state.committed, state.laid_out) = (next.clone(), true);
        }
    }

    pub(super) fn commit(&self) -> Result<u64, CommitError> {
        self.own()?;
        let mut state = lock(&self.shared.state);
        let generation = state.commit()?;
        self.shared.wake_if_full(&mut state);
        Ok(generation)
    }

    pub(super) fn checkpoint(&self) -> Result<bool, CommitError> {
        self.own()?;
        checkpoint::fold(&self.shared)
    }

    /// Forgets the changes since the last commit, and has the version shown that it led to: before anybody can commit again,
    /// who would take for committed what is still shown.
    pub(super) fn roll_back(&self, show: impl FnOnce(Arc<Version>)) -> Result<(), CommitError> {
        self.own()?;
        let mut state = lock(&self.shared.state);
        state.journal()?.roll_back();
        state.latest = state.committed.clone();
        state.since = None;
        show(state.latest.clone());
        Ok(())
    }

    /// Lets go of the journal and the lock, and has the last committed version shown.
    pub(super) fn close(&self, show: impl FnOnce(Arc<Version>)) -> Result<(), CommitError> {
        self.own()?;
        // Whoever comes next must not find a checkpoint at work.
        let folding = lock(&self.shared.folding);
        let mut state = lock(&self.shared.state);
        if let Some(open) = state.open.take() {
            state.generation = open.journal.committed().0.commit;
        }
        state.latest = state.committed.clone();
        show(state.latest.clone());
        drop((state, folding));
        self.shared.wake.notify_one();
        if let Some(background) = lock(&self.background).take() {
            _ = background.join();
        }
        Ok(())
    }

    pub(super) fn tell(&self, info: &mut Info) {
        let mut state = lock(&self.shared.state);
        info.recovered = state.recovered;
        info.trouble = state.trouble.clone();
        info.generation = state.generation;
        if let Ok(journal) = state.journal() {
            info.generation = journal.committed().0.commit;
            (info.journal, info.uncommitted) = (journal.bytes(), journal.changes());
        }
    }

    /// A process that was forked from the writer has its memory, and not the right to write.
    fn own(&self) -> Result<(), CommitError> {
        if std::process::id() == self.process { Ok(()) } else { Err(CommitError::Forked) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        _ = self.close(|_| ());
    }
}
