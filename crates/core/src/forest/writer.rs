//! Writes a forest as a file of Annoy 1.17.3: items, trees, a copy of each root.

use std::io::{self, Write};

use super::build::relocate;
use super::compact::Compactor;
use super::items::Items;
use super::layout::Layout;
use super::space::Space;
use super::trees::Trees;
use crate::error::OpenError;

/// Words that go out in one piece.
const BATCH: usize = 1 << 16;

/// A file of Annoy's in the making.
pub(super) struct ForestWriter<W> {
    out: W,
    layout: Layout,
    n_items: usize,
    /// Nodes of trees that were written.
    n_nodes: u32,
    roots: Vec<u32>,
}

impl<W: Write> ForestWriter<W> {
    /// Starts a file with the items.
    pub(super) fn new(mut out: W, items: &Items, space: &Space) -> io::Result<Self> {
        let layout = Layout::current(space.layout.metric, space.layout.dim);
        let mut converted = vec![0; layout.stride];
        let mut node = Vec::with_capacity(BATCH + layout.stride);
        for id in 0..items.len() as u32 {
            let item = items.node(id);
            if space.layout == layout {
                node.extend_from_slice(item);
            } else {
                converted.fill(0);
                if items.contains(id) {
                    let vector = space.layout.vector(item);
                    layout.write_item(&mut converted, vector, space.norm(vector));
                }
                node.extend_from_slice(&converted);
            }
            if node.len() >= BATCH {
                out.write_all(bytemuck::cast_slice(&node))?;
                node.clear();
            }
        }
        out.write_all(bytemuck::cast_slice(&node))?;
        Ok(Self { out, layout, n_items: items.len(), n_nodes: 0, roots: Vec::new() })
    }

    /// Adds a tree that was grown: an array of nodes numbered from the number of items on, the root last.
    pub(super) fn tree(&mut self, mut nodes: Vec<u32>) -> io::Result<()> {
        relocate(&self.layout, &mut nodes, self.n_items, self.n_nodes);
        self.n_nodes += (nodes.len() / self.layout.stride) as u32;
        self.roots.extend_from_slice(&nodes[nodes.len() - self.layout.stride..]);
        self.out.write_all(bytemuck::cast_slice(&nodes))
    }

    /// Ends the file with the copies of the roots.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(bytemuck::cast_slice(&self.roots))?;
        Ok(self.out)
    }
}

/// Writes the whole forest.
pub(super) fn write_forest<W: Write>(
    out: W,
    space: &Space,
    items: &Items,
    trees: &Trees,
    seed: u64,
) -> Result<W, OpenError> {
    let mut writer = ForestWriter::new(out, items, space)?;
    let as_planted =
        !trees.is_changed() && trees.n_items as usize == items.len() && space.layout == writer.layout;
    if as_planted {
        writer.out.write_all(bytemuck::cast_slice(trees.planted()))?;
        for &root in &trees.roots {
            writer.roots.extend_from_slice(trees.planted_node(root));
        }
    } else {
        let compactor = Compactor::new(*space, items, trees, writer.layout, seed);
        for tree in 0..trees.roots.len() {
            writer.tree(compactor.tree(tree)?)?;
        }
    }
    items.intact()?;
    Ok(writer.finish()?)
}
