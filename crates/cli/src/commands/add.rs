//! `linjin add`: more vectors in an index.

use std::io::Write;
use std::time::Instant;

use linjin::index::error::UpdateError;
use linjin_columns::{Beside, BesideError};

use crate::args::Add;
use crate::change;
use crate::failure::Failure;
use crate::output;
use crate::queries::Queries;
use crate::read;

pub(crate) fn run(arguments: &Add, out: &mut dyn Write) -> Result<(), Failure> {
    let path = arguments.output.as_ref().unwrap_or(&arguments.index);
    output::has_room(path)?;
    let started = Instant::now();
    let index = super::open(&arguments.index)?;
    let dataset = arguments.dataset.as_deref().unwrap_or("train");
    let rows = Queries::of_file(&arguments.vectors, dataset, None, &index, &arguments.index)?.matrix;
    let asked = (arguments.ids.as_deref(), arguments.columns.as_deref());
    let besides = read::besides(&arguments.vectors, dataset, asked, rows.rows())?;
    let (beside, options) = (Beside::default(), (arguments.threads, arguments.replace));
    let matrix = (rows.all(), rows.rows());
    let added = change::add((&index, &beside), matrix, &besides, options, "adding").map_err(
        |error| match (&error, &arguments.ids) {
            (BesideError::Update(UpdateError::Exists { row, id }), Some(file))
                if index.contains(*id).is_ok_and(|it| it) =>
            {
                Failure::Run(format!(
                    "{}: row {row}: the id {id} is in {} already; --replace puts the new vector in its place",
                    file.display(),
                    arguments.index.display()
                ))
            }
            _ => Failure::add(&arguments.vectors, arguments.ids.as_deref(), &error),
        },
    )?;
    change::finish(&index, path, ("added", added.len()), started, arguments.json, out)
}
