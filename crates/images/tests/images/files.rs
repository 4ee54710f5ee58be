//! Formats, wrong suffixes, orientation, dates.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use linjin_images::{Embedder, Filter, Limits, Orientation, Picture, Pixels};

use super::*;

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn every_format_is_read_whatever_its_name() {
    let room = Room::new();
    let image = DynamicImage::ImageRgb8(drawing(1, 300, 200));
    let formats = [
        (ImageFormat::Jpeg, "JPEG"),
        (ImageFormat::Png, "PNG"),
        (ImageFormat::WebP, "WebP"),
        (ImageFormat::Gif, "GIF"),
        (ImageFormat::Bmp, "BMP"),
        (ImageFormat::Tiff, "TIFF"),
    ];
    for (format, name) in formats {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        room.write(&format!("{name}.jpg"), bytes.get_ref());
        room.write(name, bytes.get_ref()); // without a suffix
        let picture = Picture::open(room.path(name), &Limits::default()).unwrap();
        assert_eq!((picture.format.name(), picture.width, picture.height), (name, 300, 200));
    }
    let report = room.index();
    assert_eq!((report.files, report.failures.len()), (12, 0), "{report:?}");
    let like = room.like("PNG.jpg", 10);
    assert_eq!(like.len(), 5, "all but the PNG files, which hold one picture");
}

#[test]
fn sixteen_bits_grey_palettes_and_transparency_are_read() {
    let colour = DynamicImage::ImageRgb8(drawing(2, 64, 48));
    let mut transparent = colour.to_rgba8();
    for pixel in transparent.pixels_mut().step_by(2) {
        pixel.0[3] = 0;
    }
    let read = |image: &DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        Picture::from_bytes(bytes.into_inner(), None, &Limits::default()).unwrap().pixels
    };
    let plain = read(&colour);
    assert_eq!(plain.rgb(), colour.to_rgb8().as_raw());
    assert_eq!(read(&DynamicImage::ImageRgb16(colour.to_rgb16())), plain);
    let grey = read(&DynamicImage::ImageLuma8(colour.to_luma8()));
    assert!(grey.rgb().chunks(3).all(|rgb| rgb[0] == rgb[1] && rgb[1] == rgb[2]));
    let on_white = read(&DynamicImage::ImageRgba8(transparent));
    assert_eq!(on_white.rgb()[..3], [255, 255, 255], "what is transparent is white");
    assert_eq!(on_white.rgb()[3..6], plain.rgb()[3..6]);
}

/// The picture as a camera held so would have stored it.
fn stored(upright: &RgbImage, orientation: Orientation) -> RgbImage {
    let pixels = Pixels::new(upright.width(), upright.height(), upright.as_raw().clone()).unwrap();
    // Turning left undoes turning right; all others undo themselves.
    let undo = match orientation {
        Orientation::Turned90 => Orientation::Turned270,
        Orientation::Turned270 => Orientation::Turned90,
        other => other,
    };
    let turned = pixels.oriented(undo);
    RgbImage::from_raw(turned.width(), turned.height(), turned.rgb().to_vec()).unwrap()
}

#[test]
fn all_eight_orientations_show_the_same_picture() {
    let room = Room::new();
    let upright = drawing(3, 1200, 800);
    for i in 10..30 {
        room.draw(&format!("other/{i}.jpg"), i);
    }
    room.write("upright.png", png(&upright, None));
    let mut vectors = Vec::new();
    for orientation in Orientation::ALL {
        let number = orientation as u16;
        let lying = stored(&upright, orientation);
        let with = |name: &str| exif(number, "", name, "");
        let name = format!("{number}.png");
        room.write(&name, png(&lying, Some(with("png"))));
        let picture = Picture::open(room.path(&name), &Limits::default()).unwrap();
        assert_eq!((picture.width, picture.height), (1200, 800), "orientation {number}");
        vectors.push(Descriptor.picture(&picture.pixels).unwrap());

        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.set_exif_metadata(with("jpeg")).unwrap();
        encoder.encode_image(&lying).unwrap();
        room.write(&format!("{number}.jpg"), bytes);
    }
    for vector in &vectors {
        let apart = vector.iter().zip(&vectors[0]).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        assert!(apart < 1e-3, "vectors are {apart} apart");
    }
    room.index();
    let pictures = room.collection();
    let asked = pictures.picture_at(&room.path("upright.png")).unwrap().unwrap();
    let hits = pictures.search(&Query::new(vec![(1.0, Term::Picture(asked))], 16), None).unwrap();
    assert!(hits.iter().all(|hit| !hit.files[0].path.starts_with("other")), "{:?}", names(&hits));
    for number in 1..=8 {
        for suffix in ["png", "jpg"] {
            let first = room.like(&format!("{number}.{suffix}"), 1);
            assert!(!first[0].starts_with("other"), "{number}.{suffix}: {first:?}");
        }
    }
}

#[test]
fn date_and_camera_are_kept_and_filtered_by() {
    let room = Room::new();
    let facts = [
        ("a.png", "Canon", "Canon EOS 5D", "2019:07:01 10:00:00", "Canon EOS 5D"),
        ("b.png", "NIKON CORPORATION", "D850", "2024:02:29 23:59:59", "NIKON CORPORATION D850"),
        ("c.png", "Apple", "iPhone 15", "0000:00:00 00:00:00", "Apple iPhone 15"),
    ];
    for (seed, (name, maker, model, taken, _)) in facts.into_iter().enumerate() {
        room.write(name, png(&drawing(seed as u64, 64, 64), Some(exif(1, maker, model, taken))));
    }
    room.index();
    let pictures = room.collection();
    let some = Picture::open(room.path("a.png"), &Limits::default()).unwrap();
    let found = |filter: Filter| {
        let query = Query { filter, ..Query::new(vec![(1.0, Term::Pixels(&some.pixels))], 10) };
        let mut hits = pictures.search(&query, Some(&Descriptor)).unwrap();
        hits.sort_by(|a, b| a.files[0].path.cmp(&b.files[0].path));
        hits
    };
    let date = |date: &str| Some(date.to_owned());
    let all = found(Filter::default());
    for (hit, (name, _, _, _, camera)) in all.iter().zip(facts) {
        assert_eq!((hit.files[0].path.to_str(), hit.picture.camera.as_deref()), (Some(name), Some(camera)));
    }
    assert_eq!(all[1].picture.taken.as_deref(), Some("2024-02-29T23:59:59"));
    assert_eq!(all[2].picture.taken, None, "a clock that was never set is no date");
    assert_eq!(names(&found(Filter { before: date("2020"), ..Default::default() })), ["a.png"]);
    assert_eq!(
        names(&found(Filter { after: date("2024-02-29"), before: date("2024-03"), ..Default::default() })),
        ["b.png"]
    );
    // Without a date of the camera that of the file counts, and this one was written now.
    assert_eq!(names(&found(Filter { after: date("2025"), ..Default::default() })), ["c.png"]);
}

#[test]
fn large_pictures_are_shrunk_and_long_ones_stay_whole() {
    for (width, height, small) in [(3000, 2000, (768, 512)), (4000, 10, (2048, 5)), (400, 300, (400, 300))] {
        let bytes = jpeg(&RgbImage::from_pixel(width, height, Rgb([10, 20, 30])), 80);
        let picture = Picture::from_bytes(bytes, None, &Limits::default()).unwrap();
        assert_eq!((picture.width, picture.height), (width, height));
        assert_eq!((picture.pixels.width(), picture.pixels.height()), small);
    }
}

#[test]
fn vectors_tell_pictures_apart_and_variants_together() {
    let upright = drawing(5, 640, 480);
    let vector = |image: &RgbImage, quality| {
        let picture = Picture::from_bytes(jpeg(image, quality), None, &Limits::default()).unwrap();
        Descriptor.picture(&picture.pixels).unwrap()
    };
    let original = vector(&upright, 95);
    let small = image::imageops::resize(&upright, 200, 150, image::imageops::FilterType::Triangle);
    assert!(cosine(&original, &vector(&small, 60)) > 0.95);
    for seed in 6..16 {
        assert!(cosine(&original, &vector(&drawing(seed, 640, 480), 95)) < 0.9);
    }
}

#[test]
fn what_the_camera_wrote_is_told() {
    // One entry: the program that wrote the file.
    let mut block = b"II*\0\x08\0\0\0\x01\0\x31\x01\x02\0\x09\0\0\0\x1A\0\0\0\0\0\0\0".to_vec();
    block.extend(b"Lab\x07 1.2\0");
    let file = png(&drawing(1, 40, 30), Some(block));
    let notes = linjin_images::camera_notes(std::io::Cursor::new(&file));
    assert_eq!(notes, [("Software".to_owned(), "Lab 1.2".to_owned())]);
    assert!(linjin_images::camera_notes(std::io::Cursor::new(b"no picture")).is_empty());
    assert!(linjin_images::camera_notes(std::io::Cursor::new(&file[..60])).is_empty());
}
