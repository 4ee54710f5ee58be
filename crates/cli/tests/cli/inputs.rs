//! What becomes of every kind of input: the table of `docs/reliability.md`, row by row.

use super::*;

/// The first column of the page's table of inputs.
fn rows() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    let page = fs::read_to_string(page).unwrap();
    let table = page.lines().skip_while(|line| *line != "| input | what happens |").skip(2);
    table.map_while(|line| Some(line.strip_prefix("| ")?.split(" | ").next()?.replace('`', ""))).collect()
}

/// Three vectors with the ids 5, 6 and 7 in `x.linjin`.
fn room() -> Room {
    let room = Room::new();
    room.write("x.npy", npy(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]]));
    room.write("ids.npy", npy_ids(&[5, 6, 7]));
    room.text("build x.npy --ids ids.npy -o x.linjin");
    room
}

#[test]
fn every_row_of_the_table_holds() {
    let rows = rows();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let room = room();
        check(&row, &room);
        let left = fs::read_dir(room.folder.path()).unwrap();
        let debris: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(!debris.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{row}: {debris:?}");
    }
}

/// What is said of `build`, which has to write nothing.
fn refused(room: &Room, typed: &str, code: i32) -> String {
    let said = room.error(&format!("build {typed} -o out.linjin"), code);
    assert!(!room.path("out.linjin").exists());
    said
}

/// The ids that a search finds.
fn found(room: &Room, typed: &str) -> Vec<u64> {
    let hits = room.json(&format!("search x.linjin --vector 1,0.1 --json {typed}"));
    hits[0]["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
}

fn check(row: &str, room: &Room) {
    match row {
        "NaN or an infinity in a vector or a query" => {
            for value in [f32::NAN, f32::INFINITY] {
                room.write("bad.npy", npy(&[vec![1.0, 0.0], vec![0.0, value]]));
                assert!(refused(room, "bad.npy", 1).contains("row 1: the value at column 1"));
                let said = room.error("search x.linjin bad.npy", 1);
                assert!(said.contains("query 1: the value at column 1"), "{said}");
            }
            assert!(room.error("search x.linjin --vector 1,nan", 1).contains("query 0"));
        }
        "a float64 beyond the range of float32" => {
            room.write(
                "bad.npy",
                npy_of("'<f8'", "(1, 2)", &[1e300_f64, 1.0].map(f64::to_le_bytes).concat()),
            );
            assert!(refused(room, "bad.npy", 1).contains("row 0: the value at column 0 is inf"));
        }
        "a vector of zeros under cosine" => {
            room.write("zero.npy", npy(&[vec![0.0, 0.0], vec![1.0, 0.0]]));
            room.text("build zero.npy -o zero.linjin");
            let hits = room.json("search zero.linjin --vector 1,0 --json");
            assert_eq!(
                (&hits[0]["ids"], &hits[0]["distances"]),
                (&vec![1, 0].into(), &vec![0.0, 1.0].into())
            );
        }
        "vectors or a query of another dimension" => {
            room.write("wide.npy", npy(&[vec![1.0, 0.0, 0.0]]));
            let said = room.error("search x.linjin wide.npy", 1);
            assert!(said.contains("vectors of 3 dimensions, where x.linjin takes 2"), "{said}");
        }
        "complex numbers, text, dates as vectors" => {
            for kind in ["'<c8'", "'<U2'", "'<M8[s]'"] {
                room.write("bad.npy", npy_of(kind, "(1, 2)", &[0; 16]));
                assert!(refused(room, "bad.npy", 3).contains("are not read"));
            }
        }
        "floats for hamming, bits for another metric" => {
            assert!(refused(room, "x.npy --metric hamming", 1).contains("x.npy: "));
        }
        "an id that is in use" | "an id twice in one call" => {
            room.write("twice.npy", npy_ids(&[5, 6, 5]));
            let said = refused(room, "x.npy --ids twice.npy", 1);
            assert!(said.contains("row 2: the id 5 stands there twice"), "{said}");
        }
        "2⁶⁴ − 1, or a negative number, as an id" => {
            room.write("bad.npy", npy_ids(&[5, -1, 7]));
            assert!(refused(room, "x.npy --ids bad.npy", 3).contains("row 1: -1 is no id"));
            let last = [5, u64::MAX, 7].map(u64::to_le_bytes).concat();
            room.write("bad.npy", npy_of("'<u8'", "(3,)", &last));
            assert!(refused(room, "x.npy --ids bad.npy", 3).contains("18446744073709551615 is no id"));
        }
        "numbers by themselves after the id 2⁶⁴ − 2" => {
            let last = [5, u64::MAX - 1, 7].map(u64::to_le_bytes).concat();
            room.write("last.npy", npy_of("'<u8'", "(3,)", &last));
            room.text("build x.npy --ids last.npy -o x.linjin");
            assert_eq!(found(room, ""), [5, 7, u64::MAX - 1]);
        }
        "remove, get, update of an id that is not there" => {
            assert!(room.error("search x.linjin --id 8", 1).contains("the id 8 is not in x.linjin"));
        }
        "k of 0" => assert!(room.error("search x.linjin --vector 1,0 -k 0", 2).contains("at least 1")),
        "k beyond the number of vectors" => assert_eq!(found(room, "-k 9"), [5, 7, 6]),
        "k for which there is no memory" => {
            for k in ["1152921504606846976", "18446744073709551615"] {
                let said = room.error(&format!("search x.linjin --vector 1,0 -k {k}"), 1);
                assert!(said.contains("there is no memory for"), "{said}");
            }
            room.error("search x.linjin --vector 1,0 -k 18446744073709551616", 2);
        }
        "ef of 0, or below k" => {
            room.error("search x.linjin --vector 1,0 --ef 0", 2);
            assert_eq!(found(room, "-k 2 --ef 1"), [5, 7]);
        }
        "ef beyond the number of vectors" => {
            assert_eq!(found(room, "-k 2 --ef 18446744073709551615"), [5, 7]);
        }
        "a recall of 0, above 1, or NaN" => {
            for recall in ["0", "1.5", "NaN", "inf"] {
                room.error(&format!("search x.linjin --vector 1,0 --recall {recall}"), 2);
            }
        }
        "no vectors in a call" => {
            room.write("none.npy", npy_of("'<f4'", "(0, 2)", &[]));
            assert!(refused(room, "none.npy", 3).contains("there are no vectors in it"));
        }
        "an empty index" => {
            // Only what is salvaged can be empty here.
            room.write("empty.linjin", fs::read(room.path("x.linjin")).unwrap());
            let mut bytes = fs::read(room.path("x.linjin")).unwrap();
            let rows = u64::from_le_bytes(bytes[72..80].try_into().unwrap()) as usize;
            bytes[rows] ^= 1;
            room.write("bad.linjin", bytes);
            room.text("verify bad.linjin --salvage empty.linjin");
            assert_eq!(room.json("search empty.linjin --vector 1,0 --json")[0]["ids"], serde_json::json!([]));
        }
        "a dimension of 0 or above 65,535" => {
            room.write("none.npy", npy_of("'<f4'", "(2, 0)", &[]));
            refused(room, "none.npy", 3);
            room.write("wide.npy", npy(&[vec![0.5; 65_536]]));
            assert!(refused(room, "wide.npy", 1).contains("from 1 to 65535 dimensions, got 65536"));
        }
        // The command does not remove, and no machine here has the memory for so many.
        "remove of an id twice" | "vectors for which there is no memory" | "more than 2³² − 1 vectors" => {
        }
        other => panic!("nobody looks at {other:?}"),
    }
}
