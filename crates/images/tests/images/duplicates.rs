//! Copies of one picture, and what is none.

use image::imageops::{self, FilterType};
use linjin_images::{Filter, Keep, Likeness, Orientation};

use super::*;

/// Lighter or darker by so many stops, as a camera would have taken it.
fn exposed(image: &RgbImage, stops: f32) -> RgbImage {
    let mut image = image.clone();
    for pixel in image.pixels_mut() {
        pixel.0 = pixel.0.map(|value| {
            let linear = (f32::from(value) / 255.0).powf(2.2) * stops.exp2();
            (linear.min(1.0).powf(1.0 / 2.2) * 255.0) as u8
        });
    }
    image
}

/// Each variant with its name.
fn variants(image: &RgbImage) -> Vec<(&'static str, Vec<u8>)> {
    let (width, height) = image.dimensions();
    vec![
        ("half.jpg", jpeg(&imageops::resize(image, width / 2, height / 2, FilterType::Lanczos3), 85)),
        ("third.png", png(&imageops::resize(image, width / 3, height / 3, FilterType::Triangle), None)),
        ("poor.jpg", jpeg(image, 25)),
        ("mirrored.jpg", jpeg(&imageops::flip_horizontal(image), 80)),
        ("turned.jpg", jpeg(&imageops::rotate90(image), 80)),
        ("upside-down.jpg", jpeg(&imageops::rotate180(image), 80)),
        ("lighter.jpg", jpeg(&exposed(image, 0.7), 85)),
        ("darker.jpg", jpeg(&exposed(image, -1.0), 85)),
    ]
}

#[test]
fn variants_are_found_and_others_are_not() {
    let room = Room::new();
    let count = 60;
    let mut expected = 0;
    for seed in 0..count {
        let image = drawing(seed, 420, 315);
        room.write(&format!("{seed}/original.png"), png(&image, None));
        if seed % 2 == 0 {
            for (name, bytes) in variants(&image) {
                room.write(&format!("{seed}/{name}"), bytes);
                expected += 1;
            }
        }
    }
    room.index();
    let groups = room.collection().duplicates(true, Keep::Largest, &Filter::default()).unwrap();
    let folder = |path: &Path| path.components().next().unwrap().as_os_str().to_owned();
    let (mut right, mut wrong) = (0, 0);
    let mut found = Vec::new();
    for group in &groups {
        for copy in &group.copies[1..] {
            if folder(&copy.file.path) == folder(&group.copies[0].file.path) {
                right += 1
            } else {
                wrong += 1
            }
            found.push(name(&copy.file.path));
        }
    }
    let recall = right as f64 / expected as f64;
    let precision = right as f64 / (right + wrong) as f64;
    eprintln!("near-duplicates: recall {recall:.4}, precision {precision:.4} of {expected}");
    let missed: Vec<String> = (0..count)
        .step_by(2)
        .flat_map(|seed| {
            variants(&drawing(seed, 16, 12)).into_iter().map(move |(name, _)| format!("{seed}/{name}"))
        })
        .filter(|name| !found.contains(name))
        .collect();
    assert!(recall >= 0.98 && precision >= 0.99, "recall {recall}, precision {precision}, missed {missed:?}");
}

#[test]
fn a_group_tells_what_to_keep_and_how_the_others_are_like_it() {
    let room = Room::new();
    let image = drawing(1, 420, 315);
    room.write("a/large.png", png(&image, None));
    room.write("b/large copy.png", png(&image, None));
    room.write("small.jpg", jpeg(&imageops::resize(&image, 200, 150, FilterType::Triangle), 80));
    room.write(
        "turned.jpg",
        jpeg(&imageops::rotate90(&imageops::resize(&image, 300, 225, FilterType::Triangle)), 80),
    );
    room.draw("other.jpg", 2);
    room.index();
    let pictures = room.collection();
    let groups = pictures.duplicates(true, Keep::Largest, &Filter::default()).unwrap();
    assert_eq!(groups.len(), 1);
    let told: Vec<_> = groups[0].copies.iter().map(|copy| (name(&copy.file.path), copy.likeness)).collect();
    let expected = [
        ("a/large.png", Likeness::Kept),
        ("b/large copy.png", Likeness::Same),
        ("small.jpg", Likeness::Resized),
        ("turned.jpg", Likeness::Turned(Orientation::Turned270)),
    ];
    assert_eq!(told, expected.map(|(name, likeness)| (name.to_owned(), likeness)));
    assert!(groups[0].copies.iter().all(|copy| copy.similarity > 0.96));

    let exact = pictures.duplicates(false, Keep::Largest, &Filter::default()).unwrap();
    assert_eq!((exact.len(), exact[0].copies.len()), (1, 2));
    let in_b = Filter { folder: Some("b".into()), ..Default::default() };
    assert!(pictures.duplicates(true, Keep::Largest, &in_b).unwrap().is_empty());
    for path in ["a/large.png", "b/large copy.png", "small.jpg", "turned.jpg", "other.jpg"] {
        assert!(room.path(path).exists(), "nothing is ever deleted");
    }
}

#[test]
fn the_oldest_or_the_newest_is_kept_when_asked_for() {
    let room = Room::new();
    let image = drawing(1, 420, 315);
    for (days, name, width) in [(3, "old.jpg", 210), (2, "between.jpg", 420), (1, "new.jpg", 280)] {
        room.write(name, jpeg(&imageops::resize(&image, width, width * 3 / 4, FilterType::Triangle), 85));
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        fs::File::options().write(true).open(room.path(name)).unwrap().set_modified(time).unwrap();
    }
    room.index();
    for (keep, kept) in [(Keep::Largest, "between.jpg"), (Keep::Oldest, "old.jpg"), (Keep::Newest, "new.jpg")]
    {
        let groups = room.collection().duplicates(true, keep, &Filter::default()).unwrap();
        assert_eq!(name(&groups[0].copies[0].file.path), kept);
    }
}

#[test]
fn plain_pages_are_copies_of_nothing() {
    let room = Room::new();
    for (i, shade) in [250_u8, 251, 249].into_iter().enumerate() {
        room.write(&format!("{i}.png"), png(&RgbImage::from_pixel(300, 200, Rgb([shade; 3])), None));
    }
    room.index();
    assert!(room.collection().duplicates(true, Keep::Largest, &Filter::default()).unwrap().is_empty());
}
