//! The index of vectors: search, additions, removals.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linjin::index::{Add, Effort, Filters, Search, Vector, Vectors as Rows};
use linjin_columns::{BesideError, Described, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Refused;
use super::extract::{Body, Name};
use super::facts::IndexFacts;
use super::items::{Chosen, Ids, Item, Known, refuse_numbers};
use crate::app::App;
use crate::problem::Problem;
use crate::vectors::Vectors;

/// Queries of one request, neighbours of a query, and candidates that are kept for one.
const QUERIES: usize = 1000;
const NEIGHBOURS: usize = 10_000;
const CANDIDATES: usize = 100_000;

/// Vectors whose neighbours are looked for, up to 1,000.
#[derive(Deserialize, ToSchema)]
pub(super) struct Queries {
    /// Numbers; for `hamming`, bits: 0 or 1.
    #[schema(max_items = 1000)]
    vectors: Vec<Vec<f32>>,
    /// Neighbours of each, up to 10,000.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 10000)]
    k: usize,
    /// Find this share of the true neighbours; 0.95 when nothing is said.
    recall: Option<f32>,
    /// Keep so many candidates, instead of a recall.
    #[schema(minimum = 1, maximum = 100000)]
    ef: Option<usize>,
    /// Compare every vector.
    #[serde(default)]
    exact: bool,
    /// Find only these ids, or those of which a condition on columns is true: `"price < 10 and lang = 'zh'"`.
    filter: Option<Chosen>,
    /// Do not find these ids, or those of which a condition is true.
    exclude: Option<Chosen>,
}

fn ten() -> usize {
    10
}

/// Neighbours of each query, in the order of the queries.
#[derive(Serialize, ToSchema)]
pub(super) struct Neighbours {
    results: Vec<Near>,
}

/// Neighbours of a query: closest first, equal distances by the smaller id.
#[derive(Serialize, ToSchema)]
struct Near {
    ids: Vec<Item>,
    distances: Vec<f32>,
    /// What is known of them: a list of values for each column, where the index has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<BTreeMap<String, Vec<Value>>>,
}

/// The nearest neighbours of vectors
#[utoipa::path(post, path = "/api/index/search", tag = "vectors", request_body = Queries,
    responses((status = 200, body = Neighbours), Refused))]
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Body(queries): Body<Queries>,
) -> Result<Json<Neighbours>, Problem> {
    let shared = Arc::clone(&app);
    app.reads.pass(move || Ok(Json(neighbours(shared.vectors()?, queries)?))).await
}

fn neighbours(vectors: &Vectors, asked: Queries) -> Result<Neighbours, Problem> {
    let index = vectors.index.snapshot();
    if asked.vectors.len() > QUERIES {
        return Err(Problem::bad(format!("{} queries; up to {QUERIES} are taken", asked.vectors.len())));
    }
    if !(1..=NEIGHBOURS).contains(&asked.k) {
        return Err(Problem::bad(format!("k is {}; from 1 to {NEIGHBOURS} can be asked for", asked.k)));
    }
    let effort = match (asked.recall, asked.ef, asked.exact) {
        (None, None, false) => Search::new(asked.k).effort,
        (Some(recall), None, false) => Effort::Recall(recall),
        (None, Some(ef), false) if (1..=CANDIDATES).contains(&ef) => Effort::Ef(ef),
        (None, Some(ef), false) => {
            return Err(Problem::bad(format!("ef is {ef}; from 1 to {CANDIDATES} candidates can be kept")));
        }
        (None, None, true) => Effort::Exact,
        _ => return Err(Problem::bad("say one of recall, ef and exact")),
    };
    let rows = Numbers::of(vectors, &asked.vectors)?;
    if asked.vectors.is_empty() {
        return Ok(Neighbours { results: Vec::new() });
    }
    let chosen = |chosen: Option<Chosen>| chosen.map(|chosen| chosen.filter(vectors, &index)).transpose();
    let (filter, exclude) = (chosen(asked.filter)?, chosen(asked.exclude)?);
    let search = Search {
        effort,
        filter: filter.as_deref().map(Filters::Same),
        exclude: exclude.as_deref().map(Filters::Same),
        // Others ask too.
        threads: Some(1),
        ..Search::new(asked.k)
    };
    let known = Known::of(vectors, index.notes())?;
    let found = index.search_many(rows.rows(), &search)?;
    let near = |(row, &count): (usize, &usize)| {
        let at = row * found.k..row * found.k + count;
        let ids = &found.ids[at.clone()];
        let distances = found.distances[at].to_vec();
        Ok(Near {
            ids: ids.iter().map(|&id| known.item(id)).collect(),
            distances,
            columns: known.columns(ids)?,
        })
    };
    Ok(Neighbours { results: found.counts.iter().enumerate().map(near).collect::<Result<_, Problem>>()? })
}

/// The vector of an id.
#[derive(Serialize, ToSchema)]
pub(super) struct Stored {
    id: Item,
    /// Numbers; for `hamming`, bits.
    vector: Vec<f32>,
    /// What is known of it: a list of one value for each column, where the index has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<BTreeMap<String, Vec<Value>>>,
}

/// The vector that has an id
#[utoipa::path(get, path = "/api/index/vectors/{id}", tag = "vectors",
    params(("id" = String, Path, description = "A number, or a name in an index whose items have names")),
    responses((status = 200, body = Stored), Refused))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Name(word): Name<String>,
) -> Result<Json<Stored>, Problem> {
    let shared = Arc::clone(&app);
    app.reads.pass(move || Ok(Json(stored(shared.vectors()?, word)?))).await
}

fn stored(vectors: &Vectors, word: String) -> Result<Stored, Problem> {
    let index = vectors.index.snapshot();
    let known = Known::of(vectors, index.notes())?;
    let id = known.number(word)?;
    let vector = match index.get(id)? {
        Some(Vector::Floats(vector)) => vector,
        Some(Vector::Bits(bytes)) => {
            (0..index.dim()).map(|bit| f32::from(bytes[bit / 8] >> (bit % 8) & 1)).collect()
        }
        None => return Err(Problem::missing("unknown_id", format!("the id {id} is not in the index"))),
    };
    Ok(Stored { id: known.item(id), vector, columns: known.columns(&[id])? })
}

/// Vectors to add.
#[derive(Deserialize, ToSchema)]
pub(super) struct New {
    /// Numbers; for `hamming`, bits: 0 or 1.
    vectors: Vec<Vec<f32>>,
    /// One for each: all numbers, or all names. Without them, numbers behind the largest id.
    ids: Option<Ids>,
    /// What is known of them: lists with a value for each. Numbers, text, truth values; dates and times as text.
    columns: Option<BTreeMap<String, Vec<Value>>>,
    /// A vector takes the place of the one that has its id.
    #[serde(default)]
    replace: bool,
}

/// The ids of what was added.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    ids: Ids,
}

/// Add vectors, all or none. They are found at once, and in the file when it is saved
#[utoipa::path(post, path = "/api/index/vectors", tag = "vectors", request_body = New,
    responses((status = 200, body = Added), Refused))]
pub(super) async fn add(State(app): State<Arc<App>>, Body(new): Body<New>) -> Result<Json<Added>, Problem> {
    let shared = Arc::clone(&app);
    app.work.pass(move || Ok(Json(added(shared.vectors()?, new)?))).await
}

fn added(vectors: &Vectors, new: New) -> Result<Added, Problem> {
    let Vectors { index, beside, .. } = vectors;
    let rows = Numbers::of(vectors, &new.vectors)?;
    let columns = match &new.columns {
        Some(lists) => {
            let known = beside.of(&index.notes())?.schema();
            let columns = json::columns(lists, new.vectors.len(), &known);
            Some(columns.map_err(BesideError::from)?)
        }
        None => None,
    };
    let described = columns.as_ref().map_or(Described::Not, Described::Columns);
    let add = Add { replace: new.replace, ..Add::default() };
    let ids = match new.ids {
        None => Ids::Numbers(beside.add(index, rows.rows(), None, described, &add)?),
        Some(Ids::Numbers(ids)) => {
            refuse_numbers(&ids, vectors, &index.notes())?;
            Ids::Numbers(beside.add(index, rows.rows(), Some(&ids), described, &add)?)
        }
        Some(Ids::Names(names)) => {
            beside.add(index, rows.rows(), None, Described::Names(&names, columns.as_ref()), &add)?;
            Ids::Names(names)
        }
    };
    vectors.touch();
    Ok(Added { ids })
}

/// Vectors to remove.
#[derive(Deserialize, ToSchema)]
pub(super) struct Old {
    ids: Ids,
}

/// Remove vectors, all or none. They are gone at once, and from the file when it is saved
#[utoipa::path(post, path = "/api/index/remove", tag = "vectors", request_body = Old,
    responses((status = 200, body = IndexFacts), Refused))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Body(old): Body<Old>,
) -> Result<Json<IndexFacts>, Problem> {
    let shared = Arc::clone(&app);
    let remove = move || {
        let vectors = shared.vectors()?;
        vectors.beside.remove(&vectors.index, &old.ids.numbers(vectors, &vectors.index.snapshot())?)?;
        vectors.touch();
        Ok(Json(IndexFacts::of(vectors)))
    };
    app.work.pass(remove).await
}

/// Write the file anew with all changes: it is the old one or the whole new one. Also done when the server is stopped
#[utoipa::path(post, path = "/api/index/save", tag = "vectors",
    responses((status = 200, body = IndexFacts), Refused))]
pub(super) async fn save(State(app): State<Arc<App>>) -> Result<Json<IndexFacts>, Problem> {
    let shared = Arc::clone(&app);
    let save = move || {
        let vectors = shared.vectors()?;
        vectors.save().map_err(Problem::internal)?;
        Ok(Json(IndexFacts::of(vectors)))
    };
    app.work.pass(save).await
}

/// Vectors as the index takes them.
enum Numbers {
    Floats(Vec<f32>),
    Bits(Vec<u8>),
}

impl Numbers {
    fn of(vectors: &Vectors, rows: &[Vec<f32>]) -> Result<Self, Problem> {
        let (dim, binary) = (vectors.index.dim(), vectors.index.metric().is_binary());
        for (row, numbers) in rows.iter().enumerate() {
            if numbers.len() != dim {
                let got = numbers.len();
                return Err(Problem::bad(format!("row {row} has {got} values, the index takes {dim}")));
            }
            if let Some(value) = numbers.iter().find(|value| binary && ![0.0, 1.0].contains(*value)) {
                return Err(Problem::bad(format!("row {row} holds {value}, the index takes bits: 0 or 1")));
            }
        }
        if !binary {
            return Ok(Self::Floats(rows.concat()));
        }
        let byte = |bits: &[f32]| {
            bits.iter().enumerate().fold(0, |byte, (at, &bit)| byte | u8::from(bit != 0.0) << at)
        };
        Ok(Self::Bits(rows.iter().flat_map(|row| row.chunks(8).map(byte)).collect()))
    }

    fn rows(&self) -> Rows<'_> {
        match self {
            Self::Floats(floats) => Rows::Floats(floats),
            Self::Bits(bits) => Rows::Bits(bits),
        }
    }
}
