//! The class `Filter`: a set of ids, read once for many searches.

use std::sync::Arc;

use linjin::index::Filter as Set;
use pyo3::prelude::*;

use super::sets;

/// A set of ids, read once, to be given to many searches as `filter` or `exclude`.
///
/// `ids` is what those take for one set: an array or any iterable of ids, or a mask, a bool array that is true at the ids of the set.
/// It is copied, and does not change. A search that gets it need not read 8 bytes an id, or one for each id of a mask, which can take
/// longer than the search itself. Ids that lie far apart, less than one in 256, are put into a table for each search all the same.
///
/// An index of names takes a list of names each time, and expressions on columns are read once anyway.
///
/// Raises TypeError for what is no set of ids, ValueError for a negative id.
///
///     cheap = linjin.Filter(prices < 30)
///     index.search(queries[0], filter=cheap)
///     index.search(queries[1], filter=cheap)
#[pyclass(name = "Filter", module = "linjin", frozen)]
pub(crate) struct Filter {
    pub(super) set: Arc<Set>,
}

#[pymethods]
impl Filter {
    #[new]
    #[pyo3(signature = (ids, /))]
    fn new(ids: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { set: Arc::new(sets::set(ids)?) })
    }

    fn __repr__(&self) -> String {
        match &*self.set {
            Set::Ids(ids) => format!("<linjin.Filter of {} ids>", ids.len()),
            Set::Mask(words) => {
                let ids: u64 = words.iter().map(|word| u64::from(word.count_ones())).sum();
                format!("<linjin.Filter of {ids} ids>")
            }
        }
    }
}
