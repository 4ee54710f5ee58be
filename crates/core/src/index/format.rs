//! The head of an index file: what it holds, and where. `docs/file-format.md` describes it.

use super::error::OpenError;
use super::space::Form;
use super::{Memory, Metric};
use crate::file::BLOCK;
use crate::random::mix;

/// The first bytes: a name, and what a transfer as text would spoil.
pub(super) const MAGIC: [u8; 8] = *b"LINJIN\x1a\n";
/// The format written here.
pub(super) const VERSION: u32 = 1;
/// Reads otherwise on a machine of the other byte order.
const ORDER: u32 = 0x0102_0304;
/// Sections begin at multiples of this many bytes, the first behind the head: a page.
pub(super) const ALIGN: u64 = 4096;
/// The bit of the metric's word at which the number of the memory setting begins.
const MEMORY_AT: u32 = 16;
/// Bytes before the table of sections.
const FIXED: usize = 64;
/// Bytes of an entry of the table.
const ENTRY: usize = 24;

/// What a section holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(super) enum Kind {
    /// The vectors as floats or bits, as they were given.
    Rows = 1,
    /// An id for each slot; not there when every id is its slot.
    Ids = 2,
    /// 1 / length of each vector, for `cosine`.
    Scales = 3,
    /// The two leaves of each vector.
    Homes = 4,
    /// The way from ids to slots.
    IdTable = 5,
    /// Where each leaf begins, in blocks.
    Starts = 6,
    /// For each place of a leaf, what an estimate needs beside the codes.
    Biases = 7,
    /// For each place of a leaf, its slot.
    Slots = 8,
    /// Blocks of codes.
    Codes = 9,
    /// Centroids of the leaves.
    Centroids = 10,
    /// The group and the spread of each leaf, and the centres of the groups.
    Groups = 11,
    /// The codebook of the vectors.
    Codebook = 12,
    /// The codebook of the centroids.
    CentroidCodebook = 13,
    /// How much effort a recall takes.
    Curve = 14,
    /// The centroids as few values: their principal components. Only where the codes are of such.
    Short = 15,
    /// The graph: for each slot its codes and the slots beside it. Only where there is one, as are the next two.
    Nodes = 16,
    /// The codebook of the graph.
    NodeCodebook = 17,
    /// How much effort a recall takes on the graph.
    WalkCurve = 18,
    /// The commit that the file is the state after. Only in the file of an index with a journal.
    History = 19,
    /// The vectors, instead of Rows, where all values are whole numbers from 0 to 255: a byte each.
    UnsignedRows = 20,
    /// The same with numbers from −128 to 127.
    SignedRows = 21,
    /// What callers keep beside the vectors. Only where there is something.
    Notes = 22,
    /// Entry points of the graph, laid out as nodes: beside them are vectors that walks begin at. Only where there is one.
    EntryPoints = 23,
}

impl Kind {
    /// The section of rows in this form.
    pub(super) fn of_rows(form: Form) -> Self {
        match form {
            Form::Floats | Form::Bits => Self::Rows,
            Form::Unsigned => Self::UnsignedRows,
            Form::Signed => Self::SignedRows,
        }
    }

    const ALL: [Self; 23] = [
        Self::Rows,
        Self::Ids,
        Self::Scales,
        Self::Homes,
        Self::IdTable,
        Self::Starts,
        Self::Biases,
        Self::Slots,
        Self::Codes,
        Self::Centroids,
        Self::Groups,
        Self::Codebook,
        Self::CentroidCodebook,
        Self::Curve,
        Self::Short,
        Self::Nodes,
        Self::NodeCodebook,
        Self::WalkCurve,
        Self::History,
        Self::UnsignedRows,
        Self::SignedRows,
        Self::Notes,
        Self::EntryPoints,
    ];
}

/// A section of a file. Each of its blocks, of [`BLOCK`] bytes but for the last one, has a checksum of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Section {
    pub(super) kind: Kind,
    /// CRC-32 of the checksums of its blocks.
    pub(super) checksum: u32,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// What the head says.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Head {
    pub(super) metric: Metric,
    pub(super) memory: Memory,
    pub(super) dim: u32,
    /// How many vectors there are.
    pub(super) len: u64,
    /// How many slots there are.
    pub(super) slots: u64,
    pub(super) next_id: u64,
    /// How many vectors there were when the leaves were made.
    pub(super) trained: u64,
    pub(super) sections: Vec<Section>,
}

impl Section {
    /// How many blocks it has.
    pub(super) fn blocks(&self) -> u64 {
        self.bytes.div_ceil(BLOCK as u64)
    }

    /// Where it ends, with the zeros behind it; `None` where there can be no byte.
    pub(super) fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.bytes)?.checked_next_multiple_of(ALIGN)
    }
}

impl Head {
    /// Where the first section begins: behind the head and the checksums of `blocks` blocks.
    pub(super) fn first_section(sections: usize, blocks: u64) -> u64 {
        Self::size(sections) + (blocks * size_of::<u32>() as u64).next_multiple_of(ALIGN)
    }

    /// The section of this kind, and its blocks' checksums: the first byte of them in the file.
    pub(super) fn section(&self, kind: Kind) -> Option<(Section, u64)> {
        let at = self.sections.iter().position(|section| section.kind == kind)?;
        let before: u64 = self.sections[..at].iter().map(Section::blocks).sum();
        Some((self.sections[at], Self::size(self.sections.len()) + before * size_of::<u32>() as u64))
    }

    /// Whether a file of so many bytes holds all that the head speaks of.
    pub(super) fn fits(&self, file: u64) -> Result<(), OpenError> {
        for section in &self.sections {
            if section.end().is_none_or(|end| end > file) {
                let (kind, end) = (section.kind, section.end().unwrap_or(u64::MAX));
                let what = format!(
                    "it has {file} bytes, but its section {kind:?} reaches to byte {end}: it was cut short"
                );
                return Err(OpenError::Damaged { what });
            }
        }
        Ok(())
    }

    /// Bytes of the head in the file.
    pub(super) fn size(sections: usize) -> u64 {
        ((FIXED + sections * ENTRY + size_of::<u32>()) as u64).next_multiple_of(ALIGN)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let metric = Metric::ALL.iter().position(|&metric| metric == self.metric).unwrap_or(0) as u32;
        let memory = Memory::ALL.iter().position(|&memory| memory == self.memory).unwrap_or(0) as u32;
        for word in [VERSION, ORDER, metric | memory << MEMORY_AT, self.dim] {
            bytes.extend(word.to_le_bytes());
        }
        for word in [self.len, self.slots, self.next_id, self.trained, self.sections.len() as u64] {
            bytes.extend(word.to_le_bytes());
        }
        for section in &self.sections {
            bytes.extend((section.kind as u32).to_le_bytes());
            bytes.extend(section.checksum.to_le_bytes());
            bytes.extend(section.offset.to_le_bytes());
            bytes.extend(section.bytes.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.resize(Self::size(self.sections.len()) as usize, 0);
        bytes
    }

    /// Reads a head. Where it says that something lies there is room for it in numbers, not always in the file.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        let damaged = |what: &str| OpenError::Damaged { what: what.to_owned() };
        if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
            let found = match bytes.len() {
                0 => "the file is empty".to_owned(),
                _ => "it does not begin as one; for a file of Annoy's, use linjin.annoy".to_owned(),
            };
            return Err(OpenError::Foreign { found });
        }
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_le_bytes).ok_or_else(|| damaged("it ends inside its head"))
        };
        let long = |at: usize| Ok::<u64, OpenError>(u64::from(word(at)?) | u64::from(word(at + 4)?) << 32);
        let (version, order) = (word(8)?, word(12)?);
        if order == ORDER.swap_bytes() {
            let found = "it was written by a machine of the other byte order".to_owned();
            return Err(OpenError::Foreign { found });
        }
        if version != VERSION {
            return Err(OpenError::Version { found: version, supported: VERSION });
        }
        let n = long(56)?;
        if n > Kind::ALL.len() as u64 {
            return Err(damaged("its table of sections is too long"));
        }
        let end = FIXED + n as usize * ENTRY;
        let sum = word(end)?;
        if order != ORDER || crc32fast::hash(&bytes[..end]) != sum {
            return Err(damaged("the checksum of its head is wrong"));
        }
        let (metric, memory) = (word(16)? & ((1 << MEMORY_AT) - 1), word(16)? >> MEMORY_AT);
        let metric = *Metric::ALL.get(metric as usize).ok_or_else(|| damaged("it has an unknown metric"))?;
        let memory = *Memory::ALL
            .get(memory as usize)
            .ok_or_else(|| damaged("it takes memory in a way that is unknown"))?;
        let mut sections = Vec::new();
        for i in 0..n as usize {
            let at = FIXED + i * ENTRY;
            let number = word(at)?;
            let kind = Kind::ALL.into_iter().find(|&kind| kind as u32 == number);
            let kind = kind.ok_or_else(|| damaged("it has an unknown section"))?;
            let section =
                Section { kind, checksum: word(at + 4)?, offset: long(at + 8)?, bytes: long(at + 16)? };
            if !section.offset.is_multiple_of(ALIGN)
                || !section.bytes.is_multiple_of(4)
                || section.end().is_none()
            {
                return Err(damaged("it has a section at an impossible place"));
            }
            if sections.iter().any(|other: &Section| other.kind == kind) {
                return Err(damaged("it has a section twice"));
            }
            sections.push(section);
        }
        if !are_apart(&sections) {
            return Err(damaged("it has sections that lie upon each other, or upon its head"));
        }
        Ok(Self {
            metric,
            memory,
            dim: word(20)?,
            len: long(24)?,
            slots: long(32)?,
            next_id: long(40)?,
            trained: long(48)?,
            sections,
        })
    }

    /// A number that hardly another head has; with the checksums in it, hardly another file.
    pub(super) fn fingerprint(&self) -> u64 {
        let bytes = self.to_bytes();
        bytes.as_chunks().0.iter().copied().map(u64::from_le_bytes).fold(0, mix)
    }
}

/// Whether each section has its bytes to itself, behind the head and the checksums.
fn are_apart(sections: &[Section]) -> bool {
    let mut places: Vec<_> = sections.iter().map(|section| (section.offset, section.end())).collect();
    places.sort_unstable();
    let blocks = sections.iter().map(Section::blocks).sum();
    let mut free = Some(Head::first_section(sections.len(), blocks));
    places.into_iter().all(|(first, end)| {
        let apart = free.is_some_and(|free| first >= free);
        free = end;
        apart
    })
}
