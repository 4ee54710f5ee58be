//! Inner products of whole numbers of two bytes in the registers of any vector instruction set.

use super::shorts::{ROWS, SHORTS, check};

/// Sums in the registers of one instruction set.
///
/// # Safety
///
/// Every method may be called only where the CPU has that instruction set.
pub(super) trait ShortSums: Copy {
    unsafe fn zero() -> Self;
    /// `self` and the products of the numbers of a query and a row, each in one of the sums.
    unsafe fn add_products(self, query: &[i16; SHORTS], row: &[i16; SHORTS]) -> Self;
    unsafe fn sum(self) -> i32;
}

/// `dot_shorts` in registers.
///
/// # Safety
///
/// As for [`ShortSums`]. It is inlined into a function that enables the instruction set, and must be.
#[inline(always)]
pub(super) unsafe fn dots<S: ShortSums>(query: &[i16], fours: &[i16], out: &mut [i32]) {
    check(query, fours, out);
    let query = query.as_chunks().0;
    let fours = fours.as_chunks().0.as_chunks::<ROWS>().0.chunks_exact(query.len());
    for (four, out) in fours.zip(out.as_chunks_mut::<ROWS>().0) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [S::zero(); ROWS];
            for (some, rows) in query.iter().zip(four) {
                for row in 0..ROWS {
                    sums[row] = sums[row].add_products(some, &rows[row]);
                }
            }
            for row in 0..ROWS {
                out[row] = sums[row].sum();
            }
        }
    }
}
