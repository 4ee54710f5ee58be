//! What requests share.

use std::sync::{Arc, Mutex, PoisonError};

use linjin_images::{Collection, Embedder, Group};
use tokio::sync::watch;

use crate::gate::Gate;
use crate::guard::Guard;
use crate::indexing::Indexing;
use crate::originals::Originals;
use crate::problem::Problem;
use crate::serve::{Options, Pictures, ServeError};
use crate::uploads::Uploads;
use crate::vectors::Vectors;

/// What requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) guard: Guard,
    pub(crate) album: Option<Album>,
    pub(crate) vectors: Option<Vectors>,
    /// For what decodes or embeds.
    pub(crate) work: Gate,
    /// For what only reads.
    pub(crate) reads: Gate,
    /// Done when the server stops: streams of events end.
    pub(crate) stopping: watch::Sender<bool>,
}

/// The collection of pictures.
pub(crate) struct Album {
    pub(crate) collection: Collection,
    pub(crate) embedder: Box<dyn Embedder>,
    pub(crate) keep_indexed: bool,
    pub(crate) originals: Originals,
    pub(crate) uploads: Uploads,
    pub(crate) indexing: watch::Sender<Indexing>,
    /// Changes when the collection is another one: browsers keep thumbnails by number.
    pub(crate) key: String,
    /// The groups that were found last, and for what.
    pub(crate) duplicates: Mutex<Option<(String, Arc<Vec<Group>>)>>,
}

impl std::fmt::Debug for Album {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Album").field("collection", &self.collection).finish_non_exhaustive()
    }
}

impl App {
    pub(crate) fn new(options: Options) -> Result<Self, ServeError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            guard: Guard::new(options.address.ip(), options.token.as_deref(), options.hosts),
            album: options.pictures.map(Album::new).transpose()?,
            vectors: options.index.map(Vectors::open).transpose()?,
            work: Gate::new(cores, 32),
            reads: Gate::new(cores * 4, 512),
            stopping: watch::Sender::new(false),
        })
    }

    /// The pictures, if there are any to serve.
    pub(crate) fn album(&self) -> Result<&Album, Problem> {
        self.album.as_ref().ok_or_else(|| {
            Problem::missing("no_pictures", "no pictures are served; start with `linjin serve --images DIR`")
        })
    }

    /// The index of vectors, if there is one to serve.
    pub(crate) fn vectors(&self) -> Result<&Vectors, Problem> {
        self.vectors.as_ref().ok_or_else(|| {
            Problem::missing("no_index", "no index is served; start with `linjin serve --index FILE.linjin`")
        })
    }
}

impl Album {
    fn new(pictures: Pictures) -> Result<Self, ServeError> {
        let Pictures { collection, embedder, keep_indexed } = pictures;
        let refused = |error| ServeError::Folder { path: collection.folder().to_owned(), error };
        let originals = Originals::open(collection.folder()).map_err(refused)?;
        let born = collection.born().map_err(refused)?;
        let key = blake3::hash(format!("{}\0{born}", collection.folder().display()).as_bytes());
        let key = key.to_hex()[..12].to_owned();
        let generation = collection.generation().unwrap_or(0);
        Ok(Self {
            collection,
            embedder,
            keep_indexed,
            originals,
            uploads: Uploads::default(),
            indexing: watch::Sender::new(Indexing { revision: generation, ..Indexing::default() }),
            key,
            duplicates: Mutex::new(None),
        })
    }

    /// The groups that were found last, if they are what is asked for now.
    pub(crate) fn remembered(&self, asked: &str) -> Option<Arc<Vec<Group>>> {
        let found = self.duplicates.lock().unwrap_or_else(PoisonError::into_inner);
        found.as_ref().filter(|(for_what, _)| for_what == asked).map(|(_, groups)| Arc::clone(groups))
    }

    /// Keeps groups for who asks next.
    pub(crate) fn remember(&self, asked: String, groups: &Arc<Vec<Group>>) {
        *self.duplicates.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked, Arc::clone(groups)));
    }
}
