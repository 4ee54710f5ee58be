//! Changes that are durable before the file that they belong to is written anew.
//!
//! | file | duty |
//! | --- | --- |
//! | `record.rs` | the format: the head, the records, the sum of all changes; `docs/file-format.md` describes it |
//! | `write.rs` | one session's journal: append, commit, roll back, begin anew behind a checkpoint |
//! | `read.rs` | commits out of a journal; what was torn, and what is damaged |
//! | `storage.rs` | the few calls by which bytes become durable; the disk |
//! | `recorder.rs` | in tests, a disk that notes every call, fails at the one it is told to, and loses power |
//!
//! # Why a commit survives
//!
//! A session writes into a file that it made, synced and put in its place itself: what it found there came from a cache,
//! and may never have reached the disk. Records of a transaction are appended; its commit record is the last of them, and
//! [`Journal::commit`] returns after they were synced. Only then is anything of the next transaction written. So
//!
//! 1. an intact record of transaction *n* + 1 proves that all of transaction *n* was durable when it was written;
//! 2. where the bytes behind the last whole commit *n* make no sense, and nothing behind them is of transaction *n* + 2 or
//!    later, they are of a transaction that nobody was told is durable: the writer died there. That is a torn tail, which
//!    is left out;
//! 3. where something is, transaction *n* + 1 was durable once and is damaged now: an error, since leaving it out would
//!    lose a change in silence.
//!
//! For (3) to hold of the last commit too, the record that begins the next transaction is written right behind it.
//!
//! A sync that fails leaves unknown what is on the disk, and the next one may succeed without having written it. So
//! after a failed sync a journal takes nothing any more.

mod read;
mod record;
#[cfg(test)]
pub(crate) mod recorder;
mod storage;
mod write;

pub(crate) use read::{Change, Fault, Place, Reader};
pub(crate) use record::{Moment, Of};
#[cfg(test)]
pub(crate) use storage::Out;
pub(crate) use storage::{Disk, Storage, Stream};
pub(crate) use write::{Heir, Journal, Refusal, beside};
