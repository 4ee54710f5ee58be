//! The five metrics of Annoy, and the numbers that they report.

use std::fmt;
use std::str::FromStr;

/// A metric, and what its reported distance is. The closest item has the smallest distance, except for
/// [`Dot`](Self::Dot), where it has the largest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Metric {
    /// √(2 − 2 cos), from 0 to 2; √2 when a vector has length 0.
    Angular,
    /// Length of the difference.
    Euclidean,
    /// Sum of absolute differences.
    Manhattan,
    /// Number of differing bits; a value above 0.5 is a 1.
    Hamming,
    /// The inner product itself.
    Dot,
}

/// A name that is no metric's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No such metric")]
pub struct UnknownMetric {
    /// The name.
    pub name: String,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Angular, Self::Euclidean, Self::Manhattan, Self::Hamming, Self::Dot];

    /// Annoy's name for it: `angular`, `euclidean`, `manhattan`, `hamming`, `dot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Angular => "angular",
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
            Self::Hamming => "hamming",
            Self::Dot => "dot",
        }
    }

    /// The number that users see, from the number that orders items (squared, negated: smaller is closer).
    pub(super) fn reported(self, order: f32) -> f32 {
        match self {
            Self::Angular | Self::Euclidean => order.max(0.0).sqrt(),
            Self::Manhattan => order.max(0.0),
            Self::Hamming => order,
            Self::Dot => -order,
        }
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
