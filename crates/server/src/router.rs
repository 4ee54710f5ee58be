//! Which request goes where, and the headers of every answer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use tower_http::compression::CompressionLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api;
use crate::app::App;
use crate::guard::guard;
use crate::indexing::Indexing;
use crate::page;
use crate::problem::{Problem, Told};

/// Bytes of a request: a picture, or vectors to add.
pub(crate) const BODY: usize = 25 << 20;
/// A body that says nothing for so long is given up.
const BODY_PAUSE: Duration = Duration::from_secs(10);
/// An answer is given up after so long.
const ANSWER: Duration = Duration::from_secs(120);

/// Nothing but the server's own files is ever loaded into the page, and nobody else's page may show it.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "linjin",
        description = "Nearest neighbours of vectors, and pictures like others. Scores are cosines: 1 for the same picture, \
                   about 0 for unrelated ones. Distances are smaller for what is closer. Errors are JSON with a `code` \
                   and an `error` that says what to do."
    ),
    components(schemas(Indexing, Told))
)]
struct Description;

/// All routes.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let (routes, description) =
        OpenApiRouter::with_openapi(Description::openapi()).merge(api::routes()).split_for_parts();
    let description = Arc::new(description);
    let routes = routes
        .route("/openapi.json", get(async move || Json(Arc::unwrap_or_clone(description))))
        .route("/", get(page::page))
        .route("/web/{*path}", get(page::asset))
        .fallback(async || {
            Problem::missing("unknown_path", "nothing is here; /openapi.json lists what there is")
        })
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path takes other methods")
        })
        .with_state(Arc::clone(app));
    routes
        .layer(CompressionLayer::new())
        .layer(DefaultBodyLimit::max(BODY))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER))
        .layer(from_fn_with_state(Arc::clone(app), guard))
        .layer(from_fn(async |request, next: axum::middleware::Next| headers(next.run(request).await)))
        .layer(TraceLayer::new_for_http())
}

/// What every answer carries, errors too.
fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What was not said to be kept is not kept: answers change with the collection.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
