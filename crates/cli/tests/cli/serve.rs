//! `linjin serve`: that it starts, answers, and ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::*;

/// The command while it serves.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn new(room: &Room, typed: &str) -> Self {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("linjin"))
            .current_dir(room.folder.path())
            .args(typed.split_whitespace())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, address }
    }

    fn ask(&self, lines: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{lines}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn pictures_and_vectors_are_served() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin");
    fs::create_dir(room.path("album")).unwrap();
    let serving = Serving::new(&room, "serve --images album --index x.linjin --port 0");
    assert!(serving.address.starts_with("127.0.0.1:"), "{}", serving.address);
    let state = serving.get("/api/state");
    assert!(state.starts_with("HTTP/1.1 200") && state.contains("\"vectors\":200"), "{state}");
    assert!(serving.get("/").contains("<title>linjin"));
    let other = serving.ask("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(other.starts_with("HTTP/1.1 403"), "{other}");
}

#[test]
fn what_cannot_be_served_is_said() {
    let room = Room::new();
    room.write("x.linjin", "something else");
    let (none, open, token, index) = (
        room.error("serve", 2),
        room.error("serve --images . --host 0.0.0.0 --port 0", 2),
        room.error("serve --images . --token short --port 0", 2),
        room.error("serve --index x.linjin --port 0", 3),
    );
    assert!(none.contains("--images"), "{none}");
    assert!(open.contains("set a token"), "{open}");
    assert!(token.contains("16"), "{token}");
    assert!(index.contains("x.linjin"), "{index}");
    let missing = room.error("serve --images nowhere --port 0", 1);
    assert!(missing.contains("nowhere"), "{missing}");
}
