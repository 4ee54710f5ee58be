//! What the index of vectors is made of.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Refused;
use super::items::Known;
use crate::app::App;
use crate::problem::Problem;
use crate::vectors::Vectors;

/// How much there is of the index.
#[derive(Serialize, ToSchema)]
pub(super) struct IndexFacts {
    vectors: usize,
    dim: usize,
    metric: &'static str,
    bytes: u64,
    /// Whether there are changes that the file lacks.
    unsaved: bool,
}

impl IndexFacts {
    pub(super) fn of(vectors: &Vectors) -> Self {
        let info = vectors.index.info();
        Self {
            vectors: info.len,
            dim: info.dim,
            metric: info.metric.name(),
            bytes: info.bytes,
            unsaved: vectors.is_changed(),
        }
    }
}

/// What the index is made of.
#[derive(Serialize, ToSchema)]
pub(super) struct IndexParts {
    #[serde(flatten)]
    facts: IndexFacts,
    ids: IdKind,
    /// What is known of the items, in the order in which it came; empty where nothing is.
    columns: Vec<Column>,
}

/// What the ids are: `uint64`, numbers, or `text`, names.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum IdKind {
    Uint64,
    Text,
}

/// A column.
#[derive(Serialize, ToSchema)]
struct Column {
    /// What it is called, here and in conditions.
    #[schema(example = "price")]
    name: String,
    /// Its type: `bool`, `int8` to `int64`, `uint8` to `uint64`, `float16` to `float64`, `text`, `date32`, or `timestamp[ms]`
    /// and the like, with the zone where it has one: `timestamp[ms, UTC]`.
    #[schema(example = "float64")]
    r#type: String,
}

/// What the index is made of, with the names and types of its columns
#[utoipa::path(get, path = "/api/index", tag = "vectors", responses((status = 200, body = IndexParts), Refused))]
pub(super) async fn info(State(app): State<Arc<App>>) -> Result<Json<IndexParts>, Problem> {
    let shared = Arc::clone(&app);
    app.reads.pass(move || Ok(Json(parts(shared.vectors()?)?))).await
}

fn parts(vectors: &Vectors) -> Result<IndexParts, Problem> {
    let known = Known::of(vectors, &vectors.index.notes())?;
    let column = |(name, r#type)| Column { name, r#type };
    Ok(IndexParts {
        facts: IndexFacts::of(vectors),
        ids: if known.has_names() { IdKind::Text } else { IdKind::Uint64 },
        columns: known.types().into_iter().map(column).collect(),
    })
}
