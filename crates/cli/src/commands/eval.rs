//! `linjin eval`: recall against speed.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use linjin::index::error::SearchError;
use linjin::index::{Effort, Index, Search};
use serde::Serialize;

use crate::args::Eval;
use crate::effort;
use crate::failure::Failure;
use crate::output::progress::{Meter, Unit};
use crate::output::{self, json_line, svg, table};
use crate::queries::Queries;
use crate::read::{self, Matrix};
use crate::truth::Truth;

/// Efforts to try when none are named, times k.
const EFFORTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Queries that are asked before the clock runs: the file's pages and the CPU's caches fill.
const WARM: usize = 100;

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

#[derive(Serialize)]
struct Setting {
    #[serde(skip)]
    effort: Effort,
    #[serde(skip_serializing_if = "Option::is_none")]
    ef: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recall_asked: Option<f32>,
    recall: f64,
    queries_per_second: f64,
    mean_us: f64,
    p50_us: f64,
    p99_us: f64,
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

/// Asks one query after the other, all of them at least once and for at least `seconds`.
fn measure(
    index: &Index,
    queries: &Matrix,
    truth: &Truth,
    search: &Search<'_>,
    seconds: f64,
) -> Result<Setting, SearchError> {
    let count = queries.rows();
    for query in 0..count.min(WARM) {
        index.search(queries.part(query..query + 1), search)?;
    }
    let mut found = 0;
    let mut spent = Duration::ZERO;
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    'measuring: for pass in 0.. {
        for query in 0..count {
            if pass > 0 && spent.as_secs_f64() >= seconds {
                break 'measuring;
            }
            let started = Instant::now();
            let hits = index.search(queries.part(query..query + 1), search)?;
            let time = started.elapsed();
            spent += time;
            times.push(time);
            if pass == 0 {
                found += truth.found(query, &hits);
            }
        }
    }
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let share = |share: f64| micros(times[((times.len() - 1) as f64 * share).round() as usize]);
    let (ef, recall_asked) = match search.effort {
        Effort::Ef(ef) => (Some(ef), None),
        Effort::Recall(recall) => (None, Some(recall)),
        Effort::Exact => (None, None),
    };
    Ok(Setting {
        effort: search.effort,
        ef,
        recall_asked,
        recall: found as f64 / truth.total().max(1) as f64,
        queries_per_second: times.len() as f64 / spent.as_secs_f64().max(1e-9),
        mean_us: micros(spent) / times.len() as f64,
        p50_us: share(0.50),
        p99_us: share(0.99),
    })
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
    let rows: Vec<_> = of
        .settings
        .iter()
        .map(|setting| {
            [
                effort::words(setting.effort),
                format!("{:.4}", setting.recall),
                HumanCount(setting.queries_per_second.round() as u64).to_string(),
                format!("{:.1}", setting.mean_us),
                format!("{:.1}", setting.p50_us),
                format!("{:.1}", setting.p99_us),
            ]
        })
        .collect();
    let recall = format!("recall@{k}");
    table::columns(out, ["asked", &recall, "queries/s", "mean us", "p50 us", "p99 us"], &rows)?;
    // Measuring takes long: what is known is shown.
    Ok(out.flush()?)
}

fn curve(of: &OfIndex<'_>) -> svg::Curve {
    let points = of.settings.iter().map(|setting| (setting.recall, setting.queries_per_second)).collect();
    svg::Curve { name: of.index.display().to_string(), points }
}
