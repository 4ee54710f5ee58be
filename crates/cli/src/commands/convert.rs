//! `linjin convert`: vectors of one format in another.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use indicatif::HumanCount;
use linjin::index::{Index, Metric};
use linjin_columns::Beside;
use serde::Serialize;

use super::build;
use crate::annoy;
use crate::args::Convert;
use crate::change;
use crate::failure::Failure;
use crate::output::{self, json_line, vectors};
use crate::read::{self, Besides, Ids, Matrix};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Index,
    Annoy,
    /// What [`read::vectors`] reads.
    Array,
}

/// What was read.
struct Read {
    matrix: Matrix,
    /// In ascending order; none where they are 0, 1, 2 and so on.
    ids: Option<Vec<u64>>,
    metric: Metric,
}

#[derive(Serialize)]
struct Report<'a> {
    output: &'a Path,
    vectors: usize,
    dim: usize,
    metric: &'static str,
    seconds: f64,
}

pub(crate) fn run(arguments: &Convert, out: &mut dyn Write) -> Result<(), Failure> {
    let output = &arguments.output;
    output::has_room(output)?;
    arguments.ids_output.as_deref().map(output::has_room).transpose()?;
    let to = format(output);
    if to == Format::Array {
        vectors::check(output)?;
    }
    let started = Instant::now();
    let read = read(arguments)?;
    let Read { matrix, ids, metric } = &read;
    if to == Format::Array && ids.is_some() && arguments.ids_output.is_none() {
        return Err(Failure::Usage(format!(
            "{}: the ids are not 0 to {}, and {} has no place for them: --ids-output ids.npy keeps them",
            arguments.input.display(),
            matrix.rows() - 1,
            output.display()
        )));
    }
    match to {
        Format::Array => vectors::write(output, matrix)?,
        Format::Annoy => annoy::write(output, matrix, ids.as_deref(), *metric, arguments)?,
        Format::Index => {
            let index = Index::new(matrix.dim(), *metric)
                .map_err(|error| Failure::Run(format!("{}: {error}", arguments.input.display())))?;
            let rows = (matrix.all(), matrix.rows());
            let besides = Besides { ids: ids.clone().map(Ids::Numbers), columns: None };
            change::add((&index, &Beside::default()), rows, &besides, (arguments.threads, false), "building")
                .map_err(|error| Failure::add(&arguments.input, None, &error))?;
            index.save(output).map_err(|error| Failure::index(output, &error))?;
        }
    }
    if let Some(file) = &arguments.ids_output {
        let numbers = || (0..matrix.rows() as u64).collect();
        vectors::write_ids(file, &ids.clone().unwrap_or_else(numbers))?;
    }
    let report = Report {
        output,
        vectors: matrix.rows(),
        dim: matrix.dim(),
        metric: metric.name(),
        seconds: started.elapsed().as_secs_f64(),
    };
    if arguments.json {
        return json_line(out, &report);
    }
    let (name, vectors) = (output.display(), HumanCount(report.vectors as u64));
    writeln!(out, "{name}: {vectors} vectors of {} dimensions, in {:.1} s", report.dim, report.seconds)?;
    Ok(())
}

fn format(path: &Path) -> Format {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("linjin") => Format::Index,
        Some("ann" | "annoy") => Format::Annoy,
        _ => Format::Array,
    }
}

fn read(arguments: &Convert) -> Result<Read, Failure> {
    let path = &arguments.input;
    let from = format(path);
    if from != Format::Annoy && arguments.dim.is_some() {
        return Err(Failure::Usage("--dim is for Annoy's files; others say it themselves".to_owned()));
    }
    match from {
        Format::Index => {
            let index = super::open(path)?;
            if arguments.metric.is_some_and(|metric| metric != index.metric()) {
                return Err(Failure::Usage(format!(
                    "{}: its metric is {}; for another one, convert it to .npy and build an index of that",
                    path.display(),
                    index.metric()
                )));
            }
            let damaged = |error| Failure::search("its vectors", path, &error);
            let ids = index.ids().map_err(damaged)?;
            let mut matrix = Matrix::empty(index.dim(), index.metric());
            for &id in &ids {
                index.get(id).map_err(damaged)?.into_iter().for_each(|vector| matrix.push(vector));
            }
            some(Read { matrix, ids: given(ids), metric: index.metric() }, path)
        }
        Format::Annoy => {
            let (Some(dim), Some(metric)) = (arguments.dim, arguments.metric) else {
                return Err(Failure::Usage(format!(
                    "{}: an Annoy file does not say what is in it; give --dim and --metric",
                    path.display()
                )));
            };
            let (matrix, ids) = annoy::read(path, dim, metric)?;
            some(Read { matrix, ids: given(ids), metric }, path)
        }
        Format::Array => {
            let rows = read::vectors(path, arguments.dataset.as_deref().unwrap_or("train"))?;
            let metric = build::metric(arguments.metric, path)?;
            let matrix =
                rows.fit(metric).map_err(|what| Failure::Run(format!("{}: {what}", path.display())))?;
            Ok(Read { matrix, ids: None, metric })
        }
    }
}

/// The ids, unless they are the numbers of the rows.
fn given(ids: Vec<u64>) -> Option<Vec<u64>> {
    let numbers = ids.iter().enumerate().all(|(row, &id)| id == row as u64);
    (!numbers).then_some(ids)
}

/// At least one vector: no format but linjin's own can hold none.
fn some(read: Read, path: &Path) -> Result<Read, Failure> {
    match read.matrix.rows() {
        0 => Err(Failure::Run(format!("{}: there are no vectors in it", path.display()))),
        _ => Ok(read),
    }
}
