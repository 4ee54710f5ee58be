//! A picture as rows of red, green and blue bytes, and what is done to it before it is described.

use fast_image_resize as fir;
use fast_image_resize::images::{TypedImage, TypedImageRef};

/// Rows of 8-bit sRGB pixels, upright: EXIF orientation has been undone.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({} x {})", self.width, self.height)
    }
}

/// One of the eight ways in which a picture can lie: turned by quarters, mirrored or not. The numbers are EXIF's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Orientation {
    /// 1: as it is.
    Upright = 1,
    /// 2: mirrored left to right.
    Mirrored = 2,
    /// 3: turned by 180 degrees.
    Turned180 = 3,
    /// 4: mirrored top to bottom.
    Flipped = 4,
    /// 5: mirrored along the diagonal from the top left.
    Transposed = 5,
    /// 6: to be turned by 90 degrees clockwise.
    Turned90 = 6,
    /// 7: mirrored along the diagonal from the top right.
    Transversed = 7,
    /// 8: to be turned by 270 degrees clockwise.
    Turned270 = 8,
}

impl Orientation {
    /// All eight, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::Mirrored,
        Self::Turned180,
        Self::Flipped,
        Self::Transposed,
        Self::Turned90,
        Self::Transversed,
        Self::Turned270,
    ];

    /// The one with this EXIF number; numbers that mean nothing are taken for upright, as viewers do.
    pub fn from_exif(number: u32) -> Self {
        Self::ALL.into_iter().find(|&orientation| orientation as u32 == number).unwrap_or(Self::Upright)
    }

    /// Whether width and height change places.
    fn swaps(self) -> bool {
        self as u32 >= 5
    }

    /// Where the pixel at (`x`, `y`) of the result comes from, in a source of `width` by `height`.
    pub(crate) fn source(self, x: u32, y: u32, width: u32, height: u32) -> (u32, u32) {
        let (right, bottom) = (width - 1, height - 1);
        match self {
            Self::Upright => (x, y),
            Self::Mirrored => (right - x, y),
            Self::Turned180 => (right - x, bottom - y),
            Self::Flipped => (x, bottom - y),
            Self::Transposed => (y, x),
            Self::Turned90 => (y, bottom - x),
            Self::Transversed => (right - y, bottom - x),
            Self::Turned270 => (right - y, x),
        }
    }
}

/// A rectangle of a picture, in shares of its width and height from the top left corner.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Region {
    /// Left edge, from 0.
    pub left: f32,
    /// Top edge, from 0.
    pub top: f32,
    /// Right edge, to 1.
    pub right: f32,
    /// Bottom edge, to 1.
    pub bottom: f32,
}

/// Pixels a side of the squares in which a picture is turned.
const TILE: usize = 32;

/// How pixels are weighed when a picture is made smaller.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weighing {
    /// Bicubic, as models are trained with.
    Bicubic,
    /// Plain means, for small copies of which only the mean matters.
    Mean,
}

impl Pixels {
    /// A picture of `width` by `height` pixels; `rgb` holds three bytes for each, row by row from the top left. `None`
    /// when it does not, or when the picture is empty.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let fits = rgb.len() as u64 == u64::from(width) * u64::from(height) * 3;
        (fits && !rgb.is_empty()).then_some(Self { width, height, rgb })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Three bytes a pixel, row by row from the top left.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The part of the picture inside `region`, at least one pixel of it.
    pub fn crop(&self, region: Region) -> Self {
        let span = |from: f32, to: f32, size: u32| {
            let at = |share: f32| (share.clamp(0.0, 1.0) * size as f32).round() as u32;
            let first = at(from).min(size - 1);
            (first, at(to).clamp(first + 1, size))
        };
        let (left, right) = span(region.left, region.right, self.width);
        let (top, bottom) = span(region.top, region.bottom, self.height);
        let mut rgb = Vec::with_capacity(((right - left) * (bottom - top)) as usize * 3);
        for y in top..bottom {
            let start = ((y * self.width + left) * 3) as usize;
            rgb.extend_from_slice(&self.rgb[start..start + ((right - left) * 3) as usize]);
        }
        Self { width: right - left, height: bottom - top, rgb }
    }

    /// The picture in `width` by `height` pixels, whatever its proportions.
    pub(crate) fn resized(&self, width: u32, height: u32, weighing: Weighing) -> Self {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        // Typed: asked for by a value, all fifteen kinds of pixel would be compiled in, which takes minutes.
        let source = TypedImageRef::<fir::pixels::U8x3>::from_buffer(self.width, self.height, &self.rgb)
            .expect("`new` looked at the size");
        let mut rgb = vec![0; width as usize * height as usize * 3];
        let mut small =
            TypedImage::<fir::pixels::U8x3>::from_buffer(width, height, &mut rgb).expect("made of that size");
        let filter = match weighing {
            Weighing::Bicubic => fir::FilterType::CatmullRom,
            Weighing::Mean => fir::FilterType::Box,
        };
        let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(filter));
        fir::Resizer::new().resize_typed(&source, &mut small, &options).expect("no cropping is asked for");
        Self { width, height, rgb }
    }

    /// The picture no larger than so that its shorter side has `short` pixels and its longer one `long`; never enlarged.
    pub(crate) fn shrunk(self, short: u32, long: u32) -> Self {
        let (least, most) = (self.width.min(self.height), self.width.max(self.height));
        let scale = (f64::from(short) / f64::from(least)).min(1.0).min(f64::from(long) / f64::from(most));
        if scale >= 1.0 {
            return self;
        }
        let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
        self.resized(side(self.width), side(self.height), Weighing::Bicubic)
    }

    /// The picture turned and mirrored as `orientation` says that it has to be.
    pub fn oriented(self, orientation: Orientation) -> Self {
        if orientation == Orientation::Upright {
            return self;
        }
        let (width, height) =
            if orientation.swaps() { (self.height, self.width) } else { (self.width, self.height) };
        // A step to the right and a step down in the result are steps of so many bytes in the source.
        let at = |x: u32, y: u32| {
            let (x, y) = orientation.source(x, y, self.width, self.height);
            (y as isize * self.width as isize + x as isize) * 3
        };
        let origin = at(0, 0);
        let right = if width > 1 { at(1, 0) - origin } else { 0 };
        let down = if height > 1 { at(0, 1) - origin } else { 0 };
        let (columns, rows) = (width as usize, height as usize);
        let mut rgb = vec![0; self.rgb.len()];
        // Tile by tile, so that rows which are columns of the source stay in the cache.
        for top in (0..rows).step_by(TILE) {
            for left in (0..columns).step_by(TILE) {
                for y in top..(top + TILE).min(rows) {
                    let mut from = origin + y as isize * down + left as isize * right;
                    let end = (left + TILE).min(columns);
                    for pixel in rgb[(y * columns + left) * 3..(y * columns + end) * 3].chunks_exact_mut(3) {
                        pixel.copy_from_slice(&self.rgb[from as usize..from as usize + 3]);
                        from += right;
                    }
                }
            }
        }
        Self { width, height, rgb }
    }

    /// Lightness of each pixel from 0 to 255, by the weights of BT.601.
    pub(crate) fn luma(&self) -> Vec<f32> {
        self.rgb
            .chunks_exact(3)
            .map(|rgb| 0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2]))
            .collect()
    }
}
