//! The graph of a version: a node for each slot, laid out together, and those that changed since.

use std::sync::Arc;

use super::overlay::Overlay;
use crate::file::{Slice, Values};
use crate::graph::{Bench, Coder, EDGES, Edge, Layout, Nodes};
use crate::simd::Kernels;

/// All nodes of a version.
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) layout: Layout,
    pub(super) coder: Arc<Coder>,
    /// Laid out as nodes at the centre of all vectors; beside them are those that walks begin at.
    pub(super) entries: Arc<Vec<u32>>,
    base: Values<u32>,
    /// Each of those that changed: a new vector changes the nodes beside it, wherever they lie.
    changed: Overlay<Vec<u32>>,
    len: usize,
}

/// An edge that is to be led from a slot, in a place of its node, to another one; `square` is that of their distance.
#[derive(Clone, Copy)]
pub(super) struct Leading {
    pub(super) from: u32,
    pub(super) place: usize,
    pub(super) to: u32,
    pub(super) square: f32,
}

/// A version's nodes, to read many of them.
#[derive(Clone, Copy)]
pub(super) struct LinksView<'a> {
    words: usize,
    base: Slice<'a, u32>,
    changed: &'a Overlay<Vec<u32>>,
    len: usize,
}

impl Nodes for LinksView<'_> {
    #[inline]
    fn node(&self, number: u32) -> Option<&[u32]> {
        let number = number as usize;
        match self.changed.get(number) {
            Some(node) => Some(node),
            None => self.base.get_part(number * self.words..(number + 1) * self.words),
        }
    }

    #[inline]
    fn to_fetch(&self, number: u32) -> &[u32] {
        let number = number as usize;
        match self.changed.get(number) {
            Some(node) => node,
            None => self.base.to_fetch(number * self.words..(number + 1) * self.words),
        }
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl<'a> LinksView<'a> {
    /// The nodes in `base`, and those of `changed` in their place.
    pub(super) fn new(
        layout: Layout,
        base: Slice<'a, u32>,
        changed: &'a Overlay<Vec<u32>>,
        len: usize,
    ) -> Self {
        Self { words: layout.words(), base, changed, len }
    }
}

impl Links {
    /// The nodes in `base`, one for each of `len` slots.
    pub(super) fn new(coder: Arc<Coder>, entries: Arc<Vec<u32>>, base: Values<u32>, len: usize) -> Self {
        Self { layout: coder.layout(), coder, entries, base, changed: Overlay::default(), len }
    }

    /// How often a node was copied since all were laid out, on average.
    pub(super) fn copies_a_node(&self) -> usize {
        self.changed.copies() / self.len.max(1)
    }

    pub(super) fn view(&self) -> LinksView<'_> {
        LinksView::new(self.layout, self.base.slice(), &self.changed, self.len)
    }

    /// What has turned out to be wrong with the file under it.
    pub(super) fn fault(&self) -> Option<&str> {
        self.base.fault()
    }

    /// Bytes in memory, and bytes in a mapped file.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let (memory, mapped) = self.base.bytes();
        let changed: usize = self.changed.iter().map(|node| size_of_val(node.as_slice())).sum();
        (memory + (changed + size_of_val(self.entries.as_slice())) as u64, mapped)
    }

    /// The slots beside one, those without a vector left out.
    pub(super) fn beside(&self, slot: u32) -> Vec<u32> {
        let view = self.view();
        let lives = |slot: &u32| view.node(*slot).is_some_and(|node| self.layout.is_taken(node));
        let beside = |node| self.layout.beside(node).iter().copied().filter(lives).collect();
        view.node(slot).map_or_else(Vec::new, beside)
    }

    /// Leads edges to vectors.
    pub(super) fn lead(&mut self, kernels: &Kernels, edges: &[Leading], bench: &mut Bench) {
        let (layout, coder) = (self.layout, self.coder.clone());
        let view = self.view();
        let own = |slot: u32| view.node(slot).map(|node| layout.own(node));
        let (ends, edges): (Vec<Edge<'_>>, Vec<Leading>) = edges
            .iter()
            .filter_map(|edge| {
                let (from, to) = own(edge.from).zip(own(edge.to))?;
                Some((Edge { from, to, square: edge.square }, *edge))
            })
            .unzip();
        let mut coded: Vec<(Vec<u8>, f32, f32)> = Vec::with_capacity(ends.len());
        coder.code_edges(kernels, &ends, bench, |_, edge| {
            coded.push((edge.codes().collect(), edge.added, edge.times));
        });
        for (Leading { from, place, to, .. }, (codes, added, times)) in edges.into_iter().zip(coded) {
            layout.set_edge(self.change(from), place, to, codes.into_iter(), added, times);
        }
    }

    /// How many slots walks may begin at, and some.
    pub(super) fn entries(&self) -> usize {
        self.entries.len() / self.layout.words() * EDGES
    }

    /// Lets walks begin at a slot too.
    pub(super) fn add_entry(&mut self, kernels: &Kernels, slot: u32, bench: &mut Bench) {
        let (layout, coder) = (self.layout, self.coder.clone());
        let entries = Arc::make_mut(&mut self.entries);
        let free = |entry: &[u32]| layout.beside(entry).len() < EDGES;
        let number = entries.chunks_exact(layout.words()).position(free).unwrap_or_else(|| {
            let zeros = vec![0; layout.width()];
            let end = entries.len();
            entries.resize(end + layout.words(), 0);
            layout.write(&mut entries[end..], coder.centre(&zeros));
            end / layout.words()
        });
        let place = layout.beside(&entries[number * layout.words()..][..layout.words()]).len();
        self.set_entry(kernels, (number, place), slot, bench);
    }

    /// Lets walks that would begin at a slot begin at another one, if there is one.
    pub(super) fn move_entry(&mut self, kernels: &Kernels, slot: u32, to: Option<u32>, bench: &mut Bench) {
        let layout = self.layout;
        let place = |entry: &[u32]| layout.beside(entry).iter().position(|&other| other == slot);
        let found = self.entries.chunks_exact(layout.words()).map(place).enumerate();
        let Some((number, place)) = found.filter_map(|(i, place)| Some((i, place?))).next() else { return };
        match to {
            Some(to) => self.set_entry(kernels, (number, place), to, bench),
            None => {
                let entries = Arc::make_mut(&mut self.entries);
                let entry = &mut entries[number * layout.words()..][..layout.words()];
                layout.drop_edges(entry, |edge| edge == slot);
            }
        }
    }

    /// Lets walks begin at a slot that comes into a place of an entry point.
    fn set_entry(
        &mut self,
        kernels: &Kernels,
        (number, place): (usize, usize),
        slot: u32,
        bench: &mut Bench,
    ) {
        let (layout, coder) = (self.layout, self.coder.clone());
        let view = LinksView::new(layout, self.base.slice(), &self.changed, self.len);
        let Some(node) = view.node(slot) else { return };
        let zeros = vec![0; layout.width()];
        let to = layout.own(node);
        let edge = Edge { from: coder.centre(&zeros), to, square: to.square };
        let entry = &mut Arc::make_mut(&mut self.entries)[number * layout.words()..][..layout.words()];
        coder.code_edges(kernels, &[edge], bench, |_, coded| {
            layout.set_edge(entry, place, slot, coded.codes(), coded.added, coded.times);
        });
    }

    /// The node of a slot, to be changed; one without a vector when there was none.
    pub(super) fn change(&mut self, slot: u32) -> &mut [u32] {
        let (layout, slot) = (self.layout, slot as usize);
        self.len = self.len.max(slot + 1);
        let base = self.base.slice();
        self.changed.entry(slot, || {
            let mut node = vec![0; layout.words()];
            match base.get_part(slot * layout.words()..(slot + 1) * layout.words()) {
                Some(old) => node.copy_from_slice(old),
                None => layout.clear(&mut node),
            }
            node
        })
    }
}
