//! Over a connection: events, slow clients, the end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use linjin::index::{Add, Index, Metric};
use linjin_server::{Options, ServeError, Server};
use tokio::sync::oneshot;

use crate::{Room, nothing};

/// A server on a thread.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Running {
    fn new(options: Options) -> Self {
        let server = Server::bind(options).unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || server.run(async move { _ = stopped.await }));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// What is answered to these lines, until the connection is closed.
    fn say(&self, lines: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(lines.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn end(&mut self) {
        if let (Some(stop), Some(thread)) = (self.stop.take(), self.thread.take()) {
            _ = stop.send(());
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn indexing_is_told_as_it_goes() {
    let room = Room::new();
    let mut options = room.options();
    options.pictures.as_mut().unwrap().keep_indexed = true;
    let server = Running::new(options);
    let mut stream = server.connect();
    stream.write_all(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut heard = String::new();
    let mut wait_for = |what: &str| {
        let since = Instant::now();
        let mut part = [0; 4096];
        while !heard.contains(what) {
            assert!(since.elapsed() < Duration::from_secs(20), "{what} is not in {heard}");
            let length = stream.read(&mut part).unwrap();
            heard.push_str(&String::from_utf8_lossy(&part[..length]));
        }
        heard.clear();
    };
    wait_for("\"running\":false,\"done\":11,\"total\":11");
    // A picture that comes is noticed.
    room.draw("drawn/new.png", 77);
    wait_for("\"done\":1,\"total\":1");
    let answer =
        server.say("GET /api/pictures?name=new HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("\"total\":1"), "{answer}");
}

#[test]
fn what_is_no_http_is_refused_and_others_go_on() {
    let room = Room::new();
    let server = Running::new(room.options());
    for lines in [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello",
        &format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "a".repeat(200_000)),
        &format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\nConnection: close\r\n\r\n",
            "a".repeat(200_000)
        ),
    ] {
        let mut stream = server.connect();
        // The rest may find the connection closed already.
        _ = stream.write_all(lines.as_bytes());
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // Connections that say nothing do not keep others out.
    let silent: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    for mut stream in &silent {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    }
    let answer = server.say("GET /api/state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn who_dawdles_is_hung_up_on() {
    let room = Room::new();
    let server = Running::new(room.options());
    let begun = Instant::now();
    let mut head = server.connect();
    head.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").unwrap();
    let mut body = server.connect();
    body.write_all(b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx")
        .unwrap();
    for stream in [&mut head, &mut body] {
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer);
    }
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
}

#[test]
fn changes_are_saved_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let index = Index::new(2, Metric::Euclidean).unwrap();
    index.add(&[1.0, 2.0], None, &Add::default()).unwrap();
    index.save(&path).unwrap();
    let mut server = Running::new(Options { index: Some(path.clone()), ..nothing() });
    let body = r#"{"vectors":[[3,4]]}"#;
    let answer = server.say(&format!(
        "POST /api/index/vectors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.contains("[1]"), "{answer}");
    server.end();
    assert_eq!(Index::open(&path).unwrap().ids().unwrap(), [0, 1]);
}
