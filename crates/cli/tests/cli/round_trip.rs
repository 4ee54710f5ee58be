//! Build, search, info, verify.

use super::*;

fn ids(line: &Value) -> Vec<u64> {
    line["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
}

/// The ids of the closest, by the squared length of the difference.
fn closest(vectors: &[Vec<f32>], query: &[f32], k: usize) -> Vec<u64> {
    let far = |row: &[f32]| row.iter().zip(query).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let mut order: Vec<_> = vectors.iter().enumerate().map(|(id, row)| (far(row), id as u64)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    order.into_iter().take(k).map(|(_, id)| id).collect()
}

#[test]
fn what_was_built_is_found_described_and_sound() {
    let room = Room::new();
    let vectors = room.vectors();
    let report = &room.json("build x.npy -o x.linjin --metric euclidean --json")[0];
    assert_eq!(
        (&report["vectors"], &report["dim"], &report["metric"]),
        (&200.into(), &6.into(), &"euclidean".into())
    );
    assert_eq!(report["bytes"], room.path("x.linjin").metadata().unwrap().len());

    let lines = room.json("search x.linjin q.npy -k 5 --exact --json");
    assert_eq!(lines.len(), 10);
    for (query, (line, row)) in lines.iter().zip(numbers(10, 6, 2)).enumerate() {
        assert_eq!(line["query"], query);
        assert_eq!(ids(line), closest(&vectors, &row, 5));
    }

    let info = &room.json("info x.linjin --json")[0];
    let sound = &room.json("verify x.linjin --json")[0];
    assert_eq!(sound["sound"], true);
    for key in ["vectors", "dim", "metric", "leaves", "curve"] {
        assert_eq!(info[key], sound[key], "{key}");
    }
    assert!(room.text("info x.linjin").contains("dimensions  6\n"));
    assert!(
        room.text("verify x.linjin").starts_with("x.linjin: sound; 200 vectors of 6 dimensions, euclidean")
    );
    assert!(
        room.text("build x.npy -o x.linjin").starts_with("x.linjin: 200 vectors of 6 dimensions, cosine")
    );
}

#[test]
fn the_same_vectors_make_the_same_answers_from_any_format() {
    let room = Room::new();
    let vectors = room.vectors();
    let flat = |bytes: fn(f32) -> Vec<u8>| {
        vectors.iter().flatten().flat_map(|&value| bytes(value)).collect::<Vec<_>>()
    };
    let mut columns = Vec::new();
    for column in 0..6 {
        vectors.iter().for_each(|row| columns.extend(row[column].to_le_bytes()));
    }
    let reversed = |value: f32| f64::from(value).to_le_bytes().into_iter().rev().collect();
    for (name, file) in [
        ("x.fvecs", fvecs(&vectors)),
        ("doubles.npy", npy_of("'>f8'", "(200, 6)", &flat(reversed))),
        ("order.npy", npy_with("{'shape': (200, 6), \"fortran_order\": True, 'descr': '<f4'}\n", &columns)),
    ] {
        room.write(name, file);
        room.text("build x.npy -o x.linjin -m euclidean");
        room.text(&format!("build {name} -o y.linjin -m euclidean"));
        let search = "q.npy -k 7 --json";
        assert_eq!(
            room.text(&format!("search x.linjin {search}")),
            room.text(&format!("search y.linjin {search}"))
        );
    }
}

#[test]
fn bytes_and_half_precision_are_numbers() {
    let room = Room::new();
    room.write("x.bvecs", vecs(&[vec![0_u8, 0], vec![255, 255], vec![10, 0]], |&byte| vec![byte]));
    room.text("build x.bvecs -o x.linjin -m manhattan");
    let line = &room.json("search x.linjin --vector 9,0 -k 3 --json")[0];
    assert_eq!((ids(line), &line["distances"]), (vec![2, 0, 1], &serde_json::json!([1.0, 9.0, 501.0])));

    // 1.0, 0.5, -2.0 and 0.25 in half precision
    room.write("x.npy", npy_of("'<f2'", "(2, 2)", &[0x00, 0x3c, 0x00, 0x38, 0x00, 0xc0, 0x00, 0x34]));
    room.text("build x.npy -o x.linjin -m manhattan");
    let line = &room.json("search x.linjin --vector -2,0.25 -k 1 --json")[0];
    assert_eq!((ids(line), &line["distances"]), (vec![1], &serde_json::json!([0.0])));
}

#[test]
fn truth_values_and_packed_bits_are_the_same() {
    let room = Room::new();
    room.write(
        "flags.npy",
        npy_of("'|b1'", "(2, 10)", &[0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    );
    room.write("packed.npy", npy_of("'|u1'", "(2, 2)", &[0b10, 0b01, 0xff, 0b11]));
    room.text("build flags.npy -o flags.linjin -m hamming");
    room.text("build packed.npy -o packed.linjin -m hamming");
    let flags = &room.json("search flags.linjin --vector 0,1,0,0,0,0,0,0,1,1 --json")[0];
    assert_eq!((ids(flags), &flags["distances"]), (vec![0, 1], &serde_json::json!([0.1, 0.7])));
    let packed = &room.json("search packed.linjin --vector 0,1,0,0,0,0,0,0,1,1,0,0,0,0,0,0 --json")[0];
    assert_eq!((ids(packed), &packed["distances"]), (vec![0, 1], &serde_json::json!([0.0625, 0.4375])));
    // Packed queries for an index of ten bits: the last six of the second byte are none.
    assert_eq!(
        room.text("search flags.linjin packed.npy --json"),
        room.text("search flags.linjin flags.npy --json")
    );
    assert!(room.error("search flags.linjin --vector 0,1,0,0,0,0,0,0,1,2", 1).contains("takes bits: 0 or 1"));
}

#[test]
fn ids_filters_and_vectors_of_the_index() {
    let room = Room::new();
    room.vectors();
    room.write("ids.npy", npy_ids(&(0..200).map(|id| id * 3 + 1_000_000_000_000).collect::<Vec<_>>()));
    room.text("build x.npy --ids ids.npy -o x.linjin");
    let line = &room.json("search x.linjin --id 1000000000003 -k 4 --json")[0];
    let all = ids(line);
    assert_eq!((line["id"].as_u64(), all[0], all.len()), (Some(1_000_000_000_003), 1_000_000_000_003, 4));

    room.write("some.npy", npy_ids(&[all[1] as i64, all[3] as i64, 5]));
    let some = &room.json("search x.linjin --id 1000000000003 -k 4 --filter-ids some.npy --json")[0];
    assert_eq!(ids(some), [all[1], all[3]]);
    room.write("mask.npy", npy_of("'|b1'", "(3,)", &[1, 1, 1]));
    let none = room.text("search x.linjin --id 1000000000003 --filter-ids mask.npy");
    assert_eq!(none, "id 1000000000003\n  nothing found\n");
    assert!(room.error("search x.linjin --id 3", 1).contains("the id 3 is not in x.linjin"));
}

#[test]
fn a_table_for_people_and_arrays_for_programs() {
    let room = Room::new();
    room.write("x.npy", npy(&[vec![0.0, 0.0], vec![3.0, 4.0], vec![0.0, 12.0]]));
    room.text("build x.npy -o x.linjin -m euclidean");
    let table = room.text("search x.linjin --vector 0,0 --vector 3,4 -k 2");
    assert_eq!(
        table,
        "query 0\n  id  distance\n   0  0.000000\n   1  5.000000\n\nquery 1\n  id  distance\n   1  0.000000\n   0  5.000000\n"
    );

    room.text("search x.linjin --vector 0,0 -k 4 -o hits.npy");
    let hits = fs::read(room.path("hits.npy")).unwrap();
    let start = hits.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    assert_eq!(start % 64, 0);
    assert!(String::from_utf8_lossy(&hits[10..start]).contains("[('id', '<u8'), ('distance', '<f4')]"));
    let hits: Vec<_> = hits[start..]
        .chunks(12)
        .map(|hit| {
            (
                u64::from_le_bytes(hit[..8].try_into().unwrap()),
                f32::from_le_bytes(hit[8..].try_into().unwrap()),
            )
        })
        .collect();
    assert_eq!(hits, [(0, 0.0), (1, 5.0), (2, 12.0), (u64::MAX, f32::INFINITY)]);

    let said = room.text("search x.linjin --vector 0,0 -k 2 -o hits.jsonl");
    assert!(said.starts_with("hits.jsonl: 2 neighbours of 1 queries"), "{said}");
    let line = fs::read_to_string(room.path("hits.jsonl")).unwrap();
    assert_eq!(line, "{\"query\":0,\"ids\":[0,1],\"distances\":[0.0,5.0]}\n");
}

#[test]
fn queries_have_to_fit() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin");
    room.write("narrow.npy", npy(&numbers(2, 5, 1)));
    let said = room.error("search x.linjin narrow.npy", 1);
    assert!(said.contains("narrow.npy: vectors of 5 dimensions, where x.linjin takes 6"), "{said}");
    assert!(room.error("search x.linjin --vector 1,2", 1).contains("2 numbers, where x.linjin takes 6"));
    assert!(room.error("search x.linjin --vector 1,a", 2).contains("--vector: \"a\""));
    let mut rows = numbers(300, 6, 1);
    rows[299][4] = f32::INFINITY;
    room.write("infinite.npy", npy(&rows));
    assert!(
        room.error("search x.linjin infinite.npy", 1).contains("query 299: the value at column 4 is inf")
    );
    assert_eq!(room.json("search x.linjin q.npy --limit 3 --json --threads 1").len(), 3);
}

#[test]
fn a_damaged_index_is_told_by_its_exit_code() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin");
    let whole = fs::read(room.path("x.linjin")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    room.write("flipped.linjin", &flipped);
    assert!(room.error("verify flipped.linjin", 3).contains("flipped.linjin: "));
    room.write("short.linjin", &whole[..whole.len() - 1]);
    for typed in ["verify short.linjin", "info short.linjin", "search short.linjin q.npy"] {
        assert!(room.error(typed, 3).contains("short.linjin: "));
    }
}

#[test]
fn what_is_left_of_a_damaged_index_is_saved() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin");
    let whole = fs::read(room.path("x.linjin")).unwrap();
    let said = room.text("verify x.linjin --salvage same.linjin");
    assert_eq!(said, "x.linjin: sound; 200 vectors are in same.linjin, 0 are lost\n");
    // All rows are in one block here: it is gone with what it holds.
    let rows = u64::from_le_bytes(whole[64 + 8..64 + 16].try_into().unwrap()) as usize;
    let mut flipped = whole;
    flipped[rows] ^= 1;
    room.write("flipped.linjin", &flipped);
    let told = &room.json("verify flipped.linjin --salvage left.linjin --json")[0];
    assert_eq!((&told["sound"], &told["kept"], &told["lost"]), (&false.into(), &0.into(), &200.into()));
    assert!(
        told["damage"].as_str().unwrap().contains(&format!("section Rows, from byte {rows} on, is wrong"))
    );
    assert!(room.text("verify left.linjin").contains("sound; 0 vectors"));
    assert!(room.error("verify flipped.linjin --salvage none/left.linjin", 1).contains("none"));
}

#[test]
fn nobody_is_told_that_the_reader_went_away() {
    use std::io::Read;
    use std::process::{Command, Stdio};

    let room = Room::new();
    room.write("x.npy", npy(&numbers(100, 2, 1)));
    room.write("q.npy", npy(&numbers(5_000, 2, 2)));
    room.text("build x.npy -o x.linjin");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("linjin"))
        .args(["search", "x.linjin", "q.npy"])
        .current_dir(room.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 7];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap(); // and closes it
    let done = child.wait_with_output().unwrap();
    assert_eq!((&start, done.status.code(), done.stderr.len()), (b"query 0", Some(0), 0));
}
