//! The answers, each file with its requests and their JSON.
//!
//! | file | requests |
//! | --- | --- |
//! | `state.rs` | what is served; files that were refused; folders |
//! | `events.rs` | how far indexing is, as it goes |
//! | `browse.rs` | pictures by age; all about one |
//! | `files.rs` | thumbnails, previews, originals |
//! | `upload.rs` | pictures handed in to search with |
//! | `search.rs` | pictures like a sum and difference of pictures and words |
//! | `filter.rs` | which pictures may come |
//! | `duplicates.rs` | copies of one picture |
//! | `facts.rs` | what the index of vectors is made of |
//! | `vectors.rs` | the index of vectors: search, additions, removals |
//! | `items.rs` | its items, by numbers or names, with what is known of them |
//! | `session.rs` | the token, for the page |
//! | `extract.rs` | what requests carry; refused as JSON |

mod browse;
mod duplicates;
mod events;
mod extract;
mod facts;
mod files;
mod filter;
mod items;
mod search;
mod session;
mod state;
mod upload;
mod vectors;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::Told;

/// Bytes of a request that is JSON about pictures.
const JSON: usize = 64 << 10;

/// All requests of the API, with their descriptions.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(session::enter))
        .routes(routes!(search::search))
        .layer(DefaultBodyLimit::max(JSON))
        .routes(routes!(state::state))
        .routes(routes!(state::failures))
        .routes(routes!(state::folders))
        .routes(routes!(events::events))
        .routes(routes!(browse::list))
        .routes(routes!(browse::picture))
        .routes(routes!(files::thumbnail))
        .routes(routes!(files::preview))
        .routes(routes!(files::original))
        .routes(routes!(upload::keep))
        .routes(routes!(upload::preview))
        .routes(routes!(duplicates::duplicates))
        .routes(routes!(facts::info))
        .routes(routes!(vectors::search))
        .routes(routes!(vectors::get))
        .routes(routes!(vectors::add))
        .routes(routes!(vectors::remove))
        .routes(routes!(vectors::save))
}

/// Every request may be refused; what for is in `code`.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code)] // for the description
enum Refused {
    /// The request cannot be answered as it is.
    #[response(status = 400)]
    Bad(Told),
    /// The token is missing.
    #[response(status = 401)]
    Token(Told),
    /// The host or the origin is not one that is answered.
    #[response(status = 403)]
    Forbidden(Told),
    /// What was named is not there.
    #[response(status = 404)]
    Missing(Told),
    /// It does not fit what is there: an id that is in use, a collection that is not indexed yet.
    #[response(status = 409)]
    Conflict(Told),
    /// More bytes or pixels than are taken.
    #[response(status = 413)]
    TooLarge(Told),
    /// The body is of another kind.
    #[response(status = 415)]
    Kind(Told),
    /// The body is of the right kind and cannot be used: JSON of another shape, a damaged picture.
    #[response(status = 422)]
    Unusable(Told),
    /// Too many requests wait.
    #[response(status = 429)]
    Busy(Told),
}
