//! Memory of the caller's: the only room with `unsafe` blocks. What the header asks of pointers is what they rest on.
#![expect(unsafe_code, reason = "pointers come from C")]

use std::ffi::{CStr, c_char};
use std::slice;

use linjin::index::Index;

use crate::status::Failure;
use crate::types::linjin_index;

/// The index behind a handle.
pub(crate) fn handle<'a>(index: *const linjin_index) -> Result<&'a Index, Failure> {
    // SAFETY: a handle is NULL or comes from `linjin_index::boxed`, and is not freed while it is in use.
    unsafe { index.as_ref() }.map(|index| &index.0).ok_or(Failure::Null("index"))
}

/// Lets go of the index behind a handle.
pub(crate) fn free(index: *mut linjin_index) {
    if !index.is_null() {
        // SAFETY: it comes from `Box::into_raw` in `linjin_index::boxed`, and is freed once.
        drop(unsafe { Box::from_raw(index) });
    }
}

/// The text behind a pointer.
pub(crate) fn text<'a>(pointer: *const c_char, name: &'static str) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(Failure::Null(name));
    }
    // SAFETY: not NULL, and the caller's texts end in 0 and stay until the call returns.
    unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|_| Failure::NotUtf8(name))
}

/// The `n` elements behind a pointer.
pub(crate) fn elements<'a, T>(pointer: *const T, n: usize, name: &'static str) -> Result<&'a [T], Failure> {
    if n == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::Null(name));
    }
    // SAFETY: not NULL, and the caller's array has `n` elements, which nobody writes to until the call returns.
    Ok(unsafe { slice::from_raw_parts(pointer, n) })
}

/// Room for `n` elements behind a pointer.
pub(crate) fn elements_mut<'a, T>(
    pointer: *mut T,
    n: usize,
    name: &'static str,
) -> Result<&'a mut [T], Failure> {
    if n == 0 {
        return Ok(&mut []);
    }
    if pointer.is_null() {
        return Err(Failure::Null(name));
    }
    // SAFETY: not NULL, and the caller's array has room for `n` elements, which nobody else looks at until the call returns.
    Ok(unsafe { slice::from_raw_parts_mut(pointer, n) })
}

/// `a * b` elements of at most eight bytes, if memory can have so many.
pub(crate) fn product(a: usize, b: usize) -> Result<usize, Failure> {
    a.checked_mul(b).filter(|&n| n <= isize::MAX as usize / 8).ok_or(Failure::TooMany)
}
