//! A version of an index, into a file and out of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use bytemuck::{Pod, cast_slice, cast_slice_mut};

use super::Metric;
use super::curve::{Curve, Depth, More, Point, SPARSE};
use super::error::OpenError;
use super::format::{ALIGN, Head, Kind, Section};
use super::ids::Ids;
use super::links::Links;
use super::slots::{Base, Slots};
use super::space::Space;
use super::store::{LeafBase, LeafStore};
use super::version::{Grown, Linked, Version};
use crate::file::{AtomicFile, Mapping, Pages, Region, Values};
use crate::graph::{Layout, Nodes};
use crate::leaves::{Directory, Leaves};
use crate::quant::Codebook;
use crate::simd::BLOCK;

/// The largest table of sections that there can be, and more.
const MOST_HEAD: u64 = 64 * 1024;

/// What became of a file whose pages are gone.
pub(super) const CUT_SHORT: &str = "it was cut short while it was open";

/// No filter was ever seen to take so many times as much.
const MOST_TIMES: f32 = 1e6;

/// Writes a section's bytes.
type Writer<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// Writes `version` in place of `path`, whole or not at all.
pub(super) fn save(version: &Version, path: &Path) -> Result<(), OpenError> {
    let mut file = AtomicFile::create(path)?;
    write(version, &mut file)?;
    Ok(file.commit()?)
}

/// The bytes of the file of `version`.
pub(super) fn to_bytes(version: &Version) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Memory::default();
    write(version, &mut bytes)?;
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

/// Writes `version` as a file.
fn write(version: &Version, to: &mut dyn Write) -> Result<(), OpenError> {
    let parts = parts(version);
    let mut offset = Head::size(parts.len());
    let mut sections = Vec::with_capacity(parts.len());
    // Each section is made twice: for its size and checksum, which stand before it, and to be written.
    for (kind, write) in &parts {
        let mut sum = Checksum::default();
        write(&mut sum)?;
        let section = Section { kind: *kind, checksum: sum.hasher.finalize(), offset, bytes: sum.bytes };
        offset = (offset + section.bytes).next_multiple_of(ALIGN);
        sections.push(section);
    }
    let head = Head {
        metric: version.space.metric,
        dim: version.space.dim as u32,
        len: version.len as u64,
        slots: version.slots.len() as u64,
        next_id: version.next_id,
        trained: version.leaves.as_ref().map_or(0, |grown| grown.store.trained as u64),
        sections,
    };
    to.write_all(&head.to_bytes())?;
    for ((_, write), section) in parts.iter().zip(&head.sections) {
        write(to)?;
        let end = section.offset + section.bytes;
        to.write_all(&vec![0; (end.next_multiple_of(ALIGN) - end) as usize])?;
    }
    if version.is_truncated() {
        return Err(OpenError::Damaged { what: CUT_SHORT.to_owned() });
    }
    Ok(())
}

/// Counts and sums up what is written.
#[derive(Default)]
struct Checksum {
    hasher: crc32fast::Hasher,
    bytes: u64,
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
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
        Kind::Rows,
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
    let Some(Grown { store, curve, linked }) = &version.leaves else { return parts };
    let leaves = store.view();
    let all = 0..store.len() as u32;
    parts.push((Kind::Homes, Box::new(move |to| each(to, slots().map(|slot| view.homes(slot))))));
    let mut starts = vec![0_u32];
    for leaf in all.clone() {
        starts.push(starts[leaf as usize] + (leaves.leaf(leaf).biases.len() / BLOCK) as u32);
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
        let codebook = &links.codebook;
        parts.push((Kind::NodeCodebook, Box::new(|to| to.write_all(cast_slice(&codebook.to_words())))));
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

/// Maps the index in `path`. Reads the head and what describes the leaves; the rest stays in the file until it is needed.
pub(super) fn open(path: &Path) -> Result<Version, OpenError> {
    let mut file = File::open(path)?;
    let head = read_head(&mut file)?;
    read(&head, &Region::mapped(Mapping::new(&file, false)?))
}

/// The version that the bytes of a file hold, all of them checked.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Version, OpenError> {
    let head = Head::from_bytes(&bytes[..bytes.len().min(MOST_HEAD as usize)], bytes.len() as u64)?;
    let mut pages = Pages::default();
    pages.grow(bytes.len().div_ceil(size_of::<u32>()))?;
    let words: &mut [u8] = cast_slice_mut(pages.words_mut());
    words[..bytes.len()].copy_from_slice(bytes);
    let whole = Region::memory(pages);
    check(&head, &whole)?;
    read(&head, &whole)
}

/// The version in `whole`, of which `head` speaks.
fn read(head: &Head, whole: &Region) -> Result<Version, OpenError> {
    let damaged = |what: String| OpenError::Damaged { what };
    let region = |kind: Kind, bytes: Option<u64>| {
        let section = head.section(kind).ok_or_else(|| damaged(format!("it has no section {kind:?}")))?;
        if bytes.is_some_and(|bytes| bytes != section.bytes) || section.bytes % 4 > 0 {
            let expected = bytes.map_or("whole words".to_owned(), |bytes| format!("{bytes}"));
            return Err(damaged(format!("section {kind:?} has {} bytes, not {expected}", section.bytes)));
        }
        let (start, len) = (section.offset as usize / 4, section.bytes as usize / 4);
        let region = whole.part(start..start + len);
        region.ok_or_else(|| damaged(format!("section {kind:?} lies beyond its end")))
    };
    // What is read now is checked now; the rest when it is asked for.
    let checked = |kind: Kind| {
        let region = region(kind, None)?;
        let sum = crc32fast::hash(cast_slice(region.words()));
        let section = head.section(kind).map(|section| section.checksum);
        if section == Some(sum) {
            Ok(region)
        } else {
            Err(damaged(format!("the checksum of section {kind:?} is wrong")))
        }
    };
    let dim = head.dim as usize;
    if !(1..=65_535).contains(&dim) || head.len > head.slots || head.slots > u64::from(u32::MAX) {
        return Err(damaged(format!(
            "its head speaks of {} vectors in {} slots, dimension {dim}",
            head.len, head.slots
        )));
    }
    let space = Space::new(dim, head.metric);
    let n = head.slots;
    let has = |kind: Kind| head.section(kind).is_some();
    let optional = |kind: Kind, bytes: Option<u64>| -> Result<Option<Region>, OpenError> {
        has(kind).then(|| region(kind, bytes)).transpose()
    };
    let base = Base {
        len: n as usize,
        rows: Values::Region(region(Kind::Rows, Some(n * 4 * space.row_words() as u64))?),
        ids: optional(Kind::Ids, Some(n * 8))?.map_or_else(Values::default, Values::Region),
        scales: match space.metric {
            Metric::Cosine => Values::Region(region(Kind::Scales, Some(n * 4))?),
            _ => Values::default(),
        },
        homes: optional(Kind::Homes, Some(n * 8))?.map_or_else(Values::default, Values::Region),
    };
    let table = optional(Kind::IdTable, None)?.map_or_else(Values::default, Values::Region);
    if !table.as_slice().is_empty() && !table.as_slice().len().is_power_of_two() {
        return Err(damaged("the size of its table of ids is not a power of two".to_owned()));
    }
    let leaves = if has(Kind::Centroids) {
        let unsound = |kind: Kind| damaged(format!("section {kind:?} contradicts itself"));
        let book = |kind: Kind| {
            let words = checked(kind)?;
            let book = Codebook::from_words(space.kernels, words.words(), dim);
            book.filter(|(_, rest)| rest.is_empty()).map(|(book, _)| book).ok_or_else(|| unsound(kind))
        };
        let codebook = book(Kind::Codebook)?;
        let coarse = book(Kind::CentroidCodebook)?;
        let (centroids, groups) = (region(Kind::Centroids, None)?, checked(Kind::Groups)?);
        let centroids = Values::Region(centroids);
        let short = optional(Kind::Short, None)?;
        let directory = Directory::from_words(space.kernels, dim, centroids, groups.words(), coarse, short)
            .ok_or_else(|| unsound(Kind::Groups))?;
        let starts = checked(Kind::Starts)?;
        let words = starts.words();
        let blocks = words.last().copied().unwrap_or(0) as u64;
        if words.len() != directory.len() + 1 || words[0] != 0 || !words.is_sorted() {
            return Err(unsound(Kind::Starts));
        }
        let places = blocks * BLOCK as u64;
        let base = LeafBase {
            biases: Values::Region(region(Kind::Biases, Some(places * 4))?),
            slots: Values::Region(region(Kind::Slots, Some(places * 4))?),
            codes: Values::Region(region(Kind::Codes, Some(blocks * codebook.block_bytes() as u64))?),
            starts: Values::Region(starts),
        };
        let curve = read_curve(checked(Kind::Curve)?.words()).ok_or_else(|| unsound(Kind::Curve))?;
        let store = LeafStore {
            codebook: Arc::new(codebook),
            directory: Arc::new(directory),
            base,
            changed: Default::default(),
            trained: head.trained as usize,
        };
        let linked = if has(Kind::Nodes) {
            let codebook = book(Kind::NodeCodebook)?;
            let words = Layout::new(codebook.codes()).words() as u64;
            let nodes = Values::Region(region(Kind::Nodes, Some(n * words * 4))?);
            let links = Links::new(Arc::new(codebook), nodes, n as usize);
            let curve = read_curve(checked(Kind::WalkCurve)?.words());
            let curve = curve.ok_or_else(|| unsound(Kind::WalkCurve))?;
            Some(Linked { links, curve })
        } else {
            None
        };
        Some(Grown { store, curve, linked })
    } else {
        None
    };
    Ok(Version {
        space,
        slots: Slots::new(base),
        ids: Ids::new(table),
        len: head.len as usize,
        next_id: head.next_id,
        leaves,
    })
}

/// Reads all of `path`; the error names the section whose checksum is wrong.
pub(super) fn verify(path: &Path) -> Result<(), OpenError> {
    let mut file = File::open(path)?;
    let head = read_head(&mut file)?;
    let whole = Region::mapped(Mapping::new(&file, false)?);
    check(&head, &whole)
}

/// Whether all of `whole` is as it was written.
fn check(head: &Head, whole: &Region) -> Result<(), OpenError> {
    let all: &[u8] = cast_slice(whole.words());
    let bytes = head.to_bytes();
    if all.get(..bytes.len()) != Some(bytes.as_slice()) {
        return Err(OpenError::Damaged {
            what: "its head is cut short, or something is behind it".to_owned(),
        });
    }
    let mut end = bytes.len();
    let mut in_order = head.sections.clone();
    in_order.sort_unstable_by_key(|section| (section.offset, section.bytes));
    for section in &in_order {
        // Between the sections there are zeros.
        let gap = all.get(end..section.offset as usize);
        if gap.is_none_or(|gap| gap.iter().any(|&byte| byte != 0)) {
            let what = format!("there is something before its section {:?}, or another in it", section.kind);
            return Err(OpenError::Damaged { what });
        }
        end = (section.offset + section.bytes) as usize;
        let bytes = &all[section.offset as usize..end];
        if crc32fast::hash(bytes) != section.checksum {
            let Section { kind, offset, bytes, .. } = section;
            let what =
                format!("the checksum of section {kind:?}, {bytes} bytes from byte {offset}, is wrong");
            return Err(OpenError::Damaged { what });
        }
    }
    if all[end..].iter().any(|&byte| byte != 0) {
        return Err(OpenError::Damaged { what: "there is something behind its last section".to_owned() });
    }
    let version = read(head, whole)?;
    let view = version.view();
    let living = view.living().count();
    if living != version.len {
        let what = format!("it holds {living} vectors, its head says {}", version.len);
        return Err(OpenError::Damaged { what });
    }
    if whole.is_truncated() {
        return Err(OpenError::Damaged { what: CUT_SHORT.to_owned() });
    }
    Ok(())
}

fn read_head(file: &mut File) -> Result<Head, OpenError> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(MOST_HEAD).read_to_end(&mut bytes)?;
    Head::from_bytes(&bytes, size)
}

fn curve_words(curve: &Curve) -> Vec<u32> {
    let words = |&Point { recall, depth }: &Point| {
        [recall.to_bits(), depth.leaves as u32, depth.width as u32, depth.candidates as u32]
    };
    let sparse = curve.sparse.iter().flat_map(|more| [more.leaves.to_bits(), more.candidates.to_bits()]);
    sparse.chain(curve.points.iter().flat_map(words)).collect()
}

fn read_curve(words: &[u32]) -> Option<Curve> {
    let (sparse, words) = words.split_first_chunk::<{ 2 * SPARSE.len() }>()?;
    let float = |i: usize| f32::from_bits(sparse[i]);
    let sparse = std::array::from_fn(|i| More { leaves: float(2 * i), candidates: float(2 * i + 1) });
    let grows = (0..2 * SPARSE.len()).all(|i| (1.0..=MOST_TIMES).contains(&float(i)));
    let (points, rest) = words.as_chunks::<4>();
    let points: Vec<Point> = points
        .iter()
        .map(|&[recall, leaves, width, candidates]| Point {
            recall: f32::from_bits(recall),
            depth: Depth { leaves: leaves as usize, width: width as usize, candidates: candidates as usize },
        })
        .collect();
    let rises = points
        .windows(2)
        .all(|pair| pair[0].recall < pair[1].recall && pair[0].depth.candidates <= pair[1].depth.candidates);
    let positive = points.iter().all(|point| point.depth.leaves > 0 && point.depth.candidates > 0);
    (rest.is_empty() && rises && positive && grows).then(|| Curve { points: Arc::new(points), sparse })
}
