//! .fvecs, .bvecs and .ivecs: before each vector stands how many numbers it has, as a 32-bit whole number.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::element::{Element, Kind};
use super::{Fault, Sink, Source, bad, open};
use crate::output::progress::{Meter, Unit};

/// More numbers in a vector than this are taken for a file of another format.
const MOST: i32 = 1 << 20;
/// Bytes before each vector.
const HEAD: u64 = 4;

/// A file of vectors, its first length read.
#[derive(Debug)]
pub(super) struct Vecs {
    reader: BufReader<File>,
    bytes: u64,
    kind: Kind,
    shape: [u64; 2],
}

impl Vecs {
    /// Opens a file of floats (`F32`), bytes (`U8`) or whole numbers (`I32`).
    pub(super) fn open(path: &Path, kind: Kind) -> Result<Self, Fault> {
        let (mut file, bytes) = open(path)?;
        if bytes < HEAD {
            return bad(format_args!("the file has {bytes} bytes: there are no vectors in it"));
        }
        let mut head = [0; 4];
        file.read_exact(&mut head)?;
        let columns = match i32::from_le_bytes(head) {
            columns @ 1..=MOST => columns as u64,
            other => {
                return bad(format_args!(
                    "row 0 should have {other} numbers; from 1 to {MOST} are possible: the file is of another format"
                ));
            }
        };
        let size = if kind == Kind::U8 { 1 } else { 4 };
        let rows = bytes / (HEAD + columns * size);
        let reader = BufReader::with_capacity(1 << 20, File::open(path)?);
        // A file that ends within its first row has that row: reading it says what is wrong.
        Ok(Self { reader, bytes, kind, shape: [rows.max(1), columns] })
    }

    fn rows<T: Element, S: Sink>(mut self, sink: &mut S) -> Result<(), Fault> {
        let meter = Meter::new("reading", Unit::Bytes, self.bytes);
        let columns = self.shape[1];
        let width = columns * T::SIZE as u64; // at most 2^20 times 4
        let mut raw = vec![0; width as usize];
        let mut numbers = Vec::with_capacity(columns as usize);
        let mut at = 0;
        for row in 0_u64.. {
            match self.bytes - at {
                0 => break,
                left if left < HEAD => {
                    return bad(format_args!(
                        "row {row} at byte {at} is cut off: {left} bytes are left; the file is truncated"
                    ));
                }
                _ => {}
            }
            let mut head = [0; 4];
            self.reader.read_exact(&mut head)?;
            let here = i32::from_le_bytes(head);
            if u64::try_from(here) != Ok(columns) {
                return bad(format_args!(
                    "row {row} at byte {at} has {here} numbers, the rows before it have {columns}; all need the same"
                ));
            }
            let left = self.bytes - at - HEAD;
            if left < width {
                return bad(format_args!(
                    "row {row} at byte {at} is cut off: {width} bytes are needed, {left} are left; the file is truncated"
                ));
            }
            self.reader.read_exact(&mut raw)?;
            numbers.clear();
            numbers.extend(raw.chunks_exact(T::SIZE).map(T::from_little));
            sink.take(&numbers)?;
            at += HEAD + width;
            if row % 1024 == 0 {
                meter.set(at);
            }
        }
        Ok(())
    }
}

impl Source for Vecs {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read<S: Sink>(self, sink: &mut S) -> Result<(), Fault> {
        match self.kind {
            Kind::U8 => self.rows::<u8, S>(sink),
            Kind::I32 => self.rows::<i32, S>(sink),
            _ => self.rows::<f32, S>(sink),
        }
    }
}
