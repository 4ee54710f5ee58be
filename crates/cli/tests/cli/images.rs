//! `linjin images`: what a shell gets to see.

use std::collections::BTreeSet;

use image::{Rgb, RgbImage, imageops};
use predicates::str::contains;

use super::*;

/// The models of the library's own tests.
#[path = "../../../images/tests/images/onnx.rs"]
#[allow(dead_code)] // not all of them are needed here
mod onnx;

/// A picture of coloured rectangles, different for each seed.
pub(super) fn drawing(seed: u64) -> RgbImage {
    let mut next = dice(seed + 1);
    let mut byte = move || (next() >> 32) as u8;
    let mut image = RgbImage::from_pixel(240, 180, Rgb([byte(), byte(), byte()]));
    for _ in 0..12 {
        let (x, y) = (u32::from(byte()) * 200 / 255, u32::from(byte()) * 150 / 255);
        let (width, height) = (20 + u32::from(byte()) / 4, 20 + u32::from(byte()) / 4);
        let colour = Rgb([byte(), byte(), byte()]);
        for (x, y) in (y..(y + height).min(180)).flat_map(|y| (x..(x + width).min(240)).map(move |x| (x, y)))
        {
            image.put_pixel(x, y, colour);
        }
    }
    image
}

/// `album/` with four drawings, a small copy of each, and a broken file.
fn album() -> Room {
    let room = Room::new();
    fs::create_dir_all(room.path("album/small")).unwrap();
    for seed in 0..4 {
        let image = drawing(seed);
        image.save(room.path(&format!("album/{seed}.png"))).unwrap();
        let small = imageops::resize(&image, 120, 90, imageops::FilterType::Triangle);
        small.save(room.path(&format!("album/small/{seed}.jpg"))).unwrap();
    }
    room.write("album/broken.jpg", "words");
    room
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn a_folder_is_indexed_and_searched_from_inside_and_from_outside() {
    let room = album();
    let said = room.text("images index album");
    assert!(said.contains("9 files, 0 unchanged, 8 new pictures"), "{said}");
    assert!(said.contains("1 refused") && said.contains("broken.jpg: not a picture"), "{said}");
    let again = &room.json("images index album --json")[0];
    assert_eq!((&again["unchanged"], &again["embedded"]), (&9.into(), &0.into()));
    assert_eq!(again["failures"][0]["path"], "broken.jpg");

    let found = room.text("images search album/2.png -C album -k 2 --paths");
    assert_eq!(lines(&found), ["album/2.png", "album/small/2.jpg"]);
    let similar = room.text("images similar album/2.png -C album -k 1 --paths");
    assert_eq!(lines(&similar), ["album/small/2.jpg"]);
    // From inside the collection is found by itself, and paths lead from there.
    let inside =
        room.linjin("images similar ../2.png -k 1 --paths").current_dir(room.path("album/small")).assert();
    assert_eq!(inside.success().get_output().stdout, b"2.jpg\n");
    let hits = room.json("images search album/1.png --collection album --json");
    assert_eq!((&hits[0]["path"], &hits[1]["path"]), (&"album/1.png".into(), &"album/small/1.jpg".into()));
    assert!(
        hits[0]["score"].as_f64().unwrap() > 0.999 && hits[0]["width"] == 240 && hits[0]["format"] == "PNG"
    );
    let table = room.text("images search album/1.png -C album -k 1");
    assert!(table.contains("1.000    240 x 180") && table.ends_with("  album/1.png\n"), "{table}");
}

#[test]
fn terms_are_added_subtracted_and_weighed() {
    let room = album();
    room.text("images index album");
    let both = room.text("images search album/0.png + album/1.png -C album -k 4 --paths");
    let both: BTreeSet<&str> = both.lines().collect();
    assert_eq!(
        both,
        BTreeSet::from(["album/0.png", "album/1.png", "album/small/0.jpg", "album/small/1.jpg"])
    );
    let first = room.text("images search 3:album/0.png album/1.png -C album -k 1 --paths");
    assert_eq!(first, "album/0.png\n");
    let away = room.text("images search album/0.png - 2:album/1.png -C album -k 8 --paths");
    let away = lines(&away);
    assert!(away[0].ends_with("0.jpg") || away[0].ends_with("0.png"), "{away:?}");
    assert_eq!(BTreeSet::from([away[6], away[7]]), BTreeSet::from(["album/1.png", "album/small/1.jpg"]));
    assert!(room.text("images search album/0.png -C album --min-score 2").contains("nothing found"));
    for (typed, said) in [
        ("images search album/0.png + -C album", "a term is missing at the end"),
        ("images search + - album/0.png -C album", "a term is missing before"),
        ("images search album/0.png - album/0.png -C album", "cancel out"),
        ("images search 0:album/0.png -C album", "a weight is above 0"),
    ] {
        assert!(room.error(typed, 2).contains(said), "{typed}");
    }
}

#[test]
fn filters_are_typed_as_people_write_them() {
    let room = album();
    room.text("images index album");
    let found = |typed: &str| {
        room.text(&format!("images search album/0.png -C album -k 100 --paths {typed}")).lines().count()
    };
    assert_eq!((found(""), found("--folder small"), found("--folder album/small")), (8, 4, 4));
    assert_eq!((found("--min-side 100"), found("--max-side 120"), found("--max-bytes 1G")), (4, 4, 8));
    assert_eq!((found("--after 2020-01"), found("--before 2020")), (8, 0));
    let zero = room.text("images search album/0.png -C album -k 2 -0");
    assert_eq!(zero, "album/0.png\0album/small/0.jpg\0");
    for (typed, said) in [
        ("--after yesterday", "a date is YYYY"),
        ("--min-bytes much", "a number of bytes"),
        ("--folder nowhere", "no folder of the collection"),
        ("--json --paths", "cannot be used with"),
    ] {
        assert!(
            room.error(&format!("images search album/0.png -C album {typed}"), 2).contains(said),
            "{typed}"
        );
    }
}

#[test]
fn copies_are_told_and_never_touched() {
    let room = album();
    fs::copy(room.path("album/0.png"), room.path("album/small/again.png")).unwrap();
    imageops::rotate90(&drawing(3)).save(room.path("album/turned.png")).unwrap();
    room.text("images index album");
    let groups = room.json("images duplicates -C album --json");
    assert_eq!(groups.len(), 4);
    assert_eq!(groups[0]["keep"]["path"], "album/0.png");
    let copies: Vec<_> = groups[0]["copies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|copy| (&copy["path"], &copy["likeness"]))
        .collect();
    assert_eq!(copies[0], (&"album/small/0.jpg".into(), &"resized".into()));
    assert_eq!(copies[1], (&"album/small/again.png".into(), &"same".into()));
    assert!(groups[3].to_string().contains("turned"));
    let said = room.text("images duplicates -C album");
    assert!(said.contains("4 groups, 6 copies") && said.contains("nothing was changed"), "{said}");
    assert_eq!(room.text("images duplicates -C album --exact --paths"), "album/small/again.png\n");
    assert!(room.path("album/small/again.png").exists());
}

#[test]
fn a_collection_says_what_it_holds_and_where_none_is() {
    let room = album();
    for typed in ["images info", "images search album/0.png", "images duplicates", "images index"] {
        assert!(room.error(typed, 1).contains("`linjin images index DIR` makes one"), "{typed}");
    }
    assert!(room.error("images index album/0.png", 1).contains("this is no folder"));
    assert!(room.error("images search nothing.png -C album", 1).contains("no collection"));
    room.text("images index album --data data");
    assert!(!room.path("album/.linjin").exists());
    let info = &room.json("images info -C data --json")[0];
    assert_eq!((&info["pictures"], &info["model"]), (&8.into(), &"descriptor-1".into()));
    assert!(room.text("images info -C data").contains("broken.jpg: not a picture"));
    assert!(room.error("images search nothing.png -C data", 1).starts_with("error: nothing.png: "));
    assert!(room.error("images similar data/lock -C data", 1).contains("not in the collection"));
    room.write("data/catalogue.sqlite", "damaged");
    assert!(room.error("images info -C data", 3).contains("catalogue"));
}

#[test]
fn a_model_is_imported_named_and_asked_with_words() {
    let room = Room::new();
    room.write("model.onnx", onnx::mean_colour(8));
    let linjin = |typed: &str| {
        let mut command = room.linjin(typed);
        command.env("LINJIN_MODELS", room.path("models"));
        command
    };
    let text = |typed: &str| {
        let done = linjin(typed).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    assert!(text("images model list").contains("no models in"));
    let said =
        text("images model import model.onnx --name colours --size 8 --mean 0,0,0 --std 1,1,1 --licence MIT");
    assert!(said.starts_with("colours: 3 values, pictures, MIT, "), "{said}");
    assert_eq!(text("images model list"), said);
    let whole = text("images model import model.onnx --name whole --size 8 --int8");
    assert!(whole.starts_with("whole: 3 values, pictures, int8, licence unknown, "), "{whole}");
    let models = text("images model list --json");
    let precisions: Vec<Value> = models
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["precision"].clone())
        .collect();
    assert_eq!(precisions, ["float32", "int8"]);
    linjin("images model import model.onnx --name none --size 8 --tensor means --int8")
        .assert()
        .code(3)
        .stderr(contains("no product with constant weights"));
    for (name, colour) in [("red", [250, 10, 20]), ("blue", [10, 20, 250]), ("pink", [250, 120, 130])] {
        fs::create_dir_all(room.path("album")).unwrap();
        RgbImage::from_pixel(40, 30, Rgb(colour)).save(room.path(&format!("album/{name}.png"))).unwrap();
    }
    text("images index album --model colours");
    let info: Value = serde_json::from_str(&text("images info -C album --json")).unwrap();
    assert!(info["model"].as_str().unwrap().starts_with("colours@"), "{info}");
    assert_eq!(text("images search album/red.png -C album --paths -k 2"), "album/red.png\nalbum/pink.png\n");
    // The next run takes the model that the collection has.
    assert!(text("images index album").contains("3 unchanged"));
    linjin("images search ladybird -C album")
        .assert()
        .code(1)
        .stderr(contains("knows pictures only, no words"));
    fs::remove_dir_all(room.path("models/colours")).unwrap();
    linjin("images search album/red.png -C album")
        .assert()
        .code(1)
        .stderr(contains("no model is called colours"));
    linjin("images model import nothing.onnx --name a").assert().code(1).stderr(contains("nothing.onnx"));
    linjin("images model import model.onnx --name ../a")
        .assert()
        .code(2)
        .stderr(contains("a name has letters"));
    linjin("images index album --model descriptor").assert().success();
}

#[test]
fn a_part_of_a_picture_is_searched_with() {
    let room = album();
    room.text("images index album");
    // Two drawings beside one another: each half finds its own.
    let mut both = RgbImage::new(480, 180);
    imageops::replace(&mut both, &drawing(1), 0, 0);
    imageops::replace(&mut both, &drawing(3), 240, 0);
    both.save(room.path("both.png")).unwrap();
    for (crop, found) in [("0,0,0.5,1", "album/1.png"), ("0.5,0,1,1", "album/3.png")] {
        let paths = room.text(&format!("images search both.png --crop {crop} -C album -k 1 --paths"));
        assert_eq!(lines(&paths), [found]);
    }
    for wrong in ["0,0,1", "0.5,0,0.5,1", "0,0,2,1", "a,b,c,d"] {
        room.error(&format!("images search both.png --crop {wrong} -C album"), 2);
    }
    let none = room.error("images search dog --crop 0,0,1,0.5 -C album", 2);
    assert!(none.contains("--crop is for a picture"), "{none}");
    let named = room.text("images search album/1.png -C album --name SMALL -k 1 --paths");
    assert_eq!(lines(&named), ["album/small/1.jpg"]);
}
