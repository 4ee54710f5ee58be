//! Bombs, truncated and foreign files: a reason each, and the rest goes on.

use linjin_images::Limits;
use linjin_images::error::Refusal;

use super::*;

/// CRC-32 of a chunk of PNG, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

/// Four bytes, the largest first.
fn big(value: u32) -> [u8; 4] {
    let mut bytes = value.to_le_bytes();
    bytes.reverse();
    bytes
}

/// A PNG file that says it has so many pixels, with a little data.
fn png_of(width: u32, height: u32, colour: u8, data: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n".to_vec();
    let mut chunk = |name: &[u8], data: &[u8]| {
        let body = [name, data].concat();
        bytes.extend(big(data.len() as u32));
        bytes.extend(&body);
        bytes.extend(big(crc(&body)));
    };
    chunk(b"IHDR", &[&big(width)[..], &big(height), &[8, colour, 0, 0, 0]].concat());
    chunk(b"IDAT", &vec![0x78; data]);
    chunk(b"IEND", b"");
    bytes
}

/// A BMP file that says it has so many pixels.
fn bmp_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(b"\x01\0\x18\0\0\0\0\0\0\0\0\0");
    bytes.extend([0; 16]);
    bytes.extend([7; 100]);
    bytes
}

/// A GIF file that says it has so many pixels.
fn gif_of(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(b"\x80\0\0\0\0\0\xFF\xFF\xFF\x2C\0\0\0\0");
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(b"\0\x02\x02\x44\x01\0\x3B");
    bytes
}

/// A TIFF file that says it has so many pixels in one strip.
fn tiff_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let entries: [(u16, u32); 8] =
        [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (278, height), (279, u32::MAX)];
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

/// A JPEG file whose header says it has so many pixels.
fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = jpeg(&drawing(1, 64, 64), 80);
    let header = bytes.windows(2).position(|marker| marker == b"\xFF\xC0").unwrap();
    let size = |value: u16| [(value >> 8) as u8, value as u8];
    bytes[header + 5..header + 7].copy_from_slice(&size(height));
    bytes[header + 7..header + 9].copy_from_slice(&size(width));
    bytes
}

/// Largest memory that the process has ever held, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Files that have to be refused, with a part of the reason.
fn hostile() -> Vec<(String, Vec<u8>, &'static str)> {
    let whole = jpeg(&drawing(2, 400, 300), 90);
    let drawn = png(&drawing(3, 400, 300), None);
    let mut files = vec![
        ("empty.jpg", Vec::new(), "the file is empty"),
        ("text.jpg", b"these are words".to_vec(), "contents of an unknown kind"),
        ("zeros.png", vec![0; 1000], "zeros only"),
        ("page.png", b"<!DOCTYPE html><html></html>".to_vec(), "an HTML page"),
        ("drawing.svg", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "SVG"),
        ("drawing.png", b"<svg width='60000' height='60000'/>".to_vec(), "SVG"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0".to_vec(), "HEIC"),
        ("bomb.png", png_of(60_000, 60_000, 2, 1_000_000), "60000 x 60000 pixels"),
        ("bomb-grey.png", png_of(9_000, 9_000, 0, 1000), "decompression bomb"),
        ("bomb-wide.png", png_of(u32::MAX >> 1, 2, 0, 10), "PNG"),
        ("bomb.bmp", bmp_of(60_000, 60_000), "60000 x 60000 pixels"),
        ("bomb.gif", gif_of(60_000, 60_000), "60000 x 60000 pixels"),
        ("bomb.tif", tiff_of(60_000, 60_000), "60000 x 60000 pixels"),
        ("bomb-strip.tif", tiff_of(4_000, 4_000), ""),
        ("bomb.jpg", jpeg_of(60_000, 60_000), "60000 x 60000 pixels"),
        ("bomb-medium.jpg", jpeg_of(9_000, 9_000), "decompression bomb"),
        ("cut.bmp", bmp_of(100, 100), ""),
        ("head.png", b"\x89PNG\r\n\x1A\n".to_vec(), ""),
        ("head.gif", b"GIF89a".to_vec(), ""),
        ("head.tif", b"II*\0".to_vec(), ""),
        ("head.webp", b"RIFF\xFF\xFF\xFF\xFFWEBPVP8 ".to_vec(), ""),
        ("head.jpg", b"\xFF\xD8\xFF".to_vec(), "truncated"),
    ]
    .into_iter()
    .map(|(name, bytes, reason)| (name.to_owned(), bytes, reason))
    .collect::<Vec<_>>();
    for (i, share) in [0.2, 0.5, 0.9, 0.999].into_iter().enumerate() {
        files.push((
            format!("cut{i}.jpg"),
            whole[..(whole.len() as f64 * share) as usize].to_vec(),
            "truncated",
        ));
        files.push((format!("cut{i}.png"), drawn[..(drawn.len() as f64 * share) as usize].to_vec(), ""));
    }
    files
}

/// Set for the process that is measured: other tests would add their memory to it.
const MEASURED: &str = "LINJIN_TEST_MEASURED";

#[test]
fn hostile_files_are_refused_with_a_reason_and_little_memory() {
    if std::env::var_os(MEASURED).is_none() {
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hostile::hostile_files_are_refused_with_a_reason_and_little_memory"])
            .env(MEASURED, "1")
            .output()
            .unwrap();
        return assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stdout));
    }
    let room = Room::new();
    let files = hostile();
    for (name, bytes, _) in &files {
        room.write(name, bytes);
    }
    for seed in 0..3 {
        room.draw(&format!("good{seed}.jpg"), seed);
    }
    let big = room.path("sparse.tif");
    fs::write(&big, b"II*\0").unwrap();
    fs::File::options().write(true).open(&big).unwrap().set_len(1 << 40).unwrap();
    room.draw("warm/up.jpg", 9);
    let before = peak();
    let report = room.index();
    let grown = peak() - before;
    assert_eq!(report.embedded, 4, "the rest is indexed: {report:?}");
    let reason = |name: &str| {
        let failure = report.failures.iter().find(|(path, _)| path == Path::new(name));
        failure.unwrap_or_else(|| panic!("{name} was not refused")).1.clone()
    };
    for (name, _, expected) in &files {
        assert!(reason(name).contains(expected), "{name}: {}", reason(name));
    }
    assert!(reason("sparse.tif").contains("1099511627776 bytes"), "{}", reason("sparse.tif"));
    assert_eq!(report.failures.len(), files.len() + 1);
    assert!(grown < 64 << 20, "memory grew by {} MiB", grown >> 20);

    // Looked at once: unchanged files are not opened again, unless that is asked for.
    let again = room.index();
    assert_eq!((again.unchanged, again.failures.len()), (report.files, files.len() + 1));
    let options = IndexOptions { retry: true, ..Default::default() };
    let retried = room.collection().index(&Descriptor, &options).unwrap();
    assert_eq!((retried.unchanged, retried.failures.len()), (4, files.len() + 1));
}

#[test]
fn a_file_that_was_refused_is_taken_when_it_is_mended_and_forgotten_when_it_breaks() {
    let room = Room::new();
    room.write("a.jpg", b"not yet");
    assert_eq!(room.index().failures.len(), 1);
    room.draw("a.jpg", 1);
    assert_eq!((room.index().embedded, room.collection().info().unwrap().failures.len()), (1, 0));
    room.write("a.jpg", b"no longer");
    let broken = room.index();
    let info = room.collection().info().unwrap();
    assert_eq!((broken.failures.len(), info.pictures, info.files), (1, 0, 0));
}

#[test]
fn random_damage_never_ends_the_process() {
    let mut next = dice(7);
    let image = drawing(4, 120, 90);
    let dynamic = image::DynamicImage::ImageRgb8(image);
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    for format in [Bmp, Gif, Jpeg, Png, Tiff, WebP] {
        let mut whole = std::io::Cursor::new(Vec::new());
        dynamic.write_to(&mut whole, format).unwrap();
        let whole = whole.into_inner();
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next() % 8 {
                let at = next() as usize % bytes.len();
                // Half of the damage in the headers.
                let at = if next().is_multiple_of(2) { at % 200.min(bytes.len()) } else { at };
                bytes[at] = next() as u8;
            }
            if next().is_multiple_of(4) {
                bytes.truncate(next() as usize % bytes.len());
            }
            // Either is fine; what counts is that it comes back.
            _ = linjin_images::Picture::from_bytes(bytes, None, &Limits::default());
        }
    }
}

#[test]
fn limits_are_the_callers() {
    let bytes = jpeg(&drawing(1, 200, 100), 90);
    let open = |limits: Limits| linjin_images::Picture::from_bytes(bytes.clone(), None, &limits);
    let refused = open(Limits { pixels: 19_999, ..Default::default() });
    assert!(matches!(refused, Err(Refusal::TooManyPixels { width: 200, height: 100, limit: 19_999 })));
    assert!(matches!(open(Limits { bytes: 99, ..Default::default() }), Err(Refusal::FileTooLarge { .. })));
    assert!(open(Limits { pixels: 20_000, ..Default::default() }).is_ok());
}
