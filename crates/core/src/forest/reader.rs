//! Opens Annoy's files: which layout it is, how many items, where the roots are.
//!
//! Nothing is read but the last nodes and a few samples, so opening costs the same at any size. What the rest says is
//! checked where it is used.

use std::fs::File;
use std::io;
use std::path::Path;

use super::layout::Layout;
use super::metric::Metric;
use crate::error::{Damage, OpenError};
use crate::file::Mapping;

/// How many items are looked at, evenly spread, before a file is taken for what it should be.
const SAMPLES: usize = 16;

/// A mapped file whose ends make sense.
#[derive(Debug)]
pub(super) struct AnnoyFile {
    mapping: Mapping,
    pub(super) layout: Layout,
    pub(super) n_items: usize,
    pub(super) n_nodes: usize,
    /// The nodes that queries start from, in the order of the trees.
    pub(super) roots: Vec<u32>,
}

impl AnnoyFile {
    pub(super) fn open(path: &Path, metric: Metric, dim: usize, prefault: bool) -> Result<Self, OpenError> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR).into());
        }
        Self::map(&file, metric, dim, prefault)
    }

    /// Maps a file that is open already.
    pub(super) fn map(file: &File, metric: Metric, dim: usize, prefault: bool) -> Result<Self, OpenError> {
        let size = file.metadata()?.len();
        if size == 0 {
            return Err(OpenError::Empty);
        }
        let current = Layout::current(metric, dim);
        let layouts: Vec<Layout> = [Some(current), Layout::others(metric, dim)]
            .into_iter()
            .flatten()
            .filter(|layout| size % layout.bytes() == 0)
            .collect();
        if layouts.is_empty() {
            return Err(OpenError::Stride { size, stride: current.bytes(), dim, metric: metric.name() });
        }
        let mapping = Mapping::new(file, prefault)?;
        let mut complaint = None;
        for layout in layouts {
            match read_ends(mapping.words(), layout) {
                Ok((n_items, roots)) => {
                    let n_nodes = mapping.words().len() / layout.stride;
                    let file = Self { mapping, layout, n_items, n_nodes, roots };
                    file.intact()?;
                    return Ok(file);
                }
                Err(found) => complaint = complaint.or(Some(found)),
            }
        }
        let found = complaint.unwrap_or_default();
        Err(OpenError::Foreign { dim, metric: metric.name(), found })
    }

    pub(super) fn words(&self) -> &[u32] {
        self.mapping.words()
    }

    /// Refuses what was read if the file was truncated meanwhile.
    ///
    /// A file that loses its end loses its last root, whose count is the number of items: either the page is gone and
    /// the read is caught, or the rest of the page reads as zeros.
    #[inline]
    pub(super) fn intact(&self) -> Result<(), Damage> {
        let last = self.layout.count(self.layout.node(self.words(), self.n_nodes - 1));
        if self.mapping.is_truncated() || last != self.n_items {
            return Err(Damage::new("it was truncated or overwritten while it was in use; load it again"));
        }
        Ok(())
    }
}

/// The number of items and the roots, or what is wrong.
pub(super) fn read_ends(words: &[u32], layout: Layout) -> Result<(usize, Vec<u32>), String> {
    let n_nodes = words.len() / layout.stride;
    let count = |i: usize| layout.count(layout.node(words, i));
    let n_items = count(n_nodes - 1);
    if n_items >= n_nodes {
        return Err(format!("the last of its {n_nodes} nodes says that there are {n_items} items"));
    }
    for i in (0..n_items).step_by(n_items.div_ceil(SAMPLES).max(1)) {
        if !layout.looks_like_item(layout.node(words, i)) {
            return Err(format!("node {i} of {n_nodes}, in the place of an item, is none"));
        }
    }
    // All nodes at the end that count every item are roots: first the last tree's own, then the copies of all.
    let first = (n_items..n_nodes).rev().take_while(|&i| count(i) == n_items).last().unwrap_or(n_nodes - 1);
    let n_roots = n_nodes - first;
    let trees = if first == n_items && n_roots.is_multiple_of(2) {
        n_roots / 2 // every tree is but a root, so that half of them are copies
    } else if n_roots > 1
        && layout.children(layout.node(words, first))[0]
            == layout.children(layout.node(words, n_nodes - 1))[0]
    {
        n_roots - 1 // the first one is the last tree's own
    } else {
        n_roots
    };
    Ok((n_items, ((n_nodes - trees) as u32..n_nodes as u32).collect()))
}
