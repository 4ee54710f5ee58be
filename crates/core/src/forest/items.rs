//! The items: those of a mapped file, those added since, and what became of the former.

use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::layout::Layout;
use super::metric::Metric;
use super::reader::AnnoyFile;
use super::space::Space;
use crate::error::Damage;
use crate::file::Pages;

/// Items by id: `0..from_file` lie in a mapped file that never changes, the rest in rows of our own.
#[derive(Debug)]
pub(super) struct Items {
    layout: Layout,
    file: Option<Arc<AnnoyFile>>,
    from_file: usize,
    /// Row i is item `from_file + i`.
    rows: Pages,
    len: usize,
    /// What replaces an item of the file: a row of `replacements`, or nothing.
    changes: FxHashMap<u32, Option<u32>>,
    replacements: Pages,
    n_replacements: u32,
    /// Living items of the file, counted when somebody asks; a count for each change is kept apart.
    living_in_file: OnceLock<usize>,
    living_change: isize,
}

impl Items {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            file: None,
            from_file: 0,
            rows: Pages::default(),
            len: 0,
            changes: FxHashMap::default(),
            replacements: Pages::default(),
            n_replacements: 0,
            living_in_file: OnceLock::new(),
            living_change: 0,
        }
    }

    /// New items in an unnamed file beside `path` instead of memory.
    pub(super) fn on_disk(layout: Layout, path: &Path) -> io::Result<Self> {
        Ok(Self { rows: Pages::on_disk(path)?, ..Self::new(layout) })
    }

    /// The items of a file.
    pub(super) fn of_file(file: Arc<AnnoyFile>) -> Self {
        let (layout, len) = (file.layout, file.n_items);
        Self { file: Some(file), from_file: len, len, ..Self::new(layout) }
    }

    /// The largest id plus one.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The item's node, all zeros for a hole. `id` must be below [`len`](Self::len).
    #[inline]
    pub(super) fn node(&self, id: u32) -> &[u32] {
        let at = id as usize;
        if at >= self.from_file {
            return self.layout.node(self.rows.words(), at - self.from_file);
        }
        if !self.changes.is_empty()
            && let Some(change) = self.changes.get(&id)
        {
            return match change {
                Some(row) => self.layout.node(self.replacements.words(), *row as usize),
                None => self.hole(),
            };
        }
        self.layout.node(self.file_words(), at)
    }

    fn hole(&self) -> &[u32] {
        // Row 0 of the replacements is never written.
        self.layout.node(self.replacements.words(), 0)
    }

    fn file_words(&self) -> &[u32] {
        self.file.as_ref().map_or(&[], |file| file.words())
    }

    /// Whether there is a living item with this id.
    pub(super) fn contains(&self, id: u32) -> bool {
        (id as usize) < self.len && self.layout.is_item(self.node(id)) == Some(true)
    }

    /// How many items live. The first call reads the count of every item of the file.
    pub(super) fn living(&self) -> usize {
        let in_file = || {
            let words = self.file_words();
            (0..self.from_file)
                .filter(|&i| self.layout.is_item(self.layout.node(words, i)) == Some(true))
                .count()
        };
        self.living_in_file.get_or_init(in_file).saturating_add_signed(self.living_change)
    }

    /// Makes room for ids below `len`.
    pub(super) fn reserve(&mut self, len: usize) -> io::Result<()> {
        self.rows.grow(len.saturating_sub(self.from_file) * self.layout.stride)
    }

    /// Makes all ids below `len` part of the index, as holes where nothing was put.
    pub(super) fn extend(&mut self, len: usize) -> io::Result<()> {
        self.reserve(len)?;
        self.len = self.len.max(len);
        Ok(())
    }

    /// Adds or replaces an item.
    ///
    /// # Errors
    ///
    /// There is no room. Nothing has changed.
    pub(super) fn put(&mut self, id: u32, vector: &[u32], norm: f32) -> io::Result<()> {
        let lived = self.contains(id);
        let layout = self.layout;
        let at = id as usize;
        let row = if at < self.from_file {
            let row = self.replacement(id)? as usize;
            &mut self.replacements.words_mut()[row * layout.stride..][..layout.stride]
        } else {
            self.reserve(at + 1)?;
            &mut self.rows.words_mut()[(at - self.from_file) * layout.stride..][..layout.stride]
        };
        layout.write_item(row, vector, norm);
        self.len = self.len.max(at + 1);
        self.living_change += isize::from(!lived);
        Ok(())
    }

    /// Adds vectors, one after the other in `rows`, at the end, where [`reserve`](Self::reserve) has made room.
    pub(super) fn append(&mut self, space: &Space, rows: &[f32]) {
        let (layout, dim) = (self.layout, self.layout.dim);
        let start = (self.len - self.from_file) * layout.stride;
        let nodes = self.rows.words_mut()[start..].chunks_exact_mut(layout.stride);
        let mut bits = Vec::new();
        let mut added = 0;
        for (node, row) in nodes.zip(rows.chunks_exact(dim)) {
            let words = if layout.metric == Metric::Hamming {
                space.encode(row, &mut bits);
                &bits
            } else {
                bytemuck::cast_slice(row)
            };
            layout.write_item(node, words, space.norm(words));
            added += 1;
        }
        self.len += added;
        self.living_change += added as isize;
    }

    /// Takes over whole rows, holes among them, as the first and only items.
    pub(super) fn fill(&mut self, rows: &[u32]) -> io::Result<()> {
        self.rows.grow(rows.len())?;
        self.rows.words_mut().copy_from_slice(rows);
        self.len = rows.len() / self.layout.stride;
        let lives = |row: &&[u32]| self.layout.is_item(row) == Some(true);
        self.living_change = rows.chunks_exact(self.layout.stride).filter(lives).count() as isize;
        Ok(())
    }

    /// Whether the file underneath holds an item with this id.
    pub(super) fn is_in_file(&self, id: u32) -> bool {
        let at = id as usize;
        at < self.from_file && self.layout.is_item(self.layout.node(self.file_words(), at)) == Some(true)
    }

    /// The row that replaces an item of the file.
    fn replacement(&mut self, id: u32) -> io::Result<u32> {
        if let Some(&Some(row)) = self.changes.get(&id) {
            return Ok(row);
        }
        let row = self.n_replacements + 1; // row 0 is the hole
        self.replacements.grow((row as usize + 1) * self.layout.stride)?;
        self.n_replacements = row;
        self.changes.insert(id, Some(row));
        Ok(row)
    }

    /// Makes an id a hole.
    ///
    /// # Errors
    ///
    /// There is no room. Nothing has changed.
    pub(super) fn remove(&mut self, id: u32) -> io::Result<()> {
        let lived = self.contains(id);
        let (layout, at) = (self.layout, id as usize);
        if at >= self.from_file {
            self.rows.words_mut()[(at - self.from_file) * layout.stride..][..layout.stride].fill(0);
        } else {
            self.replacements.grow(layout.stride)?;
            match self.changes.entry(id) {
                Entry::Occupied(mut change) => _ = change.insert(None),
                Entry::Vacant(place) => _ = place.insert(None),
            }
        }
        self.living_change -= isize::from(lived);
        Ok(())
    }

    /// The ids of all living items, ascending.
    pub(super) fn ids(&self) -> Result<Vec<u32>, Damage> {
        let mut ids = Vec::with_capacity(self.len.min(1 << 20));
        for id in 0..self.len as u32 {
            if self.layout.check_item(self.node(id), id)? {
                ids.push(id);
            }
        }
        self.intact()?;
        Ok(ids)
    }

    /// Refuses what was read if the file underneath was truncated meanwhile.
    #[inline]
    pub(super) fn intact(&self) -> Result<(), Damage> {
        if let Some(file) = &self.file {
            file.intact()?;
        }
        if self.rows.is_damaged() {
            return Err(Damage::new("the disk under the index being built could not keep it"));
        }
        Ok(())
    }
}
