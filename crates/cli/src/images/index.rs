//! `linjin images index`: the catalogue and the index brought up to date with a folder.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use indicatif::HumanCount;
use linjin_images::{Collection, IndexOptions, Progress, Stage};
use serde::Serialize;

use super::args::Index;
use super::{failed, models};
use crate::failure::Failure;
use crate::output::json_line;
use crate::output::progress::{Meter, Unit};

/// Refused files that are listed; more are counted.
const LISTED: usize = 20;

#[derive(Serialize)]
struct Report<'a> {
    folder: &'a Path,
    files: usize,
    unchanged: usize,
    embedded: usize,
    known: usize,
    moved: usize,
    gone: usize,
    failures: Vec<Refused<'a>>,
    seconds: f64,
    decode_seconds: f64,
    embed_seconds: f64,
}

/// A file that was refused, here and in `info`.
#[derive(Serialize)]
pub(super) struct Refused<'a> {
    path: std::borrow::Cow<'a, str>,
    reason: &'a str,
}

impl<'a> Refused<'a> {
    pub(super) fn list(failures: &'a [(PathBuf, String)]) -> Vec<Self> {
        failures.iter().map(|(path, reason)| Self { path: path.to_string_lossy(), reason }).collect()
    }
}

pub(super) fn run(arguments: &Index, out: &mut dyn Write) -> Result<(), Failure> {
    let pictures = match &arguments.folder {
        Some(folder) => Collection::create(folder, arguments.data.as_deref()),
        None => Collection::find(Path::new(".")),
    }
    .map_err(failed)?;
    let embedder = match &arguments.model {
        Some(name) => models::named(name)?,
        None => models::of(&pictures)?,
    };
    let meter = Mutex::new(None);
    let progress = |progress: &Progress| {
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.stage == Stage::Finishing {
            *meter = None;
        } else {
            let new = || Meter::new("indexing", Unit::Things, progress.total as u64);
            meter.get_or_insert_with(new).set(progress.done as u64);
        }
        ControlFlow::Continue(())
    };
    let options = IndexOptions {
        threads: arguments.threads,
        retry: arguments.retry,
        progress: Some(&progress),
        ..IndexOptions::default()
    };
    if !arguments.watch {
        let report = pictures.index(&*embedder, &options).map_err(failed)?;
        return told(&report, pictures.folder(), arguments.json, out);
    }
    let mut written = Ok(());
    let mut done = |report: &linjin_images::Report| {
        written = told(report, pictures.folder(), arguments.json, out).and_then(|()| Ok(out.flush()?));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    pictures.watch(&*embedder, &options, &mut done).map_err(failed)?;
    written
}

/// Says what a run did.
fn told(
    report: &linjin_images::Report,
    folder: &Path,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if json {
        return json_line(
            out,
            &Report {
                folder,
                files: report.files,
                unchanged: report.unchanged,
                embedded: report.embedded,
                known: report.known,
                moved: report.moved,
                gone: report.gone,
                failures: Refused::list(&report.failures),
                seconds: report.seconds,
                decode_seconds: report.decode_seconds,
                embed_seconds: report.embed_seconds,
            },
        );
    }
    let count = |count: usize| HumanCount(count as u64).to_string();
    write!(
        out,
        "{}: {} files, {} unchanged, {} new pictures in {:.1} s",
        folder.display(),
        count(report.files),
        count(report.unchanged),
        count(report.embedded),
        report.seconds
    )?;
    if report.embedded > 0 {
        write!(out, " ({:.1} a second)", report.embedded as f64 / report.seconds.max(1e-9))?;
    }
    let copies = report.known - report.moved;
    for (number, what) in [
        (copies, if copies == 1 { "copy" } else { "copies" }),
        (report.moved, "moved"),
        (report.gone - report.moved.min(report.gone), "gone"),
        (report.failures.len(), "refused"),
    ] {
        if number > 0 {
            write!(out, ", {} {what}", count(number))?;
        }
    }
    writeln!(out)?;
    refused(out, &report.failures)
}

/// Lists refused files, and why.
pub(super) fn refused(out: &mut dyn Write, failures: &[(PathBuf, String)]) -> Result<(), Failure> {
    if failures.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nrefused")?;
    for (path, reason) in failures.iter().take(LISTED) {
        writeln!(out, "  {}: {reason}", path.display())?;
    }
    if failures.len() > LISTED {
        writeln!(out, "  and {} more; --json lists all", failures.len() - LISTED)?;
    }
    Ok(())
}
