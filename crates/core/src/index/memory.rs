//! How much memory an index may take to be fast.

use std::fmt;
use std::str::FromStr;

/// How much memory an index may take to be fast. An index keeps what it was made with, in its file too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Memory {
    /// What makes searches fast: where it makes them faster there is a graph beside the leaves, some 2 KB a vector at 256
    /// dimensions.
    #[default]
    Full,
    /// Never a graph: leaves, of less than a byte for each dimension and vector. Where there would have been a graph, searches take
    /// longer; elsewhere nothing changes.
    Small,
}

/// A name that is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("memory has to be full or small, not {name:?}")]
pub struct UnknownMemory {
    /// The name.
    pub name: String,
}

impl Memory {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Full, Self::Small];

    /// The name in Python, on the command line and in JSON: `full`, `small`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Small => "small",
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Memory {
    type Err = UnknownMemory;

    fn from_str(name: &str) -> Result<Self, UnknownMemory> {
        let found = Self::ALL.into_iter().find(|memory| memory.name() == name);
        found.ok_or(UnknownMemory { name: name.to_owned() })
    }
}
