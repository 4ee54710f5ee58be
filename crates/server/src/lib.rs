//! Indexes of vectors and folders of pictures over HTTP, and the page that searches pictures.
//!
//! ```text
//! listen ──► guard: host, origin, token ──► router ──┬──► page: files that are compiled in
//!                                                    └──► api ──► gate ──► a collection of pictures, an index
//! ```
//!
//! | file | duty |
//! | --- | --- |
//! | `serve.rs` | the public [`Server`]: what it serves, and to whom |
//! | `app.rs` | what requests share |
//! | `listen.rs` | connections: how many, how slow |
//! | `router.rs` | which request goes where, and the headers of every answer |
//! | `guard.rs` | who may ask: host, origin, token |
//! | `gate.rs` | how much is worked on at a time; the rest waits or is sent away |
//! | `api/` | the answers |
//! | `originals.rs` | files of the collection, opened below its folder |
//! | `uploads.rs` | pictures that were handed in to search with |
//! | `indexing.rs` | the collection kept up to date, and how far that is |
//! | `vectors.rs` | the index of vectors, and whether it is saved |
//! | `page.rs` | the page |
//! | `problem.rs` | what went wrong, as status and JSON |
//!
//! It listens on this machine only unless a token is set, answers requests that name it by a name it knows, and never asks
//! anybody for anything.

mod api;
mod app;
mod gate;
mod guard;
mod indexing;
mod listen;
mod originals;
mod page;
mod problem;
mod router;
mod serve;
mod uploads;
mod vectors;

pub use serve::{Options, Pictures, ServeError, Server};
