//! `linjin search`: the nearest neighbours of vectors.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use indicatif::HumanCount;
use linjin::index::{HitsBatch, Index};

use crate::args::Search;
use crate::effort;
use crate::failure::Failure;
use crate::items::Items;
use crate::output::{self, hits};
use crate::queries::{Allowed, Names, Queries, answer};
use crate::read;

#[derive(Clone, Copy)]
enum Format {
    Npy,
    JsonLines,
}

pub(crate) fn run(arguments: &Search, out: &mut dyn Write) -> Result<(), Failure> {
    let output_file =
        arguments.output.as_deref().map(|path| format(path).map(|format| (path, format))).transpose()?;
    if let Some((path, _)) = output_file {
        output::has_room(path)?;
    }
    let index = super::open(&arguments.index)?;
    let items = Items::of(&index, &arguments.index)?;
    let (queries, names) = queries(arguments, &index, &items)?;
    let listed = arguments.filter_ids.as_deref().map(read::filter).transpose()?;
    let expressed = arguments.filter.as_deref().map(|expression| items.filter(expression)).transpose()?;
    let filter = expressed.as_deref().or(listed.as_ref());
    let search = linjin::index::Search {
        effort: effort::of(&arguments.effort),
        threads: arguments.threads,
        ..linjin::index::Search::new(arguments.k)
    };
    let started = Instant::now();
    let found =
        answer(&index, &queries.matrix, &search, filter.map_or(Allowed::All, Allowed::Same), "searching")
            .map_err(|error| Failure::search(&queries.from, &arguments.index, &error))?;
    let seconds = started.elapsed().as_secs_f64();

    let Some((path, format)) = output_file else {
        return match arguments.json {
            true => hits::json(out, &found, &names, &items),
            false => hits::tables(out, &found, &names, &items),
        };
    };
    write(path, format, &found, (&names, &items))?;
    if arguments.json {
        return hits::json(out, &found, &names, &items);
    }
    let count = found.counts.len();
    writeln!(
        out,
        "{}: {} neighbours of {} queries, {}, found in {seconds:.1} s ({} queries a second)",
        path.display(),
        HumanCount(found.counts.iter().sum::<usize>() as u64),
        HumanCount(count as u64),
        effort::words(search.effort),
        HumanCount((count as f64 / seconds.max(1e-9)) as u64),
    )?;
    Ok(())
}

fn queries(arguments: &Search, index: &Index, items: &Items<'_>) -> Result<(Queries, Names), Failure> {
    let path = &arguments.index;
    if let Some(file) = &arguments.queries {
        let dataset = arguments.dataset.as_deref().unwrap_or("test");
        let queries = Queries::of_file(file, dataset, arguments.limit, index, path)?;
        return Ok((queries, Names::Numbers));
    }
    if arguments.id.is_empty() {
        return Ok((Queries::of_text(&arguments.vector, index, path)?, Names::Numbers));
    }
    let ids = items.numbers("--id", &arguments.id)?;
    Ok((Queries::of_ids(&ids, index, path)?, Names::Ids(ids)))
}

fn format(path: &Path) -> Result<Format, Failure> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("npy") => Ok(Format::Npy),
        Some("jsonl") => Ok(Format::JsonLines),
        _ => Err(Failure::Usage(format!("{}: the name has to end in .npy or .jsonl", path.display()))),
    }
}

fn write(
    path: &Path,
    format: Format,
    found: &HitsBatch,
    (names, items): (&Names, &Items<'_>),
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io(path, &error);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    match format {
        Format::Npy => hits::npy(&mut file, found).map_err(failed)?,
        Format::JsonLines => hits::json(&mut file, found, names, items)?,
    }
    file.flush().map_err(failed)
}
