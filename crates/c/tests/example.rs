//! The example in C, compiled by the system's compiler with all warnings and run.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo has put the shared library: beside this test, or one folder up.
fn library() -> PathBuf {
    let exe = std::env::current_exe().expect("this test is a file");
    let name = if cfg!(target_os = "macos") { "liblinjin_c.dylib" } else { "liblinjin_c.so" };
    exe.ancestors()
        .skip(1)
        .take(2)
        .find(|folder| folder.join(name).exists())
        .unwrap_or_else(|| panic!("no {name} near {}", exe.display()))
        .to_owned()
}

#[test]
fn the_example_runs() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (program, library) = (folder.join("search"), library());
    let compiled = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
        .arg(home.join("include"))
        .arg(home.join("examples/search.c"))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .args(["-llinjin_c", "-lm"])
        .output()
        .expect("there is a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(&program).arg(folder.join("points.linjin")).output().expect("it was compiled");
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains("query 0: id 1 at 0.100\n") && out.ends_with("ok\n"), "{out}");
}
