//! An index whose changes are durable, and those who read it meanwhile.
//!
//! | file | duty |
//! | --- | --- |
//! | `door.rs` | the methods of `Index`: open for writing, commit, roll back, checkpoint, close, refresh |
//! | `home.rs` | where an index lives: in memory, in a file, in a file that it writes; what becomes of each change |
//! | `writer.rs`, `background.rs` | the one who writes: changes into the journal, commits; what goes on in the background |
//! | `checkpoint.rs` | the journal folded into the file |
//! | `reader.rs` | the ones who read: from one commit to a later one |
//! | `load.rs` | a file and the journal beside it, as one state |
//! | `replay.rs` | the changes of many commits, as one |
//! | `crashes.rs` | in tests, every call failing once, and power cuts at every moment |

mod background;
mod checkpoint;
#[cfg(test)]
mod crashes;
mod door;
mod home;
mod load;
mod reader;
mod replay;
mod writer;

pub(super) use door::replace;
pub(super) use home::Home;
pub(super) use reader::Reader;
