//! Thumbnails, previews, originals.

use std::io::{Read, Seek};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linjin_images::{Format, Limits, Picture};
use tokio_util::io::ReaderStream;

use super::Refused;
use super::extract::Name;
use crate::app::{Album, App};
use crate::problem::Problem;

/// Longest side of a preview.
pub(super) const PREVIEW: u32 = 1600;
/// A picture never changes under its number: browsers may keep it.
const FOREVER: &str = "private, max-age=31536000, immutable";

/// A small copy of a picture, at most 256 pixels a side
#[utoipa::path(get, path = "/api/pictures/{id}/thumbnail", tag = "pictures", params(("id" = u64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), Refused))]
pub(super) async fn thumbnail(State(app): State<Arc<App>>, Name(id): Name<u64>) -> Result<Response, Problem> {
    let shared = Arc::clone(&app);
    let jpeg = app.reads.pass(move || Ok(shared.album()?.collection.thumbnail(id)?)).await?;
    Ok(as_jpeg(jpeg))
}

/// A copy of a picture in a format that every browser shows, its shorter side at most 512 pixels
#[utoipa::path(get, path = "/api/pictures/{id}/preview", tag = "pictures", params(("id" = u64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), Refused))]
pub(super) async fn preview(State(app): State<Arc<App>>, Name(id): Name<u64>) -> Result<Response, Problem> {
    let shared = Arc::clone(&app);
    let made = move || {
        let (file, _) = open(shared.album()?, id)?;
        Ok(Picture::from_file(file, None, &Limits::default())?.pixels.jpeg(PREVIEW)?)
    };
    Ok(as_jpeg(app.work.pass(made).await?))
}

/// The file of a picture as it is; one that browsers do not show is offered to be saved
#[utoipa::path(get, path = "/api/pictures/{id}/original", tag = "pictures", params(("id" = u64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/*"), Refused))]
pub(super) async fn original(State(app): State<Arc<App>>, Name(id): Name<u64>) -> Result<Response, Problem> {
    let shared = Arc::clone(&app);
    let (file, name, length, format) = app
        .reads
        .pass(move || {
            let (mut file, name) = open(shared.album()?, id)?;
            let mut head = Vec::new();
            file.by_ref().take(512).read_to_end(&mut head).map_err(Problem::internal)?;
            file.rewind().map_err(Problem::internal)?;
            // By its contents now, whatever it was when it was indexed.
            let format = Format::of(&head).ok_or_else(gone)?;
            let length = file.metadata().map_err(Problem::internal)?.len();
            Ok((file, name, length, format))
        })
        .await?;
    let way = if format == Format::Tiff { "attachment" } else { "inline" };
    let quoted: String = name.bytes().map(percent).collect();
    let body = Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 << 10));
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("{way}; filename*=UTF-8''{quoted}")),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((headers, body).into_response())
}

/// Opens a file that holds a picture, and says what it is called.
pub(super) fn open(album: &Album, id: u64) -> Result<(std::fs::File, String), Problem> {
    album.collection.picture(id)?;
    // Of several copies the first that is still there.
    for held in album.collection.files(id)? {
        if let Ok(file) = album.originals.file(&held.path) {
            let name = held.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((file, name));
        }
    }
    Err(gone())
}

fn gone() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "file_gone",
        "the file of this picture is gone or was changed; indexing will notice",
    )
}

/// The bytes of a JPEG file that stays as it is.
pub(super) fn as_jpeg(jpeg: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, FOREVER)], jpeg).into_response()
}

/// A byte as RFC 8187 wants it in a header.
fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}
