//! The server, asked without a connection and with one, on pictures that the tests draw.
//!
//! | file | what it holds down |
//! | --- | --- |
//! | `guard.rs` | hosts, origins, the token |
//! | `pictures.rs` | state, lists, details, files, uploads, searches, copies |
//! | `hostile.rs` | bodies too large, bombs, links that lead out, paths that climb, too many at once |
//! | `vectors.rs` | the index of vectors: search, additions, removals, saving |
//! | `socket.rs` | over a connection: events, slow clients, the end |

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

mod guard;
mod hostile;
mod pictures;
mod socket;
mod vectors;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use image::RgbImage;
use linjin_images::{Collection, Descriptor, IndexOptions};
use linjin_server::{Options, Pictures, Server};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

/// A folder of pictures, and a server of it.
struct Room {
    folder: TempDir,
}

impl Room {
    /// Twelve pictures, two of them the same, one of them a smaller copy.
    fn new() -> Self {
        let room = Self { folder: TempDir::new().unwrap() };
        for seed in 0..9 {
            room.draw(&format!("drawn/{seed}.png"), seed);
        }
        std::fs::create_dir(room.path("copies")).unwrap();
        std::fs::copy(room.path("drawn/3.png"), room.path("copies/same.png")).unwrap();
        let small = image::imageops::thumbnail(&drawing(5, 240, 160), 120, 80);
        small.save(room.path("copies/small.png")).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn draw(&self, name: &str, seed: u32) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        drawing(seed, 240, 160).save(path).unwrap();
    }

    fn options(&self) -> Options {
        let collection = Collection::create(self.folder.path(), None).unwrap();
        let pictures = Pictures { collection, embedder: Box::new(Descriptor), keep_indexed: false };
        Options { pictures: Some(pictures), ..nothing() }
    }

    /// The folder indexed, and its server.
    fn serve(&self) -> Served {
        let collection = Collection::create(self.folder.path(), None).unwrap();
        collection.index(&Descriptor, &IndexOptions::default()).unwrap();
        Served::new(self.options())
    }
}

/// Options that serve nothing yet.
fn nothing() -> Options {
    Options {
        pictures: None,
        index: None,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        token: None,
        hosts: Vec::new(),
    }
}

/// A server that is asked without a connection.
struct Served(Router);

/// What it said.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The name of what went wrong, which has to come with this status.
    fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

impl Served {
    fn new(options: Options) -> Self {
        Self(Server::bind(options).unwrap().router())
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.0.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// The JSON of a path; it has to be there.
    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn hand_in(&self, bytes: Vec<u8>) -> Answer {
        self.ask(request(Method::POST, "/api/uploads").body(Body::from(bytes)).unwrap()).await
    }

    /// The number of the picture with this in its path.
    async fn id(&self, name: &str) -> u64 {
        self.json(&format!("/api/pictures?name={name}")).await["ids"][0].as_u64().unwrap()
    }
}

/// A request as a program on this machine sends it.
fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "localhost:7465")
}

/// Does something that waits.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// A picture with bands and a disc, different for each seed.
fn drawing(seed: u32, width: u32, height: u32) -> RgbImage {
    let mix = |salt: u32| {
        let mut value = (seed * 31 + salt).wrapping_mul(0x9E37_79B1);
        value ^= value >> 15;
        value = value.wrapping_mul(0x85EB_CA77);
        (value >> 24) as f32
    };
    let colours = [0, 3, 6].map(|at| [mix(at), mix(at + 1), mix(at + 2)]);
    let (x0, y0, radius) = (mix(20) / 255.0, mix(21) / 255.0, 0.1 + mix(22) / 900.0);
    let (bands, slope) = (2.0 + mix(23) / 24.0, mix(24) / 128.0 - 1.0);
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let band = ((u + slope * v) * bands).floor() as i32 & 1;
        let disc = (u - x0).powi(2) + (v - y0).powi(2) < radius * radius;
        let colour = if disc { colours[2] } else { colours[band as usize] };
        image::Rgb(colour.map(|value| (value * (0.7 + 0.3 * v)) as u8))
    })
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
