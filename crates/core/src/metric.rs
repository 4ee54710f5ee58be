//! The metrics of an index, and the numbers that they report.

use std::fmt;
use std::str::FromStr;

/// How far apart two vectors are. A smaller distance is always closer; the numbers are those of `scipy.spatial.distance`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Metric {
    /// 1 − cos, from 0 to 2; 1 when one of the vectors has length 0.
    Cosine,
    /// Length of the difference.
    Euclidean,
    /// Squared length of the difference.
    SqEuclidean,
    /// Minus the inner product.
    Dot,
    /// Sum of absolute differences.
    Manhattan,
    /// Share of bits that differ, of vectors of packed bits.
    Hamming,
}

/// A name that is no metric's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no metric {name:?}; the metrics are cosine, euclidean, sqeuclidean, dot, manhattan and hamming"
)]
pub struct UnknownMetric {
    /// The name.
    pub name: String,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Cosine, Self::Euclidean, Self::SqEuclidean, Self::Dot, Self::Manhattan, Self::Hamming];

    /// The name in Python, on the command line and in files: `cosine`, `euclidean`, `sqeuclidean`, `dot`,
    /// `manhattan`, `hamming`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
            Self::SqEuclidean => "sqeuclidean",
            Self::Dot => "dot",
            Self::Manhattan => "manhattan",
            Self::Hamming => "hamming",
        }
    }

    /// Whether vectors are packed bits and not floats.
    pub fn is_binary(self) -> bool {
        self == Self::Hamming
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or(UnknownMetric { name: name.to_owned() })
    }
}
