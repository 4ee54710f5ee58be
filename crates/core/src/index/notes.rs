//! What callers keep in an index beside its vectors: byte strings that mean nothing to it, in the order in which they came.

use std::sync::Arc;

use bytemuck::cast_slice;

use super::error::SearchError;
use crate::file::Values;

/// A note lies behind the number of its bytes, and is filled up with zeros to a multiple of this.
const ALIGN: usize = 8;

/// A change of the notes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note<'a> {
    /// Comes behind those that there are.
    Behind(&'a [u8]),
    /// Takes the place of all that there are.
    Instead(&'a [u8]),
}

/// The notes of an index at one moment: see [`Index::notes`](super::Index::notes).
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Those of the file.
    base: Values<u32>,
    /// Those that came since, some in each part; a part is larger than the ones behind it, so there are few.
    later: Vec<Arc<Vec<u8>>>,
    /// Nobody else's, but that of clones.
    identity: Arc<()>,
    /// The notes that these follow, and how many bytes they have in common.
    before: Option<(Arc<()>, usize)>,
}

impl Notes {
    /// Those that a file holds.
    pub(super) fn of_file(base: Values<u32>) -> Self {
        Self { base, ..Self::default() }
    }

    /// These notes, and `more` behind them. Costs as much as `more`, on the average.
    pub(super) fn followed_by<'a>(&self, more: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut part = Vec::new();
        more.for_each(|note| put(&mut part, note));
        let mut later = self.later.clone();
        while let Some(last) = later.pop_if(|last| last.len() < 2 * part.len()) {
            part = [last.as_slice(), &part].concat();
        }
        later.push(Arc::new(part));
        let before = Some((self.identity.clone(), self.bytes()));
        Self { base: self.base.clone(), later, identity: Arc::default(), before }
    }

    /// One note, and no other.
    pub(super) fn only(note: &[u8]) -> Self {
        Self::default().followed_by([note].into_iter())
    }

    /// All notes, in the order in which they came. Those of a file are compared with their checksums the first time.
    ///
    /// # Errors
    ///
    /// The file under the index is damaged where they are.
    pub fn read(&self) -> Result<impl Iterator<Item = &[u8]>, SearchError> {
        let unsound = self.unsound();
        match self.base.fault().map(str::to_owned).or(unsound) {
            Some(what) => Err(SearchError::Damaged { what }),
            None => Ok(self.from(0)),
        }
    }

    /// The first bytes of the first note, so many or all that it has; of a file no more than these is compared.
    pub fn beginning(&self, most: usize) -> &[u8] {
        let words = size_of::<u64>().saturating_add(most).div_ceil(size_of::<u32>());
        let base = self.base.slice();
        let base: &[u8] = cast_slice(base.part(0..words.min(base.len())));
        let part =
            if base.is_empty() { self.later.first().map_or(base, |part| part.as_slice()) } else { base };
        let Some((len, rest)) = part.split_first_chunk() else { return &[] };
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        &rest[..rest.len().min(len).min(most)]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// Whether these are the very notes that `other` is a clone of.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity)
    }

    /// What came behind `earlier`, which were read; `None` where these are not known to have followed them.
    pub fn behind<'a>(&'a self, earlier: &Self) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        let start = match &self.before {
            _ if self.is(earlier) => self.bytes(),
            Some((before, bytes)) if Arc::ptr_eq(before, &earlier.identity) => *bytes,
            _ => return None,
        };
        Some(self.from(start))
    }

    /// What was found to be wrong with the notes of a file, all of them read.
    pub(super) fn unsound(&self) -> Option<String> {
        let base: &[u8] = cast_slice(self.base.slice().all());
        let whole: usize = Frames(base).map(|note| framed(note.len())).sum();
        (whole != base.len()).then(|| format!("its notes end at byte {whole} of {}", base.len()))
    }

    /// The bytes of their section in a file, part by part.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let base: &[u8] = cast_slice(self.base.slice().all());
        std::iter::once(base).chain(self.later.iter().map(|part| part.as_slice()))
    }

    /// What has turned out to be wrong with the file under them.
    pub(super) fn fault(&self) -> Option<&str> {
        self.base.fault()
    }

    /// Bytes in memory, and bytes in a mapped file.
    pub(super) fn sizes(&self) -> (u64, u64) {
        let (memory, mapped) = self.base.bytes();
        (memory + self.later.iter().map(|part| part.len() as u64).sum::<u64>(), mapped)
    }

    fn bytes(&self) -> usize {
        self.base.slice().len() * size_of::<u32>() + self.later.iter().map(|part| part.len()).sum::<usize>()
    }

    /// The notes from this byte on.
    fn from(&self, start: usize) -> impl Iterator<Item = &[u8]> {
        let mut end = 0;
        self.parts().flat_map(move |part| {
            let first = start.saturating_sub(end).min(part.len());
            end += part.len();
            Frames(&part[first..])
        })
    }
}

/// Notes, one behind the other, as far as they are whole.
struct Frames<'a>(&'a [u8]);

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
        let filled = len.checked_next_multiple_of(ALIGN)?;
        let (note, behind) = rest.split_at_checked(filled)?;
        self.0 = behind;
        Some(&note[..len])
    }
}

/// Bytes that a note of so many takes.
fn framed(len: usize) -> usize {
    size_of::<u64>() + len.next_multiple_of(ALIGN)
}

fn put(part: &mut Vec<u8>, note: &[u8]) {
    part.extend((note.len() as u64).to_le_bytes());
    part.extend_from_slice(note);
    part.resize(part.len().next_multiple_of(ALIGN), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_stay_in_order_in_few_parts() {
        let mut notes = Notes::default();
        let all: Vec<Vec<u8>> = (0..1000_usize).map(|i| vec![i as u8; i % 37]).collect();
        for (i, note) in all.iter().enumerate() {
            let next = notes.followed_by([note.as_slice()].into_iter());
            let more: Vec<&[u8]> = next.behind(&notes).expect("it follows").collect();
            assert_eq!(more, [note.as_slice()], "note {i}");
            notes = next;
            assert!(notes.later.len() <= 20, "{} parts", notes.later.len());
        }
        assert!(notes.read().expect("they are sound").eq(all.iter().map(Vec::as_slice)));
        assert!(notes.behind(&notes.clone()).expect("it is the same").next().is_none());
        assert!(notes.behind(&Notes::default()).is_none());
        assert_eq!(Notes::default().beginning(9), []);
        assert_eq!(Notes::only(b"what begins").beginning(4), *b"what");
        assert_eq!(Notes::only(b"what").beginning(9), *b"what");
    }

    #[test]
    fn notes_that_are_cut_are_unsound() {
        let mut part = Vec::new();
        put(&mut part, &[1; 13]);
        put(&mut part, &[2; 8]);
        let words = |bytes: &[u8]| -> Values<u32> {
            bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect::<Vec<_>>().into()
        };
        assert_eq!(Notes::of_file(words(&part)).unsound(), None);
        assert!(Notes::of_file(words(&part[..part.len() - 4])).unsound().is_some());
        part[0] = u8::MAX;
        assert!(Notes::of_file(words(&part)).unsound().is_some());
    }
}
