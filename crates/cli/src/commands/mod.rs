//! One verb each.

mod add;
mod build;
mod convert;
mod eval;
mod info;
mod merge;
mod remove;
mod search;
mod shell;
mod tune;
mod verify;

use std::io::Write;
use std::path::Path;

use linjin::index::Index;

use crate::args::Command;
use crate::failure::Failure;

/// Does what was typed.
pub(crate) fn run(command: Command, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Build(arguments) => build::run(&arguments, out),
        Command::Search(arguments) => search::run(&arguments, out),
        Command::Info(arguments) => info::run(&arguments, out),
        Command::Verify(arguments) => verify::run(&arguments, out),
        Command::Eval(arguments) => eval::run(&arguments, out),
        Command::Tune(arguments) => tune::run(&arguments, out),
        Command::Add(arguments) => add::run(&arguments, out),
        Command::Remove(arguments) => remove::run(&arguments, out),
        Command::Merge(arguments) => merge::run(&arguments, out),
        Command::Convert(arguments) => convert::run(&arguments, out),
        Command::Completions(arguments) => shell::completions(&arguments, out),
        Command::Man(arguments) => shell::man(&arguments, out),
        #[cfg(feature = "images")]
        Command::Images(arguments) => crate::images::run(&arguments.command, out),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => crate::serve::run(arguments, out),
    }
}

fn open(path: &Path) -> Result<Index, Failure> {
    Index::open(path).map_err(|error| Failure::index(path, &error))
}
