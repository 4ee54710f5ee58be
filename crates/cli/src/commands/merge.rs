//! `linjin merge`: one index of several.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use linjin::index::Index;
use linjin::index::error::SearchError;
use linjin_columns::{Beside, BesideError};

use crate::args::Merge;
use crate::change;
use crate::failure::Failure;
use crate::items::Items;
use crate::output;
use crate::read::{Besides, Ids, Matrix};

pub(crate) fn run(arguments: &Merge, out: &mut dyn Write) -> Result<(), Failure> {
    output::has_room(&arguments.output)?;
    let started = Instant::now();
    let opened = arguments.indexes.iter().map(|path| super::open(path)).collect::<Result<Vec<_>, _>>()?;
    let first = &opened[0];
    for (index, path) in opened.iter().zip(&arguments.indexes) {
        alike(first, &arguments.indexes[0], index, path)?;
    }
    let items = opened.iter().zip(&arguments.indexes).map(|(index, path)| Items::of(index, path));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    // All vectors at once: they are grouped once.
    let taken = taken(&opened, &items, arguments)?;
    let mut matrix = Matrix::empty(first.dim(), first.metric());
    for &Taken { id, from, .. } in &taken {
        let path = &arguments.indexes[from];
        let vector = opened[from].get(id).map_err(|error| damaged(path, &error))?;
        let vector =
            vector.ok_or_else(|| Failure::Run(format!("{}: the vector {id} is gone", path.display())))?;
        matrix.push(vector);
    }
    let index = Index::new(first.dim(), first.metric()).map_err(|error| Failure::Run(error.to_string()))?;
    let ids = if items[0].are_named() {
        Ids::Names(taken.iter().map(|it| items[it.from].word(it.id)).collect())
    } else if arguments.renumber {
        Ids::Numbers((0..taken.len() as u64).collect())
    } else {
        Ids::Numbers(taken.iter().map(|it| it.id).collect())
    };
    let (rows, beside) = ((matrix.all(), matrix.rows()), Beside::default());
    let besides = Besides { ids: Some(ids), columns: None };
    let failed = |error: BesideError| Failure::Run(format!("{}: {error}", arguments.output.display()));
    let added = change::add((&index, &beside), rows, &besides, (arguments.threads, false), "merging");
    let added = added.map_err(failed)?;
    for (from, items) in items.iter().enumerate().filter(|(_, items)| !items.kinds().is_empty()) {
        let own = || added.iter().zip(&taken).filter(|(_, it)| it.from == from);
        let (new, old): (Vec<u64>, Vec<u64>) = own().map(|(&new, it)| (new, it.id)).unzip();
        beside.set(&index, &new, &items.take(&old)?).map_err(failed)?;
    }
    change::finish(&index, &arguments.output, ("merged", added.len()), started, arguments.json, out)
}

/// A vector that is taken.
struct Taken {
    /// Where items have names.
    name: Option<String>,
    id: u64,
    /// Which index it is of.
    from: usize,
}

fn damaged(path: &Path, error: &SearchError) -> Failure {
    Failure::search("its vectors", path, error)
}

/// Which vector comes from which index.
fn taken(indexes: &[Index], items: &[Items<'_>], arguments: &Merge) -> Result<Vec<Taken>, Failure> {
    let name = |from: usize| arguments.indexes[from].display();
    let named = items[0].are_named();
    let mut all = Vec::new();
    for (from, index) in indexes.iter().enumerate() {
        if items[from].are_named() != named && !index.is_empty() {
            return Err(Failure::Run(format!(
                "{} and {}: one has numbers as ids, the other strings",
                name(0),
                name(from)
            )));
        }
        let ids = index.ids().map_err(|error| damaged(&arguments.indexes[from], &error))?;
        all.extend(ids.into_iter().map(|id| Taken { name: named.then(|| items[from].word(id)), id, from }));
    }
    if arguments.renumber && named {
        return Err(Failure::Usage("--renumber is for ids that are numbers".to_owned()));
    }
    if arguments.renumber {
        return Ok(all);
    }
    // Of the same item the last index last.
    let key = |it: &Taken| (it.name.clone(), if named { 0 } else { it.id });
    all.sort_by_key(|it| (key(it), it.from));
    if let Some(pair) = all.windows(2).find(|pair| key(&pair[0]) == key(&pair[1]))
        && !arguments.replace
    {
        return Err(Failure::Run(format!(
            "the id {} is in {} and in {}: --replace takes the vector of the last index that has it, --renumber gives \
             all vectors new ids",
            items[pair[0].from].word(pair[0].id),
            name(pair[0].from),
            name(pair[1].from)
        )));
    }
    all.reverse();
    all.dedup_by_key(|it| key(it));
    all.reverse();
    Ok(all)
}

/// Indexes of one dimension and metric.
fn alike(first: &Index, first_path: &Path, index: &Index, path: &Path) -> Result<(), Failure> {
    if (first.dim(), first.metric()) == (index.dim(), index.metric()) {
        return Ok(());
    }
    Err(Failure::Run(format!(
        "{} has {} dimensions, {}, and {} has {}, {}: only indexes of one dimension and metric can be merged",
        first_path.display(),
        first.dim(),
        first.metric(),
        path.display(),
        index.dim(),
        index.metric()
    )))
}
