//! The items of an index as they are typed and shown: by their numbers or names, with what is known of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use linjin::index::{Filter, Index, Notes};
use linjin_columns::{Beside, BesideError, Columns, json, type_name};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::values;

/// The items of one index.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    path: &'a Path,
    notes: Notes,
    pub(crate) beside: Beside,
    columns: Columns,
    /// Whether they have names instead of numbers.
    named: bool,
}

impl<'a> Items<'a> {
    /// Those of the index that lies in `path`.
    pub(crate) fn of(index: &Index, path: &'a Path) -> Result<Self, Failure> {
        let (beside, notes) = (Beside::default(), index.notes());
        let known = beside.of(&notes).and_then(|columns| Ok((columns, beside.has_names(&notes)?)));
        let (columns, named) = known.map_err(|error| Failure::columns(path, &error))?;
        Ok(Self { path, notes, beside, columns, named })
    }

    /// The numbers of items that were typed behind `flag`. Where they have names these are in the index.
    pub(crate) fn numbers(&self, flag: &str, typed: &[String]) -> Result<Vec<u64>, Failure> {
        typed.iter().map(|item| self.number(flag, item)).collect()
    }

    fn number(&self, flag: &str, item: &str) -> Result<u64, Failure> {
        if !self.named {
            return item.trim().parse().map_err(|error| Failure::Usage(format!("{flag}: {item:?}: {error}")));
        }
        let missing = || Failure::Run(format!("{flag}: the id {item} is not in {}", self.path.display()));
        self.columns.id_of(item).ok_or_else(missing)
    }

    /// An item, in words.
    pub(crate) fn word(&self, id: u64) -> String {
        self.columns.name_of(id).map_or_else(|| id.to_string(), str::to_owned)
    }

    /// An item, in JSON.
    pub(crate) fn json(&self, id: u64) -> Value {
        self.columns.name_of(id).map_or_else(|| id.into(), Into::into)
    }

    /// The names of the columns, and a row of words for each item.
    pub(crate) fn table(&self, ids: &[u64]) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
        let batch = self.take(ids)?;
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let columns = batch.columns().iter().map(values::words).collect::<Vec<_>>();
        let row = |row: usize| columns.iter().map(|column| column[row].clone()).collect();
        Ok((names, (0..ids.len()).map(row).collect()))
    }

    /// What is known of items, in JSON: a list for each column. Nothing where the index has no columns.
    pub(crate) fn known(&self, ids: &[u64]) -> Result<Option<BTreeMap<String, Vec<Value>>>, Failure> {
        if self.columns.schema().fields().is_empty() {
            return Ok(None);
        }
        Ok(Some(json::lists(&self.take(ids)?)))
    }

    /// The columns and their types, in words; nothing where there are none.
    pub(crate) fn kinds(&self) -> Vec<(String, String)> {
        let fields = self.columns.schema();
        fields.fields().iter().map(|field| (field.name().clone(), type_name(field.data_type()))).collect()
    }

    /// Whether the items have names instead of numbers.
    pub(crate) fn are_named(&self) -> bool {
        self.named
    }

    /// The items of which an expression is true.
    pub(crate) fn filter(&self, expression: &str) -> Result<Arc<Filter>, Failure> {
        self.beside.filter(&self.notes, expression).map_err(|error| match error {
            BesideError::Expression(error) => Failure::Usage(format!("--filter: {error}")),
            error => Failure::columns(self.path, &error),
        })
    }

    /// What is known of items, a row for each.
    pub(crate) fn take(&self, ids: &[u64]) -> Result<arrow_array::RecordBatch, Failure> {
        self.columns.take(ids).map_err(|error| Failure::columns(self.path, &error.into()))
    }
}
