//! Comparisons, by the types of both sides.

use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, Scalar, UInt64Array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};

use super::literal::{DAY, Literal, NANOS, Whole, moment};
use super::operand::{Column, Operand, names};
use super::predicate::{Predicate, Set};
use crate::error::ExpressionError;
use crate::kinds;

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        })
    }
}

impl Operator {
    /// The operator that says the same with the sides exchanged.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
            Self::Eq | Self::NotEq => self,
        }
    }

    /// Whether it holds between two numbers.
    pub(super) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::NotEq => left != right,
            Self::Lt => left < right,
            Self::LtEq => left <= right,
            Self::Gt => left > right,
            Self::GtEq => left >= right,
        }
    }

    /// The operator that says of whole numbers and the floor of a number what this one says of them and the number; the answer
    /// if it is the same for all of them.
    pub(super) fn beside(self, number: Whole) -> Result<Self, bool> {
        // Between two whole numbers, what is below is at most the lower one, and what is above is more than that.
        match self {
            _ if number.exact => Ok(self),
            Self::Eq => Err(false),
            Self::NotEq => Err(true),
            Self::Lt | Self::LtEq => Ok(Self::LtEq),
            Self::Gt | Self::GtEq => Ok(Self::Gt),
        }
    }
}

/// A comparison of columns and values.
pub(super) fn compare(
    left: &Operand<'_>,
    operator: Operator,
    right: &Operand<'_>,
    schema: &Schema,
) -> Result<Predicate, ExpressionError> {
    match (left, right) {
        (Operand::Column(column), Operand::Literal(value)) => with_value(*column, operator, value),
        (Operand::Literal(value), Operand::Column(column)) => with_value(*column, operator.flipped(), value),
        (Operand::Column(left), Operand::Column(right)) => with_column(*left, operator, *right),
        (Operand::Literal(left), Operand::Literal(right)) => Err(ExpressionError::NoColumn {
            left: left.to_string(),
            right: right.to_string(),
            columns: names(schema),
        }),
        (Operand::Computed(_), _) | (_, Operand::Computed(_)) => {
            unreachable!("what is computed is compared as such")
        }
    }
}

/// A value in the type of a column.
enum Fitted {
    /// A column of whole numbers, days or ticks.
    Whole(Whole),
    Float(f64),
    Text(String),
    Bool(bool),
}

fn fitted(column: Column<'_>, value: &Literal) -> Result<Fitted, ExpressionError> {
    let of = column.field.data_type();
    match (of, value) {
        (DataType::LargeUtf8, Literal::Text(text)) => Ok(Fitted::Text(text.clone())),
        (DataType::Boolean, Literal::Bool(value)) => Ok(Fitted::Bool(*value)),
        (_, Literal::Number(number)) if of.is_integer() => Ok(Fitted::Whole(number.whole)),
        (_, Literal::Number(number)) if of.is_floating() => Ok(Fitted::Float(rounded(number.float, of)?)),
        (DataType::Date32 | DataType::Timestamp(..), Literal::Text(text)) => {
            moment(text, tick(of)).map(Fitted::Whole).ok_or_else(|| mismatch(column, value))
        }
        _ => Err(mismatch(column, value)),
    }
}

fn mismatch(column: Column<'_>, value: &Literal) -> ExpressionError {
    let hint = match column.field.data_type() {
        DataType::LargeUtf8 => "write text in single quotes",
        DataType::Boolean => "write true or false",
        DataType::Date32 | DataType::Timestamp(..) => {
            "write a date as '2026-01-31', a time as '2026-01-31T12:30:00' or with an offset such as +02:00"
        }
        _ => "write a number, without quotes",
    };
    ExpressionError::Mismatch {
        column: column.field.name().clone(),
        column_type: kinds::name(column.field.data_type()),
        literal: value.to_string(),
        hint,
    }
}

/// Nanoseconds between neighbouring values of a type of dates or timestamps.
fn tick(of: &DataType) -> i128 {
    match of {
        DataType::Timestamp(TimeUnit::Second, _) => NANOS,
        DataType::Timestamp(TimeUnit::Millisecond, _) => NANOS / 1_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => NANOS / 1_000_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1,
        _ => DAY,
    }
}

/// A value as a column of floats would hold it: what was stored as 0.1 is equal to 0.1 whatever the width.
fn rounded(value: f64, of: &DataType) -> Result<f64, ArrowError> {
    let stored = cast(&Float64Array::from_iter_values([value]), of)?;
    Ok(cast(&stored, &DataType::Float64)?.as_primitive::<Float64Type>().value(0))
}

/// The least and the greatest value of a type of whole numbers, days or ticks.
fn range(of: &DataType) -> (i128, i128) {
    match of {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 | DataType::Date32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

fn with_value(column: Column<'_>, operator: Operator, value: &Literal) -> Result<Predicate, ExpressionError> {
    let position = column.position;
    let against = |operator, value: ArrayRef| Predicate::Against(position, operator, Scalar::new(value));
    Ok(match fitted(column, value)? {
        Fitted::Text(text) => against(operator, Arc::new(LargeStringArray::from_iter_values([text]))),
        Fitted::Bool(value) => against(operator, Arc::new(BooleanArray::from(vec![value]))),
        Fitted::Float(value) => Predicate::Float(position, operator, value),
        Fitted::Whole(whole) => {
            let operator = match operator.beside(whole) {
                Ok(operator) => operator,
                Err(always) => return Ok(Predicate::Known(position, always)),
            };
            let (least, greatest) = range(column.field.data_type());
            if whole.floor > greatest {
                let below = matches!(operator, Operator::Lt | Operator::LtEq | Operator::NotEq);
                Predicate::Known(position, below)
            } else if whole.floor < least {
                let above = matches!(operator, Operator::Gt | Operator::GtEq | Operator::NotEq);
                Predicate::Known(position, above)
            } else {
                against(operator, scalar(whole.floor, column.field.data_type())?)
            }
        }
    })
}

/// A whole number within the range of a type, in that type.
fn scalar(value: i128, of: &DataType) -> Result<ArrayRef, ArrowError> {
    match (i64::try_from(value), u64::try_from(value)) {
        // Days come from numbers of their own width only.
        (Ok(value), _) if *of == DataType::Date32 => {
            cast(&cast(&Int64Array::from_iter_values([value]), &DataType::Int32)?, of)
        }
        (Ok(value), _) => cast(&Int64Array::from_iter_values([value]), of),
        (_, Ok(value)) => cast(&UInt64Array::from_iter_values([value]), of),
        _ => unreachable!("no type of columns reaches beyond 64 bits"),
    }
}

fn with_column(
    left: Column<'_>,
    operator: Operator,
    right: Column<'_>,
) -> Result<Predicate, ExpressionError> {
    let (of_left, of_right) = (left.field.data_type(), right.field.data_type());
    let numeric = |of: &DataType| of.is_integer() || of.is_floating();
    let common = match (of_left, of_right) {
        // Ticks since 1970 in UTC, whatever zone they are shown in.
        (DataType::Timestamp(unit, zone), DataType::Timestamp(other_unit, other_zone))
            if unit == other_unit && zone.is_some() == other_zone.is_some() =>
        {
            DataType::Int64
        }
        _ if numeric(of_left) && numeric(of_right) => common_number(of_left, of_right),
        _ if of_left == of_right => of_left.clone(),
        _ => {
            return Err(ExpressionError::Incomparable {
                left: left.field.name().clone(),
                left_type: kinds::name(of_left),
                right: right.field.name().clone(),
                right_type: kinds::name(of_right),
            });
        }
    };
    Ok(Predicate::Pair(left.position, operator, right.position, common))
}

/// The type in which two types of numbers are compared: one that holds all values of both, or float64.
fn common_number(left: &DataType, right: &DataType) -> DataType {
    let unsigned = |of: &DataType| of.is_unsigned_integer();
    if left.is_floating() || right.is_floating() {
        DataType::Float64
    } else if unsigned(left) && unsigned(right) {
        DataType::UInt64
    } else if *left == DataType::UInt64 || *right == DataType::UInt64 {
        // Twenty digits hold both.
        DataType::Decimal128(20, 0)
    } else {
        DataType::Int64
    }
}

/// Whether a column has one of some values.
pub(super) fn among(column: Column<'_>, values: &[Literal]) -> Result<Predicate, ExpressionError> {
    let of = column.field.data_type();
    let mut set = match of {
        DataType::LargeUtf8 => Set::Text(Default::default()),
        DataType::Boolean => Set::Bool(Default::default()),
        DataType::UInt64 => Set::Unsigned(Default::default()),
        _ if of.is_floating() => Set::Float(Default::default()),
        _ => Set::Signed(Default::default()),
    };
    for value in values {
        match (&mut set, fitted(column, value)?) {
            (Set::Text(set), Fitted::Text(text)) => drop(set.insert(text)),
            (Set::Bool(set), Fitted::Bool(value)) => drop(set.insert(value)),
            (Set::Float(set), Fitted::Float(value)) => drop(set.insert(Set::bits(value))),
            // A value that the column cannot hold is none of its own.
            (Set::Unsigned(set), Fitted::Whole(Whole { floor, exact: true })) => {
                set.extend(u64::try_from(floor))
            }
            (Set::Signed(set), Fitted::Whole(Whole { floor, exact: true })) => {
                set.extend(i64::try_from(floor))
            }
            _ => {}
        }
    }
    Ok(Predicate::Among(column.position, set))
}
