//! Items as requests and answers name them: by numbers, or by names in an index whose items have names; with what is known of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use linjin::index::{Filter, Notes, Snapshot};
use linjin_columns::{BesideError, Columns, json, type_name};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;
use crate::vectors::Vectors;

/// An item: its number, or its name in an index whose items have names.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Item {
    Number(u64),
    Name(String),
}

/// Items: all by their numbers, or all by their names.
#[derive(Deserialize, Serialize)]
#[serde(untagged, expecting = "ids are whole numbers from 0, or names: all of one kind")]
pub(super) enum Ids {
    Numbers(Vec<u64>),
    Names(Vec<String>),
}

// What the derive writes is `oneOf`, and an empty list is one of either kind.
impl PartialSchema for Ids {
    fn schema() -> RefOr<Schema> {
        let kinds = AnyOfBuilder::new().item(<Vec<u64>>::schema()).item(<Vec<String>>::schema());
        kinds.description(Some("Items: all by their numbers, or all by their names.")).into()
    }
}

impl ToSchema for Ids {}

impl Ids {
    /// Their numbers. Those that have names are in the index.
    pub(super) fn numbers(self, vectors: &Vectors, index: &Snapshot) -> Result<Vec<u64>, Problem> {
        match self {
            Self::Names(names) => Ok(vectors.beside.ids_of(index, &names)?),
            Self::Numbers(numbers) => {
                refuse_numbers(&numbers, vectors, index.notes())?;
                Ok(numbers)
            }
        }
    }
}

/// Refuses numbers where items have names.
pub(super) fn refuse_numbers(numbers: &[u64], vectors: &Vectors, notes: &Notes) -> Result<(), Problem> {
    if !numbers.is_empty() && vectors.beside.has_names(notes)? {
        return Err(BesideError::numbers_for_names().into());
    }
    Ok(())
}

/// Some of the items: these, or those of which a condition on their columns is true.
#[derive(Deserialize, ToSchema)]
#[serde(untagged, expecting = "a filter is a list of ids of one kind, or a condition such as \"price < 10\"")]
pub(super) enum Chosen {
    Items(Ids),
    Condition(String),
}

impl Chosen {
    pub(super) fn filter(self, vectors: &Vectors, index: &Snapshot) -> Result<Arc<Filter>, Problem> {
        match self {
            Self::Items(ids) => Ok(Arc::new(Filter::Ids(ids.numbers(vectors, index)?))),
            Self::Condition(text) => Ok(vectors.beside.filter(index.notes(), &text)?),
        }
    }
}

/// Names and columns at one moment.
pub(super) struct Known(Columns);

impl Known {
    pub(super) fn of(vectors: &Vectors, notes: &Notes) -> Result<Self, Problem> {
        Ok(Self(vectors.beside.of(notes)?))
    }

    /// The number of the item that a path names.
    pub(super) fn number(&self, word: String) -> Result<u64, Problem> {
        if self.0.has_names() {
            return Ok(self.0.id_of(&word).ok_or(BesideError::Unknown { name: word })?);
        }
        word.parse().map_err(|error| Problem::bad(format!("the id {word:?}: {error}")))
    }

    pub(super) fn item(&self, id: u64) -> Item {
        self.0.name_of(id).map_or(Item::Number(id), |name| Item::Name(name.to_owned()))
    }

    /// Whether items have names.
    pub(super) fn has_names(&self) -> bool {
        self.0.has_names()
    }

    /// The columns and their types, in their order.
    pub(super) fn types(&self) -> Vec<(String, String)> {
        let fields = self.0.schema();
        fields.fields().iter().map(|field| (field.name().clone(), type_name(field.data_type()))).collect()
    }

    /// A list of values for each column; nothing where there are no columns.
    pub(super) fn columns(&self, ids: &[u64]) -> Result<Option<BTreeMap<String, Vec<Value>>>, Problem> {
        if self.0.schema().fields().is_empty() {
            return Ok(None);
        }
        Ok(Some(json::lists(&self.0.take(ids).map_err(BesideError::from)?)))
    }
}
