//! One session's journal: append, commit, roll back, begin anew behind a checkpoint.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::Reader;
use super::record::{ALIGN, HEAD, Head, Kind, Moment, Of, RECORD, Record};
use super::storage::{Out, Storage, Stream, sync, write_all};

/// A journal that one session writes.
#[derive(Debug)]
pub(crate) struct Journal {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    out: Box<dyn Out>,
    head: Head,
    row: usize,
    /// The last commit that is durable, and the byte behind it.
    committed: (Moment, u64),
    /// Where the transaction begins.
    begun: Mark,
    /// Where it has come.
    mark: Mark,
    /// Bytes that were handed to the operating system; those behind them are in `buffer`.
    flushed: u64,
    buffer: Vec<u8>,
    /// With so many bytes it is handed over.
    most: usize,
    /// Whether there may be something behind `flushed` in the file.
    beyond: bool,
    /// What went wrong when the journal was to be made durable.
    failed: Option<String>,
}

/// How far a journal has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    end: u64,
    sum: u64,
    /// Vectors that were changed since the last commit.
    changes: u64,
}

/// Why a journal takes no more.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The operating system said no; what was asked for is not done, and can be asked for again.
    Io(io::Error),
    /// What is on the disk is unknown since something could not be made durable.
    Failed(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The journal that will come in the place of one, with what the other has behind a checkpoint.
#[derive(Debug)]
pub(crate) struct Heir {
    out: Box<dyn Out>,
    head: Head,
    /// The first byte that it took over, and the first that it has not.
    taken: Range<u64>,
}

impl Journal {
    /// A journal for what follows the state `start`, in the place of the one at `path`. The commits that were `found` there
    /// behind that state, in these bytes, are taken over; they lead to the state `end`.
    pub(crate) fn begin(
        storage: Arc<dyn Storage>,
        path: &Path,
        of: Of,
        start: Moment,
        end: Moment,
        found: Option<(&Reader, Range<u64>)>,
    ) -> io::Result<Self> {
        let most = storage.worth_writing();
        let mut head = Head::new(of, start);
        if let Some((reader, _)) = found {
            head.salt = reader.head.salt;
        }
        let beside = beside(path);
        let begun = (|| -> io::Result<_> {
            let mut stream = BufWriter::new(Stream::new(storage.create(&beside)?));
            stream.write_all(&head.to_bytes())?;
            if let Some((_, bytes)) = found {
                copy(&*storage, path, bytes, &mut stream)?;
            }
            let at = stream.get_ref().len() + stream.buffer().len() as u64;
            let begin = Record { kind: Kind::Begin, commit: end.commit + 1, count: 0, bytes: 0, checksum: 0 };
            stream.write_all(&begin.to_bytes(head.salt))?;
            let out = stream.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
            storage.rename(&beside, path)?;
            storage.sync_folder(path)?;
            Ok((out, at, begin))
        })();
        let (out, at, begin) = begun.inspect_err(|_| _ = storage.remove(&beside))?;
        let mark = Mark { end: at + RECORD as u64, sum: begin.add_to(end.sum), changes: 0 };
        Ok(Self {
            storage,
            path: path.to_owned(),
            out,
            head,
            row: of.row as usize,
            committed: (end, at),
            begun: mark,
            mark,
            flushed: mark.end,
            buffer: Vec::new(),
            most,
            beyond: false,
            failed: None,
        })
    }

    /// As [`committed`](Self::committed), of a journal that has not failed.
    pub(crate) fn sound_committed(&self) -> Result<(Moment, u64), Refusal> {
        self.sound().map(|()| self.committed)
    }

    /// How far it has come.
    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// The last commit that is durable, and the byte behind it.
    pub(crate) fn committed(&self) -> (Moment, u64) {
        self.committed
    }

    /// Bytes of commits.
    pub(crate) fn bytes(&self) -> u64 {
        self.committed.1 - HEAD as u64
    }

    /// Vectors that were changed since the last commit.
    pub(crate) fn changes(&self) -> u64 {
        self.mark.changes
    }

    /// Notes vectors that come: rows as the caller handed them in, one behind the other.
    ///
    /// # Errors
    ///
    /// Nothing of it is noted then.
    pub(crate) fn add(&mut self, ids: &[u64], rows: &[u8]) -> Result<(), Refusal> {
        // Records of some size each, so that none has to be held in memory a second time.
        let some = (self.most / 4 / (self.row + 8)).max(1);
        let records = ids.chunks(some).zip(rows.chunks(some * self.row));
        self.note(records.map(|(ids, rows)| (Kind::Add, ids, rows)))
    }

    /// Notes vectors that go.
    ///
    /// # Errors
    ///
    /// Nothing of it is noted then.
    pub(crate) fn remove(&mut self, ids: &[u64]) -> Result<(), Refusal> {
        self.note(ids.chunks((self.most / 32).max(1)).map(|ids| (Kind::Remove, ids, [].as_slice())))
    }

    /// Notes bytes that a caller keeps beside the vectors: behind those before them, or as the `only` ones.
    ///
    /// # Errors
    ///
    /// Nothing of it is noted then.
    pub(crate) fn keep(&mut self, note: &[u8], only: bool) -> Result<(), Refusal> {
        let kind = if only { Kind::OnlyNote } else { Kind::Note };
        self.note([(kind, [].as_slice(), note)].into_iter())
    }

    fn note<'a>(
        &mut self,
        records: impl Iterator<Item = (Kind, &'a [u64], &'a [u8])>,
    ) -> Result<(), Refusal> {
        self.sound()?;
        let before = self.mark;
        for (kind, ids, rows) in records {
            self.push(kind, ids, rows);
            self.mark.changes = match kind {
                Kind::Note | Kind::OnlyNote => self.mark.changes.max(1), // worth a commit, and no vector
                _ => self.mark.changes + ids.len() as u64,
            };
            if self.buffer.len() >= self.most
                && let Err(error) = self.flush()
            {
                self.cut(before);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Makes all that was noted durable, as a whole; returns how many commits there are now. Without changes nothing is done.
    ///
    /// # Errors
    ///
    /// What was noted is still there, and can be committed once the cause is gone; unless the journal has failed.
    pub(crate) fn commit(&mut self) -> Result<u64, Refusal> {
        self.sound()?;
        if self.mark.changes == 0 {
            return Ok(self.committed.0.commit);
        }
        let before = self.mark;
        self.push(Kind::Commit, &[before.sum], &[]);
        if let Err(error) = self.flush() {
            self.cut(before);
            return Err(error.into());
        }
        if let Err(error) = sync(&mut *self.out) {
            return Err(self.fail(&error));
        }
        let moment = Moment { commit: self.committed.0.commit + 1, sum: before.sum };
        self.committed = (moment, self.mark.end);
        self.mark = Mark { sum: moment.sum, changes: 0, ..self.mark };
        self.push(Kind::Begin, &[], &[]);
        self.begun = self.mark;
        _ = self.flush(); // else with the next record
        Ok(moment.commit)
    }

    /// Forgets what was noted since the last commit.
    pub(crate) fn roll_back(&mut self) {
        self.cut(self.begun);
    }

    /// A journal for what follows the commit `start`, which ends at byte `end` of this one. Takes over what is durable.
    pub(crate) fn heir(
        storage: &dyn Storage,
        path: &Path,
        head: Head,
        taken: Range<u64>,
    ) -> io::Result<Heir> {
        let made = (|| -> io::Result<_> {
            let mut stream = BufWriter::new(Stream::new(storage.create(&beside(path))?));
            stream.write_all(&head.to_bytes())?;
            copy(storage, path, taken.clone(), &mut stream)?;
            let out = stream.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
            Ok(Heir { out, head, taken })
        })();
        made.inspect_err(|_| _ = storage.remove(&beside(path)))
    }

    /// The head of a journal for what follows `start`.
    pub(crate) fn head_from(&self, start: Moment) -> Head {
        Head { start, ..self.head }
    }

    /// Puts `heir` in this journal's place, with what has been written since it was made.
    ///
    /// # Errors
    ///
    /// The journal is as it was; unless it has failed.
    pub(crate) fn hand_over(&mut self, mut heir: Heir) -> Result<(), Refusal> {
        let moved = |at: u64| at - heir.taken.start + HEAD as u64;
        let (beside, path) = (beside(&self.path), &self.path);
        let put = (|| -> Result<(), Refusal> {
            self.sound()?;
            let mut rest = Vec::new();
            copy(&*self.storage, path, heir.taken.end..self.flushed, &mut rest)?;
            if !rest.is_empty() {
                write_all(&mut *heir.out, moved(heir.taken.end), &rest)?;
                sync(&mut *heir.out)?;
            }
            Ok(self.storage.rename(&beside, path)?)
        })();
        put.inspect_err(|_| _ = self.storage.remove(&beside))?;
        // Until the folder is synced either journal may be there after a power cut, and a commit to one would be lost with it.
        if let Err(error) = self.storage.sync_folder(path) {
            return Err(self.fail(&error));
        }
        for at in [&mut self.committed.1, &mut self.begun.end, &mut self.mark.end, &mut self.flushed] {
            *at = moved(*at);
        }
        (self.out, self.head, self.beyond) = (heir.out, heir.head, false);
        Ok(())
    }

    /// Puts a record into the buffer: `numbers`, then `rest`.
    fn push(&mut self, kind: Kind, numbers: &[u64], rest: &[u8]) {
        let start = self.buffer.len();
        self.buffer.resize(start + RECORD, 0);
        numbers.iter().for_each(|number| self.buffer.extend(number.to_le_bytes()));
        self.buffer.extend_from_slice(rest);
        let body = &self.buffer[start + RECORD..];
        let count = if kind == Kind::Commit { 0 } else { numbers.len() as u64 };
        let commit = self.committed.0.commit + 1;
        let record =
            Record { kind, commit, count, bytes: body.len() as u64, checksum: crc32fast::hash(body) };
        self.buffer[start..start + RECORD].copy_from_slice(&record.to_bytes(self.head.salt));
        self.buffer.resize(self.buffer.len().next_multiple_of(ALIGN as usize), 0);
        self.mark.end += (self.buffer.len() - start) as u64;
        self.mark.sum = record.add_to(self.mark.sum);
    }

    /// Hands the buffer to the operating system. After an error it is still there, to be handed over again.
    fn flush(&mut self) -> io::Result<()> {
        if self.beyond {
            self.out.set_len(self.flushed)?;
            self.beyond = false;
        }
        write_all(&mut *self.out, self.flushed, &self.buffer).inspect_err(|_| self.beyond = true)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Forgets what was noted since `mark`.
    pub(crate) fn cut(&mut self, mark: Mark) {
        if mark.end >= self.flushed {
            self.buffer.truncate((mark.end - self.flushed) as usize);
        } else {
            self.buffer.clear();
            (self.flushed, self.beyond) = (mark.end, true);
        }
        self.mark = mark;
    }

    fn sound(&self) -> Result<(), Refusal> {
        self.failed.as_ref().map_or(Ok(()), |why| Err(Refusal::Failed(why.clone())))
    }

    fn fail(&mut self, error: &io::Error) -> Refusal {
        self.failed = Some(error.to_string());
        Refusal::Failed(error.to_string())
    }
}

/// Where a journal is written before it comes to `path`.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-new");
    name.into()
}

/// Bytes of the journal at `path`, into `to`.
fn copy(storage: &dyn Storage, path: &Path, bytes: Range<u64>, to: &mut dyn Write) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut file = storage.open(path)?;
    file.seek(SeekFrom::Start(bytes.start))?;
    let wanted = bytes.end - bytes.start;
    if io::copy(&mut file.take(wanted), to)? < wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
