//! Add, remove, merge, convert, tune; completions and manual pages.

use super::*;

/// 3,000 vectors of 16 values around 40 centres in `x.npy`, 200 such queries in `q.npy`.
fn grouped(room: &Room) {
    let centres = numbers(40, 16, 7);
    let near = |rows: usize, seed: u64| -> Vec<Vec<f32>> {
        let noise = numbers(rows, 16, seed);
        let row = |(i, noise): (usize, &Vec<f32>)| {
            centres[i % 40].iter().zip(noise).map(|(centre, noise)| centre + 0.4 * noise).collect()
        };
        noise.iter().enumerate().map(row).collect()
    };
    room.write("x.npy", npy(&near(3000, 1)));
    room.write("q.npy", npy(&near(200, 2)));
}

fn ids_of(line: &Value) -> Vec<u64> {
    line["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
}

#[test]
fn added_and_removed_vectors_are_found_and_gone() {
    let room = Room::new();
    let vectors = room.vectors();
    room.write("more.npy", npy(&numbers(5, 6, 9)));
    room.text("build x.npy -o x.linjin -m euclidean");
    let report = &room.json("add x.linjin more.npy --json")[0];
    assert_eq!((&report["changed"], &report["vectors"]), (&5.into(), &205.into()));
    let line = &room.json("search x.linjin more.npy -k 1 --exact --limit 1 --json")[0];
    assert_eq!(ids_of(line), [200]);

    let report = &room.json("remove x.linjin --id 200,3,3 -o y.linjin --json")[0];
    assert_eq!((&report["changed"], &report["vectors"]), (&2.into(), &203.into()));
    assert_ne!(ids_of(&room.json("search y.linjin more.npy -k 1 --exact --limit 1 --json")[0]), [200]);
    assert_eq!(room.json("info x.linjin --json")[0]["vectors"], 205);

    room.write("some.npy", npy_ids(&[7, 8]));
    room.write("two.npy", npy(&vectors[..2]));
    let before = fs::read(room.path("x.linjin")).unwrap();
    assert!(
        room.error("add x.linjin two.npy --ids some.npy", 1)
            .contains("the id 7 is in x.linjin already; --replace")
    );
    assert!(
        room.error("remove x.linjin --id 5,999", 1)
            .contains("the id 999 is not in x.linjin; nothing was removed")
    );
    assert!(room.error("add x.linjin more.npy --ids some.npy", 1).contains("2 ids for the 5 vectors"));
    assert_eq!(fs::read(room.path("x.linjin")).unwrap(), before);
    assert!(
        room.text("add x.linjin two.npy --ids some.npy --replace")
            .starts_with("x.linjin: added 2; 205 vectors")
    );
    assert_eq!(ids_of(&room.json("search x.linjin two.npy -k 2 --exact --json")[0]), [0, 7]);
    assert!(room.text("remove x.linjin --ids some.npy").contains("removed 2; 203 vectors"));
}

#[test]
fn merged_indexes_answer_as_one() {
    let room = Room::new();
    let vectors = room.vectors();
    room.write("a.npy", npy(&vectors[..120]));
    room.write("b.npy", npy(&vectors[120..]));
    room.write("ids.npy", npy_ids(&(120..200).collect::<Vec<_>>()));
    room.text("build x.npy -o x.linjin");
    room.text("build a.npy -o a.linjin");
    room.text("build b.npy --ids ids.npy -o b.linjin");
    let report = &room.json("merge a.linjin b.linjin -o all.linjin --json")[0];
    assert_eq!(report["vectors"], 200);
    let search = "q.npy -k 7 --exact --json";
    assert_eq!(
        room.text(&format!("search all.linjin {search}")),
        room.text(&format!("search x.linjin {search}"))
    );

    room.text("build b.npy -o b.linjin");
    let said = room.error("merge a.linjin b.linjin -o c.linjin", 1);
    assert!(said.contains("the id 0 is in a.linjin and in b.linjin: --replace"), "{said}");
    assert!(!room.path("c.linjin").exists());
    room.text("merge a.linjin b.linjin -o c.linjin --renumber");
    assert_eq!(
        room.text(&format!("search c.linjin {search}")),
        room.text(&format!("search x.linjin {search}"))
    );
    room.text("merge a.linjin b.linjin -o d.linjin --replace");
    assert_eq!(room.json("info d.linjin --json")[0]["vectors"], 120);
    room.write("first.npy", npy(&vectors[120..121]));
    assert_eq!(ids_of(&room.json("search d.linjin first.npy -k 1 --exact --json")[0]), [0]);

    room.text("build b.npy -o e.linjin -m dot");
    assert!(
        room.error("merge a.linjin e.linjin -o f.linjin", 1)
            .contains("only indexes of one dimension and metric")
    );
}

#[test]
fn vectors_go_round_through_every_format() {
    let room = Room::new();
    room.vectors();
    room.write("ids.npy", npy_ids(&(0..200).map(|id| id * 2 + 5).collect::<Vec<_>>()));
    room.text("build x.npy --ids ids.npy -o x.linjin");
    let all = "q.npy -k 9 --exact --json";
    let wanted = room.text(&format!("search x.linjin {all}"));

    room.text("convert x.linjin -o x.ann --trees 5");
    let report = &room.json("convert x.ann -o y.linjin --dim 6 --metric angular --json")[0];
    assert_eq!((&report["vectors"], &report["metric"]), (&200.into(), &"cosine".into()));
    assert_eq!(room.text(&format!("search y.linjin {all}")), wanted);

    for name in ["z.npy", "z.fvecs"] {
        room.text(&format!("convert y.linjin -o {name} --ids-output z-ids.npy"));
        room.text(&format!("build {name} --ids z-ids.npy -o z.linjin"));
        assert_eq!(room.text(&format!("search z.linjin {all}")), wanted);
    }
    assert!(room.text("convert z.fvecs -o w.npy").starts_with("w.npy: 200 vectors of 6 dimensions"));
    assert_eq!(fs::read(room.path("w.npy")).unwrap(), fs::read(room.path("z.npy")).unwrap());

    for (typed, code, said) in [
        ("convert x.ann -o y.linjin --dim 6", 2, "give --dim and --metric"),
        ("convert x.linjin -o lost.npy", 2, "--ids-output ids.npy keeps them"),
        ("convert x.npy -o x.csv", 2, "has to end in .linjin"),
        ("convert x.npy -o x.bvecs", 2, ".bvecs holds bits"),
        ("convert x.npy -o y.npy --dim 6", 2, "--dim is for Annoy's files"),
        ("convert x.linjin -o y.ann -m dot", 2, "its metric is cosine"),
        ("convert x.npy -o y.linjin -m cosin", 2, "angular means cosine"),
        ("convert x.ann -o y.linjin --dim 7 --metric angular", 3, "--dim and --metric have to be those"),
        ("convert x.npy -o y.ann --ids-output a.txt", 2, "has to end in .npy"),
    ] {
        assert!(room.error(typed, code).contains(said), "{typed}");
    }
    assert!(!room.path("lost.npy").exists());
}

#[test]
fn bits_go_round_too() {
    let room = Room::new();
    room.write("bits.npy", npy_of("'|u1'", "(3, 2)", &[0b10, 0b01, 0xff, 0b11, 0, 0]));
    room.text("build bits.npy -o bits.linjin -m hamming");
    room.text("convert bits.linjin -o bits.ann --trees 2");
    room.text("convert bits.ann -o back.linjin --dim 16 -m hamming");
    for (index, file) in [("bits.linjin", "a.npy"), ("back.linjin", "b.bvecs")] {
        room.text(&format!("convert {index} -o {file}"));
    }
    assert!(fs::read(room.path("a.npy")).unwrap().ends_with(&[0b10, 0b01, 0xff, 0b11, 0, 0]));
    assert_eq!(
        fs::read(room.path("b.bvecs")).unwrap(),
        vecs(&[vec![2_u8, 1], vec![255, 3], vec![0, 0]], |&b| vec![b])
    );
}

#[test]
fn tuning_finds_a_setting_and_calibrates() {
    let room = Room::new();
    grouped(&room);
    room.text("build x.npy -o x.linjin -m euclidean");
    let before = fs::read(room.path("x.linjin")).unwrap();
    let tune = "tune x.linjin --queries q.npy --seconds 0";
    let report = &room.json(&format!("{tune} --recall 0.9 --dry-run --json"))[0];
    assert!(report["chosen"]["recall"].as_f64().unwrap() >= 0.9);
    assert_eq!((&report["queries"], report["written"].is_null()), (&100.into(), true));
    let cheaper = report["settings"].as_array().unwrap().iter().filter(|setting| {
        setting["recall"].as_f64().unwrap() >= 0.9
            && setting["mean_us"].as_f64() < report["chosen"]["mean_us"].as_f64()
    });
    assert_eq!(cheaper.count(), 0);
    assert_eq!(fs::read(room.path("x.linjin")).unwrap(), before);

    let text = room.text(&format!("{tune} --latency 100000 --svg curve.svg -o tuned.linjin"));
    assert!(text.contains("> recall") && text.contains("ask with --recall"), "{text}");
    assert!(text.ends_with("tuned.linjin: written, calibrated for such queries\n"), "{text}");
    assert!(fs::read_to_string(room.path("curve.svg")).unwrap().contains("</svg>"));
    assert_eq!(room.json("verify tuned.linjin --json")[0]["vectors"], 3000);
    assert_ne!(
        room.json("info tuned.linjin --json")[0]["curve"],
        room.json("info x.linjin --json")[0]["curve"]
    );
    room.text(tune);
    assert_ne!(fs::read(room.path("x.linjin")).unwrap(), before);

    for (more, code, said) in [
        ("--latency 0.0001", 1, "no setting does that; the best setting reaches"),
        ("--memory 10KB", 1, "more than 9.77 KiB: only fewer vectors"),
        ("--memory many", 2, "a size is a number of bytes"),
        ("--limit 5", 1, "5 queries are too few"),
        ("--latency 0", 2, "microseconds above 0"),
        ("--dry-run -o y.linjin", 2, "cannot be used with"),
    ] {
        assert!(room.error(&format!("{tune} {more}"), code).contains(said), "{more}");
    }
    room.text(&format!("{tune} --memory 1GB --dry-run"));
}

#[test]
fn info_says_whether_there_is_a_graph() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin");
    assert_eq!(room.json("info x.linjin --json")[0]["graph"], false);
    assert!(room.text("info x.linjin").contains("graph       none\n"));
    assert_eq!(room.json("info x.linjin --json")[0]["memory"], "full");
    room.text("build x.npy -o small.linjin --memory small");
    assert_eq!(room.json("info small.linjin --json")[0]["memory"], "small");
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = room.text(&format!("completions {shell}"));
        assert!(["tune", "convert", "merge", "replace"].iter().all(|word| text.contains(word)), "{shell}");
    }
    assert!(room.text("man").starts_with(".ie"));
    assert!(room.text("man pages").contains("pages"));
    let page = fs::read_to_string(room.path("pages/linjin-tune.1")).unwrap();
    assert!(page.contains("latency") && page.contains("Examples"), "{page}");
    assert!(room.error("completions tcsh", 2).contains("possible values"));
}
