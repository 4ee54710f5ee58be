//! New, changed, moved and removed files into the catalogue.
//!
//! ```text
//! walk ──► compare with the catalogue ──► threads: read, hash, decode, embed ──► batches into the catalogue
//!                                                                                    │ all done
//!                                          index file  ◄── forget what is gone  ◄────┘
//! ```
//!
//! A file with the size and time of the last scan is not opened. One whose contents are known is not decoded: it is a copy,
//! or was moved. A killed run has lost what was not committed: less than a batch.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use super::handle::{Collection, DATA, io};
use super::intake::{BATCH, Intake, Tally};
use crate::catalogue::KnownFile;
use crate::decode::Limits;
use crate::embed::Embedder;
use crate::error::CollectionError;
use crate::walk::{Found, Walked, walk};

/// What a run of indexing is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Files are read, decoded and embedded.
    Embedding,
    /// The index file is written.
    Finishing,
}

/// How far a run of indexing has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// What it is at.
    pub stage: Stage,
    /// Files that are done.
    pub done: usize,
    /// Files that are new or changed.
    pub total: usize,
    /// Pictures that were embedded.
    pub embedded: usize,
    /// Files that were refused.
    pub failed: usize,
}

/// Is told how far a run of indexing has come, and may stop it.
pub type Watcher<'a> = &'a (dyn Fn(&Progress) -> ControlFlow<()> + Sync);

/// How to index.
#[derive(Clone, Copy, Default)]
pub struct IndexOptions<'a> {
    /// Threads that read, decode and embed; one for each core when not given.
    pub threads: Option<usize>,
    /// What is decoded and what is refused.
    pub limits: Limits,
    /// Looks again at unchanged files that were refused.
    pub retry: bool,
    /// Told after each file; may stop the run, which keeps what was done.
    pub progress: Option<Watcher<'a>>,
}

impl std::fmt::Debug for IndexOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexOptions")
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// What a run of indexing did.
#[derive(Clone, Default, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Files with the names of pictures.
    pub files: usize,
    /// Of these, files that were as they were in the last run.
    pub unchanged: usize,
    /// Pictures that were embedded.
    pub embedded: usize,
    /// New or changed files whose contents were known: copies, and files that were moved or renamed.
    pub known: usize,
    /// Of these, files whose contents are no longer where they were.
    pub moved: usize,
    /// Files that are gone, moved ones included.
    pub gone: usize,
    /// Files that were refused in this run or an earlier one, and folders that could not be read, and why; by path.
    pub failures: Vec<(PathBuf, String)>,
    /// Seconds for all of it.
    pub seconds: f64,
    /// Seconds of all threads together for reading, decoding and shrinking.
    pub decode_seconds: f64,
    /// Seconds of all threads together for embedding.
    pub embed_seconds: f64,
}

impl Collection {
    /// Brings the collection up to date with its folder, and its vectors with `embedder`.
    ///
    /// Only new and changed files are opened, and only contents that were not known are embedded. When the collection was
    /// made by another embedder all pictures are embedded again; searches go on with the old vectors until all are there.
    /// A file that is refused is noted, and the rest goes on. Links are not followed; files and folders whose names begin
    /// with a dot are left out.
    ///
    /// # Errors
    ///
    /// Another process is indexing the collection, the folder cannot be read, the disk is full, or `progress` stopped the
    /// run. What was committed until then is kept, and the next run goes on from there.
    pub fn index(
        &self,
        embedder: &dyn Embedder,
        options: &IndexOptions<'_>,
    ) -> Result<Report, CollectionError> {
        let started = Instant::now();
        let _alone = self.lock()?;
        let threads = options
            .threads
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get))
            .clamp(1, BATCH / 2);
        let model = self.catalogue.add_model(embedder.name(), embedder.dim())?;
        let walked = self.walked(threads)?;
        let known = self.catalogue.known_files()?;
        let embedded = self.catalogue.embedded(model)?;

        let vectors: HashSet<u64> = embedded.values().copied().collect();
        let is_done = |found: &Found| match known.get(&found.path) {
            Some(file) if (file.bytes, file.modified) == (found.bytes, found.modified) => {
                match file.picture {
                    Some(picture) => vectors.contains(&picture),
                    None => !options.retry,
                }
            }
            _ => false,
        };
        let todo: Vec<&Found> = walked.files.iter().filter(|found| !is_done(found)).collect();
        let gone = gone(&known, &walked);

        let mut report = Report {
            files: walked.files.len(),
            unchanged: walked.files.len() - todo.len(),
            gone: gone.len(),
            ..Report::default()
        };
        let left: HashSet<u64> = gone.iter().filter_map(|path| known[path].picture).collect();
        let moved = |hash: &[u8; 32]| embedded.get(hash).is_some_and(|picture| left.contains(picture));
        let hashes = embedded.keys().copied().collect();
        let intake = Intake::new(&self.folder, embedder, options.limits, &todo, hashes);
        let mut tally = Tally::default();
        let taken = intake.run(
            threads,
            &mut tally,
            &moved,
            |batch| self.catalogue.commit(model, batch),
            |tally| tell(options, Stage::Embedding, tally, todo.len()),
        )?;
        if taken.is_break() || tell(options, Stage::Finishing, &tally, todo.len()).is_break() {
            return Err(CollectionError::Cancelled);
        }
        self.catalogue.remove(&gone)?;
        self.publish(model, embedder.dim(), embedder.adapts())?;

        (report.embedded, report.known, report.moved) = (tally.embedded, tally.known, tally.moved);

        report.failures = self.catalogue.failures()?;
        report.failures.extend(walked.unread);
        report.failures.sort();
        (report.decode_seconds, report.embed_seconds) = intake.seconds();
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    /// Takes the one lock of those who index. The operating system lets go of it when the process ends, however it does.
    fn lock(&self) -> Result<File, CollectionError> {
        let path = self.data.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(CollectionError::Locked { path }),
            Err(TryLockError::Error(error)) => Err(io(&path)(error)),
        }
    }

    /// What lies in the folder, if it is the folder that it was.
    fn walked(&self, threads: usize) -> Result<Walked, CollectionError> {
        let refused = |what: String| CollectionError::Folder { path: self.folder.clone(), what };
        let mut entries = fs::read_dir(&self.folder).map_err(io(&self.folder))?;
        let apart = self.data.parent() != Some(&*self.folder) || !self.data.ends_with(DATA);
        if apart && entries.next().is_none() && self.catalogue.counts()?.1 > 0 {
            // An unmounted drive leaves an empty folder; its pictures are not to be forgotten for that.
            return Err(refused(
                "the folder is empty and the collection is not: is the drive there? To start anew remove the data folder"
                    .to_owned(),
            ));
        }
        let mut walked = walk(&self.folder, threads);
        walked.files.retain(|found| !self.folder.join(&found.path).starts_with(&self.data));
        Ok(walked)
    }
}

/// Files that the catalogue knows and that are no longer there. What lies below a folder that could not be read may be.
fn gone(known: &HashMap<PathBuf, KnownFile>, walked: &Walked) -> Vec<PathBuf> {
    let here: HashSet<&Path> = walked.files.iter().map(|found| found.path.as_path()).collect();
    let hidden = |path: &Path| walked.unread.iter().any(|(unread, _)| path.starts_with(unread));
    let mut gone: Vec<PathBuf> =
        known.keys().filter(|path| !here.contains(path.as_path()) && !hidden(path)).cloned().collect();
    gone.sort();
    gone
}

fn tell(options: &IndexOptions<'_>, stage: Stage, tally: &Tally, total: usize) -> ControlFlow<()> {
    let Tally { done, embedded, failed, .. } = *tally;
    match options.progress {
        Some(progress) => progress(&Progress { stage, done, total, embedded, failed }),
        None => ControlFlow::Continue(()),
    }
}
