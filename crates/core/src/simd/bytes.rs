//! Inner products of whole numbers of a byte: the specification.

/// The result is exact, so the order of the sum does not matter.
#[inline(always)]
pub(super) fn dot_bytes(query: &[i8], rows: &[&[i8]], out: &mut [i32]) {
    assert_eq!(rows.len(), out.len());
    for (row, out) in rows.iter().zip(out) {
        assert_eq!(row.len(), query.len());
        *out = query.iter().zip(*row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
    }
}
