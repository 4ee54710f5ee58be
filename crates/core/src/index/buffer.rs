//! Much memory at once: in large pages where the system has them, on the heap otherwise.

use crate::file::{Pages, Region, Values};

/// Words for many rows.
pub(super) enum Buffer {
    Pages(Pages),
    Own(Vec<u32>),
}

/// Whether the system has so many bytes. Asked before they are needed, since in the middle of the work an allocation that fails
/// ends the process.
pub(super) fn has_room(bytes: usize) -> bool {
    Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}

/// So many zeros.
pub(super) fn zeros(n: usize) -> Buffer {
    let mut pages = Pages::default();
    if n > 0 && pages.grow(n).is_ok() { Buffer::Pages(pages) } else { Buffer::Own(vec![0; n]) }
}

impl Buffer {
    pub(super) fn as_mut(&mut self) -> &mut [u32] {
        match self {
            Self::Pages(pages) => pages.words_mut(),
            Self::Own(words) => words,
        }
    }

    pub(super) fn into_values(self) -> Values<u32> {
        match self {
            Self::Pages(pages) => Values::Region(Region::memory(pages)),
            Self::Own(words) => words.into(),
        }
    }
}

/// Everything in one region; on the heap when there is no memory for that.
pub(super) fn concat<'a, T: bytemuck::Pod>(parts: impl Iterator<Item = &'a [T]> + Clone) -> Values<T> {
    let bytes: usize = parts.clone().map(size_of_val).sum();
    let mut pages = Pages::default();
    if bytes == 0 || !bytes.is_multiple_of(4) || pages.grow(bytes / 4).is_err() {
        return parts.flatten().copied().collect::<Vec<_>>().into();
    }
    let mut rest: &mut [u8] = bytemuck::cast_slice_mut(pages.words_mut());
    for part in parts {
        let (here, behind) = rest.split_at_mut(size_of_val(part));
        here.copy_from_slice(bytemuck::cast_slice(part));
        rest = behind;
    }
    Values::Region(Region::memory(pages))
}
