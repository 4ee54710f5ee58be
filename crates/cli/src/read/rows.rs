//! Vectors as read, and as an index takes them.

use std::borrow::Cow;
use std::ops::Range;

use linjin::index::{Metric, Vector, Vectors};

use super::element::{Element, Kind};
use super::{Fault, Sink, reserve};

/// Vectors as they stand in a file.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: usize,
    kind: Kind,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Floats(Vec<f32>),
    /// Bytes, or truth values: what they mean depends on the metric.
    Bytes(Vec<u8>),
}

impl Rows {
    pub(super) fn new(columns: usize, kind: Kind) -> Self {
        let values = match kind {
            Kind::U8 | Kind::Bool => Values::Bytes(Vec::new()),
            _ => Values::Floats(Vec::new()),
        };
        Self { columns, kind, values }
    }

    /// Keeps the first rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        let values = rows.saturating_mul(self.columns);
        match &mut self.values {
            Values::Floats(floats) => floats.truncate(values),
            Values::Bytes(bytes) => bytes.truncate(values),
        }
    }

    /// As an index of this metric takes them: as bits for `hamming`, else as floats. Bytes are packed bits there and
    /// numbers here.
    pub(crate) fn fit(self, metric: Metric) -> Result<Matrix, String> {
        let columns = self.columns;
        match self.values {
            Values::Floats(floats) if !metric.is_binary() => Ok(Matrix::Floats { dim: columns, floats }),
            Values::Floats(_) => Err(format!(
                "numbers of the type {}, where {metric} needs bits: truth values (bool), or uint8 with eight bits in \
                 each, the lowest first (numpy.packbits with bitorder='little')",
                self.kind
            )),
            Values::Bytes(bytes) if !metric.is_binary() => {
                Ok(Matrix::Floats { dim: columns, floats: bytes.into_iter().map(f32::from).collect() })
            }
            Values::Bytes(bytes) if self.kind == Kind::Bool => Ok(Matrix::of_flags(columns, &bytes)),
            Values::Bytes(bytes) => match columns.checked_mul(8) {
                Some(dim) => Ok(Matrix::Bits { dim, bytes }),
                None => Err(format!("vectors of {columns} bytes are too large")),
            },
        }
    }
}

/// Truth values as bits, eight in a byte, the first in the lowest.
fn pack(flags: &[u8]) -> impl Iterator<Item = u8> {
    let byte =
        |flags: &[u8]| flags.iter().enumerate().fold(0, |byte, (i, &flag)| byte | u8::from(flag != 0) << i);
    flags.chunks(8).map(byte)
}

impl Sink for Rows {
    fn expect(&mut self, count: usize) -> Result<(), Fault> {
        match &mut self.values {
            Values::Floats(floats) => reserve(floats, count),
            Values::Bytes(bytes) => reserve(bytes, count),
        }
    }

    fn take<T: Element>(&mut self, numbers: &[T]) -> Result<(), Fault> {
        match &mut self.values {
            Values::Floats(floats) => floats.extend(numbers.iter().map(|number| number.float())),
            // Their elements are `u8`: nothing is lost.
            Values::Bytes(bytes) => bytes.extend(numbers.iter().map(|number| number.whole() as u8)),
        }
        Ok(())
    }
}

/// Vectors as an index takes them.
#[derive(Debug)]
pub(crate) enum Matrix {
    /// `dim` values a vector.
    Floats {
        /// Values of a vector.
        dim: usize,
        /// All of them.
        floats: Vec<f32>,
    },
    /// `dim` bits a vector, in whole bytes.
    Bits {
        /// Bits of a vector.
        dim: usize,
        /// All of them.
        bytes: Vec<u8>,
    },
}

impl Matrix {
    /// Rows of `dim` truth values, each in a byte, as bits.
    pub(crate) fn of_flags(dim: usize, flags: &[u8]) -> Self {
        Self::Bits { dim, bytes: flags.chunks(dim).flat_map(pack).collect() }
    }

    /// No vectors yet, of an index of this metric.
    pub(crate) fn empty(dim: usize, metric: Metric) -> Self {
        match metric.is_binary() {
            true => Self::Bits { dim, bytes: Vec::new() },
            false => Self::Floats { dim, floats: Vec::new() },
        }
    }

    /// One more vector, of such an index.
    pub(crate) fn push(&mut self, vector: Vector) {
        match (self, vector) {
            (Self::Floats { floats, .. }, Vector::Floats(values)) => floats.extend(values),
            (Self::Bits { bytes, .. }, Vector::Bits(packed)) => bytes.extend(packed),
            _ => unreachable!("an index gives back vectors of one kind"),
        }
    }

    /// One more vector; of bits the values above a half are 1.
    pub(crate) fn push_floats(&mut self, values: &[f32]) {
        match self {
            Self::Floats { floats, .. } => floats.extend(values),
            Self::Bits { bytes, .. } => {
                let flags: Vec<u8> = values.iter().map(|&value| u8::from(value > 0.5)).collect();
                bytes.extend(pack(&flags));
            }
        }
    }

    /// All values; bits as 0 and 1.
    pub(crate) fn floats(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Floats { floats, .. } => Cow::Borrowed(floats),
            Self::Bits { dim, bytes } => {
                let bit = |row: &[u8], i: usize| f32::from(row[i / 8] >> (i % 8) & 1);
                let row = |row: &[u8]| (0..*dim).map(|i| bit(row, i)).collect::<Vec<_>>();
                Cow::Owned(bytes.chunks(dim.div_ceil(8)).flat_map(row).collect())
            }
        }
    }

    /// A copy of some of the vectors.
    pub(crate) fn taken(&self, rows: Range<usize>) -> Self {
        match (self, self.part(rows)) {
            (Self::Bits { dim, .. }, Vectors::Bits(bytes)) => Self::Bits { dim: *dim, bytes: bytes.to_vec() },
            (_, Vectors::Floats(floats)) => Self::Floats { dim: self.dim(), floats: floats.to_vec() },
            _ => unreachable!("a part is of the kind of the whole"),
        }
    }

    /// Values or bits of a vector.
    pub(crate) fn dim(&self) -> usize {
        match *self {
            Self::Floats { dim, .. } | Self::Bits { dim, .. } => dim,
        }
    }

    /// How many vectors there are.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Floats { dim, floats } => floats.len() / dim,
            Self::Bits { dim, bytes } => bytes.len() / dim.div_ceil(8),
        }
    }

    /// Some of the vectors.
    pub(crate) fn part(&self, rows: Range<usize>) -> Vectors<'_> {
        match self {
            Self::Floats { dim, floats } => Vectors::Floats(&floats[rows.start * dim..rows.end * dim]),
            Self::Bits { dim, bytes } => {
                let width = dim.div_ceil(8);
                Vectors::Bits(&bytes[rows.start * width..rows.end * width])
            }
        }
    }

    /// All vectors.
    pub(crate) fn all(&self) -> Vectors<'_> {
        self.part(0..self.rows())
    }
}
