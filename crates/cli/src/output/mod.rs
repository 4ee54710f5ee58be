//! What is shown and written.
//!
//! | file | duty |
//! | --- | --- |
//! | `progress.rs` | a bar on a terminal, for what takes longer than a second |
//! | `table.rs` | columns with aligned numbers |
//! | `hits.rs` | what was found, as tables, lines of JSON and .npy |
//! | `svg.rs` | recall against speed, drawn |

pub(crate) mod hits;
pub(crate) mod progress;
pub(crate) mod svg;
pub(crate) mod table;

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;

/// Writes a value as one line of JSON.
pub(crate) fn json_line(out: &mut dyn Write, value: &impl Serialize) -> Result<(), Failure> {
    // To memory first: what comes from the writer then stays an error of the writer.
    let text = serde_json::to_string(value).map_err(|error| Failure::Run(format!("no JSON: {error}")))?;
    Ok(writeln!(out, "{text}")?)
}

/// Whether the folder of a file to be written is there: asked before the work, not after it.
pub(crate) fn has_room(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.is_dir() {
        true => Ok(()),
        false => Err(Failure::Run(format!(
            "{}: the folder {} is not there; make it first",
            path.display(),
            folder.display()
        ))),
    }
}
