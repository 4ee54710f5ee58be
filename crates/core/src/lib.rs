//! Nearest-neighbour search: the vectors closest to a vector, among millions, in microseconds.
//!
//! [`index::Index`] holds vectors with ids, in memory or mapped from one file; they are added, replaced and removed at any
//! moment, by any thread, while others search.
//!
//! ```
//! use linjin::index::{Add, Index, Metric, Search};
//!
//! let index = Index::new(3, Metric::Cosine)?;
//! index.add(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.9, 0.1, 0.0], None, &Add::default())?;
//! let near = index.search(&[1.0, 0.0, 0.0], &Search::new(2))?;
//! assert_eq!(near.ids, [0, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`forest::Forest`] opens, builds and saves the files of Spotify's Annoy, answers on them exactly as Annoy 1.17.3
//! does, and takes additions, replacements and deletions at any moment.
//!
//! ```
//! use linjin::forest::{Budget, Forest, Metric};
//!
//! let mut forest = Forest::new(3, Metric::Angular);
//! forest.add(0, &[1.0, 0.0, 0.0])?;
//! forest.add(1, &[0.0, 1.0, 0.0])?;
//! forest.build(Some(10), None)?;
//! forest.add(2, &[0.9, 0.1, 0.0])?; // found at once
//! let near = forest.nearest(&[1.0, 0.0, 0.0], Some(2), Budget::PerTree)?;
//! assert_eq!(near.ids, [0, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The long pages are in [`docs`]: linjin in Rust from the first index on, the guide, the file format, what is reliable.
//!
//! | layer | modules | may use |
//! | --- | --- | --- |
//! | 5 | [`index`]: vectors with ids, changed while others search | all below |
//! | 4 | [`forest`]: Annoy's trees and files; `leaves`: groups of close vectors, packed; `graph`: every vector with those beside it | all below, not one another |
//! | 3 | `quant`: codes of 4 bits | all below |
//! | 2 | `kmeans`: clusters; `journal`: changes that are durable before the file is written anew | all below, not one another |
//! | 1 | `file`: bytes on disk and mapped; `metric`, `vectors`, `filter`, `hits`: the words of the API | layer 0 |
//! | 0 | `simd`, `keep`, `random`, `parallel`, `sync`, [`error`] | nothing of ours |
//!
//! `tests/layers.rs` fails when a module uses one that is not below it.

#[cfg(target_endian = "big")]
compile_error!("linjin maps little-endian files in place and does not run on big-endian machines");

mod early;
pub mod error;
mod file;
mod filter;
mod filtered;
pub mod forest;
mod graph;
mod hits;
pub mod index;
mod journal;
mod keep;
mod kmeans;
mod leaves;
mod metric;
mod parallel;
mod quant;
mod random;
mod simd;
mod sync;
mod vectors;

/// The long pages. `docs/inside.py` writes them of those in the folder `docs` of the repository.
#[cfg(any(doc, doctest))]
pub mod docs {
    #[doc = include_str!("../docs/rust.md")]
    pub mod rust {}

    #[doc = include_str!("../docs/guide.md")]
    pub mod guide {}

    #[doc = include_str!("../docs/file_format.md")]
    pub mod file_format {}

    #[doc = include_str!("../docs/reliability.md")]
    pub mod reliability {}

    #[doc = include_str!("../docs/architecture.md")]
    pub mod architecture {}

    #[doc = include_str!("../docs/design.md")]
    pub mod design {}
}

/// What the benchmarks measure and nobody else should use: the kernels, table by table.
#[doc(hidden)]
pub mod __bench {
    pub use crate::simd::{Codewords, Kernels, Scan, Word};

    /// Every table that this CPU can run, slowest first.
    pub fn kernels() -> Vec<&'static Kernels> {
        crate::simd::available()
    }
}
