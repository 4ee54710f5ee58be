//! Tables with columns beside the vectors: built, shown with what is found, filtered by, changed and merged.

use std::fs::File;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use serde_json::{Value, json};

use crate::Room;

/// Vectors (n, 0), and for each a price, a language and a name.
fn table(n: usize) -> RecordBatch {
    let values = Float32Array::from((0..n).flat_map(|i| [i as f32, 0.0]).collect::<Vec<_>>());
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let vectors = FixedSizeListArray::new(item, 2, Arc::new(values), None);
    let prices = Float32Array::from((0..n).map(|i| i as f32 + 0.1).collect::<Vec<_>>());
    let languages: StringArray = (0..n).map(|i| [Some("zh"), Some("en"), None][i % 3]).collect();
    let names: StringArray = (0..n).map(|i| Some(format!("item {i}"))).collect();
    let numbers = Int64Array::from((0..n as i64).map(|i| 10 * i).collect::<Vec<_>>());
    RecordBatch::try_from_iter([
        ("embedding", Arc::new(vectors) as ArrayRef),
        ("price", Arc::new(prices)),
        ("lang", Arc::new(languages)),
        ("sku", Arc::new(names)),
        ("number", Arc::new(numbers)),
    ])
    .unwrap()
}

fn room(n: usize) -> Room {
    let room = Room::new();
    let table = table(n);
    let mut file =
        FileWriter::try_new(File::create(room.path("shop.arrow")).unwrap(), &table.schema()).unwrap();
    file.write(&table).unwrap();
    file.finish().unwrap();
    let stream = File::create(room.path("stream.arrow")).unwrap();
    let mut stream = StreamWriter::try_new(stream, &table.schema()).unwrap();
    stream.write(&table).unwrap();
    stream.finish().unwrap();
    room
}

fn lines(room: &Room, typed: &str) -> Vec<Value> {
    let done = room.linjin(typed).assert().success();
    let text = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is typed has spaces in it here.
fn search(room: &Room, filter: &str, more: &[&str]) -> Value {
    let mut command = room.linjin("search shop.linjin --vector 4,0 --json --filter");
    let done = command.arg(filter).args(more).assert().success();
    serde_json::from_slice(&done.get_output().stdout).unwrap()
}

#[test]
fn columns_of_a_table_come_along() {
    let room = room(12);
    for file in ["shop.arrow", "stream.arrow"] {
        room.linjin(&format!("build {file} -o shop.linjin --metric euclidean")).assert().success();
        let found = search(&room, "price < 3 and lang = 'zh'", &["-k", "2"]);
        assert_eq!(found["ids"], json!([0]));
        assert_eq!(found["columns"]["price"], json!([0.1]), "as it was written");
        assert_eq!(found["columns"]["sku"], json!(["item 0"]));
        let found = search(&room, "number / 10 - price < 0 and number % 20 = 0", &["-k", "2"]);
        assert_eq!(found["ids"], json!([4, 2]));
        let found = search(&room, "lang is null", &["-k", "2"]);
        assert_eq!(
            (found["ids"].clone(), found["columns"]["lang"].clone()),
            (json!([5, 2]), json!([null, null]))
        );
    }
    let info = &lines(&room, "info shop.linjin --json")[0];
    let columns = json!({"price": "float32", "lang": "text", "sku": "text", "number": "int64"});
    assert_eq!((&info["columns"], &info["ids"]), (&columns, &json!("uint64")));
    let shown = room.linjin("search shop.linjin --id 3 -k 1").assert().success();
    let shown = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    assert_eq!(
        shown,
        "id 3\n  id  distance  price  lang     sku  number\n   3  0.000000    3.1    zh  item 3      30\n"
    );
}

#[test]
fn ids_and_columns_are_chosen() {
    let room = room(6);
    room.linjin("build shop.arrow -o shop.linjin --metric euclidean --ids sku --columns price")
        .assert()
        .success();
    let found = search(&room, "price > 2", &["-k", "2"]);
    assert_eq!(
        (found["ids"].clone(), found["columns"].clone()),
        (json!(["item 4", "item 3"]), json!({"price": [4.1, 3.1]}))
    );
    let mut remove = room.linjin("remove shop.linjin --id");
    remove.arg("item 4").assert().success();
    assert_eq!(search(&room, "price > 2", &["-k", "1"])["ids"], json!(["item 3"]));
    let missing = room.linjin("search shop.linjin --id item").assert().code(1);
    assert!(
        String::from_utf8_lossy(&missing.get_output().stderr).contains("the id item is not in shop.linjin")
    );

    room.linjin("build shop.arrow -o numbers.linjin --metric euclidean --ids number").assert().success();
    assert_eq!(lines(&room, "search numbers.linjin --vector 4,0 -k 1 --json")[0]["ids"], json!([40]));
}

#[test]
fn additions_bring_their_columns() {
    let room = room(4);
    room.linjin("build shop.arrow -o shop.linjin --metric euclidean --columns price").assert().success();
    room.linjin("add shop.linjin stream.arrow").assert().success();
    let found = search(&room, "lang = 'zh'", &["-k", "9"]);
    assert_eq!(found["ids"], json!([7, 4]));
    assert_eq!(found["columns"]["price"], json!([3.1, 0.1]));
    room.linjin("remove shop.linjin --id 7").assert().success();
    room.linjin("add shop.linjin stream.arrow --ids number --columns price --replace").assert().success();
    assert_eq!(search(&room, "lang = 'zh'", &[])["ids"], json!([4]));
}

#[test]
fn merged_indexes_keep_their_columns() {
    let room = room(4);
    room.linjin("build shop.arrow -o a.linjin --metric euclidean --columns price").assert().success();
    room.linjin("build shop.arrow -o b.linjin --metric euclidean --ids number --columns lang")
        .assert()
        .success();
    room.linjin("merge a.linjin b.linjin -o shop.linjin --replace").assert().success();
    let found = search(&room, "lang = 'zh' or price > 2", &["-k", "9"]);
    assert_eq!(found["ids"], json!([3, 30, 2, 0]), "0 is of the last");
    assert_eq!(found["columns"]["price"], json!([3.1, null, 2.1, null]));

    room.linjin("build shop.arrow -o c.linjin --metric euclidean --ids sku").assert().success();
    room.linjin("merge c.linjin c.linjin -o shop.linjin").assert().code(1);
    room.linjin("merge c.linjin c.linjin -o shop.linjin --replace").assert().success();
    assert_eq!(search(&room, "number = 20", &[])["ids"], json!(["item 2"]));
    room.linjin("merge a.linjin c.linjin -o shop.linjin").assert().code(1);
    room.linjin("merge c.linjin c.linjin -o shop.linjin --renumber").assert().code(2);
}

#[test]
fn parquet_is_read() {
    let room = room(5);
    let file = File::create(room.path("shop.parquet")).unwrap();
    let table = table(5);
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, table.schema(), None).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
    room.linjin("convert shop.parquet -o vectors.npy").assert().success();
    room.linjin("build shop.parquet -o shop.linjin --metric euclidean --ids sku").assert().success();
    assert_eq!(search(&room, "number >= 30", &[])["ids"], json!(["item 4", "item 3"]));
    let whole = std::fs::read(room.path("shop.parquet")).unwrap();
    for end in (0..whole.len()).step_by(7) {
        room.write("cut.parquet", &whole[..end]);
        room.linjin("build cut.parquet -o cut.linjin").assert().code(3);
    }
}

#[test]
fn what_is_wrong_with_a_table_is_said() {
    let room = room(3);
    let says = |typed: &str, code: i32, what: &str| {
        let done = room.linjin(typed).assert().code(code);
        let text = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
        assert!(text.contains(what), "{typed}: {text}");
    };
    says(
        "build shop.arrow -o x.linjin --dataset price",
        3,
        "\"price\" holds no lists of numbers, but Float32",
    );
    says(
        "build shop.arrow -o x.linjin --dataset vector",
        3,
        "no column \"vector\" in it; lists of numbers are in \"embedding\"",
    );
    says(
        "build shop.arrow -o x.linjin --columns colour",
        3,
        "no column \"colour\" beside the vectors, only price, lang, sku",
    );
    says("build shop.arrow -o x.linjin --ids price", 3, "price: ids are whole numbers or text, not Float32");
    says("build shop.arrow -o x.linjin --ids lang", 3, "lang: row 2 has no id");
    room.linjin("build shop.arrow -o shop.linjin").assert().success();
    says("search shop.linjin --id 0 --filter prise<3", 2, "did you mean `price`?");
    says("search shop.linjin --id x", 2, "--id: \"x\"");

    let lists = ListArray::from_iter_primitive::<arrow_array::types::Float32Type, _, _>([
        Some(vec![Some(1.0), Some(2.0)]),
        Some(vec![Some(1.0)]),
    ]);
    let uneven = RecordBatch::try_from_iter([("v", Arc::new(lists) as ArrayRef)]).unwrap();
    let mut file =
        FileWriter::try_new(File::create(room.path("u.arrow")).unwrap(), &uneven.schema()).unwrap();
    file.write(&uneven).unwrap();
    file.finish().unwrap();
    says("build u.arrow -o x.linjin", 3, "row 1 has 1 numbers, the first one has 2");

    let whole = std::fs::read(room.path("shop.arrow")).unwrap();
    for at in (0..whole.len()).step_by(11) {
        let mut hurt = whole.clone();
        hurt[at] ^= 0x55;
        room.write("hurt.arrow", &hurt);
        let done = room.linjin("build hurt.arrow -o hurt.linjin").assert();
        let code = done.get_output().status.code();
        assert!(matches!(code, Some(0 | 1 | 3)), "byte {at}: {code:?}");
    }
}
