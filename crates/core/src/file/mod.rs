//! Bytes on disk and in memory, and nothing about what they mean.
//!
//! | file | duty |
//! | --- | --- |
//! | `atomic.rs` | a file that appears whole or not at all |
//! | `blocks.rs` | checksums over blocks of a mapped section, each compared when the block is first used |
//! | `mmap.rs` | mapped files, and growing zeroed memory; the other room in which `unsafe` is allowed |
//! | `region.rs` | words in memory or in a mapped file, shared |
//! | `sigbus.rs` | a mapped file that was truncated reads as zeros and is marked, instead of ending the process |

mod atomic;
mod blocks;
mod mmap;
mod region;
#[cfg(unix)]
mod sigbus;

pub(crate) use atomic::{AtomicFile, directory};
pub(crate) use blocks::{BLOCK, Blocks, Fault};
pub(crate) use mmap::{Mapping, Pages, release_freed};
pub(crate) use region::{Region, Slice, Values};
