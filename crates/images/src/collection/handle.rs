//! The public collection: where it lies and what is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::vectors::Loaded;
use crate::catalogue::{Catalogue, FileFacts, Filter, PictureFacts};
use crate::error::CollectionError;

/// The folder inside a folder of pictures that holds what is known about them.
pub const DATA: &str = ".linjin";
/// The catalogue inside that folder.
pub(super) const CATALOGUE: &str = "catalogue.sqlite";

/// A folder of pictures with its catalogue and its index. Can be searched by many threads; one process at a time indexes.
///
/// ```
/// use linjin_images::{Collection, Descriptor, Filter, IndexOptions, Query, Term};
///
/// # let folder = tempfile::tempdir()?;
/// # for (name, shade) in [("a.png", 0_u8), ("b.png", 90)] {
/// #     let shades = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 3) as u8, (y * 3) as u8 ^ shade, shade]));
/// #     shades.save(folder.path().join(name))?;
/// # }
/// let pictures = Collection::create(folder.path(), None)?;
/// let report = pictures.index(&Descriptor, &IndexOptions::default())?;
/// assert_eq!(report.embedded, 2);
///
/// let like = pictures.picture_at(&folder.path().join("a.png"))?.expect("it was indexed");
/// let hits = pictures.search(&Query::new(vec![(1.0, Term::Picture(like))], 10), None)?;
/// assert_eq!(hits[0].files[0].path.to_str(), Some("b.png"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Collection {
    pub(super) folder: PathBuf,
    pub(super) data: PathBuf,
    pub(super) catalogue: Catalogue,
    pub(super) loaded: Mutex<Option<Arc<Loaded>>>,
}

/// What a collection holds.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Info {
    /// The folder of pictures.
    pub folder: PathBuf,
    /// Where catalogue and index lie.
    pub data: PathBuf,
    /// Pictures; copies in several files count once.
    pub pictures: u64,
    /// Files that hold them.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Bytes of catalogue and index.
    pub data_bytes: u64,
    /// What made the vectors; `None` before the first run of indexing is complete.
    pub model: Option<String>,
    /// Values in a vector of the index.
    pub dim: usize,
    /// The similarity that one of a hundred pairs of pictures of the collection exceeds: results below it mean little. 1
    /// before there are enough pictures to tell.
    pub random_pair: f32,
    /// Files that were refused, and why, by path.
    pub failures: Vec<(PathBuf, String)>,
}

impl Collection {
    /// The collection of the pictures below `folder`, made if there is none. What is known about them goes into `data`,
    /// without it into `folder`'s own `.linjin`.
    ///
    /// # Errors
    ///
    /// `folder` is none, `data` belongs to another folder, or nothing can be written there.
    pub fn create(folder: &Path, data: Option<&Path>) -> Result<Self, CollectionError> {
        let refused = |what: &str| CollectionError::Folder { path: folder.to_owned(), what: what.to_owned() };
        if !folder.is_dir() {
            return Err(refused("this is no folder; a folder of pictures was expected"));
        }
        let folder = folder.canonicalize().map_err(io(folder))?;
        let own = folder.join(DATA);
        let data = data.map_or_else(|| own.clone(), Path::to_owned);
        fs::create_dir_all(&data).map_err(io(&data))?;
        let data = data.canonicalize().map_err(io(&data))?;
        let catalogue = Catalogue::open(&data.join(CATALOGUE), true)?;
        if data != own {
            match catalogue.folder()? {
                None => catalogue.set_folder(&folder)?,
                Some(other) if other == folder => {}
                Some(other) => {
                    let what = format!(
                        "{} holds the collection of {}; give every folder its own",
                        data.display(),
                        other.display()
                    );
                    return Err(refused(&what));
                }
            }
        }
        Ok(Self { folder, data, catalogue, loaded: Mutex::new(None) })
    }

    /// The collection at `path`: a folder of pictures that was indexed, or a data folder.
    ///
    /// # Errors
    ///
    /// There is no collection, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, CollectionError> {
        let none = || CollectionError::None { path: path.to_owned() };
        let data = [path.join(DATA), path.to_owned()]
            .into_iter()
            .find(|data| data.join(CATALOGUE).is_file())
            .ok_or_else(none)?;
        let data = data.canonicalize().map_err(io(&data))?;
        let catalogue = Catalogue::open(&data.join(CATALOGUE), false)?;
        let folder = match catalogue.folder()? {
            Some(folder) => folder,
            None => data.parent().ok_or_else(none)?.to_owned(),
        };
        Ok(Self { folder, data, catalogue, loaded: Mutex::new(None) })
    }

    /// The collection that `path` lies in: of this folder or the closest one above it.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn find(path: &Path) -> Result<Self, CollectionError> {
        let start = path.canonicalize().map_err(io(path))?;
        match start.ancestors().find(|folder| folder.join(DATA).join(CATALOGUE).is_file()) {
            Some(folder) => Self::open(folder),
            None => Err(CollectionError::None { path: start }),
        }
    }

    /// The folder of pictures.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the collection holds.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn info(&self) -> Result<Info, CollectionError> {
        let (pictures, files, bytes) = self.catalogue.counts()?;
        let active = self.catalogue.active()?;
        let listed = fs::read_dir(&self.data).map_err(io(&self.data))?;
        let data_bytes =
            listed.flatten().filter_map(|entry| entry.metadata().ok()).map(|facts| facts.len()).sum();
        Ok(Info {
            folder: self.folder.clone(),
            data: self.data.clone(),
            pictures,
            files,
            bytes,
            data_bytes,
            dim: active.as_ref().map_or(0, |active| active.space.dim()),
            random_pair: active.as_ref().map_or(1.0, |active| active.space.random_pair),
            model: active.map(|active| active.model_name),
            failures: self.catalogue.failures()?,
        })
    }

    /// Name of what made the vectors; `None` before the first run of indexing is complete.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn model(&self) -> Result<Option<String>, CollectionError> {
        Ok(self.catalogue.active()?.map(|active| active.model_name))
    }

    /// The number of the picture that the file at `path` held when it was indexed; `None` for a file outside the
    /// collection, or one that was not indexed.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn picture_at(&self, path: &Path) -> Result<Option<u64>, CollectionError> {
        let Ok(path) = path.canonicalize() else { return Ok(None) };
        match path.strip_prefix(&self.folder) {
            Ok(inside) => self.catalogue.picture_at(inside),
            Err(_) => Ok(None),
        }
    }

    /// What is known about a picture.
    ///
    /// # Errors
    ///
    /// No picture has this number, or the catalogue cannot be read.
    pub fn picture(&self, picture: u64) -> Result<PictureFacts, CollectionError> {
        self.catalogue.picture(picture)?.ok_or(CollectionError::Unknown { id: picture })
    }

    /// The files that hold a picture, by path; none for a picture that has left.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn files(&self, picture: u64) -> Result<Vec<FileFacts>, CollectionError> {
        self.catalogue.files(picture, &Filter::default())
    }

    /// A small copy of a picture, at most 256 pixels a side: the bytes of a JPEG file.
    ///
    /// # Errors
    ///
    /// No picture has this number, or the catalogue cannot be read.
    pub fn thumbnail(&self, picture: u64) -> Result<Vec<u8>, CollectionError> {
        self.catalogue.thumbnail(picture)?.ok_or(CollectionError::Unknown { id: picture })
    }

    /// The vector that the embedder gave a picture.
    ///
    /// # Errors
    ///
    /// No picture has this number, no run of indexing is complete yet, or the catalogue cannot be read.
    pub fn vector(&self, picture: u64) -> Result<Vec<f32>, CollectionError> {
        let active = self.catalogue.active()?.ok_or(CollectionError::Unknown { id: picture })?;
        let (found, vector) = self.catalogue.vectors(active.model, &[picture])?;
        if found.is_empty() { Err(CollectionError::Unknown { id: picture }) } else { Ok(vector) }
    }
}

/// An error of the operating system, with the file's name.
pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> CollectionError {
    move |error| CollectionError::Io { path: path.to_owned(), error }
}
