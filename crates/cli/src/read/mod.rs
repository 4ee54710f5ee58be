//! Vectors, ids and filters from files.
//!
//! | file | duty |
//! | --- | --- |
//! | `element.rs` | the numbers that files hold |
//! | `rows.rs` | vectors as read, and as an index takes them |
//! | `npy.rs` | NumPy's arrays |
//! | `vecs.rs` | .fvecs, .bvecs and .ivecs |
//! | `hdf5.rs` | the files of ann-benchmarks |
//! | `arrow.rs` | tables of Arrow and Parquet |
//! | `besides.rs` | ids and columns that come with vectors |
//!
//! A file may hold anything: sizes are compared with the length of the file before memory is asked for, and every
//! number is looked at before it is used.

mod arrow;
mod besides;
mod element;
mod hdf5;
mod npy;
mod rows;
mod vecs;

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::Path;

use linjin::index::{Filter, NO_ID};

use crate::failure::Failure;
pub(crate) use besides::{Besides, Ids, besides};
use element::{Element, Kind};
pub(crate) use rows::{Matrix, Rows};

/// What is wrong with a file, to be told with its name.
#[derive(Debug)]
enum Fault {
    /// It could not be read.
    Io(io::Error),
    /// It was read, and is not what it should be.
    Bad(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn bad<T>(what: impl Display) -> Result<T, Fault> {
    Err(Fault::Bad(what.to_string()))
}

/// A table of numbers in a file, opened but not yet read.
trait Source {
    /// What the numbers are.
    fn kind(&self) -> Kind;
    /// How many there are along each axis.
    fn shape(&self) -> &[u64];
    /// Hands all numbers over, row by row.
    fn read<S: Sink>(self, sink: &mut S) -> Result<(), Fault>;
}

/// Takes numbers.
trait Sink {
    /// So many will come.
    fn expect(&mut self, count: usize) -> Result<(), Fault>;
    /// Here are some.
    fn take<T: Element>(&mut self, numbers: &[T]) -> Result<(), Fault>;
}

/// Room for `count` more, or an error instead of the end of the process.
fn reserve<T>(vec: &mut Vec<T>, count: usize) -> Result<(), Fault> {
    vec.try_reserve_exact(count).map_err(|_| Fault::Io(io::ErrorKind::OutOfMemory.into()))
}

/// Opens a regular file, with its length.
fn open(path: &Path) -> Result<(File, u64), Fault> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    match about.is_file() {
        true => Ok((file, about.len())),
        false => Err(Fault::Io(io::Error::other(
            "not a regular file; what comes through a pipe has to be saved first",
        ))),
    }
}

/// Reads a table into the sink that `plan` makes for numbers of a kind and a shape.
fn load<S: Sink>(
    path: &Path,
    dataset: &str,
    plan: impl FnOnce(Kind, &[u64]) -> Result<S, Fault>,
) -> Result<S, Failure> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let read = match extension.as_deref() {
        Some("npy") => npy::Npy::open(path).and_then(|source| fill(source, plan)),
        Some("fvecs") => vecs::Vecs::open(path, Kind::F32).and_then(|source| fill(source, plan)),
        Some("bvecs") => vecs::Vecs::open(path, Kind::U8).and_then(|source| fill(source, plan)),
        Some("ivecs") => vecs::Vecs::open(path, Kind::I32).and_then(|source| fill(source, plan)),
        Some("arrow" | "parquet") => arrow::Table::open(path, dataset).and_then(|source| fill(source, plan)),
        Some("hdf5" | "h5") => hdf5::Hdf5::open(path, dataset).and_then(|source| fill(source, plan)),
        _ => {
            return Err(Failure::Usage(format!(
                "{}: the name has to end in .npy, .fvecs, .bvecs, .ivecs, .hdf5, .h5, .arrow or .parquet",
                path.display()
            )));
        }
    };
    read.map_err(|fault| match fault {
        Fault::Io(error) => Failure::io(path, &error),
        Fault::Bad(what) => Failure::file(path, what),
    })
}

fn fill<S: Sink>(
    source: impl Source,
    plan: impl FnOnce(Kind, &[u64]) -> Result<S, Fault>,
) -> Result<S, Fault> {
    let mut sink = plan(source.kind(), source.shape())?;
    let count = source.shape().iter().try_fold(1_u64, |count, &axis| count.checked_mul(axis));
    match count.and_then(|count| usize::try_from(count).ok()) {
        Some(count) => sink.expect(count)?,
        None => return bad(format_args!("an array of shape {} is too large", Shape(source.shape()))),
    }
    source.read(&mut sink)?;
    Ok(sink)
}

/// Reads vectors, one a row. `dataset` is where they are in an .hdf5 file.
pub(crate) fn vectors(path: &Path, dataset: &str) -> Result<Rows, Failure> {
    load(path, dataset, |kind, shape| match *shape {
        [0, _] => bad("there are no vectors in it"),
        [_, columns] if columns > 0 => match usize::try_from(columns) {
            Ok(columns) => Ok(Rows::new(columns, kind)),
            Err(_) => bad(format_args!("vectors of {columns} values are too large")),
        },
        _ => bad(format_args!("an array of shape {}, where (vectors, values) is needed", Shape(shape))),
    })
}

/// Reads ids, one for each vector.
pub(crate) fn ids(path: &Path) -> Result<Vec<u64>, Failure> {
    load(path, "ids", |kind, shape| list(shape).and_then(|()| Numbers::new(kind, 1, false)))
        .map(|ids| ids.values)
}

/// Reads the ids that may be found: a list of them, or a truth value for each id from 0.
pub(crate) fn filter(path: &Path) -> Result<Filter, Failure> {
    load(path, "ids", |kind, shape| {
        list(shape)?;
        Ok(match kind {
            Kind::Bool => Filtering::Mask(Vec::new()),
            kind => Filtering::Ids(Numbers::new(kind, 1, false)?),
        })
    })
    .map(|read| match read {
        Filtering::Ids(ids) => Filter::Ids(ids.values),
        Filtering::Mask(mask) => Filter::from_mask(&mask),
    })
}

/// Reads ids of true neighbours, a row for each query; −1 stands for none. Returns ids a row, and ids.
pub(crate) fn neighbours(path: &Path) -> Result<(usize, Vec<u64>), Failure> {
    let read = load(path, "neighbors", |kind, shape| match *shape {
        [rows, columns] if rows > 0 && columns > 0 => match usize::try_from(columns) {
            Ok(columns) => Numbers::new(kind, columns, true),
            Err(_) => bad(format_args!("rows of {columns} ids are too large")),
        },
        _ => bad(format_args!("an array of shape {}, where (queries, neighbours) is needed", Shape(shape))),
    })?;
    Ok((read.columns, read.values))
}

/// Whether the file is one that carries queries and truth together.
pub(crate) fn carries_truth(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("hdf5") || extension.eq_ignore_ascii_case("h5")
    })
}

/// What an .hdf5 file says of how distance is measured, in the words of ann-benchmarks.
pub(crate) fn distance(path: &Path) -> Option<String> {
    if carries_truth(path) { hdf5::distance(path) } else { None }
}

fn list(shape: &[u64]) -> Result<(), Fault> {
    match shape {
        [_] | [_, 1] => Ok(()),
        _ => bad(format_args!("an array of shape {}, where a list is needed", Shape(shape))),
    }
}

/// Whole numbers, as ids.
struct Numbers {
    columns: usize,
    /// Whether −1 may stand for none.
    gaps: bool,
    values: Vec<u64>,
}

impl Numbers {
    fn new(kind: Kind, columns: usize, gaps: bool) -> Result<Self, Fault> {
        match kind.is_whole() {
            true => Ok(Self { columns, gaps, values: Vec::new() }),
            false => bad(format_args!("numbers of the type {kind}, where ids (whole numbers) are needed")),
        }
    }
}

impl Sink for Numbers {
    fn expect(&mut self, count: usize) -> Result<(), Fault> {
        reserve(&mut self.values, count)
    }

    fn take<T: Element>(&mut self, numbers: &[T]) -> Result<(), Fault> {
        for number in numbers {
            let number = number.whole();
            self.values.push(match u64::try_from(number) {
                Ok(id) if id != NO_ID => id,
                Err(_) if number == -1 && self.gaps => NO_ID,
                _ => {
                    let row = self.values.len() / self.columns;
                    return bad(format_args!(
                        "row {row}: {number} is no id; ids are from 0 to 18446744073709551614"
                    ));
                }
            });
        }
        Ok(())
    }
}

/// Ids that may be found, as they stand in a file.
enum Filtering {
    Ids(Numbers),
    Mask(Vec<bool>),
}

impl Sink for Filtering {
    fn expect(&mut self, count: usize) -> Result<(), Fault> {
        match self {
            Self::Ids(ids) => ids.expect(count),
            Self::Mask(mask) => reserve(mask, count),
        }
    }

    fn take<T: Element>(&mut self, numbers: &[T]) -> Result<(), Fault> {
        match self {
            Self::Ids(ids) => ids.take(numbers)?,
            Self::Mask(mask) => mask.extend(numbers.iter().map(|number| number.whole() != 0)),
        }
        Ok(())
    }
}

/// A shape as NumPy writes it.
struct Shape<'a>(&'a [u64]);

impl Display for Shape<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [one] => write!(f, "({one},)"),
            axes => write!(f, "({})", axes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}
