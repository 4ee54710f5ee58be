//! Damaged, truncated and foreign files: an error that says what is wrong, never a crash.

use super::*;

/// What is said of a file of vectors.
fn of_vectors(name: &str, bytes: impl AsRef<[u8]>, code: i32) -> String {
    let room = Room::new();
    room.write(name, bytes);
    let said = room.error(&format!("build {name} -o out.linjin"), code);
    assert!(said.starts_with(&format!("error: {name}: ")), "{said}");
    assert!(!room.path("out.linjin").exists());
    said
}

#[test]
fn npy_says_what_is_wrong() {
    let data = [0; 48];
    for (file, said) in [
        (b"".to_vec(), "no array of NumPy: the file has 0 bytes"),
        (b"id,a,b,c\n1,2,3,4\n".to_vec(), "no array of NumPy: it begins with \"id,a,b\""),
        (npy_of("'<f4'", "(3, 4)", &data[..47]), "needs 48 bytes, 47 are there; the file is truncated"),
        (npy_of("'<f4'", "(3, 4)", &data)[..40].to_vec(), "the file is damaged or truncated"),
        (npy_of("'<f4'", "(4294967296, 4294967296)", &data), "needs too many bytes"),
        (npy_of("'<f4'", "(0, 18446744073709551615)", &data), "there are no vectors in it"),
        (npy_of("'<f4'", "(-3, 4)", &data), "cannot be understood"),
        (npy_of("'<f4'", "(12,)", &data), "an array of shape (12,), where (vectors, values) is needed"),
        (npy_of("'<f4'", "(3, 2, 2)", &data), "an array of shape (3, 2, 2)"),
        (npy_of("'<f4'", "()", &data), "an array of shape ()"),
        (npy_of("'<f4'", "(3, 0)", &data), "an array of shape (3, 0)"),
        (npy_of("'<c8'", "(3, 2)", &data), "\"<c8\" are not read"),
        (npy_of("'|O'", "(3, 2)", &data), "\"|O\" are not read"),
        (npy_of("[('a', '<f4')]", "(3, 4)", &data), "an array of records"),
        (npy_with("{'descr': '<f4', 'shape': (3, 4), }\n", &data), "cannot be understood"),
        (npy_with("{'descr': '<f4', 'shape'", &data), "cannot be understood"),
        (npy_with(&format!("{{'descr': {}", "[".repeat(5_000)), &data), "an array of records"),
        (npy_with(&"(".repeat(9_000), &data), "cannot be understood"),
        (npy_with(&" ".repeat(60_000), &[0; 60_000]), "the header should have 60000 bytes"),
        (b"\x93NUMPY\x09\x00aaaaaaaaa".to_vec(), "the format version 9"),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xffaaaaaaaaaaaa".to_vec(),
            "the header should have 4294967295 bytes",
        ),
    ] {
        let told = of_vectors("x.npy", file, 3);
        assert!(told.contains(said), "{said:?} in {told}");
    }
}

#[test]
fn vecs_say_what_is_wrong() {
    let whole = fvecs(&numbers(5, 3, 1));
    let mut other = whole.clone();
    other[32..36].copy_from_slice(&4_i32.to_le_bytes());
    for (file, said) in [
        (b"".to_vec(), "there are no vectors in it"),
        (b"abc".to_vec(), "there are no vectors in it"),
        (
            whole[..79].to_vec(),
            "row 4 at byte 64 is cut off: 12 bytes are needed, 11 are left; the file is truncated",
        ),
        (whole[..66].to_vec(), "row 4 at byte 64 is cut off: 2 bytes are left; the file is truncated"),
        (
            whole[..10].to_vec(),
            "row 0 at byte 0 is cut off: 12 bytes are needed, 6 are left; the file is truncated",
        ),
        (other, "row 2 at byte 32 has 4 numbers, the rows before it have 3"),
        (0_i32.to_le_bytes().to_vec(), "row 0 should have 0 numbers"),
        ((-1_i32).to_le_bytes().to_vec(), "row 0 should have -1 numbers"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "the file is of another format"),
    ] {
        let told = of_vectors("x.fvecs", file, 3);
        assert!(told.contains(said), "{said:?} in {told}");
    }
    let bytes = vecs(&[vec![1_u8, 2, 3], vec![4, 5, 6]], |&byte| vec![byte]);
    assert!(
        of_vectors("x.bvecs", &bytes[..13], 3)
            .contains("row 1 at byte 7 is cut off: 3 bytes are needed, 2 are left")
    );
}

#[test]
fn hdf5_says_what_is_wrong() {
    let whole = fs::read(kept("plain.hdf5")).unwrap();
    assert!(of_vectors("x.hdf5", b"", 3).contains("no HDF5 file"));
    assert!(of_vectors("x.hdf5", b"id,a,b,c\n1,2,3,4\n", 3).contains("no HDF5 file"));
    let said = of_vectors("x.h5", &whole[..whole.len() - 1], 3);
    assert!(said.contains("should have 10672 bytes and has 10671; the file is truncated"), "{said}");
    of_vectors("x.h5", &whole[..50], 3);

    let room = Room::new();
    let plain = kept("plain.hdf5").display().to_string();
    let said = room.error(&format!("build {plain} --dataset vectors -o out.linjin"), 3);
    assert!(said.contains("no dataset \"vectors\" in it, only distances, neighbors, test, train"), "{said}");
    let said = room.error(&format!("build {} -o out.linjin", kept("jaccard.hdf5").display()), 1);
    assert!(said.contains("\"jaccard\"") && said.contains("--metric"), "{said}");
}

#[test]
fn no_bytes_crash_a_reader() {
    let room = Room::new();
    let ids: Vec<Vec<i32>> = (0..8).map(|row| vec![row; 4]).collect();
    let mut files = vec![
        ("x.npy", npy(&numbers(8, 4, 1))),
        ("x.fvecs", fvecs(&numbers(8, 4, 1))),
        ("x.ivecs", vecs(&ids, |id| id.to_le_bytes().to_vec())),
    ];
    for name in ["plain.hdf5", "deflated.hdf5", "newest.hdf5"] {
        files.push(("x.hdf5", fs::read(kept(name)).unwrap()));
    }
    let mut next = dice(7);
    for (name, whole) in files {
        for round in 0..60 {
            let mut bytes = whole.clone();
            let mut place = |bytes: &[u8]| (next() % bytes.len() as u64) as usize;
            if round % 4 == 0 {
                let length = place(&bytes);
                bytes.truncate(length);
            } else {
                for _ in 0..3 {
                    let at = place(&bytes);
                    bytes[at] = [0, 0xff, 0x7f, bytes[at] ^ 0x10][place(&[0; 4])];
                }
            }
            room.write(name, bytes);
            let done = room.linjin(&format!("build {name} -o out.linjin")).output().unwrap();
            assert!(matches!(done.status.code(), Some(0 | 1 | 3)), "{name}, round {round}: {done:?}");
        }
    }
}

#[test]
fn ids_are_whole_numbers_one_for_each_vector() {
    let room = Room::new();
    room.write("x.npy", npy(&numbers(3, 2, 1)));
    for (ids, code, said) in [
        (npy_ids(&[1, 2]), 1, "2 ids for the 3 vectors of x.npy"),
        (npy_ids(&[1, 2, 1]), 1, "row 2: the id 1 stands there twice"),
        (npy_ids(&[1, -2, 3]), 3, "row 1: -2 is no id"),
        (npy_ids(&[1, 2, -1]), 3, "row 2: -1 is no id"),
        (npy_of("'<u8'", "(3,)", &[0xff; 24]), 3, "row 0: 18446744073709551615 is no id"),
        (npy_of("'<f4'", "(3,)", &[0; 12]), 3, "numbers of the type float32, where ids"),
        (npy_of("'<i8'", "(3, 2)", &[0; 48]), 3, "an array of shape (3, 2), where a list is needed"),
    ] {
        room.write("ids.npy", ids);
        let told = room.error("build x.npy --ids ids.npy -o out.linjin", code);
        assert!(told.starts_with("error: ids.npy: ") && told.contains(said), "{said:?} in {told}");
    }
}

#[test]
fn vectors_have_to_suit_the_metric() {
    let mut rows = numbers(3, 2, 1);
    rows[1][0] = f32::NAN;
    let told = of_vectors("x.npy", npy(&rows), 1);
    assert!(told.contains("row 1: the value at column 0 is NaN"), "{told}");

    let room = Room::new();
    room.write("x.npy", npy(&numbers(3, 2, 1)));
    let told = room.error("build x.npy -o out.linjin --metric hamming", 1);
    assert!(told.contains("float32, where hamming needs bits"), "{told}");
    room.write("x.npy", npy_of("'<f4'", "(1, 70000)", &vec![0; 280_000]));
    assert!(room.error("build x.npy -o out.linjin", 1).contains("from 1 to 65535 dimensions, got 70000"));
}

#[test]
fn other_files_are_no_index() {
    let room = Room::new();
    room.vectors();
    for verb in ["info x.npy", "verify x.npy", "search x.npy q.npy", "eval x.npy --queries q.npy"] {
        let told = room.error(verb, 3);
        assert!(told.contains("x.npy: this is not a linjin index"), "{told}");
    }
}
