//! The numbers that files hold.

use std::fmt;

use half::f16;

/// What the numbers of a table are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

impl Kind {
    /// Whole numbers, truth values aside.
    pub(super) fn is_whole(self) -> bool {
        !matches!(self, Self::Bool | Self::F16 | Self::F32 | Self::F64)
    }
}

/// The name that NumPy has for it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::I32 => "int32",
            Self::U32 => "uint32",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

/// A number of a table. Truth values are `u8`.
pub(super) trait Element: Copy {
    /// Bytes of one.
    const SIZE: usize;
    /// From exactly [`SIZE`](Self::SIZE) bytes, the lowest first.
    fn from_little(bytes: &[u8]) -> Self;
    /// The nearest float.
    fn float(self) -> f32;
    /// The whole number; towards 0, for floats.
    fn whole(self) -> i128;
}

macro_rules! elements {
    ($($number:ty),*) => {$(
        impl Element for $number {
            const SIZE: usize = size_of::<Self>();

            fn from_little(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("callers cut pieces of this size"))
            }

            fn float(self) -> f32 {
                self as f32
            }

            fn whole(self) -> i128 {
                self as i128
            }
        }
    )*};
}

elements!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);

impl Element for f16 {
    const SIZE: usize = 2;

    fn from_little(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("callers cut pieces of this size"))
    }

    fn float(self) -> f32 {
        self.to_f32()
    }

    fn whole(self) -> i128 {
        self.to_f32() as i128
    }
}
