//! The collection kept up to date by a thread of its own, and how far that is.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use linjin_images::{IndexOptions, Progress, Stage};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use utoipa::ToSchema;

use crate::app::{Album, App};

/// News are told this often at most.
const PACE: Duration = Duration::from_millis(200);
/// Another process may index too; this often it is looked whether the collection changed.
const LOOK: Duration = Duration::from_secs(2);
/// After a failure it is tried again so much later.
const AGAIN: Duration = Duration::from_secs(60);

/// How far indexing is.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Indexing {
    /// Whether files are being looked at now.
    pub(crate) running: bool,
    /// Files that are done.
    pub(crate) done: usize,
    /// Files that are new or changed.
    pub(crate) total: usize,
    /// Files that were refused in this run.
    pub(crate) failed: usize,
    /// Files a second.
    pub(crate) rate: f64,
    /// Seconds that it will take.
    pub(crate) left: f64,
    /// Why the last run was not done.
    pub(crate) error: Option<String>,
    /// Grows when the collection's pictures change.
    pub(crate) revision: u64,
}

/// Starts the thread that keeps the collection up to date, if it is to be. It ends with the process: indexing may be killed
/// at any moment.
pub(crate) fn start(app: &Arc<App>) {
    let app = Arc::clone(app);
    if app.album.as_ref().is_some_and(|album| album.keep_indexed) {
        let keep = move || {
            if let Some(album) = &app.album {
                keep_indexed(album);
            }
        };
        if let Err(error) = thread::Builder::new().name("indexing".to_owned()).spawn(keep) {
            tracing::error!(%error, "no thread for indexing");
        }
    }
}

fn keep_indexed(album: &Album) {
    let pace = Mutex::new((Instant::now(), Instant::now()));
    let progress = |progress: &Progress| {
        let (begun, told) = &mut *pace.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.done <= 1 {
            *begun = Instant::now();
        }
        if told.elapsed() > PACE || progress.done == 1 || progress.stage == Stage::Finishing {
            *told = Instant::now();
            let rate = progress.done as f64 / begun.elapsed().as_secs_f64().max(0.1);
            album.indexing.send_modify(|now| {
                *now = Indexing {
                    running: progress.total > 0,
                    done: progress.done,
                    total: progress.total,
                    failed: progress.failed,
                    rate,
                    left: (progress.total - progress.done) as f64 / rate.max(0.01),
                    error: None,
                    revision: now.revision,
                };
            });
        }
        ControlFlow::Continue(())
    };
    let options = IndexOptions { progress: Some(&progress), ..IndexOptions::default() };
    loop {
        let done = album.collection.watch(&*album.embedder, &options, &mut |report| {
            tracing::info!(files = report.files, new = report.embedded, "indexed");
            finished(album, None);
            ControlFlow::Continue(())
        });
        if let Err(error) = done {
            tracing::error!(%error, "not indexed");
            finished(album, Some(error.to_string()));
        }
        thread::sleep(AGAIN);
    }
}

fn finished(album: &Album, error: Option<String>) {
    album.indexing.send_modify(|now| {
        let revision = album.collection.generation().unwrap_or(now.revision);
        *now = Indexing { running: false, error, revision, left: 0.0, ..now.clone() };
    });
}

/// Looks again and again whether the collection changed, whoever changed it.
pub(crate) async fn look_out(app: Arc<App>) {
    if app.album.is_none() {
        return;
    }
    loop {
        tokio::time::sleep(LOOK).await;
        let app = Arc::clone(&app);
        let looked = tokio::task::spawn_blocking(move || {
            let Some(album) = &app.album else { return };
            if let Ok(revision) = album.collection.generation() {
                album.indexing.send_if_modified(|now| {
                    let changed = now.revision != revision;
                    now.revision = revision;
                    changed
                });
            }
        });
        // A panic in there was told of already.
        _ = looked.await;
    }
}
