//! `linjin info`: what an index is made of.

use std::io::Write;
use std::path::Path;

use indicatif::{BinaryBytes, HumanCount};
use linjin::index::Info;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args;
use crate::failure::Failure;
use crate::items::Items;
use crate::output::{json_line, table};

/// What is told of an index, here and by `verify`.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    index: &'a Path,
    vectors: usize,
    dim: usize,
    metric: &'static str,
    stored_as: &'static str,
    bytes: u64,
    mapped: u64,
    leaves: usize,
    graph: bool,
    memory: &'static str,
    generation: u64,
    journal: u64,
    recovered: Option<Recovered>,
    curve: Vec<Point>,
}

/// The same with what is known of the items, which takes reading all of that.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    report: Report<'a>,
    ids: &'static str,
    /// Their types.
    columns: Map<String, Value>,
}

/// What was found in the journal.
#[derive(Serialize)]
struct Recovered {
    commits: u64,
    changes: u64,
    torn: u64,
}

#[derive(Serialize)]
struct Point {
    ef: usize,
    recall: f32,
}

impl<'a> Report<'a> {
    pub(super) fn new(index: &'a Path, info: &Info) -> Self {
        Self {
            index,
            vectors: info.len,
            dim: info.dim,
            metric: info.metric.name(),
            stored_as: info.stored_as,
            bytes: info.bytes,
            mapped: info.mapped,
            leaves: info.leaves,
            graph: info.graph,
            memory: info.memory.name(),
            generation: info.generation,
            journal: info.journal,
            recovered: info.recovered.map(|it| Recovered {
                commits: it.commits,
                changes: it.changes,
                torn: it.torn,
            }),
            curve: info.curve.iter().map(|&(ef, recall)| Point { ef, recall }).collect(),
        }
    }
}

pub(crate) fn run(arguments: &args::Info, out: &mut dyn Write) -> Result<(), Failure> {
    let index = super::open(&arguments.index)?;
    let report = Report::new(&arguments.index, &index.info());
    let items = Items::of(&index, &arguments.index)?;
    let columns = items.kinds();
    if arguments.json {
        let ids = if items.are_named() { "text" } else { "uint64" };
        return json_line(
            out,
            &Whole {
                report,
                ids,
                columns: columns.into_iter().map(|(name, kind)| (name, kind.into())).collect(),
            },
        );
    }
    let leaves = match report.leaves {
        0 => "none: every search compares all vectors".to_owned(),
        leaves => HumanCount(leaves as u64).to_string(),
    };
    table::facts(
        out,
        &[
            ("index", report.index.display().to_string()),
            ("vectors", HumanCount(report.vectors as u64).to_string()),
            ("dimensions", HumanCount(report.dim as u64).to_string()),
            ("metric", report.metric.to_owned()),
            ("stored as", report.stored_as.to_owned()),
            ("size", BinaryBytes(report.bytes).to_string()),
            ("mapped", BinaryBytes(report.mapped).to_string()),
            ("leaves", leaves),
            ("memory", report.memory.to_owned()),
            ("graph", if report.graph { "yes: searches walk on it" } else { "none" }.to_owned()),
        ],
    )?;
    if items.are_named() {
        table::facts(out, &[("ids", "strings".to_owned())])?;
    }
    if !columns.is_empty() {
        let words: Vec<_> = columns.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
        table::facts(out, &[("columns", words.join(", "))])?;
    }
    if let Some(Recovered { commits, changes, torn }) = &report.recovered {
        let of = |n: u64| HumanCount(n).to_string();
        table::facts(
            out,
            &[
                ("commits", of(report.generation)),
                ("in journal", format!("{} commits, {} vectors changed", of(*commits), of(*changes))),
                ("journal", BinaryBytes(report.journal).to_string()),
                ("uncommitted", BinaryBytes(*torn).to_string()),
            ],
        )?;
    }
    if !report.curve.is_empty() {
        writeln!(out, "\nrecall@10 on a sample of its own vectors")?;
        let row = |point: &Point| [point.ef.to_string(), format!("{:.4}", point.recall)];
        let rows: Vec<_> = report.curve.iter().map(row).collect();
        table::columns(out, &["ef", "recall"], &rows)?;
    }
    Ok(())
}
