//! The command line of linjin, as a function: [`run`] takes what was typed and gives back the exit code.
//!
//! | room | duty |
//! | --- | --- |
//! | `args/` | what can be typed |
//! | `commands/` | one verb each |
//! | `images/` | the verbs of `linjin images` |
//! | `serve.rs` | `linjin serve` |
//! | `effort.rs`, `queries.rs`, `truth.rs`, `measure.rs`, `change.rs` | what several verbs share |
//! | `items.rs` | items by their numbers or names, and what is known of them |
//! | `annoy.rs` | Annoy's files |
//! | `read/` | vectors, ids and columns from .npy, .fvecs, .bvecs, .ivecs, .hdf5, .arrow and .parquet |
//! | `output/` | tables, JSON, .npy, plots, progress |
//! | `failure.rs` | what went wrong, and its exit code |

mod annoy;
mod args;
mod change;
mod commands;
mod effort;
mod failure;
#[cfg(feature = "images")]
mod images;
mod items;
mod measure;
mod output;
mod queries;
mod read;
#[cfg(feature = "serve")]
mod serve;
mod truth;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};

use clap::Parser;

use args::Arguments;
use failure::Failure;

/// Does what was typed and returns the exit code: 0 done, 1 failed, 2 typed wrongly, 3 a file is damaged or something
/// else than it should be.
///
/// `arguments` begins with the name of the program. Results go to standard output, progress and errors to standard
/// error. When the reader of the output goes away (`linjin search ... | head`), the rest is not written and the code
/// is 0.
///
/// ```no_run
/// let code = linjin_cli::run(["linjin", "info", "items.linjin"]);
/// ```
pub fn run<I, T>(arguments: I) -> i32
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are "errors" of this kind, for standard output. Nobody is left to tell when this fails.
            _ = error.print();
            return error.exit_code();
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let done = commands::run(arguments.command, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) | Err(Failure::Closed) => 0,
        Err(failure) => {
            // Results that were found before it went wrong come first; they are not worth a second error.
            _ = out.flush();
            _ = writeln!(io::stderr(), "error: {failure}");
            failure.code()
        }
    }
}
