//! The commands in the pages, as a shell runs them; progress on a terminal.

#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field};

use super::*;

/// The blocks of a page in one language, without those of other programs.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join(page)).unwrap();
    let begins = format!("\n```{language}\n");
    let found: Vec<String> = text
        .split(&begins)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap().to_owned())
        .filter(|block| block.contains("linjin ") && !block.contains("make ") && !block.contains("pip "))
        .collect();
    assert!(!found.is_empty(), "{page} has no commands");
    found
}

/// A table of vectors with a price, a language and a name, as Parquet.
fn shop(path: &Path, vectors: &[Vec<f32>]) {
    let dim = vectors[0].len();
    let values = Float32Array::from(vectors.concat());
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let embedding = FixedSizeListArray::new(item, dim as i32, Arc::new(values), None);
    let prices: Float32Array = (0..vectors.len()).map(|row| Some(row as f32)).collect();
    let languages: StringArray = (0..vectors.len()).map(|row| Some(["zh", "en"][row % 2])).collect();
    let names: StringArray = (0..vectors.len()).map(|row| Some(format!("item {row}"))).collect();
    let table = RecordBatch::try_from_iter([
        ("embedding", Arc::new(embedding) as ArrayRef),
        ("price", Arc::new(prices)),
        ("lang", Arc::new(languages)),
        ("sku", Arc::new(names)),
    ])
    .unwrap();
    let file = File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, table.schema(), None).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
}

/// A folder with all files that the pages name; `bin/linjin` in it is the command, that measures for a shorter time.
fn room() -> Room {
    let room = Room::new();
    let vectors = numbers(1_000, 40, 1);
    room.write("items.npy", npy(&vectors));
    room.write("queries.npy", npy(&numbers(20, 40, 2)));
    room.write("more.npy", npy(&numbers(50, 40, 3)));
    shop(&room.path("shop.parquet"), &vectors[..60]);
    room.text("build items.npy -o items.linjin");
    room.text("convert items.linjin -o items.ann --trees 10");
    room.text("build more.npy -o monday.linjin");
    room.write("ids.npy", npy_ids(&(100..1_100).collect::<Vec<_>>()));
    room.text("build items.npy -o tuesday.linjin --ids ids.npy");
    for folder in ["bin", "album", ".local/share/bash-completion/completions"] {
        fs::create_dir_all(room.path(folder)).unwrap();
    }
    let linjin = assert_cmd::cargo::cargo_bin!("linjin").display().to_string();
    let shorter = "case $1 in eval|tune) set -- \"$@\" --seconds 0.01;; esac";
    room.write("bin/linjin", format!("#!/bin/sh\n{shorter}\nexec '{linjin}' \"$@\"\n"));
    fs::set_permissions(room.path("bin/linjin"), fs::Permissions::from_mode(0o755)).unwrap();
    room
}

/// What a shell prints; each line has to succeed.
fn typed(room: &Room, lines: &str) -> String {
    let path = format!("{}:{}", room.path("bin").display(), std::env::var("PATH").unwrap());
    let done = Command::new("sh")
        .args(["-e", "-c", lines])
        .current_dir(room.folder.path())
        .env("PATH", path)
        .env("HOME", room.folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{lines}\n{told}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn commands_of_the_guide_do_what_they_say() {
    let room = room();
    for block in blocks("docs/guide.md", "sh") {
        typed(&room, &block);
    }
    for made in ["curve.svg", "saved.linjin", "shop.linjin", "week.linjin", "vectors.npy", "ids.npy"] {
        assert!(room.path(made).exists(), "{made}");
    }
    assert_eq!(room.json("info week.linjin --json")[0]["vectors"], 1_050);
    assert!(room.path(".local/share/man/man1/linjin.1").exists());
}

#[test]
fn commands_of_other_pages_do_what_they_say() {
    for page in ["README.md", "docs/moving.md"] {
        let room = room();
        for block in blocks(page, "sh") {
            typed(&room, &block);
        }
    }
}

/// Commands and what they print, of a block of a console.
fn console(block: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut continued = false;
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push((command.to_owned(), String::new()));
        } else if continued {
            let (command, _) = found.last_mut().unwrap();
            *command += &format!("\n{line}");
        } else {
            let (_, printed) = found.last_mut().unwrap();
            *printed += &format!("{line}\n");
        }
        continued = line.ends_with('\\');
    }
    found
}

#[cfg(feature = "serve")]
#[test]
fn the_server_answers_as_its_page_says() {
    let room = room();
    let vectors = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [5.0, 5.0, 5.0]].map(Vec::from);
    room.write("three.npy", npy(&vectors));
    room.write("ids.npy", npy_ids(&[10, 20, 30]));
    room.text("build three.npy -o items.linjin --metric euclidean --ids ids.npy");
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/server.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("\n```console\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    let mut lines = blocks.iter().flat_map(|block| console(block));
    let (command, address) = lines.next().unwrap();
    let serving = serve::Serving::new(&room, &format!("{} --port 0", command.trim_start_matches("linjin ")));
    let port = serving.port();
    assert_eq!(serving.told, address.replace("7465", port));
    let mut asked = 0;
    for (command, printed) in lines {
        let answer = typed(&room, &command.replace("7465", port));
        assert_eq!(answer.trim_end(), printed.trim_end(), "{command}");
        asked += 1;
    }
    assert_eq!(asked, 4);
}

/// On a terminal, which `script` pretends to be.
#[cfg(target_os = "linux")]
#[test]
fn what_takes_long_shows_how_far_it_is() {
    let room = room();
    let linjin = assert_cmd::cargo::cargo_bin!("linjin").display().to_string();
    let command = format!("{linjin} eval items.linjin --queries queries.npy --seconds 0.3 --json");
    // Without a name for the terminal nothing is known of it, and nothing shown.
    let on_terminal = typed(&room, &format!("TERM=xterm script -qec '{command}' /dev/null"));
    assert!(on_terminal.contains("measuring [") && on_terminal.contains("left"), "{on_terminal:?}");
    let elsewhere = typed(&room, &format!("{command} 2>&1"));
    assert!(!elsewhere.contains("measuring"), "{elsewhere}");
}
