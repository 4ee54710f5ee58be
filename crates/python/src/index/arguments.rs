//! Numbers out of Python objects; a refusal names the argument.

use linjin::index::DEFAULT_RECALL;
use linjin::index::Effort;
use pyo3::prelude::*;

use crate::errors::wrong_value;

/// How many neighbours, when the caller does not say.
const DEFAULT_K: usize = 10;

/// An integer that is at least `least`.
pub(super) fn count(name: &str, value: &Bound<'_, PyAny>, least: usize) -> PyResult<usize> {
    let number: i64 = value.extract()?;
    match usize::try_from(number) {
        Ok(number) if number >= least => Ok(number),
        _ => Err(wrong_value(format!("{name} has to be at least {least}, got {number}"))),
    }
}

/// How many neighbours are wanted.
pub(super) fn k(value: Option<&Bound<'_, PyAny>>) -> PyResult<usize> {
    value.map_or(Ok(DEFAULT_K), |value| count("k", value, 0))
}

/// How many threads to use, where the caller says so.
pub(super) fn threads(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<usize>> {
    value.map(|value| count("threads", value, 1)).transpose()
}

/// How hard to look: at most one of the three says so.
pub(super) fn effort(
    recall: Option<&Bound<'_, PyAny>>,
    ef: Option<&Bound<'_, PyAny>>,
    exact: bool,
) -> PyResult<Effort> {
    match (recall, ef, exact) {
        (None, None, false) => Ok(Effort::Recall(DEFAULT_RECALL)),
        (Some(recall), None, false) => Ok(Effort::Recall(recall.extract::<f64>()? as f32)),
        (None, Some(ef), false) => Ok(Effort::Ef(count("ef", ef, 1)?)),
        (None, None, true) => Ok(Effort::Exact),
        _ => Err(wrong_value("recall, ef and exact exclude each other: give one of them")),
    }
}
