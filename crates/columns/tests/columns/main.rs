//! What columns promise, through the public door.
//!
//! | file | what it holds the table against |
//! | --- | --- |
//! | `model.rs` | a naive table, over random changes, notes and expressions |
//! | `changes.rs` | types, superseded rows, names, chunks, compaction |
//! | `expressions.rs` | what each part of an expression means |
//! | `arithmetic.rs` | what is computed of columns, against a naive evaluator |
//! | `refusals.rs` | expressions that are refused, and with what words |
//! | `json.rs` | values as JSON, and JSON as columns |
//! | `hostile.rs` | notes that are damaged or foreign |

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

mod arithmetic;
mod changes;
mod expressions;
mod hostile;
mod json;
mod model;
mod refusals;

/// Each expression selects these ids of a table.
fn selects(table: &linjin_columns::Columns, cases: &[(&str, &[u64])]) {
    for (expression, expected) in cases {
        match table.select(expression) {
            Ok(found) => assert_eq!(found, *expected, "{expression}"),
            Err(error) => panic!("{expression}: {error}"),
        }
    }
}
