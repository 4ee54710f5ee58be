//! Items as requests and answers name them: by numbers, or by names in an index whose items have names; with what is known of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use linjin::index::{Filter, Notes};
use linjin_columns::{BesideError, Columns, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::vectors::Vectors;

/// An item: its number, or its name in an index whose items have names.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(untagged, expecting = "an id is a whole number from 0, or a name")]
pub(super) enum Item {
    Number(u64),
    Name(String),
}

/// Some of the items: these, or those of which a condition on their columns is true.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a filter is a list of ids, or a condition such as \"price < 10\"")]
pub(super) enum Chosen {
    Items(Vec<Item>),
    Condition(String),
}

impl Chosen {
    pub(super) fn filter(&self, vectors: &Vectors) -> Result<Arc<Filter>, Problem> {
        match self {
            Self::Items(items) => Ok(Arc::new(Filter::Ids(numbers(vectors, items)?))),
            Self::Condition(text) => Ok(vectors.beside.filter(&vectors.index, text)?),
        }
    }
}

/// The numbers of items that are in the index if they have names.
pub(super) fn numbers(vectors: &Vectors, items: &[Item]) -> Result<Vec<u64>, Problem> {
    match given(items)? {
        Given::Names(names) => Ok(vectors.beside.ids_of(&vectors.index, &names)?),
        Given::Numbers(numbers) if numbers.is_empty() => Ok(numbers),
        Given::Numbers(numbers) => unnamed(vectors).map(|()| numbers),
    }
}

/// Refuses numbers where items have names.
pub(super) fn unnamed(vectors: &Vectors) -> Result<(), Problem> {
    match vectors.beside.has_names(&vectors.index.notes())? {
        true => Err(BesideError::numbers_for_names().into()),
        false => Ok(()),
    }
}

/// The number of the item that a path names.
pub(super) fn number(vectors: &Vectors, word: String) -> Result<u64, Problem> {
    if vectors.beside.has_names(&vectors.index.notes())? {
        let [number] = vectors.beside.ids_of(&vectors.index, &[word])?[..] else {
            return Err(Problem::internal("one name has one number"));
        };
        return Ok(number);
    }
    word.parse().map_err(|error| Problem::bad(format!("the id {word:?}: {error}")))
}

/// Items of one kind.
pub(super) enum Given {
    Numbers(Vec<u64>),
    Names(Vec<String>),
}

pub(super) fn given(items: &[Item]) -> Result<Given, Problem> {
    let mixed = || Problem::bad("ids are all numbers, or all names");
    match items.first() {
        Some(Item::Name(_)) => {
            let name = |item: &Item| match item {
                Item::Name(name) => Ok(name.clone()),
                Item::Number(_) => Err(mixed()),
            };
            Ok(Given::Names(items.iter().map(name).collect::<Result<_, _>>()?))
        }
        _ => {
            let number = |item: &Item| match item {
                Item::Number(number) => Ok(*number),
                Item::Name(_) => Err(mixed()),
            };
            Ok(Given::Numbers(items.iter().map(number).collect::<Result<_, _>>()?))
        }
    }
}

/// Names and columns at one moment.
pub(super) struct Known(Columns);

impl Known {
    pub(super) fn of(vectors: &Vectors, notes: &Notes) -> Result<Self, Problem> {
        Ok(Self(vectors.beside.of(notes)?))
    }

    pub(super) fn item(&self, id: u64) -> Item {
        self.0.name_of(id).map_or(Item::Number(id), |name| Item::Name(name.to_owned()))
    }

    /// A list of values for each column; nothing where there are no columns.
    pub(super) fn columns(&self, ids: &[u64]) -> Result<Option<BTreeMap<String, Vec<Value>>>, Problem> {
        let schema = self.0.schema();
        if schema.fields().is_empty() {
            return Ok(None);
        }
        let rows = self.0.take(ids).map_err(BesideError::from)?;
        let columns = schema.fields().iter().zip(rows.columns());
        Ok(Some(columns.map(|(field, values)| (field.name().clone(), json::values(values))).collect()))
    }
}
