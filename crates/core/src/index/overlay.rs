//! A sparse array that is cheap to clone and to change a little: what a version has that the base has not.

use std::sync::Arc;

/// Entries of a node.
const NODE: usize = 64;

type Node<V> = [Option<Arc<V>>; NODE];

/// Entries by number. A clone shares all entries; a change copies the way to its entry and nothing else.
#[derive(Debug)]
pub(super) struct Overlay<V> {
    nodes: Vec<Option<Arc<Node<V>>>>,
    copies: usize,
}

impl<V> Overlay<V> {
    /// The entry number `i`, if there is one.
    #[inline]
    pub(super) fn get(&self, i: usize) -> Option<&V> {
        self.nodes.get(i / NODE)?.as_ref()?[i % NODE].as_deref()
    }

    /// How often an entry was set or copied to be changed.
    pub(super) fn copies(&self) -> usize {
        self.copies
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        self.nodes.iter().flatten().flat_map(|node| node.iter().filter_map(|entry| entry.as_deref()))
    }

    /// The entry number `i`, to be changed: a copy of it where another version has it too; made by `make` when there is none.
    pub(super) fn entry(&mut self, i: usize, make: impl FnOnce() -> V) -> &mut V
    where
        V: Clone,
    {
        if self.nodes.len() <= i / NODE {
            self.nodes.resize(i / NODE + 1, None);
        }
        let node = self.nodes[i / NODE].get_or_insert_with(|| Arc::new([const { None }; NODE]));
        let place = &mut Arc::make_mut(node)[i % NODE];
        self.copies += usize::from(place.as_ref().is_none_or(|entry| Arc::strong_count(entry) > 1));
        Arc::make_mut(place.get_or_insert_with(|| Arc::new(make())))
    }

    pub(super) fn set(&mut self, i: usize, value: V) {
        self.copies += 1;
        if self.nodes.len() <= i / NODE {
            self.nodes.resize(i / NODE + 1, None);
        }
        let node = self.nodes[i / NODE].get_or_insert_with(|| Arc::new([const { None }; NODE]));
        Arc::make_mut(node)[i % NODE] = Some(Arc::new(value));
    }
}

impl<V> Clone for Overlay<V> {
    fn clone(&self) -> Self {
        Self { nodes: self.nodes.clone(), copies: self.copies }
    }
}

impl<V> Default for Overlay<V> {
    fn default() -> Self {
        Self { nodes: Vec::new(), copies: 0 }
    }
}
