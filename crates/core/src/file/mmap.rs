//! Mapped files, and growing zeroed memory.
//!
//! # Soundness
//!
//! This is one of the rooms in which `unsafe` is allowed. The operating system lets any process change or truncate a
//! file that is mapped here. What follows from that: every value read from a mapping is taken as a claim and checked
//! where it is used; plain `u32` words have no invalid values; and a truncated file is caught by `sigbus.rs`. Rust's
//! model does not describe memory that others write to, and no crate that maps files can say more.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::{Mmap, MmapMut, MmapOptions};

#[cfg(unix)]
use super::sigbus::Guard;

const WORD: usize = size_of::<u32>();

/// A file, mapped read-only and shared with every process that maps it.
#[derive(Debug)]
pub(crate) struct Mapping {
    // Dropped before `map`: the guard must not outlive the addresses that it watches.
    #[cfg(unix)]
    guard: Guard,
    map: Mmap,
}

impl Mapping {
    /// Maps the whole of `file`, which must not be empty; `prefault` reads every page now.
    pub(crate) fn new(file: &File, prefault: bool) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        if prefault {
            options.populate();
        }
        // SAFETY: see the head of this file; the mapping is only ever read as plain words.
        let map = unsafe { options.map(file)? };
        Ok(Self {
            #[cfg(unix)]
            guard: Guard::watch(map.as_ptr() as usize, map.len()),
            map,
        })
    }

    /// The file as little-endian words; a rest of fewer than four bytes is left out.
    pub(crate) fn words(&self) -> &[u32] {
        bytemuck::cast_slice(&self.map[..self.map.len() / WORD * WORD])
    }

    /// Whether a page of the file has turned out to be gone.
    pub(crate) fn is_truncated(&self) -> bool {
        #[cfg(unix)]
        return self.guard.was_hit();
        #[cfg(not(unix))]
        return false; // elsewhere the operating system forbids truncating a mapped file
    }
}

/// Zeroed words that grow; in memory, or in an unnamed file when they would not fit there.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    #[cfg(unix)]
    guard: Option<Guard>,
    map: Option<MmapMut>,
    file: Option<File>,
    len: usize,
}

impl Pages {
    /// Pages in an unnamed file in the directory of `path`.
    pub(crate) fn on_disk(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Some(tempfile::tempfile_in(super::atomic::directory(path))?), ..Self::default() })
    }

    pub(crate) fn words(&self) -> &[u32] {
        self.map.as_ref().map_or(&[], |map| &bytemuck::cast_slice(map)[..self.len])
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u32] {
        self.map.as_mut().map_or(&mut [], |map| &mut bytemuck::cast_slice_mut(map)[..self.len])
    }

    /// Makes room for `len` words, never fewer than now; new ones are 0 and take no memory until they are written.
    ///
    /// # Errors
    ///
    /// There is not enough memory or disk. Everything is as before.
    pub(crate) fn grow(&mut self, len: usize) -> io::Result<()> {
        let capacity = self.map.as_ref().map_or(0, |map| map.len() / WORD);
        if len > capacity {
            let bytes =
                len.max(capacity + capacity / 2).checked_mul(WORD).ok_or(io::ErrorKind::OutOfMemory)?;
            self.map_bytes(bytes.next_multiple_of(4096))?;
        }
        self.len = self.len.max(len);
        Ok(())
    }

    /// Whether the disk could not keep a page.
    pub(crate) fn is_damaged(&self) -> bool {
        #[cfg(unix)]
        return self.guard.as_ref().is_some_and(Guard::was_hit);
        #[cfg(not(unix))]
        return false;
    }

    fn map_bytes(&mut self, bytes: usize) -> io::Result<()> {
        let Some(file) = &self.file else {
            return self.map_memory(bytes);
        };
        reserve(file, bytes as u64)?;
        // SAFETY: the file has no name, so no other process can come near it.
        let map = unsafe { MmapMut::map_mut(file)? };
        #[cfg(unix)]
        {
            self.guard = Some(Guard::watch(map.as_ptr() as usize, map.len()));
        }
        self.map = Some(map);
        Ok(())
    }

    fn map_memory(&mut self, bytes: usize) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(map) = &mut self.map {
            // SAFETY: no reference into the mapping is alive, since `self` is borrowed mutably; the kernel fills what
            // is added to an anonymous mapping with zeros.
            unsafe { map.remap(bytes, memmap2::RemapOptions::new().may_move(true)) }?;
            use_large_pages(map);
            return Ok(());
        }
        let mut map = MmapOptions::new().len(bytes).map_anon()?;
        if let Some(old) = &self.map {
            map[..old.len()].copy_from_slice(old);
        }
        use_large_pages(&map);
        self.map = Some(map);
        Ok(())
    }
}

/// Gives back to the system what was freed. After work that took much memory for a while, glibc keeps it otherwise, and the
/// process looks several times as large as what it holds.
pub(crate) fn release_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: a plain call, which any thread may make at any time.
        unsafe { libc::malloc_trim(0) };
    }
}

/// Asks for large pages under much memory. Items are read in random order, and with pages of 4 KB the processor spends
/// more time on finding them than on reading them. Under little memory they would be a waste.
fn use_large_pages(map: &MmapMut) {
    #[cfg(target_os = "linux")]
    if map.len() >= LARGE {
        _ = map.advise(memmap2::Advice::HugePage); // a kernel without them does as well
    }
}

/// From how many bytes on large pages are worth it: some dozens of them.
const LARGE: usize = 16 << 20;

/// Makes `file` `len` bytes long and, where the file system can, takes the blocks now: a disk that is full is an
/// error here, and not a signal at some later write.
fn reserve(file: &File, len: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let wanted = libc::off_t::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        // SAFETY: a plain system call on a descriptor that `file` keeps open.
        if unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, wanted) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EOPNOTSUPP) {
            return Err(error);
        }
    }
    file.set_len(len)
}
