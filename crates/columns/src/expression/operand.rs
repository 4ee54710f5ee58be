//! The columns and values of a tree, and what is computed of them.

use std::fmt::Display;

use arrow_schema::{Field, Schema};
use sqlparser::ast::{BinaryOperator, Expr, Ident, Spanned, UnaryOperator, Value};

use super::arithmetic::{Term, Undefined};
use super::computation::{Arithmetic, Computation};
use super::literal::{Literal, Number};
use crate::error::ExpressionError;
use crate::kinds;

/// One side of a comparison.
#[derive(Debug)]
pub(super) enum Operand<'a> {
    /// A column.
    Column(Column<'a>),
    /// A value.
    Literal(Literal),
    /// A number for each row.
    Computed(Computation),
}

/// A column of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    /// Its position in the schema.
    pub(super) position: usize,
    /// Its name and type.
    pub(super) field: &'a Field,
}

/// What a tree is as one side of a comparison.
pub(super) fn operand<'a>(tree: &Expr, schema: &'a Schema) -> Result<Operand<'a>, ExpressionError> {
    match bare(tree) {
        Expr::Identifier(name) => match column(schema, &name.value) {
            Ok(column) => Ok(Operand::Column(column)),
            // Many write text so, in Python above all.
            Err(_) if name.quote_style == Some('"') => {
                Ok(Operand::Literal(Literal::Text(name.value.clone())))
            }
            Err(unknown) => Err(unknown),
        },
        Expr::CompoundIdentifier(parts) => column(schema, &dotted(parts)).map(Operand::Column),
        Expr::Value(value) => literal(&value.value).map(Operand::Literal),
        // DATE '2026-01-31' and the like: the column says what it is.
        Expr::TypedString(typed) => literal(&typed.value.value).map(Operand::Literal),
        Expr::UnaryOp { op: sign @ (UnaryOperator::Minus | UnaryOperator::Plus), expr } => {
            let term = term(operand(expr, schema)?, sign, expr)?;
            Ok(if *sign == UnaryOperator::Minus { term.negated() } else { term }.into())
        }
        Expr::BinaryOp { left, op, right } => {
            let operator = arithmetic(op).ok_or_else(|| unsupported(format!("the operator {op} here")))?;
            let one = term(operand(left, schema)?, op, left)?;
            let other = term(operand(right, schema)?, op, right)?;
            let undefined = |Undefined| ExpressionError::Undefined {
                operator: op.to_string(),
                at: right.span().start.to_string(),
            };
            one.with(operator, other).map(Operand::from).map_err(undefined)
        }
        other => Err(unsupported(kind(other))),
    }
}

/// What an operator of numbers takes of this part of the tree.
pub(super) fn term(
    operand: Operand<'_>,
    operator: &dyn Display,
    tree: &Expr,
) -> Result<Term, ExpressionError> {
    let found = match operand {
        Operand::Computed(computation) => return Ok(Term::Computed(computation)),
        Operand::Literal(Literal::Number(number)) => return Ok(Term::Number(number)),
        Operand::Literal(value) => format!("the value {value}"),
        Operand::Column(Column { position, field }) => {
            match Computation::column(position, field.data_type()) {
                Some(computation) => return Ok(Term::Computed(computation)),
                None => format!("the column `{}` of type {}", field.name(), kinds::name(field.data_type())),
            }
        }
    };
    let at = tree.span().start.to_string();
    Err(ExpressionError::NotNumber { operator: operator.to_string(), found, at })
}

impl From<Term> for Operand<'_> {
    fn from(term: Term) -> Self {
        match term {
            Term::Number(number) => Self::Literal(Literal::Number(number)),
            Term::Computed(computation) => Self::Computed(computation),
        }
    }
}

/// What an operator does with numbers, if it does.
pub(super) fn arithmetic(op: &BinaryOperator) -> Option<Arithmetic> {
    Some(match op {
        BinaryOperator::Plus => Arithmetic::Add,
        BinaryOperator::Minus => Arithmetic::Subtract,
        BinaryOperator::Multiply => Arithmetic::Multiply,
        BinaryOperator::Divide => Arithmetic::Divide,
        BinaryOperator::Modulo => Arithmetic::Remainder,
        _ => return None,
    })
}

/// The tree within parentheses.
pub(super) fn bare(mut tree: &Expr) -> &Expr {
    while let Expr::Nested(inner) = tree {
        tree = inner;
    }
    tree
}

/// The column of a name.
pub(super) fn column<'a>(schema: &'a Schema, name: &str) -> Result<Column<'a>, ExpressionError> {
    match schema.column_with_name(name) {
        Some((position, field)) => Ok(Column { position, field }),
        None => {
            let distance =
                |column: &str| strsim::damerau_levenshtein(&column.to_lowercase(), &name.to_lowercase());
            let columns = names(schema);
            let nearest = columns.iter().min_by_key(|column| distance(column));
            let close = |column: &&String| distance(column) <= name.chars().count().div_ceil(3);
            let nearest = nearest.filter(close).cloned();
            Err(ExpressionError::UnknownColumn { column: name.to_owned(), columns, nearest })
        }
    }
}

/// The names of all columns.
pub(super) fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn dotted(parts: &[Ident]) -> String {
    parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
}

fn literal(value: &Value) -> Result<Literal, ExpressionError> {
    match value {
        Value::Number(text, _) => match Number::parse(text) {
            Some(number) => Ok(Literal::Number(number)),
            None => Err(ExpressionError::Syntax { what: format!("{text} is no number") }),
        },
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok(Literal::Text(text.clone())),
        Value::Boolean(value) => Ok(Literal::Bool(*value)),
        Value::Null => Err(ExpressionError::Null),
        other => Err(unsupported(format!("the value {other}"))),
    }
}

/// Something of SQL that is not known here.
pub(super) fn unsupported(found: String) -> ExpressionError {
    ExpressionError::Unsupported { found }
}

/// What a part of a tree is called. Not the part itself: to write out a deep tree takes stack with its depth.
pub(super) fn kind(tree: &Expr) -> String {
    match tree {
        Expr::UnaryOp { op, .. } => format!("the operator {op} here"),
        Expr::Function(function) => format!("the function {}", function.name),
        Expr::Subquery(_) | Expr::Exists { .. } => "a subquery".to_owned(),
        Expr::In { .. } => "IN with anything but a list of values".to_owned(),
        Expr::Cast { .. } | Expr::Convert { .. } => "a cast".to_owned(),
        Expr::Case { .. } => "CASE".to_owned(),
        Expr::Tuple(_) | Expr::Array(_) => "a list of values here".to_owned(),
        _ => "what stands here".to_owned(),
    }
}
