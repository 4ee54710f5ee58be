//! Models that are imported in 8-bit whole numbers.

use linjin_images::error::CollectionError;
use linjin_images::{Embedder, Import, Model, Pixels, Precision};

use super::models::two_towers_of;
use super::*;

/// Weights for [`onnx::products`], from -1 to 1.
fn table() -> Vec<f32> {
    let mut next = dice(5);
    (0..192 * 24).map(|_| (next() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn import(room: &Room, file: &str, precision: Precision) -> Import {
    Import { size: 8, precision, ..Import::new("model", room.path(file)) }
}

/// The model in floats and in whole numbers.
fn both(room: &Room, tensor: Option<&str>) -> [Model; 2] {
    room.write("model.onnx", onnx::products(&table()));
    [Precision::Float32, Precision::Int8].map(|precision| {
        let import = Import { tensor: tensor.map(str::to_owned), ..import(room, "model.onnx", precision) };
        import.into_folder(&room.path(&format!("models/{precision:?}"))).unwrap()
    })
}

fn pixels(image: &RgbImage) -> Pixels {
    Pixels::new(image.width(), image.height(), image.as_raw().clone()).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

#[test]
fn vectors_in_whole_numbers_are_close_to_those_in_floats() {
    for tensor in [None, Some("embedding"), Some("all")] {
        let room = Room::new();
        let [floats, whole] = both(&room, tensor);
        assert_eq!(floats.manifest().precision(), Precision::Float32);
        assert_eq!(whole.manifest().precision(), Precision::Int8);
        assert_eq!((whole.dim(), whole.adapts()), (floats.dim(), true));
        for seed in 0..20 {
            let pixels = pixels(&drawing(seed, 64, 48));
            let [a, b] = [&floats, &whole].map(|model| model.picture(&pixels).unwrap());
            assert!(cosine(&a, &b) > 0.999, "{tensor:?}, {seed}: {}", cosine(&a, &b));
            assert_ne!(a, b, "something was done in whole numbers");
        }
    }
}

#[test]
fn pictures_keep_their_ranking() {
    let room = Room::new();
    let [floats, whole] = both(&room, Some("embedding"));
    let pictures: Vec<_> = (0..30).map(|seed| pixels(&drawing(seed, 64, 48))).collect();
    // Each picture with a little of another one in it.
    let asked: Vec<_> = (0..30)
        .map(|seed| {
            let (mut image, other) = (drawing(seed, 64, 48), drawing(seed + 1, 64, 48));
            image
                .iter_mut()
                .zip(other.iter())
                .for_each(|(value, &other)| *value = *value / 5 * 4 + other / 5);
            pixels(&image)
        })
        .collect();
    let ranking = |model: &Model| {
        let vectors =
            |of: &[Pixels]| -> Vec<_> { of.iter().map(|one| model.picture(one).unwrap()).collect() };
        let all = vectors(&pictures);
        let closest = |vector: &Vec<f32>| {
            (0..all.len())
                .max_by(|&a, &b| cosine(vector, &all[a]).total_cmp(&cosine(vector, &all[b])))
                .unwrap()
        };
        vectors(&asked).iter().map(closest).collect::<Vec<_>>()
    };
    assert_eq!(ranking(&floats), (0..30).collect::<Vec<_>>());
    assert_eq!(ranking(&whole), ranking(&floats));
}

#[test]
fn the_largest_products_are_exact_on_every_machine() {
    // What would be cut off in sums of 16 bits: every weight as large as it can be, every pixel too.
    for sign in [1.0, -1.0] {
        let room = Room::new();
        room.write("model.onnx", onnx::products(&[sign; 192 * 24]));
        let import = Import {
            tensor: Some("first".to_owned()),
            mean: [0.0; 3],
            std: [1.0; 3],
            ..import(&room, "model.onnx", Precision::Int8)
        };
        let model = import.into_folder(&room.path("models/model")).unwrap();
        let white = Pixels::new(8, 8, vec![255; 192]).unwrap();
        for value in model.picture(&white).unwrap() {
            assert!((value - sign * 192.0).abs() < 1e-2, "{value}");
        }
    }
}

#[test]
fn only_what_the_vector_needs_is_kept_and_it_is_another_model() {
    let room = Room::new();
    let [floats, whole] = both(&room, Some("embedding"));
    let size =
        |precision: &str| fs::metadata(room.path(&format!("models/{precision}/picture.onnx"))).unwrap().len();
    // A table, the same turned, and a small one; not the fourth, which is behind the embedding.
    assert!(size("Int8") < 2 * 192 * 24 + 24 * 24 + 4096, "{}", size("Int8"));
    assert!(size("Float32") > 3 * 192 * 24 * 4);
    let manifest = fs::read_to_string(room.path("models/Int8/manifest.json")).unwrap();
    assert!(manifest.contains("\"precision\": \"int8\""), "{manifest}");
    let manifest = fs::read_to_string(room.path("models/Float32/manifest.json")).unwrap();
    assert!(!manifest.contains("precision"), "{manifest}");

    assert_ne!(floats.name(), whole.name());
    room.draw("pictures/a.jpg", 1);
    let pictures = Collection::create(&room.path("pictures"), None).unwrap();
    pictures.index(&floats, &IndexOptions::default()).unwrap();
    let asked = pictures.picture_at(&room.path("pictures/a.jpg")).unwrap().unwrap();
    let query = Query::new(vec![(1.0, Term::Picture(asked))], 1);
    assert!(pictures.search(&query, Some(&floats)).is_ok());
    let drawn = pixels(&drawing(1, 64, 48));
    let query = Query::new(vec![(1.0, Term::Pixels(&drawn))], 1);
    let refused = pictures.search(&query, Some(&whole)).unwrap_err();
    assert!(matches!(refused, CollectionError::Model { .. }), "{refused}");
    pictures.index(&whole, &IndexOptions::default()).unwrap();
    assert!(pictures.search(&query, Some(&whole)).is_ok());
}

#[test]
fn two_towers_know_words_in_whole_numbers_too() {
    let room = Room::new();
    let model = two_towers_of(&room, Precision::Int8);
    // Its text tower has no products and stays as it was.
    let manifest = model.manifest();
    assert_eq!(manifest.precision(), Precision::Int8);
    assert_eq!(manifest.picture.tower.precision, Precision::Int8);
    assert_eq!(manifest.text.as_ref().unwrap().tower.precision, Precision::Float32);
    let red = model.picture(&Pixels::new(8, 8, [255, 0, 0].repeat(64)).unwrap()).unwrap();
    let close = |word: &str| cosine(&model.words(word).unwrap(), &red);
    assert!(close("red") > close("green") && close("red") > close("blue"));
}

#[test]
fn what_cannot_be_turned_is_refused() {
    let room = Room::new();
    room.write("rows.onnx", onnx::rows());
    room.write("old.onnx", onnx::mean_colour_of(10, 8));
    room.write("eleven.onnx", onnx::mean_colour_of(11, 8));
    room.write("words.onnx", "these are words");
    room.write("empty.onnx", "");
    room.write("cut.onnx", &onnx::mean_colour(8)[..60]);
    let target = room.path("models/model");
    for (file, size, said) in [
        ("rows.onnx", 4, "no product with constant weights"),
        ("old.onnx", 8, "version 10 of ONNX's operators was found, 11 or later was expected"),
        ("words.onnx", 8, "not an ONNX file"),
        ("empty.onnx", 8, "not an ONNX file: no graph is in it"),
        ("cut.onnx", 8, "not an ONNX file"),
        ("nothing.onnx", 8, "nothing.onnx"),
    ] {
        let import = Import { size, ..import(&room, file, Precision::Int8) };
        let error = import.into_folder(&target).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains(file), "{error}");
        assert!(!target.exists());
    }
    let unknown =
        Import { tensor: Some("inner".to_owned()), ..import(&room, "eleven.onnx", Precision::Int8) };
    let error = unknown.into_folder(&target).unwrap_err().to_string();
    assert!(error.contains("no tensor is called inner; outputs are embedding"), "{error}");
    import(&room, "eleven.onnx", Precision::Int8).into_folder(&target).unwrap();
}

#[test]
fn damaged_files_are_refused_or_run() {
    let room = Room::new();
    let file = onnx::products(&table());
    let mut next = dice(11);
    for i in 0..60 {
        let mut file = file.clone();
        match i % 3 {
            0 => file.truncate(next() as usize % file.len()),
            // Among the names and sizes, which lie in the first and the last kilobyte.
            1 => (0..4).for_each(|_| file[next() as usize % 1024] = next() as u8),
            _ => (0..4).for_each(|_| {
                let at = file.len() - 1 - next() as usize % 256;
                file[at] = next() as u8;
            }),
        }
        room.write("model.onnx", file);
        let target = room.path(&format!("models/{i}"));
        let done = import(&room, "model.onnx", Precision::Int8).into_folder(&target);
        assert_eq!(done.is_ok(), target.exists());
    }
}
