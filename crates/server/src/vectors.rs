//! The index of vectors that is served. Changes are found at once, and are in the file when it was saved.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use linjin::index::Index;
use linjin_columns::Beside;

use crate::serve::ServeError;

/// An index and the file that it lies in.
#[derive(Debug)]
pub(crate) struct Vectors {
    pub(crate) path: PathBuf,
    pub(crate) index: Index,
    /// What is known of the items goes with them.
    pub(crate) beside: Beside,
    /// Whether something changed since the file was written.
    changed: AtomicBool,
    saving: Mutex<()>,
}

impl Vectors {
    pub(crate) fn open(path: PathBuf) -> Result<Self, ServeError> {
        match Index::open(&path) {
            Ok(index) => Ok(Self {
                path,
                index,
                beside: Beside::default(),
                changed: AtomicBool::new(false),
                saving: Mutex::new(()),
            }),
            Err(error) => Err(ServeError::Index { path, error }),
        }
    }

    /// Notes that something changed.
    pub(crate) fn touch(&self) {
        self.changed.store(true, SeqCst);
    }

    /// Whether the file lacks something.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed.load(SeqCst)
    }

    /// Writes the file anew, if something changed: it is the old one or the whole new one.
    pub(crate) fn save(&self) -> Result<(), ServeError> {
        let _alone = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the file is written: what changes meanwhile may not be in it.
        if !self.changed.swap(false, SeqCst) {
            return Ok(());
        }
        self.index.save(&self.path).map_err(|error| {
            self.touch();
            ServeError::Index { path: self.path.clone(), error }
        })
    }
}
