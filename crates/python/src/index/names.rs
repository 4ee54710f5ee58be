//! Items out of Python objects, by their numbers or by their names, and names back.

use linjin::index::{Filter, NO_ID, Notes, Snapshot};
use linjin_columns::{Beside, BesideError, Columns};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyString, PyTuple};

use super::errors;
use super::filter::Filter as AtHand;
use super::sets::{self, Each, Ids, Sets};
use crate::arrays;
use crate::errors::wrong_type;

/// What a caller calls items.
pub(super) enum Items {
    Numbers(Ids),
    Names {
        names: Vec<String>,
        /// Whether it was one on its own.
        single: bool,
    },
}

impl Items {
    /// The items that an object speaks of: an id or a name, an array or any iterable of these.
    pub(super) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(name) = object.cast::<PyString>() {
            return Ok(Self::Names { names: vec![name.extract()?], single: true });
        }
        let object = listed(object)?;
        match strings(&object)? {
            Some(names) => Ok(Self::Names { names, single: false }),
            None => sets::ids(&object).map(Self::Numbers),
        }
    }

    /// Their numbers in this index. A name that no item has is a `KeyError`.
    pub(super) fn numbers(self, py: Python<'_>, beside: &Beside, index: &Snapshot) -> PyResult<Ids> {
        let notes = index.notes();
        let named = !notes.is_empty() && py.detach(|| beside.has_names(notes)).map_err(errors::beside)?;
        match self {
            Self::Numbers(Ids::Many(ids)) if ids.is_empty() => Ok(Ids::Many(ids)),
            Self::Numbers(_) if named => Err(errors::beside(BesideError::numbers_for_names())),
            Self::Numbers(ids) => Ok(ids),
            Self::Names { names, single } => {
                let ids = py.detach(|| beside.ids_of(index, &names)).map_err(errors::beside)?;
                Ok(match (single, ids.as_slice()) {
                    (true, &[id]) => Ids::One(id),
                    _ => Ids::Many(ids),
                })
            }
        }
    }
}

/// What `filter` or `exclude` says: an expression, or sets of numbers or names.
pub(super) fn sets(object: &Bound<'_, PyAny>, beside: &Beside, notes: &Notes) -> PyResult<Sets> {
    let py = object.py();
    if let Ok(expression) = object.cast::<PyString>() {
        let expression: String = expression.extract()?;
        let filter = py.detach(|| beside.filter(notes, &expression)).map_err(errors::beside)?;
        return Ok(Sets::Shared(filter));
    }
    if notes.is_empty() {
        return sets::sets(object);
    }
    if !py.detach(|| beside.has_names(notes)).map_err(errors::beside)? {
        return sets::sets(object);
    }
    if object.is_instance_of::<AtHand>() {
        return Err(errors::beside(BesideError::numbers_for_names()));
    }
    let columns = py.detach(|| beside.of(notes)).map_err(errors::beside)?;
    let object = listed(object)?;
    if let Some(names) = strings(&object)? {
        return Ok(Sets::Same(known(&columns, &names)));
    }
    let (mut filters, mut absent) = (Vec::new(), Vec::new());
    for entry in object.try_iter()? {
        let entry = entry?;
        absent.push(entry.is_none());
        let names = if entry.is_none() {
            Some(Vec::new())
        } else if entry.is_instance_of::<AtHand>() {
            None
        } else {
            strings(&listed(&entry)?)?
        };
        let Some(names) = names else { return Err(errors::beside(BesideError::numbers_for_names())) };
        filters.push(known(&columns, &names));
    }
    if filters.is_empty() {
        return Ok(Sets::Same(Filter::Ids(Vec::new())));
    }
    Ok(Sets::Each(Each { sets: filters, absent }))
}

/// The items with these names; others mean nothing.
fn known(columns: &Columns, names: &[String]) -> Filter {
    Filter::Ids(names.iter().filter_map(|name| columns.id_of(name)).collect())
}

/// The names of items, an array of str; None where there is no item.
pub(super) fn array<'py>(
    py: Python<'py>,
    columns: &Columns,
    ids: impl Iterator<Item = u64>,
) -> PyResult<Bound<'py, PyAny>> {
    let names: Vec<Option<&str>> =
        ids.map(|id| (id != NO_ID).then(|| columns.name_of(id)).flatten()).collect();
    py.import("numpy")?.call_method1("array", (names, "object"))
}

/// The object, or a list of what it hands out where it does so only once, or in pieces.
fn listed<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let as_it_is = object.is_instance_of::<PyInt>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
        || object.hasattr("__array__")?
        || object.hasattr("to_array")?
        || object.hasattr("__index__")?;
    if as_it_is {
        return Ok(object.clone());
    }
    Ok(PyList::new(object.py(), object.try_iter()?.collect::<PyResult<Vec<_>>>()?)?.into_any())
}

/// The strings of a list or an array of them; nothing of what begins with something else.
fn strings(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<String>>> {
    let list = if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        object.clone()
    } else if object.hasattr("__array__")? {
        let array: Bound<'_, PyUntypedArray> = arrays::array(object)?;
        if !matches!(array.dtype().kind(), b'U' | b'T' | b'O') || array.ndim() != 1 {
            return Ok(None);
        }
        array.call_method0("tolist")?
    } else {
        return Ok(None);
    };
    if list.len()? == 0 || !list.get_item(0)?.is_instance_of::<PyString>() {
        return Ok(None);
    }
    let names = list.try_iter()?.map(|name| {
        let name = name?;
        name.extract::<String>()
            .map_err(|_| wrong_type(format!("names are strings, not {}", name.get_type())))
    });
    names.collect::<PyResult<_>>().map(Some)
}
