//! A disk that notes every call, fails at the one it is told to, and loses power.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Disk, Out, Storage};
use crate::random::Random;

/// A call, as far as it matters for what is on the disk. A file is meant by its number, a name may be given to several.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create {
        path: PathBuf,
        file: usize,
    },
    Write {
        file: usize,
        at: u64,
        bytes: Vec<u8>,
    },
    SetLen {
        file: usize,
        len: u64,
    },
    Sync {
        file: usize,
    },
    /// The operating system forgot what it was to write, and said so once.
    FailedSync {
        file: usize,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    SyncFolder,
    /// A note of the test: so many commits were acknowledged.
    Acknowledged(u64),
}

/// What befalls a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mishap {
    Error(i32),
    /// A write comes halfway; other calls are interrupted.
    Short,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<Call>,
    files: usize,
    /// Calls that could have failed.
    counted: usize,
    mishap: Option<(usize, Mishap)>,
}

/// A disk that remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Log>>);

impl Recorder {
    /// A disk on which call number `n` does not go well.
    pub(crate) fn failing(n: usize, mishap: Mishap) -> Self {
        Self(Arc::new(Mutex::new(Log { mishap: Some((n, mishap)), ..Log::default() })))
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.0.lock().expect("no test panics with it").calls.clone()
    }

    /// How many calls could have failed.
    pub(crate) fn counted(&self) -> usize {
        self.0.lock().expect("no test panics with it").counted
    }

    pub(crate) fn acknowledge(&self, commits: u64) {
        self.0.lock().expect("no test panics with it").calls.push(Call::Acknowledged(commits));
    }

    /// Makes a call, unless it is the one that fails, and notes it.
    fn call<T>(&self, make: impl FnOnce(&mut Log, Option<Mishap>) -> io::Result<T>) -> io::Result<T> {
        let mut log = self.0.lock().expect("no test panics with it");
        let mishap = log.mishap.filter(|&(n, _)| n == log.counted).map(|(_, mishap)| mishap);
        log.counted += 1;
        make(&mut log, mishap)
    }

    fn simple<T>(&self, call: Option<Call>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.call(|log, mishap| {
            if let Some(Mishap::Error(code)) = mishap {
                return Err(io::Error::from_raw_os_error(code));
            }
            let made = make()?;
            log.calls.extend(call);
            Ok(made)
        })
    }
}

impl Storage for Recorder {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Out>> {
        self.call(|log, mishap| {
            if let Some(Mishap::Error(code)) = mishap {
                return Err(io::Error::from_raw_os_error(code));
            }
            let out = Disk.create(path)?;
            let file = log.files;
            log.files += 1;
            log.calls.push(Call::Create { path: path.to_owned(), file });
            Ok(Box::new(Written { out, file, log: self.clone() }) as Box<dyn Out>)
        })
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.simple(None, || Disk.open(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let call = Call::Rename { from: from.to_owned(), to: to.to_owned() };
        self.simple(Some(call), || Disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.simple(Some(Call::Remove { path: path.to_owned() }), || Disk.remove(path))
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.simple(Some(Call::SyncFolder), || Ok(()))
    }

    fn worth_writing(&self) -> usize {
        700
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        self.simple(None, || Disk.lock(path))
    }
}

#[derive(Debug)]
struct Written {
    out: Box<dyn Out>,
    file: usize,
    log: Recorder,
}

impl Out for Written {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let Self { out, file, log } = self;
        log.call(|log, mishap| {
            let bytes = match mishap {
                Some(Mishap::Error(code)) => return Err(io::Error::from_raw_os_error(code)),
                Some(Mishap::Short) => &bytes[..bytes.len().div_ceil(2)],
                None => bytes,
            };
            let written = out.write_at(at, bytes)?;
            log.calls.push(Call::Write { file: *file, at, bytes: bytes[..written].to_vec() });
            Ok(written)
        })
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let Self { out, file, log } = self;
        log.simple(Some(Call::SetLen { file: *file, len }), || out.set_len(len))
    }

    /// Nothing is synced in truth: what a power cut leaves is worked out of the calls.
    fn sync(&mut self) -> io::Result<()> {
        let file = self.file;
        self.log.call(|log, mishap| match mishap {
            Some(Mishap::Error(code)) => {
                if code != libc::EINTR {
                    log.calls.push(Call::FailedSync { file });
                }
                Err(io::Error::from_raw_os_error(code))
            }
            Some(Mishap::Short) => Err(io::ErrorKind::Interrupted.into()),
            None => {
                log.calls.push(Call::Sync { file });
                Ok(())
            }
        })
    }
}

/// How much of what was not synced survives a power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Luck {
    Nothing,
    Everything,
    /// Every sector of so many bytes may be there or not, every length, every name.
    Some(usize),
}

/// What has reached the disk, and what is on its way.
#[derive(Clone, Debug, Default)]
struct OnDisk {
    bytes: Vec<u8>,
    waiting: Vec<Call>,
}

/// The files in a folder after a power cut behind `calls`; `before` were there already, durable.
pub(crate) fn power_cut(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    calls: &[Call],
    luck: Luck,
    random: &mut Random,
) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files: BTreeMap<usize, OnDisk> = BTreeMap::new();
    let mut names: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut waiting = Vec::new();
    for (i, (path, bytes)) in before.iter().enumerate() {
        let number = usize::MAX - i;
        files.insert(number, OnDisk { bytes: bytes.clone(), waiting: Vec::new() });
        names.insert(path.clone(), number);
    }
    for call in calls {
        match call {
            Call::Create { file, .. } => {
                files.insert(*file, OnDisk::default());
                waiting.push(call);
            }
            Call::Rename { .. } | Call::Remove { .. } => waiting.push(call),
            Call::SyncFolder => waiting.drain(..).for_each(|call| name(&mut names, call)),
            Call::Write { file, .. } | Call::SetLen { file, .. } => {
                files.entry(*file).or_default().waiting.push(call.clone());
            }
            Call::Sync { file } => {
                let file = files.entry(*file).or_default();
                file.settle(Luck::Everything, random);
            }
            Call::FailedSync { file } => files.entry(*file).or_default().waiting.clear(),
            Call::Acknowledged(_) => {}
        }
    }
    // A name can be durable without the ones before it, but not a rename of what was never made.
    let mut all = names.clone();
    for call in waiting {
        let from = match call {
            Call::Rename { from, .. } => all.get(from).copied(),
            _ => None,
        };
        name(&mut all, call);
        let kept = match luck {
            Luck::Nothing => false,
            Luck::Everything => true,
            Luck::Some(_) => random.flip(),
        };
        match (call, from) {
            _ if !kept => {}
            (Call::Rename { from, to }, Some(file)) => {
                names.remove(from);
                names.insert(to.clone(), file);
            }
            _ => name(&mut names, call),
        }
    }
    let mut left = BTreeMap::new();
    for (path, number) in names {
        let mut file = files.get(&number).cloned().unwrap_or_default();
        file.settle(luck, random);
        left.insert(path, file.bytes);
    }
    left
}

fn name(names: &mut BTreeMap<PathBuf, usize>, call: &Call) {
    match call {
        Call::Create { path, file } => _ = names.insert(path.clone(), *file),
        Call::Rename { from, to } => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Call::Remove { path } => _ = names.remove(path),
        _ => {}
    }
}

impl OnDisk {
    /// Takes up what is on its way, as far as luck has it.
    fn settle(&mut self, luck: Luck, random: &mut Random) {
        let durable = self.bytes.len();
        let mut full = durable;
        for call in std::mem::take(&mut self.waiting) {
            match (call, luck) {
                (_, Luck::Nothing) => {}
                (Call::Write { at, bytes, .. }, Luck::Everything) => self.put(at as usize, &bytes),
                (Call::Write { at, bytes, .. }, Luck::Some(sector)) => {
                    let (mut at, mut bytes) = (at as usize, bytes.as_slice());
                    full = full.max(at + bytes.len());
                    while !bytes.is_empty() {
                        let (piece, rest) = bytes.split_at(bytes.len().min(sector - at % sector));
                        if random.flip() {
                            self.put(at, piece);
                        }
                        (at, bytes) = (at + piece.len(), rest);
                    }
                }
                (Call::SetLen { len, .. }, _) if luck == Luck::Everything || random.flip() => {
                    self.bytes.resize(len as usize, 0);
                    full = len as usize;
                }
                _ => {}
            }
        }
        if let Luck::Some(_) = luck {
            // The length is kept of itself.
            match random.below(4) {
                0 => self.bytes.truncate(durable),
                1 => self.bytes.resize(full.max(self.bytes.len()), 0),
                2 => {
                    self.bytes.truncate(durable + random.below(self.bytes.len().saturating_sub(durable) + 1))
                }
                _ => {}
            }
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes.resize(self.bytes.len().max(at + bytes.len()), 0);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
