//! A bar on a terminal, with rate and time left, for what takes longer than a second.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Nothing is drawn before this: what is done by then needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Vectors, queries, settings.
    Things,
}

/// Shows on standard error how far something has come; shows nothing when that is no terminal. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Meter {
    bar: ProgressBar,
    started: Instant,
    shown: AtomicBool,
}

impl Meter {
    /// Nothing done yet, of `total`.
    pub(crate) fn new(label: &'static str, unit: Unit, total: u64) -> Self {
        let numbers = match unit {
            Unit::Bytes => "{binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}",
            Unit::Things => "{human_pos}/{human_len} {rate}/s",
        };
        let style =
            ProgressStyle::with_template(&format!("{{prefix}} [{{wide_bar}}] {numbers} {{eta}} left"))
                .expect("the template above is well-formed")
                .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                    _ = match state.per_sec() {
                        slow if slow < 10.0 => write!(out, "{slow:.1}"),
                        fast => write!(out, "{}", HumanCount(fast as u64)),
                    };
                });
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
            .with_style(style.progress_chars("=> "))
            .with_prefix(label);
        Self { bar, started: Instant::now(), shown: AtomicBool::new(false) }
    }

    /// Something of which nobody knows how far it has come: shows for how long it has been going on.
    pub(crate) fn waiting(label: &'static str) -> Self {
        let style = ProgressStyle::with_template("{prefix} {spinner} {elapsed}").expect("well-formed");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            .with_style(style)
            .with_prefix(label);
        bar.enable_steady_tick(PATIENCE);
        Self { bar, started: Instant::now(), shown: AtomicBool::new(true) }
    }

    /// So much is done.
    pub(crate) fn set(&self, done: u64) {
        if self.started.elapsed() > PATIENCE && !self.shown.swap(true, Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
