//! The layer rule of `lib.rs`: a module may use only modules of lower layers. To change the list is to change the architecture.

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

use std::{fs, path::Path};

/// Lowest first; modules of one layer do not use one another.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["kinds", "words"],
    &["json", "rows"],
    &["note", "table"],
    &["expression"],
    &["columns"],
    &["beside"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut faults = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
            let home = name.split(['/', '.']).next().unwrap().to_owned();
            if home == "lib" {
                continue;
            }
            let Some(from) = layer(&home) else {
                faults.push(format!("{name}: `{home}` has no layer"));
                continue;
            };
            // Every mention of another module, in imports and elsewhere.
            for used in fs::read_to_string(&path).unwrap().split("crate::").skip(1) {
                let used =
                    used.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap();
                if used != home && layer(used).is_none_or(|to| to >= from) {
                    faults.push(format!("{name}: `{home}` may not use `{used}`"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
