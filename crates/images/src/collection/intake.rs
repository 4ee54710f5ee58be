//! Files into the catalogue: read, hashed, decoded and embedded on several threads, committed in batches by one.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::catalogue::{Batch, NewPicture, Outcome};
use crate::decode::{Limits, Source};
use crate::embed::Embedder;
use crate::error::{CollectionError, EmbedError, Refusal};
use crate::signature::Signature;
use crate::walk::Found;

/// Files that are committed together, those that threads still work on included: what a kill can cost.
pub(super) const BATCH: usize = 64;
/// A batch that takes longer than this is committed as it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest side of a thumbnail in pixels.
const THUMBNAIL: u32 = 256;

/// What has become of the files so far.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tally {
    pub(super) done: usize,
    pub(super) embedded: usize,
    pub(super) known: usize,
    pub(super) moved: usize,
    pub(super) failed: usize,
}

/// Files to be looked at, and what the threads share.
pub(super) struct Intake<'a> {
    folder: &'a Path,
    embedder: &'a dyn Embedder,
    limits: Limits,
    files: &'a [&'a Found],
    next: AtomicUsize,
    stop: AtomicBool,
    /// Hashes of contents that had a vector before the run.
    embedded: HashSet<[u8; 32]>,
    /// Hashes of other contents that a thread works on or has worked on.
    claimed: Mutex<HashSet<[u8; 32]>>,
    decoding: AtomicU64,
    embedding: AtomicU64,
}

/// A file that a thread has looked at.
struct Looked<'a> {
    found: &'a Found,
    /// Of its contents, if they were read.
    hash: Option<[u8; 32]>,
    outcome: Outcome,
}

impl<'a> Intake<'a> {
    /// Of `files` below `folder`; `embedded` are the hashes of contents that have a vector already.
    pub(super) fn new(
        folder: &'a Path,
        embedder: &'a dyn Embedder,
        limits: Limits,
        files: &'a [&'a Found],
        embedded: HashSet<[u8; 32]>,
    ) -> Self {
        Self {
            folder,
            embedder,
            limits,
            files,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            embedded,
            claimed: Mutex::new(HashSet::new()),
            decoding: AtomicU64::new(0),
            embedding: AtomicU64::new(0),
        }
    }

    /// Seconds of all threads together for decoding and for embedding.
    pub(super) fn seconds(&self) -> (f64, f64) {
        let seconds = |time: &AtomicU64| time.load(Relaxed) as f64 / 1e9;
        (seconds(&self.decoding), seconds(&self.embedding))
    }

    /// Looks at all files; `commit` is handed batches, `progress` is told after each file and may break off. What was
    /// looked at by then is committed.
    pub(super) fn run(
        &self,
        threads: usize,
        tally: &mut Tally,
        moved: &dyn Fn(&[u8; 32]) -> bool,
        commit: impl Fn(&Batch) -> Result<(), CollectionError>,
        progress: impl Fn(&Tally) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, CollectionError> {
        let threads = threads.min(self.files.len());
        thread::scope(|scope| {
            // Without room in it, so that a thread waits with its result until it is taken: no more is in flight than
            // there are threads.
            let (sender, receiver) = mpsc::sync_channel(0);
            for _ in 0..threads {
                let sender = sender.clone();
                scope.spawn(move || self.work(&sender));
            }
            drop(sender);
            let mut batches = Batches::new(&self.embedded);
            let mut flow = ControlFlow::Continue(());
            loop {
                let wait = PATIENCE.saturating_sub(batches.begun.elapsed());
                let commit_now = match receiver.recv_timeout(wait.max(Duration::from_millis(10))) {
                    Ok(looked) => {
                        count(tally, &looked, moved);
                        batches.take(looked);
                        if flow.is_continue() && progress(tally).is_break() {
                            // The threads finish what they have begun, and it is taken.
                            flow = ControlFlow::Break(());
                            self.stop.store(true, Relaxed);
                        }
                        batches.batch.len() + threads >= BATCH
                    }
                    Err(RecvTimeoutError::Timeout) => true,
                    Err(RecvTimeoutError::Disconnected) => {
                        commit(&batches.next())?;
                        return Ok(flow);
                    }
                };
                if commit_now {
                    // When this fails the receiver is dropped, and the threads end with their next result.
                    commit(&batches.next())?;
                }
            }
        })
    }

    /// What a thread does.
    fn work(&self, sender: &SyncSender<Looked<'a>>) {
        while !self.stop.load(Relaxed) {
            let Some(found) = self.files.get(self.next.fetch_add(1, Relaxed)) else { return };
            let mut hash = None;
            let outcome =
                self.look(found, &mut hash).unwrap_or_else(|refusal| Outcome::Failed(refusal.to_string()));
            if sender.send(Looked { found, hash, outcome }).is_err() {
                return;
            }
        }
    }

    /// Looks at a file.
    fn look(&self, found: &Found, hash: &mut Option<[u8; 32]>) -> Result<Outcome, Refusal> {
        let started = Instant::now();
        let mut source = Source::open(&self.folder.join(&found.path), &self.limits)?;
        let (bytes, contents) = (source.bytes(), source.hash()?);
        *hash = Some(contents);
        if self.embedded.contains(&contents)
            || !self.claimed.lock().unwrap_or_else(PoisonError::into_inner).insert(contents)
        {
            return Ok(Outcome::Known(contents));
        }
        let picture = source.decode(&self.limits, None)?;
        let thumbnail = picture.pixels.jpeg(THUMBNAIL)?;
        let signature = Signature::of(&picture.pixels);
        let decoded = Instant::now();
        let vector = self.embedder.picture(&picture.pixels)?;
        if vector.len() != self.embedder.dim() || vector.iter().any(|value| !value.is_finite()) {
            return Err(Refusal::Embed(EmbedError::Output {
                model: self.embedder.name().to_owned(),
                found: format!("{} values, not all of them finite", vector.len()),
                expected: format!("{} finite values", self.embedder.dim()),
            }));
        }
        self.decoding.fetch_add((decoded - started).as_nanos() as u64, Relaxed);
        self.embedding.fetch_add(decoded.elapsed().as_nanos() as u64, Relaxed);
        Ok(Outcome::New(Box::new(NewPicture {
            hash: contents,
            format: picture.format.name(),
            bytes,
            width: picture.width,
            height: picture.height,
            taken: picture.taken,
            camera: picture.camera,
            thumbnail,
            signature: signature.bytes().to_vec(),
            vector,
        })))
    }
}

/// What is to be committed next.
struct Batches<'a> {
    /// Hashes of contents that had a vector before the run.
    embedded: &'a HashSet<[u8; 32]>,
    batch: Batch,
    begun: Instant,
    /// What became of the other contents: embedded, or refused for this reason.
    settled: HashMap<[u8; 32], Result<(), String>>,
    /// Files whose contents another thread is still working on.
    waiting: HashMap<[u8; 32], Vec<&'a Found>>,
}

impl<'a> Batches<'a> {
    fn new(embedded: &'a HashSet<[u8; 32]>) -> Self {
        let (settled, waiting) = (HashMap::new(), HashMap::new());
        Self { embedded, batch: Batch::new(), begun: Instant::now(), settled, waiting }
    }

    /// Takes a file. One with the contents of another that is not done yet waits for that one.
    fn take(&mut self, looked: Looked<'a>) {
        let Looked { found, hash, outcome } = looked;
        match (&outcome, hash) {
            (Outcome::Known(hash), _) if !self.embedded.contains(hash) => match self.settled.get(hash) {
                Some(settled) => self.batch.push((found.clone(), as_settled(*hash, settled))),
                None => self.waiting.entry(*hash).or_default().push(found),
            },
            (Outcome::New(_), Some(hash)) => self.settle(found, outcome, hash, Ok(())),
            (Outcome::Failed(reason), Some(hash)) => {
                let reason = reason.clone();
                self.settle(found, outcome, hash, Err(reason));
            }
            _ => self.batch.push((found.clone(), outcome)),
        }
    }

    /// Takes a file, and behind it those that waited for its contents.
    fn settle(&mut self, found: &Found, outcome: Outcome, hash: [u8; 32], settled: Result<(), String>) {
        self.batch.push((found.clone(), outcome));
        for waiting in self.waiting.remove(&hash).unwrap_or_default() {
            self.batch.push((waiting.clone(), as_settled(hash, &settled)));
        }
        self.settled.insert(hash, settled);
    }

    /// The batch, and begins another.
    fn next(&mut self) -> Batch {
        self.begun = Instant::now();
        std::mem::take(&mut self.batch)
    }
}

fn as_settled(hash: [u8; 32], settled: &Result<(), String>) -> Outcome {
    match settled {
        Ok(()) => Outcome::Known(hash),
        Err(reason) => Outcome::Failed(reason.clone()),
    }
}

fn count(tally: &mut Tally, looked: &Looked<'_>, moved: &dyn Fn(&[u8; 32]) -> bool) {
    tally.done += 1;
    match &looked.outcome {
        Outcome::New(_) => tally.embedded += 1,
        Outcome::Known(hash) => {
            tally.known += 1;
            tally.moved += usize::from(moved(hash));
        }
        Outcome::Failed(_) => tally.failed += 1,
    }
}
