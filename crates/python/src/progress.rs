//! What long work shows and hears: the callback, the bar, Ctrl-C.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use pyo3::prelude::*;

use crate::{arguments, errors};

/// The least time between two calls of the callback: lively for a person, nothing beside the work.
const CALL_EVERY: Duration = Duration::from_millis(100);

const BAR: &str = "{msg} {wide_bar} {percent:>3}%  {rate}/s, {eta} left";

/// What the work is called on stderr.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// While it goes on, beside the bar.
    pub(crate) doing: &'static str,
    /// Before a share that is done.
    pub(crate) step: &'static str,
    /// When all is done.
    pub(crate) end: &'static str,
}

/// Watches one piece of work.
pub(crate) struct Watch {
    callback: Option<Py<PyAny>>,
    called: Option<Instant>,
    total: u64,
    heard_the_end: bool,
    display: Option<Display>,
    failure: Option<PyErr>,
}

impl Watch {
    /// Shows a bar if it has words for it. `TypeError` unless `callback` can be called.
    pub(crate) fn new(callback: Option<&Bound<'_, PyAny>>, words: Option<Words>) -> PyResult<Self> {
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
            display: words.map(Display::new),
            failure: None,
        })
    }

    /// Takes note of how far the work is. Runs without the GIL; breaks once Python has raised something.
    pub(crate) fn tick(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        if let Some(display) = &mut self.display {
            display.show(done, total);
        }
        self.total = total;
        let due = total > 0 && self.called.is_none_or(|called| called.elapsed() >= CALL_EVERY);
        let heard = Python::attach(|py| {
            py.check_signals()?;
            if due { self.call(py, done, total) } else { Ok(()) }
        });
        match heard {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// Raises what Python raised during the work; otherwise reports that all is done.
    pub(crate) fn finish(mut self, py: Python<'_>, done: bool) -> PyResult<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if done {
            if !self.heard_the_end {
                // Never 0 of 0: the caller is going to divide.
                let total = self.total.max(1);
                self.call(py, total, total)?;
            }
            if let Some(display) = self.display {
                display.finish();
            }
        }
        Ok(())
    }

    fn call(&mut self, py: Python<'_>, done: u64, total: u64) -> PyResult<()> {
        let Some(callback) = &self.callback else { return Ok(()) };
        callback.call1(py, (done, total))?;
        self.called = Some(Instant::now());
        self.heard_the_end = done >= total;
        Ok(())
    }
}

/// Progress on stderr: a bar on a terminal, elsewhere a line for every tenth of the way.
struct Display {
    words: Words,
    bar: ProgressBar,
    tenths: u64,
}

impl Display {
    fn new(words: Words) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template(BAR).expect("the template is a constant").with_key(
            "rate",
            |state: &ProgressState, out: &mut dyn fmt::Write| {
                // The bar comes out without its rate where this fails, which a String never does.
                _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
            },
        );
        bar.set_style(style);
        bar.set_message(words.doing);
        Self { words, bar, tenths: 0 }
    }

    fn show(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        let tenths = done.saturating_mul(10) / total.max(1);
        if self.bar.is_hidden() && self.tenths < tenths && tenths < 10 {
            self.tenths = tenths;
            say(format_args!("{} {tenths}0 % after {:.1?}", self.words.step, self.bar.elapsed()));
        }
    }

    fn finish(self) {
        if self.bar.is_hidden() {
            say(format_args!("{} in {:.1?}", self.words.end, self.bar.elapsed()));
        }
        self.bar.finish();
    }
}

/// A line on stderr. One that is closed is no reason to stop the work.
fn say(line: fmt::Arguments<'_>) {
    _ = writeln!(io::stderr(), "linjin: {line}");
}
