//! The journal folded into the file: a new file beside, in the old one's place, then a journal of what came meanwhile.
//!
//! A crash between any two steps leaves a file and a journal that go together, because a file knows the commit that it is
//! the state after, and a journal is read from there on:
//!
//! | there are | opening gives |
//! | --- | --- |
//! | the old file, its journal, a part of the new file under another name | the old file and all commits |
//! | the new file, the old journal | the new file and the commits behind its own |
//! | the new file, the new journal | the same |

use std::io::{self, BufWriter};
use std::path::Path;

use super::home::lock;
use super::load::journal_of;
use super::writer::Shared;
use crate::index::error::{CommitError, OpenError};
use crate::index::persist;
use crate::index::version::Version;
use crate::journal::{Heir, Journal, Moment, Storage, Stream, beside};

/// Folds what is committed into the file; false if there is nothing.
pub(super) fn fold(shared: &Shared) -> Result<bool, CommitError> {
    let _alone = lock(&shared.folding);
    let Some(heir) = write_both(shared)? else { return Ok(false) };
    finish(shared, heir)?;
    Ok(true)
}

/// Writes the new file, puts it in its place, and writes the journal that is to come; nothing if there is nothing to fold.
/// Commits go on meanwhile.
pub(super) fn write_both(shared: &Shared) -> Result<Option<Heir>, CommitError> {
    let Some((version, start, from)) = ({
        let mut state = lock(&shared.state);
        let version = state.committed.clone();
        let laid_out = state.laid_out;
        let journal = state.journal()?;
        let (start, from) = journal.sound_committed()?;
        (journal.bytes() > 0 || laid_out).then_some((version, start, from))
    }) else {
        return Ok(None);
    };
    let storage = &*shared.storage;
    let file = write(storage, &shared.path, &version, Some(start)).map_err(|error| match error {
        OpenError::Io(error) => CommitError::Io(error),
        other => CommitError::Damaged { what: other.to_string() },
    })?;
    // Most of what came meanwhile is copied while commits go on.
    let (head, to) = {
        let mut state = lock(&shared.state);
        (state.file, state.laid_out) = (file, false);
        let journal = state.journal()?;
        (journal.head_from(start), journal.committed().1)
    };
    let heir = Journal::heir(storage, &journal_of(&shared.path), head, from..to).map_err(CommitError::Io)?;
    Ok(Some(heir))
}

/// Puts the new journal in the place of the old one, with what was committed since it was written.
pub(super) fn finish(shared: &Shared, heir: Heir) -> Result<(), CommitError> {
    Ok(lock(&shared.state).journal()?.hand_over(heir)?)
}

/// Writes the file of a version, which is the state `moment` of an index with a journal; returns its bytes.
pub(super) fn write(
    storage: &dyn Storage,
    path: &Path,
    version: &Version,
    moment: Option<Moment>,
) -> Result<u64, OpenError> {
    let new = beside(path);
    let written = (|| {
        let mut stream = BufWriter::with_capacity(1 << 20, Stream::new(storage.create(&new)?));
        persist::write(version, moment, &mut stream)?;
        let stream = stream.into_inner().map_err(io::IntoInnerError::into_error)?;
        let bytes = stream.len();
        stream.finish()?;
        storage.rename(&new, path)?;
        Ok(bytes)
    })();
    let bytes = written.inspect_err(|_: &OpenError| _ = storage.remove(&new))?;
    storage.sync_folder(path)?;
    Ok(bytes)
}
