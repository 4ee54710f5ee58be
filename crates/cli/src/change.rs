//! What verbs that write indexes share: adding with a bar, saving, and what is told of it.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use indicatif::{BinaryBytes, HumanCount};
use linjin::index::{Add, Index, Vectors};
use linjin_columns::{Beside, BesideError, Described};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::json_line;
use crate::output::progress::{Meter, Unit};
use crate::read::{Besides, Ids};

/// What became of an index.
#[derive(Serialize)]
struct Report<'a> {
    index: &'a Path,
    /// How many vectors came, went or were taken over.
    changed: usize,
    vectors: usize,
    dim: usize,
    metric: &'static str,
    bytes: u64,
    seconds: f64,
}

/// Adds vectors with what is known of them, with a bar that says `label`.
pub(crate) fn add(
    (index, beside): (&Index, &Beside),
    (vectors, rows): (Vectors<'_>, usize),
    besides: &Besides,
    (threads, replace): (Option<usize>, bool),
    label: &'static str,
) -> Result<Vec<u64>, BesideError> {
    let meter = Meter::new(label, Unit::Things, rows as u64);
    let progress = |done: usize, _| {
        meter.set(done as u64);
        ControlFlow::Continue(())
    };
    let columns = besides.columns.as_ref();
    let known = columns.map_or(Described::Not, Described::Columns);
    let (ids, described) = match &besides.ids {
        None => (None, known),
        Some(Ids::Numbers(ids)) => (Some(ids.as_slice()), known),
        Some(Ids::Names(names)) => (None, Described::Names(names, columns)),
    };
    let options = Add { threads, replace, progress: Some(&progress), ..Add::default() };
    beside.add(index, vectors, ids, described, &options)
}

/// Saves the index and says what was done: "`done` so many vectors".
pub(crate) fn finish(
    index: &Index,
    path: &Path,
    (done, changed): (&str, usize),
    started: Instant,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    index.save(path).map_err(|error| Failure::index(path, &error))?;
    let report = Report {
        index: path,
        changed,
        vectors: index.len(),
        dim: index.dim(),
        metric: index.metric().name(),
        bytes: fs::metadata(path).map_err(|error| Failure::io(path, &error))?.len(),
        seconds: started.elapsed().as_secs_f64(),
    };
    if json {
        return json_line(out, &report);
    }
    writeln!(
        out,
        "{}: {done} {}; {} vectors of {} dimensions, {}, {}, in {:.1} s",
        path.display(),
        HumanCount(changed as u64),
        HumanCount(report.vectors as u64),
        report.dim,
        report.metric,
        BinaryBytes(report.bytes),
        report.seconds,
    )?;
    Ok(())
}
