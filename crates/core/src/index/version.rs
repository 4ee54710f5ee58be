//! What an index is at one moment: never changed, so that searches need no lock.

use super::curve::Curve;
use super::ids::Ids;
use super::links::Links;
use super::memory::Memory;
use super::notes::{Note, Notes};
use super::slots::{Slots, SlotsView};
use super::space::Space;
use super::store::{LeafBase, LeafStore};

/// A version of an index. A change makes another one, which shares with it all that stays the same.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) space: Space,
    pub(super) slots: Slots,
    pub(super) ids: Ids,
    /// How much it may take to be fast.
    pub(super) memory: Memory,
    /// How many vectors there are.
    pub(super) len: usize,
    /// The number for the next vector that comes without one.
    pub(super) next_id: u64,
    /// None while there are so few vectors that comparing all of them is faster.
    pub(super) leaves: Option<Grown>,
    /// What callers keep beside the vectors.
    pub(super) notes: Notes,
}

/// The leaves, and how much effort a recall takes on them.
#[derive(Clone, Debug)]
pub(super) struct Grown {
    pub(super) store: LeafStore,
    /// Of searches that look into leaves and nowhere else.
    pub(super) curve: Curve,
    /// Where walking on from a few leaves is faster than looking into more of them.
    pub(super) linked: Option<Linked>,
}

/// The graph, and how much effort a recall takes on it.
#[derive(Clone, Debug)]
pub(super) struct Linked {
    pub(super) links: Links,
    pub(super) curve: Curve,
}

impl Grown {
    /// The curve of searches without a filter.
    pub(super) fn main_curve(&self) -> &Curve {
        self.linked.as_ref().map_or(&self.curve, |linked| &linked.curve)
    }
}

impl Version {
    pub(super) fn empty(space: Space, memory: Memory) -> Self {
        Self {
            space,
            slots: Slots::default(),
            ids: Ids::default(),
            memory,
            len: 0,
            next_id: 0,
            leaves: None,
            notes: Notes::default(),
        }
    }

    pub(super) fn view(&self) -> SlotsView<'_> {
        self.slots.view(&self.space)
    }

    /// What has turned out to be wrong with the file under it: what was read from it is not to be believed then.
    pub(super) fn fault(&self) -> Option<&str> {
        let grown = || self.leaves.as_ref();
        // Parts that were laid out anew since lie in memory, each with all that came from the file with it.
        let slots = self.slots.base.rows.fault().or_else(|| self.ids.table.fault());
        let leaves = || grown()?.store.base.codes.fault().or_else(|| grown()?.store.directory.fault());
        let slots = slots.or_else(|| self.notes.fault());
        slots.or_else(leaves).or_else(|| grown()?.linked.as_ref()?.links.fault())
    }

    /// Bytes in memory, and bytes in a mapped file.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let base = &self.slots.base;
        let mut parts = vec![
            base.rows.bytes(),
            base.ids.bytes(),
            base.scales.bytes(),
            base.homes.bytes(),
            self.ids.table.bytes(),
            self.notes.sizes(),
        ];
        if let Some(Grown { store, linked, .. }) = &self.leaves {
            let LeafBase { starts, biases, slots, codes } = &store.base;
            let changed = store.changed.iter().map(|leaf| leaf.bytes()).sum();
            parts.push((changed, 0));
            parts.extend(linked.as_ref().map(|linked| linked.links.bytes()));
            parts.extend([
                starts.bytes(),
                biases.bytes(),
                slots.bytes(),
                codes.bytes(),
                store.directory.bytes(),
            ]);
        }
        parts.push((self.slots.changed_bytes(&self.space), 0));
        parts.into_iter().fold((0, 0), |(memory, mapped), part| (memory + part.0, mapped + part.1))
    }

    /// Takes up a note.
    pub(super) fn take(&mut self, note: Option<Note<'_>>) {
        match note {
            None => {}
            Some(Note::Behind(note)) => self.notes = self.notes.followed_by([note].into_iter()),
            Some(Note::Instead(note)) => self.notes = Notes::only(note),
        }
    }

    /// The slot that holds `id`.
    pub(super) fn slot(&self, id: u64) -> Option<u32> {
        (id != super::NO_ID).then(|| self.ids.slot(id, &self.view())).flatten()
    }
}
