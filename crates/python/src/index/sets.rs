//! Ids, filters and exclusions out of Python objects.

use std::sync::Arc;

use linjin::index::Filter;
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyList, PyTuple};

use super::filter::Filter as AtHand;
use crate::arrays;
use crate::errors::{wrong_type, wrong_value};

/// One id, or several.
pub(super) enum Ids {
    One(u64),
    Many(Vec<u64>),
}

impl Ids {
    /// All of them.
    pub(super) fn as_slice(&self) -> &[u64] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

/// The ids that an object holds: an integer, an array of integers of at most one dimension, any iterable of integers.
pub(super) fn ids(object: &Bound<'_, PyAny>) -> PyResult<Ids> {
    if object.is_instance_of::<PyInt>() {
        return id(object).map(Ids::One);
    }
    match as_array(object)? {
        Some(array) => with_ids(&array, |numbers| match array.ndim() {
            0 => Ids::One(numbers[0]),
            _ => Ids::Many(numbers.to_vec()),
        }),
        None => elements(object).map(Ids::Many),
    }
}

/// Whether an object is an id that an index may hold; `None` for a number that no id can be.
pub(super) fn possible_id(object: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    match object.extract::<u64>() {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An integer from 0 to 2**64 - 1.
fn id(object: &Bound<'_, PyAny>) -> PyResult<u64> {
    if object.is_instance_of::<PyBool>() {
        return Err(wrong_type("an id is an integer, not a bool; a mask has to be a NumPy array"));
    }
    possible_id(object)?.ok_or_else(|| wrong_value(format!("an id is from 0 to 2**64 - 2, got {object}")))
}

/// What an iterable hands out.
fn elements(object: &Bound<'_, PyAny>) -> PyResult<Vec<u64>> {
    object.try_iter()?.map(|element| id(&element?)).collect()
}

/// The array that an object is, or makes of itself: NumPy's, pandas', PyArrow's, a bitmap's `to_array()`.
fn as_array<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyUntypedArray>>> {
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return Ok(Some(array.clone()));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return Ok(None);
    }
    if object.hasattr("__array__")? {
        return arrays::array(object).map(Some);
    }
    if object.hasattr("to_array")? {
        return arrays::array(&object.call_method0("to_array")?).map(Some);
    }
    Ok(None)
}

/// What `read` makes of the ids that an array of integers of at most one dimension holds.
fn with_ids<T>(array: &Bound<'_, PyUntypedArray>, read: impl FnOnce(&[u64]) -> T) -> PyResult<T> {
    if array.ndim() > 1 {
        return Err(wrong_value(format!("ids have one dimension, not {}", array.ndim())));
    }
    let dtype = array.dtype();
    match dtype.kind() {
        b'u' => Ok(read(arrays::contiguous::<u64>(array, "uint64")?.as_slice()?)),
        b'i' => {
            let numbers = arrays::contiguous::<i64>(array, "int64")?;
            let numbers = numbers.as_slice()?;
            // All signs at once: one by one they would take longer than a search.
            if numbers.iter().fold(0, |all, number| all | number) < 0
                && let Some(negative) = numbers.iter().find(|number| **number < 0)
            {
                return Err(wrong_value(format!("an id is from 0 to 2**64 - 2, got {negative}")));
            }
            Ok(read(bytemuck::cast_slice(numbers)))
        }
        // Integers beyond 64 bits, or none of NumPy's.
        b'O' => Ok(read(&elements(&array.call_method0("ravel")?)?)),
        // An empty list becomes an array of floats.
        _ if array.is_empty() => Ok(read(&[])),
        _ => Err(wrong_type(format!("ids are integers, not {dtype}"))),
    }
}

/// What `filter` or `exclude` says.
pub(super) enum Sets {
    /// The same for every query.
    Same(Filter),
    /// The same, and at hand already.
    Shared(Arc<Filter>),
    /// One for each query.
    Each(Each),
}

/// A set for each query.
pub(super) struct Each {
    pub(super) sets: Vec<Filter>,
    /// Whether `None` stood for the set, which is empty then.
    pub(super) absent: Vec<bool>,
}

/// A set of ids for all queries, or one for each query.
///
/// One set is an integer, an iterable of integers, a mask, which is an array of bool that is true at the ids of the set, or one of these
/// that was read before. Sets for each query are a list or a tuple of such sets and `None`, or an array with a row for each query.
pub(super) fn sets(object: &Bound<'_, PyAny>) -> PyResult<Sets> {
    if let Ok(filter) = object.cast::<AtHand>() {
        return Ok(Sets::Shared(filter.get().set.clone()));
    }
    if let Some(entries) = entries(object)? {
        let (mut sets, mut absent) = (Vec::new(), Vec::new());
        for entry in entries.try_iter()? {
            let entry = entry?;
            absent.push(entry.is_none());
            sets.push(if entry.is_none() { Filter::Ids(Vec::new()) } else { set(&entry)? });
        }
        return Ok(Sets::Each(Each { sets, absent }));
    }
    set(object).map(Sets::Same)
}

/// The object, if it holds a set for each query and not one for all.
fn entries<'a, 'py>(object: &'a Bound<'py, PyAny>) -> PyResult<Option<&'a Bound<'py, PyAny>>> {
    let several = if let Ok(array) = object.cast::<PyUntypedArray>() {
        array.ndim() == 2
    } else if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        // Of the first element's kind are the others too, or reading them ends in an error.
        !object.is_empty()? && {
            let first = object.get_item(0)?;
            first.is_none() || first.is_instance_of::<AtHand>() || first.try_iter().is_ok()
        }
    } else {
        false
    };
    Ok(several.then_some(object))
}

/// One set.
pub(super) fn set(object: &Bound<'_, PyAny>) -> PyResult<Filter> {
    if let Ok(filter) = object.cast::<AtHand>() {
        return Ok(Filter::clone(&filter.get().set));
    }
    match as_array(object)? {
        Some(array) if array.dtype().kind() == b'b' => mask(&array),
        Some(array) => with_ids(&array, Filter::from_ids),
        None => Ok(Filter::from_ids(ids(object)?.as_slice())),
    }
}

/// The ids at which an array of bool is true.
fn mask(array: &Bound<'_, PyUntypedArray>) -> PyResult<Filter> {
    if array.ndim() != 1 {
        return Err(wrong_value("a mask has one dimension, or two to have a row for each query"));
    }
    // As bytes: what another program wrote into an array of bool may be other than 0 and 1.
    let bytes = array.call_method1("view", ("uint8",))?.cast_into()?;
    Ok(Filter::from_bytes(arrays::contiguous::<u8>(&bytes, "uint8")?.as_slice()?))
}
