//! `linjin images info`: what a collection holds.

use std::io::Write;
use std::path::Path;

use indicatif::{BinaryBytes, HumanCount};
use serde::Serialize;

use super::args::Info;
use super::index::{Refused, refused};
use super::{failed, open};
use crate::failure::Failure;
use crate::output::{json_line, table};

#[derive(Serialize)]
struct Report<'a> {
    folder: &'a Path,
    data: &'a Path,
    pictures: u64,
    files: u64,
    bytes: u64,
    data_bytes: u64,
    model: Option<&'a str>,
    dim: usize,
    random_pair: f32,
    failures: Vec<Refused<'a>>,
}

pub(super) fn run(arguments: &Info, out: &mut dyn Write) -> Result<(), Failure> {
    let info = open(&arguments.collection)?.info().map_err(failed)?;
    if arguments.json {
        return json_line(
            out,
            &Report {
                folder: &info.folder,
                data: &info.data,
                pictures: info.pictures,
                files: info.files,
                bytes: info.bytes,
                data_bytes: info.data_bytes,
                model: info.model.as_deref(),
                dim: info.dim,
                random_pair: info.random_pair,
                failures: Refused::list(&info.failures),
            },
        );
    }
    let unrelated = match info.random_pair {
        1.0.. => "not known yet: too few pictures".to_owned(),
        score => format!("score below {score:.2} in 99 of 100 pairs"),
    };
    table::facts(
        out,
        &[
            ("folder", info.folder.display().to_string()),
            ("data", format!("{} ({})", info.data.display(), BinaryBytes(info.data_bytes))),
            ("pictures", HumanCount(info.pictures).to_string()),
            ("files", format!("{} ({})", HumanCount(info.files), BinaryBytes(info.bytes))),
            ("model", info.model.unwrap_or_else(|| "none: indexing was not complete yet".to_owned())),
            ("dimensions", info.dim.to_string()),
            ("unrelated", unrelated),
        ],
    )?;
    refused(out, &info.failures)
}
