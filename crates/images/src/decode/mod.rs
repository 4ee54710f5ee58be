//! Files into pixels, with limits that are looked at before anything is decoded.
//!
//! | file | duty |
//! | --- | --- |
//! | `format.rs` | what a file holds, by its first bytes |
//! | `exif.rs` | date, camera, orientation |
//! | `jpeg.rs` | whether a JPEG file is whole |

mod exif;
mod format;
mod jpeg;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use crate::error::Refusal;
use crate::pixels::{Orientation, Pixels, Region};
pub use exif::camera_notes;
pub use format::Format;

/// What is decoded and what is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pixels of a picture.
    pub pixels: u64,
    /// Bytes of a file.
    pub bytes: u64,
}

/// A file up to this size is read once, into memory; larger ones are streamed. The decoder of JPEG wants all in memory,
/// so larger JPEG files are refused; 100 megapixels at the best quality are about as large.
const IN_MEMORY: u64 = 48 << 20;
/// Above this many pixels a picture needs some bytes for them: so many pixels a byte are a bomb. Flat PNG files reach 340
/// (grey ones a thousand), photographs 30.
const BOMB_PIXELS: u64 = 16_000_000;
const BOMB_PIXELS_A_BYTE: u64 = 250;
/// Pictures with more pixels are decoded one at a time, so that many threads do not need many times the memory.
const ALONE: u64 = 24_000_000;
/// What is kept of a picture: its shorter side in pixels, and the longer one at most. Models look at 224 to 384.
const SHORT: u32 = 512;
const LONG: u32 = 2048;

impl Default for Limits {
    /// 100 megapixels and 256 MiB.
    fn default() -> Self {
        Self { pixels: 100_000_000, bytes: 256 << 20 }
    }
}

/// A picture out of a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Picture {
    /// The picture upright, its shorter side made no longer than 512 pixels.
    pub pixels: Pixels,
    /// Pixels in a row of the file's picture, upright.
    pub width: u32,
    /// Rows of the file's picture, upright.
    pub height: u32,
    /// What the file holds.
    pub format: Format,
    /// When it was taken, by the camera: local time, `YYYY-MM-DDTHH:MM:SS`.
    pub taken: Option<String>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
}

impl Picture {
    /// The picture in a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is no picture, is damaged, or breaks `limits`.
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, Refusal> {
        Source::open(path.as_ref(), limits)?.decode(limits, None)
    }

    /// A part of the picture in a file that is open, or all of it. The part is cut out of all pixels, before they are made
    /// fewer; width and height are those of the whole picture.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn from_file(file: File, part: Option<Region>, limits: &Limits) -> Result<Self, Refusal> {
        Source::from_file(file, limits)?.decode(limits, part)
    }

    /// A part of the picture in the bytes of a file, or all of it, as [`from_file`](Self::from_file).
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn from_bytes(bytes: Vec<u8>, part: Option<Region>, limits: &Limits) -> Result<Self, Refusal> {
        Source::from_bytes(bytes, limits)?.decode(limits, part)
    }
}

/// A file that looks like a picture and is not too large.
#[derive(Debug)]
pub(crate) struct Source {
    format: Format,
    bytes: u64,
    contents: Contents,
}

#[derive(Debug)]
enum Contents {
    Memory(Vec<u8>),
    File(File),
}

impl Source {
    /// Opens a file and looks at its beginning.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self, Refusal> {
        Self::from_file(File::open(path)?, limits)
    }

    /// Looks at the beginning of a file that is open.
    fn from_file(mut file: File, limits: &Limits) -> Result<Self, Refusal> {
        let bytes = file.metadata()?.len();
        let mut head = Vec::with_capacity(format::HEAD);
        file.by_ref().take(format::HEAD as u64).read_to_end(&mut head)?;
        let format = check(&head, bytes, limits)?;
        file.rewind()?;
        let contents = if bytes <= IN_MEMORY {
            // One byte more is asked for, to see a file that grows meanwhile.
            let mut contents = Vec::with_capacity(bytes as usize + 1);
            file.take(IN_MEMORY + 1).read_to_end(&mut contents)?;
            if contents.len() as u64 != bytes {
                return Err(Refusal::Truncated);
            }
            Contents::Memory(contents)
        } else {
            Contents::File(file)
        };
        Ok(Self { format, bytes, contents })
    }

    /// Looks at the beginning of a file in memory.
    pub(crate) fn from_bytes(contents: Vec<u8>, limits: &Limits) -> Result<Self, Refusal> {
        let bytes = contents.len() as u64;
        let format = check(&contents[..contents.len().min(format::HEAD)], bytes, limits)?;
        Ok(Self { format, bytes, contents: Contents::Memory(contents) })
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// BLAKE3 of the file.
    pub(crate) fn hash(&mut self) -> Result<[u8; 32], Refusal> {
        Ok(match &mut self.contents {
            Contents::Memory(bytes) => *blake3::hash(bytes).as_bytes(),
            Contents::File(file) => {
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(&mut *file)?;
                file.rewind()?;
                *hasher.finalize().as_bytes()
            }
        })
    }

    /// The picture.
    pub(crate) fn decode(self, limits: &Limits, part: Option<Region>) -> Result<Picture, Refusal> {
        let Self { format, bytes, contents } = self;
        // A decoder that panics on a strange file has found a damaged file.
        let decoded = catch_unwind(AssertUnwindSafe(|| match contents {
            Contents::Memory(contents) => {
                if format == Format::Jpeg && !jpeg::is_whole(&contents) {
                    return Err(Refusal::Truncated);
                }
                decode(Cursor::new(contents), format, bytes, limits, part)
            }
            Contents::File(file) => {
                decode(BufReader::with_capacity(1 << 16, file), format, bytes, limits, part)
            }
        }));
        decoded.unwrap_or_else(|_| {
            Err(Refusal::Damaged { format: format.name(), what: "the decoder gave up".to_owned() })
        })
    }
}

/// The format of a file with this beginning, if it may be read.
fn check(head: &[u8], bytes: u64, limits: &Limits) -> Result<Format, Refusal> {
    if bytes == 0 {
        return Err(Refusal::Empty);
    }
    let format = format::sniff(head).map_err(|found| Refusal::Foreign { found })?;
    let limit = if format == Format::Jpeg { limits.bytes.min(IN_MEMORY) } else { limits.bytes };
    if bytes > limit {
        return Err(Refusal::FileTooLarge { bytes, limit, format: format.name() });
    }
    Ok(format)
}

fn decode(
    contents: impl BufRead + Seek,
    format: Format,
    bytes: u64,
    limits: &Limits,
    part: Option<Region>,
) -> Result<Picture, Refusal> {
    let failed = |error: ImageError| refusal(error, format);
    let mut decoder = ImageReader::with_format(contents, format.decoder()).into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(Refusal::TooManyPixels { width, height, limit: limits.pixels });
    }
    if pixels > BOMB_PIXELS && pixels / bytes > BOMB_PIXELS_A_BYTE {
        return Err(Refusal::Bomb { width, height, bytes });
    }
    let mut rules = image::Limits::no_limits();
    // Sixteen bits a channel with alpha, and the decoder's own copies.
    rules.max_alloc = Some(pixels * 16 + (32 << 20));
    decoder.set_limits(rules).map_err(failed)?;
    let facts = decoder.exif_metadata().ok().flatten().map(exif::read).unwrap_or_default();
    let pixels = {
        static ALONE_LOCK: Mutex<()> = Mutex::new(());
        let _one = (pixels > ALONE).then(|| ALONE_LOCK.lock().unwrap_or_else(PoisonError::into_inner));
        let image = DynamicImage::from_decoder(decoder).map_err(failed)?;
        Pixels::new(width, height, flat(image))
            .ok_or_else(|| Refusal::Damaged { format: format.name(), what: "it has no pixels".to_owned() })?
            // Turned first: rounding in the shrinking is not the same in rows and columns.
            .oriented(facts.orientation.unwrap_or(Orientation::Upright))
    };
    let (width, height) = (pixels.width(), pixels.height());
    let pixels = match part {
        Some(part) => pixels.crop(part),
        None => pixels,
    };
    let pixels = pixels.shrunk(SHORT, LONG);
    Ok(Picture { pixels, width, height, format, taken: facts.taken, camera: facts.camera })
}

/// Red, green and blue bytes; what is transparent is laid on white.
fn flat(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_alpha() {
        return image.into_rgb8().into_raw();
    }
    let rgba = image.into_rgba8().into_raw();
    let on_white = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    rgba.chunks_exact(4).flat_map(|rgba| [0, 1, 2].map(|i| on_white(rgba[i], rgba[3]))).collect()
}

/// What a decoder's error means to whoever has the file.
fn refusal(error: ImageError, format: Format) -> Refusal {
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Refusal::Truncated,
        ImageError::IoError(error) => Refusal::Io(error),
        other => Refusal::Damaged { format: format.name(), what: other.to_string() },
    }
}
