//! `linjin images duplicates`: files that hold the same picture. Only tells.

use std::io::Write;
use std::path::Path;

use indicatif::{BinaryBytes, HumanCount};
use linjin_images::{Copy, Group, Keep, Likeness, Orientation};
use serde::Serialize;

use super::args::{self, Duplicates};
use super::show::{self, Paths};
use super::{failed, filter, open};
use crate::failure::Failure;
use crate::output::json_line;

/// A group, as JSON.
#[derive(Serialize)]
struct Line {
    keep: File,
    copies: Vec<File>,
}

#[derive(Serialize)]
struct File {
    path: String,
    width: u32,
    height: u32,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    likeness: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f32>,
}

pub(super) fn run(arguments: &Duplicates, out: &mut dyn Write) -> Result<(), Failure> {
    let pictures = open(&arguments.collection)?;
    let keep = match arguments.keep {
        args::Keep::Largest => Keep::Largest,
        args::Keep::Oldest => Keep::Oldest,
        args::Keep::Newest => Keep::Newest,
    };
    let filter = filter(&arguments.filter, &pictures)?;
    let groups = pictures.duplicates(!arguments.exact, keep, &filter).map_err(failed)?;
    let paths = Paths::new(pictures.folder());
    if let Some(end) = show::end(&arguments.form) {
        for copy in groups.iter().flat_map(|group| &group.copies[1..]) {
            paths.write(out, &copy.file.path, end)?;
        }
        return Ok(());
    }
    if arguments.form.json {
        return groups.iter().try_for_each(|group| json_line(out, &line(group, &paths)));
    }
    for group in &groups {
        for copy in &group.copies {
            let pixels = format!("{} x {}", copy.width, copy.height);
            write!(out, "{:>10}  {pixels:>11}  {:>10}  ", words(copy.likeness), size(copy))?;
            paths.write(out, &copy.file.path, b'\n')?;
        }
        writeln!(out)?;
    }
    let copies: usize = groups.iter().map(|group| group.copies.len() - 1).sum();
    let bytes = groups.iter().flat_map(|group| &group.copies[1..]).map(|copy| copy.file.bytes).sum();
    writeln!(
        out,
        "{} groups, {} copies beside the ones to keep, {}; nothing was changed",
        HumanCount(groups.len() as u64),
        HumanCount(copies as u64),
        BinaryBytes(bytes)
    )?;
    Ok(())
}

fn size(copy: &Copy) -> String {
    BinaryBytes(copy.file.bytes).to_string()
}

fn line(group: &Group, paths: &Paths) -> Line {
    let path = |path: &Path| paths.path(path).to_string_lossy().into_owned();
    let file = |copy: &Copy| File {
        path: path(&copy.file.path),
        width: copy.width,
        height: copy.height,
        bytes: copy.file.bytes,
        likeness: (copy.likeness != Likeness::Kept).then(|| words(copy.likeness)),
        similarity: (copy.likeness != Likeness::Kept).then_some(copy.similarity),
    };
    Line { keep: file(&group.copies[0]), copies: group.copies[1..].iter().map(file).collect() }
}

/// In a word.
fn words(likeness: Likeness) -> &'static str {
    match likeness {
        Likeness::Kept => "keep",
        Likeness::Same => "same",
        Likeness::Resized => "resized",
        Likeness::Turned(Orientation::Turned90 | Orientation::Turned180 | Orientation::Turned270) => "turned",
        Likeness::Turned(_) => "mirrored",
    }
}
