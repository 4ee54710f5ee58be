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

/// How linjin's own index files begin, which name what they hold.
const LINJIN: &[u8] = b"LINJIN\x1a\n";

/// A mapped file whose ends make sense.
#[derive(Debug)]
pub(super) struct AnnoyFile {
    mapping: Mapping,
    pub(super) layout: Layout,
    pub(super) n_items: usize,
    pub(super) n_nodes: usize,
    /// The nodes that queries start from, in the order of the trees.
    pub(super) roots: Vec<u32>,
    /// The last word of the last node that is not 0, and where it is.
    tail: Option<(usize, u32)>,
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
        let fits_current = size.is_multiple_of(current.bytes());
        let layouts: Vec<Layout> = [Some(current), Layout::others(metric, dim)]
            .into_iter()
            .flatten()
            .filter(|layout| size % layout.bytes() == 0)
            .collect();
        let mapping = Mapping::new(file, prefault)?;
        if bytemuck::cast_slice::<u32, u8>(mapping.words()).starts_with(LINJIN) {
            let found = "it is an index file of linjin's own, which `linjin.open` opens".to_owned();
            return Err(OpenError::Foreign { dim, metric: metric.name(), found });
        }
        let mut complaint = None;
        for layout in layouts {
            match read_ends(mapping.words(), layout) {
                Ok((n_items, roots)) => {
                    let n_nodes = mapping.words().len() / layout.stride;
                    let words = &mapping.words()[..n_nodes * layout.stride];
                    let last = words.iter().rev().take(layout.stride).position(|&word| word != 0);
                    let tail = last.map(|back| words.len() - 1 - back).map(|at| (at, words[at]));
                    let file = Self { mapping, layout, n_items, n_nodes, roots, tail };
                    file.intact()?;
                    return Ok(file);
                }
                Err(found) => complaint = complaint.or(Some(found)),
            }
        }
        match complaint {
            Some(found) if fits_current => Err(OpenError::Foreign { dim, metric: metric.name(), found }),
            _ => Err(OpenError::Stride { size, stride: current.bytes(), dim, metric: metric.name() }),
        }
    }

    pub(super) fn words(&self) -> &[u32] {
        self.mapping.words()
    }

    /// Refuses what was read if the file was truncated meanwhile.
    ///
    /// A page that is gone is caught when it is read; the rest of the page in which a file ends reads as zeros. So a
    /// file that has lost anything but zeros no longer has its last other word.
    #[inline]
    pub(super) fn intact(&self) -> Result<(), Damage> {
        let kept = self.tail.is_none_or(|(at, word)| self.words()[at] == word);
        if self.mapping.is_truncated() || !kept {
            return Err(Damage::new("it was truncated or overwritten while it was in use; load it again"));
        }
        Ok(())
    }
}

/// The number of items and the roots, or what is wrong.
///
/// A file that was cut off between two nodes must not pass for a smaller one. Whatever its new last node is, the node
/// that it makes the first of the trees is an item, or the roots at the end are not complete.
pub(super) fn read_ends(words: &[u32], layout: Layout) -> Result<(usize, Vec<u32>), String> {
    let n_nodes = words.len() / layout.stride;
    let node = |i: usize| layout.node(words, i);
    let count = |i: usize| layout.count(node(i));
    let last = n_nodes - 1;
    let n_items = count(last);
    if n_items > last {
        return Err(format!("the last of its {n_nodes} nodes says that there are {n_items} items"));
    }
    for i in (0..n_items).step_by(n_items.div_ceil(SAMPLES).max(1)) {
        if !layout.looks_like_item(node(i)) {
            return Err(format!("node {i} of {n_nodes}, in the place of an item, is none"));
        }
    }
    let cut_off = || format!("its last node says that there are {n_items} items, but it seems to be cut off");
    // An empty bucket comes first only below a root without items, two nodes on.
    let empty_bucket = || count(n_items) == 0 && n_items + 2 <= last && count(n_items + 2) == n_items;
    if n_items > 1 && count(n_items) < 2 && !empty_bucket() {
        return Err(cut_off());
    }
    // All nodes at the end that count every item are roots: the last tree's own, then the copies of all.
    let first = (n_items..n_nodes).rev().take_while(|&i| count(i) == n_items).last().unwrap_or(last);
    let n_roots = n_nodes - first;
    let n_trees = if first == n_items {
        // Every tree is but a root, so that half of them are copies.
        let single = |i: usize| {
            *layout.children(node(i)) == [0; 2] && layout.vector(node(i)).iter().all(|&word| word == 0)
        };
        if n_roots % 2 == 1 || (n_items == 1 && !(single(first) && single(last))) {
            return Err(cut_off());
        }
        n_roots / 2
    } else {
        // Old versions wrote parents before their children, so that the first tree begins with its root.
        let parents_first = count(n_items) == n_items;
        let own_root_first = (first + 1..n_nodes).any(|copy| node(copy) == node(first));
        if n_items <= layout.bucket || !(parents_first || own_root_first) {
            return Err(cut_off());
        }
        // Annoy's test for the last tree's own root. Where threads finished in another order it fails, and Annoy, and so
        // we, search that tree twice.
        let own_root = layout.children(node(first))[0] == layout.children(node(last))[0];
        n_roots - usize::from(n_roots > 1 && own_root)
    };
    Ok((n_items, ((n_nodes - n_trees) as u32..n_nodes as u32).collect()))
}
