//! The format of a journal: its head, its records, and the sum of all that they change.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::metric::Metric;
use crate::random::mix;

/// The first bytes: a name, and what a transfer as text would spoil.
const MAGIC: [u8; 8] = *b"LINJNL\x1a\n";
/// The format written here.
const VERSION: u32 = 1;
/// Reads otherwise on a machine of the other byte order.
const ORDER: u32 = 0x0102_0304;
/// Bytes of the head of a journal.
pub(super) const HEAD: usize = 56;
/// The first word of a record.
const MARK: u32 = 0x6c72_6a6c;
/// Bytes of the head of a record.
pub(super) const RECORD: usize = 40;
/// Records begin at multiples of this many bytes.
pub(super) const ALIGN: u64 = 8;

/// A moment in the history of an index: how many commits led to it, and a sum of all that they changed.
///
/// Two files of the same moment hold the same vectors, whatever was copied where in between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    pub(crate) commit: u64,
    pub(crate) sum: u64,
}

/// So many commits and no more lead to a moment: nobody counts as far, and there is always a next one.
const MOST_COMMITS: u64 = 1 << 62;

impl Moment {
    /// The moment that a file speaks of, if there can be it.
    pub(crate) fn read(commit: u64, sum: u64) -> Option<Self> {
        (commit <= MOST_COMMITS).then_some(Self { commit, sum })
    }
}

/// The vectors that a journal is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Of {
    pub(crate) metric: Metric,
    pub(crate) dim: u32,
    /// Bytes of a vector, as callers hand it in.
    pub(crate) row: u32,
}

/// The head of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(super) metric: u32,
    pub(super) dim: u32,
    /// A number of its own, so that nothing but its own records are taken for such.
    pub(super) salt: u64,
    /// The state on which its first transaction builds.
    pub(super) start: Moment,
}

impl Head {
    pub(super) fn new(of: Of, start: Moment) -> Self {
        let metric = Metric::ALL.iter().position(|&metric| metric == of.metric).unwrap_or(0) as u32;
        // The keys of a `RandomState` are random.
        Self { metric, dim: of.dim, salt: RandomState::new().build_hasher().finish(), start }
    }

    pub(super) fn is_of(&self, of: Of) -> bool {
        Metric::ALL.get(self.metric as usize) == Some(&of.metric) && self.dim == of.dim
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&MAGIC);
        for (at, word) in [(8, VERSION), (12, ORDER), (16, self.metric), (20, self.dim)] {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        for (at, word) in [(24, self.salt), (32, self.start.commit), (40, self.start.sum)] {
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        let sum = crc32fast::hash(&bytes[..48]);
        bytes[48..52].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; HEAD]) -> Result<Self, String> {
        if bytes[..8] != MAGIC {
            return Err("it does not begin as a journal".to_owned());
        }
        if word(bytes, 8) != VERSION {
            return Err(format!(
                "it has format version {}, this linjin reads {VERSION}: use the linjin that wrote it",
                word(bytes, 8)
            ));
        }
        if word(bytes, 12) != ORDER || word(bytes, 48) != crc32fast::hash(&bytes[..48]) {
            return Err("the checksum of its head is wrong".to_owned());
        }
        let start = Moment::read(long(bytes, 32), long(bytes, 40))
            .ok_or_else(|| format!("it begins behind commit {}: there are not as many", long(bytes, 32)))?;
        Ok(Self { metric: word(bytes, 16), dim: word(bytes, 20), salt: long(bytes, 24), start })
    }
}

/// What a record says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(super) enum Kind {
    /// A transaction begins: the one before is durable.
    Begin = 1,
    /// Vectors come, or take the place of those with their ids.
    Add = 2,
    /// Vectors go.
    Remove = 3,
    /// All records of the transaction so far hold together.
    Commit = 4,
    /// A note comes behind those that there are.
    Note = 5,
    /// A note takes the place of all that there are.
    OnlyNote = 6,
}

/// The head of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    /// The commit that it belongs to.
    pub(super) commit: u64,
    /// How many vectors it speaks of.
    pub(super) count: u64,
    /// Bytes of what follows, without the zeros up to a multiple of [`ALIGN`].
    pub(super) bytes: u64,
    /// CRC-32 of these.
    pub(super) checksum: u32,
}

impl Record {
    pub(super) fn to_bytes(self, salt: u64) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..4].copy_from_slice(&MARK.to_le_bytes());
        bytes[4..8].copy_from_slice(&(self.kind as u32).to_le_bytes());
        for (at, word) in [(8, self.commit), (16, self.count), (24, self.bytes)] {
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        bytes[32..36].copy_from_slice(&self.checksum.to_le_bytes());
        let sum = Self::sum(&bytes, salt);
        bytes[36..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The head of a record, if these bytes are one of the journal with this salt.
    pub(super) fn from_bytes(bytes: &[u8; RECORD], salt: u64) -> Option<Self> {
        if word(bytes, 0) != MARK || word(bytes, 36) != Self::sum(bytes, salt) {
            return None;
        }
        let kinds = [Kind::Begin, Kind::Add, Kind::Remove, Kind::Commit, Kind::Note, Kind::OnlyNote];
        let kind = kinds.into_iter().find(|&kind| kind as u32 == word(bytes, 4))?;
        let (commit, count) = (long(bytes, 8), long(bytes, 16));
        Some(Self { kind, commit, count, bytes: long(bytes, 24), checksum: word(bytes, 32) })
    }

    fn sum(bytes: &[u8; RECORD], salt: u64) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&salt.to_le_bytes());
        hasher.update(&bytes[..36]);
        hasher.finalize()
    }

    /// The sum of all changes, with this one behind them.
    pub(super) fn add_to(&self, sum: u64) -> u64 {
        let own = u64::from(self.checksum) | (self.kind as u64) << 32;
        [self.commit, self.count, self.bytes, own].into_iter().fold(sum, mix)
    }

    /// Bytes from its first to that of the next one.
    pub(super) fn len(&self) -> Option<u64> {
        self.bytes.checked_next_multiple_of(ALIGN)?.checked_add(RECORD as u64)
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
