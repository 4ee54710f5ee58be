//! `linjin eval`: recall against speed.

use std::fs;
use std::io::Write;
use std::path::Path;

use indicatif::HumanCount;
use linjin::index::error::SearchError;
use linjin::index::{Effort, Search};
use serde::Serialize;

use crate::args::Eval;
use crate::failure::Failure;
use crate::measure::{self, Setting, measure};
use crate::output::progress::{Meter, Unit};
use crate::output::{self, json_line, svg};
use crate::queries::Queries;
use crate::read;
use crate::truth::Truth;

/// Efforts to try when none are named, times k.
const EFFORTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

#[derive(Serialize)]
struct Report<'a> {
    k: usize,
    queries: usize,
    indexes: Vec<OfIndex<'a>>,
}

#[derive(Serialize)]
struct OfIndex<'a> {
    index: &'a Path,
    vectors: usize,
    dim: usize,
    metric: &'static str,
    settings: Vec<Setting>,
}

pub(crate) fn run(arguments: &Eval, out: &mut dyn Write) -> Result<(), Failure> {
    arguments.svg.as_deref().map(output::has_room).transpose()?;
    let mut report = Report { k: arguments.k, queries: 0, indexes: Vec::new() };
    let mut neighbours = 0;
    for path in &arguments.index {
        let index = super::open(path)?;
        let queries = Queries::of_file(&arguments.queries, "test", arguments.limit, &index, path)?;
        let wrong = |error: SearchError| Failure::search(&queries.from, path, &error);
        let truth_file = arguments
            .truth
            .as_deref()
            .or_else(|| Some(arguments.queries.as_path()).filter(|path| read::carries_truth(path)));
        let truth = match truth_file {
            Some(file) => Truth::of_file(file, &index, path, &queries.matrix, arguments.k)?,
            None => Truth::exact(&index, &queries.matrix, arguments.k).map_err(wrong)?,
        };
        report.queries = queries.matrix.rows();
        neighbours = neighbours.max(truth.total());

        let efforts = efforts(arguments);
        let meter = Meter::new("measuring", Unit::Things, efforts.len() as u64);
        let mut settings = Vec::with_capacity(efforts.len());
        for effort in efforts {
            let search = Search { effort, threads: Some(1), ..Search::new(arguments.k) };
            settings
                .push(measure(&index, &queries.matrix, &truth, &search, arguments.seconds).map_err(wrong)?);
            meter.set(settings.len() as u64);
        }
        drop(meter);
        let of_index = OfIndex {
            index: path,
            vectors: index.len(),
            dim: index.dim(),
            metric: index.metric().name(),
            settings,
        };
        if !arguments.json {
            show(out, &of_index, report.indexes.is_empty(), arguments.k, report.queries)?;
        }
        report.indexes.push(of_index);
    }
    if let Some(path) = &arguments.svg {
        let curves: Vec<_> = report.indexes.iter().map(curve).collect();
        let page = svg::draw(&curves, arguments.k, neighbours).map_err(Failure::Run)?;
        fs::write(path, page).map_err(|error| Failure::io(path, &error))?;
    }
    match arguments.json {
        true => json_line(out, &report),
        false => Ok(()),
    }
}

fn efforts(arguments: &Eval) -> Vec<Effort> {
    if !arguments.recalls.is_empty() {
        return arguments.recalls.iter().map(|&recall| Effort::Recall(recall)).collect();
    }
    if !arguments.ef.is_empty() {
        return arguments.ef.iter().map(|&ef| Effort::Ef(ef)).collect();
    }
    EFFORTS.iter().map(|times| Effort::Ef(times.saturating_mul(arguments.k))).collect()
}

fn show(out: &mut dyn Write, of: &OfIndex<'_>, first: bool, k: usize, queries: usize) -> Result<(), Failure> {
    if !first {
        writeln!(out)?;
    }
    writeln!(
        out,
        "{}: {} vectors of {} dimensions, {}; {} queries on one thread",
        of.index.display(),
        HumanCount(of.vectors as u64),
        of.dim,
        of.metric,
        HumanCount(queries as u64),
    )?;
    measure::table(out, &of.settings, k, None)?;
    // Measuring takes long: what is known is shown.
    Ok(out.flush()?)
}

fn curve(of: &OfIndex<'_>) -> svg::Curve {
    svg::Curve { name: of.index.display().to_string(), points: measure::points(&of.settings) }
}
