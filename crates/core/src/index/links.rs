//! The graph of a version: a node for each slot, laid out together, and those that changed since.

use std::sync::Arc;

use super::overlay::Overlay;
use crate::file::{Slice, Values};
use crate::graph::{Layout, Nodes};
use crate::quant::Codebook;

/// Nodes of a page, the least that is copied by a change: a new vector changes the nodes beside it, wherever they lie.
const PAGE: usize = 8;

/// All nodes of a version.
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) layout: Layout,
    /// Of what lacks from the centres of the directory's groups.
    pub(super) codebook: Arc<Codebook>,
    base: Values<u32>,
    pages: Overlay<Vec<u32>>,
    len: usize,
}

/// A version's nodes, to read many of them.
#[derive(Clone, Copy)]
pub(super) struct LinksView<'a> {
    words: usize,
    base: Slice<'a, u32>,
    pages: &'a Overlay<Vec<u32>>,
    len: usize,
}

impl Nodes for LinksView<'_> {
    #[inline]
    fn node(&self, number: u32) -> Option<&[u32]> {
        let number = number as usize;
        match self.pages.get(number / PAGE) {
            Some(page) => page.get(number % PAGE * self.words..)?.get(..self.words),
            None => self.base.get_part(number * self.words..(number + 1) * self.words),
        }
    }

    #[inline]
    fn to_fetch(&self, number: u32) -> &[u32] {
        let number = number as usize;
        match self.pages.get(number / PAGE) {
            Some(page) => page.get(number % PAGE * self.words..).unwrap_or_default(),
            None => self.base.to_fetch(number * self.words..(number + 1) * self.words),
        }
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl<'a> LinksView<'a> {
    /// The nodes in `base`, and those of `pages` in their place.
    pub(super) fn new(
        layout: Layout,
        base: Slice<'a, u32>,
        pages: &'a Overlay<Vec<u32>>,
        len: usize,
    ) -> Self {
        Self { words: layout.words(), base, pages, len }
    }
}

impl Links {
    /// The nodes in `base`, one for each of `len` slots.
    pub(super) fn new(codebook: Arc<Codebook>, base: Values<u32>, len: usize) -> Self {
        let layout = Layout::new(codebook.codes());
        Self { layout, codebook, base, pages: Overlay::default(), len }
    }

    /// How often a page was copied since all were laid out, on average.
    pub(super) fn copies_a_page(&self) -> usize {
        self.pages.copies() / self.len.div_ceil(PAGE).max(1)
    }

    pub(super) fn view(&self) -> LinksView<'_> {
        LinksView::new(self.layout, self.base.slice(), &self.pages, self.len)
    }

    /// What has turned out to be wrong with the file under it.
    pub(super) fn fault(&self) -> Option<&str> {
        self.base.fault()
    }

    /// Bytes in memory, and bytes in a mapped file.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let (memory, mapped) = self.base.bytes();
        let pages: usize = self.pages.iter().map(|page| size_of_val(page.as_slice())).sum();
        (memory + pages as u64, mapped)
    }

    /// The slots beside one, those without a vector left out.
    pub(super) fn beside(&self, slot: u32) -> Vec<u32> {
        let view = self.view();
        let lives = |slot: &u32| view.node(*slot).is_some_and(|node| self.layout.is_taken(node));
        let beside = |node| self.layout.beside(node).iter().copied().filter(lives).collect();
        view.node(slot).map_or_else(Vec::new, beside)
    }

    /// The node of a slot, to be changed; one without a vector when there was none.
    pub(super) fn change(&mut self, slot: u32) -> &mut [u32] {
        let (layout, words) = (self.layout, self.layout.words());
        let (slot, number) = (slot as usize, slot as usize / PAGE);
        self.len = self.len.max(slot + 1);
        let base = self.base.slice();
        let page = self.pages.entry(number, || {
            let mut page = vec![0; PAGE * words];
            for (i, node) in page.chunks_exact_mut(words).enumerate() {
                let at = (number * PAGE + i) * words;
                match base.get_part(at..at + words) {
                    Some(old) => node.copy_from_slice(old),
                    None => layout.clear(node),
                }
            }
            page
        });
        &mut page[slot % PAGE * words..][..words]
    }
}
