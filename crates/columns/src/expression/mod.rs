//! Which rows an expression selects.
//!
//! ```text
//! text -> sqlparser's tree -> predicate, against the schema -> truth of each row, chunk by chunk -> ids
//! ```
//!
//! All that depends on types and values is decided once, when the predicate is made. To evaluate it is a loop over a column for
//! each comparison, and bit operations between them.
//!
//! | file | duty |
//! | --- | --- |
//! | `mod.rs` | the ids that an expression selects |
//! | `parse.rs` | text to sqlparser's tree, within limits |
//! | `operand.rs` | the columns and values of a tree, and what is computed of them |
//! | `literal.rs` | numbers and moments, exactly |
//! | `computation.rs` | numbers that are worked out of columns, some rows at a time |
//! | `arithmetic.rs` | arithmetic of numbers that are written, and of columns |
//! | `asked.rs` | what is asked of numbers that are computed, and the truth of it |
//! | `compile.rs` | a tree to a predicate |
//! | `compare.rs` | comparisons, by the types of both sides |
//! | `predicate.rs` | what is asked of a row, and the truth of it |
//! | `truth.rs` | true, false or neither, for many rows at once |

mod arithmetic;
mod asked;
mod compare;
mod compile;
mod computation;
mod literal;
mod operand;
mod parse;
mod predicate;
mod truth;

use std::panic::resume_unwind;
use std::thread;

use predicate::Predicate;

use crate::error::ExpressionError;
use crate::table::Table;

/// Bytes of stack to read an expression with. At the limits of `parse.rs` two megabytes are not enough where nothing is
/// optimised, and threads of some systems have half of one.
const STACK: usize = 16 << 20;

/// The ids, ascending, of the rows for which the expression is true.
pub(crate) fn select(table: &Table, text: &str) -> Result<Vec<u64>, ExpressionError> {
    let predicate = read(text, table)?;
    let mut ids = Vec::new();
    for chunk in &table.chunks {
        let truth = predicate.evaluate(chunk.columns(), chunk.len())?;
        ids.extend(chunk.ids(truth.yes()));
    }
    // A few ascending runs: the stable sort finds and merges them.
    ids.sort();
    Ok(ids)
}

/// What a text asks of the rows of a table. Read on a thread of its own, whatever stack is left to the caller.
fn read(text: &str, table: &Table) -> Result<Predicate, ExpressionError> {
    let read = || compile::predicate(&parse::parse(text)?, &table.schema);
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read)?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
