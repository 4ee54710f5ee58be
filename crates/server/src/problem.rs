//! What went wrong, as a status and a line of JSON that says what to do.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use linjin::index::error::{SearchError, UpdateError};
use linjin_columns::{BesideError, ColumnsError};
use linjin_images::error::{CollectionError, EmbedError, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Told,
}

/// What is told of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    /// A short name of what went wrong, the same in every version.
    code: &'static str,
    /// What was found, what was expected, what to do.
    error: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self { status, body: Told { code, error: error.into() } }
    }

    /// The request cannot be answered as it is.
    pub(crate) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", error)
    }

    /// What was named is not there.
    pub(crate) fn missing(code: &'static str, error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, error)
    }

    /// It is not the caller's fault.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<CollectionError> for Problem {
    fn from(error: CollectionError) -> Self {
        let text = error.to_string();
        let bad = |code| Self::new(StatusCode::BAD_REQUEST, code, text.clone());
        match error {
            CollectionError::Query(_) => bad("query"),
            CollectionError::NotIndexed => Self::new(StatusCode::CONFLICT, "not_indexed", text),
            CollectionError::Model { .. } => Self::new(StatusCode::CONFLICT, "model", text),
            CollectionError::Unknown { .. } => Self::missing("unknown_picture", text),
            CollectionError::Embed(EmbedError::NoWords { .. }) => bad("no_words"),
            other => Self::internal(other),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        let (status, code) = match refusal {
            Refusal::Foreign { .. } | Refusal::Empty => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_picture"),
            Refusal::FileTooLarge { .. } | Refusal::TooManyPixels { .. } | Refusal::Bomb { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large")
            }
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "damaged_picture"),
        };
        Self::new(status, code, text)
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Damaged { .. } => Self::internal(error),
            other => Self::bad(other.to_string()),
        }
    }
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        let text = error.to_string();
        match error {
            UpdateError::Exists { .. } => Self::new(StatusCode::CONFLICT, "exists", text),
            UpdateError::Unknown { .. } => Self::missing("unknown_id", text),
            UpdateError::Full | UpdateError::Damaged { .. } => Self::internal(text),
            _ => Self::bad(text),
        }
    }
}

impl From<BesideError> for Problem {
    fn from(error: BesideError) -> Self {
        let text = error.to_string();
        match error {
            BesideError::Search(error) => error.into(),
            BesideError::Update(error) => error.into(),
            BesideError::Unknown { .. } => Self::missing("unknown_id", text),
            BesideError::Exists { .. } => Self::new(StatusCode::CONFLICT, "exists", text),
            BesideError::Columns(ColumnsError::Damaged { .. } | ColumnsError::Version { .. }) => {
                Self::internal(text)
            }
            _ => Self::bad(text),
        }
    }
}
