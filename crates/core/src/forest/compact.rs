//! Writes a changed tree as an ordinary one: deleted items gone, patches in their places, small branches merged.

use rustc_hash::FxHashMap;

use super::build::{grow_branch, push_bucket, push_forked_root, push_root_bucket, push_split, relocate};
use super::items::Items;
use super::layout::Layout;
use super::space::Space;
use super::trees::{Place, Trees};
use crate::error::Damage;
use crate::random::Random;

/// Rewrites the trees of a forest, one at a time.
pub(super) struct Compactor<'a> {
    space: Space,
    items: &'a Items,
    trees: &'a Trees,
    /// The layout to write.
    target: Layout,
    seed: u64,
}

/// A branch that has been rewritten.
enum Branch {
    /// Few enough for a bucket, not written yet: a neighbour may join them.
    Few(Vec<u32>),
    /// The node at its top, and how many items are below it.
    Written(u32, usize),
}

/// A step of the walk, which keeps its own stack: a tree that was read from a file may be as deep as it likes.
enum Step {
    Enter(u32),
    /// Both branches below this split are done.
    Join(u32),
}

impl<'a> Compactor<'a> {
    pub(super) fn new(space: Space, items: &'a Items, trees: &'a Trees, target: Layout, seed: u64) -> Self {
        Self { space, items, trees, target, seed }
    }

    /// The nodes of tree number `tree`, the root last, numbered from the number of items on.
    pub(super) fn tree(&self, tree: usize) -> Result<Vec<u32>, Damage> {
        let root = self.trees.roots[tree];
        let mut homes = self.homes(root)?;
        let mut nodes = Vec::new();
        let mut steps = vec![Step::Enter(root)];
        let mut done: Vec<Branch> = Vec::new();
        let mut left = 2 * self.trees.n_nodes() + 2;
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(reference) => match self.trees.place(reference)? {
                    Place::Item(id) => done.push(Branch::Few(self.kept(&[id], reference, &mut homes))),
                    Place::Bucket(ids) => {
                        done.push(self.settle(&mut nodes, self.kept(ids, reference, &mut homes)))
                    }
                    Place::Split(_, [zero, one]) => {
                        left = left.checked_sub(1).ok_or_else(Damage::circle)?;
                        steps.extend([Step::Join(reference), Step::Enter(one), Step::Enter(zero)]);
                    }
                },
                Step::Join(reference) => {
                    let (Some(one), Some(zero)) = (done.pop(), done.pop()) else {
                        unreachable!("two were entered")
                    };
                    done.push(self.join(&mut nodes, reference, zero, one)?);
                }
            }
        }
        match done.pop() {
            Some(Branch::Written(root, _)) => {
                let at = (root as usize - self.items.len()) * self.target.stride;
                nodes.truncate(at + self.target.stride);
                self.target.set_count(&mut nodes[at..], self.items.len());
            }
            Some(Branch::Few(ids)) => self.small_root(&mut nodes, &ids),
            None => unreachable!("the root was entered"),
        }
        Ok(nodes)
    }

    /// A tree whose items fit into one bucket.
    fn small_root(&self, nodes: &mut Vec<u32>, ids: &[u32]) {
        let n_items = self.items.len();
        nodes.clear();
        if n_items <= self.target.bucket {
            push_root_bucket(&self.target, nodes, ids, n_items);
        } else if let &[first, ref rest @ ..] = ids
            && !rest.is_empty()
        {
            // More ids than a bucket holds, but few items: the root has to be a split.
            let (rest, _) = self.write(nodes, Branch::Few(rest.to_vec()));
            let mut plane = vec![0; self.target.stride];
            push_split(&self.target, nodes, &mut plane, [first, rest], n_items, n_items);
        } else {
            push_forked_root(&self.target, nodes, ids, n_items);
        }
    }

    /// The bucket that each item that was routed more than once is in now: anywhere else it is a leftover. An item on
    /// which a plane has no say may have gone another way than this walk; then the first bucket that names it will do.
    fn homes(&self, root: u32) -> Result<FxHashMap<u32, Option<u32>>, Damage> {
        let mut homes = FxHashMap::default();
        for &id in &self.trees.moved {
            if !self.items.contains(id) {
                continue;
            }
            let vector = self.space.layout.vector(self.items.node(id));
            let reference = self.trees.leaf_of(&self.space, self.items, vector, id, root)?.reference;
            let is_there = match self.trees.place(reference)? {
                Place::Bucket(ids) => ids.contains(&id),
                _ => reference == id,
            };
            homes.insert(id, is_there.then_some(reference));
        }
        Ok(homes)
    }

    /// The items that stay in the bucket `reference`.
    fn kept(&self, ids: &[u32], reference: u32, homes: &mut FxHashMap<u32, Option<u32>>) -> Vec<u32> {
        let mut kept = self.trees.living(ids, self.items);
        kept.retain(|id| homes.get_mut(id).is_none_or(|home| *home.get_or_insert(reference) == reference));
        kept
    }

    /// Leaves few items for later, and cuts up more than a bucket of the target holds.
    fn settle(&self, nodes: &mut Vec<u32>, ids: Vec<u32>) -> Branch {
        if ids.len() <= self.target.bucket {
            return Branch::Few(ids);
        }
        let n_items = self.items.len();
        let count = ids.len();
        let random = Random::new(self.seed, u64::from(ids[0]));
        let mut branch =
            grow_branch(Space { layout: self.target, ..self.space }, self.items, n_items, &ids, random);
        relocate(&self.target, &mut branch, n_items, (nodes.len() / self.target.stride) as u32);
        nodes.append(&mut branch);
        Branch::Written((n_items + nodes.len() / self.target.stride - 1) as u32, count)
    }

    fn join(
        &self,
        nodes: &mut Vec<u32>,
        reference: u32,
        zero: Branch,
        one: Branch,
    ) -> Result<Branch, Damage> {
        match (zero, one) {
            (Branch::Few(mut zero), Branch::Few(one)) if zero.len() + one.len() <= self.target.bucket => {
                zero.extend(one);
                Ok(Branch::Few(zero))
            }
            (Branch::Few(none), other) | (other, Branch::Few(none)) if none.is_empty() => Ok(other),
            (zero, one) => {
                let (zero, zero_count) = self.write(nodes, zero);
                let (one, one_count) = self.write(nodes, one);
                let Place::Split(plane, _) = self.trees.place(reference)? else {
                    unreachable!("it was a split before")
                };
                let count = zero_count + one_count;
                let mut node = self.plane(plane);
                let top = push_split(&self.target, nodes, &mut node, [zero, one], count, self.items.len());
                Ok(Branch::Written(top, count))
            }
        }
    }

    fn write(&self, nodes: &mut Vec<u32>, branch: Branch) -> (u32, usize) {
        match branch {
            Branch::Written(top, count) => (top, count),
            Branch::Few(ids) => match ids[..] {
                [id] => (id, 1),
                _ => (push_bucket(&self.target, nodes, &ids, self.items.len()), ids.len()),
            },
        }
    }

    /// A plane, in the layout to write.
    fn plane(&self, node: &[u32]) -> Vec<u32> {
        let layout = self.space.layout;
        if layout == self.target {
            return node.to_vec();
        }
        let mut converted = vec![0; self.target.stride];
        self.target.vector_mut(&mut converted).copy_from_slice(layout.vector(node));
        converted
    }
}
