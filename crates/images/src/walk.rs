//! Which files lie below a folder, with size and time of each; on several threads, because folders answer slowly.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use ignore::{WalkBuilder, WalkState};

use crate::decode::Format;

/// A file whose name is that of a picture, or has no suffix that says otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// From the folder that was walked.
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) bytes: u64,
    /// When it was changed last: nanoseconds since 1970.
    pub(crate) modified: i64,
}

/// What lies below a folder.
#[derive(Default, Debug)]
pub(crate) struct Walked {
    /// Files, by path.
    pub(crate) files: Vec<Found>,
    /// Folders and files that could not be looked at, and why. What was known below them is not gone.
    pub(crate) unread: Vec<(PathBuf, String)>,
}

/// Walks `root`. Links are not followed, and files and folders whose names begin with a dot are left out.
pub(crate) fn walk(root: &Path, threads: usize) -> Walked {
    let all = Mutex::new(Walked::default());
    let walker =
        WalkBuilder::new(root).standard_filters(false).hidden(true).threads(threads).build_parallel();
    walker.run(|| {
        let mut part = Part { all: &all, own: Walked::default() };
        Box::new(move |entry| {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    if !may_be_picture(entry.path()) {
                        return WalkState::Continue;
                    }
                    let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
                    match entry.metadata() {
                        Ok(facts) => {
                            let modified = facts.modified().ok().map_or(0, nanoseconds);
                            part.own.files.push(Found { path, bytes: facts.len(), modified });
                        }
                        Err(error) => part.own.unread.push((path, error.to_string())),
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let path = path_of(&error).unwrap_or(root);
                    let path = path.strip_prefix(root).unwrap_or(path).to_owned();
                    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    part.own.unread.push((path, why));
                }
            }
            WalkState::Continue
        })
    });
    let mut walked = all.into_inner().unwrap_or_default();
    walked.files.sort_by(|a, b| a.path.cmp(&b.path));
    walked.unread.sort();
    walked
}

/// One thread's share, handed in when the thread is done.
struct Part<'a> {
    all: &'a Mutex<Walked>,
    own: Walked,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.files.append(&mut self.own.files);
            all.unread.append(&mut self.own.unread);
        }
    }
}

/// Files of other kinds (films, texts) are passed over by their suffix; nothing else is known of them before they are
/// opened, and a folder may hold terabytes. One without a suffix is looked into.
fn may_be_picture(path: &Path) -> bool {
    path.extension().is_none_or(|suffix| {
        let suffix = suffix.to_string_lossy();
        Format::suffix_is_known(&suffix)
            || ["svg", "heic", "heif", "avif", "jxl"].iter().any(|other| suffix.eq_ignore_ascii_case(other))
    })
}

fn nanoseconds(time: std::time::SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Partial(errors) => errors.first().and_then(path_of),
        _ => None,
    }
}
