//! Ids and columns that come with the vectors of a file.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;

use super::arrow::Table;
use super::{Fault, ids};
use crate::failure::Failure;

/// What items are called.
#[derive(Debug)]
pub(crate) enum Ids {
    Numbers(Vec<u64>),
    Names(Vec<String>),
}

/// What comes with vectors.
#[derive(Debug, Default)]
pub(crate) struct Besides {
    pub(crate) ids: Option<Ids>,
    pub(crate) columns: Option<RecordBatch>,
}

/// What comes with the `n` vectors of a file: ids from a file or a column of the table, and the columns that are to be kept, or
/// all of them.
pub(crate) fn besides(
    vectors: &Path,
    dataset: &str,
    (ids_in, keep): (Option<&Path>, Option<&[String]>),
    n: usize,
) -> Result<Besides, Failure> {
    let mut besides = Besides::default();
    let mut table = table(vectors, dataset)?;
    if let Some(ids_in) = ids_in {
        let column = table.as_ref().and_then(|table| table.schema().index_of(ids_in.to_str()?).ok());
        besides.ids = Some(match (&mut table, column) {
            (Some(table), Some(column)) => of_column(&table.remove_column(column))
                .map_err(|what| Failure::file(vectors, format_args!("{}: {what}", ids_in.display())))?,
            _ => Ids::Numbers(ids(ids_in)?),
        });
        let len = match &besides.ids {
            Some(Ids::Names(names)) => names.len(),
            Some(Ids::Numbers(ids)) => ids.len(),
            None => n,
        };
        if len != n {
            let (file, vectors) = (ids_in.display(), vectors.display());
            return Err(Failure::Run(format!("{file}: {len} ids for the {n} vectors of {vectors}")));
        }
    }
    besides.columns = match (table, keep) {
        (Some(table), Some(keep)) => Some(kept(&table, keep).map_err(|what| Failure::file(vectors, what))?),
        (None, Some(_)) => {
            return Err(Failure::Usage(format!(
                "--columns is for tables, .arrow and .parquet; {} has vectors alone",
                vectors.display()
            )));
        }
        (table, None) => table,
    };
    besides.columns = besides.columns.filter(|columns| columns.num_columns() > 0);
    Ok(besides)
}

/// The columns beside the vectors, of a file that is a table.
fn table(path: &Path, dataset: &str) -> Result<Option<RecordBatch>, Failure> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if !matches!(extension.as_deref(), Some("arrow" | "parquet")) {
        return Ok(None);
    }
    Table::open(path, dataset).map(|table| Some(table.besides())).map_err(|fault| match fault {
        Fault::Io(error) => Failure::io(path, &error),
        Fault::Bad(what) => Failure::file(path, what),
    })
}

/// Ids: whole numbers, or text.
fn of_column(column: &ArrayRef) -> Result<Ids, String> {
    if let Some(row) = (0..column.len()).find(|&row| column.is_null(row)) {
        return Err(format!("row {row} has no id"));
    }
    let cast = |to| {
        cast_with_options(column, &to, &CastOptions { safe: false, ..CastOptions::default() })
            .map_err(|error| error.to_string())
    };
    let kind = match column.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    if matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        let names = cast(DataType::LargeUtf8)?;
        return Ok(Ids::Names(names.as_string::<i64>().iter().flatten().map(str::to_owned).collect()));
    }
    if !kind.is_integer() {
        return Err(format!("ids are whole numbers or text, not {kind}"));
    }
    Ok(Ids::Numbers(cast(DataType::UInt64)?.as_primitive::<UInt64Type>().values().to_vec()))
}

/// The columns with these names.
fn kept(table: &RecordBatch, names: &[String]) -> Result<RecordBatch, String> {
    let schema = table.schema();
    let there = || schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
    let place = |name: &String| {
        schema
            .index_of(name)
            .map_err(|_| format!("there is no column {name:?} beside the vectors, only {}", there()))
    };
    let places = names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    table.project(&places).map_err(|error| error.to_string())
}
