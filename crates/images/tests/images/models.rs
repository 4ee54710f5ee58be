//! Models in ONNX that the tests write, for pictures and for words.

use linjin_images::error::{CollectionError, EmbedError, ModelError};
use linjin_images::{Crop, Embedder, Import, Limits, Model, Picture, Pixels, Pooling, Precision};

use super::*;

const TOKENIZER: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
"normalizer":{"type":"Lowercase"},"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
"model":{"type":"WordLevel","vocab":{"<pad>":0,"<unk>":1,"red":2,"green":3,"blue":4},"unk_token":"<unk>"}}"#;

fn plain(rgb: [u8; 3]) -> Pixels {
    Pixels::new(20, 10, rgb.repeat(200)).unwrap()
}

/// Colours and words for them: 0.5 is the mean, so that a colour lies along its axis.
fn two_towers(room: &Room) -> Model {
    two_towers_of(room, Precision::Float32)
}

pub(crate) fn two_towers_of(room: &Room, precision: Precision) -> Model {
    room.write("clip/visual/model.onnx", onnx::mean_colour(8));
    room.write("clip/textual/model.onnx", onnx::mean_token(4, &COLOURS));
    room.write("clip/textual/tokenizer.json", TOKENIZER);
    room.write("clip/textual/tokenizer_config.json", r#"{"pad_token":"<pad>","other":1}"#);
    room.write(
        "clip/visual/preprocess_cfg.json",
        r#"{"size":[8,8],"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5],"mode":"RGB"}"#,
    );
    room.write("clip/config.json", r#"{"embed_dim":3,"text_cfg":{"context_length":4}}"#);
    let import = Import { precision, ..Import::new("colours", room.path("clip")) };
    import.into_folder(&room.path("models/colours")).unwrap()
}

/// Padding and unknown words mean nothing.
const COLOURS: [[f32; 3]; 5] = [[0.0; 3], [0.0; 3], [1.0, -0.3, -0.3], [-0.3, 1.0, -0.3], [-0.3, -0.3, 1.0]];

#[test]
fn a_picture_model_gives_the_vector_that_it_computes() {
    let room = Room::new();
    room.write("model.onnx", onnx::mean_colour(8));
    let import = Import {
        size: 8,
        mean: [0.5, 0.25, 0.0],
        std: [0.5, 0.25, 1.0],
        ..Import::new("means", room.path("model.onnx"))
    };
    let model = import.clone().into_folder(&room.path("models/means")).unwrap();
    assert_eq!((model.dim(), model.adapts(), model.knows_words()), (3, true, false));
    let vector = model.picture(&plain([255, 51, 0])).unwrap();
    for (value, expected) in vector.iter().zip([2.0, -0.4, 0.0]) {
        assert!((value - expected).abs() < 1e-4, "{vector:?}");
    }
    // A tensor inside is half of that.
    let inside = Import { tensor: Some("means".to_owned()), ..import };
    let model = inside.into_folder(&room.path("models/inside")).unwrap();
    assert!((model.picture(&plain([255, 51, 0])).unwrap()[0] - 1.0).abs() < 1e-4);
    assert!(matches!(model.words("red"), Err(EmbedError::NoWords { .. })));
}

#[test]
fn tokens_are_pooled_as_the_manifest_says() {
    let room = Room::new();
    room.write("rows.onnx", onnx::rows());
    let import = |pooling| Import {
        pooling,
        size: 4,
        mean: [0.0; 3],
        std: [1.0; 3],
        crop: Crop::Squash,
        ..Import::new("rows", room.path("rows.onnx"))
    };
    // White rows on top of black ones.
    let pixels = Pixels::new(4, 4, [[255; 24], [0; 24]].concat()).unwrap();
    let vector = |name: &str, pooling| {
        let model = import(pooling).into_folder(&room.path(name)).unwrap();
        model.picture(&pixels).unwrap()
    };
    assert_eq!(vector("first", Some(Pooling::First)), [1.0; 4]);
    assert_eq!(vector("guessed", None), [1.0; 4]);
    assert_eq!(vector("mean", Some(Pooling::Mean)), [0.5; 4]);
    let said = import(Some(Pooling::None)).into_folder(&room.path("none")).unwrap_err().to_string();
    assert!(said.contains("[1, 4, 4] was found, (1, dim) was expected"), "{said}");
    assert!(!room.path("none").exists(), "a model is there whole or not at all");
}

#[test]
fn the_middle_of_a_picture_is_taken_or_all_of_it() {
    let room = Room::new();
    room.write("model.onnx", onnx::mean_colour(8));
    // A red square with black bars beside it.
    let rows = [[0_u8; 3].repeat(10), [255, 0, 0].repeat(10), [0; 3].repeat(10)].concat().repeat(10);
    let pixels = Pixels::new(30, 10, rows).unwrap();
    let red = |name: &str, crop| {
        let import = Import {
            size: 8,
            mean: [0.0; 3],
            std: [1.0; 3],
            crop,
            ..Import::new(name, room.path("model.onnx"))
        };
        import.into_folder(&room.path(name)).unwrap().picture(&pixels).unwrap()[0]
    };
    assert!((red("centre", Crop::Centre) - 2.0).abs() < 1e-3);
    assert!((red("squash", Crop::Squash) - 2.0 / 3.0).abs() < 0.02);
}

#[test]
fn words_find_pictures_and_join_them_in_sums() {
    let room = Room::new();
    let model = two_towers(&room);
    assert!(model.knows_words() && !model.adapts());
    let colours = [
        ("red", [250, 20, 10]),
        ("green", [10, 240, 30]),
        ("blue", [20, 10, 245]),
        ("violet", [240, 10, 250]),
    ];
    for (name, rgb) in colours {
        room.write(&format!("pictures/{name}.png"), png(&RgbImage::from_pixel(64, 48, Rgb(rgb)), None));
    }
    let pictures = Collection::create(&room.path("pictures"), None).unwrap();
    pictures.index(&model, &IndexOptions::default()).unwrap();
    let first = |terms: Vec<(f32, Term<'_>)>| {
        name(&pictures.search(&Query::new(terms, 4), Some(&model)).unwrap()[0].files[0].path)
    };
    for word in ["red", "Green", "BLUE"] {
        assert_eq!(first(vec![(1.0, Term::Words(word))]), format!("{}.png", word.to_lowercase()));
    }
    assert_eq!(first(vec![(1.0, Term::Words("red blue"))]), "violet.png");
    // More words than the model takes.
    assert_eq!(first(vec![(1.0, Term::Words("red red red red red red red"))]), "red.png");
    let violet = Picture::open(room.path("pictures/violet.png"), &Limits::default()).unwrap();
    assert_eq!(first(vec![(1.0, Term::Pixels(&violet.pixels)), (-1.0, Term::Words("red"))]), "blue.png");
}

#[test]
fn a_model_that_was_changed_is_refused_and_another_name_is_another_model() {
    let room = Room::new();
    let model = two_towers(&room);
    let folder = room.path("models/colours");
    assert_eq!(Model::load(&folder).unwrap().name(), model.name());
    room.draw("pictures/a.jpg", 1);
    let pictures = Collection::create(&room.path("pictures"), None).unwrap();
    pictures.index(&model, &IndexOptions::default()).unwrap();

    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    fs::write(folder.join("manifest.json"), manifest.replace("\"size\": 8", "\"size\": 8 ")).unwrap();
    let other = Model::load(&folder).unwrap();
    assert_ne!(other.name(), model.name(), "every setting is part of the name");
    let refused = pictures.search(&Query::new(vec![(1.0, Term::Words("red"))], 1), Some(&other)).unwrap_err();
    assert!(matches!(refused, CollectionError::Model { .. }), "{refused}");

    for (from, to, said) in [
        ("\"format\": 1", "\"format\": 2", "upgrade linjin"),
        ("\"dim\": 3", "\"dim\": 0", "out of range"),
        ("\"picture.onnx\"", "\"../picture.onnx\"", "a file in the same folder"),
        ("\"licence\"", "\"license\"", "unknown field"),
        ("\"size\": 8", "\"size\": 100000", "out of range"),
    ] {
        fs::write(folder.join("manifest.json"), manifest.replacen(from, to, 1)).unwrap();
        let error = Model::load(&folder).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    fs::write(folder.join("manifest.json"), &manifest).unwrap();
    let mut onnx = fs::read(folder.join("text.onnx")).unwrap();
    *onnx.last_mut().unwrap() ^= 1;
    fs::write(folder.join("text.onnx"), onnx).unwrap();
    assert!(matches!(Model::load(&folder), Err(ModelError::Changed { .. })));
}

#[test]
fn what_is_no_model_is_not_imported() {
    let room = Room::new();
    room.write("words.onnx", "these are words");
    room.write("model.onnx", onnx::mean_colour(8));
    room.write("cut.onnx", &onnx::mean_colour(8)[..60]);
    let import = |file: &str| Import { size: 8, ..Import::new("model", room.path(file)) };
    let target = room.path("models/model");
    for file in ["nothing.onnx", "words.onnx", "cut.onnx"] {
        let error = import(file).into_folder(&target).unwrap_err().to_string();
        assert!(error.contains(".onnx"), "{error}");
    }
    let unknown = Import { tensor: Some("inner".to_owned()), ..import("model.onnx") };
    let error = unknown.into_folder(&target).unwrap_err().to_string();
    assert!(error.contains("no tensor is called inner; outputs are embedding"), "{error}");
    let wrong = Import { size: 16, ..import("words.onnx") };
    assert!(wrong.into_folder(&target).is_err());
    assert!(!target.exists());
    import("model.onnx").into_folder(&target).unwrap();
    let again = import("model.onnx").into_folder(&target).unwrap_err().to_string();
    assert!(again.contains("there is a model already"), "{again}");
    assert_eq!(fs::read_dir(room.path("models")).unwrap().count(), 1, "nothing is left beside it");
}
