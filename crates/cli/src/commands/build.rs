//! `linjin build`: an index of a file of vectors.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use indicatif::{BinaryBytes, HumanCount};
use linjin::index::{Index, Metric};
use linjin_columns::Beside;
use serde::Serialize;

use crate::args::Build;
use crate::change;
use crate::failure::Failure;
use crate::output::{self, json_line};
use crate::read;

/// When neither the caller nor the file says how distance is measured.
const METRIC: Metric = Metric::Cosine;

#[derive(Serialize)]
struct Report<'a> {
    index: &'a Path,
    vectors: usize,
    dim: usize,
    metric: &'static str,
    bytes: u64,
    seconds: f64,
}

pub(crate) fn run(arguments: &Build, out: &mut dyn Write) -> Result<(), Failure> {
    let path = &arguments.output;
    output::has_room(path)?;
    let vectors = &arguments.vectors;
    let dataset = arguments.dataset.as_deref().unwrap_or("train");
    let rows = read::vectors(vectors, dataset)?;
    let metric = metric(arguments.metric, vectors)?; // after the vectors: those say better what is wrong with a damaged file
    let matrix = rows.fit(metric).map_err(|what| Failure::Run(format!("{}: {what}", vectors.display())))?;
    let asked = (arguments.ids.as_deref(), arguments.columns.as_deref());
    let besides = read::besides(vectors, dataset, asked, matrix.rows())?;

    let started = Instant::now();
    let index = Index::with_memory(matrix.dim(), metric, arguments.memory)
        .map_err(|error| Failure::Run(format!("{}: {error}", vectors.display())))?;
    let rows = (matrix.all(), matrix.rows());
    let beside = Beside::default();
    change::add((&index, &beside), rows, &besides, (arguments.threads, false), "building")
        .map_err(|error| Failure::add(vectors, arguments.ids.as_deref(), &error))?;
    index.save(path).map_err(|error| Failure::index(path, &error))?;

    let report = Report {
        index: path,
        vectors: index.len(),
        dim: index.dim(),
        metric: metric.name(),
        bytes: fs::metadata(path).map_err(|error| Failure::io(path, &error))?.len(),
        seconds: started.elapsed().as_secs_f64(),
    };
    if arguments.json {
        return json_line(out, &report);
    }
    writeln!(
        out,
        "{}: {} vectors of {} dimensions, {}, {}, built in {:.1} s ({} a second)",
        path.display(),
        HumanCount(report.vectors as u64),
        report.dim,
        report.metric,
        BinaryBytes(report.bytes),
        report.seconds,
        HumanCount((report.vectors as f64 / report.seconds.max(1e-9)) as u64),
    )?;
    Ok(())
}

/// What the caller says, else what the file says, else cosine.
pub(super) fn metric(said: Option<Metric>, vectors: &Path) -> Result<Metric, Failure> {
    if let Some(metric) = said {
        return Ok(metric);
    }
    let Some(distance) = read::distance(vectors) else {
        return Ok(METRIC);
    };
    match distance.as_str() {
        "angular" => Ok(Metric::Cosine),
        "ip" => Ok(Metric::Dot),
        name => name.parse().map_err(|_| {
            Failure::Run(format!(
                "{}: the file measures distance as {name:?}, which linjin does not; --metric says how to",
                vectors.display()
            ))
        }),
    }
}
