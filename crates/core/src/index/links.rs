//! The graph of a version: a node for each slot, laid out together, and those that changed since.

use std::sync::Arc;

use super::overlay::Overlay;
use crate::file::{Slice, Values};
use crate::graph::{Coder, EDGES, Edge, EdgeBuffers, Layout, Nodes, Own};
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
    pub(super) layout: Layout,
    base: Slice<'a, u32>,
    changed: &'a Overlay<Vec<u32>>,
    len: usize,
}

impl Nodes for LinksView<'_> {
    #[inline]
    fn node(&self, number: u32) -> Option<&[u32]> {
        let (number, words) = (number as usize, self.layout.words());
        match self.changed.get(number) {
            Some(node) => Some(node),
            None => self.base.get_part(number * words..(number + 1) * words),
        }
    }

    #[inline]
    fn to_fetch(&self, number: u32) -> &[u32] {
        let (number, words) = (number as usize, self.layout.words());
        match self.changed.get(number) {
            Some(node) => node,
            None => self.base.to_fetch(number * words..(number + 1) * words),
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
        Self { layout, base, changed, len }
    }

    /// The vector in a slot; `None` where there is none.
    pub(super) fn own(&self, slot: u32) -> Option<Own<'_>> {
        self.node(slot).map(|node| self.layout.own(node)).filter(Own::is_there)
    }

    /// The slots that edges lead to from one, in the order of their places; those without a vector are among them.
    pub(super) fn edges(&self, slot: u32) -> &[u32] {
        self.node(slot).map_or(&[], |node| self.layout.beside(node))
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
        view.edges(slot).iter().copied().filter(|&edge| view.own(edge).is_some()).collect()
    }

    /// Leads edges to vectors.
    pub(super) fn lead(&mut self, kernels: &Kernels, edges: &[Leading], buffers: &mut EdgeBuffers) {
        let (layout, coder, view) = (self.layout, self.coder.clone(), self.view());
        let (ends, edges): (Vec<Edge<'_>>, Vec<Leading>) = edges
            .iter()
            .filter_map(|edge| {
                let (from, to) = view.own(edge.from).zip(view.own(edge.to))?;
                Some((Edge { from, to, square: edge.square }, *edge))
            })
            .unzip();
        // The ends lie in nodes that are about to be changed.
        let (mut codes, mut factors) = (Vec::new(), Vec::with_capacity(ends.len()));
        coder.code_edges(kernels, &ends, buffers, |_, edge| {
            codes.extend(edge.codes());
            factors.push((edge.added, edge.times));
        });
        let each = codes.chunks_exact(coder.codebook().codes()).zip(factors);
        for (Leading { from, place, to, .. }, (codes, (added, times))) in edges.into_iter().zip(each) {
            layout.set_edge(self.change(from), place, to, codes.iter().copied(), added, times);
        }
    }

    /// How many slots walks may begin at, and some.
    pub(super) fn entries(&self) -> usize {
        self.entries.len() / self.layout.words() * EDGES
    }

    /// Lets walks begin at a slot too.
    pub(super) fn add_entry(&mut self, kernels: &Kernels, slot: u32, buffers: &mut EdgeBuffers) {
        let layout = self.layout;
        let free = |entry: &[u32]| layout.beside(entry).len() < EDGES;
        let number = self.entries.chunks_exact(layout.words()).position(free).unwrap_or_else(|| {
            let entries = Arc::make_mut(&mut self.entries);
            let end = entries.len();
            entries.resize(end + layout.words(), 0);
            layout.write_centre(&mut entries[end..]);
            end / layout.words()
        });
        let place = layout.beside(&self.entries[number * layout.words()..][..layout.words()]).len();
        self.set_entry(kernels, (number, place), slot, buffers);
    }

    /// Lets walks that would begin at a slot begin at another one, if there is one.
    pub(super) fn move_entry(
        &mut self,
        kernels: &Kernels,
        slot: u32,
        to: Option<u32>,
        buffers: &mut EdgeBuffers,
    ) {
        let layout = self.layout;
        let place = |entry: &[u32]| layout.beside(entry).iter().position(|&other| other == slot);
        let found = self.entries.chunks_exact(layout.words()).map(place).enumerate();
        let Some((number, place)) = found.filter_map(|(i, place)| Some((i, place?))).next() else { return };
        match to {
            Some(to) => self.set_entry(kernels, (number, place), to, buffers),
            None => layout.drop_edge(self.entry(number), place),
        }
    }

    fn entry(&mut self, number: usize) -> &mut [u32] {
        let words = self.layout.words();
        &mut Arc::make_mut(&mut self.entries)[number * words..][..words]
    }

    /// Lets walks begin at a slot that comes into a place of an entry point.
    fn set_entry(
        &mut self,
        kernels: &Kernels,
        (number, place): (usize, usize),
        slot: u32,
        buffers: &mut EdgeBuffers,
    ) {
        let (layout, coder) = (self.layout, self.coder.clone());
        let mut entry = self.entry(number).to_vec();
        let centre = entry.clone();
        let view = self.view();
        let Some(to) = view.own(slot) else { return };
        let edge = Edge { from: layout.own(&centre), to, square: to.square };
        coder.lead(kernels, &[(slot, edge)], (&mut entry, place), buffers);
        self.entry(number).copy_from_slice(&entry);
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
