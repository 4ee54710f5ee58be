//! Copies of one picture.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linjin_images::{Group, Keep, Likeness, Orientation};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::extract::Query;
use super::filter::Wanted;
use crate::app::{Album, App};
use crate::problem::Problem;

/// What counts as a copy.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only files with the same bytes
    #[serde(default)]
    exact: bool,
    /// Which file of a group to keep
    #[serde(default)]
    #[param(inline)]
    keep: Best,
}

/// Which file of a group to keep.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Best {
    #[default]
    Largest,
    Oldest,
    Newest,
}

/// Files that hold the same picture.
#[derive(Serialize, ToSchema)]
pub(super) struct Alike {
    /// The one to keep first.
    files: Vec<File>,
}

#[derive(Serialize, ToSchema)]
struct File {
    /// The number of its picture.
    id: u64,
    path: String,
    bytes: u64,
    width: u32,
    height: u32,
    /// How it is like the one to keep: `kept` (it is that one), `same` bytes, `resized`, `turned`, `mirrored`.
    likeness: &'static str,
    /// Correlation with the one to keep, at most 1.
    similarity: f32,
}

/// Groups of files that hold the same picture. Nothing is ever changed or deleted
#[utoipa::path(get, path = "/api/duplicates", tag = "pictures", params(Asked, Wanted),
    responses((status = 200, body = Vec<Alike>), Refused))]
pub(super) async fn duplicates(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Alike>>, Problem> {
    let shared = Arc::clone(&app);
    let look = move || {
        let groups = groups(shared.album()?, &asked, wanted)?;
        Ok(Json(
            groups.iter().map(|group| Alike { files: group.copies.iter().map(told).collect() }).collect(),
        ))
    };
    app.work.pass(look).await
}

/// Looks for them, or takes what was found the last time.
fn groups(album: &Album, asked: &Asked, wanted: Wanted) -> Result<Arc<Vec<Group>>, Problem> {
    let generation = album.collection.generation()?;
    let same = format!("{generation} {asked:?} {wanted:?}");
    if let Some(groups) = album.remembered(&same) {
        return Ok(groups);
    }
    let keep = match asked.keep {
        Best::Largest => Keep::Largest,
        Best::Oldest => Keep::Oldest,
        Best::Newest => Keep::Newest,
    };
    let groups = Arc::new(album.collection.duplicates(!asked.exact, keep, &wanted.filter()?)?);
    album.remember(same, &groups);
    Ok(groups)
}

fn told(copy: &linjin_images::Copy) -> File {
    File {
        id: copy.picture,
        path: copy.file.path.to_string_lossy().into_owned(),
        bytes: copy.file.bytes,
        width: copy.width,
        height: copy.height,
        likeness: match copy.likeness {
            Likeness::Kept => "kept",
            Likeness::Same => "same",
            Likeness::Resized => "resized",
            Likeness::Turned(Orientation::Mirrored | Orientation::Flipped) => "mirrored",
            Likeness::Turned(_) => "turned",
        },
        similarity: copy.similarity,
    }
}
