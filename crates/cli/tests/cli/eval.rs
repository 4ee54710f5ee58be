//! Recall, truth, the plot.

use super::*;

#[test]
fn recall_and_speed_of_every_setting() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin -m euclidean");
    let report = &room.json("eval x.linjin --queries q.npy -k 5 --ef 10,200 --seconds 0 --json")[0];
    assert_eq!((&report["k"], &report["queries"]), (&5.into(), &10.into()));
    let settings = report["indexes"][0]["settings"].as_array().unwrap();
    assert_eq!((settings.len(), &settings[0]["ef"], &settings[1]["ef"]), (2, &10.into(), &200.into()));
    assert_eq!(settings[1]["recall"], 1.0);
    for setting in settings {
        for key in ["queries_per_second", "mean_us", "p50_us", "p99_us"] {
            assert!(setting[key].as_f64().unwrap() > 0.0, "{key}");
        }
    }

    let table = room.text("eval x.linjin --queries q.npy --recalls 0.8,1 --limit 5 --seconds 0.01");
    assert!(table.starts_with("x.linjin: 200 vectors of 6 dimensions, euclidean; 5 queries on one thread\n"));
    assert!(table.contains("asked  recall@10  queries/s  mean us  p50 us  p99 us\n"), "{table}");
    assert!(table.contains("\n  recall 0.8     ") && table.lines().count() == 4, "{table}");
}

#[test]
fn truth_from_a_file() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin -m euclidean");
    let found: Vec<Vec<i32>> = room
        .json("search x.linjin q.npy -k 20 --exact --json")
        .iter()
        .map(|line| line["ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap() as i32).collect())
        .collect();
    let ivecs = |rows: &[Vec<i32>]| vecs(rows, |id| id.to_le_bytes().to_vec());
    room.write("t.ivecs", ivecs(&found));
    let recall = |typed: &str| {
        let report = room.json(&format!("eval x.linjin --queries q.npy --ef 200 --seconds 0 --json {typed}"));
        report[0]["indexes"][0]["settings"][0]["recall"].as_f64().unwrap()
    };
    assert_eq!(recall("--truth t.ivecs"), 1.0);
    assert_eq!(recall("--truth t.ivecs -k 20"), 1.0);

    // Each first neighbour is another vector: one far away, and not one of the ten.
    let wrong: Vec<Vec<i32>> = found.iter().map(|row| [&[row[19]], &row[..9]].concat()).collect();
    room.write("wrong.npy", {
        let data: Vec<u8> = wrong.iter().flatten().flat_map(|id| id.to_le_bytes()).collect();
        npy_of("'<i4'", "(10, 10)", &data)
    });
    assert_eq!(recall("--truth wrong.npy"), 0.9);

    let said =
        |typed: &str| room.error(&format!("eval x.linjin --queries q.npy --ef 10 --seconds 0 {typed}"), 1);
    assert!(said("--truth wrong.npy -k 11").contains("10 neighbours a query; -k 10 is the most"));
    room.write("few.ivecs", ivecs(&found[..3]));
    assert!(said("--truth few.ivecs").contains("3 rows of neighbours for 10 queries; --limit 3"));
    let mut absent = found.clone();
    absent[4][2] = 777;
    room.write("absent.ivecs", ivecs(&absent));
    assert!(said("--truth absent.ivecs").contains("the neighbour 777 of query 4 is not in x.linjin"));
}

#[test]
fn the_files_of_ann_benchmarks_bring_everything() {
    let room = Room::new();
    for (name, metric) in [
        ("plain.hdf5", "euclidean"),
        ("newest.hdf5", "euclidean"),
        ("deflated.hdf5", "cosine"),
        ("bits.hdf5", "hamming"),
    ] {
        let file = kept(name).display().to_string();
        let built = &room.json(&format!("build {file} -o x.linjin --json"))[0];
        assert_eq!(
            (&built["metric"], &built["vectors"], &built["dim"]),
            (&metric.into(), &60.into(), &8.into())
        );
        let report = &room.json(&format!("eval x.linjin --queries {file} --ef 60 --seconds 0 --json"))[0];
        assert_eq!(
            (&report["queries"], &report["indexes"][0]["settings"][0]["recall"]),
            (&5.into(), &1.0.into())
        );
    }
}

#[test]
fn the_plot_is_a_picture_of_all_indexes() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o one<&>.linjin");
    room.text("build x.npy -o two.linjin");
    room.text("eval one<&>.linjin two.linjin --queries q.npy --ef 10,20,40 --seconds 0 --svg plot.svg");
    let page = fs::read_to_string(room.path("plot.svg")).unwrap();
    let page = roxmltree::Document::parse(&page).unwrap();
    assert_eq!(page.root_element().tag_name().name(), "svg");
    let texts: Vec<_> = page.descendants().filter_map(|node| node.text()).map(str::trim).collect();
    for text in ["recall@10", "queries a second", "one<&>.linjin", "two.linjin", "1"] {
        assert!(texts.contains(&text), "{text:?} in {texts:?}");
    }
    assert_eq!(page.descendants().filter(|node| node.has_tag_name("circle")).count(), 6);
}
