//! Arithmetic of numbers that are written, and of columns.

use super::computation::{Arithmetic, Computation, Kind, Width, whole};
use super::literal::Number;

/// One side of an operator.
#[derive(Debug)]
pub(super) enum Term {
    /// A number that is written.
    Number(Number),
    /// A number for each row.
    Computed(Computation),
}

/// There is a value in no row: zero divides, or both sides are infinite.
#[derive(Debug)]
pub(super) struct Undefined;

impl Term {
    /// The same with the other sign.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Number(number) => Self::Number(number.negated()),
            Self::Computed(computation) => Self::Computed(computation.negated()),
        }
    }

    /// What comes of this and another one. A number that is written takes the kind of the other side.
    pub(super) fn with(self, operator: Arithmetic, other: Self) -> Result<Self, Undefined> {
        let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
        if divides && matches!(&other, Self::Number(number) if number.float == 0.0) {
            return Err(Undefined);
        }
        let (left, right) = match (self, other) {
            (Self::Number(left), Self::Number(right)) => {
                return written(&left, operator, &right).map(Self::Number).ok_or(Undefined);
            }
            (Self::Number(left), Self::Computed(right)) => (beside(&left, right.kind()), right),
            (Self::Computed(left), Self::Number(right)) => {
                let right = beside(&right, left.kind());
                (left, right)
            }
            (Self::Computed(left), Self::Computed(right)) => (left, right),
        };
        Ok(Self::Computed(left.with(operator, right)))
    }
}

/// What comes of two numbers that are written: exact where both are whole and the result is.
fn written(left: &Number, operator: Arithmetic, right: &Number) -> Option<Number> {
    let exact = match (integer(left), integer(right)) {
        (Some(left), Some(right)) if operator != Arithmetic::Divide => operator.of_wholes(left, right),
        _ => None,
    };
    match exact {
        Some(result) => Some(Number::of_whole(result)),
        None => Number::of_float(operator.of_floats(left.float, right.float)?),
    }
}

/// A number that is written, if it is a whole one that can be computed with.
pub(super) fn integer(number: &Number) -> Option<i128> {
    if number.whole.exact { whole(number.whole.floor) } else { None }
}

/// A number that is written, as one of this kind if that can be.
fn beside(number: &Number, kind: Kind) -> Computation {
    match (kind, integer(number)) {
        (Kind::Whole, Some(value)) => Computation::whole(value),
        (Kind::Whole, None) => Computation::float(number.float, Width::Double),
        (Kind::Float(width), _) => Computation::float(number.float, width),
    }
}
