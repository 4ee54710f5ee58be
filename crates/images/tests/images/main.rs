//! Collections, through the public door, on pictures that the tests draw.
//!
//! | file | what it holds down |
//! | --- | --- |
//! | `incremental.rs` | new, changed, moved, copied and removed files |
//! | `files.rs` | formats, wrong suffixes, orientation, dates |
//! | `hostile.rs` | bombs, truncated and foreign files: a reason each, and the rest goes on |
//! | `search.rs` | like this, and unlike that; filters |
//! | `duplicates.rs` | copies of one picture, and what is none |
//! | `models.rs` | models in ONNX that the tests write, for pictures and for words |
//! | `int8.rs` | models that are imported in 8-bit whole numbers |
//! | `onnx.rs` | how models are written |
//! | `kill.rs` | indexing killed at any moment |

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

mod duplicates;
mod files;
mod hostile;
mod incremental;
mod int8;
mod kill;
mod models;
mod onnx;
mod search;

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, Rgb, RgbImage};
use linjin_images::{Collection, Descriptor, Hit, IndexOptions, Query, Report, Term};
use tempfile::TempDir;

/// An empty folder for pictures.
struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    /// A drawn picture as a JPEG file.
    fn draw(&self, name: &str, seed: u64) {
        self.write(name, jpeg(&drawing(seed, 320, 240), 90));
    }

    fn collection(&self) -> Collection {
        Collection::create(self.folder.path(), None).unwrap()
    }

    /// Indexes with the built-in descriptor.
    fn index(&self) -> Report {
        self.collection().index(&Descriptor, &IndexOptions::default()).unwrap()
    }

    /// Paths of the pictures most like the file with this name, itself left out.
    fn like(&self, name: &str, k: usize) -> Vec<String> {
        let pictures = self.collection();
        let picture = pictures.picture_at(&self.path(name)).unwrap().unwrap();
        names(&pictures.search(&Query::new(vec![(1.0, Term::Picture(picture))], k), None).unwrap())
    }
}

/// The first file of each hit.
fn names(hits: &[Hit]) -> Vec<String> {
    hits.iter().map(|hit| name(&hit.files[0].path)).collect()
}

fn name(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Marsaglia's xorshift.
fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// A picture with a shaded ground, discs, bars and a fine pattern, different for each seed.
fn drawing(seed: u64, width: u32, height: u32) -> RgbImage {
    let mut next = dice(seed + 1);
    for _ in 0..20 {
        next();
    }
    let mut share = move || (next() >> 40) as f32 / (1 << 24) as f32;
    let mut colour = {
        let mut draw = dice(seed + 77);
        move || [0; 3].map(|_: i32| (draw() >> 20) as u8 as f32)
    };
    let ground = [colour(), colour(), colour()];
    let shapes: Vec<_> = (0..9)
        .map(|_| (share() > 0.5, share(), share(), 0.05 + share() * 0.2, 0.03 + share() * 0.12, colour()))
        .collect();
    let (waves, angle, depth) = (4.0 + share() * 30.0, share() * 3.0, share() * 20.0);
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
        let mut rgb = [0, 1, 2]
            .map(|i| ground[0][i] * (1.0 - u) * (1.0 - v) + ground[1][i] * u + ground[2][i] * v * (1.0 - u));
        for &(disc, at_x, at_y, w, h, fill) in &shapes {
            let (dx, dy) = (u - at_x, v - at_y);
            if if disc { dx * dx + dy * dy < w * w } else { dx.abs() < w && dy.abs() < h } {
                rgb = fill;
            }
        }
        let wave = ((u * angle.cos() + v * angle.sin()) * waves * std::f32::consts::TAU).sin() * depth;
        Rgb(rgb.map(|value| (value + wave).clamp(0.0, 255.0) as u8))
    })
}

fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    bytes
}

/// A PNG file with this EXIF block, if any.
fn png(image: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder.write_image(image, image.width(), image.height(), image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// An EXIF block with an orientation, a camera and a date.
fn exif(orientation: u16, maker: &str, model: &str, taken: &str) -> Vec<u8> {
    let texts: Vec<Vec<u8>> = [maker, model, taken].map(|text| [text.as_bytes(), b"\0"].concat()).to_vec();
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    let entries = 4_u16;
    let mut at = 8 + 2 + u32::from(entries) * 12 + 4;
    block.extend(entries.to_le_bytes());
    let mut entry = |tag: u16, kind: u16, count: u32, value: u32| {
        block.extend(tag.to_le_bytes());
        block.extend(kind.to_le_bytes());
        block.extend(count.to_le_bytes());
        block.extend(value.to_le_bytes());
    };
    // Maker, model, orientation, date: by ascending tag.
    for (tag, text) in [(0x010F_u16, 0), (0x0110, 1)] {
        entry(tag, 2, texts[text].len() as u32, at);
        at += texts[text].len() as u32;
    }
    entry(0x0112, 3, 1, u32::from(orientation));
    entry(0x0132, 2, texts[2].len() as u32, at);
    block.extend([0; 4]);
    block.extend(texts.concat());
    block
}
