//! Pictures like a sum and difference of pictures and words.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linjin_images::{Limits, Picture, Pixels, Query, Region, Term};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::extract::Body;
use super::filter::Wanted;
use super::{files, upload};
use crate::app::{Album, App};
use crate::problem::Problem;

/// Pictures of one answer.
const MOST: usize = 10_000;
/// Parts of one query.
const TERMS: usize = 32;

/// What is looked for.
#[derive(Deserialize, ToSchema)]
pub(super) struct Asked {
    /// Parts of the query; their sum is looked for.
    #[schema(min_items = 1, max_items = 32)]
    terms: Vec<Part>,
    /// How many pictures are wanted, up to 10,000.
    #[serde(default = "hundred")]
    #[schema(minimum = 1, maximum = 10000)]
    k: usize,
    /// Pictures less similar than this do not come.
    min_score: Option<f32>,
    #[serde(default)]
    filter: Wanted,
}

fn hundred() -> usize {
    100
}

/// A part of a query: one of `picture`, `upload` and `words`.
#[derive(Deserialize, ToSchema)]
struct Part {
    /// Below 0 for what the results are to be unlike; only proportions count.
    #[serde(default = "one")]
    weight: f32,
    /// A picture of the collection, by its number. It is not among the results.
    picture: Option<u64>,
    /// A picture that was handed in.
    upload: Option<String>,
    /// Words, where the model knows words.
    words: Option<String>,
    /// Only this part of the picture.
    crop: Option<Crop>,
}

fn one() -> f32 {
    1.0
}

/// A part of a picture, in shares of its width and height from the top left corner.
#[derive(Clone, Copy, Deserialize, ToSchema)]
struct Crop {
    #[schema(minimum = 0, maximum = 1)]
    left: f32,
    #[schema(minimum = 0, maximum = 1)]
    top: f32,
    #[schema(minimum = 0, maximum = 1)]
    right: f32,
    #[schema(minimum = 0, maximum = 1)]
    bottom: f32,
}

/// What was found, most similar first.
#[derive(Serialize, ToSchema)]
pub(super) struct Found {
    hits: Vec<Hit>,
}

/// A picture that was found.
#[derive(Serialize, ToSchema)]
struct Hit {
    id: u64,
    /// The cosine of its vector and the query's: 1 for the same picture, about 0 for unrelated ones.
    score: f32,
    width: u32,
    height: u32,
    /// Its first file, from the folder of the collection.
    path: String,
    /// Other files with the same bytes.
    copies: usize,
}

/// Pictures like a sum and difference of pictures and words
#[utoipa::path(post, path = "/api/search", tag = "pictures", request_body = Asked,
    responses((status = 200, body = Found), Refused))]
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Body(asked): Body<Asked>,
) -> Result<Json<Found>, Problem> {
    let shared = Arc::clone(&app);
    app.work.pass(move || Ok(Json(found(shared.album()?, asked)?))).await
}

fn found(album: &Album, asked: Asked) -> Result<Found, Problem> {
    if asked.terms.len() > TERMS {
        return Err(Problem::bad(format!("{} terms; up to {TERMS} are taken", asked.terms.len())));
    }
    if !(1..=MOST).contains(&asked.k) {
        return Err(Problem::bad(format!("k is {}; from 1 to {MOST} pictures can be asked for", asked.k)));
    }
    let opened = asked.terms.iter().map(|part| Opened::of(album, part)).collect::<Result<Vec<_>, _>>()?;
    let terms = opened.iter().zip(&asked.terms).map(|(opened, part)| (part.weight, opened.term())).collect();
    // Pictures of which a part is looked for are found by it, and are not wanted.
    let parted: Vec<u64> =
        asked.terms.iter().filter(|part| part.crop.is_some()).filter_map(|part| part.picture).collect();
    let query = Query {
        filter: asked.filter.filter()?,
        min_score: asked.min_score,
        ..Query::new(terms, asked.k + parted.len())
    };
    let mut hits = album.collection.search(&query, Some(&*album.embedder))?;
    hits.retain(|hit| !parted.contains(&hit.picture.id));
    hits.truncate(asked.k);
    let told = |hit: linjin_images::Hit| Hit {
        id: hit.picture.id,
        score: hit.score,
        width: hit.picture.width,
        height: hit.picture.height,
        path: hit.files[0].path.to_string_lossy().into_owned(),
        copies: hit.files.len() - 1,
    };
    Ok(Found { hits: hits.into_iter().map(told).collect() })
}

/// A part of a query with its pixels.
enum Opened<'a> {
    Known(u64),
    Pixels(Pixels),
    Words(&'a str),
}

impl<'a> Opened<'a> {
    fn of(album: &Album, part: &'a Part) -> Result<Self, Problem> {
        let crop = part.crop.map(region).transpose()?;
        match (part.picture, &part.upload, &part.words) {
            (Some(id), None, None) => match crop {
                None => Ok(Self::Known(id)),
                Some(_) => {
                    let (file, _) = files::open(album, id)?;
                    Ok(Self::Pixels(Picture::from_file(file, crop, &Limits::default())?.pixels))
                }
            },
            (None, Some(name), None) => {
                let bytes = album.uploads.get(name).ok_or_else(upload::gone)?;
                Ok(Self::Pixels(Picture::from_bytes(bytes.to_vec(), crop, &Limits::default())?.pixels))
            }
            (None, None, Some(words)) if crop.is_none() && !words.trim().is_empty() => {
                Ok(Self::Words(words.trim()))
            }
            (None, None, Some(_)) => Err(Problem::bad("words need letters, and have no crop")),
            _ => Err(Problem::bad("a term is one of picture, upload and words")),
        }
    }

    fn term(&self) -> Term<'_> {
        match self {
            Self::Known(id) => Term::Picture(*id),
            Self::Pixels(pixels) => Term::Pixels(pixels),
            Self::Words(words) => Term::Words(words),
        }
    }
}

fn region(crop: Crop) -> Result<Region, Problem> {
    let Crop { left, top, right, bottom } = crop;
    let inside = [left, top, right, bottom].iter().all(|side| (0.0..=1.0).contains(side));
    if inside && left < right && top < bottom {
        return Ok(Region { left, top, right, bottom });
    }
    Err(Problem::bad("a crop has left < right and top < bottom, all from 0 to 1"))
}
