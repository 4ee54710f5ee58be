//! A collection kept up to date while its folder changes. What the system tells of changes is a hint only: each one leads
//! to a run of indexing, which looks for itself.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher as _};

use super::handle::Collection;
use super::ingest::{IndexOptions, Report};
use crate::embed::Embedder;
use crate::error::CollectionError;

/// A folder that was quiet for so long is looked at: programs write a picture in several steps.
const QUIET: Duration = Duration::from_millis(1000);
/// One that never is quiet is looked at after so long.
const LONGEST: Duration = Duration::from_secs(20);
/// Systems do not tell of everything (drives in the network, too many folders), so it is looked at in any case.
const WATCHED: Duration = Duration::from_secs(600);
/// The same, for a folder that the system does not watch at all.
const UNWATCHED: Duration = Duration::from_secs(60);

impl Collection {
    /// Indexes the collection, and again whenever something changes in its folder, until `done` breaks off. `done` is told
    /// of every run. Waits without work in between.
    ///
    /// # Errors
    ///
    /// As for [`index`](Self::index). That another process indexes the collection is none: it is tried again.
    pub fn watch(
        &self,
        embedder: &dyn Embedder,
        options: &IndexOptions<'_>,
        done: &mut dyn FnMut(&Report) -> ControlFlow<()>,
    ) -> Result<(), CollectionError> {
        let (sender, changes) = mpsc::channel();
        // Without a watcher nobody sends, and the timer is all there is.
        let _open = sender.clone();
        let data = self.data.clone();
        let told = move |event: notify::Result<notify::Event>| {
            let matters = match &event {
                Ok(event) => {
                    !matches!(event.kind, EventKind::Access(_))
                        && event.paths.iter().any(|path| !path.starts_with(&data))
                }
                // Something was missed.
                Err(_) => true,
            };
            if matters {
                // Nobody listens any more when this fails.
                _ = sender.send(());
            }
        };
        // Watched before the first run, so that no change falls in between.
        let watcher = watcher(&self.folder, told);
        let longest = if watcher.is_some() { WATCHED } else { UNWATCHED };
        loop {
            match self.index(embedder, options) {
                Ok(report) => {
                    if done(&report).is_break() {
                        return Ok(());
                    }
                    _ = changes.recv_timeout(longest);
                }
                Err(CollectionError::Locked { .. }) => _ = changes.recv_timeout(UNWATCHED),
                Err(error) => return Err(error),
            }
            let since = Instant::now();
            while since.elapsed() < LONGEST {
                match changes.recv_timeout(QUIET) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
        }
    }
}

/// Watches a folder and all below it; `None` where the system cannot.
fn watcher(
    folder: &Path,
    told: impl FnMut(notify::Result<notify::Event>) + Send + 'static,
) -> Option<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(told).ok()?;
    watcher.watch(folder, RecursiveMode::Recursive).ok()?;
    Some(watcher)
}
