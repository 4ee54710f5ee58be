//! How much is worked on at a time. The rest waits in a queue with an end; whoever comes when that is full is sent away
//! with 429, so that nobody can make the server work for minutes behind his back.

use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// A gate that so many pass at a time.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Those that are inside or wait.
    places: Arc<Semaphore>,
    /// Those that are inside.
    inside: Arc<Semaphore>,
}

impl Gate {
    /// `inside` work at a time, `waiting` wait.
    pub(crate) fn new(inside: usize, waiting: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(inside + waiting)), inside: Arc::new(Semaphore::new(inside)) }
    }

    /// Does the work on a thread where it may block, when its turn comes. The work is done to its end and keeps its place
    /// until then, even if nobody waits for it any more.
    pub(crate) async fn pass<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "too many requests wait already; try again in a moment",
            )
        })?;
        let turn = Arc::clone(&self.inside).acquire_owned().await.map_err(Problem::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        done.await.unwrap_or_else(|panicked| Err(Problem::internal(panicked)))
    }
}
