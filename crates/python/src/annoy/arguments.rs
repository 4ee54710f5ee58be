//! Numbers and flags out of Python objects, read as Annoy reads them.
//!
//! The methods take plain objects and convert them here, so that a refusal reads as Annoy's does, without
//! PyO3's "argument 'n': " in front.

use linjin::forest::{Budget, Metric};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::errors;
use crate::arguments::type_name;
use crate::errors::{wrong_type, wrong_value};

/// An argument that may be left out, which is not the same as `None`: that is an object like any other.
#[derive(Default)]
pub(super) struct Given<'a, 'py>(pub(super) Option<Borrowed<'a, 'py, PyAny>>);

impl<'a, 'py> FromPyObject<'a, 'py> for Given<'a, 'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(Some(object)))
    }
}

/// What every search is asked for besides its query.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    /// How many neighbours; `None`: all.
    pub(super) n: Option<usize>,
    pub(super) budget: Budget,
    pub(super) include_distances: bool,
}

impl Ask {
    /// A negative `n` asks for all. `search_k` of -1 or `None` is `n` for each tree, anything below is no
    /// limit.
    pub(super) fn new(
        n: &Bound<'_, PyAny>,
        search_k: Option<&Bound<'_, PyAny>>,
        include_distances: &Given<'_, '_>,
    ) -> PyResult<Self> {
        let n = usize::try_from(int32(n)?).ok();
        let budget = match search_k.map(int32).transpose()? {
            None | Some(-1) => Budget::PerTree,
            Some(k) => usize::try_from(k).map_or(Budget::Unlimited, Budget::Candidates),
        };
        Ok(Self { n, budget, include_distances: flag(include_distances)? })
    }
}

/// Anything with `__index__` that fits 32 bits; every integer of Annoy's interface is one.
pub(super) fn int32(value: &Bound<'_, PyAny>) -> PyResult<i32> {
    let wide: i64 = value.extract()?;
    i32::try_from(wide).map_err(|_| {
        errors::overflow(if wide > 0 {
            "signed integer is greater than maximum"
        } else {
            "signed integer is less than minimum"
        })
    })
}

/// The id of an item.
pub(super) fn item(value: &Bound<'_, PyAny>) -> PyResult<u32> {
    item_id(int32(value)?.into())
}

/// An id that was read as a wide integer.
pub(super) fn item_id(value: i64) -> PyResult<u32> {
    if value < 0 {
        Err(errors::negative_item())
    } else if value > i32::MAX.into() {
        Err(errors::overflow("signed integer is greater than maximum"))
    } else {
        Ok(value as u32)
    }
}

/// `n_trees` or `n_jobs`: -1 leaves the number to linjin, otherwise it is at least 1.
pub(super) fn count(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    match int32(value)? {
        -1 => Ok(None),
        number if number >= 1 => Ok(Some(number as usize)),
        number => Err(wrong_value(format!("{name} has to be -1 or at least 1, got {number}"))),
    }
}

/// `n_jobs`, which is -1 if left out.
pub(super) fn n_jobs(given: &Given<'_, '_>) -> PyResult<Option<usize>> {
    given.0.as_ref().map_or(Ok(None), |value| count("n_jobs", value))
}

/// A flag, which Annoy reads as an integer; false if left out.
pub(super) fn flag(given: &Given<'_, '_>) -> PyResult<bool> {
    given.0.as_ref().map_or(Ok(false), |value| Ok(truth(value)? != 0))
}

/// `prefault`, which Annoy reads as a byte.
pub(super) fn prefault(given: &Given<'_, '_>) -> PyResult<bool> {
    match given.0.as_ref().map_or(Ok(0), |value| truth(value))? {
        0 => Ok(false),
        1..=255 => Ok(true),
        256.. => Err(errors::overflow("unsigned byte integer is greater than maximum")),
        _ => Err(errors::overflow("unsigned byte integer is less than minimum")),
    }
}

/// An integer, or a NumPy boolean, which is not an integer for Python.
pub(super) fn truth(value: &Bound<'_, PyAny>) -> PyResult<i32> {
    int32(value).or_else(|refusal| value.extract().map(bool::into).map_err(|_| refusal))
}

/// The dimension `f`.
pub(super) fn dimension(value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let f = int32(value)?;
    usize::try_from(f).map_err(|_| wrong_value(format!("f must not be negative, got {f}")))
}

/// The name of a metric.
pub(super) fn metric(value: &Bound<'_, PyAny>) -> PyResult<Metric> {
    let name = value
        .cast::<PyString>()
        .map_err(|_| wrong_type(format!("metric must be str, not {}", type_name(value))))?;
    name.to_str()?.parse().map_err(|_| wrong_value("No such metric"))
}

/// The radius as float32, rounded so that exactly the float32 distances within `value` are within the result.
pub(super) fn radius(value: &Bound<'_, PyAny>, metric: Metric) -> PyResult<f32> {
    let exact: f64 = value.extract()?;
    if exact.is_nan() {
        return Err(wrong_value("radius must be a number, got nan"));
    }
    let near = exact as f32;
    let error = f64::from(near) - exact;
    Ok(match metric {
        Metric::Dot if error < 0.0 => near.next_up(),
        Metric::Dot => near,
        _ if error > 0.0 => near.next_down(),
        _ => near,
    })
}
