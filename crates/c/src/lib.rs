//! linjin for C, and for every language that can call C.
//!
//! | file | duty |
//! | --- | --- |
//! | `lib.rs` | the functions |
//! | `types.rs` | what stands in the header besides them |
//! | `status.rs` | which code each error is, its words, and panics that do not get out |
//! | `memory.rs` | memory of the caller's: the only room with `unsafe` blocks |
//!
//! `include/linjin.h` is what C sees of it.

#![expect(unsafe_code, reason = "functions have names for C; blocks are in memory.rs alone")]

mod memory;
mod status;
mod types;

use std::ffi::{c_char, c_float, c_int};

use linjin::index::error::UpdateError;
use linjin::index::{Add, Effort, Filter, Filters, Index, Search, Vector, Vectors};
use linjin_columns::{Beside, Described};

use memory::{elements, elements_mut, handle, text};
use status::{Failure, guarded};
pub use types::{linjin_index, linjin_metric, linjin_search_options, linjin_status};

/// The version of linjin, as text that stays.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// What went wrong in the last call of this thread that failed, in words; valid until its next call that fails. NULL if none
/// has failed.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_last_error() -> *const c_char {
    status::last()
}

/// Options for the `k` closest, at a recall of 0.95, with one thread for each core.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_search_defaults(k: usize) -> linjin_search_options {
    linjin_search_options::of(k)
}

/// Makes an empty index for vectors of `dim` values (bits, for hamming), from 1 to 65535, and puts it into `*index`. `metric`
/// is one of linjin_metric.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_new(
    dim: usize,
    metric: c_int,
    index: Option<&mut *mut linjin_index>,
) -> linjin_status {
    guarded(|| {
        let place = index.ok_or(Failure::Null("index"))?;
        *place =
            linjin_index::boxed(Index::new(dim, linjin_metric::of(metric).ok_or(Failure::Metric(metric))?)?);
        Ok(())
    })
}

/// Maps the index file `path` (UTF-8) and puts the index into `*index`: about a millisecond at any size.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_open(path: *const c_char, index: Option<&mut *mut linjin_index>) -> linjin_status {
    guarded(|| {
        let place = index.ok_or(Failure::Null("index"))?;
        *place = linjin_index::boxed(Index::open(text(path, "path")?)?);
        Ok(())
    })
}

/// Writes the index to the file `path` (UTF-8): at any moment there is the old file or the whole new one.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_save(index: *const linjin_index, path: *const c_char) -> linjin_status {
    guarded(|| Ok(handle(index)?.save(text(path, "path")?)?))
}

/// Lets go of an index; NULL is none.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_free(index: *mut linjin_index) {
    memory::free(index);
}

/// How many vectors there are; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_len(index: *const linjin_index) -> usize {
    handle(index).map_or(0, Index::len)
}

/// Values in a vector; bits, for hamming; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_dim(index: *const linjin_index) -> usize {
    handle(index).map_or(0, Index::dim)
}

/// Whether there is a vector with this id; false, too, where the file under the index is damaged: `linjin_get` says that.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_contains(index: *const linjin_index, id: u64) -> bool {
    handle(index).is_ok_and(|index| index.contains(id).is_ok_and(|there| there))
}

/// Adds `n` vectors of `dim` floats each, one behind the other. `ids` are `n` ids, or NULL for the numbers that follow the
/// largest id there ever was; with `replace` a vector takes the place of the one that has its id. The ids go to `added`, `n` of
/// them, unless that is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_add(
    index: *const linjin_index,
    vectors: *const c_float,
    n: usize,
    ids: *const u64,
    replace: bool,
    added: *mut u64,
) -> linjin_status {
    guarded(|| {
        let index = handle(index)?;
        let values = elements(vectors, memory::product(n, index.dim())?, "vectors")?;
        add(index, Vectors::Floats(values), n, ids, replace, added)
    })
}

/// The same for hamming: `n` vectors of `(dim + 7) / 8` bytes each, bit `i` being bit `i % 8` of byte `i / 8`.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_add_bits(
    index: *const linjin_index,
    vectors: *const u8,
    n: usize,
    ids: *const u64,
    replace: bool,
    added: *mut u64,
) -> linjin_status {
    guarded(|| {
        let index = handle(index)?;
        let bytes = elements(vectors, memory::product(n, index.dim().div_ceil(8))?, "vectors")?;
        add(index, Vectors::Bits(bytes), n, ids, replace, added)
    })
}

fn add(
    index: &Index,
    vectors: Vectors<'_>,
    n: usize,
    ids: *const u64,
    replace: bool,
    added: *mut u64,
) -> Result<(), Failure> {
    let ids = if ids.is_null() { None } else { Some(elements(ids, n, "ids")?) };
    let options = Add { replace, ..Add::default() };
    let found =
        Beside::default().add(index, vectors, ids, Described::Not, &options).map_err(UpdateError::from)?;
    if !added.is_null() {
        elements_mut(added, n, "added")?.copy_from_slice(&found); // perhaps over the ids that were given
    }
    Ok(())
}

/// Removes the vectors with these ids, all or none.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_remove(index: *const linjin_index, ids: *const u64, n: usize) -> linjin_status {
    // What is known of the items goes with them.
    let gone = |index, ids| Beside::default().remove(index, ids).map_err(UpdateError::from);
    guarded(|| Ok(gone(handle(index)?, elements(ids, n, "ids")?)?))
}

/// Copies the vector with this id to `vector`, `dim` floats.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_get(index: *const linjin_index, id: u64, vector: *mut c_float) -> linjin_status {
    guarded(|| {
        let index = handle(index)?;
        match index.get(id)?.ok_or(Failure::Unknown(id))? {
            Vector::Floats(values) => {
                elements_mut(vector, index.dim(), "vector")?.copy_from_slice(&values);
                Ok(())
            }
            Vector::Bits(_) => Err(Failure::Bits),
        }
    })
}

/// Finds the closest vectors to each of `n` queries of `dim` floats. `ids` and `distances` have room for `n * k` each, `k` a
/// query, closest first; behind the last hit of a query stand UINT64_MAX and infinity. `counts` takes how many hits each
/// query has, `n` of them; `distances` and `counts` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_search(
    index: *const linjin_index,
    queries: *const c_float,
    n: usize,
    options: Option<&linjin_search_options>,
    ids: *mut u64,
    distances: *mut c_float,
    counts: *mut usize,
) -> linjin_status {
    guarded(|| {
        let index = handle(index)?;
        let values = elements(queries, memory::product(n, index.dim())?, "queries")?;
        search(index, Vectors::Floats(values), n, options, (ids, distances, counts))
    })
}

/// The same for hamming: queries of `(dim + 7) / 8` bytes each.
#[unsafe(no_mangle)]
pub extern "C" fn linjin_search_bits(
    index: *const linjin_index,
    queries: *const u8,
    n: usize,
    options: Option<&linjin_search_options>,
    ids: *mut u64,
    distances: *mut c_float,
    counts: *mut usize,
) -> linjin_status {
    guarded(|| {
        let index = handle(index)?;
        let bytes = elements(queries, memory::product(n, index.dim().div_ceil(8))?, "queries")?;
        search(index, Vectors::Bits(bytes), n, options, (ids, distances, counts))
    })
}

fn search(
    index: &Index,
    queries: Vectors<'_>,
    n: usize,
    options: Option<&linjin_search_options>,
    (ids, distances, counts): (*mut u64, *mut c_float, *mut usize),
) -> Result<(), Failure> {
    let options = options.ok_or(Failure::Null("options"))?;
    let cells = memory::product(n, options.k)?;
    let set = |ids: *const u64, n: usize, name| -> Result<Option<Filter>, Failure> {
        if ids.is_null() { Ok(None) } else { Ok(Some(Filter::Ids(elements(ids, n, name)?.to_vec()))) }
    };
    let filter = set(options.filter, options.n_filter, "filter")?;
    let exclude = set(options.exclude, options.n_exclude, "exclude")?;
    let effort = match *options {
        linjin_search_options { exact: true, .. } => Effort::Exact,
        linjin_search_options { ef, .. } if ef > 0 => Effort::Ef(ef),
        linjin_search_options { recall, .. } => Effort::Recall(recall),
    };
    let ask = Search {
        effort,
        filter: filter.as_ref().map(Filters::Same),
        exclude: exclude.as_ref().map(Filters::Same),
        threads: (options.threads > 0).then_some(options.threads),
        ..Search::new(options.k)
    };
    if ids.is_null() && cells > 0 {
        return Err(Failure::Null("ids"));
    }
    let found = index.search_many(queries, &ask)?;
    elements_mut(ids, cells, "ids")?.copy_from_slice(&found.ids);
    if !distances.is_null() {
        elements_mut(distances, cells, "distances")?.copy_from_slice(&found.distances);
    }
    if !counts.is_null() {
        elements_mut(counts, n, "counts")?.copy_from_slice(&found.counts);
    }
    Ok(())
}
