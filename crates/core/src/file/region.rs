//! Words in memory or in a mapped file, shared by everyone who needs them.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{AnyBitPattern, NoUninit, cast_slice, cast_slice_mut};

use super::blocks::Blocks;
use super::mmap::{Mapping, Pages};

/// What became of a file whose pages are gone.
const CUT_SHORT: &str = "it was cut short while it was open";

/// Where the words of a region lie.
#[derive(Debug)]
enum Source {
    Memory(Pages),
    Mapped(Mapping),
}

/// A range of words that never change.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    source: Arc<Source>,
    range: Range<usize>,
    /// Where they have checksums: their blocks, and the word of the source at which the first one begins.
    blocks: Option<(Arc<Blocks>, usize)>,
}

impl Region {
    pub(crate) fn memory(pages: Pages) -> Self {
        let range = 0..pages.words().len();
        Self { source: Arc::new(Source::Memory(pages)), range, blocks: None }
    }

    pub(crate) fn mapped(mapping: Mapping) -> Self {
        let range = 0..mapping.words().len();
        Self { source: Arc::new(Source::Mapped(mapping)), range, blocks: None }
    }

    /// The same words, which are compared with the checksums of `blocks` where they are used.
    pub(crate) fn checked_by(self, blocks: Arc<Blocks>) -> Self {
        let first = self.range.start;
        Self { blocks: Some((blocks, first)), ..self }
    }

    /// A part of the region; `None` beyond its end.
    pub(crate) fn part(&self, range: Range<usize>) -> Option<Self> {
        let (start, end) =
            (self.range.start.checked_add(range.start)?, self.range.start.checked_add(range.end)?);
        (start <= end && end <= self.range.end).then(|| Self { range: start..end, ..self.clone() })
    }

    /// The words, to be changed; `None` where they are not in memory, or somebody else has them too.
    fn only_mut(&mut self) -> Option<&mut [u32]> {
        match Arc::get_mut(&mut self.source)? {
            Source::Memory(pages) => Some(&mut pages.words_mut()[self.range.clone()]),
            Source::Mapped(_) => None,
        }
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    /// The words as they are, whatever their checksums say.
    #[inline]
    pub(super) fn unchecked(&self) -> &[u32] {
        let words = match &*self.source {
            Source::Memory(pages) => pages.words(),
            Source::Mapped(mapping) => mapping.words(),
        };
        &words[self.range.clone()]
    }

    /// All words, checked.
    pub(crate) fn words(&self) -> &[u32] {
        let slice: Slice<'_, u32> = self.slice();
        slice.all()
    }

    /// The words as values that are checked where they are used.
    #[inline]
    fn slice<T: AnyBitPattern>(&self) -> Slice<'_, T> {
        let blocks = self.blocks.as_ref().filter(|(blocks, _)| !blocks.is_done());
        Slice {
            values: cast_slice(self.unchecked()),
            blocks: blocks.map(|(blocks, _)| &**blocks),
            before: blocks.map_or(0, |(_, first)| (self.range.start - first) * size_of::<u32>()),
        }
    }

    /// What has turned out to be wrong with the file under it.
    pub(crate) fn fault(&self) -> Option<&str> {
        match &*self.source {
            Source::Mapped(mapping) if mapping.is_truncated() => Some(CUT_SHORT),
            _ => self.blocks.as_ref().and_then(|(blocks, _)| blocks.fault()),
        }
    }
}

/// Values, those in a file compared with their checksums before they are handed out. Where they are wrong the file is
/// marked, and whoever searches looks at the mark before it believes what it read.
#[derive(Debug)]
pub(crate) struct Slice<'a, T> {
    values: &'a [T],
    /// Of values that have checksums which were not all compared yet.
    blocks: Option<&'a Blocks>,
    /// Bytes from where the blocks begin to where the values do.
    before: usize,
}

impl<T> Clone for Slice<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slice<'_, T> {}

impl<'a, T> From<&'a [T]> for Slice<'a, T> {
    fn from(values: &'a [T]) -> Self {
        Self { values, blocks: None, before: 0 }
    }
}

impl<'a, T> Slice<'a, T> {
    pub(crate) fn len(self) -> usize {
        self.values.len()
    }

    /// Some of the values.
    #[inline]
    pub(crate) fn part(self, range: Range<usize>) -> &'a [T] {
        let part = &self.values[range.clone()];
        self.check(range);
        part
    }

    /// Some of the values; `None` beyond the end.
    #[inline]
    pub(crate) fn get_part(self, range: Range<usize>) -> Option<&'a [T]> {
        let part = self.values.get(range.clone())?;
        self.check(range);
        Some(part)
    }

    /// One of the values; `None` beyond the end.
    #[inline]
    pub(crate) fn get(self, at: usize) -> Option<&'a T> {
        let value = self.values.get(at)?;
        self.check(at..at + 1);
        Some(value)
    }

    /// All values.
    pub(crate) fn all(self) -> &'a [T] {
        self.part(0..self.values.len())
    }

    /// Some of the values, to be fetched into the cache and not to be read.
    #[inline]
    pub(crate) fn to_fetch(self, range: Range<usize>) -> &'a [T] {
        self.values.get(range).unwrap_or_default()
    }

    #[inline]
    fn check(self, range: Range<usize>) {
        if let Some(blocks) = self.blocks
            && !range.is_empty()
        {
            blocks
                .check(self.before + range.start * size_of::<T>()..self.before + range.end * size_of::<T>());
        }
    }
}

/// Values in a region, or of its own.
#[derive(Clone, Debug)]
pub(crate) enum Values<T> {
    /// Somewhere in a file, or in large pages.
    Region(Region),
    /// On the heap.
    Own(Arc<Vec<T>>),
}

impl<T: AnyBitPattern + NoUninit> Values<T> {
    #[inline]
    pub(crate) fn slice(&self) -> Slice<'_, T> {
        match self {
            Self::Region(region) => region.slice(),
            Self::Own(values) => values.as_slice().into(),
        }
    }

    /// The values, to be changed: copied when they are not of its own alone.
    pub(crate) fn make_mut(&mut self) -> &mut Vec<T> {
        if let Self::Region(region) = self {
            *self = Self::Own(Arc::new(cast_slice(region.words()).to_vec()));
        }
        match self {
            Self::Own(values) => Arc::make_mut(values),
            Self::Region(_) => unreachable!("made its own just above"),
        }
    }

    /// The values, to be changed where they are; `None` where they are not in memory, or somebody else has them too.
    pub(crate) fn only_mut(&mut self) -> Option<&mut [T]> {
        match self {
            Self::Region(region) => region.only_mut().map(cast_slice_mut),
            Self::Own(values) => Arc::get_mut(values).map(Vec::as_mut_slice),
        }
    }

    /// Bytes in memory, and bytes in a mapped file.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let bytes = (self.slice().len() * size_of::<T>()) as u64;
        match self {
            Self::Region(Region { source, .. }) if matches!(**source, Source::Mapped(_)) => (0, bytes),
            _ => (bytes, 0),
        }
    }
}

impl<T> Values<T> {
    /// What has turned out to be wrong with the file under it.
    pub(crate) fn fault(&self) -> Option<&str> {
        match self {
            Self::Region(region) => region.fault(),
            Self::Own(_) => None,
        }
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self::Own(Arc::default())
    }
}

impl<T> From<Vec<T>> for Values<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Own(Arc::new(values))
    }
}
