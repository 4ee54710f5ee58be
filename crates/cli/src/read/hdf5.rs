//! The files of ann-benchmarks: `train`, `test` and `neighbors`, and the attribute `distance`.

use std::path::Path;

use hdf5_reader::{Dataset, Datatype, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem};

use super::element::{Element, Kind};
use super::{Fault, Sink, Source, bad, open};
use crate::output::progress::{Meter, Unit};

/// Numbers that are read at once.
const PIECE: u64 = 1 << 20;
/// No more than this can come out of a byte of a file: what deflate reaches on zeros.
const LARGEST_RATIO: u64 = 1_032;

/// A table of a file.
#[derive(Debug)]
pub(super) struct Hdf5 {
    dataset: Data,
    kind: Kind,
    shape: Vec<u64>,
}

/// The dataset, which has no `Debug` of its own.
struct Data(Dataset);

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

fn fault(error: hdf5_reader::error::Error) -> Fault {
    match error {
        hdf5_reader::error::Error::Io(error) => Fault::Io(error),
        hdf5_reader::error::Error::InvalidMagic => Fault::Bad("this is no HDF5 file".to_owned()),
        other => Fault::Bad(other.to_string()),
    }
}

/// Opens a file; what it can make a reader allocate is bounded by its length.
fn file(path: &Path) -> Result<(Hdf5File, u64), Fault> {
    let (_, bytes) = open(path)?;
    let most = bytes.saturating_mul(LARGEST_RATIO);
    let options = OpenOptions::default().with_max_read_bytes(usize::try_from(most).unwrap_or(usize::MAX));
    let file = Hdf5File::open_with_options(path, options).map_err(fault)?;
    match file.superblock().eof_address {
        end if end <= bytes => Ok((file, most)),
        end => bad(format_args!("it should have {end} bytes and has {bytes}; the file is truncated")),
    }
}

/// The attribute `distance` of a file.
pub(super) fn distance(path: &Path) -> Option<String> {
    let (file, _) = file(path).ok()?;
    file.root_group().ok()?.attribute("distance").ok()?.read_string().ok()
}

impl Hdf5 {
    /// Opens the table with this name.
    pub(super) fn open(path: &Path, name: &str) -> Result<Self, Fault> {
        let (file, most) = file(path)?;
        let dataset = match file.dataset(name) {
            Ok(dataset) => dataset,
            Err(error) => {
                let names = file.root_group().and_then(|root| root.member_names());
                return match names {
                    Ok((_, names)) if !names.iter().any(|found| found == name.trim_start_matches('/')) => {
                        bad(format_args!("there is no dataset {name:?} in it, only {}", names.join(", ")))
                    }
                    _ => Err(fault(error)),
                };
            }
        };
        let (kind, size) = match dataset.dtype() {
            Datatype::FixedPoint { size: 1, signed: true, .. } => (Kind::I8, 1),
            Datatype::FixedPoint { size: 1, signed: false, .. } => (Kind::U8, 1),
            Datatype::FixedPoint { size: 2, signed: true, .. } => (Kind::I16, 2),
            Datatype::FixedPoint { size: 2, signed: false, .. } => (Kind::U16, 2),
            Datatype::FixedPoint { size: 4, signed: true, .. } => (Kind::I32, 4),
            Datatype::FixedPoint { size: 4, signed: false, .. } => (Kind::U32, 4),
            Datatype::FixedPoint { size: 8, signed: true, .. } => (Kind::I64, 8),
            Datatype::FixedPoint { size: 8, signed: false, .. } => (Kind::U64, 8),
            Datatype::FloatingPoint { size: 4, .. } => (Kind::F32, 4),
            Datatype::FloatingPoint { size: 8, .. } => (Kind::F64, 8),
            // What h5py makes of NumPy's bool.
            Datatype::Enum { base, .. } if matches!(**base, Datatype::FixedPoint { size: 1, .. }) => {
                (Kind::Bool, 1)
            }
            _ => return bad(format_args!("the dataset {name:?} does not hold plain numbers")),
        };
        let shape = dataset.shape().to_vec();
        let bytes = shape.iter().try_fold(size, |bytes: u64, &axis| bytes.checked_mul(axis));
        if bytes.is_none_or(|bytes| bytes > most) {
            let shape = super::Shape(&shape);
            return bad(format_args!(
                "the dataset {name:?} of shape {shape} cannot be in so short a file; it is damaged"
            ));
        }
        Ok(Self { dataset: Data(dataset), kind, shape })
    }

    fn rows<T: Element + hdf5_reader::H5Type, S: Sink>(&self, sink: &mut S) -> Result<(), Fault> {
        let rows = self.shape.first().copied().unwrap_or(0);
        let width = self.shape.iter().skip(1).product::<u64>().max(1);
        let step = (PIECE / width).max(1);
        let meter = Meter::new("reading", Unit::Bytes, rows * width * T::SIZE as u64);
        let mut row = 0;
        while row < rows {
            let end = (row + step).min(rows);
            let mut part = SliceInfo::all(self.shape.len());
            part.selections[0] = SliceInfoElem::Slice { start: row, end, step: 1 };
            let read = self.dataset.0.read_slice::<T>(&part).map_err(fault)?;
            match read.as_slice() {
                Some(numbers) if numbers.len() as u64 == (end - row) * width => sink.take(numbers)?,
                _ => return bad(format_args!("rows {row} to {end} came out short; the file is damaged")),
            }
            row = end;
            meter.set(row * width * T::SIZE as u64);
        }
        Ok(())
    }
}

impl Source for Hdf5 {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read<S: Sink>(self, sink: &mut S) -> Result<(), Fault> {
        match self.kind {
            Kind::Bool => {
                let bytes = self.dataset.0.read_raw_bytes().map_err(fault)?;
                match bytes.len() as u64 == self.shape.iter().product::<u64>() {
                    true => sink.take(&bytes),
                    false => bad("a dataset came out short; the file is damaged"),
                }
            }
            Kind::U8 => self.rows::<u8, S>(sink),
            Kind::I8 => self.rows::<i8, S>(sink),
            Kind::I16 => self.rows::<i16, S>(sink),
            Kind::U16 => self.rows::<u16, S>(sink),
            Kind::I32 => self.rows::<i32, S>(sink),
            Kind::U32 => self.rows::<u32, S>(sink),
            Kind::I64 => self.rows::<i64, S>(sink),
            Kind::U64 => self.rows::<u64, S>(sink),
            Kind::F32 => self.rows::<f32, S>(sink),
            Kind::F64 => self.rows::<f64, S>(sink),
            Kind::F16 => bad("float16 is not read from HDF5"),
        }
    }
}
