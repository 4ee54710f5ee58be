//! Rows of vectors as a caller hands them in.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// Rows of numbers or of packed bits, one after the other.
///
/// Numbers are `dim` values a row. Whatever they are, they are stored as float32: a row is converted when it is stored or
/// asked with, so that the others are never there a second time. Bits are `dim.div_ceil(8)` bytes a row; bit `i` of a
/// row is bit `i % 8` of byte `i / 8`, and bits beyond `dim` are ignored.
#[derive(Clone, Copy, Debug)]
pub enum Vectors<'a> {
    /// For every metric but `hamming`.
    Floats(&'a [f32]),
    /// The same in float64; what is beyond float32 counts as infinite.
    Doubles(&'a [f64]),
    /// The same in float16.
    Halves(&'a [f16]),
    /// The same in whole numbers from −128 to 127.
    Bytes(&'a [i8]),
    /// For `hamming`.
    Bits(&'a [u8]),
}

/// Values that are looked at together.
const CHUNK: usize = 128;

/// What is not finite: its place among all values, and the value.
pub(crate) type NotFinite = (usize, f32);

impl Vectors<'_> {
    /// How many values there are, or bytes of packed bits.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Doubles(values) => values.len(),
            Self::Halves(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Bits(bytes) => bytes.len(),
        }
    }

    /// The first value that is not finite as float32.
    pub(crate) fn not_finite(self) -> Option<NotFinite> {
        match self {
            Self::Bytes(_) | Self::Bits(_) => None,
            _ => self.first(|value| !value.is_finite()),
        }
    }

    /// The first value, as float32, for which `is` holds: its place, and the value; nothing of bits.
    pub(crate) fn first(self, is: impl Fn(f32) -> bool) -> Option<(usize, f32)> {
        fn first<T: Copy>(
            values: &[T],
            narrow: impl Fn(T) -> f32,
            is: impl Fn(f32) -> bool,
        ) -> Option<(usize, f32)> {
            // A loop that looks at all values of a chunk runs over several at a time.
            let any = |chunk: &[T]| chunk.iter().fold(false, |any, &value| any | is(narrow(value)));
            let start = CHUNK * values.chunks(CHUNK).position(any)?;
            let at = start + values[start..].iter().position(|&value| is(narrow(value)))?;
            Some((at, narrow(values[at])))
        }
        match self {
            Self::Floats(values) => first(values, |value| value, is),
            Self::Doubles(values) => first(values, |value| value as f32, is),
            Self::Halves(values) => first(values, f16::to_f32, is),
            Self::Bytes(values) => first(values, f32::from, is),
            Self::Bits(_) => None,
        }
    }

    /// The numbers from `start` on as float32, as many as there is room for in `row`; nothing of bits.
    pub(crate) fn write_floats(self, start: usize, row: &mut [f32]) {
        let end = start + row.len();
        match self {
            Self::Floats(values) => row.copy_from_slice(&values[start..end]),
            Self::Doubles(values) => {
                row.iter_mut().zip(&values[start..end]).for_each(|(to, &from)| *to = from as f32);
            }
            Self::Halves(values) => values[start..end].convert_to_f32_slice(row),
            Self::Bytes(values) => {
                row.iter_mut().zip(&values[start..end]).for_each(|(to, &from)| *to = from.into());
            }
            Self::Bits(_) => {}
        }
    }
}

impl<'a> From<&'a [f32]> for Vectors<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Floats(values)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Vectors<'a> {
    fn from(values: &'a [f32; N]) -> Self {
        Self::Floats(values)
    }
}

impl<'a> From<&'a Vec<f32>> for Vectors<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        Self::Floats(values)
    }
}

impl<'a> From<&'a [f64]> for Vectors<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Doubles(values)
    }
}

impl<'a> From<&'a [f16]> for Vectors<'a> {
    fn from(values: &'a [f16]) -> Self {
        Self::Halves(values)
    }
}

impl<'a> From<&'a [i8]> for Vectors<'a> {
    fn from(values: &'a [i8]) -> Self {
        Self::Bytes(values)
    }
}

impl<'a> From<&'a [u8]> for Vectors<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bits(bytes)
    }
}

/// A vector as the index gives it back.
#[derive(Clone, PartialEq, Debug)]
pub enum Vector {
    /// For every metric but `hamming`.
    Floats(Vec<f32>),
    /// For `hamming`: packed bits.
    Bits(Vec<u8>),
}
