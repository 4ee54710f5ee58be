//! State, lists, details, files, uploads, searches, copies.

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};

use crate::{Room, drawing, png, request, wait};

fn ids(found: &Value) -> Vec<u64> {
    found["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_u64().unwrap()).collect()
}

#[test]
fn what_is_served_is_told() {
    let room = Room::new();
    std::fs::write(room.path("notes.jpg"), "no picture").unwrap();
    let served = room.serve();
    wait(async {
        let state = served.json("/api/state").await;
        let pictures = &state["pictures"];
        assert_eq!((&pictures["pictures"], &pictures["files"]), (&json!(10), &json!(11)));
        assert_eq!(pictures["model"], "descriptor-1");
        assert_eq!((&pictures["words"], &pictures["refused"]), (&json!(false), &json!(1)));
        assert!(state["index"].is_null());
        let failures = served.json("/api/failures").await;
        assert_eq!(failures[0]["path"], "notes.jpg");
        assert!(failures[0]["reason"].as_str().unwrap().contains("not a picture"));
        let folders = served.json("/api/folders").await;
        assert_eq!(folders, json!([{ "path": "copies", "files": 2 }, { "path": "drawn", "files": 9 }]));
    });
}

#[test]
fn pictures_are_listed_and_told_of() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        let all = served.json("/api/pictures").await;
        assert_eq!(all["total"], 10);
        assert_eq!(all["ids"].as_array().unwrap().len(), 10);
        let rest = served.json("/api/pictures?offset=8&limit=5").await;
        assert_eq!(rest["ids"].as_array().unwrap()[..], all["ids"].as_array().unwrap()[8..]);
        assert_eq!(served.json("/api/pictures?folder=copies").await["total"], 2);
        assert_eq!(served.json("/api/pictures?name=SMALL").await["total"], 1);
        assert_eq!(served.json("/api/pictures?max_side=120").await["widths"], json!([120]));
        assert_eq!(served.json("/api/pictures?before=1990").await["total"], 0);
        assert_eq!(served.get("/api/pictures?after=yesterday").await.problem(400), "bad_request");
        assert_eq!(served.get("/api/pictures?limit=-1").await.problem(400), "bad_request");

        let id = served.id("same").await;
        let facts = served.json(&format!("/api/pictures/{id}")).await;
        let paths: Vec<_> =
            facts["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["copies/same.png", "drawn/3.png"]);
        assert_eq!(
            (&facts["width"], &facts["height"], &facts["format"]),
            (&json!(240), &json!(160), &json!("PNG"))
        );
        assert_eq!(served.get("/api/pictures/999").await.problem(404), "unknown_picture");
        assert_eq!(served.get("/api/pictures/x").await.problem(400), "bad_request");
    });
}

#[test]
fn files_come_as_they_are_or_made_anew() {
    let room = Room::new();
    drawing(20, 200, 100).save(room.path("page.tiff")).unwrap();
    let served = room.serve();
    wait(async {
        let id = served.id("drawn/4").await;
        let thumbnail = served.get(&format!("/api/pictures/{id}/thumbnail")).await;
        assert_eq!(thumbnail.header("content-type"), "image/jpeg");
        assert!(thumbnail.header("cache-control").contains("immutable"));
        assert!(thumbnail.body.starts_with(b"\xFF\xD8\xFF"), "made anew, whatever the file was");
        let original = served.get(&format!("/api/pictures/{id}/original")).await;
        assert_eq!(original.header("content-type"), "image/png");
        assert!(original.header("content-disposition").starts_with("inline"));
        assert_eq!(original.body, std::fs::read(room.path("drawn/4.png")).unwrap());
        let tiff = served.id("page.tiff").await;
        let original = served.get(&format!("/api/pictures/{tiff}/original")).await;
        assert_eq!(original.header("content-disposition"), "attachment; filename*=UTF-8''page.tiff");
        let preview = served.get(&format!("/api/pictures/{tiff}/preview")).await;
        assert!(image::load_from_memory(&preview.body).unwrap().width() == 200);

        // What became something else since is not handed out under its old name.
        std::fs::write(room.path("drawn/4.png"), "<svg onload='alert(1)'/>").unwrap();
        assert_eq!(served.get(&format!("/api/pictures/{id}/original")).await.problem(404), "file_gone");
        std::fs::remove_file(room.path("drawn/4.png")).unwrap();
        assert_eq!(served.get(&format!("/api/pictures/{id}/original")).await.problem(404), "file_gone");
    });
}

#[test]
fn searches_find_what_is_alike() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        let (five, small) = (served.id("drawn/5").await, served.id("small").await);
        let found =
            served.post("/api/search", &json!({ "terms": [{ "picture": five }], "k": 3 })).await.json();
        assert_eq!((ids(&found).len(), ids(&found)[0]), (3, small));
        assert_eq!(found["hits"][0]["path"], "copies/small.png");
        assert!(!ids(&found).contains(&five), "what is asked with is not among the answers");

        // A picture that is handed in, and a part of one.
        let kept = served.hand_in(png(&drawing(5, 300, 200))).await.json();
        assert_eq!((&kept["width"], &kept["height"]), (&json!(300), &json!(200)));
        let upload = kept["upload"].as_str().unwrap();
        let found = served.post("/api/search", &json!({ "terms": [{ "upload": upload }] })).await.json();
        assert!(ids(&found)[..2].contains(&five) && ids(&found)[..2].contains(&small));
        let preview = served.get(&format!("/api/uploads/{upload}/preview")).await;
        assert_eq!(preview.header("content-type"), "image/jpeg");
        let crop = json!({ "left": 0.1, "top": 0.1, "right": 0.9, "bottom": 0.9 });
        let found =
            served.post("/api/search", &json!({ "terms": [{ "picture": five, "crop": crop }] })).await.json();
        assert!(!ids(&found).contains(&five) && ids(&found)[..3].contains(&small));

        // Unlike: what is subtracted goes to the end.
        let other = served.id("drawn/1").await;
        let terms = json!([{ "picture": five }, { "upload": upload, "weight": -3 }]);
        let last = ids(&served.post("/api/search", &json!({ "terms": terms })).await.json());
        assert_eq!(*last.last().unwrap(), small);
        assert!(last.contains(&other));

        let strict =
            json!({ "terms": [{ "picture": five }], "min_score": 0.95, "filter": { "folder": "copies" } });
        assert_eq!(ids(&served.post("/api/search", &strict).await.json()), [small]);
    });
}

#[test]
fn what_cannot_be_searched_is_said() {
    let room = Room::new();
    let served = room.serve();
    let crop = |right: f32| json!({ "left": 0.5, "top": 0.0, "right": right, "bottom": 1.0 });
    wait(async {
        for (asked, status, code) in [
            (json!({ "terms": [] }), 400, "query"),
            (json!({ "terms": [{ "words": "a red door" }] }), 400, "no_words"),
            (json!({ "terms": [{ "words": "  " }] }), 400, "bad_request"),
            (json!({ "terms": [{ "picture": 999 }] }), 404, "unknown_picture"),
            (json!({ "terms": [{ "upload": "f".repeat(32) }] }), 404, "upload_gone"),
            (json!({ "terms": [{ "upload": "../../etc/passwd" }] }), 404, "upload_gone"),
            (json!({ "terms": [{ "picture": 1, "words": "both" }] }), 400, "bad_request"),
            (json!({ "terms": [{}] }), 400, "bad_request"),
            (json!({ "terms": [{ "picture": 1, "crop": crop(0.5) }] }), 400, "bad_request"),
            (json!({ "terms": [{ "picture": 1, "crop": crop(1.5) }] }), 400, "bad_request"),
            (json!({ "terms": [{ "picture": 1 }, { "picture": 1, "weight": -1 }] }), 400, "query"),
            (json!({ "terms": [{ "picture": 1, "weight": 1e39 }] }), 400, "query"),
            (json!({ "terms": [{ "picture": 1 }], "k": 0 }), 400, "bad_request"),
            (json!({ "terms": [{ "picture": 1 }], "k": 1_000_000 }), 400, "bad_request"),
            (json!({ "terms": vec![json!({ "picture": 1 }); 33] }), 400, "bad_request"),
            (json!({ "terms": [{ "picture": -1 }] }), 422, "bad_request"),
            (json!([]), 422, "bad_request"),
        ] {
            let answer = served.post("/api/search", &asked).await;
            assert_eq!(answer.problem(status), code, "{asked}");
        }
        let plain = request(Method::POST, "/api/search").header(header::CONTENT_TYPE, "text/plain");
        let answer = served.ask(plain.body(Body::from(r#"{"terms":[{"picture":1}]}"#)).unwrap()).await;
        assert_eq!(answer.problem(415), "bad_request", "what a form of another page could send");
    });

    let fresh = Room::new();
    let served = crate::Served::new(fresh.options());
    wait(async {
        let answer = served.post("/api/search", &json!({ "terms": [{ "picture": 1 }] })).await;
        assert_eq!(answer.problem(409), "not_indexed");
        assert_eq!(served.get("/api/index").await.problem(404), "no_index");
    });
}

#[test]
fn copies_are_grouped() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        let groups = served.json("/api/duplicates").await;
        let told: Vec<Vec<_>> = groups
            .as_array()
            .unwrap()
            .iter()
            .map(|group| {
                let files = group["files"].as_array().unwrap().iter();
                files
                    .map(|file| (file["path"].as_str().unwrap(), file["likeness"].as_str().unwrap()))
                    .collect()
            })
            .collect();
        assert!(told.contains(&vec![("drawn/5.png", "kept"), ("copies/small.png", "resized")]), "{told:?}");
        assert_eq!(told.len(), 2);
        let exact = served.json("/api/duplicates?exact=true&keep=oldest").await;
        assert_eq!(exact.as_array().unwrap().len(), 1);
        assert_eq!(served.json("/api/duplicates?folder=drawn").await, json!([]));
        assert_eq!(served.get("/api/duplicates?keep=best").await.problem(400), "bad_request");
    });
}

#[test]
fn the_page_is_small_and_its_own() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        let page = served.get("/").await;
        assert!(page.header("content-type").starts_with("text/html"));
        let tag = page.header("etag").to_owned();
        let again = request(Method::GET, "/").header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
        assert_eq!(served.ask(again).await.status, 304);
        let mut size = 0;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        for file in ["index.html", "style.css", "icon.svg"]
            .map(|name| folder.join(name))
            .into_iter()
            .chain(std::fs::read_dir(folder.join("js")).unwrap().map(|entry| entry.unwrap().path()))
        {
            let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            let packed =
                request(Method::GET, &format!("/web/{name}")).header(header::ACCEPT_ENCODING, "gzip");
            let answer = served.ask(packed.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 200, "{name}");
            size += answer.body.len();
            // Nothing is fetched from anywhere else.
            let text = std::fs::read_to_string(&file).unwrap().replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http://") && !text.contains("https://"), "{name}");
        }
        assert!(size < 250_000, "{size} bytes");
    });
}

#[test]
fn the_description_knows_every_path() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        let described = served.json("/openapi.json").await;
        let paths = described["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 20);
        let words = described.to_string();
        for name in words.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(described["components"]["schemas"].get(name).is_some(), "{name} is not described");
        }
        for (path, methods) in paths {
            for (method, facts) in methods.as_object().unwrap() {
                let path = path.replace("{id}", "1").replace("{upload}", "0");
                let method: Method = method.to_uppercase().parse().unwrap();
                let request = request(method, &path).header(header::CONTENT_TYPE, "application/json");
                if path == "/api/events" {
                    continue;
                }
                let answer = served.ask(request.body(Body::from("{}")).unwrap()).await;
                let status = answer.status.as_u16().to_string();
                assert!(facts["responses"].get(&status).is_some(), "{path} answers {status}");
            }
        }
    });
}
