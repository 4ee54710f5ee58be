//! What is asked of a row, and the truth of it.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayAccessor, ArrayRef, BooleanArray, Datum, Float64Array, LargeStringArray, Scalar,
};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_string::like::{ilike, like};
use rustc_hash::FxHashSet;

use super::asked::Asked;
use super::compare::Operator;
use super::truth::Truth;

/// What is asked of a row. Columns are positions in the schema.
#[derive(Debug)]
pub(super) enum Predicate {
    /// The same for each row.
    Constant(bool),
    /// The same for each row where the column is not null.
    Known(usize, bool),
    /// Whether a column is null.
    Null(usize),
    /// The value of a bool column.
    Flag(usize),
    /// A column against a value of its type, floats excepted.
    Against(usize, Operator, Scalar<ArrayRef>),
    /// A column of floats against a value.
    Float(usize, Operator, f64),
    /// A column against another, both cast to a type.
    Pair(usize, Operator, usize, DataType),
    /// Whether a column has one of these values.
    Among(usize, Set),
    /// Whether a column of text is of a form.
    Like(usize, Pattern),
    /// What is asked of numbers that are computed.
    Computed(Asked),
    /// Whether something is known to be true, or known to be false.
    Is(Box<Predicate>, bool),
    Not(Box<Predicate>),
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
}

/// The values of an `IN`, in a type that holds all values of the column.
#[derive(Debug)]
pub(super) enum Set {
    Bool(FxHashSet<bool>),
    Signed(FxHashSet<i64>),
    Unsigned(FxHashSet<u64>),
    /// As [`bits`](Set::bits).
    Float(FxHashSet<u64>),
    Text(FxHashSet<String>),
}

impl Set {
    /// A float as a member of a set: both zeros are one.
    pub(super) fn bits(value: f64) -> u64 {
        (value + 0.0).to_bits()
    }

    fn contains(&self, values: &ArrayRef) -> Result<BooleanArray, ArrowError> {
        Ok(match self {
            Self::Bool(set) => BooleanArray::from_unary(values.as_boolean(), |value| set.contains(&value)),
            Self::Text(set) => {
                BooleanArray::from_unary(values.as_string::<i64>(), |value| set.contains(value))
            }
            Self::Unsigned(set) => {
                BooleanArray::from_unary(values.as_primitive::<UInt64Type>(), |value| set.contains(&value))
            }
            Self::Signed(set) => {
                let values = cast(&ticks(values)?, &DataType::Int64)?;
                BooleanArray::from_unary(values.as_primitive::<Int64Type>(), |value| set.contains(&value))
            }
            Self::Float(set) => {
                let values = cast(values, &DataType::Float64)?;
                let contains = |value| set.contains(&Self::bits(value));
                BooleanArray::from_unary(values.as_primitive::<Float64Type>(), contains)
            }
        })
    }
}

/// Dates as days, which is what casts of wider numbers start from; all else as it is.
fn ticks(values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if *values.data_type() == DataType::Date32 { cast(values, &DataType::Int32) } else { Ok(values.clone()) }
}

/// The pattern of a `LIKE`.
#[derive(Debug)]
pub(super) struct Pattern {
    /// One text.
    pub(super) text: Scalar<LargeStringArray>,
    /// Whether letters of either case are the same.
    pub(super) any_case: bool,
}

impl Pattern {
    fn matches(&self, values: &dyn Array) -> Result<BooleanArray, ArrowError> {
        if self.any_case { ilike(&values, &self.text) } else { like(&values, &self.text) }
    }
}

impl Predicate {
    /// A `LIKE`, if its pattern can be used: most become regular expressions, which may be too large.
    pub(super) fn like(column: usize, pattern: Pattern) -> Result<Self, ArrowError> {
        pattern.matches(&LargeStringArray::from_iter_values([""]))?;
        Ok(Self::Like(column, pattern))
    }

    /// The truth for each of `rows` rows; columns that are `None` or beyond the end are null.
    pub(super) fn evaluate(&self, columns: &[Option<ArrayRef>], rows: usize) -> Result<Truth, ArrowError> {
        let column = |position: usize| columns.get(position).and_then(Option::as_ref);
        // What holds of a column's values; nothing does if all are null.
        let of = |position: usize, test: &dyn Fn(&ArrayRef) -> Result<BooleanArray, ArrowError>| {
            column(position).map_or(Ok(Truth::unknown(rows)), |values| Ok(Truth::of(&test(values)?)))
        };
        match self {
            Self::Constant(value) => Ok(Truth::all(rows, *value)),
            Self::Known(position, value) => of(*position, &|values| {
                let all = if *value { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
                Ok(BooleanArray::new(all, values.nulls().cloned()))
            }),
            Self::Null(position) => Ok(match column(*position) {
                None => Truth::all(rows, true),
                Some(values) => match values.nulls() {
                    None => Truth::all(rows, false),
                    Some(valid) => Truth::exactly(!valid.inner()),
                },
            }),
            Self::Flag(position) => of(*position, &|values| Ok(values.as_boolean().clone())),
            Self::Against(position, operator, value) => {
                of(*position, &|values| ordered(values, *operator, value))
            }
            Self::Float(position, operator, value) => of(*position, &|values| {
                Ok(match values.data_type() {
                    DataType::Float16 => floats(values.as_primitive::<Float16Type>(), *operator, *value),
                    DataType::Float32 => floats(values.as_primitive::<Float32Type>(), *operator, *value),
                    _ => floats(values.as_primitive::<Float64Type>(), *operator, *value),
                })
            }),
            Self::Pair(left, operator, right, common) => {
                let (Some(left), Some(right)) = (column(*left), column(*right)) else {
                    return Ok(Truth::unknown(rows));
                };
                let (left, right) = (cast(left, common)?, cast(right, common)?);
                Ok(Truth::of(&match common {
                    DataType::Float64 => pairs(left.as_primitive(), *operator, right.as_primitive()),
                    _ => ordered(&left, *operator, &right)?,
                }))
            }
            Self::Among(position, set) => of(*position, &|values| set.contains(values)),
            Self::Like(position, pattern) => of(*position, &|values| pattern.matches(values)),
            Self::Computed(asked) => asked.evaluate(columns, rows),
            Self::Is(inner, value) => {
                let truth = inner.evaluate(columns, rows)?;
                Ok(Truth::exactly(if *value { truth.yes() } else { truth.no() }.clone()))
            }
            Self::Not(inner) => Ok(!inner.evaluate(columns, rows)?),
            Self::All(parts) => parts.iter().try_fold(Truth::all(rows, true), |truth, part| {
                Ok(truth.and(&part.evaluate(columns, rows)?))
            }),
            Self::Any(parts) => parts.iter().try_fold(Truth::all(rows, false), |truth, part| {
                Ok(truth.or(&part.evaluate(columns, rows)?))
            }),
        }
    }
}

/// Compares values of one type, floats excepted.
fn ordered(left: &dyn Datum, operator: Operator, right: &dyn Datum) -> Result<BooleanArray, ArrowError> {
    match operator {
        Operator::Eq => cmp::eq(left, right),
        Operator::NotEq => cmp::neq(left, right),
        Operator::Lt => cmp::lt(left, right),
        Operator::LtEq => cmp::lt_eq(left, right),
        Operator::Gt => cmp::gt(left, right),
        Operator::GtEq => cmp::gt_eq(left, right),
    }
}

/// Compares floats with a value as the processor does. Arrow's kernels order all bit patterns: they hold −0 for less than 0,
/// and NaN for the greatest of all.
fn floats<A: ArrayAccessor>(values: A, operator: Operator, value: f64) -> BooleanArray
where
    A::Item: Into<f64>,
{
    match operator {
        Operator::Eq => BooleanArray::from_unary(values, |x| x.into() == value),
        Operator::NotEq => BooleanArray::from_unary(values, |x| x.into() != value),
        Operator::Lt => BooleanArray::from_unary(values, |x| x.into() < value),
        Operator::LtEq => BooleanArray::from_unary(values, |x| x.into() <= value),
        Operator::Gt => BooleanArray::from_unary(values, |x| x.into() > value),
        Operator::GtEq => BooleanArray::from_unary(values, |x| x.into() >= value),
    }
}

/// Compares floats with floats, as [`floats`].
fn pairs(left: &Float64Array, operator: Operator, right: &Float64Array) -> BooleanArray {
    match operator {
        Operator::Eq => BooleanArray::from_binary(left, right, |x, y| x == y),
        Operator::NotEq => BooleanArray::from_binary(left, right, |x, y| x != y),
        Operator::Lt => BooleanArray::from_binary(left, right, |x, y| x < y),
        Operator::LtEq => BooleanArray::from_binary(left, right, |x, y| x <= y),
        Operator::Gt => BooleanArray::from_binary(left, right, |x, y| x > y),
        Operator::GtEq => BooleanArray::from_binary(left, right, |x, y| x >= y),
    }
}
