//! Checksums over the blocks of a mapped section, each compared before the block is believed for the first time.

use std::ops::Range;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::sync::{Arc, OnceLock};

use bytemuck::cast_slice;

use super::region::Region;
use crate::sync::{AtomicU64, AtomicUsize};

/// Bytes that have one checksum. A block takes some microseconds to sum up, about as long as the pages of it take to come.
pub(crate) const BLOCK: usize = 64 * 1024;

/// The first damage that was found in a file; all of its sections share it.
pub(crate) type Fault = Arc<OnceLock<String>>;

/// The blocks of a section: what they should sum up to, and which of them were looked at.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// What the section is called, and its first byte in the file.
    name: String,
    offset: u64,
    section: Region,
    /// CRC-32 of each block.
    sums: Region,
    /// A bit for each block that was looked at. What was wrong with it stands in `fault` before.
    looked_at: Box<[AtomicU64]>,
    left: AtomicUsize,
    fault: Fault,
}

impl Blocks {
    /// The blocks of `section`, which begins at byte `offset` of its file; `None` when `sums` are not as many.
    pub(crate) fn new(
        name: String,
        offset: u64,
        section: Region,
        sums: Region,
        fault: Fault,
    ) -> Option<Self> {
        let n = size_of_val(section.unchecked()).div_ceil(BLOCK);
        (sums.len() == n).then(|| Self {
            name,
            offset,
            section,
            sums,
            looked_at: (0..n.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            left: AtomicUsize::new(n),
            fault,
        })
    }

    /// Compares the blocks that these bytes of the section lie in, if nobody has yet.
    #[inline]
    pub(super) fn check(&self, bytes: Range<usize>) {
        let Some(last) = bytes.end.checked_sub(1) else { return };
        for block in bytes.start / BLOCK..=last / BLOCK {
            if self.looked_at[block / 64].load(Acquire) >> (block % 64) & 1 == 0 {
                self.look(block);
            }
        }
    }

    /// Compares all blocks; the first one that is wrong, and how many are.
    pub(crate) fn check_all(&self) -> Option<(String, usize)> {
        let wrong: Vec<usize> = (0..self.sums.len()).filter(|&block| !self.is_sound(block)).collect();
        wrong.first().map(|&first| (self.describe(first), wrong.len()))
    }

    /// Whether every block was looked at: then nobody needs to ask any more.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.left.load(Acquire) == 0
    }

    /// The first damage that was found in the file.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }

    #[cold]
    fn look(&self, block: usize) {
        if !self.is_sound(block) {
            self.fault.get_or_init(|| self.describe(block));
        }
        let bit = 1 << (block % 64);
        if self.looked_at[block / 64].fetch_or(bit, AcqRel) & bit == 0 {
            self.left.fetch_sub(1, AcqRel);
        }
    }

    fn is_sound(&self, block: usize) -> bool {
        crc32fast::hash(&cast_slice(self.section.unchecked())[self.place(block)])
            == self.sums.unchecked()[block]
    }

    /// Where a block lies in the section.
    fn place(&self, block: usize) -> Range<usize> {
        let bytes = size_of_val(self.section.unchecked());
        block * BLOCK..((block + 1) * BLOCK).min(bytes)
    }

    fn describe(&self, block: usize) -> String {
        let place = self.place(block);
        let (name, first) = (&self.name, self.offset + place.start as u64);
        format!("the checksum of {} bytes of section {name}, from byte {first} on, is wrong", place.len())
    }
}
