//! The handle's files: saved whole or not at all, loaded by mapping, carried as bytes.

use std::path::Path;
use std::sync::Arc;

use super::handle::{Forest, Stage};
use super::items::Items;
use super::layout::Layout;
use super::metric::Metric;
use super::reader::{AnnoyFile, read_ends};
use super::space::Space;
use super::trees::Trees;
use super::writer::{ForestWriter, write_forest};
use crate::error::OpenError;
use crate::file::AtomicFile;

impl Forest {
    /// Writes the forest to `path` as a file of Annoy 1.17.3, and maps it from there. The file appears whole or not at
    /// all, and is on the disk when this returns; whoever has the old one mapped keeps it.
    ///
    /// Changes since the trees were planted become part of the file: additions in their buckets, deletions as holes.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotBuilt`]; the operating system's errors; a damaged file underneath. The forest and any
    /// file at `path` are then as they were.
    pub fn save(&mut self, path: &Path, prefault: bool) -> Result<(), OpenError> {
        let Some(trees) = &self.trees else { return Err(OpenError::NotBuilt) };
        let out = AtomicFile::create(path)?;
        let out = write_forest(out, &self.space, &self.items, trees, self.seed)?;
        self.settle_on(out, prefault, Stage::Saved)?;
        self.disk = None;
        Ok(())
    }

    /// Maps the file at `path`, in place of whatever the forest held. Costs the same at any size, unless `prefault`
    /// asks for every page to be read now; the memory is shared with every process that maps the file.
    ///
    /// # Errors
    ///
    /// The operating system's; a size or contents that do not fit this dimension and metric. The forest is then
    /// as it was.
    pub fn load(&mut self, path: &Path, prefault: bool) -> Result<(), OpenError> {
        let file = AnnoyFile::open(path, self.metric(), self.dim(), prefault)?;
        self.move_to(Arc::new(file), Stage::Loaded);
        self.disk = None;
        Ok(())
    }

    /// Forgets everything but dimension, metric and whether values have to be finite.
    pub fn unload(&mut self) {
        let fresh = Self::new(self.dim(), self.metric());
        self.space = fresh.space;
        self.items = fresh.items;
        self.trees = None;
        self.stage = Stage::Growing;
        self.seed = fresh.seed;
        self.disk = None;
        self.revision += 1;
    }

    /// Has items and trees stored on disk instead of memory: the next build writes the file at `path`, which appears
    /// when the build is complete, and maps it.
    ///
    /// # Errors
    ///
    /// The operating system's, when there is no room beside `path`; [`OpenError::Foreign`] never.
    pub fn build_on_disk(&mut self, path: &Path) -> Result<(), OpenError> {
        drop(AtomicFile::create(path)?); // finds out now, and not after hours of building
        let mut items = Items::on_disk(self.space.layout, path)?;
        for id in 0..self.items.len() as u32 {
            if self.items.contains(id) {
                let vector = self.space.layout.vector(self.items.node(id));
                items.put(id, vector, self.space.norm(vector))?;
            }
        }
        items.extend(self.items.len())?; // holes at the end are ids too
        self.items.intact()?;
        self.items = items;
        self.trees = None;
        self.stage = Stage::Growing;
        self.disk = Some(path.to_owned());
        self.revision += 1;
        Ok(())
    }

    /// Maps a file that was written, puts it in its place, and moves there: in this order, so that what cannot be
    /// mapped replaces nothing.
    pub(super) fn settle_on(
        &mut self,
        mut out: AtomicFile,
        prefault: bool,
        stage: Stage,
    ) -> Result<(), OpenError> {
        let file = AnnoyFile::map(out.written()?, self.metric(), self.dim(), prefault)?;
        out.commit()?;
        self.move_to(Arc::new(file), stage);
        Ok(())
    }

    fn move_to(&mut self, file: Arc<AnnoyFile>, stage: Stage) {
        self.space = Space::new(file.layout);
        self.items = Items::of_file(Arc::clone(&file));
        self.trees = Some(Trees::of_file(file));
        self.stage = stage;
        self.revision += 1;
    }

    /// Whether item `id` lies in the file to which this forest was saved, and lives. Annoy refuses to add such an item.
    pub fn replaces_saved(&self, id: u32) -> bool {
        self.stage == Stage::Saved && self.items.is_in_file(id) && self.items.contains(id)
    }

    /// The bytes of the file that [`save`](Self::save) would write; without trees, those of its items alone.
    ///
    /// # Errors
    ///
    /// A damaged file underneath.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OpenError> {
        match &self.trees {
            Some(trees) => write_forest(Vec::new(), &self.space, &self.items, trees, self.seed),
            None => {
                let bytes = ForestWriter::new(Vec::new(), &self.items, &self.space)?.finish()?;
                self.items.intact()?;
                Ok(bytes)
            }
        }
    }

    /// The forest that [`to_bytes`](Self::to_bytes) was called on, in memory; `with_trees` says whether it had any.
    ///
    /// # Errors
    ///
    /// Bytes that are no such forest.
    pub fn from_bytes(dim: usize, metric: Metric, with_trees: bool, bytes: &[u8]) -> Result<Self, OpenError> {
        let mut forest = Self::new(dim, metric);
        let layout = Layout::current(metric, dim);
        let size = bytes.len() as u64;
        if !size.is_multiple_of(layout.bytes()) {
            return Err(OpenError::Stride { size, stride: layout.bytes(), dim, metric: metric.name() });
        }
        let words: Vec<u32> = bytes.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
        let mut n_items = words.len() / layout.stride;
        let mut roots = Vec::new();
        if with_trees {
            if words.is_empty() {
                return Err(OpenError::Empty);
            }
            let foreign = |found| OpenError::Foreign { dim, metric: metric.name(), found };
            (n_items, roots) = read_ends(&words, layout).map_err(foreign)?;
        }
        forest.items.fill(&words[..n_items * layout.stride])?;
        if with_trees {
            let nodes = words[n_items * layout.stride..].to_vec();
            let copies = roots.len();
            forest.trees = Some(Trees::in_memory(layout, n_items, nodes, roots, copies));
            forest.stage = Stage::Built;
        }
        Ok(forest)
    }
}
