//! NumPy's arrays.
//!
//! Written here because the crates for it, `npyz` and `ndarray-npy`, read the header with a parser of Python literals
//! that takes time exponential in the brackets of a hostile file: 20 of them cost 12 s (py_literal 0.4).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use half::f16;

use super::element::{Element, Kind};
use super::{Fault, Shape, Sink, Source, bad, open};
use crate::output::progress::{Meter, Unit};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy itself refuses longer headers.
const LONGEST_HEADER: usize = 10_000;
/// Bytes that are read at once; a multiple of every element's size.
const PIECE: usize = 1 << 20;

/// An array whose header was read.
#[derive(Debug)]
pub(super) struct Npy {
    reader: BufReader<File>,
    header: Header,
}

impl Npy {
    /// Opens an array; its data is known to be as long as the header says.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let (file, bytes) = open(path)?;
        let mut reader = BufReader::new(file);
        let (text, start) = header(&mut reader, bytes)?;
        let header = Header::parse(&text)?;
        let needed = header.shape.iter().try_fold(header.size as u64, |bytes, &axis| bytes.checked_mul(axis));
        let left = bytes.saturating_sub(start);
        match needed {
            Some(needed) if needed <= left => Ok(Self { reader, header }),
            needed => {
                let shape = Shape(&header.shape);
                let needed = needed.map_or_else(|| "too many".to_owned(), |needed| needed.to_string());
                bad(format_args!(
                    "an array of {} of shape {shape} needs {needed} bytes, {left} are there; the file is truncated",
                    header.kind
                ))
            }
        }
    }

    fn numbers<T: Element, S: Sink>(self, sink: &mut S) -> Result<(), Fault> {
        // No overflow: `open` found the product of these to be no longer than the file.
        let count = self.header.shape.iter().product::<u64>();
        match *self.header.shape {
            [rows, columns] if self.header.columns_first && rows > 1 && columns > 1 => {
                self.columns::<T, S>(rows as usize, columns as usize, sink)
            }
            _ => self.pieces::<T, S>(count * T::SIZE as u64, |numbers| sink.take(numbers)),
        }
    }

    /// Hands the data over as it comes.
    fn pieces<T: Element, S: Sink>(
        mut self,
        bytes: u64,
        mut take: impl FnMut(&[T]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let meter = Meter::new("reading", Unit::Bytes, bytes);
        let mut raw = vec![0; PIECE.min(bytes as usize)];
        let mut numbers: Vec<T> = Vec::with_capacity(raw.len() / T::SIZE);
        let mut done = 0;
        while done < bytes {
            let piece = raw.len().min((bytes - done) as usize);
            let raw = &mut raw[..piece];
            self.reader.read_exact(raw)?;
            if self.header.big_endian {
                raw.chunks_exact_mut(T::SIZE).for_each(<[u8]>::reverse);
            }
            numbers.clear();
            numbers.extend(raw.chunks_exact(T::SIZE).map(T::from_little));
            take(&numbers)?;
            done += piece as u64;
            meter.set(done);
        }
        Ok(())
    }

    /// Hands an array that is stored column by column over row by row.
    fn columns<T: Element, S: Sink>(self, rows: usize, columns: usize, sink: &mut S) -> Result<(), Fault> {
        let mut stored: Vec<T> = Vec::new();
        super::reserve(&mut stored, rows * columns)?;
        self.pieces::<T, S>((rows * columns * T::SIZE) as u64, |numbers| {
            stored.extend_from_slice(numbers);
            Ok(())
        })?;
        let mut line = Vec::with_capacity(columns);
        for row in 0..rows {
            line.clear();
            line.extend((0..columns).map(|column| stored[column * rows + row]));
            sink.take(&line)?;
        }
        Ok(())
    }
}

impl Source for Npy {
    fn kind(&self) -> Kind {
        self.header.kind
    }

    fn shape(&self) -> &[u64] {
        &self.header.shape
    }

    fn read<S: Sink>(self, sink: &mut S) -> Result<(), Fault> {
        match self.header.kind {
            Kind::Bool | Kind::U8 => self.numbers::<u8, S>(sink),
            Kind::I8 => self.numbers::<i8, S>(sink),
            Kind::I16 => self.numbers::<i16, S>(sink),
            Kind::U16 => self.numbers::<u16, S>(sink),
            Kind::I32 => self.numbers::<i32, S>(sink),
            Kind::U32 => self.numbers::<u32, S>(sink),
            Kind::I64 => self.numbers::<i64, S>(sink),
            Kind::U64 => self.numbers::<u64, S>(sink),
            Kind::F16 => self.numbers::<f16, S>(sink),
            Kind::F32 => self.numbers::<f32, S>(sink),
            Kind::F64 => self.numbers::<f64, S>(sink),
        }
    }
}

/// The header's text, and the byte at which the data begins.
fn header(reader: &mut impl Read, bytes: u64) -> Result<(String, u64), Fault> {
    let mut start = [0; 8];
    if bytes < 10 {
        return bad(format_args!("no array of NumPy: the file has {bytes} bytes"));
    }
    reader.read_exact(&mut start)?;
    if &start[..6] != MAGIC {
        return bad(format_args!(
            "no array of NumPy: it begins with {:?}",
            start[..6].escape_ascii().to_string()
        ));
    }
    let (length, before) = match start[6] {
        1 => {
            let mut length = [0; 2];
            reader.read_exact(&mut length)?;
            (usize::from(u16::from_le_bytes(length)), 10)
        }
        2 | 3 => {
            let mut length = [0; 4];
            reader.read_exact(&mut length)?;
            (usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX), 12)
        }
        version => {
            return bad(format_args!("the array has the format version {version}; 1 to 3 can be read"));
        }
    };
    if length > LONGEST_HEADER || before + length as u64 > bytes {
        return bad(format_args!("the header should have {length} bytes; the file is damaged or truncated"));
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text)?;
    match String::from_utf8(text) {
        Ok(text) => Ok((text, before + length as u64)),
        Err(_) => bad("the header is no text; the file is damaged"),
    }
}

/// What a header says.
#[derive(Debug)]
struct Header {
    kind: Kind,
    size: usize,
    big_endian: bool,
    columns_first: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, the keys in any order.
    fn parse(text: &str) -> Result<Self, Fault> {
        let (mut kind, mut order, mut shape) = (None, None, None);
        let damaged = || Fault::Bad(format!("the header {:?} cannot be understood", text.trim_end()));
        let mut rest = text.trim().strip_prefix('{').ok_or_else(damaged)?.trim_start();
        while !rest.starts_with('}') {
            let (key, after) = quoted(rest).ok_or_else(damaged)?;
            let value = after.trim_start().strip_prefix(':').ok_or_else(damaged)?.trim_start();
            let after = match key {
                "descr" if value.starts_with('[') => {
                    return bad("an array of records; plain numbers are needed");
                }
                "descr" => {
                    let (descr, after) = quoted(value).ok_or_else(damaged)?;
                    kind = Some(element(descr)?);
                    after
                }
                "fortran_order" => match (value.strip_prefix("True"), value.strip_prefix("False")) {
                    (Some(after), _) => {
                        order = Some(true);
                        after
                    }
                    (_, Some(after)) => {
                        order = Some(false);
                        after
                    }
                    _ => return Err(damaged()),
                },
                "shape" => {
                    let (axes, after) =
                        value.strip_prefix('(').and_then(|v| v.split_once(')')).ok_or_else(damaged)?;
                    let axes = axes.trim().trim_end_matches(',');
                    let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
                    shape =
                        Some(axes.map(str::parse).collect::<Result<Vec<u64>, _>>().map_err(|_| damaged())?);
                    after
                }
                _ => return Err(damaged()),
            };
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if after.starts_with('}') => after,
                None => return Err(damaged()),
            };
        }
        match (kind, order, shape) {
            (Some((kind, size, big_endian)), Some(columns_first), Some(shape)) => {
                Ok(Self { kind, size, big_endian, columns_first, shape })
            }
            _ => Err(damaged()),
        }
    }
}

/// The string at the start of a text, and the text behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// Kind, size and byte order that a name such as `<f4` stands for.
fn element(name: &str) -> Result<(Kind, usize, bool), Fault> {
    let mut letters = name.chars();
    let big_endian = match letters.next() {
        Some('>') => true,
        Some('<' | '|' | '=') => false,
        _ => return bad(format_args!("numbers of the type {name:?} are not read")),
    };
    let (kind, size) = match letters.as_str() {
        "b1" => (Kind::Bool, 1),
        "i1" => (Kind::I8, 1),
        "u1" => (Kind::U8, 1),
        "i2" => (Kind::I16, 2),
        "u2" => (Kind::U16, 2),
        "f2" => (Kind::F16, 2),
        "i4" => (Kind::I32, 4),
        "u4" => (Kind::U32, 4),
        "f4" => (Kind::F32, 4),
        "i8" => (Kind::I64, 8),
        "u8" => (Kind::U64, 8),
        "f8" => (Kind::F64, 8),
        _ => {
            return bad(format_args!(
                "numbers of the type {name:?} are not read; float32 is best, astype makes it"
            ));
        }
    };
    Ok((kind, size, big_endian))
}
