//! The file of an index, mapped: what is read and compared at once, and what when it is used.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytemuck::cast_slice_mut;

use super::Metric;
use super::curve::{Curve, Depth, More, Point, SPARSE};
use super::error::OpenError;
use super::format::{Head, Kind, Section};
use super::ids::Ids;
use super::links::Links;
use super::notes::Notes;
use super::slots::{Base, Slots};
use super::space::{Form, Space};
use super::store::{LeafBase, LeafStore};
use super::version::{Grown, Linked, Version};
use crate::file::{Blocks, Fault, Mapping, Pages, Region, Values};
use crate::graph::Coder;
use crate::journal::Moment;
use crate::leaves::Directory;
use crate::quant::Codebook;
use crate::simd::BLOCK;

/// The largest table of sections that there can be, and more.
const MOST_HEAD: u64 = 64 * 1024;

/// No filter was ever seen to take so many times as much.
const MOST_TIMES: f32 = 1e6;

/// How much of a file is compared with its checksums.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Verify {
    /// The head, and what describes the leaves: what is read when a file is opened. Damage elsewhere gives wrong answers.
    Header,
    /// Besides, every block of 64 KiB before it is used for the first time: damage that an answer depends on is an error
    /// instead of that answer. The first searches take some microseconds more for each block; later ones take as long as ever.
    #[default]
    Lazy,
    /// All of the file when it is opened, which takes about as long as to read it.
    Full,
}

/// A mapped file, and what its head says.
#[derive(Debug)]
pub(super) struct IndexFile {
    pub(super) head: Head,
    pub(super) whole: Region,
    fault: Fault,
}

pub(super) fn damaged(what: impl Into<String>) -> OpenError {
    OpenError::Damaged { what: what.into() }
}

impl IndexFile {
    /// Maps a file of which nothing but the head is looked at: it may be shorter than that says.
    pub(super) fn map(path: &Path) -> Result<Self, OpenError> {
        let mut file = File::open(path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(MOST_HEAD).read_to_end(&mut bytes)?;
        let head = Head::from_bytes(&bytes)?;
        Ok(Self { head, whole: Region::mapped(Mapping::new(&file, false)?), fault: Fault::default() })
    }

    /// The bytes of a file, copied.
    fn of_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        let head = Head::from_bytes(&bytes[..bytes.len().min(MOST_HEAD as usize)])?;
        head.fits(bytes.len() as u64)?;
        let mut pages = Pages::default();
        pages.grow(bytes.len().div_ceil(size_of::<u32>()))?;
        let words: &mut [u8] = cast_slice_mut(pages.words_mut());
        words[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { head, whole: Region::memory(pages), fault: Fault::default() })
    }

    /// Maps a file that is as long as its head says.
    pub(super) fn whole(path: &Path) -> Result<Self, OpenError> {
        let file = Self::map(path)?;
        file.head.fits(file.whole.len() as u64 * 4)?;
        Ok(file)
    }

    /// A part of the file; `None` where there is none.
    pub(super) fn part(&self, first: u64, bytes: u64) -> Option<Region> {
        let (start, len) = (usize::try_from(first / 4).ok()?, usize::try_from(bytes / 4).ok()?);
        self.whole.part(start..start.checked_add(len)?)
    }

    /// The blocks of a section, ready to be compared.
    pub(super) fn blocks(&self, section: Section, first_sum: u64) -> Result<Blocks, OpenError> {
        let kind = section.kind;
        let sums = self.part(first_sum, section.blocks() * 4);
        let sums =
            sums.filter(|sums| crc32fast::hash(bytemuck::cast_slice(sums.words())) == section.checksum);
        let sums =
            sums.ok_or_else(|| damaged(format!("the checksums of section {kind:?} are wrong themselves")))?;
        let beyond = || damaged(format!("section {kind:?} lies beyond its end"));
        let region = self.part(section.offset, section.bytes).ok_or_else(beyond)?;
        let name = format!("{kind:?}");
        Blocks::new(name, section.offset, region, sums, self.fault.clone()).ok_or_else(beyond)
    }

    /// A section of so many bytes, if they are known before; when `checked`, compared where it is used.
    fn section(&self, kind: Kind, bytes: Option<u64>, checked: bool) -> Result<Region, OpenError> {
        let (section, first_sum) =
            self.head.section(kind).ok_or_else(|| damaged(format!("it has no section {kind:?}")))?;
        if let Some(expected) = bytes.filter(|&bytes| bytes != section.bytes) {
            return Err(damaged(format!("section {kind:?} has {} bytes, not {expected}", section.bytes)));
        }
        let region = self.part(section.offset, section.bytes);
        let region = region.ok_or_else(|| damaged(format!("section {kind:?} lies beyond its end")))?;
        if !checked {
            return Ok(region);
        }
        Ok(region.checked_by(Arc::new(self.blocks(section, first_sum)?)))
    }

    /// The same for a section that need not be there.
    fn optional(&self, kind: Kind, bytes: Option<u64>, checked: bool) -> Result<Option<Region>, OpenError> {
        self.head.section(kind).map(|_| self.section(kind, bytes, checked)).transpose()
    }

    /// A section that is read now, and compared now.
    fn read_now(&self, kind: Kind) -> Result<Region, OpenError> {
        let region = self.section(kind, None, true)?;
        region.words();
        match region.fault() {
            Some(what) => Err(damaged(what)),
            None => Ok(region),
        }
    }

    /// How a vector is stored, if there can be such vectors and as many.
    pub(super) fn space(&self) -> Result<Space, OpenError> {
        let Head { dim, len, slots, trained, metric, .. } = self.head;
        if !(1..=65_535).contains(&dim) || len > slots || trained > slots || slots > u64::from(u32::MAX) {
            let what = format!(
                "its head speaks of {len} vectors in {slots} slots, {trained} trained, dimension {dim}"
            );
            return Err(damaged(what));
        }
        let given = Space::new(dim as usize, metric);
        let in_bytes = [Form::Unsigned, Form::Signed].map(|form| given.in_form(form));
        let spaces = if metric.is_binary() { vec![given] } else { [[given].as_slice(), &in_bytes].concat() };
        let mut there =
            spaces.into_iter().filter(|space| self.head.section(Kind::of_rows(space.form)).is_some());
        match (there.next(), there.next()) {
            (Some(space), None) => Ok(space),
            (None, _) => Err(damaged("it has no section of rows")),
            (Some(_), Some(_)) => Err(damaged("it has rows in two forms")),
        }
    }

    /// The version that the file holds.
    pub(super) fn version(&self, verify: Verify) -> Result<Version, OpenError> {
        let checked = verify == Verify::Lazy;
        let region = |kind: Kind, bytes: Option<u64>| self.section(kind, bytes, checked);
        let Head { len, slots: n, next_id, .. } = self.head;
        let space = self.space()?;
        let base = Base {
            len: n as usize,
            rows: Values::Region(region(Kind::of_rows(space.form), Some(n * 4 * space.row_words() as u64))?),
            ids: values(self.optional(Kind::Ids, Some(n * 8), checked)?),
            scales: match space.metric {
                Metric::Cosine => Values::Region(region(Kind::Scales, Some(n * 4))?),
                _ => Values::default(),
            },
            homes: values(self.optional(Kind::Homes, Some(n * 8), checked)?),
        };
        let table: Values<u32> = values(self.optional(Kind::IdTable, None, checked)?);
        let entries = table.slice().len();
        if entries > 0 && !entries.is_power_of_two() {
            return Err(damaged("the size of its table of ids is not a power of two"));
        }
        let leaves = match self.head.section(Kind::Centroids) {
            Some(_) => Some(self.leaves(&space, checked)?),
            None => None,
        };
        let slots = Slots::new(base);
        let notes = Notes::of_file(values(self.optional(Kind::Notes, None, checked)?));
        let (ids, len, memory) = (Ids::new(table), len as usize, self.head.memory);
        Ok(Version { space, slots, ids, memory, len, next_id, leaves, notes })
    }

    /// The leaves, and the graph where there is one.
    fn leaves(&self, space: &Space, checked: bool) -> Result<Grown, OpenError> {
        let region = |kind: Kind, bytes: Option<u64>| self.section(kind, bytes, checked);
        let curve = |kind: Kind| read_curve(self.read_now(kind)?.words()).ok_or_else(|| unsound(kind));
        let first = self.read_now(Kind::Codebook)?;
        let codebook = whole_book(space, Kind::Codebook, first.words(), None)?;
        let like = Some((&codebook, first.words()));
        let coarse = self.read_now(Kind::CentroidCodebook)?;
        let coarse = whole_book(space, Kind::CentroidCodebook, coarse.words(), like)?;
        let groups = self.read_now(Kind::Groups)?;
        let centroids = Values::Region(region(Kind::Centroids, None)?);
        let short = self.optional(Kind::Short, None, checked)?;
        let (kernels, dim) = (space.kernels, space.dim);
        let directory = Directory::from_words(kernels, dim, centroids, groups.words(), coarse, short)
            .ok_or_else(|| unsound(Kind::Groups))?;
        let starts = self.read_now(Kind::Starts)?;
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
        let linked = match self.head.section(Kind::Nodes) {
            Some(_) => {
                Some(Linked { links: self.links(space, like, checked)?, curve: curve(Kind::WalkCurve)? })
            }
            None => None,
        };
        let store = LeafStore {
            codebook: Arc::new(codebook),
            directory: Arc::new(directory),
            base,
            changed: Default::default(),
            trained: self.head.trained as usize,
        };
        Ok(Grown { store, curve: curve(Kind::Curve)?, linked })
    }

    /// The graph, whose codebook most often has the projection of the leaves' one.
    fn links(&self, space: &Space, like: Option<Book<'_>>, checked: bool) -> Result<Links, OpenError> {
        let kind = Kind::NodeCodebook;
        let words = self.read_now(kind)?;
        let book = Codebook::from_words(space.kernels, words.words(), space.dim, like);
        let (book, rest) = book.ok_or_else(|| unsound(kind))?;
        let mean: Vec<f32> = rest.iter().map(|&word| f32::from_bits(word)).collect();
        if mean.len() != space.dim || mean.iter().any(|value| !value.is_finite()) {
            return Err(unsound(kind));
        }
        let coder = Coder::new(space.kernels, book, mean);
        let (n, layout) = (self.head.slots, coder.layout());
        let nodes = self.section(Kind::Nodes, Some(n * layout.words() as u64 * 4), checked)?;
        let entries = self.read_now(Kind::EntryPoints)?.words().to_vec();
        if !entries.len().is_multiple_of(layout.words()) {
            return Err(unsound(Kind::EntryPoints));
        }
        Ok(Links::new(Arc::new(coder), Arc::new(entries), Values::Region(nodes), n as usize))
    }

    /// The moment of which the file is the state.
    fn moment(&self) -> Result<Moment, OpenError> {
        let kind = Kind::History;
        if self.head.section(kind).is_none() {
            return Ok(Moment { commit: 0, sum: self.head.fingerprint() });
        }
        match *self.read_now(kind)?.words() {
            [commit, high_commit, sum, high_sum] => {
                let long = |low, high| u64::from(low) | u64::from(high) << 32;
                Moment::read(long(commit, high_commit), long(sum, high_sum)).ok_or_else(|| unsound(kind))
            }
            _ => Err(unsound(kind)),
        }
    }
}

/// A codebook, and the words that it was made of.
type Book<'a> = (&'a Codebook, &'a [u32]);

/// The codebook that is all of a section.
fn whole_book(
    space: &Space,
    kind: Kind,
    words: &[u32],
    like: Option<Book<'_>>,
) -> Result<Codebook, OpenError> {
    let book = Codebook::from_words(space.kernels, words, space.dim, like);
    book.filter(|(_, rest)| rest.is_empty()).map(|(book, _)| book).ok_or_else(|| unsound(kind))
}

fn values<T>(region: Option<Region>) -> Values<T> {
    region.map_or_else(Values::default, Values::Region)
}

fn unsound(kind: Kind) -> OpenError {
    damaged(format!("section {kind:?} contradicts itself"))
}

/// Maps the index in `path`. Returns also the moment of which the file is the state.
pub(super) fn open(path: &Path, verify: Verify) -> Result<(Version, Moment), OpenError> {
    let file = IndexFile::whole(path)?;
    if verify == Verify::Full {
        super::verify::compare(&file)?;
    }
    let opened = (file.version(verify)?, file.moment()?);
    // What was read for this is believed only now.
    file.fault.get().map_or(Ok(opened), |what| Err(damaged(what)))
}

/// The index that the bytes of a file hold, all of them compared.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Version, OpenError> {
    let file = IndexFile::of_bytes(bytes)?;
    super::verify::compare(&file)?;
    file.version(Verify::Header)
}

/// The moment of which the file in `path` is the state.
pub(super) fn moment(path: &Path) -> Result<Moment, OpenError> {
    IndexFile::whole(path)?.moment()
}

fn read_curve(words: &[u32]) -> Option<Curve> {
    let (sparse, words) = words.split_first_chunk::<{ 3 * SPARSE.len() }>()?;
    let float = |i: usize| f32::from_bits(sparse[i]);
    let sparse = std::array::from_fn(|i| {
        let [far, candidates, limit] = [0, 1, 2].map(|part| float(3 * i + part));
        More { far, candidates, limit }
    });
    let times = 1.0..=MOST_TIMES;
    let grows = sparse
        .iter()
        .all(|more| times.contains(&more.far) && times.contains(&more.candidates) && more.limit.is_finite());
    let (&slope, words) = words.split_first()?;
    let slope = f32::from_bits(slope);
    let (points, rest) = words.as_chunks::<5>();
    let points: Vec<Point> = points
        .iter()
        .map(|&[recall, leaves, width, limit, candidates]| Point {
            recall: f32::from_bits(recall),
            depth: Depth {
                leaves: leaves as usize,
                limit: f32::from_bits(limit),
                width: width as usize,
                candidates: candidates as usize,
            },
        })
        .collect();
    let rises = points
        .windows(2)
        .all(|pair| pair[0].recall < pair[1].recall && pair[0].depth.candidates <= pair[1].depth.candidates);
    let positive = points.iter().all(|point| point.depth.leaves > 0 && point.depth.candidates > 0);
    let ends =
        (0.0..=MOST_TIMES).contains(&slope) && points.iter().all(|point| point.depth.limit.is_finite());
    let sound = rest.is_empty() && rises && positive && grows && ends;
    sound.then(|| Curve { points: Arc::new(points), sparse, slope })
}
