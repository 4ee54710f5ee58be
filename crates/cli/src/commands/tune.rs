//! `linjin tune`: which settings reach a recall or a latency, and an index that is calibrated for them.

use std::fs;
use std::io::Write;
use std::path::Path;

use indicatif::{BinaryBytes, HumanCount};
use linjin::index::error::SearchError;
use linjin::index::{Effort, Index, Search};
use serde::Serialize;

use crate::args::Tune;
use crate::failure::Failure;
use crate::measure::{self, Setting, measure};
use crate::output::progress::{Meter, Unit};
use crate::output::{self, json_line, svg};
use crate::queries::Queries;
use crate::truth::Truth;

/// What is asked for when nothing is said.
const RECALL: f32 = 0.95;
/// Recalls that are tried, besides the one that is asked for.
const RECALLS: [f32; 12] = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995];
/// A measurement of so many neighbours or more tells 0.95 from 0.96.
const FEWEST_QUERIES: usize = 20;

#[derive(Serialize)]
struct Report<'a> {
    index: &'a Path,
    written: Option<&'a Path>,
    k: usize,
    queries: usize,
    bytes: u64,
    chosen: &'a Setting,
    settings: &'a [Setting],
}

pub(crate) fn run(arguments: &Tune, out: &mut dyn Write) -> Result<(), Failure> {
    let path = &arguments.index;
    let written = (!arguments.dry_run).then(|| arguments.output.as_ref().unwrap_or(path).as_path());
    written.map(output::has_room).transpose()?;
    arguments.svg.as_deref().map(output::has_room).transpose()?;
    let index = super::open(path)?;
    fits(arguments, &index)?;
    let queries = Queries::of_file(&arguments.queries, "test", arguments.limit, &index, path)?;
    let wrong = |error: SearchError| Failure::search(&queries.from, path, &error);
    let count = queries.matrix.rows();
    if count < FEWEST_QUERIES {
        return Err(Failure::Run(format!(
            "{}: {count} queries are too few to measure with; {FEWEST_QUERIES} are the least, some hundred are better",
            queries.from
        )));
    }
    let half = count / 2;
    {
        let _waiting = Meter::waiting("calibrating");
        index.optimize(Some(queries.matrix.part(0..half))).map_err(wrong)?;
    }
    let shown = queries.matrix.taken(half..count);
    let truth = Truth::exact(&index, &shown, arguments.k).map_err(wrong)?;
    let efforts = efforts(arguments);
    let meter = Meter::new("measuring", Unit::Things, efforts.len() as u64);
    let mut settings = Vec::with_capacity(efforts.len());
    for effort in efforts {
        let search = Search { effort, threads: Some(1), ..Search::new(arguments.k) };
        settings.push(measure(&index, &shown, &truth, &search, arguments.seconds).map_err(wrong)?);
        meter.set(settings.len() as u64);
    }
    drop(meter);
    let chosen = choose(&settings, arguments)?;
    if let Some(file) = &arguments.svg {
        let curve = svg::Curve { name: path.display().to_string(), points: measure::points(&settings) };
        let page = svg::draw(&[curve], arguments.k, truth.total()).map_err(Failure::Run)?;
        fs::write(file, page).map_err(|error| Failure::io(file, &error))?;
    }
    if let Some(to) = written {
        index.save(to).map_err(|error| Failure::index(to, &error))?;
    }
    if arguments.json {
        let (queries, bytes) = (shown.rows(), index.info().bytes);
        let report = Report {
            index: path,
            written,
            k: arguments.k,
            queries,
            bytes,
            chosen: &settings[chosen],
            settings: &settings,
        };
        return json_line(out, &report);
    }
    show(out, arguments, &index, &settings, chosen, written)
}

/// Whether the index is as small as it has to be.
fn fits(arguments: &Tune, index: &Index) -> Result<(), Failure> {
    let bytes = index.info().bytes;
    match arguments.memory {
        Some(most) if bytes > most => Err(Failure::Run(format!(
            "{}: its vectors and leaves take {}, more than {}: only fewer vectors or fewer dimensions take less; a mapped \
             file needs memory only where it is looked at",
            arguments.index.display(),
            BinaryBytes(bytes),
            BinaryBytes(most)
        ))),
        _ => Ok(()),
    }
}

fn efforts(arguments: &Tune) -> Vec<Effort> {
    let mut recalls = RECALLS.to_vec();
    recalls.extend(arguments.recall);
    recalls.sort_unstable_by(f32::total_cmp);
    recalls.dedup();
    recalls.into_iter().map(Effort::Recall).collect()
}

/// The cheapest setting that reaches the recall, or the best one that is fast enough.
fn choose(settings: &[Setting], arguments: &Tune) -> Result<usize, Failure> {
    let recall = arguments.recall.or(arguments.latency.is_none().then_some(RECALL)).map(f64::from);
    let latency = arguments.latency.unwrap_or(f64::INFINITY);
    let fast = settings.iter().enumerate().filter(|(_, setting)| setting.mean_us <= latency);
    let found = match recall {
        Some(recall) => fast
            .filter(|(_, setting)| setting.recall >= recall)
            .min_by(|a, b| a.1.mean_us.total_cmp(&b.1.mean_us)),
        None => {
            fast.max_by(|a, b| a.1.recall.total_cmp(&b.1.recall).then(b.1.mean_us.total_cmp(&a.1.mean_us)))
        }
    };
    found.map(|(chosen, _)| chosen).ok_or_else(|| {
        let best = settings.iter().max_by(|a, b| a.recall.total_cmp(&b.recall));
        let fastest = settings.iter().min_by(|a, b| a.mean_us.total_cmp(&b.mean_us));
        let words = |what: &str, setting: Option<&Setting>| {
            setting.map_or(String::new(), |setting| {
                format!("; the {what} setting reaches {:.4} in {:.1} us", setting.recall, setting.mean_us)
            })
        };
        Failure::Run(format!(
            "no setting does that{}{}; ask for less{}",
            words("best", best),
            words("fastest", fastest),
            if latency.is_infinite() { ", or --exact" } else { "" }
        ))
    })
}

fn show(
    out: &mut dyn Write,
    arguments: &Tune,
    index: &Index,
    settings: &[Setting],
    chosen: usize,
    written: Option<&Path>,
) -> Result<(), Failure> {
    writeln!(
        out,
        "{}: {} vectors of {} dimensions, {}, {}",
        arguments.index.display(),
        HumanCount(index.len() as u64),
        index.dim(),
        index.metric(),
        BinaryBytes(index.info().bytes),
    )?;
    measure::table(out, settings, arguments.k, Some(chosen))?;
    let setting = &settings[chosen];
    let asked = setting.recall_asked.unwrap_or(RECALL);
    writeln!(
        out,
        "ask with --recall {asked}, in Python recall={asked}: {:.4} in {:.1} us",
        setting.recall, setting.mean_us
    )?;
    match written {
        Some(path) => writeln!(out, "{}: written, calibrated for such queries", path.display())?,
        None => writeln!(out, "nothing was written")?,
    }
    Ok(())
}
