//! Finds pictures in folders: like another one, like a sum and difference of some, and copies of one.
//!
//! A [`Collection`] is a folder of pictures with a catalogue and an index of vectors. [`Collection::index`] brings it up to
//! date, [`Collection::search`] finds pictures, [`Collection::duplicates`] finds copies. Vectors come from an [`Embedder`]:
//! the built-in [`Descriptor`] of colours, edges and
//! texture, or a [`Model`] in ONNX. Everything stays on the machine.
//!
//! | layer | modules | may use |
//! | --- | --- | --- |
//! | 4 | `collection`: the folder that can be searched | all below |
//! | 3 | `catalogue`: files, pictures and vectors in SQLite | all below |
//! | 2 | `walk`: which files there are | all below |
//! | 1 | `decode`: files into pixels; `embed`: pixels into vectors; `signature`, `small`: small copies | layer 0 |
//! | 0 | `pixels`, `space`, [`error`] | nothing of ours |
//!
//! `tests/layers.rs` fails when a module uses one that is not below it.

mod catalogue;
mod collection;
mod decode;
mod embed;
pub mod error;
mod pixels;
mod signature;
mod small;
mod space;
mod walk;

pub use collection::{
    Collection, Copy, DATA, FileFacts, Filter, Group, Hit, IndexOptions, Info, Keep, Likeness, Listing,
    PictureFacts, Progress, Query, Report, Stage, Term, Watcher,
};
pub use decode::{Format, Limits, Picture, camera_notes};
pub use embed::{
    Crop, Descriptor, Embedder, Import, Manifest, Model, PictureTower, Pooling, Precision, TextTower, Tower,
};
pub use pixels::{Orientation, Pixels, Region};
