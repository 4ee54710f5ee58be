//! What is wrong with a file, all of it read; and what of its vectors is still there.

use std::ops::ControlFlow;
use std::path::Path;

use bytemuck::cast_slice;
use rustc_hash::FxHashSet;

use super::error::OpenError;
use super::format::{Head, Kind};
use super::notes::Notes;
use super::opening::{IndexFile, Verify, damaged};
use super::persist;
use super::rebuild::rebuild;
use super::update::{Rows, Work};
use super::version::Version;
use super::{NO_ID, Vectors};
use crate::file::BLOCK;
use crate::parallel;

/// The vectors that were taken out of a damaged file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Salvaged {
    /// How many vectors are in the new file.
    pub kept: usize,
    /// How many the damaged one should have had besides.
    pub lost: usize,
}

/// Reads all of the file in `path`; the error names the section that is wrong, and the byte.
pub(super) fn verify(path: &Path) -> Result<Version, OpenError> {
    let file = IndexFile::whole(path)?;
    compare(&file)?;
    file.version(Verify::Header)
}

/// Compares everything in the file with its checksums, and how many vectors there are with the head.
pub(super) fn compare(file: &IndexFile) -> Result<(), OpenError> {
    let all: &[u8] = cast_slice(file.whole.words());
    let head = file.head.to_bytes();
    if all.get(..head.len()) != Some(head.as_slice()) {
        return Err(damaged("its head is cut short, or something is behind it"));
    }
    let sections = &file.head.sections;
    let mut wrong: Option<(String, usize)> = None;
    let mut blocks = 0;
    for section in sections {
        let Some((section, first_sum)) = file.head.section(section.kind) else { continue };
        blocks += section.blocks();
        if let Some((first, n)) = file.blocks(section, first_sum)?.check_all() {
            let (_, more) = wrong.get_or_insert((first, 0));
            *more += n;
        }
    }
    if let Some((first, n)) = wrong {
        let more = if n > 1 { format!("; so are those of {} blocks more", n - 1) } else { String::new() };
        return Err(damaged(first + &more));
    }
    let mut end = head.len() as u64 + blocks * 4;
    let mut in_order = sections.clone();
    in_order.sort_unstable_by_key(|section| (section.offset, section.bytes));
    for section in &in_order {
        // Between the sections there are zeros.
        let gap = all.get(end as usize..section.offset as usize);
        if gap.is_none_or(|gap| gap.iter().any(|&byte| byte != 0)) {
            let what = format!("there is something before its section {:?}, or another in it", section.kind);
            return Err(damaged(what));
        }
        end = section.offset + section.bytes;
    }
    if all[end as usize..].iter().any(|&byte| byte != 0) {
        return Err(damaged("there is something behind its last section"));
    }
    let version = file.version(Verify::Header)?;
    let living = version.view().living().count();
    if living != version.len {
        return Err(damaged(format!("it holds {living} vectors, its head says {}", version.len)));
    }
    if let Some(what) = version.notes.unsound() {
        return Err(damaged(what));
    }
    file.whole.fault().map_or(Ok(()), |what| Err(damaged(what)))
}

/// Writes the vectors that can be read soundly from `path` into a new file.
pub(super) fn salvage(path: &Path, to: &Path) -> Result<Salvaged, OpenError> {
    let file = IndexFile::map(path)?;
    let space = file.space()?;
    let rows =
        Part::new(&file, Kind::of_rows(space.form)).ok_or_else(|| damaged("it has no section of rows"))?;
    let ids = Part::new(&file, Kind::Ids);
    let words = space.row_words();
    let slots = file.head.slots.min((rows.words.len() / words) as u64);
    let mut kept = Kept::default();
    for slot in 0..slots as usize {
        let id = match &ids {
            Some(ids) => ids.get(slot * 2, 2).map(|id| u64::from(id[0]) | u64::from(id[1]) << 32),
            None => Some(slot as u64),
        };
        let Some((id, row)) = id.filter(|&id| id != NO_ID).zip(rows.get(slot * words, words)) else {
            continue;
        };
        let values = space.floats(row); // nothing of bits
        if values.iter().all(|value| value.is_finite()) && kept.seen.insert(id) {
            kept.ids.push(id);
            kept.floats.extend_from_slice(&values);
            if space.metric.is_binary() {
                kept.bits.extend_from_slice(&cast_slice(row)[..space.width()]);
            }
        }
    }
    let vectors =
        if space.metric.is_binary() { Vectors::Bits(&kept.bits) } else { Vectors::Floats(&kept.floats) };
    let work = Work { seed: 0, threads: parallel::threads(None), regroup: true };
    let rows = Rows { vectors, ids: &kept.ids };
    let mut watch = |_: f64| ControlFlow::Continue(());
    let empty = Version::empty(space, file.head.memory);
    let mut version = match rebuild(&empty, rows, &[], work, &mut watch) {
        ControlFlow::Continue(version) => version,
        ControlFlow::Break(()) => empty, // nobody breaks off
    };
    let Head { len, next_id, .. } = file.head;
    version.next_id = version.next_id.max(next_id);
    version.notes = notes(&file);
    persist::save(&version, to)?;
    Ok(Salvaged { kept: version.len, lost: (len as usize).saturating_sub(version.len) })
}

/// The notes of a file: all, or none where they are damaged.
fn notes(file: &IndexFile) -> Notes {
    let whole = file.head.section(Kind::Notes).map_or(0, |(section, _)| section.bytes as usize / 4);
    let words = Part::new(file, Kind::Notes).filter(|_| whole > 0).and_then(|part| part.get(0, whole));
    let notes = Notes::of_file(words.map_or_else(Vec::new, <[u32]>::to_vec).into());
    if notes.unsound().is_none() { notes } else { Notes::default() }
}

/// Vectors that could be read.
#[derive(Default)]
struct Kept {
    seen: FxHashSet<u64>,
    ids: Vec<u64>,
    floats: Vec<f32>,
    bits: Vec<u8>,
}

/// What is left of a section.
struct Part<'a> {
    words: &'a [u32],
    sound: Vec<bool>,
}

impl<'a> Part<'a> {
    fn new(file: &'a IndexFile, kind: Kind) -> Option<Self> {
        let (section, first_sum) = file.head.section(kind)?;
        let all = file.whole.words();
        let word = |byte: u64| usize::try_from(byte / 4).map_or(all.len(), |word| word.min(all.len()));
        let words = &all[word(section.offset)..word(section.offset + section.bytes)];
        let sums = &all[word(first_sum)..word(first_sum + section.blocks() * 4)];
        let blocks = cast_slice::<u32, u8>(words).chunks(BLOCK).zip(sums);
        let sound = blocks.map(|(block, &sum)| crc32fast::hash(block) == sum).collect();
        Some(Self { words, sound })
    }

    /// Some words, if they are as they were written.
    fn get(&self, start: usize, len: usize) -> Option<&'a [u32]> {
        let words = self.words.get(start..start + len)?;
        let (first, last) = (start * 4 / BLOCK, ((start + len) * 4 - 1) / BLOCK);
        (first..=last).all(|block| self.sound.get(block) == Some(&true)).then_some(words)
    }
}
