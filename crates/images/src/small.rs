//! Small copies of pictures, as JPEG files.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::error::Refusal;
use crate::pixels::Pixels;

/// Of 100; blocks are seen on a thumbnail below 75.
const QUALITY: u8 = 80;

impl Pixels {
    /// The bytes of a JPEG file of this picture, with no side longer than `longest` pixels; never enlarged.
    ///
    /// # Errors
    ///
    /// The encoder refused it.
    pub fn jpeg(&self, longest: u32) -> Result<Vec<u8>, Refusal> {
        let small = self.clone().shrunk(longest, longest);
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
            .encode(small.rgb(), small.width(), small.height(), ExtendedColorType::Rgb8)
            .map_err(|error| Refusal::Damaged { format: "JPEG", what: error.to_string() })?;
        Ok(jpeg)
    }
}
