//! `linjin verify`: whether all of an index is as it was written; and what can be saved of one that is not.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use indicatif::{BinaryBytes, HumanCount};
use linjin::index::Index;
use serde::Serialize;

use super::info::Report;
use crate::args::Verify;
use crate::failure::Failure;
use crate::output::{self, json_line};

#[derive(Serialize)]
struct Sound<'a> {
    sound: bool,
    #[serde(flatten)]
    report: Report<'a>,
    seconds: f64,
}

#[derive(Serialize)]
struct Saved<'a> {
    index: &'a Path,
    sound: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    salvaged: &'a Path,
    kept: usize,
    lost: usize,
}

pub(crate) fn run(arguments: &Verify, out: &mut dyn Write) -> Result<(), Failure> {
    let path = &arguments.index;
    if let Some(to) = &arguments.salvage {
        return salvage(path, to, arguments.json, out);
    }
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

fn salvage(path: &Path, to: &Path, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    output::has_room(to)?;
    let damage = Index::verify(path).err().map(|error| error.to_string());
    let salvaged = Index::salvage(path, to).map_err(|error| Failure::index(path, &error))?;
    let (kept, lost) = (salvaged.kept, salvaged.lost);
    if json {
        let sound = damage.is_none();
        return json_line(out, &Saved { index: path, sound, damage, salvaged: to, kept, lost });
    }
    let state = damage.as_deref().unwrap_or("sound");
    let (kept, lost) = (HumanCount(kept as u64), HumanCount(lost as u64));
    writeln!(out, "{}: {state}; {kept} vectors are in {}, {lost} are lost", path.display(), to.display())?;
    Ok(())
}
