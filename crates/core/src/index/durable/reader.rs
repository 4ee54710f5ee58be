//! The ones who read: from one commit to a later one.

use std::path::{Path, PathBuf};

use super::load::{Loaded, existing, journal_of, load, of};
use super::replay::Changes;
use crate::index::error::OpenError;
use crate::index::info::Recovered;
use crate::index::opening::{self, Verify};
use crate::index::version::Version;
use crate::journal::{self, Disk, Fault, Moment, Place, Storage};

/// Where the state of an index comes from.
#[derive(Debug)]
pub(in crate::index) struct Reader {
    path: PathBuf,
    verify: Verify,
    moment: Moment,
    /// How far its journal was read, and the byte from which on its commits are not in the file.
    place: Option<(Place, u64)>,
    recovered: Option<Recovered>,
    /// Whether the index has changes of its own.
    pub(super) changed: bool,
}

/// What a journal has behind a state.
struct Later {
    place: (Place, u64),
    changes: Changes,
}

impl Reader {
    /// What was read, and from where.
    fn new(path: &Path, verify: Verify, loaded: Loaded) -> (Self, Version) {
        let Loaded { version, moment, journal, .. } = loaded;
        let recovered = journal.as_ref().map(|it| Recovered {
            commits: it.commits,
            changes: it.vectors,
            torn: it.reader.rest(),
        });
        let place = journal.map(|it| (it.reader.place(), it.behind));
        // The working folder may be another one when the index is looked for again.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        (Self { path, verify, moment, place, recovered, changed: false }, version)
    }

    /// The last committed state of the index in `path`.
    pub(in crate::index) fn open(path: &Path, verify: Verify) -> Result<(Self, Version), OpenError> {
        Ok(Self::new(path, verify, load(&Disk, path, verify)?))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn generation(&self) -> u64 {
        self.moment.commit
    }

    pub(super) fn recovered(&self) -> Option<Recovered> {
        self.recovered
    }

    /// Bytes of the journal's commits behind the state of the file.
    pub(super) fn journal(&self) -> u64 {
        self.place.map_or(0, |(place, behind)| place.at() - behind)
    }

    /// A later version than `version`, if there is one.
    pub(super) fn refresh(&mut self, version: &Version) -> Result<Option<Version>, OpenError> {
        if self.changed {
            return Err(OpenError::Changed);
        }
        let file = existing(Disk.open(&journal_of(&self.path)))?;
        let Some(file) = file else {
            return if opening::moment(&self.path)? == self.moment { Ok(None) } else { self.anew(version) };
        };
        match self.later(file, version) {
            Ok(Some(Later { changes, .. })) if changes.commits == 0 => Ok(None),
            Ok(Some(Later { place, changes })) => {
                let moment = place.0.moment();
                let next = changes.apply(version.clone());
                let next = next.map_err(|what| OpenError::Journal { path: journal_of(&self.path), what })?;
                (self.place, self.moment) = (Some(place), moment);
                Ok(Some(next))
            }
            // Damage may be a writer at work: opening looks twice.
            Ok(None) | Err(Fault::Damaged(_)) => self.anew(version),
            Err(Fault::Io(error)) => Err(error.into()),
        }
    }

    /// What a journal has behind the state that this index is in; `None` if it does not know that state any more.
    fn later(&self, file: std::fs::File, version: &Version) -> Result<Option<Later>, Fault> {
        let mut reader = journal::Reader::new(file, of(&version.space))?;
        let mut behind = reader.at();
        match self.place {
            Some((place, before)) if reader.resume(place)? => behind = before,
            _ => {
                while reader.moment() != self.moment {
                    if reader.next()?.is_none() {
                        return Ok(None);
                    }
                }
            }
        }
        let mut changes = Changes::default();
        while let Some(commit) = reader.next()? {
            changes.take_up(commit);
        }
        Ok(Some(Later { place: (reader.place(), behind), changes }))
    }

    /// The index opened once more.
    fn anew(&mut self, before: &Version) -> Result<Option<Version>, OpenError> {
        let (next, version) = Self::new(&self.path, self.verify, load(&Disk, &self.path, self.verify)?);
        let (space, old) = (version.space, before.space);
        if (space.dim, space.metric) != (old.dim, old.metric) {
            return Err(OpenError::Other { dim: space.dim, metric: space.metric });
        }
        let same = next.moment == self.moment;
        *self = next;
        Ok((!same).then_some(version))
    }
}
