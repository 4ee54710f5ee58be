//! Whether a JPEG file holds all of its picture: the decoder would fill what is missing with grey.

/// Whether the end of the picture follows its last scan. Walks the segments, so that the end of a thumbnail inside does
/// not count.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some((marker, after)) = marker(bytes, at) {
        match marker {
            END_OF_IMAGE => return true,
            // Standing alone: TEM, restarts.
            0x01 | 0xD0..=0xD7 => at = after,
            _ => {
                let Some(&[high, low]) = bytes.get(after..after + 2) else { return false };
                // After the header of a scan come its codes, in which the next marker is looked for.
                at = after + (usize::from(high) << 8 | usize::from(low)).max(2);
            }
        }
    }
    false
}

const END_OF_IMAGE: u8 = 0xD9;

/// The first marker at or behind `at`, and where it ends. A zero behind 0xFF is data, more 0xFF are filling.
fn marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)? + 1;
        match *bytes.get(at)? {
            0x00 | 0xFF => {}
            marker => return Some((marker, at + 1)),
        }
    }
}
