//! The vectors, each in a numbered slot, with its id and the leaves that it lies in.

use super::overlay::Overlay;
use super::{NO_ID, space::Space};
use crate::file::{Slice, Values};
use crate::leaves::{Homes, NO_LEAF};
use crate::simd;

/// Slots of a page, the least that is copied by a change.
const PAGE: usize = 32;

/// What lies in slots that were laid out together; vectors have the same number in all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    /// How many slots there are.
    pub(super) len: usize,
    pub(super) rows: Values<u32>,
    /// [`NO_ID`] in a free slot; nothing when every id is its slot.
    pub(super) ids: Values<u64>,
    /// 1 / length for `cosine`; otherwise nothing.
    pub(super) scales: Values<f32>,
    /// Nothing while there are no leaves.
    pub(super) homes: Values<Homes>,
}

/// Slots that were changed since.
#[derive(Clone, Debug)]
pub(super) struct Page {
    rows: Vec<u32>,
    ids: [u64; PAGE],
    scales: [f32; PAGE],
    homes: [Homes; PAGE],
}

/// All slots of a version.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    pub(super) base: Base,
    pages: Overlay<Page>,
    len: usize,
    /// Whether the id of every vector is the number of its slot.
    ids_are_slots: bool,
}

/// A version's slots, to read many of them.
#[derive(Clone, Copy)]
pub(super) struct SlotsView<'a> {
    row_words: usize,
    rows: Slice<'a, u32>,
    base_len: usize,
    ids: Slice<'a, u64>,
    scales: Slice<'a, f32>,
    homes: Slice<'a, Homes>,
    pages: &'a Overlay<Page>,
    /// How many slots there are, free ones among them.
    pub(super) len: usize,
    /// Whether the id of every vector is the number of its slot.
    pub(super) ids_are_slots: bool,
}

impl<'a> SlotsView<'a> {
    #[inline]
    fn page(&self, slot: u32) -> Option<&'a Page> {
        self.pages.get(slot as usize / PAGE)
    }

    #[inline]
    pub(super) fn row(&self, slot: u32) -> &'a [u32] {
        let words = self.row_words;
        match self.page(slot) {
            Some(page) => &page.rows[slot as usize % PAGE * words..][..words],
            None => self.rows.part(slot as usize * words..(slot as usize + 1) * words),
        }
    }

    /// Fetches a row that will be read soon.
    #[inline]
    pub(super) fn fetch_row(&self, slot: u32) {
        let words = self.row_words;
        simd::prefetch_many(match self.page(slot) {
            Some(page) => &page.rows[slot as usize % PAGE * words..][..words],
            None => self.rows.to_fetch(slot as usize * words..(slot as usize + 1) * words),
        });
    }

    /// The id; [`NO_ID`] when the slot is free.
    #[inline]
    pub(super) fn id(&self, slot: u32) -> u64 {
        match self.page(slot) {
            Some(page) => page.ids[slot as usize % PAGE],
            None => self.ids.get(slot as usize).copied().unwrap_or(u64::from(slot)),
        }
    }

    #[inline]
    pub(super) fn scale(&self, slot: u32) -> f32 {
        match self.page(slot) {
            Some(page) => page.scales[slot as usize % PAGE],
            None => self.scales.get(slot as usize).copied().unwrap_or(1.0),
        }
    }

    pub(super) fn homes(&self, slot: u32) -> Homes {
        match self.page(slot) {
            Some(page) => page.homes[slot as usize % PAGE],
            None => self.homes.get(slot as usize).copied().unwrap_or([NO_LEAF; 2]),
        }
    }

    /// Every slot that holds a vector, with its id.
    pub(super) fn living(&self) -> impl Iterator<Item = (u32, u64)> {
        (0..self.len as u32).map(|slot| (slot, self.id(slot))).filter(|&(_, id)| id != NO_ID)
    }
}

impl Slots {
    pub(super) fn new(base: Base) -> Self {
        let (len, ids_are_slots) = (base.len, base.ids.slice().len() == 0);
        Self { base, pages: Overlay::default(), len, ids_are_slots }
    }

    pub(super) fn view(&self, space: &Space) -> SlotsView<'_> {
        SlotsView {
            row_words: space.row_words(),
            rows: self.base.rows.slice(),
            base_len: self.base.len,
            ids: self.base.ids.slice(),
            scales: self.base.scales.slice(),
            homes: self.base.homes.slice(),
            pages: &self.pages,
            len: self.len,
            ids_are_slots: self.ids_are_slots,
        }
    }

    /// How many slots there are, free ones among them.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How often a page was copied since all were laid out, on average.
    pub(super) fn copies_a_page(&self) -> usize {
        self.pages.copies() / self.len.div_ceil(PAGE).max(1)
    }

    /// Bytes of the pages that were changed.
    pub(super) fn changed_bytes(&self, space: &Space) -> u64 {
        (self.pages.iter().count() * (size_of::<Page>() + PAGE * space.row_words() * size_of::<u32>())) as u64
    }

    /// Changes slots; `change` gets each with its number in `slots`, which are in ascending order, and its place.
    pub(super) fn change(&mut self, space: &Space, slots: &[u32], mut change: impl FnMut(usize, Place<'_>)) {
        let words = space.row_words();
        let mut i = 0;
        while let Some(&first) = slots.get(i) {
            let number = first as usize / PAGE;
            let mut page = self.page(space, number);
            while let Some(&slot) = slots.get(i).filter(|&&slot| slot as usize / PAGE == number) {
                let at = slot as usize % PAGE;
                let row = &mut page.rows[at * words..][..words];
                let (id, scale) = (&mut page.ids[at], &mut page.scales[at]);
                change(i, Place { row, id, scale, homes: &mut page.homes[at] });
                self.ids_are_slots &= [NO_ID, u64::from(slot)].contains(&page.ids[at]);
                self.len = self.len.max(slot as usize + 1);
                i += 1;
            }
            self.pages.set(number, page);
        }
    }

    /// A copy of a page.
    fn page(&self, space: &Space, number: usize) -> Page {
        if let Some(page) = self.pages.get(number) {
            return page.clone();
        }
        let (words, view) = (space.row_words(), self.view(space));
        let mut page = Page {
            rows: vec![0; PAGE * words],
            ids: [NO_ID; PAGE],
            scales: [1.0; PAGE],
            homes: [[NO_LEAF; 2]; PAGE],
        };
        let start = number * PAGE;
        for slot in start..(start + PAGE).min(view.base_len) {
            let (at, slot) = (slot - start, slot as u32);
            page.rows[at * words..][..words].copy_from_slice(view.row(slot));
            page.ids[at] = view.id(slot);
            page.scales[at] = view.scale(slot);
            page.homes[at] = view.homes(slot);
        }
        page
    }
}

/// A slot to be changed.
pub(super) struct Place<'a> {
    pub(super) row: &'a mut [u32],
    pub(super) id: &'a mut u64,
    pub(super) scale: &'a mut f32,
    pub(super) homes: &'a mut Homes,
}
