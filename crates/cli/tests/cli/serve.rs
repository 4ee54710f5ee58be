//! `linjin serve`: that it starts, answers, and ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::*;

/// The command while it serves.
pub(crate) struct Serving {
    child: Child,
    /// The line that it printed.
    pub(crate) told: String,
    address: String,
}

impl Serving {
    pub(crate) fn new(room: &Room, typed: &str) -> Self {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("linjin"))
            .current_dir(room.folder.path())
            .args(typed.split_whitespace())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        let address = told.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, told, address }
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
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

/// Calls in a log of strace that name an address of the network.
#[cfg(target_os = "linux")]
fn named_addresses(log: &Path) -> Vec<String> {
    let calls = fs::read_to_string(log).unwrap();
    calls
        .lines()
        .filter(|line| line.contains("sin_addr") || line.contains("sin6_addr"))
        .map(str::to_owned)
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_is_asked_for_anything() {
    let room = Room::new();
    let traced = |log: &str| {
        let mut command = Command::new("strace");
        command.current_dir(room.folder.path()).args([
            "-f",
            "-qq",
            "-e",
            "trace=connect,sendto,sendmsg,sendmmsg",
        ]);
        command.args(["-o", log]).arg(assert_cmd::cargo::cargo_bin!("linjin"));
        command
    };
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|tried| tried.status.success()) {
        writeln!(
            std::io::stderr(),
            "SKIPPED: strace does not run here, calls to the network were not counted"
        )
        .unwrap();
        return;
    }
    fs::create_dir(room.path("album")).unwrap();
    super::images::drawing(1).save(room.path("album/one.png")).unwrap();
    for (at, typed) in
        ["images index album", "images info -C album", "images duplicates -C album"].iter().enumerate()
    {
        let log = format!("log{at}");
        assert!(traced(&log).args(typed.split_whitespace()).output().unwrap().status.success());
        assert_eq!(named_addresses(&room.path(&log)), [""; 0], "{typed}");
    }
    let mut serving = traced("log")
        .args(["serve", "--images", "album", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    for path in ["/", "/api/state", "/api/pictures", "/api/duplicates", "/web/js/main.js"] {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}");
    }
    // strace passes the signal on and ends with what it traces.
    let id = serving.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    for child in children.split_whitespace() {
        assert!(Command::new("kill").args(["-TERM", child]).status().unwrap().success());
    }
    assert!(serving.wait().unwrap().success(), "it ends well when it is told to");
    assert_eq!(named_addresses(&room.path("log")), [""; 0]);
}
