//! Which code each error is, its words, and panics that do not get out.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use linjin::index::error::{BuildError, OpenError, SearchError, UpdateError};

use crate::types::linjin_status;

thread_local! {
    static LAST: RefCell<Option<CString>> = const { RefCell::new(None) };
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Null(&'static str),
    Metric(c_int),
    TooMany,
    NotUtf8(&'static str),
    Unknown(u64),
    Bits,
    Build(BuildError),
    Open(OpenError),
    Search(SearchError),
    Update(UpdateError),
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        Self::Search(error)
    }
}

impl From<UpdateError> for Failure {
    fn from(error: UpdateError) -> Self {
        Self::Update(error)
    }
}

impl Failure {
    fn told(self) -> (linjin_status, String) {
        use linjin_status::{LINJIN_FILE, LINJIN_INVALID, LINJIN_IO, LINJIN_UNKNOWN_ID};
        match self {
            Self::Null(name) => (LINJIN_INVALID, format!("{name} is NULL")),
            Self::Metric(number) => {
                (LINJIN_INVALID, format!("there is no metric {number}; linjin_metric has them"))
            }
            Self::TooMany => (LINJIN_INVALID, "more elements than memory can have".to_owned()),
            Self::NotUtf8(name) => (LINJIN_INVALID, format!("{name} is not UTF-8")),
            Self::Unknown(id) => (LINJIN_UNKNOWN_ID, format!("the id {id} is not in the index")),
            Self::Bits => (LINJIN_INVALID, "an index of bits has no floats to give back".to_owned()),
            Self::Build(error) => (LINJIN_INVALID, error.to_string()),
            Self::Open(OpenError::Io(error)) => (LINJIN_IO, error.to_string()),
            Self::Open(error) => (LINJIN_FILE, error.to_string()),
            Self::Search(error @ SearchError::Damaged { .. }) => (LINJIN_FILE, error.to_string()),
            Self::Search(error) => (LINJIN_INVALID, error.to_string()),
            Self::Update(error @ UpdateError::Unknown { .. }) => (LINJIN_UNKNOWN_ID, error.to_string()),
            Self::Update(error @ UpdateError::Damaged { .. }) => (LINJIN_FILE, error.to_string()),
            Self::Update(error) => (LINJIN_INVALID, error.to_string()),
        }
    }
}

/// Does the work; whatever goes wrong, also a panic, becomes a code and words.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure>) -> linjin_status {
    // What a panic leaves behind is sound: an index is changed as a whole, at the end of a change.
    let (status, words) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return linjin_status::LINJIN_OK,
        Ok(Err(failure)) => failure.told(),
        Err(_) => (linjin_status::LINJIN_FAULT, "a fault of linjin's own; the index is as it was".to_owned()),
    };
    let words = CString::new(words.replace('\0', " ")).unwrap_or_default();
    LAST.with(|last| *last.borrow_mut() = Some(words));
    status
}

/// The words of the last failure of this thread.
pub(crate) fn last() -> *const c_char {
    LAST.with(|last| last.borrow().as_ref().map_or(std::ptr::null(), |words| words.as_ptr()))
}
