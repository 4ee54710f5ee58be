//! Numbers that are worked out of columns, some rows at a time.
//!
//! A computation is a list of steps for a stack: each takes numbers from its top and leaves one there. So it takes no stack of
//! the thread, however long an expression is.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};
use half::f16;

/// Whole numbers have up to 38 digits, as many as 128 bits hold; beyond these a number is not known.
const BEYOND: u128 = 10_u128.pow(38);

/// What is done with two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// The result for whole numbers, which are not divided; `None` if it has too many digits, or nothing divides by zero.
    pub(super) fn of_wholes(self, left: i128, right: i128) -> Option<i128> {
        let result = match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => unreachable!("to divide is done with floats"),
            Self::Remainder => left.checked_rem(right),
        };
        result.filter(|result| result.unsigned_abs() < BEYOND)
    }

    /// The result for floats; `None` where zero divides.
    pub(super) fn of_floats(self, left: f64, right: f64) -> Option<f64> {
        match self {
            Self::Add => Some(left + right),
            Self::Subtract => Some(left - right),
            Self::Multiply => Some(left * right),
            Self::Divide => (right != 0.0).then(|| left / right),
            Self::Remainder => (right != 0.0).then(|| left % right),
        }
    }
}

/// A whole number, if its digits are not too many.
pub(super) fn whole(value: i128) -> Option<i128> {
    Some(value).filter(|value| value.unsigned_abs() < BEYOND)
}

/// How wide floats are, narrowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Width {
    Half,
    Single,
    Double,
}

impl Width {
    /// The float of this width that is nearest. Of what one operation of two floats of this width gives as a float64, that is
    /// what the same operation gives in this width.
    pub(super) fn rounded(self, value: f64) -> f64 {
        match self {
            Self::Half => f16::from_f64(value).to_f64(),
            Self::Single => f64::from(value as f32),
            Self::Double => value,
        }
    }
}

/// What kind of numbers a computation gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Whole numbers.
    Whole,
    /// Floats.
    Float(Width),
}

/// What is done with the stack.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Puts the values of a column of whole numbers on it.
    Wholes(usize),
    /// Puts the values of a column of floats on it.
    Floats(usize),
    /// Puts a whole number on it.
    Whole(i128),
    /// Puts a float on it.
    Float(f64),
    /// Makes a float of the whole number on the top.
    Widen,
    /// Changes the sign of the top.
    Negate,
    /// Takes two from the top, that are of one kind, and puts the result there; floats are rounded.
    Operate(Arithmetic, Width),
}

/// A number for each row.
#[derive(Debug)]
pub(super) struct Computation {
    steps: Vec<Step>,
    kind: Kind,
}

impl Computation {
    /// The values of a column; `None` if they are no numbers.
    pub(super) fn column(position: usize, of: &DataType) -> Option<Self> {
        let (step, kind) = match of {
            DataType::Float16 => (Step::Floats(position), Kind::Float(Width::Half)),
            DataType::Float32 => (Step::Floats(position), Kind::Float(Width::Single)),
            DataType::Float64 => (Step::Floats(position), Kind::Float(Width::Double)),
            _ if of.is_integer() => (Step::Wholes(position), Kind::Whole),
            _ => return None,
        };
        Some(Self { steps: vec![step], kind })
    }

    /// A whole number, the same for each row.
    pub(super) fn whole(value: i128) -> Self {
        Self { steps: vec![Step::Whole(value)], kind: Kind::Whole }
    }

    /// A float, the same for each row.
    pub(super) fn float(value: f64, width: Width) -> Self {
        Self { steps: vec![Step::Float(width.rounded(value))], kind: Kind::Float(width) }
    }

    /// What kind of numbers it gives.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The same as floats.
    pub(super) fn floats(mut self) -> Self {
        if self.kind == Kind::Whole {
            self.steps.push(Step::Widen);
            self.kind = Kind::Float(Width::Double);
        }
        self
    }

    /// The same with the other sign.
    pub(super) fn negated(mut self) -> Self {
        self.steps.push(Step::Negate);
        self
    }

    /// What comes of this and another one. Whole numbers stay whole but where they are divided; a float makes both floats, as
    /// wide as the wider of two.
    pub(super) fn with(self, operator: Arithmetic, other: Self) -> Self {
        let (mut left, mut right) = (self, other);
        if left.kind != right.kind || operator == Arithmetic::Divide {
            (left, right) = (left.floats(), right.floats());
        }
        let (width, kind) = match (left.kind, right.kind) {
            (Kind::Float(left), Kind::Float(right)) => (left.max(right), Kind::Float(left.max(right))),
            _ => (Width::Double, Kind::Whole),
        };
        left.steps.append(&mut right.steps);
        left.steps.push(Step::Operate(operator, width));
        Self { steps: left.steps, kind }
    }

    /// The numbers of some rows; columns that are `None` or beyond the end are null.
    pub(super) fn of(
        &self,
        columns: &[Option<ArrayRef>],
        rows: &Range<usize>,
    ) -> Result<Numbers, ArrowError> {
        let mut stack = Vec::new();
        for step in &self.steps {
            let next = match *step {
                Step::Wholes(position) => match columns.get(position).and_then(Option::as_ref) {
                    Some(column) => Numbers::wholes(column, rows)?,
                    None => Numbers::unknown(Values::Whole(vec![0; rows.len()])),
                },
                Step::Floats(position) => match columns.get(position).and_then(Option::as_ref) {
                    Some(column) => Numbers::floats(column, rows)?,
                    None => Numbers::unknown(Values::Float(vec![0.0; rows.len()])),
                },
                Step::Whole(value) => Numbers::known(Values::Whole(vec![value; rows.len()])),
                Step::Float(value) => Numbers::known(Values::Float(vec![value; rows.len()])),
                Step::Widen => top(&mut stack).widened(),
                Step::Negate => top(&mut stack).negated(),
                Step::Operate(operator, width) => {
                    let right = top(&mut stack);
                    top(&mut stack).with(operator, right, width)
                }
            };
            stack.push(next);
        }
        Ok(top(&mut stack))
    }
}

fn top(stack: &mut Vec<Numbers>) -> Numbers {
    stack.pop().expect("a computation puts on the stack what it takes")
}

/// Numbers of some rows.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Anything where nothing is known.
    pub(super) values: Values,
    /// Whether the value of a row is known.
    pub(super) known: Vec<bool>,
}

/// The values of [`Numbers`].
#[derive(Debug)]
pub(super) enum Values {
    Whole(Vec<i128>),
    Float(Vec<f64>),
}

impl Numbers {
    fn known(values: Values) -> Self {
        let known = vec![true; values.len()];
        Self { values, known }
    }

    fn unknown(values: Values) -> Self {
        let known = vec![false; values.len()];
        Self { values, known }
    }

    fn wholes(column: &ArrayRef, rows: &Range<usize>) -> Result<Self, ArrowError> {
        let column = column.slice(rows.start, rows.len());
        let values = match column.data_type() {
            DataType::UInt64 => {
                column.as_primitive::<UInt64Type>().values().iter().map(|&v| v.into()).collect()
            }
            _ => {
                let column = cast(&column, &DataType::Int64)?;
                column.as_primitive::<Int64Type>().values().iter().map(|&v| v.into()).collect()
            }
        };
        Ok(Self { values: Values::Whole(values), known: valid(&column) })
    }

    fn floats(column: &ArrayRef, rows: &Range<usize>) -> Result<Self, ArrowError> {
        let column = cast(&column.slice(rows.start, rows.len()), &DataType::Float64)?;
        let values = column.as_primitive::<Float64Type>().values().to_vec();
        Ok(Self { values: Values::Float(values), known: valid(&column) })
    }

    fn widened(self) -> Self {
        let values = match self.values {
            Values::Whole(values) => values.into_iter().map(|value| value as f64).collect(),
            Values::Float(values) => values,
        };
        Self { values: Values::Float(values), ..self }
    }

    fn negated(mut self) -> Self {
        match &mut self.values {
            Values::Whole(values) => values.iter_mut().for_each(|value| *value = -*value),
            Values::Float(values) => values.iter_mut().for_each(|value| *value = -*value),
        }
        self
    }

    fn with(mut self, operator: Arithmetic, right: Self, width: Width) -> Self {
        for (known, other) in self.known.iter_mut().zip(right.known) {
            *known &= other;
        }
        match (&mut self.values, right.values) {
            (Values::Whole(left), Values::Whole(right)) => {
                for ((left, right), known) in left.iter_mut().zip(right).zip(&mut self.known) {
                    match operator.of_wholes(*left, right) {
                        Some(result) => *left = result,
                        None => *known = false,
                    }
                }
            }
            (Values::Float(left), Values::Float(right)) => {
                for ((left, right), known) in left.iter_mut().zip(right).zip(&mut self.known) {
                    match operator.of_floats(*left, right) {
                        Some(result) => *left = width.rounded(result),
                        None => *known = false,
                    }
                }
            }
            _ => unreachable!("both sides are of one kind"),
        }
        self
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Whole(values) => values.len(),
            Self::Float(values) => values.len(),
        }
    }
}

fn valid(column: &dyn Array) -> Vec<bool> {
    column.nulls().map_or_else(|| vec![true; column.len()], |nulls| nulls.iter().collect())
}
