//! An addition that hears Ctrl-C and tells how far it is.
//!
//! The index works on a thread of its own while the caller's thread, which alone can run Python's signal handlers, looks
//! after it. So a callback may use the index: whatever it has to wait for goes on meanwhile.

use std::ops::ControlFlow;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use linjin::index::{Add, Index, Vectors};
use linjin_columns::{Beside, BesideError, Described};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::errors;
use crate::progress::{Watch, Words};

/// What an addition says while it draws a bar.
const WORDS: Words = Words { doing: "adding vectors", step: "added", end: "vectors added" };

/// From this many vectors on an addition is watched without being asked to: below, it is over before a person misses
/// Ctrl-C, and a thread, which takes some 30 microseconds to start, would be felt.
const WATCHED_ROWS: usize = 512;

/// How long Ctrl-C may wait: short enough to feel immediate.
const PATIENCE: Duration = Duration::from_millis(50);

/// An index, and what comes with the vectors that are added to it.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) engine: &'a Index,
    pub(super) beside: &'a Beside,
    pub(super) described: Described<'a>,
}

impl Target<'_> {
    fn add(
        self,
        vectors: Vectors<'_>,
        ids: Option<&[u64]>,
        options: &Add<'_>,
    ) -> Result<Vec<u64>, BesideError> {
        self.beside.add(self.engine, vectors, ids, self.described, options)
    }
}

/// Adds the vectors and returns their ids. `progress` is a callable, or whether to draw a bar.
pub(super) fn add(
    py: Python<'_>,
    index: Target<'_>,
    (vectors, n): (Vectors<'_>, usize),
    ids: Option<&[u64]>,
    options: &Add<'_>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<u64>> {
    let (callback, bar) = match progress.map(|progress| (progress, progress.cast::<PyBool>())) {
        None => (None, false),
        Some((_, Ok(bar))) => (None, bar.is_true()),
        Some((callback, Err(_))) => (Some(callback), false),
    };
    let mut watch = Watch::new(callback, bar.then_some(WORDS))?;
    if n < WATCHED_ROWS && callback.is_none() && !bar {
        return py.detach(|| index.add(vectors, ids, options)).map_err(errors::beside);
    }
    let watching = &mut watch;
    let added = py.detach(move || watched(index, vectors, ids, options, watching));
    watch.finish(py, added.is_ok())?;
    added.map_err(errors::beside)
}

fn watched(
    index: Target<'_>,
    vectors: Vectors<'_>,
    ids: Option<&[u64]>,
    options: &Add<'_>,
    watch: &mut Watch,
) -> Result<Vec<u64>, BesideError> {
    let (done, total, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let note = |now: usize, of: usize| {
        total.store(of, Ordering::Relaxed);
        done.store(now, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    thread::scope(|scope| {
        // Nothing is sent: the end of the work is that its end of the channel is gone.
        let (ended, end) = mpsc::channel::<()>();
        let work = scope.spawn(|| {
            let _ended = ended;
            index.add(vectors, ids, &Add { progress: Some(&note), ..*options })
        });
        while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(PATIENCE) {
            let (done, total) = (done.load(Ordering::Relaxed) as u64, total.load(Ordering::Relaxed) as u64);
            if watch.tick(done, total).is_break() {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
        work.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}
