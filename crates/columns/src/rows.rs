//! What a change says: rows, in ascending order of their ids.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, LargeStringArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take;
use rustc_hash::FxHashSet;

use crate::error::ColumnsError;
use crate::kinds;

/// What names of linjin's own columns begin with.
pub(crate) const RESERVED: &str = "_linjin";

/// A change of a table.
#[derive(Debug)]
pub(crate) enum Change {
    /// These rows are known now, and take the place of what was known of their ids.
    Put(Rows),
    /// Nothing is known of these ids any more; they ascend.
    Forget(Vec<u64>),
}

/// Rows of some ids. Columns that are not there are null in them.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// Ascending, each once.
    pub(crate) ids: Vec<u64>,
    /// The items' names, null where an item has none; `None` if none has.
    pub(crate) names: Option<LargeStringArray>,
    /// The columns' names and stored types.
    pub(crate) schema: SchemaRef,
    /// The columns' values, each as long as there are ids.
    pub(crate) columns: Vec<ArrayRef>,
}

impl Rows {
    /// The rows that a caller gives, in the stored types; `known` are the columns of the table.
    pub(crate) fn given(ids: &[u64], batch: &RecordBatch, known: &Schema) -> Result<Self, ColumnsError> {
        if ids.len() != batch.num_rows() {
            return Err(ColumnsError::Length { what: "rows", found: batch.num_rows(), ids: ids.len() });
        }
        let mut seen = FxHashSet::default();
        let mut fields = Vec::with_capacity(batch.num_columns());
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (position, (field, values)) in batch.schema_ref().fields().iter().zip(batch.columns()).enumerate()
        {
            let column = field.name().as_str();
            if column.is_empty() {
                return Err(ColumnsError::Unnamed { position });
            }
            if column.starts_with(RESERVED) {
                return Err(ColumnsError::Reserved { column: column.to_owned() });
            }
            if !seen.insert(column) {
                return Err(ColumnsError::RepeatedColumn { column: column.to_owned() });
            }
            let known = known.field_with_name(column).ok().map(Field::data_type);
            let values = kinds::fit(column, values, known)?;
            fields.push(Field::new(column, values.data_type().clone(), true));
            columns.push(values);
        }
        Self::sorted(ids, None, Arc::new(Schema::new(fields)), &columns)
    }

    /// The rows in ascending order of their ids.
    ///
    /// Everything is copied, even if it is in order: what is given may be a small part of large buffers, or memory that its
    /// owner goes on writing to.
    pub(crate) fn sorted(
        ids: &[u64],
        names: Option<&LargeStringArray>,
        schema: SchemaRef,
        columns: &[ArrayRef],
    ) -> Result<Self, ColumnsError> {
        let mut order: Vec<u64> = (0..ids.len() as u64).collect();
        order.sort_by_key(|&row| ids[row as usize]);
        let ids: Vec<u64> = order.iter().map(|&row| ids[row as usize]).collect();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ColumnsError::RepeatedId { id: pair[0] });
        }
        let order = UInt64Array::from(order);
        let names = match names {
            Some(names) if names.null_count() < names.len() => Some(text(&*take(names, &order, None)?)),
            _ => None,
        };
        let columns = columns.iter().map(|values| take(values, &order, None)).collect::<Result<_, _>>()?;
        Ok(Self { ids, names, schema, columns })
    }

    /// These rows without the columns that are null in all of them, which say nothing where the columns are known.
    pub(crate) fn without_empty_columns(self) -> Self {
        let says = |values: &ArrayRef| values.null_count() < values.len();
        let (fields, columns): (Vec<_>, Vec<_>) =
            self.schema.fields().iter().cloned().zip(self.columns).filter(|(_, values)| says(values)).unzip();
        Self { schema: Arc::new(Schema::new(fields)), columns, ..self }
    }
}

/// An array of text, of an array that is known to be one.
pub(crate) fn text(array: &dyn Array) -> LargeStringArray {
    debug_assert_eq!(array.data_type(), &DataType::LargeUtf8);
    LargeStringArray::from(array.to_data())
}
