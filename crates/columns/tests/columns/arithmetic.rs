//! What is computed of columns, against a naive evaluator.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float16Array, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch, UInt64Array,
};
use half::f16;
use linjin_columns::{Columns, ExpressionError};
use proptest::prelude::*;
use proptest::sample::select;

use crate::selects;

/// One value of each column.
#[derive(Clone, Debug, Default)]
struct Row {
    small: Option<i8>,
    int: Option<i64>,
    big: Option<u64>,
    half: Option<f16>,
    price: Option<f32>,
    score: Option<f64>,
}

/// A table with the ids from 0, in two chunks.
fn table(rows: &[Row]) -> Columns {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("small", Arc::new(Int8Array::from_iter(rows.iter().map(|row| row.small)))),
        ("int", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.int)))),
        ("big", Arc::new(UInt64Array::from_iter(rows.iter().map(|row| row.big)))),
        ("half", Arc::new(Float16Array::from_iter(rows.iter().map(|row| row.half)))),
        ("price", Arc::new(Float32Array::from_iter(rows.iter().map(|row| row.price)))),
        ("score", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.score)))),
    ];
    let all = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    let ids: Vec<u64> = (0..rows.len() as u64).collect();
    let cut = rows.len() * 7 / 8;
    let (columns, _) = Columns::default().with(&ids[..cut], &all.slice(0, cut)).unwrap();
    columns.with(&ids[cut..], &all.slice(cut, rows.len() - cut)).unwrap().0
}

fn all(rows: &[Row], cases: &[(&str, &[u64])]) {
    selects(&table(rows), cases);
}

#[test]
fn prices_and_years() {
    let row = |int, price| Row { int: Some(int), price: Some(price), ..Row::default() };
    let rows = [row(2004, 20.0), row(2006, 27.0), row(2010, 27.5), row(2020, -1.0), Row::default()];
    all(
        &rows,
        &[
            ("price * 1.1 < 30 and int - 2000 > 5", &[1, 3]),
            ("int % 10 = 0", &[2, 3]),
            ("int % 10 in (4, 6)", &[0, 1]),
            ("int % 10 not in (4, 6)", &[2, 3]),
            ("int / 4 = 501.5", &[1]),
            ("int / 4 in (501.5, 505)", &[1, 3]),
            ("price between 20 + 5 and 3 * 9", &[1]),
            ("int + 1 between 2005 and 2007", &[0, 1]),
            ("-price > 0", &[3]),
            ("- (- price) < 0", &[3]),
            ("+price > 2.5e1", &[1, 2]),
            ("2 * price > int - 1956", &[1, 2]),
            ("int = 2000 + 5 * 2 - (7 - 1)", &[0]),
            // Neither side of what is not known is true.
            ("price + int > 0", &[0, 1, 2, 3]),
            ("not price + int > 0", &[]),
            ("price + int is null", &[4]),
            ("price + int is not null", &[0, 1, 2, 3]),
        ],
    );
}

#[test]
fn operators_bind_as_in_arithmetic() {
    let rows = [Row { int: Some(7), ..Row::default() }];
    for (expression, value) in [
        ("int + 2 * 3", 13),
        ("(int + 2) * 3", 27),
        ("int - 2 - 3", 2),
        ("int - (2 - 3)", 8),
        ("int * 5 % 3", 2),
        ("int % 5 * 3", 6),
        ("2 - -int", 9),
        ("-int % 4", -3),
        ("int % -4", 3),
        ("-int + 4", -3),
        ("-(int + 4)", -11),
        ("+int * -2", -14),
    ] {
        all(&rows, &[(&format!("{expression} = {value}"), &[0]), (&format!("{value} != {expression}"), &[])]);
    }
}

#[test]
fn whole_numbers_stay_exact() {
    let rows = [Row { int: Some(i64::MAX), big: Some(u64::MAX), ..Row::default() }];
    all(
        &rows,
        &[
            ("int + 1 = 9223372036854775808", &[0]),
            ("int + 1 > 9223372036854775807", &[0]),
            ("int + 1 > 9223372036854775808.5", &[]),
            ("int + 1 < 9223372036854775808.5", &[0]),
            ("int + 1 = 9223372036854775808.5", &[]),
            ("int + 1 != 9223372036854775808.5", &[0]),
            ("big * big = 340282366920938463426481119284349108225", &[]),
            ("big * int = 170141183460469231704017187605319778305", &[]),
            ("big * 5000000000000000000 = 92233720368547758075000000000000000000", &[0]),
            ("big - 1 - big = -1", &[0]),
            ("-big < -18446744073709551614", &[0]),
            ("int % 10 = 7", &[0]),
        ],
    );
}

#[test]
fn what_has_too_many_digits_is_not_known() {
    let rows = [Row { big: Some(u64::MAX), ..Row::default() }, Row { big: Some(2), ..Row::default() }];
    all(
        &rows,
        &[
            ("big * big * big > 0", &[1]),
            ("big * big is null", &[0]),
            ("big * big - big * big = 0", &[1]),
            // What is written is a float then.
            ("big * 1e39 > 1e50", &[0]),
            ("big - 1e39 < 0", &[0, 1]),
            ("big + 1 < 1e39", &[0, 1]),
            ("big + 1 > 1e39", &[]),
            ("big + 1 > -1e60", &[0, 1]),
        ],
    );
}

#[test]
fn zero_divides_nothing() {
    let row = |int, score| Row { int: Some(int), score: Some(score), ..Row::default() };
    let rows = [row(0, 0.0), row(3, -0.0), row(2, 0.5)];
    all(
        &rows,
        &[
            ("6 / int > 0", &[1, 2]),
            ("6 / int is null", &[0]),
            ("6 % int is null", &[0]),
            ("6 % int = 0", &[1, 2]),
            ("1 / score = 2", &[2]),
            ("1 / score is null", &[0, 1]),
            ("score % score is null", &[0, 1]),
            ("not 6 / int > 2", &[1]),
        ],
    );
}

#[test]
fn floats_are_as_wide_as_their_columns() {
    let rows = [Row {
        half: Some(f16::from_f32(0.1)),
        price: Some(0.1),
        score: Some(0.1),
        int: Some(1),
        ..Row::default()
    }];
    all(
        &rows,
        &[
            ("price = 0.1 and price + 0 = 0.1 and price * 2 = 0.2 and price * 2 in (0.2)", &[0]),
            ("half = 0.1 and half * 1 = 0.1 and half + 0 in (0.1, 7)", &[0]),
            ("score * 3 = 0.1 * 3", &[0]),
            ("score + price = 0.2", &[]),
            ("price + int = 1.1", &[]),
            ("price * 1e30 * 1e30 > 3e38", &[0]),
            ("score / 10 < 0.0100000000001", &[0]),
        ],
    );
}

#[test]
fn floats_beyond_all_are_infinite() {
    let row = |score| Row { score: Some(score), ..Row::default() };
    let rows = [row(f64::MAX), row(f64::INFINITY), row(f64::NAN), row(1.0)];
    all(
        &rows,
        &[
            ("score * 2 > 1e300", &[0, 1]),
            ("score - score = 0", &[0, 3]),
            ("score - score != 0", &[1, 2]),
            ("score * 0 = 0", &[0, 3]),
            ("score * 2 is null", &[]),
        ],
    );
}

#[test]
fn blocks_of_rows_end_where_they_do() {
    let rows: Vec<Row> =
        (0..5_000).map(|int| Row { int: (int % 11 != 0).then_some(int), ..Row::default() }).collect();
    let table = table(&rows);
    let expected: Vec<u64> = (0..5_000).filter(|id| id % 11 != 0 && id % 7 == 3).collect();
    assert_eq!(table.select("int % 7 = 3").unwrap(), expected);
    let unknown: Vec<u64> = (0..5_000).filter(|id| id % 11 == 0).collect();
    assert_eq!(table.select("int + 1 is null").unwrap(), unknown);
}

/// An expression of numbers.
#[derive(Clone, Debug)]
enum Tree {
    Column(&'static str),
    /// Digits, and the number.
    Written(&'static str, f64),
    Negated(Box<Tree>),
    Joined(Box<Tree>, char, Box<Tree>),
}

/// A value, its kind beside it: what is written has none of its own.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Value {
    Written(Option<i128>, f64),
    Whole(Option<i128>),
    /// As wide as 16, 32 or 64 bits.
    Float(u32, Option<f64>),
}

const DIGITS: [(&str, f64); 12] = [
    ("0", 0.0),
    ("1", 1.0),
    ("2", 2.0),
    ("3", 3.0),
    ("10", 10.0),
    ("0.1", 0.1),
    ("0.5", 0.5),
    ("2.50", 2.5),
    ("1e3", 1e3),
    ("9007199254740993", 9_007_199_254_740_993.0),
    ("18446744073709551616", 18_446_744_073_709_551_616.0),
    ("1e30", 1e30),
];

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        3 => select(&["small", "int", "big", "half", "price", "score"][..]).prop_map(Tree::Column),
        2 => select(&DIGITS[..]).prop_map(|(text, value)| Tree::Written(text, value)),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            1 => boxed.clone().prop_map(Tree::Negated),
            5 => (boxed.clone(), select(&['+', '-', '*', '/', '%'][..]), boxed)
                .prop_map(|(left, op, right)| Tree::Joined(left, op, right)),
        ]
    })
}

fn row() -> impl Strategy<Value = Row> {
    let some = |strategy| prop::option::weighted(0.9, strategy);
    (
        prop::option::weighted(0.9, select(&[-128_i8, -3, -1, 0, 1, 2, 7, 127][..])),
        prop::option::weighted(0.9, select(&[i64::MIN, -10, -1, 0, 1, 3, 1 << 53, i64::MAX][..])),
        prop::option::weighted(0.9, select(&[0_u64, 1, 2, 10, 1 << 63, u64::MAX][..])),
        some(select(&[0.1, -0.0, 2.5, 1e4, -3.0][..])),
        some(select(&[0.1, 0.0, -0.5, 2.5, 3e38, f64::INFINITY][..])),
        some(select(&[0.1, 0.0, -0.5, 10.0, 1e300, f64::NAN, f64::NEG_INFINITY][..])),
    )
        .prop_map(|(small, int, big, half, price, score)| Row {
            small,
            int,
            big,
            half: half.map(f16::from_f64),
            price: price.map(|price| price as f32),
            score,
        })
}

/// No more than 38 digits.
fn fits(value: i128) -> Option<i128> {
    (value.unsigned_abs().to_string().len() <= 38).then_some(value)
}

fn rounded(width: u32, value: f64) -> f64 {
    match width {
        16 => f16::from_f64(value).into(),
        32 => f64::from(value as f32),
        _ => value,
    }
}

fn wholes(left: i128, op: char, right: i128) -> Option<i128> {
    match op {
        '+' => left.checked_add(right).and_then(fits),
        '-' => left.checked_sub(right).and_then(fits),
        '*' => left.checked_mul(right).and_then(fits),
        _ => {
            if right == 0 {
                None
            } else {
                Some(left % right)
            }
        }
    }
}

fn floats(left: f64, op: char, right: f64) -> Option<f64> {
    match op {
        '+' => Some(left + right),
        '-' => Some(left - right),
        '*' => Some(left * right),
        _ if right == 0.0 => None,
        '/' => Some(left / right),
        _ => Some(left % right),
    }
}

/// A value as a float of this width at least, with the width that it has then.
fn widened(value: Value, width: u32) -> (u32, Option<f64>) {
    match value {
        Value::Written(_, float) => (width, Some(rounded(width, float))),
        Value::Whole(value) => (64, value.map(|value| value as f64)),
        Value::Float(width, value) => (width, value),
    }
}

fn width(value: Value) -> Option<u32> {
    match value {
        Value::Written(..) => None,
        Value::Whole(_) => Some(64),
        Value::Float(width, _) => Some(width),
    }
}

impl Tree {
    /// With no more parentheses than are needed.
    fn text(&self) -> String {
        let rank = |tree: &Self| match tree {
            Self::Joined(_, '+' | '-', _) => 1,
            Self::Joined(..) => 2,
            Self::Negated(_) => 3,
            _ => 4,
        };
        let within = |tree: &Self, least: u32| {
            if rank(tree) < least { format!("({})", tree.text()) } else { tree.text() }
        };
        match self {
            Self::Column(name) => (*name).to_owned(),
            Self::Written(text, _) => (*text).to_owned(),
            Self::Negated(inner) => format!("-{}", within(inner, 4)),
            Self::Joined(left, op, right) => {
                format!("{} {op} {}", within(left, rank(self)), within(right, rank(self) + 1))
            }
        }
    }

    /// Its value in a row; an error where there is none in any row.
    fn value(&self, row: &Row) -> Result<Value, ()> {
        Ok(match self {
            Self::Column("small") => Value::Whole(row.small.map(i128::from)),
            Self::Column("int") => Value::Whole(row.int.map(i128::from)),
            Self::Column("big") => Value::Whole(row.big.map(i128::from)),
            Self::Column("half") => Value::Float(16, row.half.map(f64::from)),
            Self::Column("price") => Value::Float(32, row.price.map(f64::from)),
            Self::Column(_) => Value::Float(64, row.score),
            Self::Written("1e3", float) => Value::Written(Some(1000), *float),
            Self::Written("1e30", float) => Value::Written(Some(10_i128.pow(30)), *float),
            Self::Written(text, float) => Value::Written(text.parse().ok(), *float),
            Self::Negated(inner) => match inner.value(row)? {
                Value::Written(whole, float) => Value::Written(whole.map(|whole| -whole), -float),
                Value::Whole(value) => Value::Whole(value.map(|value| -value)),
                Value::Float(width, value) => Value::Float(width, value.map(|value| -value)),
            },
            Self::Joined(left, op, right) => {
                let (left, op, right) = (left.value(row)?, *op, right.value(row)?);
                if matches!(right, Value::Written(_, 0.0)) && "/%".contains(op) {
                    return Err(());
                }
                match (left, right) {
                    (Value::Written(one, left), Value::Written(other, right)) => {
                        let exact = one.zip(other).filter(|_| op != '/');
                        match exact.and_then(|(left, right)| wholes(left, op, right)) {
                            Some(whole) => Value::Written(Some(whole), whole as f64),
                            None => {
                                let float = floats(left, op, right).ok_or(())?;
                                let whole =
                                    (float.fract() == 0.0 && float.abs() < 1e38).then_some(float as i128);
                                Value::Written(whole, float)
                            }
                        }
                    }
                    (Value::Whole(left), Value::Whole(right)) if op != '/' => {
                        Value::Whole(left.zip(right).and_then(|(left, right)| wholes(left, op, right)))
                    }
                    (Value::Whole(left), Value::Written(Some(right), _)) if op != '/' => {
                        Value::Whole(left.and_then(|left| wholes(left, op, right)))
                    }
                    (Value::Written(Some(left), _), Value::Whole(right)) if op != '/' => {
                        Value::Whole(right.and_then(|right| wholes(left, op, right)))
                    }
                    (left, right) => {
                        let width = width(left).max(width(right)).unwrap();
                        let (one, left) = widened(left, width);
                        let (other, right) = widened(right, width);
                        let width = one.max(other);
                        let both = left.zip(right);
                        let value = both.and_then(|(left, right)| floats(left, op, right));
                        Value::Float(width, value.map(|value| rounded(width, value)))
                    }
                }
            }
        })
    }
}

/// How two values compare; `None` where one is not known.
fn compared(left: Value, right: Value) -> Option<Option<std::cmp::Ordering>> {
    match (left, right) {
        (Value::Whole(left), Value::Whole(right)) => Some(left?.partial_cmp(&right?)),
        (Value::Whole(left), Value::Written(Some(right), _)) => Some(left?.partial_cmp(&right)),
        // Between the whole numbers beside it, whatever floats there are.
        (Value::Whole(left), Value::Written(None, right)) => {
            let left = left?;
            let floor = right.floor() as i128;
            Some(Some(if left <= floor { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater }))
        }
        (Value::Written(..), Value::Whole(_)) => {
            compared(right, left).map(|order| order.map(|order| order.reverse()))
        }
        _ => {
            let width = width(left).max(width(right)).unwrap();
            Some(widened(left, width).1?.partial_cmp(&widened(right, width).1?))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn computations_are_what_a_naive_evaluator_says(
        rows in prop::collection::vec(row(), 1..12),
        left in tree(),
        op in select(&["=", "!=", "<", "<=", ">", ">="][..]),
        right in tree(),
    ) {
        let text = format!("{} {op} {}", left.text(), right.text());
        let sides: Result<Vec<_>, ()> =
            rows.iter().map(|row| Ok((left.value(row)?, right.value(row)?))).collect();
        let found = table(&rows).select(&text);
        let Ok(sides) = sides else {
            prop_assert!(matches!(found, Err(ExpressionError::Undefined { .. })), "{}: {:?}", text, found);
            return Ok(());
        };
        if matches!(sides[0], (Value::Written(..), Value::Written(..))) {
            prop_assert!(matches!(found, Err(ExpressionError::NoColumn { .. })), "{}: {:?}", text, found);
            return Ok(());
        }
        let holds = |&(left, right): &(Value, Value)| compared(left, right).is_some_and(|order| match op {
            "=" => order.is_some_and(|order| order.is_eq()),
            "!=" => order.is_none_or(|order| order.is_ne()),
            "<" => order.is_some_and(|order| order.is_lt()),
            "<=" => order.is_some_and(|order| order.is_le()),
            ">" => order.is_some_and(|order| order.is_gt()),
            _ => order.is_some_and(|order| order.is_ge()),
        });
        let expected: Vec<u64> =
            sides.iter().enumerate().filter(|(_, side)| holds(side)).map(|(row, _)| row as u64).collect();
        match found {
            Ok(found) => prop_assert_eq!(found, expected, "{}", text),
            Err(error) => prop_assert!(false, "{}: {}", text, error),
        }
        let known = matches!(left, Tree::Column(_) | Tree::Written(..));
        if !known && !matches!(sides[0].0, Value::Written(..)) {
            let unknown = |value: &Value| matches!(value, Value::Whole(None) | Value::Float(_, None));
            let expected: Vec<u64> =
                sides.iter().enumerate().filter(|(_, side)| unknown(&side.0)).map(|(row, _)| row as u64).collect();
            prop_assert_eq!(table(&rows).select(&format!("{} is null", left.text())).unwrap(), expected);
        }
    }
}
