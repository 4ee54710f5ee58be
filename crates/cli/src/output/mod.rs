//! What is shown and written.
//!
//! | file | duty |
//! | --- | --- |
//! | `progress.rs` | a bar on a terminal, for what takes longer than a second |
//! | `table.rs` | columns with aligned numbers |
//! | `values.rs` | values of columns, as words and as JSON |
//! | `hits.rs` | what was found, as tables, lines of JSON and .npy |
//! | `vectors.rs` | vectors and ids as .npy, .fvecs and .bvecs |
//! | `svg.rs` | recall against speed, drawn |

pub(crate) mod hits;
pub(crate) mod progress;
pub(crate) mod svg;
pub(crate) mod table;
pub(crate) mod values;
pub(crate) mod vectors;

use std::io::{self, Write};
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

/// Writes the head of an .npy file: the type of an element and the shape, as NumPy writes them.
fn npy_header(out: &mut dyn Write, descr: &str, shape: &str) -> io::Result<()> {
    let mut header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length are 10 bytes; the data begins at a multiple of 64, after a line feed.
    let padding = (10 + header.len() + 1).next_multiple_of(64) - (10 + header.len() + 1);
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("two numbers are shorter than 65,535 letters");
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(header.as_bytes())
}
