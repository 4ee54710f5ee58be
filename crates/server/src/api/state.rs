//! What is served; files that were refused; folders.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Refused;
use super::facts::IndexFacts;
use crate::app::App;
use crate::indexing::Indexing;
use crate::problem::Problem;

/// What is served.
#[derive(Serialize, ToSchema)]
pub(super) struct Served {
    version: &'static str,
    /// `null` where no pictures are served.
    pictures: Option<Album>,
    /// `null` where no index of vectors is served.
    index: Option<IndexFacts>,
}

/// The collection of pictures.
#[derive(Serialize, ToSchema)]
struct Album {
    /// The folder; only its name where a token is needed.
    folder: String,
    pictures: u64,
    files: u64,
    bytes: u64,
    /// What made the vectors; `null` before the first run of indexing is complete.
    model: Option<String>,
    /// Whether words can be searched with.
    words: bool,
    /// The score that one of a hundred pairs of unrelated pictures exceeds; 1 before that is known.
    random_pair: f32,
    /// Files that were refused.
    refused: usize,
    /// Another one for another collection: part of the address of a thumbnail that may be kept.
    key: String,
    indexing: Indexing,
}

/// What is served, and how far indexing is
#[utoipa::path(get, path = "/api/state", tag = "server", responses((status = 200, body = Served), Refused))]
pub(super) async fn state(State(app): State<Arc<App>>) -> Result<Json<Served>, Problem> {
    let shared = Arc::clone(&app);
    let pictures = move || {
        let Some(album) = &shared.album else { return Ok(None) };
        let info = album.collection.info()?;
        let folder = match shared.guard.wants_token() {
            true => info.folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            false => info.folder.to_string_lossy().into_owned(),
        };
        Ok(Some(Album {
            folder,
            pictures: info.pictures,
            files: info.files,
            bytes: info.bytes,
            model: info.model,
            words: album.embedder.knows_words(),
            random_pair: info.random_pair,
            refused: info.failures.len(),
            key: album.key.clone(),
            indexing: album.indexing.borrow().clone(),
        }))
    };
    let pictures = app.reads.pass(pictures).await?;
    let index = app.vectors.as_ref().map(IndexFacts::of);
    Ok(Json(Served { version: env!("CARGO_PKG_VERSION"), pictures, index }))
}

/// A file that was refused.
#[derive(Serialize, ToSchema)]
pub(super) struct Failure {
    path: String,
    reason: String,
}

/// Files of the folder that were refused, and why
#[utoipa::path(get, path = "/api/failures", tag = "pictures",
    responses((status = 200, body = Vec<Failure>), Refused))]
pub(super) async fn failures(State(app): State<Arc<App>>) -> Result<Json<Vec<Failure>>, Problem> {
    let shared = Arc::clone(&app);
    let read = move || {
        let failures = shared.album()?.collection.info()?.failures;
        let told = |(path, reason): (std::path::PathBuf, _)| Failure {
            path: path.to_string_lossy().into_owned(),
            reason,
        };
        Ok(Json(failures.into_iter().map(told).collect()))
    };
    app.reads.pass(read).await
}

/// A folder of the collection.
#[derive(Serialize, ToSchema)]
pub(super) struct Folder {
    path: String,
    /// Files in it and below it.
    files: u64,
}

/// Folders with pictures in them or below them, by name
#[utoipa::path(get, path = "/api/folders", tag = "pictures",
    responses((status = 200, body = Vec<Folder>), Refused))]
pub(super) async fn folders(State(app): State<Arc<App>>) -> Result<Json<Vec<Folder>>, Problem> {
    let shared = Arc::clone(&app);
    let read = move || {
        let folders = shared.album()?.collection.folders()?.into_iter();
        let told = folders.map(|(path, files)| Folder { path: path.to_string_lossy().into_owned(), files });
        Ok(Json(told.collect()))
    };
    app.reads.pass(read).await
}
