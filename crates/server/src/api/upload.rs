//! Pictures handed in to search with.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use linjin_images::{Limits, Picture};
use serde::Serialize;
use utoipa::ToSchema;

use super::Refused;
use super::extract::Name;
use super::files::{PREVIEW, as_jpeg};
use crate::app::App;
use crate::problem::Problem;
use crate::router::BODY;

/// A picture that was handed in.
#[derive(Serialize, ToSchema)]
pub(super) struct Kept {
    /// Its name, for searches: the same for the same bytes.
    upload: String,
    width: u32,
    height: u32,
}

/// The bytes of the body.
pub(super) struct Raw(Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|refused: BytesRejection| {
            let what = format!("{}; up to {} MiB are taken", refused.body_text(), BODY >> 20);
            Problem::new(refused.status(), "too_large", what)
        })
    }
}

/// Hand in a picture to search with: the bytes of a file, up to 25 MiB and 100 megapixels. It stays in memory until newer
/// ones need the room
#[utoipa::path(post, path = "/api/uploads", tag = "pictures",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Kept), Refused))]
pub(super) async fn keep(State(app): State<Arc<App>>, Raw(bytes): Raw) -> Result<Json<Kept>, Problem> {
    let shared = Arc::clone(&app);
    let take = move || {
        let album = shared.album()?;
        let bytes = bytes.to_vec();
        let picture = Picture::from_bytes(bytes.clone(), None, &Limits::default())?;
        let upload = album.uploads.keep(bytes);
        Ok(Json(Kept { upload, width: picture.width, height: picture.height }))
    };
    app.work.pass(take).await
}

/// A picture that was handed in, as a JPEG file
#[utoipa::path(get, path = "/api/uploads/{upload}/preview", tag = "pictures", params(("upload" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), Refused))]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Name(upload): Name<String>,
) -> Result<Response, Problem> {
    let shared = Arc::clone(&app);
    let made = move || {
        let bytes = shared.album()?.uploads.get(&upload).ok_or_else(gone)?;
        Ok(Picture::from_bytes(bytes.to_vec(), None, &Limits::default())?.pixels.jpeg(PREVIEW)?)
    };
    Ok(as_jpeg(app.work.pass(made).await?))
}

pub(super) fn gone() -> Problem {
    Problem::missing("upload_gone", "the server no longer has this picture; hand it in again")
}
