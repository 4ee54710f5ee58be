//! Adds items to trees that stand.

use super::build::grow_branch;
use super::items::Items;
use super::space::Space;
use super::split::side;
use super::trees::{Patch, Place, Trees};
use crate::error::Damage;
use crate::random::{Random, mix};

impl Trees {
    /// Puts an item, which is among `items` already, into every tree: down the side of each plane on which it lies,
    /// into the bucket at the end, which is cut in two when it overflows.
    pub(super) fn insert(&mut self, space: Space, items: &Items, id: u32, seed: u64) -> Result<(), Damage> {
        let vector = space.layout.vector(items.node(id));
        for tree in 0..self.roots.len() {
            let bucket = self.bucket_for(&space, vector, id, self.roots[tree])?;
            self.insert_into(space, items, id, bucket, seed)?;
        }
        Ok(())
    }

    /// The reference of the bucket that an item belongs into, below `reference`. An item that is a child by itself is
    /// made a bucket.
    fn bucket_for(&mut self, space: &Space, vector: &[u32], id: u32, reference: u32) -> Result<u32, Damage> {
        let mut parent = reference;
        for _ in 0..=self.n_nodes() {
            let (side, child) = match self.place(parent)? {
                Place::Split(plane, children) => {
                    let side = side(space.margin(plane, vector), id, parent);
                    (side, children[side])
                }
                Place::Bucket(_) => return Ok(parent),
                Place::Item(_) => unreachable!("roots are nodes, and items below splits are met one line on"),
            };
            if child >= self.n_items {
                parent = child;
                continue;
            }
            let bucket = self.add_patch(Patch::Bucket(vec![child]));
            if let Patch::Split { children, .. } = self.patch(parent)? {
                children[side] = bucket;
            }
            return Ok(bucket);
        }
        Err(Damage::new("its nodes lead to one another in circles"))
    }

    fn insert_into(
        &mut self,
        space: Space,
        items: &Items,
        id: u32,
        bucket: u32,
        seed: u64,
    ) -> Result<(), Damage> {
        let Place::Bucket(ids) = self.place(bucket)? else { unreachable!("bucket_for ends at buckets") };
        let mut ids = self.living(ids, items);
        if !ids.contains(&id) {
            ids.push(id);
        }
        let patch = if ids.len() <= self.layout.bucket {
            Patch::Bucket(ids)
        } else {
            self.cut(space, items, &mut ids, Random::new(seed, mix(u64::from(bucket), u64::from(id))))
        };
        *self.patch(bucket)? = patch;
        Ok(())
    }

    /// Cuts the ids of a bucket that overflows; returns the node that takes its place.
    fn cut(&mut self, space: Space, items: &Items, ids: &mut [u32], random: Random) -> Patch {
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
