//! What can go wrong: with a change or a note, and with an expression.

use arrow_schema::ArrowError;
use thiserror::Error;

/// Why a table was not made or not read. The table that it was asked of is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ColumnsError {
    /// There is not one row, or name, for each id.
    #[error("there are {found} {what} for {ids} ids: give one for each id")]
    Length {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many ids there are.
        ids: usize,
    },
    /// An id was given twice.
    #[error("id {id} is there twice: give one row for each id")]
    RepeatedId {
        /// The id.
        id: u64,
    },
    /// Two columns have one name.
    #[error("there are two columns `{column}`: rename one of them")]
    RepeatedColumn {
        /// Their name.
        column: String,
    },
    /// A column has no name.
    #[error("column {position} has no name: give it one")]
    Unnamed {
        /// Its position, from 0.
        position: usize,
    },
    /// A column's name is one that linjin keeps for its own columns.
    #[error(
        "the column `{column}` cannot be stored: names that begin with `_linjin` are linjin's own, rename it"
    )]
    Reserved {
        /// The column.
        column: String,
    },
    /// A column has a type that is not stored.
    #[error(
        "the column `{column}` is of type {found}: columns are bool, integers, floats, text, date32 or timestamps; cast \
         it to one of these or leave it out"
    )]
    Unsupported {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A new column has no type, as all of it is null.
    #[error(
        "the column `{column}` is new and all null, so that its type is not known: give it a type or leave it out"
    )]
    Untyped {
        /// The column.
        column: String,
    },
    /// A column is known with another type.
    #[error("the column `{column}` is of type {expected}, and now {found}: cast it to {expected}")]
    Type {
        /// The column.
        column: String,
        /// The type that was given.
        found: String,
        /// The type that it has.
        expected: String,
    },
    /// A column is known with another type, and that cannot hold the values.
    #[error(
        "the column `{column}` is of type {expected}, which cannot hold all values of this {found}: round them and cast \
         to {expected}, or give the column another name"
    )]
    Lossy {
        /// The column.
        column: String,
        /// The type that was given.
        found: String,
        /// The type that it has.
        expected: String,
    },
    /// A list of JSON holds values of several kinds.
    #[error(
        "the column `{column}` has {found} in row {row}, and {expected} before: give it values of one kind"
    )]
    Mixed {
        /// The column.
        column: String,
        /// The row, from 0.
        row: usize,
        /// What is there.
        found: &'static str,
        /// What the first value is.
        expected: &'static str,
    },
    /// A name was given twice.
    #[error("the name {name:?} is there twice: give each item a name of its own")]
    RepeatedName {
        /// The name.
        name: String,
    },
    /// Another item has the name.
    #[error(
        "the name {name:?} is that of id {other}, and cannot be that of id {id} too: remove that item first, or choose another name"
    )]
    Taken {
        /// The name.
        name: String,
        /// The id that was to have it.
        id: u64,
        /// The id that has it.
        other: u64,
    },
    /// There are too many rows.
    #[error("{rows} rows are too many: a table has up to {limit}")]
    Full {
        /// How many there would be.
        rows: usize,
        /// How many there can be.
        limit: usize,
    },
    /// A note was written by a newer linjin.
    #[error("a note of columns has version {found:?}, this linjin reads {supported:?}: upgrade linjin")]
    Version {
        /// The note's version.
        found: String,
        /// The version that is read.
        supported: &'static str,
    },
    /// A note is damaged.
    #[error("a note of columns is damaged: {what}")]
    Damaged {
        /// What was found, and what was expected.
        what: String,
    },
    /// Arrow did not do what was asked of it, as where there is more text than it can address.
    #[error("columns could not be put together: {0}")]
    Arrow(#[from] ArrowError),
}

/// Why an expression selects nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// The text is too long.
    #[error("the expression has {found} bytes; up to {limit} are read")]
    TooLong {
        /// Its bytes.
        found: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// There are too many names and operators.
    #[error(
        "the expression has {found} names and operators; up to {limit} are read: use IN for lists of values"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// There are too many conditions within conditions.
    #[error("the expression is nested more than {limit} deep: write it with fewer parentheses")]
    TooDeep {
        /// The depth that is allowed.
        limit: usize,
    },
    /// It is not an expression.
    #[error(
        "the expression cannot be read: {what}; a column whose name is no plain word goes into double quotes"
    )]
    Syntax {
        /// What was found, where, and what was expected.
        what: String,
    },
    /// There is no such column.
    #[error(
        "there is no column `{column}`{}; {}; text goes into single quotes",
        nearest.as_ref().map_or(String::new(), |name| format!(", did you mean `{name}`?")),
        listed(columns)
    )]
    UnknownColumn {
        /// The name that was found.
        column: String,
        /// The columns that there are.
        columns: Vec<String>,
        /// The one of them that is spelt most alike.
        nearest: Option<String>,
    },
    /// A column was compared with a value of another kind.
    #[error("the column `{column}` is of type {column_type} and cannot be compared with {literal}: {hint}")]
    Mismatch {
        /// The column.
        column: String,
        /// Its type.
        column_type: String,
        /// The value, as it was written.
        literal: String,
        /// What the column is compared with.
        hint: &'static str,
    },
    /// Two columns that cannot be compared.
    #[error(
        "the columns `{left}` ({left_type}) and `{right}` ({right_type}) cannot be compared: their types differ in kind"
    )]
    Incomparable {
        /// The column on the left.
        left: String,
        /// Its type.
        left_type: String,
        /// The column on the right.
        right: String,
        /// Its type.
        right_type: String,
    },
    /// A value or a column stands where there must be a condition.
    #[error("{found} is no condition: compare it with something, as in `price < 10`")]
    NotCondition {
        /// What was found.
        found: String,
    },
    /// Two values were compared.
    #[error("{left} and {right} are both values: one side must be a column; {}", listed(columns))]
    NoColumn {
        /// The value on the left, as it was written.
        left: String,
        /// The value on the right.
        right: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A comparison with null, which is never true.
    #[error("a comparison with NULL is never true: write IS NULL or IS NOT NULL")]
    Null,
    /// The pattern of a LIKE is not one.
    #[error("the pattern {pattern:?} cannot be used: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something that is no number stands beside an operator of numbers.
    #[error("the operator {operator} takes numbers here: {found}{at} is none")]
    NotNumber {
        /// The operator.
        operator: String,
        /// What was found.
        found: String,
        /// Where it begins in the text: the line and the column, in words.
        at: String,
    },
    /// Two numbers, of which an operator makes none in any row.
    #[error(
        "the operator {operator} gives no number with what stands{at}: it is zero, or both sides are infinite"
    )]
    Undefined {
        /// The operator.
        operator: String,
        /// Where its right side begins in the text: the line and the column, in words.
        at: String,
    },
    /// Something of SQL that is not known here.
    #[error(
        "{found} is not supported: expressions are made of columns, values, + - * / %, = != < <= > >=, AND, OR, NOT, IN, \
         BETWEEN, LIKE, ILIKE, IS NULL and IS TRUE"
    )]
    Unsupported {
        /// What was found.
        found: String,
    },
    /// There are no resources left for a thread to read it.
    #[error("the expression could not be read, no thread can be started: {0}")]
    Thread(#[from] std::io::Error),
    /// Arrow did not do what was asked of it.
    #[error("the expression could not be evaluated: {0}")]
    Arrow(#[from] ArrowError),
}

/// The columns that there are, in a sentence. Tables of hundreds are cut short.
fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 40;
    match columns {
        [] => "there are no columns yet".to_owned(),
        _ if columns.len() > SHOWN => {
            format!("the columns are {} and {} more", columns[..SHOWN].join(", "), columns.len() - SHOWN)
        }
        _ => format!("the columns are {}", columns.join(", ")),
    }
}
