//! Words in memory or in a mapped file, shared by everyone who needs them.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{AnyBitPattern, NoUninit, cast_slice};

use super::mmap::{Mapping, Pages};

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
}

impl Region {
    pub(crate) fn memory(pages: Pages) -> Self {
        let range = 0..pages.words().len();
        Self { source: Arc::new(Source::Memory(pages)), range }
    }

    pub(crate) fn mapped(mapping: Mapping) -> Self {
        let range = 0..mapping.words().len();
        Self { source: Arc::new(Source::Mapped(mapping)), range }
    }

    /// A part of the region; `None` beyond its end.
    pub(crate) fn part(&self, range: Range<usize>) -> Option<Self> {
        let (start, end) = (self.range.start + range.start, self.range.start.checked_add(range.end)?);
        (start <= end && end <= self.range.end)
            .then(|| Self { source: self.source.clone(), range: start..end })
    }

    #[inline]
    pub(crate) fn words(&self) -> &[u32] {
        let words = match &*self.source {
            Source::Memory(pages) => pages.words(),
            Source::Mapped(mapping) => mapping.words(),
        };
        &words[self.range.clone()]
    }

    /// Whether a page of the file under it has turned out to be gone.
    pub(crate) fn is_truncated(&self) -> bool {
        match &*self.source {
            Source::Memory(_) => false,
            Source::Mapped(mapping) => mapping.is_truncated(),
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
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::Region(region) => cast_slice(region.words()),
            Self::Own(values) => values,
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
}

impl<T: AnyBitPattern + NoUninit> Values<T> {
    /// Bytes in memory, and bytes in a mapped file.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let bytes = size_of_val(self.as_slice()) as u64;
        match self {
            Self::Region(Region { source, .. }) if matches!(**source, Source::Mapped(_)) => (0, bytes),
            _ => (bytes, 0),
        }
    }
}

impl<T> Values<T> {
    /// Whether a page of the file under it has turned out to be gone.
    pub(crate) fn is_truncated(&self) -> bool {
        matches!(self, Self::Region(region) if region.is_truncated())
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
