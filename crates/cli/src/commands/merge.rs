//! `linjin merge`: one index of several.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use linjin::index::Index;
use linjin::index::error::{SearchError, UpdateError};

use crate::args::Merge;
use crate::change;
use crate::failure::Failure;
use crate::output;
use crate::read::Matrix;

pub(crate) fn run(arguments: &Merge, out: &mut dyn Write) -> Result<(), Failure> {
    output::has_room(&arguments.output)?;
    let started = Instant::now();
    let opened = arguments.indexes.iter().map(|path| super::open(path)).collect::<Result<Vec<_>, _>>()?;
    let first = &opened[0];
    for (index, path) in opened.iter().zip(&arguments.indexes) {
        alike(first, &arguments.indexes[0], index, path)?;
    }
    // All vectors at once: they are grouped once.
    let taken = taken(&opened, arguments)?;
    let mut matrix = Matrix::empty(first.dim(), first.metric());
    let mut ids = Vec::with_capacity(taken.len());
    for &(id, from) in &taken {
        let path = &arguments.indexes[from];
        let vector = opened[from].get(id).map_err(|error| damaged(path, &error))?;
        let vector =
            vector.ok_or_else(|| Failure::Run(format!("{}: the vector {id} is gone", path.display())))?;
        matrix.push(vector);
        ids.push(if arguments.renumber { ids.len() as u64 } else { id });
    }
    let index = Index::new(first.dim(), first.metric()).map_err(|error| Failure::Run(error.to_string()))?;
    let rows = (matrix.all(), matrix.rows());
    change::add(&index, rows, Some(&ids), (arguments.threads, false), "merging")
        .map_err(|error: UpdateError| Failure::Run(format!("{}: {error}", arguments.output.display())))?;
    change::finish(&index, &arguments.output, ("merged", ids.len()), started, arguments.json, out)
}

fn damaged(path: &Path, error: &SearchError) -> Failure {
    Failure::search("its vectors", path, error)
}

/// Which vector comes from which index.
fn taken(indexes: &[Index], arguments: &Merge) -> Result<Vec<(u64, usize)>, Failure> {
    let mut all = Vec::new();
    for (from, index) in indexes.iter().enumerate() {
        let ids = index.ids().map_err(|error| damaged(&arguments.indexes[from], &error))?;
        all.extend(ids.into_iter().map(|id| (id, from)));
    }
    if arguments.renumber {
        return Ok(all);
    }
    // By id; of the same id the last index last.
    all.sort_unstable();
    if let Some(pair) = all.windows(2).find(|pair| pair[0].0 == pair[1].0)
        && !arguments.replace
    {
        let name = |from: usize| arguments.indexes[from].display();
        return Err(Failure::Run(format!(
            "the id {} is in {} and in {}: --replace takes the vector of the last index that has it, --renumber gives \
             all vectors new ids",
            pair[0].0,
            name(pair[0].1),
            name(pair[1].1)
        )));
    }
    all.reverse();
    all.dedup_by_key(|(id, _)| *id);
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
