//! What a build shows and hears while it grows trees: the callback, the bar, Ctrl-C.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use linjin::forest::Progress;
use pyo3::prelude::*;

use crate::{arguments, errors};

/// The least time between two calls of the callback: lively for a person, nothing beside a build.
const CALL_EVERY: Duration = Duration::from_millis(100);

const BAR: &str = "{msg} {wide_bar} {percent:>3}%  {rate}/s, {eta} left";

/// Watches one build.
pub(crate) struct Watch {
    callback: Option<Py<PyAny>>,
    called: Option<Instant>,
    total: u64,
    heard_the_end: bool,
    display: Option<Display>,
    failure: Option<PyErr>,
}

impl Watch {
    /// `TypeError` unless `callback` can be called.
    pub(crate) fn new(callback: Option<&Bound<'_, PyAny>>, verbose: bool) -> PyResult<Self> {
        if let Some(callback) = callback
            && !callback.is_callable()
        {
            let found = arguments::type_name(callback);
            return Err(errors::wrong_type(format!("progress must be callable, not {found}")));
        }
        Ok(Self {
            callback: callback.map(|callback| callback.clone().unbind()),
            called: None,
            total: 0,
            heard_the_end: false,
            display: verbose.then(Display::new),
            failure: None,
        })
    }

    /// Takes note of how far the build is. Runs without the GIL; breaks once Python has raised something.
    pub(crate) fn tick(&mut self, progress: Progress) -> ControlFlow<()> {
        if let Some(display) = &mut self.display {
            display.show(progress);
        }
        self.total = progress.total;
        let due = progress.total > 0 && self.called.is_none_or(|called| called.elapsed() >= CALL_EVERY);
        let heard = Python::attach(|py| {
            py.check_signals()?;
            if due { self.call(py, progress) } else { Ok(()) }
        });
        match heard {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// Raises what Python raised during the build; otherwise reports that all is done.
    pub(crate) fn finish(mut self, py: Python<'_>, grown: bool) -> PyResult<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if grown {
            if !self.heard_the_end {
                // Never 0 of 0: the caller is going to divide.
                let total = self.total.max(1);
                self.call(py, Progress { done: total, total })?;
            }
            if let Some(display) = self.display {
                display.finish();
            }
        }
        Ok(())
    }

    fn call(&mut self, py: Python<'_>, progress: Progress) -> PyResult<()> {
        let Some(callback) = &self.callback else { return Ok(()) };
        callback.call1(py, (progress.done, progress.total))?;
        self.called = Some(Instant::now());
        self.heard_the_end = progress.done >= progress.total;
        Ok(())
    }
}

/// Progress on stderr: a bar on a terminal, elsewhere a line for every tenth of the way.
struct Display {
    bar: ProgressBar,
    tenths: u64,
}

impl Display {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template(BAR).expect("the template is a constant").with_key(
            "rate",
            |state: &ProgressState, out: &mut dyn fmt::Write| {
                // The bar comes out without its rate where this fails, which a String never does.
                _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
            },
        );
        bar.set_style(style);
        bar.set_message("growing trees");
        Self { bar, tenths: 0 }
    }

    fn show(&mut self, progress: Progress) {
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
        let tenths = progress.done.saturating_mul(10) / progress.total.max(1);
        if self.bar.is_hidden() && self.tenths < tenths && tenths < 10 {
            self.tenths = tenths;
            say(format_args!("grown {tenths}0 % after {:.1?}", self.bar.elapsed()));
        }
    }

    fn finish(self) {
        if self.bar.is_hidden() {
            say(format_args!("trees grown in {:.1?}", self.bar.elapsed()));
        }
        self.bar.finish();
    }
}

/// A line on stderr. One that is closed is no reason to stop a build.
fn say(line: fmt::Arguments<'_>) {
    _ = writeln!(io::stderr(), "linjin: {line}");
}
