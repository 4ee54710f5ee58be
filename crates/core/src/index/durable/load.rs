//! A file and the journal beside it, as one state.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::replay::Changes;
use crate::index::error::OpenError;
use crate::index::opening::{self, Verify};
use crate::index::space::Space;
use crate::index::version::Version;
use crate::journal::{Fault, Moment, Of, Reader, Storage};

/// So often a file may be exchanged while it is being opened.
const ATTEMPTS: usize = 100;

/// The journal of the index in `path`.
pub(super) fn journal_of(path: &Path) -> PathBuf {
    with_suffix(path, "-journal")
}

/// What the one writer of the index in `path` has locked.
pub(super) fn lock_of(path: &Path) -> PathBuf {
    with_suffix(path, "-lock")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OsStr::new(suffix));
    name.into()
}

/// What a journal of these vectors is for.
pub(super) fn of(space: &Space) -> Of {
    let row = space.width() * if space.metric.is_binary() { 1 } else { size_of::<f32>() };
    Of { metric: space.metric, dim: space.dim as u32, row: row as u32 }
}

/// The last committed state of an index.
#[derive(Debug)]
pub(in crate::index) struct Loaded {
    pub(super) version: Version,
    /// The state of the file alone.
    pub(super) base: Moment,
    /// The state with the commits of the journal.
    pub(super) moment: Moment,
    pub(super) journal: Option<Followed>,
}

impl Loaded {
    /// Whether the journal, if there is one, has nothing that is not in the file.
    pub(super) fn is_of_file(&self) -> bool {
        self.journal.as_ref().is_none_or(|journal| journal.commits == 0)
    }
}

/// A journal that was read to its end.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) reader: Reader,
    /// The byte behind what the file has already.
    pub(super) behind: u64,
    pub(super) commits: u64,
    pub(super) vectors: u64,
}

/// What became of a journal.
enum Met {
    /// Its commits behind the state of the file.
    All(Box<(Followed, Changes)>),
    /// The state of the file is not among its own; it has so many commits.
    Strange(u64),
}

/// Maps the index in `path` and takes up the commits of its journal.
pub(in crate::index) fn load(
    storage: &dyn Storage,
    path: &Path,
    verify: Verify,
) -> Result<Loaded, OpenError> {
    let journal = journal_of(path);
    let damaged = |what: String| OpenError::Journal { path: journal.clone(), what };
    // A writer exchanges first the file, then the journal, and it appends. What looks wrong is believed the second time.
    let mut before = None;
    for _ in 0..ATTEMPTS {
        let (version, base) = opening::open(path, verify)?;
        let alone = |version| Loaded { version, base, moment: base, journal: None };
        let Some(file) = existing(storage.open(&journal))? else { return Ok(alone(version)) };
        let wrong = match follow(file, of(&version.space), base) {
            Ok(Met::All(met)) => {
                let (followed, changes) = *met;
                let moment = followed.reader.moment();
                let version = changes.apply(version).map_err(damaged)?;
                return Ok(Loaded { version, base, moment, journal: Some(followed) });
            }
            // Nothing is lost with it, whatever it is.
            Ok(Met::Strange(0)) if before == Some((base, String::new())) => return Ok(alone(version)),
            Ok(Met::Strange(0)) => String::new(),
            Ok(Met::Strange(commits)) => format!(
                "its {commits} commits do not build on the file beside it, which was replaced or is of another index; \
                 if the file is right as it is, remove the journal, otherwise bring back the file"
            ),
            Err(Fault::Io(error)) => return Err(error.into()),
            Err(Fault::Damaged(what)) => what,
        };
        let now = Some((base, wrong));
        if before == now
            && let Some((_, wrong)) = now
        {
            return Err(damaged(wrong));
        }
        before = now;
    }
    Err(damaged("it changed all the time while it was read".to_owned()))
}

/// Reads a journal from the state `base` on.
fn follow(file: File, of: Of, base: Moment) -> Result<Met, Fault> {
    let mut reader = Reader::new(file, of)?;
    let mut behind = (reader.moment() == base).then(|| reader.at());
    let (mut changes, mut passed) = (Changes::default(), 0);
    while let Some(commit) = reader.next()? {
        if behind.is_some() {
            changes.take_up(commit);
        } else {
            passed += 1;
            behind = (reader.moment() == base).then(|| reader.at());
        }
    }
    let (commits, vectors) = (changes.commits, changes.vectors);
    Ok(match behind {
        Some(behind) => Met::All(Box::new((Followed { reader, behind, commits, vectors }, changes))),
        None => Met::Strange(passed),
    })
}

/// The file, if there is one.
pub(super) fn existing(opened: io::Result<File>) -> io::Result<Option<File>> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
