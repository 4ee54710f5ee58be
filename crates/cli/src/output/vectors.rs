//! Vectors and ids as .npy, .fvecs and .bvecs: a file that is there whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::npy_header;
use crate::failure::Failure;
use crate::output::progress::{Meter, Unit};
use crate::read::Matrix;

/// Whether the name ends as that of a file that can be written.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    match ending(path).as_str() {
        "npy" | "fvecs" | "bvecs" => Ok(()),
        _ => Err(Failure::Usage(format!(
            "{}: the name has to end in .linjin, .ann, .annoy, .npy, .fvecs or .bvecs",
            path.display()
        ))),
    }
}

/// Writes vectors: float32, or for bits uint8 with eight in each.
pub(crate) fn write(path: &Path, matrix: &Matrix) -> Result<(), Failure> {
    let ending = ending(path);
    match (matrix, ending.as_str()) {
        (Matrix::Floats { .. }, "bvecs") => {
            return Err(Failure::Usage(format!(
                "{}: .bvecs holds bits; take .fvecs or .npy",
                path.display()
            )));
        }
        (Matrix::Bits { .. }, "fvecs") => {
            return Err(Failure::Usage(format!(
                "{}: .fvecs holds floats; take .bvecs or .npy",
                path.display()
            )));
        }
        _ => {}
    }
    let meter = Meter::new("writing", Unit::Things, matrix.rows() as u64);
    whole(path, |out| {
        let (descr, width) = match matrix {
            Matrix::Floats { dim, .. } => ("<f4", *dim),
            Matrix::Bits { dim, .. } => ("|u1", dim.div_ceil(8)),
        };
        if ending == "npy" {
            npy_header(out, &format!("'{descr}'"), &format!("({}, {width})", matrix.rows()))?;
        }
        for row in 0..matrix.rows() {
            if ending != "npy" {
                out.write_all(&(width as i32).to_le_bytes())?;
            }
            match matrix {
                Matrix::Floats { floats, .. } => {
                    floats[row * width..][..width]
                        .iter()
                        .try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
                }
                Matrix::Bits { bytes, .. } => out.write_all(&bytes[row * width..][..width])?,
            }
            meter.set(row as u64);
        }
        Ok(())
    })
}

/// Writes ids as uint64.
pub(crate) fn write_ids(path: &Path, ids: &[u64]) -> Result<(), Failure> {
    if ending(path) != "npy" {
        return Err(Failure::Usage(format!("{}: the name has to end in .npy", path.display())));
    }
    whole(path, |out| {
        npy_header(out, "'<u8'", &format!("({},)", ids.len()))?;
        ids.iter().try_for_each(|id| out.write_all(&id.to_le_bytes()))
    })
}

/// Writes a file beside its place first.
fn whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
    let done = builder.prefix(".linjin-").tempfile_in(folder).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        let file: NamedTempFile = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    });
    done.map_err(|error| Failure::io(path, &error))
}

fn ending(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}
