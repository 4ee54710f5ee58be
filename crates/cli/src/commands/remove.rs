//! `linjin remove`: fewer vectors in an index.

use std::io::Write;
use std::time::Instant;

use linjin::index::error::UpdateError;
use linjin_columns::BesideError;

use crate::args::Remove;
use crate::change;
use crate::failure::Failure;
use crate::items::Items;
use crate::output;
use crate::read;

pub(crate) fn run(arguments: &Remove, out: &mut dyn Write) -> Result<(), Failure> {
    let path = arguments.output.as_ref().unwrap_or(&arguments.index);
    output::has_room(path)?;
    let started = Instant::now();
    let index = super::open(&arguments.index)?;
    let items = Items::of(&index, &arguments.index)?;
    let ids = match &arguments.ids {
        Some(file) => read::ids(file)?,
        None => items.numbers("--id", &arguments.id)?,
    };
    let before = index.len();
    items.beside.remove(&index, &ids).map_err(|error| match error {
        BesideError::Update(UpdateError::Unknown { id }) => {
            Failure::Run(format!("the id {id} is not in {}; nothing was removed", arguments.index.display()))
        }
        other => Failure::Run(format!("{}: {other}", arguments.index.display())),
    })?;
    change::finish(&index, path, ("removed", before - index.len()), started, arguments.json, out)
}
