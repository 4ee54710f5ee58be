//! The trees: nodes as they were planted or mapped, and what additions have changed since.

use std::sync::{Arc, Mutex};

use rustc_hash::{FxHashMap, FxHashSet};

use super::items::Items;
use super::layout::Layout;
use super::reader::AnnoyFile;
use crate::error::Damage;
use crate::simd;

/// Where the planted nodes lie.
#[derive(Debug)]
enum Store {
    /// In the file, behind the items: node number r is node r of the file.
    File(Arc<AnnoyFile>),
    /// In memory: node number r is node `r - n_items` of these words.
    Memory(Vec<u32>),
}

/// A node that an addition has changed or made.
#[derive(Debug, Clone)]
pub(super) enum Patch {
    /// A plane, in node form, and its children.
    Split { plane: Vec<u32>, children: [u32; 2] },
    /// Ids of items.
    Bucket(Vec<u32>),
}

/// A forest of trees over the items below `n_items` at the time of planting, and whatever came since.
///
/// A *reference* is a number below `n_items` for an item, below `end` for a planted node, and from there on for a
/// patch.
#[derive(Debug)]
pub(super) struct Trees {
    pub(super) layout: Layout,
    store: Store,
    pub(super) n_items: u32,
    /// One more than the last planted node.
    end: u32,
    pub(super) roots: Vec<u32>,
    /// How many nodes at the end are copies of roots.
    copies: usize,
    patches: Vec<Patch>,
    /// Which patch stands in for a planted node.
    patched: FxHashMap<u32, u32>,
    /// Items that were deleted, but may still be named in buckets.
    pub(super) deleted: FxHashSet<u32>,
    /// Items that were put in a second time: buckets may still name them where they were before.
    pub(super) moved: FxHashSet<u32>,
    /// The squared length from which on an item belongs to the longer of two bands, by the split that parts them.
    pub(super) band_lengths: Mutex<FxHashMap<u32, f32>>,
}

/// What a reference leads to.
pub(super) enum Place<'a> {
    /// An item.
    Item(u32),
    /// A plane, in node form, and the two references below it.
    Split(&'a [u32], [u32; 2]),
    /// Ids of items.
    Bucket(&'a [u32]),
}

impl Trees {
    pub(super) fn of_file(file: Arc<AnnoyFile>) -> Self {
        let (layout, n_items, end) = (file.layout, file.n_items as u32, file.n_nodes as u32);
        let roots = file.roots.clone();
        let copies = roots.len();
        Self::new(layout, Store::File(file), n_items, end, roots, copies)
    }

    /// Trees from an array of nodes, of which the last `copies` are copies of roots.
    pub(super) fn in_memory(
        layout: Layout,
        n_items: usize,
        nodes: Vec<u32>,
        roots: Vec<u32>,
        copies: usize,
    ) -> Self {
        let end = (n_items + nodes.len() / layout.stride) as u32;
        Self::new(layout, Store::Memory(nodes), n_items as u32, end, roots, copies)
    }

    fn new(layout: Layout, store: Store, n_items: u32, end: u32, roots: Vec<u32>, copies: usize) -> Self {
        Self {
            copies,
            layout,
            store,
            n_items,
            end,
            roots,
            patches: Vec::new(),
            patched: FxHashMap::default(),
            deleted: FxHashSet::default(),
            moved: FxHashSet::default(),
            band_lengths: Mutex::default(),
        }
    }

    /// Whether anything differs from what was planted.
    pub(super) fn is_changed(&self) -> bool {
        !(self.patches.is_empty() && self.deleted.is_empty() && self.moved.is_empty())
    }

    /// The planted nodes, without the copies of the roots that end a file.
    pub(super) fn planted(&self) -> &[u32] {
        let nodes = match &self.store {
            Store::File(file) => &file.words()[self.n_items as usize * self.layout.stride..],
            Store::Memory(nodes) => nodes,
        };
        let planted = (self.end - self.n_items) as usize - self.copies;
        &nodes[..planted * self.layout.stride]
    }

    /// How many different references there are; no walk without a circle is longer.
    pub(super) fn n_nodes(&self) -> usize {
        (self.end - self.n_items) as usize + self.patches.len()
    }

    /// The words of a planted node.
    #[inline]
    pub(super) fn planted_node(&self, reference: u32) -> &[u32] {
        match &self.store {
            Store::File(file) => self.layout.node(file.words(), reference as usize),
            Store::Memory(nodes) => self.layout.node(nodes, (reference - self.n_items) as usize),
        }
    }

    /// Starts fetching a node. Its number may come from a damaged file.
    #[inline]
    pub(super) fn fetch(&self, reference: u32) {
        if (self.n_items..self.end).contains(&reference) {
            simd::prefetch(self.planted_node(reference));
        }
    }

    /// What `reference` leads to.
    ///
    /// # Errors
    ///
    /// A planted node claims a negative number of items, or names a node or item that does not exist. Whether nodes
    /// lead to one another in circles is for whoever walks to notice: [`n_nodes`](Self::n_nodes) bounds the length.
    #[inline]
    pub(super) fn place(&self, reference: u32) -> Result<Place<'_>, Damage> {
        if reference < self.n_items {
            return Ok(Place::Item(reference));
        }
        if let Some(patch) = self.patch_of(reference) {
            return Ok(match &self.patches[patch as usize] {
                Patch::Split { plane, children } => Place::Split(plane, *children),
                Patch::Bucket(ids) => Place::Bucket(ids),
            });
        }
        let node = self.planted_node(reference);
        let count = self.layout.count(node);
        if count <= self.layout.bucket {
            let ids = self.layout.ids(node, count);
            if ids.iter().any(|&id| id >= self.n_items) && self.n_items > 0 {
                return Err(self.bad_bucket(reference, ids));
            }
            return Ok(Place::Bucket(ids));
        }
        let children = *self.layout.children(node);
        if count > i32::MAX as usize || children.iter().any(|&child| child >= self.end) {
            return Err(Damage::new(format!(
                "node {reference} says that {} items are below it, through nodes {:?} of {}",
                count as u32 as i32,
                children.map(|child| child as i32),
                self.end,
            )));
        }
        Ok(Place::Split(node, children))
    }

    #[cold]
    fn bad_bucket(&self, reference: u32, ids: &[u32]) -> Damage {
        let bad = ids.iter().find(|&&id| id >= self.n_items).copied().unwrap_or_default();
        Damage::new(format!("node {reference} names item {}, of {}", bad as i32, self.n_items))
    }

    #[inline]
    fn patch_of(&self, reference: u32) -> Option<u32> {
        if reference >= self.end {
            return Some(reference - self.end);
        }
        if self.patched.is_empty() { None } else { self.patched.get(&reference).copied() }
    }

    /// The patch that stands in for a node, made from the node as it is if there is none yet.
    pub(super) fn patch(&mut self, reference: u32) -> Result<&mut Patch, Damage> {
        let index = match self.patch_of(reference) {
            Some(index) => index,
            None => {
                let patch = match self.place(reference)? {
                    Place::Split(plane, children) => Patch::Split { plane: plane.to_vec(), children },
                    Place::Bucket(ids) => Patch::Bucket(ids.to_vec()),
                    Place::Item(_) => unreachable!("an item is no node: its parent is what changes"),
                };
                let reference_of_patch = self.add_patch(patch);
                self.patched.insert(reference, reference_of_patch - self.end);
                reference_of_patch - self.end
            }
        };
        Ok(&mut self.patches[index as usize])
    }

    /// Adds a node and returns its reference.
    pub(super) fn add_patch(&mut self, patch: Patch) -> u32 {
        self.patches.push(patch);
        self.end + (self.patches.len() - 1) as u32
    }

    /// The items that a bucket has to keep: each living one once.
    pub(super) fn living(&self, ids: &[u32], items: &Items) -> Vec<u32> {
        let mut kept = Vec::with_capacity(ids.len() + 1);
        for &id in ids {
            if items.contains(id) && !self.deleted.contains(&id) && !kept.contains(&id) {
                kept.push(id);
            }
        }
        kept
    }
}
