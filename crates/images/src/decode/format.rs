//! What a file holds, by its first bytes; its name is not asked.

use image::ImageFormat;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 512;

/// A format that is decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF; of an animation the first picture.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF; of several pages the first.
    Tiff,
}

impl Format {
    /// Its name, as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    /// The format of a file that begins with these bytes; 512 of them are enough.
    pub fn of(head: &[u8]) -> Option<Self> {
        sniff(head).ok()
    }

    /// Its name in HTTP.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }

    /// The format that files with this name usually have.
    pub(crate) fn suffix_is_known(suffix: &str) -> bool {
        let known = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "tif", "tiff"];
        known.iter().any(|name| suffix.eq_ignore_ascii_case(name))
    }

    pub(super) fn decoder(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
        }
    }
}

/// The format of a file that begins with `head`, or in words what it is instead.
pub(super) fn sniff(head: &[u8]) -> Result<Format, &'static str> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let formats: [(Format, &[u8]); 7] = [
        (Format::Jpeg, b"\xFF\xD8\xFF"),
        (Format::Png, b"\x89PNG\r\n\x1A\n"),
        (Format::Gif, b"GIF87a"),
        (Format::Gif, b"GIF89a"),
        (Format::Bmp, b"BM"),
        (Format::Tiff, b"II*\0"),
        (Format::Tiff, b"MM\0*"),
    ];
    if let Some(&(format, _)) = formats.iter().find(|(_, magic)| at(0, magic)) {
        return Ok(format);
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Ok(Format::WebP);
    }
    let brand = |names: &[&[u8]]| at(4, b"ftyp") && names.iter().any(|name| at(8, name));
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    Err(match () {
        () if brand(&[b"avif", b"avis"]) => "AVIF; convert it to JPEG or PNG",
        () if brand(&[b"heic", b"heix", b"mif1", b"msf1", b"hevc"]) => "HEIC; convert it to JPEG",
        () if at(0, b"\xFF\x0A") || at(4, b"JXL ") => "JPEG XL; convert it to JPEG or PNG",
        () if at(0, b"8BPS") => "a Photoshop file; export it as PNG or JPEG",
        () if text.contains("<svg") => "SVG, a drawing that could run scripts; export it as PNG",
        () if text.contains("<html") || text.contains("<!doctype html") => "an HTML page",
        () if at(0, b"%PDF") => "a PDF",
        () if head.iter().all(|&byte| byte == 0) => "zeros only",
        () => "contents of an unknown kind",
    })
}
