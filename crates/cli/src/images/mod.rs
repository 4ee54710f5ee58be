//! `linjin images`: pictures in folders.
//!
//! | file | duty |
//! | --- | --- |
//! | `args.rs` | what can be typed |
//! | `index.rs` | the catalogue brought up to date |
//! | `search.rs` | pictures like a query; `search` and `similar` |
//! | `duplicates.rs` | copies of one picture |
//! | `info.rs` | what a collection holds |
//! | `model.rs` | models brought in, and what there is |
//! | `models.rs` | where they lie, and which one a collection wants |
//! | `show.rs` | paths, as the current folder sees them |

pub(crate) mod args;
mod duplicates;
mod index;
mod info;
mod model;
pub(crate) mod models;
mod search;
mod show;

use std::io::Write;
use std::path::Path;

use linjin_images::Collection;
use linjin_images::error::CollectionError;

use crate::failure::Failure;
use args::Command;

/// Does what was typed.
pub(crate) fn run(command: &Command, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Index(arguments) => index::run(arguments, out),
        Command::Search(arguments) => search::run(arguments, out),
        Command::Similar(arguments) => search::similar(arguments, out),
        Command::Duplicates(arguments) => duplicates::run(arguments, out),
        Command::Info(arguments) => info::run(arguments, out),
        Command::Model(command) => model::run(command, out),
    }
}

/// The collection that was named, or the one around the current folder.
fn open(named: &args::Collection) -> Result<Collection, Failure> {
    let opened = match &named.at {
        Some(path) => Collection::open(path),
        None => Collection::find(Path::new(".")),
    };
    opened.map_err(failed)
}

/// What was asked for, with the folder as the collection names it.
fn filter(typed: &args::Filter, pictures: &Collection) -> Result<linjin_images::Filter, Failure> {
    let folder = typed.folder.as_deref().map(|folder| inside(folder, pictures)).transpose()?;
    let (after, before) = (typed.after.clone(), typed.before.clone());
    let (min_side, max_side) = (typed.min_side, typed.max_side);
    let (min_bytes, max_bytes) = (typed.min_bytes, typed.max_bytes);
    Ok(linjin_images::Filter {
        folder,
        name: typed.name.clone(),
        after,
        before,
        min_side,
        max_side,
        min_bytes,
        max_bytes,
    })
}

/// A folder, as typed from the current one or from the collection's.
fn inside(folder: &Path, pictures: &Collection) -> Result<std::path::PathBuf, Failure> {
    let root = pictures.folder();
    let places = [folder.to_owned(), root.join(folder)];
    let found = places.iter().filter_map(|place| place.canonicalize().ok()).find_map(|place| {
        let below = place.strip_prefix(root).ok()?;
        place.is_dir().then(|| below.to_owned())
    });
    found.ok_or_else(|| {
        Failure::Usage(format!("{}: no folder of the collection {}", folder.display(), root.display()))
    })
}

pub(crate) fn failed(error: CollectionError) -> Failure {
    match error {
        CollectionError::Catalogue { .. }
        | CollectionError::Version { .. }
        | CollectionError::Index { .. } => Failure::File(error.to_string()),
        CollectionError::Query(_) | CollectionError::NotIndexed => Failure::Usage(error.to_string()),
        other => Failure::Run(other.to_string()),
    }
}
