//! Adds items to trees that stand, and takes them out again.

use std::sync::PoisonError;

use super::bands::{is_band, shortest};
use super::build::grow_branch;
use super::items::Items;
use super::space::Space;
use super::split::side;
use super::trees::{Patch, Place, Trees};
use crate::error::Damage;
use crate::random::{Random, mix};

/// Where a walk down a tree ends.
#[derive(Clone)]
pub(super) struct Leaf {
    /// A bucket, or an item that is a child by itself.
    pub(super) reference: u32,
    /// The split above and the side of it, unless the leaf is the root.
    parent: Option<(u32, usize)>,
}

impl Trees {
    /// Where an item with `vector` belongs in each tree. Whoever changes trees asks this first: it changes nothing, and
    /// meets any damage that is on the way.
    pub(super) fn leaves(
        &self,
        space: &Space,
        items: &Items,
        vector: &[u32],
        id: u32,
    ) -> Result<Vec<Leaf>, Damage> {
        self.roots.iter().map(|&root| self.leaf_of(space, items, vector, id, root)).collect()
    }

    /// Puts an item, which is among `items` already, into every tree: into the bucket at each of its `leaves`, which is
    /// cut in two when it overflows.
    pub(super) fn insert(
        &mut self,
        space: Space,
        items: &Items,
        id: u32,
        leaves: &[Leaf],
        seed: u64,
    ) -> Result<(), Damage> {
        let vector = space.layout.vector(items.node(id));
        for leaf in leaves {
            let leaf = self.by_now(&space, items, vector, id, leaf)?;
            let bucket = match leaf.parent {
                Some(parent) if leaf.reference < self.n_items => self.widen(parent, vec![leaf.reference])?,
                _ => leaf.reference,
            };
            self.insert_into(space, items, id, bucket, seed)?;
        }
        Ok(())
    }

    /// Takes an item out of every tree, in which it was put with `vector`, at its `leaves`. Returns whether it was found
    /// in all of them: where a plane could not tell its side, it may lie elsewhere.
    pub(super) fn uproot(
        &mut self,
        space: &Space,
        items: &Items,
        vector: &[u32],
        id: u32,
        leaves: &[Leaf],
    ) -> Result<bool, Damage> {
        let mut everywhere = true;
        for leaf in leaves {
            let leaf = self.by_now(space, items, vector, id, leaf)?;
            match (self.place(leaf.reference)?, leaf.parent) {
                (Place::Bucket(ids), _) if ids.contains(&id) => {
                    if let Patch::Bucket(ids) = self.patch(leaf.reference)? {
                        ids.retain(|&other| other != id);
                    }
                }
                (Place::Item(only), Some(parent)) if only == id => _ = self.widen(parent, Vec::new())?,
                _ => everywhere = false,
            }
        }
        Ok(everywhere)
    }

    /// The leaf that is at a leaf's place after the changes since it was found: an item may have become a bucket, and a
    /// bucket may have been cut in two. All that is new there is our own, and sound.
    fn by_now(
        &self,
        space: &Space,
        items: &Items,
        vector: &[u32],
        id: u32,
        leaf: &Leaf,
    ) -> Result<Leaf, Damage> {
        let reference = match leaf.parent {
            Some((parent, side)) if leaf.reference < self.n_items => match self.place(parent)? {
                Place::Split(_, children) => children[side],
                _ => leaf.reference,
            },
            _ => leaf.reference,
        };
        let below = self.leaf_of(space, items, vector, id, reference)?;
        Ok(Leaf { parent: below.parent.or(leaf.parent), ..below })
    }

    /// Where an item with `vector` belongs, below `reference`.
    pub(super) fn leaf_of(
        &self,
        space: &Space,
        items: &Items,
        vector: &[u32],
        id: u32,
        reference: u32,
    ) -> Result<Leaf, Damage> {
        let mut leaf = Leaf { reference, parent: None };
        for _ in 0..=self.n_nodes() {
            let Place::Split(plane, children) = self.place(leaf.reference)? else { return Ok(leaf) };
            let side = if is_band(space, plane) {
                usize::from(space.norm(vector) >= self.band_from(space, items, leaf.reference, children[1])?)
            } else {
                side(space, plane, vector, id, leaf.reference)
            };
            leaf = Leaf { reference: children[side], parent: Some((leaf.reference, side)) };
        }
        Err(Damage::circle())
    }

    /// The squared length from which on an item belongs to side 1 of the band split `reference`; found out once.
    fn band_from(&self, space: &Space, items: &Items, reference: u32, longer: u32) -> Result<f32, Damage> {
        let mut known = self.band_lengths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&length) = known.get(&reference) {
            return Ok(length);
        }
        let length = shortest(space, items, self, longer)?;
        known.insert(reference, length);
        Ok(length)
    }

    /// Puts a new bucket in the place of a child of a split.
    fn widen(&mut self, (parent, side): (u32, usize), ids: Vec<u32>) -> Result<u32, Damage> {
        let bucket = self.add_patch(Patch::Bucket(ids));
        if let Patch::Split { children, .. } = self.patch(parent)? {
            children[side] = bucket;
        }
        Ok(bucket)
    }

    fn insert_into(
        &mut self,
        space: Space,
        items: &Items,
        id: u32,
        bucket: u32,
        seed: u64,
    ) -> Result<(), Damage> {
        let Place::Bucket(ids) = self.place(bucket)? else { unreachable!("a leaf is a bucket by now") };
        let mut ids = self.living(ids, items);
        if !ids.contains(&id) {
            ids.push(id);
        }
        let patch = if ids.len() <= self.layout.bucket {
            Patch::Bucket(ids)
        } else {
            self.cut(space, items, &ids, Random::new(seed, mix(u64::from(bucket), u64::from(id))))
        };
        *self.patch(bucket)? = patch;
        Ok(())
    }

    /// Cuts the ids of a bucket that overflows; returns the node that takes its place.
    fn cut(&mut self, space: Space, items: &Items, ids: &[u32], random: Random) -> Patch {
        let layout = self.layout;
        // Numbered from beyond all items, so that a number tells a node from an item.
        let n_items = items.len();
        let nodes = grow_branch(space, items, n_items, ids, random);
        let mut references = Vec::new();
        for node in nodes.chunks_exact(layout.stride) {
            let count = layout.count(node);
            let patch = if count <= layout.bucket {
                Patch::Bucket(layout.ids(node, count).to_vec())
            } else {
                let children =
                    layout.children(node).map(|child| match (child as usize).checked_sub(n_items) {
                        Some(node) => references[node],
                        None => self.add_patch(Patch::Bucket(vec![child])),
                    });
                Patch::Split { plane: node.to_vec(), children }
            };
            if references.len() + 1 == nodes.len() / layout.stride {
                return patch; // the root, which takes the bucket's place
            }
            references.push(self.add_patch(patch));
        }
        unreachable!("a branch has a root")
    }
}
