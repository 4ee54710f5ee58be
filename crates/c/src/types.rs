//! What stands in the header besides the functions.
#![allow(non_camel_case_types, reason = "the names are C's")]

use std::ffi::{c_float, c_int};

use linjin::index::{DEFAULT_RECALL, Index, Metric};

/// An index; what is in it is nobody's business.
#[derive(Debug)]
pub struct linjin_index(pub(crate) Index);

impl linjin_index {
    /// On the heap, for `linjin_free`.
    pub(crate) fn boxed(index: Index) -> *mut Self {
        Box::into_raw(Box::new(Self(index)))
    }
}

/// How distance is measured; a smaller distance is closer.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub enum linjin_metric {
    /// 1 - cos.
    LINJIN_COSINE = 0,
    /// The length of the difference.
    LINJIN_EUCLIDEAN = 1,
    /// Its square.
    LINJIN_SQEUCLIDEAN = 2,
    /// Minus the inner product.
    LINJIN_DOT = 3,
    /// The sum of absolute differences.
    LINJIN_MANHATTAN = 4,
    /// The share of bits that differ.
    LINJIN_HAMMING = 5,
}

impl linjin_metric {
    /// The metric of this number: C hands over any.
    pub(crate) fn of(number: c_int) -> Option<Metric> {
        Some(match number {
            n if n == Self::LINJIN_COSINE as c_int => Metric::Cosine,
            n if n == Self::LINJIN_EUCLIDEAN as c_int => Metric::Euclidean,
            n if n == Self::LINJIN_SQEUCLIDEAN as c_int => Metric::SqEuclidean,
            n if n == Self::LINJIN_DOT as c_int => Metric::Dot,
            n if n == Self::LINJIN_MANHATTAN as c_int => Metric::Manhattan,
            n if n == Self::LINJIN_HAMMING as c_int => Metric::Hamming,
            _ => return None,
        })
    }
}

/// How a call went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum linjin_status {
    /// Done.
    LINJIN_OK = 0,
    /// An argument does not fit.
    LINJIN_INVALID = 1,
    /// An id is not in the index.
    LINJIN_UNKNOWN_ID = 2,
    /// The operating system said no.
    LINJIN_IO = 3,
    /// A file is no index, is damaged, or was written by a newer linjin.
    LINJIN_FILE = 4,
    /// A fault of linjin's own.
    LINJIN_FAULT = 5,
}

/// How to search; made by linjin_search_defaults, then changed.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct linjin_search_options {
    /// Neighbours of each query.
    pub k: usize,
    /// The share of the true neighbours to find, above 0 and at most 1; unless `ef` or `exact` say otherwise.
    pub recall: c_float,
    /// Keep so many candidates; 0 for what the recall takes.
    pub ef: usize,
    /// Compare every vector.
    pub exact: bool,
    /// Threads for many queries; 0 for one for each core.
    pub threads: usize,
    /// Find only these ids, `n_filter` of them; NULL for all.
    pub filter: *const u64,
    /// How many ids `filter` has.
    pub n_filter: usize,
    /// Do not find these ids, `n_exclude` of them; NULL for none.
    pub exclude: *const u64,
    /// How many ids `exclude` has.
    pub n_exclude: usize,
}

impl linjin_search_options {
    pub(crate) fn of(k: usize) -> Self {
        Self {
            k,
            recall: DEFAULT_RECALL,
            ef: 0,
            exact: false,
            threads: 0,
            filter: std::ptr::null(),
            n_filter: 0,
            exclude: std::ptr::null(),
            n_exclude: 0,
        }
    }
}
