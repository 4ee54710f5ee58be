//! Indexing killed at any moment: it reopens, at most a batch is done again, and no row is ever wrong.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use linjin_images::error::EmbedError;
use linjin_images::{Embedder, Limits, Picture, Pixels};

use super::*;

const FOLDER: &str = "LINJIN_TEST_INDEX_FOLDER";
const PICTURES: u64 = 150;
/// A batch: what a kill may cost.
const BATCH: usize = 64;

/// The descriptor, writing a byte to a file each time it is asked.
struct Logging(Option<fs::File>);

impl Logging {
    fn new(folder: &Path) -> Self {
        let log = folder.parent().unwrap().join("log");
        Self(Some(fs::File::options().create(true).append(true).open(log).unwrap()))
    }
}

impl Embedder for Logging {
    fn name(&self) -> &str {
        "logging"
    }

    fn dim(&self) -> usize {
        Descriptor.dim()
    }

    fn picture(&self, pixels: &Pixels) -> Result<Vec<f32>, EmbedError> {
        if let Some(mut log) = self.0.as_ref() {
            log.write_all(b".").unwrap();
        }
        Descriptor.picture(pixels)
    }

    fn adapts(&self) -> bool {
        true
    }
}

/// Not a test: what the process does that is killed.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = PathBuf::from(folder);
    let pictures = Collection::create(&folder, None).unwrap();
    let options = IndexOptions { threads: Some(2), ..Default::default() };
    pictures.index(&Logging::new(&folder), &options).unwrap();
}

/// The vector of each picture that there ever was, by its hash.
type Truth = HashMap<[u8; 32], Vec<f32>>;

fn learn(truth: &mut Truth, bytes: Vec<u8>) -> Vec<u8> {
    let picture = Picture::from_bytes(bytes.clone(), None, &Limits::default()).unwrap();
    truth.insert(*blake3::hash(&bytes).as_bytes(), Descriptor.picture(&picture.pixels).unwrap());
    bytes
}

/// Every row has the vector of its picture, and is found by it. Returns how many rows tell of what is in the file now.
fn check(folder: &Path, truth: &Truth) -> usize {
    let pictures = Collection::create(folder, None).unwrap();
    if pictures.model().unwrap().is_none() {
        return 0; // no run was complete yet: nothing can be asked
    }
    let mut current = 0;
    for seed in 0..PICTURES {
        let path = folder.join(format!("{seed}.jpg"));
        let Some(row) = pictures.picture_at(&path).unwrap() else { continue };
        let facts = pictures.picture(row).unwrap();
        assert!(pictures.vector(row).unwrap() == truth[&facts.hash], "{seed}.jpg has the vector of another");
        let bytes = fs::read(&path).unwrap();
        if *blake3::hash(&bytes).as_bytes() == facts.hash {
            current += 1;
            let picture = Picture::from_bytes(bytes, None, &Limits::default()).unwrap();
            let query = Query::new(vec![(1.0, Term::Pixels(&picture.pixels))], 1);
            let hits = pictures.search(&query, Some(&Logging(None))).unwrap();
            assert_eq!(hits[0].picture, facts);
        }
    }
    current
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let room = Room::new();
    let folder = room.path("pictures");
    let mut truth = Truth::new();
    for seed in 0..PICTURES {
        room.write(&format!("pictures/{seed}.jpg"), learn(&mut truth, jpeg(&drawing(seed, 128, 96), 85)));
    }
    let asked = || fs::read(room.path("log")).unwrap_or_default().len();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let begun = std::time::Instant::now();
    assert!(start().wait().unwrap().success());
    let whole = begun.elapsed();
    let kills: u32 = std::env::var("LINJIN_TEST_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let mut next = dice(u64::from(std::process::id()));
    let mut interrupted = 0;
    for round in 0..kills {
        // Half of the rounds begin anew, the others change a third of the pictures.
        if round % 2 == 0 {
            fs::remove_dir_all(folder.join(".linjin")).unwrap();
        } else {
            for seed in 0..PICTURES / 3 {
                let new = 1000 + u64::from(round) * PICTURES + seed;
                let bytes = learn(&mut truth, jpeg(&drawing(new, 128, 96), 85));
                room.write(&format!("pictures/{seed}.jpg"), bytes);
            }
        }
        let expected = if round % 2 == 0 { PICTURES } else { PICTURES / 3 } as usize;
        let before = asked();
        let mut child = start();
        std::thread::sleep(Duration::from_micros(next() % (whole.as_micros() as u64 + 1)));
        child.kill().unwrap(); // SIGKILL
        interrupted += usize::from(!child.wait().unwrap().success());
        check(&folder, &truth);
        assert!(start().wait().unwrap().success());
        let again = asked() - before - expected;
        assert!(again <= BATCH, "{again} pictures were embedded twice");
        assert_eq!(check(&folder, &truth), PICTURES as usize);
    }
    eprintln!("{interrupted} of {kills} kills met a run that was not done");
    assert!(interrupted > 0);
}
