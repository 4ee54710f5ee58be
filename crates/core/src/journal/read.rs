//! Commits out of a journal; what was torn, and what is damaged.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use thiserror::Error;

use super::record::{ALIGN, HEAD, Head, Kind, Moment, Of, RECORD, Record};

/// Bytes that are looked through at a time for records behind a bad place.
const BLOCK: usize = 64 * 1024;

/// A change, as it was made.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// Vectors that came, or took the place of those with their ids: rows as the caller handed them in.
    Add { ids: Vec<u64>, rows: Vec<u8> },
    /// Vectors that went.
    Remove { ids: Vec<u64> },
    /// A note that came: behind those before it, or instead of them.
    Note { note: Vec<u8>, only: bool },
}

/// Why a journal was not read.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Damaged(String),
}

/// Reads a journal, commit by commit.
#[derive(Debug)]
pub(crate) struct Reader {
    input: BufReader<File>,
    /// Bytes of the file when it was opened.
    len: u64,
    of: Of,
    pub(super) head: Head,
    at: u64,
    moment: Moment,
}

/// Where a reader had come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    head: Head,
    at: u64,
    moment: Moment,
}

impl Place {
    /// The byte behind the last commit that was read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The state after it.
    pub(crate) fn moment(&self) -> Moment {
        self.moment
    }
}

/// A record that is whole, and what follows its head.
struct Whole {
    record: Record,
    body: Vec<u8>,
}

impl Reader {
    /// At the first commit of the journal in `file`.
    pub(crate) fn new(file: File, of: Of) -> Result<Self, Fault> {
        let len = file.metadata()?.len();
        let mut input = BufReader::with_capacity(BLOCK, file);
        let mut bytes = [0; HEAD];
        if len < HEAD as u64 {
            return Err(Fault::Damaged(format!("it has {len} bytes, its head alone has {HEAD}")));
        }
        input.read_exact(&mut bytes)?;
        let head = Head::from_bytes(&bytes).map_err(Fault::Damaged)?;
        if !head.is_of(of) {
            let what = format!("it is for other vectors than these: {} of dimension {}", of.metric, of.dim);
            return Err(Fault::Damaged(what));
        }
        Ok(Self { input, len, of, head, at: HEAD as u64, moment: head.start })
    }

    /// Goes on where another reader of the same journal had come; says whether it is the same.
    pub(crate) fn resume(&mut self, place: Place) -> Result<bool, Fault> {
        let same = self.head == place.head && place.at <= self.len;
        if same {
            self.input.seek(SeekFrom::Start(place.at))?;
            (self.at, self.moment) = (place.at, place.moment);
        }
        Ok(same)
    }

    pub(crate) fn place(&self) -> Place {
        Place { head: self.head, at: self.at, moment: self.moment }
    }

    /// The state after the commits that were read.
    pub(crate) fn moment(&self) -> Moment {
        self.moment
    }

    /// The byte behind the last commit that was read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Bytes behind the last commit that was read.
    pub(crate) fn rest(&self) -> u64 {
        self.len - self.at
    }

    /// The changes of the next commit; `None` when there is none, and what is left is of a transaction that never was one.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Change>>, Fault> {
        let (mut at, mut sum) = (self.at, self.moment.sum);
        let commit = self.moment.commit + 1;
        let mut changes = Vec::new();
        loop {
            let Some(Whole { record, body }) = self.whole(at)? else {
                return self.torn(at).map(|()| None);
            };
            let next = at + record.len().unwrap_or(0);
            let unsound = || Fault::Damaged(format!("its record at byte {at} contradicts what is before it"));
            if record.commit != commit {
                // Of an earlier try at the commit before, which was longer; or of a later transaction.
                return self.torn(at).map(|()| None);
            }
            let numbers = |bytes: &[u8]| -> Vec<u64> {
                bytes.as_chunks().0.iter().copied().map(u64::from_le_bytes).collect()
            };
            let fits = |each: u64| record.count.checked_mul(each) == Some(record.bytes);
            match record.kind {
                Kind::Begin if fits(0) => {}
                Kind::Add if fits(8 + u64::from(self.of.row)) => {
                    let (ids, rows) = body.split_at(record.count as usize * 8);
                    changes.push(Change::Add { ids: numbers(ids), rows: rows.to_vec() });
                }
                Kind::Remove if fits(8) => changes.push(Change::Remove { ids: numbers(&body) }),
                Kind::Note | Kind::OnlyNote if record.count == 0 => {
                    changes.push(Change::Note { note: body, only: record.kind == Kind::OnlyNote });
                }
                Kind::Commit if numbers(&body) == [sum] && body.len() == 8 => {
                    self.at = next;
                    self.moment = Moment { commit, sum };
                    return Ok(Some(changes));
                }
                // Some of what is before it is of an earlier try at this commit, which the power cut left in its place.
                Kind::Commit if body.len() == 8 => return self.torn(at).map(|()| None),
                _ => return Err(unsound()),
            }
            sum = record.add_to(sum);
            at = next;
        }
    }

    /// The record at `at`, where the input stands; `None` if there is no whole one.
    fn whole(&mut self, at: u64) -> Result<Option<Whole>, Fault> {
        let mut bytes = [0; RECORD];
        let left = self.len - at;
        if left < RECORD as u64 || !fill(&mut self.input, &mut bytes)? {
            return Ok(None);
        }
        let Some(record) = Record::from_bytes(&bytes, self.head.salt) else { return Ok(None) };
        let Some(len) = record.len().filter(|&len| len <= left) else { return Ok(None) };
        let mut body = Vec::new();
        let size = len as usize - RECORD;
        body.try_reserve_exact(size).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        body.resize(size, 0);
        if !fill(&mut self.input, &mut body)? {
            return Ok(None);
        }
        body.truncate(record.bytes as usize);
        Ok((crc32fast::hash(&body) == record.checksum).then_some(Whole { record, body }))
    }

    /// Whether what is at `bad` was never durable. It was if there is a record of a later transaction behind it.
    fn torn(&mut self, bad: u64) -> Result<(), Fault> {
        let mut start = bad.next_multiple_of(ALIGN);
        let mut block = Vec::new();
        while start + RECORD as u64 <= self.len {
            self.input.seek(SeekFrom::Start(start))?;
            block.clear();
            self.input.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
            if block.len() < RECORD {
                break; // the file has become shorter
            }
            let last = block.len() - RECORD;
            for at in (0..=last).step_by(ALIGN as usize) {
                let bytes = block[at..].first_chunk().expect("the blocks end with a whole one");
                let later = Record::from_bytes(bytes, self.head.salt)
                    .filter(|record| record.commit > self.moment.commit + 1);
                if let Some(record) = later {
                    return Err(Fault::Damaged(format!(
                        "commit {} is damaged at byte {bad}: it was whole once, for a record of commit {} follows \
                         at byte {}",
                        self.moment.commit + 1,
                        record.commit,
                        start + at as u64
                    )));
                }
            }
            start += (last / ALIGN as usize * ALIGN as usize + ALIGN as usize) as u64;
        }
        self.input.seek(SeekFrom::Start(self.at))?;
        Ok(())
    }
}

/// Fills `bytes`; false when the input ends before.
fn fill(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
