//! Inner products of whole numbers of two bytes: the layout and the specification; and floats as such numbers.

/// Numbers that are multiplied at a time: vectors are filled up to a multiple of it.
pub(crate) const SHORTS: usize = 32;
/// Rows that share what is loaded of a query.
pub(super) const ROWS: usize = 4;

/// Rows in fours: of each four rows the first [`SHORTS`] numbers, then the next, so that they are read as one stream.
pub(crate) fn in_fours(rows: &[Vec<i16>]) -> Vec<i16> {
    let Some(width) = rows.first().map(|row| row.len().next_multiple_of(SHORTS)) else { return Vec::new() };
    let mut fours = vec![0; rows.len().next_multiple_of(ROWS) * width];
    for (i, row) in rows.iter().enumerate() {
        let (four, place) = (i / ROWS, i % ROWS);
        for (c, some) in row.chunks(SHORTS).enumerate() {
            fours[four * ROWS * width + (c * ROWS + place) * SHORTS..][..some.len()].copy_from_slice(some);
        }
    }
    fours
}

/// The specification: the result is exact, modulo 2^32, so the order of the sum does not matter.
pub(super) fn dot_shorts(query: &[i16], fours: &[i16], out: &mut [i32]) {
    check(query, fours, out);
    out.fill(0);
    let per_four = query.len() / SHORTS;
    for (i, numbers) in fours.as_chunks::<SHORTS>().0.iter().enumerate() {
        let (four, chunk, place) = (i / ROWS / per_four, i / ROWS % per_four, i % ROWS);
        let products =
            query[chunk * SHORTS..].iter().zip(numbers).map(|(&a, &b)| i32::from(a) * i32::from(b));
        let out = &mut out[four * ROWS + place];
        *out = products.fold(*out, i32::wrapping_add);
    }
}

pub(super) fn check(query: &[i16], fours: &[i16], out: &[i32]) {
    assert!(!query.is_empty() && query.len().is_multiple_of(SHORTS) && out.len().is_multiple_of(ROWS));
    assert_eq!(Some(fours.len()), query.len().checked_mul(out.len()));
}

/// The closest whole numbers to the values times `scale`, those that lie beyond sixteen bits at their ends. Written once; each
/// backend compiles it for its own instruction set.
#[inline(always)]
pub(super) fn to_shorts(values: &[f32], scale: f32, out: &mut [i16]) {
    assert_eq!(values.len(), out.len());
    for (&value, out) in values.iter().zip(out) {
        let scaled = value * scale;
        let scaled = if scaled < 32_767.0 { scaled } else { 32_767.0 };
        let scaled = if scaled > -32_767.0 { scaled } else { -32_767.0 };
        // SAFETY: neither NaN nor anything beyond sixteen bits passes the comparisons; adding a half cuts off to the closest.
        *out = unsafe { (scaled + 0.5_f32.copysign(scaled)).to_int_unchecked::<i32>() } as i16;
    }
}
