//! `linjin verify`: whether all of an index is as it was written.

use std::io::Write;
use std::time::Instant;

use indicatif::{BinaryBytes, HumanCount};
use linjin::index::Index;
use serde::Serialize;

use super::info::Report;
use crate::args::Verify;
use crate::failure::Failure;
use crate::output::json_line;

#[derive(Serialize)]
struct Sound<'a> {
    sound: bool,
    #[serde(flatten)]
    report: Report<'a>,
    seconds: f64,
}

pub(crate) fn run(arguments: &Verify, out: &mut dyn Write) -> Result<(), Failure> {
    let path = &arguments.index;
    let started = Instant::now();
    let info = Index::verify(path).map_err(|error| Failure::index(path, &error))?;
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        return json_line(out, &Sound { sound: true, report: Report::new(path, &info), seconds });
    }
    writeln!(
        out,
        "{}: sound; {} vectors of {} dimensions, {}, {} checked in {seconds:.1} s",
        path.display(),
        HumanCount(info.len as u64),
        info.dim,
        info.metric,
        BinaryBytes(info.bytes),
    )?;
    Ok(())
}
