//! Rows of vectors as a caller hands them in.

/// Rows of floats or of packed bits, one after the other.
///
/// Floats are `dim` values a row. Bits are `dim.div_ceil(8)` bytes a row; bit `i` of a row is bit `i % 8` of byte
/// `i / 8`, and bits beyond `dim` are ignored.
#[derive(Clone, Copy, Debug)]
pub enum Vectors<'a> {
    /// For every metric but `hamming`.
    Floats(&'a [f32]),
    /// For `hamming`.
    Bits(&'a [u8]),
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
