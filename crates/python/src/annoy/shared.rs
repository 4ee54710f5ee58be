//! The forest behind its locks, shared by all threads of a Python process.
//!
//! Two locks, taken in this order:
//!
//! * the *turn*: one thread at a time changes or builds. It remembers its thread, so that a change from
//!   inside the own progress callback is refused instead of waiting for itself;
//! * the forest's read-write lock. A build only reads while it grows trees: readers go on beside it, while
//!   writers wait for their turn and so do not queue up in front of the readers. It writes only to plant what
//!   has grown.
//!
//! No thread waits for a lock while it holds the GIL, so the GIL may be taken while a lock is held. Every
//! wait comes up for air after [`PATIENCE`] to let Python run its signal handlers: Ctrl-C ends it.

use std::ops::{Deref, DerefMut};
use std::thread::{self, ThreadId};
use std::time::Duration;

use linjin::forest::Forest;
use parking_lot::{Condvar, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use pyo3::prelude::*;

use super::errors;

/// How long a wait may keep Ctrl-C waiting: short enough to feel immediate.
const PATIENCE: Duration = Duration::from_millis(50);

/// A forest that any thread may read or change.
pub(super) struct Shared {
    forest: RwLock<Forest>,
    changing: Mutex<Option<ThreadId>>,
    turn_over: Condvar,
}

/// The right to change the forest, for as long as it is held.
pub(super) struct Turn<'a>(&'a Shared);

/// The forest, open for a change. The lock goes before the turn does.
pub(super) struct Writer<'a> {
    forest: RwLockWriteGuard<'a, Forest>,
    _turn: Turn<'a>,
}

impl Shared {
    pub(super) fn new(forest: Forest) -> Self {
        Self { forest: RwLock::new(forest), changing: Mutex::new(None), turn_over: Condvar::new() }
    }

    /// The forest, open for reading.
    pub(super) fn read(&self, py: Python<'_>) -> PyResult<RwLockReadGuard<'_, Forest>> {
        match self.forest.try_read() {
            Some(forest) => Ok(forest),
            None => wait(py, || self.forest.try_read_for(PATIENCE)),
        }
    }

    /// The forest, open for a change.
    pub(super) fn write(&self, py: Python<'_>) -> PyResult<Writer<'_>> {
        self.turn(py)?.write(py)
    }

    /// The next turn to change the forest; `RuntimeError` if this thread already has it.
    pub(super) fn turn(&self, py: Python<'_>) -> PyResult<Turn<'_>> {
        let me = thread::current().id();
        {
            let mut changing = self.changing.lock();
            match *changing {
                None => {
                    *changing = Some(me);
                    return Ok(Turn(self));
                }
                Some(thread) if thread == me => return Err(errors::changed_from_within()),
                Some(_) => {}
            }
        }
        wait(py, || {
            let mut changing = self.changing.lock();
            if changing.is_some() {
                self.turn_over.wait_for(&mut changing, PATIENCE);
            }
            changing.is_none().then(|| {
                *changing = Some(me);
                Turn(self)
            })
        })
    }
}

impl<'a> Turn<'a> {
    /// The forest, open for a change, once the readers have left.
    pub(super) fn write(self, py: Python<'_>) -> PyResult<Writer<'a>> {
        let lock = &self.0.forest;
        let forest = match lock.try_write() {
            Some(forest) => forest,
            None => wait(py, || lock.try_write_for(PATIENCE))?,
        };
        Ok(Writer { forest, _turn: self })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.changing.lock() = None;
        self.0.turn_over.notify_one();
    }
}

impl Deref for Writer<'_> {
    type Target = Forest;

    fn deref(&self) -> &Forest {
        &self.forest
    }
}

impl DerefMut for Writer<'_> {
    fn deref_mut(&mut self) -> &mut Forest {
        &mut self.forest
    }
}

/// Tries until it succeeds, without the GIL; between two tries Python's signal handlers run.
fn wait<T: Send>(py: Python<'_>, attempt: impl Fn() -> Option<T> + Sync) -> PyResult<T> {
    loop {
        if let Some(lock) = py.detach(&attempt) {
            return Ok(lock);
        }
        py.check_signals()?;
    }
}
