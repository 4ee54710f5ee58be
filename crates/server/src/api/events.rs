//! How far indexing is, as it goes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::WatchStream;
use utoipa::ToSchema;

use super::Refused;
use crate::app::App;
use crate::problem::Problem;

/// An event of the stream.
#[derive(ToSchema)]
#[allow(dead_code)] // for the description
struct News {
    /// `indexing`.
    event: String,
    /// How far indexing is: an `Indexing` as JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// How far indexing is, again whenever that changes, as server-sent events named `indexing`
#[utoipa::path(get, path = "/api/events", tag = "pictures",
    responses((status = 200, body = News, content_type = "text/event-stream"), Refused))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut stopping = app.stopping.subscribe();
    let news = WatchStream::new(app.album()?.indexing.subscribe());
    let news = news.map(|now| Ok(Event::default().event("indexing").json_data(now).unwrap_or_default()));
    // Whoever can no longer be told of anything has the server gone.
    let until = async move { _ = stopping.wait_for(|stopping| *stopping).await };
    let keep = KeepAlive::new().interval(Duration::from_secs(10));
    Ok(Sse::new(news.take_until(Box::pin(until))).keep_alive(keep))
}
