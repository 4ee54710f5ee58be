//! What goes on in the background: commits when it is time, checkpoints when the journal is large.

use std::sync::PoisonError;
use std::time::Duration;

use super::checkpoint;
use super::home::lock;
use super::writer::{Shared, State};
use crate::index::options::Autocommit;
use crate::sync::MutexGuard;

/// A journal is folded into its file when it is larger than this and than a quarter of the file: then opening takes
/// little longer than without it, and all checkpoints together write at most five times as much as the changes.
const CHECKPOINT_BYTES: u64 = 16 << 20;
/// The part of the file.
const CHECKPOINT_SHARE: u64 = 4;
/// How long the background waits for something to do before it looks again, after something went wrong.
const PATIENCE: Duration = Duration::from_secs(1);

impl Shared {
    /// Commits and folds in the background until the index is closed.
    pub(super) fn run(&self) {
        let mut state = lock(&self.state);
        while state.open.is_some() {
            let due = match (self.autocommit, state.since) {
                (Some(Autocommit::Every(most)), Some(since)) => Some(most.saturating_sub(since.elapsed())),
                _ => None,
            };
            let done = if due == Some(Duration::ZERO) {
                state.commit().map(drop)
            } else if self.is_full(&mut state) {
                drop(state);
                let done = checkpoint::fold(self).map(drop);
                state = lock(&self.state);
                done
            } else {
                state = match due {
                    Some(due) => self.wait(state, due),
                    None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
                continue;
            };
            state.trouble = done.err().map(|error| error.to_string());
            if state.trouble.is_some() && state.open.is_some() {
                state = self.wait(state, PATIENCE);
            }
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        self.wake.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn wake_if_full(&self, state: &mut State) {
        if self.is_full(state) {
            self.wake.notify_one();
        }
    }

    /// Whether it is time to fold the journal into the file.
    fn is_full(&self, state: &mut State) -> bool {
        let most = self.most.unwrap_or_else(|| CHECKPOINT_BYTES.max(state.file / CHECKPOINT_SHARE));
        state.journal().is_ok_and(|journal| journal.bytes() > most)
    }
}
