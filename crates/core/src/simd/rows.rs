//! Sums of table look-ups over rows of 4-bit codes that lie apart: the layout and the specification.
//!
//! A row is made of eight bytes for every [`CHUNK`] codes: byte j of the eight has the chunk's code j in its low half and
//! code j+8 in its high half. The 16 bytes at `16 * c` of a table are the addends of the sixteen values of code `c`. So
//! one look-up instruction with a table of 128 bytes serves eight codes of eight rows, and the sums of eight bytes each
//! that follow it are those of the rows.

/// Codes in eight bytes.
pub(crate) const CHUNK: usize = 16;
/// Bytes of a chunk in a row, and in a table.
pub(super) const ROW: usize = 8;
pub(super) const TABLE: usize = 256;

/// The most chunks: the sum of so many codes' addends fits into 16 bits.
const MOST_CHUNKS: usize = 16;

/// Panics unless every row has as many codes as `table`, in whole chunks and not too many.
pub(super) fn check(table: &[u8], rows: &[&[u8]], sums: &[u32]) {
    assert!(table.len().is_multiple_of(TABLE) && table.len() <= MOST_CHUNKS * TABLE);
    assert_eq!(rows.len(), sums.len());
    assert!(rows.iter().all(|row| row.len() / ROW == table.len() / TABLE && row.len().is_multiple_of(ROW)));
}

/// The specification of the sums.
pub(super) fn lut_rows(table: &[u8], rows: &[&[u8]], sums: &mut [u32]) {
    check(table, rows, sums);
    let tables = table.as_chunks::<TABLE>().0;
    for (row, sum) in rows.iter().zip(sums) {
        let chunks = row.as_chunks::<ROW>().0.iter().zip(tables);
        *sum = chunks
            .map(|(bytes, table)| {
                let addend = |code: usize, value: u8| u32::from(table[16 * code + usize::from(value)]);
                let both = |(j, &byte): (usize, &u8)| addend(j, byte & 15) + addend(j + ROW, byte >> 4);
                bytes.iter().enumerate().map(both).sum::<u32>()
            })
            .sum();
    }
}
