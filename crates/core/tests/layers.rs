//! The layer rule: a module may use only modules of lower layers. To change the list is to change the architecture.

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

use std::{fs, path::Path};

/// Lowest first; modules of one layer do not use one another.
const LAYERS: &[&[&str]] = &[
    &["simd", "keep", "early", "filtered", "random", "parallel", "sync", "error"],
    &["file", "metric", "vectors", "filter", "hits"],
    &["kmeans", "journal"],
    &["quant"],
    &["leaves", "forest", "graph"],
    &["index"],
];
/// The rooms in which `unsafe` is allowed.
const UNSAFE_ROOMS: &[&str] = &["simd/", "file/mmap.rs", "file/sigbus.rs"];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// Every source file below `src` but `lib.rs`, by its name from there, with its text.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
            if name != "lib.rs" {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 10, "the sources are where this test looks for them");
    found
}

#[test]
fn imports_point_down() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        let home = name.split(['/', '.']).next().unwrap();
        let Some(from) = layer(home) else {
            faults.push(format!("{name}: `{home}` has no layer"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for used in line.split("crate::").skip(1).filter(|_| !line.trim_start().starts_with("//")) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if used != home && layer(used).is_none_or(|to| to >= from) {
                    faults.push(format!("{name}:{}: `{home}` may not use `{used}`", number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn unsafe_stays_in_its_rooms() {
    for (name, text) in sources() {
        let allowed = UNSAFE_ROOMS.iter().any(|room| name.starts_with(room));
        assert!(allowed || !text.contains("allow(unsafe_code)"), "{name} lets unsafe code in");
    }
}

#[test]
fn every_file_says_its_duty_in_its_first_line() {
    for (name, text) in sources() {
        assert!(text.starts_with("//! "), "{name} does not begin with what it is for");
    }
}
