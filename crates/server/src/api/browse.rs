//! Pictures by age; all about one.

use std::io::BufReader;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linjin_images::{FileFacts, camera_notes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::extract::{Name, Query};
use super::filter::Wanted;
use crate::app::App;
use crate::problem::Problem;

/// Pictures of one answer.
const MOST: u64 = 1_000_000;

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Pictures to pass over
    #[serde(default)]
    offset: u64,
    /// Pictures to tell of
    #[serde(default = "hundred")]
    limit: u64,
}

fn hundred() -> u64 {
    100
}

/// Pictures in columns: the first number of each belongs to the first picture.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed {
    /// How many pictures fit the filter.
    total: u64,
    ids: Vec<u64>,
    widths: Vec<u32>,
    heights: Vec<u32>,
}

/// Pictures that fit a filter, the youngest first
#[utoipa::path(get, path = "/api/pictures", tag = "pictures", params(Page, Wanted),
    responses((status = 200, body = Listed), Refused))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<Page>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Listed>, Problem> {
    let filter = wanted.filter()?;
    let shared = Arc::clone(&app);
    let read = move || {
        let found = shared.album()?.collection.list(&filter, page.offset, page.limit.min(MOST))?;
        let mut listed =
            Listed { total: found.total, ids: Vec::new(), widths: Vec::new(), heights: Vec::new() };
        for (id, width, height) in found.pictures {
            listed.ids.push(id);
            listed.widths.push(width);
            listed.heights.push(height);
        }
        Ok(Json(listed))
    };
    app.reads.pass(read).await
}

/// All about a picture.
#[derive(Serialize, ToSchema)]
pub(super) struct Details {
    id: u64,
    /// BLAKE3 of its files.
    hash: String,
    format: String,
    width: u32,
    height: u32,
    /// When it was taken, by the camera: local time.
    taken: Option<String>,
    camera: Option<String>,
    /// The files that hold it.
    files: Vec<Held>,
    /// More that the camera wrote, by EXIF's names.
    notes: Vec<Note>,
}

/// A file.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Held {
    /// From the folder of the collection.
    path: String,
    bytes: u64,
    /// Milliseconds since 1970.
    modified: i64,
}

#[derive(Serialize, ToSchema)]
struct Note {
    name: String,
    value: String,
}

impl From<&FileFacts> for Held {
    fn from(file: &FileFacts) -> Self {
        let path = file.path.to_string_lossy().into_owned();
        Self { path, bytes: file.bytes, modified: file.modified / 1_000_000 }
    }
}

/// All about a picture
#[utoipa::path(get, path = "/api/pictures/{id}", tag = "pictures", params(("id" = u64, Path)),
    responses((status = 200, body = Details), Refused))]
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    Name(id): Name<u64>,
) -> Result<Json<Details>, Problem> {
    let shared = Arc::clone(&app);
    let read = move || {
        let album = shared.album()?;
        let facts = album.collection.picture(id)?;
        let files = album.collection.files(id)?;
        // A file that is gone, and not yet from the collection, has no notes.
        let file = files.first().and_then(|file| album.originals.file(&file.path).ok());
        let notes = file.map(|file| camera_notes(BufReader::new(file))).unwrap_or_default();
        Ok(Json(Details {
            id,
            hash: facts.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            format: facts.format,
            width: facts.width,
            height: facts.height,
            taken: facts.taken,
            camera: facts.camera,
            files: files.iter().map(Held::from).collect(),
            notes: notes.into_iter().map(|(name, value)| Note { name, value }).collect(),
        }))
    };
    app.reads.pass(read).await
}
