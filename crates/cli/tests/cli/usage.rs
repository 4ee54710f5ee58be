//! Help, and what is typed wrongly.

use predicates::prelude::*;
use predicates::str::contains;

use super::*;

#[test]
fn every_command_has_help_with_examples() {
    let room = Room::new();
    for command in [
        "",
        "build",
        "search",
        "info",
        "verify",
        "eval",
        "tune",
        "add",
        "remove",
        "merge",
        "convert",
        "completions",
        "man",
        "images",
        "images index",
        "images search",
        "images similar",
        "images duplicates",
        "images info",
        "images model import",
        "images model list",
    ] {
        let help = room.text(&format!("{command} --help"));
        assert!(help.contains(&format!("linjin {command}")) && help.contains("Example"), "{help}");
    }
    assert_eq!(room.text("--version"), format!("linjin {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_cannot_work_is_told_before_anything_is_done() {
    let room = Room::new();
    room.vectors();
    for (typed, said) in [
        ("", "Usage: linjin <COMMAND>"),
        ("plant", "unrecognized subcommand 'plant'"),
        ("build x.npy", "--output <FILE>"),
        (
            "build x.npy -o a.linjin --metric angular",
            "cosine, euclidean, sqeuclidean, dot, manhattan, hamming",
        ),
        ("build x.npy -o a.linjin --threads 0", "at least 1 is needed"),
        ("build x.csv -o a.linjin", "the name has to end in .npy, .fvecs"),
        ("search a.linjin", "required"),
        ("search a.linjin q.npy -k 0", "at least 1 is needed"),
        ("search a.linjin q.npy -k ten", "invalid digit"),
        ("search a.linjin q.npy --recall 1.5", "a recall is above 0 and at most 1"),
        ("search a.linjin q.npy --recall NaN", "a recall is above 0 and at most 1"),
        ("search a.linjin q.npy --recall 0.9 --exact", "cannot be used with"),
        ("search a.linjin q.npy --ef 10 --exact", "cannot be used with"),
        ("search a.linjin q.npy --id 1", "cannot be used with"),
        ("search a.linjin q.npy --vector 1,2", "cannot be used with"),
        ("search a.linjin --vector 1,2 --id 1", "cannot be used with"),
        ("search a.linjin --id 1 --limit 2", "cannot be used with"),
        ("search a.linjin q.npy --output hits.csv", "has to end in .npy or .jsonl"),
        ("eval --queries q.npy", "required"),
        ("eval a.linjin", "--queries <FILE>"),
        ("eval a.linjin --queries q.npy --ef 10 --recalls 0.9", "cannot be used with"),
        ("eval a.linjin --queries q.npy --seconds 1e9", "from 0 to 86400 seconds"),
    ] {
        let done = room.linjin(typed).assert().code(2);
        done.stderr(contains(said)).stdout(predicate::str::is_empty());
    }
}

#[test]
fn files_that_are_not_there_are_named() {
    let room = Room::new();
    room.vectors();
    for (typed, name) in [
        ("build nothing.npy -o a.linjin", "nothing.npy"),
        ("build nothing.hdf5 -o a.linjin", "nothing.hdf5"),
        ("build x.npy --ids nothing.npy -o a.linjin", "nothing.npy"),
        ("build x.npy -o nowhere/a.linjin", "nowhere"),
        ("search nothing.linjin q.npy", "nothing.linjin"),
        ("search nothing.linjin q.npy -o nowhere/hits.npy", "nowhere"),
        ("eval nothing.linjin --queries q.npy --svg nowhere/plot.svg", "nowhere"),
        ("info nothing.linjin", "nothing.linjin"),
        ("verify nothing.linjin", "nothing.linjin"),
        ("eval nothing.linjin --queries q.npy", "nothing.linjin"),
    ] {
        let said = room.error(typed, 1);
        assert!(said.starts_with("error: ") && said.contains(name), "{typed}: {said}");
    }
}
