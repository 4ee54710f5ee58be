//! The index of vectors: search, additions, removals, saving.

use linjin::index::{Add, Index, Metric};
use linjin_server::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Answer, Served, nothing, wait};

fn served(metric: Metric) -> (TempDir, Served) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("items.linjin");
    let index = Index::new(3, metric).unwrap();
    match metric.is_binary() {
        true => index.add(&[0b001_u8, 0b011, 0b111][..], None, &Add::default()).unwrap(),
        false => index
            .add(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 5.0, 5.0, 5.0], Some(&[10, 20, 30]), &Add::default())
            .unwrap(),
    };
    index.save(&path).unwrap();
    let served = Served::new(Options { index: Some(path), ..nothing() });
    (folder, served)
}

async fn search(served: &Served, asked: &Value) -> Answer {
    served.post("/api/index/search", asked).await
}

async fn add(served: &Served, new: &Value) -> Answer {
    served.post("/api/index/vectors", new).await
}

#[test]
fn neighbours_are_found() {
    let (_folder, served) = served(Metric::Euclidean);
    wait(async {
        let facts = served.json("/api/index").await;
        assert_eq!(
            (&facts["vectors"], &facts["dim"], &facts["metric"]),
            (&json!(3), &json!(3), &json!("euclidean"))
        );
        let asked = json!({ "vectors": [[0.9, 0, 0], [5, 5, 5]], "k": 2 });
        let found = search(&served, &asked).await.json();
        assert_eq!(found["results"][0]["ids"], json!([20, 10]));
        assert_eq!(found["results"][1]["ids"][0], 30);
        assert!((found["results"][0]["distances"][0].as_f64().unwrap() - 0.1).abs() < 1e-6);
        let few =
            json!({ "vectors": [[0, 0, 0]], "k": 50, "filter": [10, 30], "exclude": [10], "exact": true });
        assert_eq!(search(&served, &few).await.json()["results"][0]["ids"], json!([30]));
        assert_eq!(search(&served, &json!({ "vectors": [] })).await.json()["results"], json!([]));
        for wrong in [
            json!({ "vectors": [[1, 2]] }),
            json!({ "vectors": [[1, 2, 1e39]] }),
            json!({ "vectors": [[1, 2, 3]], "k": 0 }),
            json!({ "vectors": [[1, 2, 3]], "k": 20_000 }),
            json!({ "vectors": [[1, 2, 3]], "recall": 2 }),
            json!({ "vectors": [[1, 2, 3]], "recall": 0.9, "exact": true }),
            json!({ "vectors": [[1, 2, 3]], "ef": 0 }),
            json!({ "vectors": vec![[1, 2, 3]; 1001] }),
        ] {
            assert_eq!(search(&served, &wrong).await.problem(400), "bad_request", "{wrong}");
        }
        assert_eq!(search(&served, &json!({ "vectors": [["x"]] })).await.problem(422), "bad_request");
        assert_eq!(served.get("/api/pictures").await.problem(404), "no_pictures");
        assert_eq!(served.get("/api/events").await.problem(404), "no_pictures");
    });
}

#[test]
fn bits_are_numbers_too() {
    let (_folder, served) = served(Metric::Hamming);
    wait(async {
        let found = served.post("/api/index/search", &json!({ "vectors": [[1, 1, 0]], "k": 1 })).await.json();
        assert_eq!(found["results"][0], json!({ "ids": [1], "distances": [0.0] }));
        assert_eq!(served.json("/api/index/vectors/2").await["vector"], json!([1.0, 1.0, 1.0]));
        let wrong = served.post("/api/index/search", &json!({ "vectors": [[1, 0.5, 0]] })).await;
        assert_eq!(wrong.problem(400), "bad_request");
    });
}

#[test]
fn changes_are_found_at_once_and_saved_when_asked() {
    let (folder, served) = served(Metric::Euclidean);
    let path = folder.path().join("items.linjin");
    wait(async {
        assert_eq!(
            add(&served, &json!({ "vectors": [[9, 9, 9]], "ids": [40] })).await.json()["ids"],
            json!([40])
        );
        assert_eq!(add(&served, &json!({ "vectors": [[9, 9, 8]] })).await.json()["ids"], json!([41]));
        assert_eq!(
            add(&served, &json!({ "vectors": [[9, 9, 9]], "ids": [40] })).await.problem(409),
            "exists"
        );
        assert_eq!(
            add(&served, &json!({ "vectors": [[8, 8, 8]], "ids": [40], "replace": true })).await.status,
            200
        );
        assert_eq!(
            add(&served, &json!({ "vectors": [[8, 8, 8]], "ids": [1, 2] })).await.problem(400),
            "bad_request"
        );
        assert_eq!(add(&served, &json!({ "vectors": [[8, 8]] })).await.problem(400), "bad_request");
        assert_eq!(served.json("/api/index/vectors/40").await["vector"], json!([8.0, 8.0, 8.0]));
        let removed = served.post("/api/index/remove", &json!({ "ids": [10, 41] })).await.json();
        assert_eq!((&removed["vectors"], &removed["unsaved"]), (&json!(3), &json!(true)));
        assert_eq!(
            served.post("/api/index/remove", &json!({ "ids": [10] })).await.problem(404),
            "unknown_id"
        );
        assert_eq!(served.get("/api/index/vectors/10").await.problem(404), "unknown_id");

        assert_eq!(Index::open(&path).unwrap().ids().unwrap(), [10, 20, 30], "the file is as it was");
        let saved = served.post("/api/index/save", &json!(null)).await.json();
        assert_eq!(saved["unsaved"], false);
        assert_eq!(Index::open(&path).unwrap().ids().unwrap(), [20, 30, 40]);
    });
}

#[test]
fn what_is_known_of_vectors_comes_with_them_and_chooses_them() {
    let (folder, served) = served(Metric::Euclidean);
    wait(async {
        let new = json!({
            "vectors": [[1, 1, 0], [2, 0, 0]], "ids": [40, 50],
            "columns": { "price": [9.5, 20], "lang": ["zh", null] }
        });
        assert_eq!(add(&served, &new).await.json()["ids"], json!([40, 50]));
        let asked = json!({ "vectors": [[1, 0, 0]], "k": 2, "filter": "price < 30" });
        let found = search(&served, &asked).await.json();
        assert_eq!(found["results"][0]["ids"], json!([40, 50]));
        assert_eq!(found["results"][0]["columns"], json!({ "price": [9.5, 20.0], "lang": ["zh", null] }));
        let asked =
            json!({ "vectors": [[1, 0, 0]], "k": 2, "filter": "price * 1.1 < 30 and price / 2 % 5 = 0" });
        assert_eq!(search(&served, &asked).await.json()["results"][0]["ids"], json!([50]));
        let asked = json!({ "vectors": [[1, 0, 0]], "k": 2, "exclude": "lang = 'zh'" });
        let found = search(&served, &asked).await.json();
        assert_eq!(found["results"][0]["ids"], json!([20, 10]));
        assert_eq!(found["results"][0]["columns"]["price"], json!([null, null]));
        let stored = served.json("/api/index/vectors/40").await;
        assert_eq!(stored["columns"], json!({ "price": [9.5], "lang": ["zh"] }));
        for wrong in [
            json!({ "vectors": [[1, 2, 3]], "filter": "prize < 30" }),
            json!({ "vectors": [[1, 2, 3]], "filter": "price < 'x'" }),
            json!({ "vectors": [[1, 2, 3]], "filter": "price <" }),
            json!({ "vectors": [[1, 2, 3]], "filter": "price - lang < 3" }),
            json!({ "vectors": [[1, 2, 3]], "filter": "price / 0 < 3" }),
            json!({ "vectors": [[1, 2, 3]], "filter": ["forty"] }),
        ] {
            assert_eq!(search(&served, &wrong).await.problem(400), "bad_request", "{wrong}");
        }
        assert_eq!(search(&served, &json!({ "vectors": [], "filter": 7 })).await.problem(422), "bad_request");
        for columns in [json!({ "price": [1] }), json!({ "price": ["a", "b"] }), json!({ "x": [[1], [2]] })] {
            let new = json!({ "vectors": [[1, 1, 0], [2, 0, 0]], "columns": columns });
            assert_eq!(add(&served, &new).await.problem(400), "bad_request", "{columns}");
        }
        assert_eq!(served.json("/api/index").await["vectors"], 5, "what is refused changes nothing");

        served.post("/api/index/remove", &json!({ "ids": [40] })).await.json();
        served.post("/api/index/save", &json!(null)).await.json();
    });
    let again = Served::new(Options { index: Some(folder.path().join("items.linjin")), ..nothing() });
    wait(async {
        let asked = json!({ "vectors": [[1, 0, 0]], "filter": "price is not null" });
        let found = search(&again, &asked).await.json();
        assert_eq!(found["results"][0]["ids"], json!([50]));
    });
}

#[test]
fn columns_are_told_with_their_types() {
    let (_folder, served) = served(Metric::Euclidean);
    wait(async {
        let facts = served.json("/api/index").await;
        assert_eq!((&facts["ids"], &facts["columns"]), (&json!("uint64"), &json!([])));
        let new = json!({
            "vectors": [[1, 1, 0]],
            "columns": { "price": [9.5], "lang": ["zh"], "n": [1], "sold": [true], "day": ["2026-01-31"] }
        });
        add(&served, &new).await.json();
        let later = json!({ "vectors": [[1, 1, 0]], "columns": { "a": [1] } });
        add(&served, &later).await.json();
        let told = [
            ("day", "text"),
            ("lang", "text"),
            ("n", "int64"),
            ("price", "float64"),
            ("sold", "bool"),
            ("a", "int64"),
        ];
        let told: Vec<Value> = told.iter().map(|(name, of)| json!({ "name": name, "type": of })).collect();
        assert_eq!(served.json("/api/index").await["columns"], json!(told));

        let described = served.json("/openapi.json").await;
        let schemas = &described["components"]["schemas"];
        assert_eq!(schemas["Column"]["required"], json!(["name", "type"]));
        let answer =
            &described["paths"]["/api/index"]["get"]["responses"]["200"]["content"]["application/json"];
        assert_eq!(answer["schema"]["$ref"], "#/components/schemas/IndexParts");
    });
}

#[test]
fn items_may_have_names() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("named.linjin");
    Index::new(3, Metric::Euclidean).unwrap().save(&path).unwrap();
    let served = Served::new(Options { index: Some(path), ..nothing() });
    wait(async {
        let new = json!({ "vectors": [[0, 0, 0], [1, 0, 0]], "ids": ["茶", "tea/green"], "columns": { "n": [1, 2] } });
        assert_eq!(add(&served, &new).await.json()["ids"], json!(["茶", "tea/green"]));
        assert_eq!(add(&served, &new).await.problem(409), "exists");
        assert_eq!(served.json("/api/index").await["ids"], "text");
        for (ids, status) in [(json!([1]), 400), (json!(["a", 1]), 422), (json!([1, "a"]), 422)] {
            let vectors = vec![[0, 0, 0]; ids.as_array().unwrap().len()];
            let new = json!({ "vectors": vectors, "ids": ids });
            assert_eq!(add(&served, &new).await.problem(status), "bad_request", "{ids}");
        }
        let asked = json!({ "vectors": [[0, 0, 0]], "filter": ["tea/green", "茶"], "exclude": ["茶"] });
        let found = search(&served, &asked).await.json();
        assert_eq!(found["results"][0]["ids"], json!(["tea/green"]));
        let unknown = json!({ "vectors": [[0, 0, 0]], "filter": ["coffee"] });
        assert_eq!(search(&served, &unknown).await.problem(404), "unknown_id");
        let numbers = json!({ "vectors": [[0, 0, 0]], "filter": [0] });
        assert_eq!(search(&served, &numbers).await.problem(400), "bad_request");
        assert_eq!(served.json("/api/index/vectors/%E8%8C%B6").await["id"], "茶");
        assert_eq!(served.json("/api/index/vectors/tea%2Fgreen").await["vector"], json!([1.0, 0.0, 0.0]));
        assert_eq!(served.get("/api/index/vectors/coffee").await.problem(404), "unknown_id");
        let gone = served.post("/api/index/remove", &json!({ "ids": ["茶"] })).await.json();
        assert_eq!(gone["vectors"], 1);
        assert_eq!(
            served.post("/api/index/remove", &json!({ "ids": ["茶"] })).await.problem(404),
            "unknown_id"
        );
    });
}
