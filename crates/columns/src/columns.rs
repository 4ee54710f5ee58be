//! The table as callers see it.

use std::sync::Arc;

use arrow_array::{LargeStringArray, RecordBatch};
use arrow_schema::SchemaRef;

use crate::error::{ColumnsError, ExpressionError};
use crate::expression;
use crate::note;
use crate::rows::{Change, Rows};
use crate::table::Table;

/// What is known of items: a row of columns for each id of which something is known, and names of items.
///
/// It never changes and is cheap to clone; what changes it makes another one, that shares with it.
///
/// Columns are bool, integers, floats, text, date32 or timestamps, and any value may be null. A column has the type with which
/// it came first; text of any layout is `LargeUtf8`. Later values of other widths are cast where that loses nothing.
///
/// ```
/// use arrow_array::record_batch;
/// use linjin_columns::Columns;
///
/// let rows = record_batch!(("lang", Utf8, ["zh", "en", "zh"]), ("price", Float32, [9.5, 0.1, 20.0])).unwrap();
/// let (columns, note) = Columns::default().with(&[7, 8, 9], &rows)?;
/// assert_eq!(columns.select(r#"lang == "zh" and price < 10"#).unwrap(), [7]);
/// assert_eq!(columns.select("price * 1.1 - 1 > 5").unwrap(), [7, 9]);
///
/// // Stored, and read again.
/// let columns = Columns::from_notes([note.as_slice()])?;
/// assert_eq!(columns.take(&[9, 1])?.num_rows(), 2);
/// # Ok::<(), linjin_columns::ColumnsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Columns {
    table: Arc<Table>,
}

impl Columns {
    /// The table that notes make, in the order in which they were written.
    ///
    /// Notes may be anything: bytes that are no note are refused, and take no more memory than about their own size. But a
    /// note has no checksum, so that values that were changed in it are not noticed here; whoever stores it adds one.
    ///
    /// # Errors
    ///
    /// [`ColumnsError::Damaged`], or [`ColumnsError::Version`] if a newer linjin wrote one.
    pub fn from_notes<'a>(notes: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ColumnsError> {
        Self::default().followed_by(notes)
    }

    /// This table with the changes of more notes. Costs as much as these.
    ///
    /// # Errors
    ///
    /// As for [`from_notes`](Self::from_notes).
    pub fn followed_by<'a>(&self, notes: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ColumnsError> {
        let mut table = Arc::clone(&self.table);
        for note in notes {
            table = table
                .changed(note::decode(note)?)
                .map_err(|error| match error {
                    // What can be wrong with a caller's rows cannot be in a note that was made of such.
                    ColumnsError::Arrow(_) | ColumnsError::Full { .. } => error,
                    error => ColumnsError::Damaged { what: error.to_string() },
                })?
                .into();
        }
        Ok(Self { table })
    }

    /// Whether a note is of items with names, by its first bytes; `None` where these are too few to tell.
    pub fn has_names_in(beginning: &[u8]) -> Option<bool> {
        note::has_names(beginning)
    }

    /// This table with `rows`, one for each of `ids`, and the note to store.
    ///
    /// What was known of these ids goes, except for their names. Columns that are new are null in the other rows; columns that
    /// `rows` lacks are null in these. All is copied, so that `rows` may be written to afterwards.
    ///
    /// # Errors
    ///
    /// * [`ColumnsError::Length`] or [`ColumnsError::RepeatedId`]: there is not one row for each id.
    /// * [`ColumnsError::RepeatedColumn`], [`ColumnsError::Unnamed`], [`ColumnsError::Reserved`]: names of columns.
    /// * [`ColumnsError::Unsupported`], [`ColumnsError::Untyped`]: types that are not stored.
    /// * [`ColumnsError::Type`], [`ColumnsError::Lossy`]: the column is known with another type.
    ///
    /// # Cost
    ///
    /// Over many changes, that of copying the rows as often as the logarithm of the table's size.
    pub fn with(&self, ids: &[u64], rows: &RecordBatch) -> Result<(Self, Vec<u8>), ColumnsError> {
        let mut rows = Rows::given(ids, rows, &self.table.schema)?;
        rows.names = self.table.names_of(&rows.ids)?;
        self.noted(Change::Put(rows))
    }

    /// This table with names of items and the note to store; [`with`](Self::with) `rows`, or with what is known of the ids
    /// left as it is.
    ///
    /// A name is any text. It belongs to one id, and an id has one name: the old one is free then, also for another item of
    /// the same change.
    ///
    /// # Errors
    ///
    /// As for [`with`](Self::with); [`ColumnsError::RepeatedName`] or [`ColumnsError::Taken`] if two items would have one name.
    ///
    /// ```
    /// use linjin_columns::Columns;
    ///
    /// let (columns, _) = Columns::default().with_names(&[1, 2], &["cat", "dog"], None)?;
    /// assert_eq!((columns.id_of("dog"), columns.name_of(1)), (Some(2), Some("cat")));
    /// let taken = columns.with_names(&[3], &["cat"], None).unwrap_err();
    /// assert!(taken.to_string().starts_with(r#"the name "cat" is that of id 1"#));
    /// # Ok::<(), linjin_columns::ColumnsError>(())
    /// ```
    pub fn with_names(
        &self,
        ids: &[u64],
        names: &[&str],
        rows: Option<&RecordBatch>,
    ) -> Result<(Self, Vec<u8>), ColumnsError> {
        if names.len() != ids.len() {
            return Err(ColumnsError::Length { what: "names", found: names.len(), ids: ids.len() });
        }
        let known = &self.table.schema;
        let mut ordered = match rows {
            Some(rows) => Rows::given(ids, rows, known)?,
            None => Rows::given(ids, &self.table.take(ids)?, known)?.without_empty_columns(),
        };
        let mut order: Vec<(u64, &str)> = ids.iter().copied().zip(names.iter().copied()).collect();
        order.sort_by_key(|&(id, _)| id);
        ordered.names = (!ids.is_empty())
            .then(|| LargeStringArray::from_iter_values(order.into_iter().map(|(_, name)| name)));
        self.noted(Change::Put(ordered))
    }

    /// This table without these ids, of which nothing is known any more, and the note to store. Their names are free again.
    /// Ids of which nothing was known do no harm.
    ///
    /// # Errors
    ///
    /// [`ColumnsError::Arrow`], if what is left cannot be put together.
    pub fn without(&self, ids: &[u64]) -> Result<(Self, Vec<u8>), ColumnsError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        self.noted(Change::Forget(ids))
    }

    /// The table of the ids for which `alive` is true, and one note that says all of it, in place of all notes up to here.
    ///
    /// # Errors
    ///
    /// [`ColumnsError::Arrow`], if the rows cannot be put together.
    pub fn compacted(&self, alive: impl Fn(u64) -> bool) -> Result<(Self, Vec<u8>), ColumnsError> {
        Self::default().noted(Change::Put(self.table.all(alive)?))
    }

    /// The columns in the order in which they came, all nullable.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.table.schema)
    }

    /// Whether nothing is known of any id.
    pub fn is_empty(&self) -> bool {
        self.table.chunks.is_empty()
    }

    /// How many ids have a row.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// How many rows there are in all notes that led here, with those that were superseded or forgotten since and those that
    /// say so. Where they are many more than [`rows`](Self::rows), [`compacted`](Self::compacted) pays.
    pub fn stored_rows(&self) -> usize {
        self.table.written
    }

    /// Chunks that the rows lie in: about the logarithm of their number. What a search costs beyond its rows goes with them.
    pub fn chunks(&self) -> usize {
        self.table.chunks.len()
    }

    /// Bytes in memory. Tables that came of one another share most of theirs.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// A row for each id, in their order; nulls where nothing is known. Ids may be there more than once.
    ///
    /// # Errors
    ///
    /// [`ColumnsError::Arrow`], if there are more values than an array can hold.
    pub fn take(&self, ids: &[u64]) -> Result<RecordBatch, ColumnsError> {
        self.table.take(ids)
    }

    /// The ids, ascending, of the rows for which an expression is true.
    ///
    /// An expression is a condition of SQL: columns and values compared with `=` or `==`, `!=` or `<>`, `<`, `<=`, `>`, `>=`,
    /// `IN (...)`, `BETWEEN ... AND ...`, `LIKE` and `ILIKE` (`%` any text, `_` any letter), `IS NULL`, `IS TRUE`, and bool
    /// columns, put together with `AND`, `OR`, `NOT` and parentheses. Keywords are of any case, names of columns are as they
    /// are written. Text is in single quotes; in double quotes too where no column has that name. Names that are no plain
    /// words are in double quotes or backticks.
    ///
    /// * A comparison with a null is neither true nor false, and neither is its `NOT`.
    /// * Numbers compare by value, whatever their types: an integer column can be compared with 2.5 or 1e30. For a float column
    ///   the value is rounded to its width first, so that a float32 column that was given 0.1 is equal to 0.1. NaN is equal to
    ///   nothing, itself included. An integer column compared with a float column is taken for float64.
    /// * `+`, `-`, `*`, `/`, `%` and signs compute with numbers. Whole numbers stay whole and exact, up to 38 digits; `/` always gives
    ///   floats, and `%` has the sign of its left side. Floats are as wide as the wider of two columns, a written number takes
    ///   the width of the column beside it, and a float column with an integer column gives float64. There is no value where
    ///   zero divides, where there are more digits or where a side has none: it compares as a null. Floats beyond all others
    ///   are infinite. Zero that is written as a divisor is an error.
    /// * Dates and timestamps compare with text such as `'2026-01-31'` and `'2026-01-31T12:30:00+02:00'`; without an offset
    ///   it is UTC, whatever the zone of the column.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] says what cannot be read, is no column or cannot be compared.
    ///
    /// # Cost
    ///
    /// A pass over all rows for each comparison.
    pub fn select(&self, expression: &str) -> Result<Vec<u64>, ExpressionError> {
        expression::select(&self.table, expression)
    }

    /// The id of the item with this name.
    pub fn id_of(&self, name: &str) -> Option<u64> {
        self.table.id_of(name)
    }

    /// The name of the item with this id.
    pub fn name_of(&self, id: u64) -> Option<&str> {
        self.table.name_of(id)
    }

    /// Whether any item has a name.
    pub fn has_names(&self) -> bool {
        self.table.named() > 0
    }

    /// The table after a change, and its note.
    fn noted(&self, change: Change) -> Result<(Self, Vec<u8>), ColumnsError> {
        let note = note::encode(&change)?;
        Ok((Self { table: Arc::new(self.table.changed(change)?) }, note))
    }
}
