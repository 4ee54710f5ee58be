//! A sparse array that is cheap to clone and to change a little: what a version has that the base has not.

use std::sync::Arc;

/// Entries of a node.
const NODE: usize = 64;

type Node<V> = [Option<Arc<V>>; NODE];

/// Entries by number. A clone shares all entries; a change copies the way to its entry and nothing else.
#[derive(Debug)]
pub(super) struct Overlay<V> {
    nodes: Vec<Option<Arc<Node<V>>>>,
}

impl<V> Overlay<V> {
    /// The entry number `i`, if there is one.
    #[inline]
    pub(super) fn get(&self, i: usize) -> Option<&V> {
        self.nodes.get(i / NODE)?.as_ref()?[i % NODE].as_deref()
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
        Arc::make_mut(Arc::make_mut(node)[i % NODE].get_or_insert_with(|| Arc::new(make())))
    }

    pub(super) fn set(&mut self, i: usize, value: V) {
        if self.nodes.len() <= i / NODE {
            self.nodes.resize(i / NODE + 1, None);
        }
        let node = self.nodes[i / NODE].get_or_insert_with(|| Arc::new([const { None }; NODE]));
        Arc::make_mut(node)[i % NODE] = Some(Arc::new(value));
    }
}

impl<V> Clone for Overlay<V> {
    fn clone(&self) -> Self {
        Self { nodes: self.nodes.clone() }
    }
}

impl<V> Default for Overlay<V> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}
