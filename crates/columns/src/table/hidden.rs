//! The set of hidden rows of a chunk, in pages that tables share.

use std::sync::Arc;

/// Rows of a page.
const PAGE: usize = 4096;

/// One bit a row.
type Page = [u64; PAGE / 64];

/// A set of rows. A clone shares its pages; a change copies those that it touches, 512 bytes each, and
/// a word for each page.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden {
    /// `None`, or beyond the end, where nothing is hidden.
    pages: Vec<Option<Arc<Page>>>,
    count: usize,
}

impl Hidden {
    /// How many rows are hidden.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.pages.len() * size_of::<usize>() + self.pages.iter().flatten().count() * size_of::<Page>()
    }

    /// Whether a row is hidden.
    pub(super) fn contains(&self, row: usize) -> bool {
        let (page, word, bit) = split(row);
        self.pages.get(page).and_then(Option::as_ref).is_some_and(|page| page[word] & bit != 0)
    }

    /// Hides a row that is not hidden.
    pub(super) fn insert(&mut self, row: usize) {
        debug_assert!(!self.contains(row));
        let (page, word, bit) = split(row);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Arc::new([0; PAGE / 64]));
        Arc::make_mut(page)[word] |= bit;
        self.count += 1;
    }
}

/// The page of a row, the word within it and the bit within that.
fn split(row: usize) -> (usize, usize, u64) {
    (row / PAGE, row % PAGE / 64, 1 << (row % 64))
}
