//! The token, for the page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Refused;
use super::extract::Body;
use crate::app::App;
use crate::guard::COOKIE;
use crate::problem::Problem;

/// Whoever guesses waits so long after each guess.
const PAUSE: Duration = Duration::from_millis(500);

/// The token of the server.
#[derive(Deserialize, ToSchema)]
pub(super) struct Entry {
    token: String,
}

/// Hand in the token once; a cookie that scripts cannot read brings it from then on
#[utoipa::path(post, path = "/api/session", tag = "server", request_body = Entry,
    responses((status = 204), Refused))]
pub(super) async fn enter(
    State(app): State<Arc<App>>,
    Body(entry): Body<Entry>,
) -> Result<Response, Problem> {
    if !app.guard.is_token(&entry.token) {
        tokio::time::sleep(PAUSE).await;
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "token", "this is not the token of this server"));
    }
    if !app.guard.wants_token() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    // What a cookie cannot hold cannot come back in one.
    if !entry.token.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)) {
        return Err(Problem::bad("this token cannot be kept in a cookie; use letters and digits"));
    }
    let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/api; Max-Age=31536000", entry.token);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
