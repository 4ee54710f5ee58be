//! A version of an index, into a file.

use std::io::{self, Write};
use std::path::Path;

use bytemuck::{Pod, cast_slice};

use super::Metric;
use super::curve::{Curve, Depth, Point};
use super::error::OpenError;
use super::format::{ALIGN, Head, Kind, Section};
use super::ids::Ids;
use super::version::{Grown, Linked, Version};
use crate::file::{AtomicFile, BLOCK};
use crate::graph::Nodes;
use crate::journal::Moment;
use crate::leaves::Leaves;
use crate::simd::BLOCK as PLACES;

/// Writes a section's bytes.
type Writer<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// Writes `version` in place of `path`, whole or not at all.
pub(super) fn save(version: &Version, path: &Path) -> Result<(), OpenError> {
    let mut file = AtomicFile::create(path)?;
    write(version, None, &mut file)?;
    Ok(file.commit()?)
}

/// The bytes of the file of `version`.
pub(super) fn to_bytes(version: &Version) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Memory::default();
    write(version, None, &mut bytes)?;
    Ok(bytes.0)
}

/// Bytes in memory, or an error when there is no more of it.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_reserve(bytes.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the file of `version`, the state at `moment` of an index with a journal.
pub(super) fn write(version: &Version, moment: Option<Moment>, to: &mut dyn Write) -> Result<(), OpenError> {
    let mut parts = parts(version);
    if let Some(Moment { commit, sum }) = moment {
        parts.push((Kind::History, Box::new(move |to| to.write_all(cast_slice(&[commit, sum])))));
    }
    let mut sections = Vec::with_capacity(parts.len());
    let mut sums = Vec::new();
    // Each section is made twice: for its size and checksums, which stand before it, and to be written.
    for (kind, write) in &parts {
        let mut sum = Checksums::default();
        write(&mut sum)?;
        let (of_blocks, bytes) = sum.finish();
        let checksum = crc32fast::hash(cast_slice(&of_blocks));
        sections.push(Section { kind: *kind, checksum, offset: 0, bytes });
        sums.extend(of_blocks);
    }
    let mut offset = Head::first_section(parts.len(), sums.len() as u64);
    for section in &mut sections {
        section.offset = offset;
        offset = (offset + section.bytes).next_multiple_of(ALIGN);
    }
    let head = Head {
        metric: version.space.metric,
        memory: version.memory,
        dim: version.space.dim as u32,
        len: version.len as u64,
        slots: version.slots.len() as u64,
        next_id: version.next_id,
        trained: version.leaves.as_ref().map_or(0, |grown| grown.store.trained as u64),
        sections,
    };
    to.write_all(&head.to_bytes())?;
    let fill = |to: &mut dyn Write, bytes: u64| {
        to.write_all(&vec![0; (bytes.next_multiple_of(ALIGN) - bytes) as usize])
    };
    to.write_all(cast_slice(&sums))?;
    fill(to, size_of_val(&*sums) as u64)?;
    for ((_, write), section) in parts.iter().zip(&head.sections) {
        write(to)?;
        fill(to, section.bytes)?;
    }
    if let Some(what) = version.fault() {
        return Err(OpenError::Damaged { what: what.to_owned() });
    }
    Ok(())
}

/// Counts what is written, and sums it up block by block.
#[derive(Default)]
struct Checksums {
    hasher: crc32fast::Hasher,
    bytes: u64,
    sums: Vec<u32>,
}

impl Checksums {
    /// The checksums, and how many bytes there were.
    fn finish(mut self) -> (Vec<u32>, u64) {
        if !self.bytes.is_multiple_of(BLOCK as u64) {
            self.sums.push(self.hasher.finalize());
        }
        (self.sums, self.bytes)
    }
}

impl Write for Checksums {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = BLOCK - (self.bytes % BLOCK as u64) as usize;
        let some = &bytes[..bytes.len().min(left)];
        self.hasher.update(some);
        self.bytes += some.len() as u64;
        if some.len() == left {
            self.sums.push(std::mem::take(&mut self.hasher).finalize());
        }
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The sections of a version.
fn parts(version: &Version) -> Vec<(Kind, Writer<'_>)> {
    let view = version.view();
    let slots = move || 0..view.len as u32;
    let mut parts: Vec<(Kind, Writer<'_>)> = Vec::new();
    parts.push((
        Kind::of_rows(version.space.form),
        Box::new(move |to| slots().try_for_each(|slot| to.write_all(cast_slice(view.row(slot))))),
    ));
    if slots().any(|slot| view.id(slot) != u64::from(slot)) {
        parts.push((Kind::Ids, Box::new(move |to| each(to, slots().map(|slot| view.id(slot))))));
        let ids: Vec<u64> = slots().map(|slot| view.id(slot)).collect();
        let table = Ids::lay_out(&ids);
        parts.push((Kind::IdTable, Box::new(move |to| to.write_all(cast_slice(&table)))));
    }
    if version.space.metric == Metric::Cosine {
        parts.push((Kind::Scales, Box::new(move |to| each(to, slots().map(|slot| view.scale(slot))))));
    }
    if !version.notes.is_empty() {
        parts.push((
            Kind::Notes,
            Box::new(|to| version.notes.parts().try_for_each(|part| to.write_all(part))),
        ));
    }
    let Some(Grown { store, curve, linked }) = &version.leaves else { return parts };
    let leaves = store.view();
    let all = 0..store.len() as u32;
    parts.push((Kind::Homes, Box::new(move |to| each(to, slots().map(|slot| view.homes(slot))))));
    let mut starts = vec![0_u32];
    for leaf in all.clone() {
        starts.push(starts[leaf as usize] + (leaves.leaf(leaf).biases.len() / PLACES) as u32);
    }
    parts.push((Kind::Starts, Box::new(move |to| to.write_all(cast_slice(&starts)))));
    let every = all.clone();
    parts.push((
        Kind::Biases,
        Box::new(move |to| {
            every.clone().try_for_each(|leaf| to.write_all(cast_slice(leaves.leaf(leaf).biases)))
        }),
    ));
    let every = all.clone();
    parts.push((
        Kind::Slots,
        Box::new(move |to| {
            every.clone().try_for_each(|leaf| to.write_all(cast_slice(leaves.leaf(leaf).slots)))
        }),
    ));
    parts.push((
        Kind::Codes,
        Box::new(move |to| all.clone().try_for_each(|leaf| to.write_all(leaves.leaf(leaf).codes))),
    ));
    let directory = &store.directory;
    parts.push((Kind::Centroids, Box::new(|to| to.write_all(cast_slice(directory.centroids())))));
    parts.push((Kind::Groups, Box::new(|to| to.write_all(cast_slice(&directory.to_words())))));
    parts.push((Kind::Codebook, Box::new(|to| to.write_all(cast_slice(&store.codebook.to_words())))));
    parts.push((
        Kind::CentroidCodebook,
        Box::new(|to| to.write_all(cast_slice(&directory.codebook().to_words()))),
    ));
    if let Some(short) = directory.short_words() {
        parts.push((Kind::Short, Box::new(move |to| to.write_all(cast_slice(&short)))));
    }
    parts.push((Kind::Curve, Box::new(|to| to.write_all(cast_slice(&curve_words(curve))))));
    if let Some(Linked { links, curve }) = linked {
        let nodes = links.view();
        let mut none = vec![0; links.layout.words()];
        links.layout.clear(&mut none);
        parts.push((
            Kind::Nodes,
            Box::new(move |to| {
                slots().try_for_each(|slot| to.write_all(cast_slice(nodes.node(slot).unwrap_or(&none))))
            }),
        ));
        let coder = &links.coder;
        parts.push((
            Kind::NodeCodebook,
            Box::new(|to| {
                to.write_all(cast_slice(&coder.codebook().to_words()))?;
                to.write_all(cast_slice(coder.mean()))
            }),
        ));
        parts.push((Kind::EntryPoints, Box::new(|to| to.write_all(cast_slice(&links.entries)))));
        parts.push((Kind::WalkCurve, Box::new(|to| to.write_all(cast_slice(&curve_words(curve))))));
    }
    parts
}

fn each<T: Pod>(to: &mut dyn Write, values: impl Iterator<Item = T>) -> io::Result<()> {
    let mut values = values.peekable();
    let mut some = Vec::with_capacity(4096);
    while values.peek().is_some() {
        some.clear();
        some.extend(values.by_ref().take(4096));
        to.write_all(cast_slice(&some))?;
    }
    Ok(())
}

fn curve_words(curve: &Curve) -> Vec<u32> {
    let words = |&Point { recall, depth }: &Point| {
        let Depth { leaves, width, limit, candidates } = depth;
        [recall.to_bits(), leaves as u32, width as u32, limit.to_bits(), candidates as u32]
    };
    let sparse =
        curve.sparse.iter().flat_map(|more| [more.far, more.candidates, more.limit].map(f32::to_bits));
    sparse.chain([curve.slope.to_bits()]).chain(curve.points.iter().flat_map(words)).collect()
}
