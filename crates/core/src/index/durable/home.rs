//! Where an index lives: in memory, in a file, in a file that it writes; what becomes of each change.

use std::sync::{Arc, PoisonError};

use bytemuck::cast_slice;

use super::reader::Reader;
use super::writer::Writer;
use crate::index::Vectors;
use crate::index::error::CommitError;
use crate::index::info::Info;
use crate::index::notes::Note;
use crate::index::version::Version;
use crate::journal::{Journal, Refusal};
use crate::sync::{Mutex, MutexGuard};

/// Where an index lives.
#[derive(Debug)]
pub(in crate::index) enum Home {
    /// Nowhere else.
    Memory,
    /// In a file that others may write.
    File(Mutex<Reader>),
    /// In a file that nobody else writes.
    Writable(Writer),
}

impl Home {
    /// Vectors are about to come, perhaps with a note; `next` is the index with them.
    pub(in crate::index) fn add(
        &self,
        ids: &[u64],
        vectors: Vectors<'_>,
        note: Option<Note<'_>>,
        next: &Arc<Version>,
    ) -> Result<(), CommitError> {
        match self {
            Self::Memory => Ok(()),
            Self::File(reader) => {
                lock(reader).changed = true;
                Ok(())
            }
            Self::Writable(writer) => {
                let mut floats = Vec::new();
                let rows = match vectors {
                    Vectors::Floats(values) => cast_slice(values),
                    Vectors::Bits(bytes) => bytes,
                    Vectors::Doubles(_) | Vectors::Halves(_) | Vectors::Bytes(_) => {
                        floats.resize(vectors.len(), 0.0_f32);
                        vectors.write_floats(0, &mut floats);
                        cast_slice(&floats)
                    }
                };
                writer.change(next, |journal| {
                    journal.add(ids, rows)?;
                    keep(journal, note)
                })
            }
        }
    }

    /// Vectors are about to go, or nothing but a note to come; `next` is the index after that.
    pub(in crate::index) fn remove(
        &self,
        ids: &[u64],
        note: Option<Note<'_>>,
        next: &Arc<Version>,
    ) -> Result<(), CommitError> {
        match self {
            Self::Memory => Ok(()),
            Self::File(reader) => {
                lock(reader).changed = true;
                Ok(())
            }
            Self::Writable(writer) => writer.change(next, |journal| {
                journal.remove(ids)?;
                keep(journal, note)
            }),
        }
    }

    /// All is about to be laid out anew, with the same vectors.
    pub(in crate::index) fn lay_out(&self, next: &Arc<Version>) {
        if let Self::Writable(writer) = self {
            writer.lay_out(next);
        }
    }

    /// The writer, of an index that was opened for writing.
    pub(super) fn writer(&self) -> Result<&Writer, CommitError> {
        match self {
            Self::Writable(writer) => Ok(writer),
            Self::Memory | Self::File(_) => Err(CommitError::ReadOnly),
        }
    }

    /// What is to be told of the file and its journal.
    pub(in crate::index) fn tell(&self, info: &mut Info) {
        match self {
            Self::Memory => {}
            Self::File(reader) => {
                let reader = lock(reader);
                (info.generation, info.journal) = (reader.generation(), reader.journal());
                info.recovered = reader.recovered();
            }
            Self::Writable(writer) => writer.tell(info),
        }
    }
}

fn keep(journal: &mut Journal, note: Option<Note<'_>>) -> Result<(), Refusal> {
    match note {
        None => Ok(()),
        Some(Note::Behind(note)) => journal.keep(note, false),
        Some(Note::Instead(note)) => journal.keep(note, true),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind it is changed as a whole or not at all.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
