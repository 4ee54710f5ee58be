//! What can go wrong, by the moment at which it does.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a file was not taken for a picture. Its text is what the list of failed files shows.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The operating system said no.
    #[error("not read: {0}")]
    Io(#[from] io::Error),
    /// The file holds nothing.
    #[error("the file is empty")]
    Empty,
    /// The contents are something else.
    #[error("not a picture: {found}; JPEG, PNG, WebP, GIF, BMP and TIFF are read")]
    Foreign {
        /// What the first bytes say.
        found: &'static str,
    },
    /// More bytes than are read.
    #[error("the file has {bytes} bytes; {format} files are read up to {limit}")]
    FileTooLarge {
        /// Bytes of the file.
        bytes: u64,
        /// Bytes that are allowed.
        limit: u64,
        /// What the contents are.
        format: &'static str,
    },
    /// More pixels than are decoded.
    #[error("{width} x {height} pixels; up to {limit} are decoded")]
    TooManyPixels {
        /// Pixels in a row, as the file says.
        width: u32,
        /// Rows, as the file says.
        height: u32,
        /// Pixels that are allowed.
        limit: u64,
    },
    /// So many pixels in so few bytes are no photograph.
    #[error("{width} x {height} pixels in {bytes} bytes: this looks like a decompression bomb")]
    Bomb {
        /// Pixels in a row, as the file says.
        width: u32,
        /// Rows, as the file says.
        height: u32,
        /// Bytes of the file.
        bytes: u64,
    },
    /// The file ends before the picture does.
    #[error("the file is truncated: it ends before the picture does; copy it again from where it came")]
    Truncated,
    /// The contents break the rules of their format.
    #[error("damaged {format}: {what}")]
    Damaged {
        /// What the contents are.
        format: &'static str,
        /// What the decoder said.
        what: String,
    },
    /// The embedder did not take the picture.
    #[error("not embedded: {0}")]
    Embed(#[from] EmbedError),
}

/// Why there is no vector of a picture or of words.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The embedder has no part for words.
    #[error(
        "{model} knows pictures only, no words: search with a picture, or index with a model that has a text tower"
    )]
    NoWords {
        /// The embedder.
        model: String,
    },
    /// The model did not run.
    #[error("the model {model} failed: {what}")]
    Run {
        /// The embedder.
        model: String,
        /// What it said.
        what: String,
    },
    /// The model gave something that is no vector of its length.
    #[error("the model {model} gave {found} where {expected} were expected")]
    Output {
        /// The embedder.
        model: String,
        /// What came out.
        found: String,
        /// What should have.
        expected: String,
    },
}

/// Why a model was not loaded or imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file was not read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The manifest cannot be used.
    #[error("{}: {what}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A file is not the one that the manifest tells of.
    #[error("{}: sha256 is {found}, the manifest says {expected}: import the model again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Of the file.
        found: String,
        /// Of the manifest.
        expected: String,
    },
    /// The ONNX file cannot be used.
    #[error("{}: {what}", path.display())]
    Onnx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
}

/// Why a collection was not opened, changed or searched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CollectionError {
    /// No collection is here.
    #[error("{}: no collection of pictures here or in a folder above; `linjin images index DIR` makes one", path.display())]
    None {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The folder of pictures cannot be used.
    #[error("{}: {what}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// Somebody else is changing the collection.
    #[error("{}: another process is indexing this collection; wait for it, or end it", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A file of the collection was not read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The catalogue is damaged, or something else.
    #[error("the catalogue {}: {error}", path.display())]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// The catalogue was written by a newer linjin.
    #[error("the catalogue {} has version {found}, this linjin reads {supported}: upgrade linjin", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The version that can be read.
        supported: i64,
    },
    /// The index file cannot be used.
    #[error("the index {}: {what}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The collection was indexed with another model.
    #[error("the collection was indexed with {expected}, not with {found}")]
    Model {
        /// What is at hand.
        found: String,
        /// What made the collection's vectors.
        expected: String,
    },
    /// No run of indexing was complete yet.
    #[error("the collection is not indexed yet: `linjin images index` has to run to its end once")]
    NotIndexed,
    /// The query cannot be answered.
    #[error("{0}")]
    Query(String),
    /// A picture of the query was refused.
    #[error("{}: {refusal}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// Words were not embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// No picture has this number.
    #[error("no picture has the number {id} in this collection")]
    Unknown {
        /// The number.
        id: u64,
    },
    /// The caller asked to stop. What was done so far is kept.
    #[error("stopped; what was indexed so far is kept")]
    Cancelled,
}
