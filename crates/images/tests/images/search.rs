//! Like this, and unlike that; filters.

use linjin_images::error::CollectionError;
use linjin_images::{Embedder, Filter, Limits, Picture, Region};

use super::*;

fn open(room: &Room, name: &str) -> Picture {
    Picture::open(room.path(name), &Limits::default()).unwrap()
}

/// A room with five drawings, each also smaller and with lower quality.
fn variants() -> Room {
    let room = Room::new();
    for seed in 0..5 {
        let image = drawing(seed, 480, 360);
        room.write(&format!("original/{seed}.jpg"), jpeg(&image, 92));
        let small = image::imageops::resize(&image, 160, 120, image::imageops::FilterType::Triangle);
        room.write(&format!("small/{seed}.jpg"), jpeg(&small, 50));
    }
    room.index();
    room
}

#[test]
fn a_picture_finds_its_variant_first() {
    let room = variants();
    for seed in 0..5 {
        assert_eq!(room.like(&format!("original/{seed}.jpg"), 1), [format!("small/{seed}.jpg")]);
    }
    let pictures = room.collection();
    let query = open(&room, "original/3.jpg");
    let hits =
        pictures.search(&Query::new(vec![(1.0, Term::Pixels(&query.pixels))], 3), Some(&Descriptor)).unwrap();
    assert_eq!(names(&hits)[..2], ["original/3.jpg", "small/3.jpg"]);
    assert!(
        (hits[0].score - 1.0).abs() < 1e-5 && hits[0].score >= hits[1].score && hits[1].score > hits[2].score
    );
}

#[test]
fn a_part_of_a_picture_is_a_query() {
    let room = variants();
    let whole = open(&room, "original/2.jpg");
    let part = whole.pixels.crop(Region { left: 0.1, top: 0.1, right: 0.95, bottom: 0.95 });
    let hits = room
        .collection()
        .search(&Query::new(vec![(1.0, Term::Pixels(&part))], 2), Some(&Descriptor))
        .unwrap();
    let mut found = names(&hits);
    found.sort();
    assert_eq!(found, ["original/2.jpg", "small/2.jpg"]);
}

#[test]
fn sums_find_both_and_differences_push_away() {
    let room = variants();
    let pictures = room.collection();
    let id = |name: &str| Term::Picture(pictures.picture_at(&room.path(name)).unwrap().unwrap());
    let found = |terms: Vec<(f32, Term<'_>)>, k| {
        let mut found = names(&pictures.search(&Query::new(terms, k), None).unwrap());
        found.sort();
        found
    };
    let both = found(vec![(1.0, id("original/0.jpg")), (1.0, id("original/1.jpg"))], 2);
    assert_eq!(both, ["small/0.jpg", "small/1.jpg"]);
    let query = Query::new(vec![(1.0, id("original/0.jpg")), (-1.5, id("original/1.jpg"))], 10);
    let away = names(&pictures.search(&query, None).unwrap());
    assert_eq!((away[0].as_str(), away[7].as_str()), ("small/0.jpg", "small/1.jpg"));
    // Only the proportions of weights count.
    let scores = |weight: f32| -> Vec<f32> {
        let query = Query::new(vec![(weight, id("original/0.jpg")), (weight / 2.0, id("small/4.jpg"))], 5);
        pictures.search(&query, None).unwrap().iter().map(|hit| hit.score).collect()
    };
    for (a, b) in scores(1.0).into_iter().zip(scores(20.0)) {
        assert!((a - b).abs() < 1e-5);
    }
}

#[test]
fn filters_are_kept_and_combined() {
    let room = variants();
    room.draw("orig", 50); // a file whose name begins like the folder's
    room.draw("original.jpg", 51);
    room.draw("original/deep/er/6.jpg", 6);
    room.index();
    let pictures = room.collection();
    let query = open(&room, "small/0.jpg");
    let found = |filter: Filter| {
        let query = Query { filter, ..Query::new(vec![(1.0, Term::Pixels(&query.pixels))], 100) };
        names(&pictures.search(&query, Some(&Descriptor)).unwrap())
    };
    let folder = |name: &str| Filter { folder: Some(name.into()), ..Default::default() };
    assert_eq!(found(Filter::default()).len(), 13);
    for name in ["original", "original/"] {
        assert_eq!(found(folder(name)).len(), 6, "{name}");
    }
    assert_eq!(found(folder("original/deep")), ["original/deep/er/6.jpg"]);
    assert_eq!(found(folder(".")).len(), 13);
    assert!(found(folder("nowhere")).is_empty());
    assert_eq!(found(Filter { max_side: Some(160), ..Default::default() }).len(), 5);
    assert_eq!(found(Filter { min_side: Some(300), ..Default::default() }).len(), 5);
    assert_eq!(found(Filter { min_side: Some(200), ..folder("original") }).len(), 6);
    let bytes = fs::metadata(room.path("small/0.jpg")).unwrap().len();
    let exactly = Filter { min_bytes: Some(bytes), max_bytes: Some(bytes), ..Default::default() };
    assert!(found(exactly).contains(&"small/0.jpg".to_owned()));
}

#[test]
fn a_copy_outside_the_filter_is_not_shown() {
    let room = Room::new();
    room.draw("a/1.jpg", 1);
    room.draw("b/1.jpg", 1);
    room.draw("b/2.jpg", 2);
    room.index();
    let query = open(&room, "b/2.jpg");
    let filter = Filter { folder: Some("b".into()), ..Default::default() };
    let query = Query { filter, ..Query::new(vec![(1.0, Term::Pixels(&query.pixels))], 100) };
    let hits = room.collection().search(&query, Some(&Descriptor)).unwrap();
    assert_eq!(names(&hits), ["b/2.jpg", "b/1.jpg"]);
    assert_eq!(hits[1].files.len(), 1);
}

#[test]
fn scores_can_be_cut_off() {
    let room = variants();
    let pictures = room.collection();
    let asked = pictures.picture_at(&room.path("original/0.jpg")).unwrap().unwrap();
    let query = |min_score| Query { min_score, ..Query::new(vec![(1.0, Term::Picture(asked))], 10) };
    let all = pictures.search(&query(None), None).unwrap();
    let cut = pictures.search(&query(Some(all[0].score)), None).unwrap();
    assert_eq!((all.len(), cut.len()), (9, 1));
}

#[test]
fn a_collection_of_hundreds_is_centred_and_whitened_and_finds_variants() {
    let room = Room::new();
    for seed in 0..150 {
        let image = drawing(seed, 160, 120);
        room.write(&format!("{seed}.png"), png(&image, None));
        room.write(
            &format!("{seed}-variant.jpg"),
            jpeg(&image::imageops::resize(&image, 100, 75, image::imageops::FilterType::Triangle), 40),
        );
    }
    room.index();
    let info = room.collection().info().unwrap();
    assert!(info.dim < Descriptor.dim() && info.random_pair < 0.7, "{info:?}");
    let right =
        (0..150).filter(|seed| room.like(&format!("{seed}.png"), 1) == [format!("{seed}-variant.jpg")]);
    assert!(right.count() >= 145);
}

#[test]
fn queries_that_cannot_be_answered_say_why() {
    let room = Room::new();
    room.draw("a.jpg", 1);
    let pictures = room.collection();
    let picture = open(&room, "a.jpg");
    let ask = |terms| pictures.search(&Query::new(terms, 5), Some(&Descriptor)).unwrap_err();
    let pixels = Term::Pixels(&picture.pixels);
    assert!(ask(vec![(1.0, pixels)]).to_string().contains("not indexed yet"));
    room.index();
    assert!(ask(vec![]).to_string().contains("empty"));
    assert!(ask(vec![(1.0, pixels), (-1.0, pixels)]).to_string().contains("cancel out"));
    assert!(ask(vec![(f32::NAN, pixels)]).to_string().contains("finite"));
    assert!(matches!(ask(vec![(1.0, Term::Picture(77))]), CollectionError::Unknown { id: 77 }));
    assert!(ask(vec![(1.0, Term::Words("a dog"))]).to_string().contains("knows pictures only"));
    let missing = pictures.search(&Query::new(vec![(1.0, pixels)], 5), None).unwrap_err();
    assert!(matches!(missing, CollectionError::Model { .. }), "{missing}");
}
