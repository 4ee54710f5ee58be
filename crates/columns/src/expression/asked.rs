//! What is asked of numbers that are computed, and the truth of it.

use arrow_array::ArrayRef;
use arrow_array::builder::BooleanBuilder;
use arrow_schema::ArrowError;
use rustc_hash::FxHashSet;

use super::arithmetic::{Term, integer};
use super::compare::Operator;
use super::computation::{Computation, Kind, Values};
use super::literal::Number;
use super::predicate::Set;
use super::truth::Truth;

/// Rows at a time: what is worked out of them stays close to the processor.
const BLOCK: usize = 1024;

/// A computation, and what is asked of its results.
#[derive(Debug)]
pub(super) struct Asked {
    of: Computation,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// Whether it has no value.
    Null,
    /// The same wherever it has a value.
    Known(bool),
    /// Against another one of the same kind.
    Compared(Operator, Computation),
    /// Whether it is one of some whole numbers.
    Wholes(FxHashSet<i128>),
    /// Whether it is one of some floats, as [`Set::bits`].
    Floats(FxHashSet<u64>),
}

impl Asked {
    /// Whether it has no value.
    pub(super) fn null(of: Computation) -> Self {
        Self { of, test: Test::Null }
    }

    /// How it compares with another one.
    pub(super) fn compared(left: Computation, operator: Operator, right: Term) -> Self {
        let (of, right) = match right {
            Term::Computed(right) if right.kind() == left.kind() => (left, right),
            Term::Computed(right) => (left.floats(), right.floats()),
            Term::Number(number) => match left.kind() {
                Kind::Float(width) => (left, Computation::float(number.float, width)),
                Kind::Whole => match operator.beside(number.whole) {
                    Ok(operator) => {
                        let test = Test::Compared(operator, Computation::whole(number.whole.floor));
                        return Self { of: left, test };
                    }
                    Err(always) => return Self { of: left, test: Test::Known(always) },
                },
            },
        };
        Self { of, test: Test::Compared(operator, right) }
    }

    /// Whether it is one of some numbers.
    pub(super) fn among(of: Computation, numbers: &[Number]) -> Self {
        let test = match of.kind() {
            Kind::Whole => Test::Wholes(numbers.iter().filter_map(integer).collect()),
            Kind::Float(width) => {
                Test::Floats(numbers.iter().map(|number| Set::bits(width.rounded(number.float))).collect())
            }
        };
        Self { of, test }
    }

    /// The truth for each of `rows` rows.
    pub(super) fn evaluate(&self, columns: &[Option<ArrayRef>], rows: usize) -> Result<Truth, ArrowError> {
        let mut truth = BooleanBuilder::with_capacity(rows);
        for start in (0..rows).step_by(BLOCK) {
            let block = start..rows.min(start + BLOCK);
            let numbers = self.of.of(columns, &block)?;
            let known = &numbers.known;
            let mut tell = |holds: &dyn Fn(usize) -> bool| {
                truth.extend(known.iter().enumerate().map(|(row, known)| known.then(|| holds(row))));
            };
            match (&numbers.values, &self.test) {
                (_, Test::Null) => truth.extend(known.iter().map(|known| Some(!known))),
                (_, Test::Known(value)) => tell(&|_| *value),
                (values, Test::Compared(operator, other)) => {
                    let other = other.of(columns, &block)?;
                    let both = |row: usize| known[row] && other.known[row];
                    match (values, &other.values) {
                        (Values::Whole(left), Values::Whole(right)) => truth.extend(
                            (0..block.len())
                                .map(|row| both(row).then(|| operator.holds(&left[row], &right[row]))),
                        ),
                        (Values::Float(left), Values::Float(right)) => truth.extend(
                            (0..block.len())
                                .map(|row| both(row).then(|| operator.holds(&left[row], &right[row]))),
                        ),
                        _ => unreachable!("both sides are of one kind"),
                    }
                }
                (Values::Whole(values), Test::Wholes(set)) => tell(&|row| set.contains(&values[row])),
                (Values::Float(values), Test::Floats(set)) => {
                    tell(&|row| set.contains(&Set::bits(values[row])));
                }
                _ => unreachable!("a set is of the kind of what is looked for in it"),
            }
        }
        Ok(Truth::of(&truth.finish()))
    }
}
