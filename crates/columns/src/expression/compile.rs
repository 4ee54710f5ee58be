//! A tree to a predicate.

use arrow_array::{LargeStringArray, Scalar};
use arrow_schema::{DataType, Schema};
use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator};

use super::arithmetic::Term;
use super::asked::Asked;
use super::compare::{Operator, among, compare};
use super::literal::Literal;
use super::operand::{Column, Operand, arithmetic, bare, kind, operand, term, unsupported};
use super::predicate::{Pattern, Predicate};
use crate::error::ExpressionError;
use crate::kinds;

/// Conditions within one another, chains of `AND` and of `OR` counted once.
const MAX_DEPTH: usize = 64;

/// What a tree asks of the rows of a table with these columns.
pub(super) fn predicate(tree: &Expr, schema: &Schema) -> Result<Predicate, ExpressionError> {
    Compiler { schema }.condition(tree, MAX_DEPTH)
}

struct Compiler<'a> {
    schema: &'a Schema,
}

impl<'a> Compiler<'a> {
    /// What a tree asks, that has no more than `depth` conditions within one another.
    fn condition(&self, tree: &Expr, depth: usize) -> Result<Predicate, ExpressionError> {
        let depth = depth.checked_sub(1).ok_or(ExpressionError::TooDeep { limit: MAX_DEPTH })?;
        let inner = |tree: &Expr| self.condition(tree, depth);
        match bare(tree) {
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                let parts = chain(tree, op).into_iter().map(inner).collect::<Result<_, _>>()?;
                Ok(if *op == BinaryOperator::And { Predicate::All(parts) } else { Predicate::Any(parts) })
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(negated(true, inner(expr)?)),
            Expr::BinaryOp { op, .. } if arithmetic(op).is_some() => self.bare_operand(tree),
            Expr::BinaryOp { left, op, right } => match operator(op) {
                Some(operator) => self.compare(left, operator, right),
                None => Err(unsupported(format!("the operator {op}"))),
            },
            Expr::Between { expr, negated: not, low, high } => {
                let above = self.compare(expr, Operator::GtEq, low)?;
                let below = self.compare(expr, Operator::LtEq, high)?;
                Ok(negated(*not, Predicate::All(vec![above, below])))
            }
            Expr::In { expr, target: InTarget::List(list), negated: not, global: false } => {
                Ok(negated(*not, self.among(expr, list)?))
            }
            Expr::Like { negated: not, any: false, expr, pattern, escape_char: None } => {
                Ok(negated(*not, self.like(expr, pattern, false)?))
            }
            Expr::ILike { negated: not, any: false, expr, pattern, escape_char: None } => {
                Ok(negated(*not, self.like(expr, pattern, true)?))
            }
            Expr::IsNull(expr) => self.null(expr),
            Expr::IsNotNull(expr) => Ok(negated(true, self.null(expr)?)),
            Expr::IsTrue(expr) => Ok(Predicate::Is(Box::new(inner(expr)?), true)),
            Expr::IsNotTrue(expr) => Ok(negated(true, Predicate::Is(Box::new(inner(expr)?), true))),
            Expr::IsFalse(expr) => Ok(Predicate::Is(Box::new(inner(expr)?), false)),
            Expr::IsNotFalse(expr) => Ok(negated(true, Predicate::Is(Box::new(inner(expr)?), false))),
            Expr::Like { .. } | Expr::ILike { .. } => Err(unsupported("LIKE with ANY or ESCAPE".to_owned())),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => self.bare_operand(tree),
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, .. } => self.bare_operand(tree),
            other => Err(unsupported(kind(other))),
        }
    }

    /// A column or value that is a condition by itself.
    fn bare_operand(&self, tree: &Expr) -> Result<Predicate, ExpressionError> {
        match self.operand(tree)? {
            Operand::Literal(Literal::Bool(value)) => Ok(Predicate::Constant(value)),
            Operand::Literal(value) => {
                Err(ExpressionError::NotCondition { found: format!("the value {value}") })
            }
            Operand::Column(column) if *column.field.data_type() == DataType::Boolean => {
                Ok(Predicate::Flag(column.position))
            }
            Operand::Column(Column { field, .. }) => Err(ExpressionError::NotCondition {
                found: format!("the column `{}` of type {}", field.name(), kinds::name(field.data_type())),
            }),
            Operand::Computed(_) => Err(ExpressionError::NotCondition { found: "a number".to_owned() }),
        }
    }

    fn compare(&self, left: &Expr, operator: Operator, right: &Expr) -> Result<Predicate, ExpressionError> {
        match (self.operand(left)?, self.operand(right)?) {
            (Operand::Computed(left), other) => {
                let other = term(other, &operator, right)?;
                Ok(Predicate::Computed(Asked::compared(left, operator, other)))
            }
            (other, Operand::Computed(right)) => {
                let other = term(other, &operator, left)?;
                Ok(Predicate::Computed(Asked::compared(right, operator.flipped(), other)))
            }
            (left, right) => compare(&left, operator, &right, self.schema),
        }
    }

    fn among(&self, tree: &Expr, list: &[Expr]) -> Result<Predicate, ExpressionError> {
        match self.operand(tree)? {
            Operand::Computed(computation) => {
                let number = |tree| match term(Operand::Literal(self.literal(tree)?), &"IN", tree)? {
                    Term::Number(number) => Ok(number),
                    Term::Computed(_) => unreachable!("a value is the same for each row"),
                };
                let numbers = list.iter().map(number).collect::<Result<Vec<_>, ExpressionError>>()?;
                Ok(Predicate::Computed(Asked::among(computation, &numbers)))
            }
            _ => {
                let column = self.column(tree)?;
                let values = list.iter().map(|value| self.literal(value)).collect::<Result<Vec<_>, _>>()?;
                among(column, &values)
            }
        }
    }

    fn null(&self, tree: &Expr) -> Result<Predicate, ExpressionError> {
        match self.operand(tree)? {
            Operand::Computed(computation) => Ok(Predicate::Computed(Asked::null(computation))),
            _ => Ok(Predicate::Null(self.column(tree)?.position)),
        }
    }

    fn like(&self, expr: &Expr, pattern: &Expr, any_case: bool) -> Result<Predicate, ExpressionError> {
        let column = self.column(expr)?;
        let pattern = self.literal(pattern)?;
        match (column.field.data_type(), pattern) {
            (DataType::LargeUtf8, Literal::Text(text)) => {
                let pattern =
                    Pattern { text: Scalar::new(LargeStringArray::from_iter_values([&text])), any_case };
                Ok(Predicate::like(column.position, pattern)
                    .map_err(|error| ExpressionError::Pattern { pattern: text, why: error.to_string() })?)
            }
            (found, pattern) => Err(ExpressionError::Mismatch {
                column: column.field.name().clone(),
                column_type: kinds::name(found),
                literal: format!("the pattern {pattern}"),
                hint: "LIKE compares text with text",
            }),
        }
    }

    fn operand(&self, tree: &Expr) -> Result<Operand<'a>, ExpressionError> {
        operand(tree, self.schema)
    }

    /// A tree that must be a column.
    fn column(&self, tree: &Expr) -> Result<Column<'a>, ExpressionError> {
        match self.operand(tree)? {
            Operand::Column(column) => Ok(column),
            Operand::Literal(value) => Err(unsupported(format!("the value {value} where a column must be"))),
            Operand::Computed(_) => Err(unsupported("a computed number where a column must be".to_owned())),
        }
    }

    /// A tree that must be a value.
    fn literal(&self, tree: &Expr) -> Result<Literal, ExpressionError> {
        match self.operand(tree)? {
            Operand::Literal(value) => Ok(value),
            Operand::Column(column) => {
                Err(unsupported(format!("the column `{}` where a value must be", column.field.name())))
            }
            Operand::Computed(_) => {
                Err(unsupported("what is computed of columns where a value must be".to_owned()))
            }
        }
    }
}

/// The parts of a chain of one operator, in order. The parser hangs each part to the right of all before it, so that the tree is
/// as deep as the chain is long.
fn chain<'a>(tree: &'a Expr, operator: &BinaryOperator) -> Vec<&'a Expr> {
    let mut parts = Vec::new();
    let mut rest = bare(tree);
    while let Expr::BinaryOp { left, op, right } = rest
        && op == operator
    {
        parts.push(&**right);
        rest = bare(left);
    }
    parts.push(rest);
    parts.reverse();
    parts
}

fn negated(not: bool, predicate: Predicate) -> Predicate {
    if not { Predicate::Not(Box::new(predicate)) } else { predicate }
}

fn operator(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}
