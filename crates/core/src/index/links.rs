//! The graph of a version: a node for each slot, laid out together, and those that changed since.

use std::sync::Arc;

use super::buffer::zeros;
use super::overlay::Overlay;
use crate::file::{Slice, Values};
use crate::graph::{Close, Coder, EDGES, Edge, EdgeBuffers, Layout, Nodes, Own, sort, squares};
use crate::simd::{self, Kernels};

/// All nodes of a version.
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) layout: Layout,
    pub(super) coder: Arc<Coder>,
    /// Laid out as nodes at the centre of all vectors; beside them are those that walks begin at.
    pub(super) entries: Arc<Vec<u32>>,
    base: Values<u32>,
    /// Each of those that changed: a new vector changes the nodes beside it, wherever they lie.
    changed: Overlay<[u32]>,
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
    changed: &'a Overlay<[u32]>,
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
    pub(super) fn new(layout: Layout, base: Slice<'a, u32>, changed: &'a Overlay<[u32]>, len: usize) -> Self {
        Self { layout, base, changed, len }
    }

    /// The vector in a slot; `None` where there is none.
    pub(super) fn own(&self, slot: u32) -> Option<Own<'_>> {
        self.node(slot).map(|node| self.layout.own(node)).filter(Own::is_there)
    }

    /// Fetches the vectors in some slots, to be compared.
    pub(super) fn fetch_owns(&self, slots: &[u32]) {
        slots.iter().for_each(|&slot| simd::prefetch_many(self.layout.own_words(self.to_fetch(slot))));
    }

    /// Fetches where edges lead to from some slots.
    pub(super) fn fetch_edges(&self, slots: &[u32]) {
        slots.iter().for_each(|&slot| simd::prefetch_many(self.layout.beside_words(self.to_fetch(slot))));
    }

    /// The squared distances of the vectors in some slots from that in another one, by their bytes, closest first. Slots
    /// without a vector are left out.
    pub(super) fn near(&self, kernels: &Kernels, slot: u32, others: &[u32]) -> Vec<Close> {
        self.fetch_owns(others);
        let Some(own) = self.own(slot) else { return Vec::new() };
        let known = others.iter().filter_map(|&other| Some((other, self.own(other)?)));
        let (others, ends): (Vec<u32>, Vec<Own<'_>>) = known.unzip();
        let mut close: Vec<Close> = squares(kernels, own, &ends).into_iter().zip(others).collect();
        sort(&mut close);
        close
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

    /// Lays out together the nodes of `n` slots.
    pub(super) fn lay_out(&mut self, n: usize) {
        let layout = self.layout;
        if let Some(base) = self.base.only_mut()
            && base.len() == n * layout.words()
        {
            for (number, node) in self.changed.entries() {
                base[number * layout.words()..][..layout.words()].copy_from_slice(node);
            }
            self.changed = Overlay::default();
            return;
        }
        let view = self.view();
        let mut nodes = zeros(n * layout.words());
        for (slot, node) in (0..).zip(nodes.as_mut().chunks_exact_mut(layout.words())) {
            match view.node(slot) {
                Some(old) => node.copy_from_slice(old),
                None => layout.clear(node),
            }
        }
        *self = Self::new(self.coder.clone(), self.entries.clone(), nodes.into_values(), n);
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
        let changed: usize = self.changed.iter().map(size_of_val).sum();
        (memory + (changed + size_of_val(self.entries.as_slice())) as u64, mapped)
    }

    /// The nodes of some slots as they are with more edges: `edges` from one slot lie one behind the other.
    pub(super) fn led(
        &self,
        kernels: &Kernels,
        edges: &[Leading],
        buffers: &mut EdgeBuffers,
    ) -> Vec<(u32, Vec<u32>)> {
        let (layout, view) = (self.layout, self.view());
        let (ends, edges): (Vec<Edge<'_>>, Vec<Leading>) = edges
            .iter()
            .filter_map(|edge| {
                let (from, to) = view.own(edge.from).zip(view.own(edge.to))?;
                Some((Edge { from, to, square: edge.square }, *edge))
            })
            .unzip();
        let mut nodes: Vec<(u32, Vec<u32>)> = Vec::new();
        self.coder.code_edges(kernels, &ends, buffers, |i, edge| {
            let Leading { from, place, to, .. } = edges[i];
            if nodes.last().is_none_or(|&(last, _)| last != from) {
                nodes.push((from, view.node(from).unwrap_or_default().to_vec()));
            }
            if let Some((_, node)) = nodes.last_mut() {
                layout.set_edge(node, place, to, edge.codes(), edge.added, edge.times);
            }
        });
        nodes
    }

    /// The node of a slot as it is with other edges instead of those that it has; `None` where there is no vector.
    pub(super) fn relinked(
        &self,
        kernels: &Kernels,
        slot: u32,
        edges: &[Close],
        buffers: &mut EdgeBuffers,
    ) -> Option<(u32, Vec<u32>)> {
        let view = self.view();
        let from = view.own(slot)?;
        let edges =
            edges.iter().filter_map(|&(square, to)| Some((to, Edge { from, to: view.own(to)?, square })));
        let mut node = view.node(slot)?.to_vec();
        self.coder.lead(kernels, &edges.collect::<Vec<_>>(), &mut node, buffers);
        Some((slot, node))
    }

    /// Puts nodes into their slots.
    pub(super) fn put(&mut self, nodes: impl IntoIterator<Item = (u32, Vec<u32>)>) {
        for (slot, node) in nodes {
            self.len = self.len.max(slot as usize + 1);
            self.changed.set(slot as usize, node);
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
        coder.code_edges(kernels, &[edge], buffers, |_, edge| {
            layout.set_edge(&mut entry, place, slot, edge.codes(), edge.added, edge.times);
        });
        self.entry(number).copy_from_slice(&entry);
    }

    /// Takes the vector in a slot out, with its edges.
    pub(super) fn clear(&mut self, slot: u32) {
        let mut node = vec![0; self.layout.words()];
        self.layout.clear(&mut node);
        self.put([(slot, node)]);
    }
}
