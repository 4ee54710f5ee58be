//! Bytes that say yes or no, as the bits of words: the specification.

/// Of so many bytes each makes a bit of a word.
pub(super) const BITS: usize = 64;

/// Appends a word for each 64 bytes: its bit i is 1 where byte i is not 0. Behind the last byte all bits are 0.
pub(super) fn pack_bits(bytes: &[u8], words: &mut Vec<u64>) {
    let (whole, rest) = bytes.as_chunks::<BITS>();
    words.reserve(whole.len() + 1);
    words.extend(whole.iter().map(|bytes| {
        let eights = bytes.as_chunks::<8>().0.iter().rev();
        eights.fold(0, |word, &eight| word << 8 | bits_of_eight(u64::from_le_bytes(eight)))
    }));
    if !rest.is_empty() {
        words.push(rest.iter().rev().fold(0, |word, &byte| word << 1 | u64::from(byte != 0)));
    }
}

/// A bit for each byte that is not 0, the lowest byte's lowest.
fn bits_of_eight(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The upper bit of each byte, from its other bits by a carry or from itself.
    let upper = (((bytes & (0x7F * ONES)) + 0x7F * ONES) | bytes) & (0x80 * ONES);
    // Eight copies, each shifted so that another byte's bit comes to lie in the upper byte.
    (upper >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
