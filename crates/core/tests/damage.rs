//! Files in which something is wrong: cut short, flipped bits, extreme words, pages that are zeros or have changed places.
//!
//! With `Verify::Full` they are refused; with `Verify::Lazy` they are refused, or an answer is the one of the sound file, or
//! an error; with `Verify::Header` an answer may be wrong. Nothing panics, reads elsewhere or runs for ever.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::path::{Path, PathBuf};

use linjin::index::{Add, Effort, Hits, Index, Metric, Search, Vector, Vectors, Verify};

mod made;

/// Mutated files of each kind.
const MUTANTS: usize = 240;
const PAGE: usize = 4096;

/// A sound file, and what it answers.
struct Sound {
    bytes: Vec<u8>,
    metric: Metric,
    queries: Vec<Vec<f32>>,
    bits: Vec<Vec<u8>>,
    ids: Vec<u64>,
    vectors: Vec<Vector>,
    hits: Vec<Hits>,
    exact: Vec<Hits>,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Cut,
    Flipped,
    Extreme,
    Zeroed,
    Swapped,
}

const HARMS: [Harm; 5] = [Harm::Cut, Harm::Flipped, Harm::Extreme, Harm::Zeroed, Harm::Swapped];
const EXTREMES: [u32; 6] = [0, 1, u32::MAX, i32::MAX as u32, 1 << 31, 0x7F80_0000];

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}

impl Sound {
    /// An index of `n` vectors, some of which were removed; with ids of their own or numbered.
    fn new(metric: Metric, n: usize, dim: usize, own_ids: bool, folder: &Path) -> Self {
        let mut next = made::noise(n as u64);
        let mut row = || -> Vec<f32> { (0..dim).map(|_| next()).collect() };
        let rows: Vec<Vec<f32>> = (0..n).map(|_| row()).collect();
        let bits = |row: &[f32]| -> Vec<u8> {
            row[..dim.div_ceil(8)].iter().map(|x| (x * 127.0) as i8 as u8).collect()
        };
        let ids: Vec<u64> = (0..n as u64).map(|i| if own_ids { i * 7 + 3 } else { i }).collect();
        let index = Index::new(dim, metric).unwrap();
        let floats: Vec<f32> = rows.concat();
        let packed: Vec<u8> = rows.iter().flat_map(|row| bits(row)).collect();
        let all = if metric.is_binary() { Vectors::Bits(&packed) } else { Vectors::Floats(&floats) };
        index.add(all, Some(&ids), &Add::default()).unwrap();
        index.remove(&ids[10..20]).unwrap();
        let path = folder.join("sound.linjin");
        index.save(&path).unwrap();
        let queries: Vec<Vec<f32>> = (0..6).map(|_| row()).collect();
        let mut sound = Self {
            bytes: std::fs::read(&path).unwrap(),
            metric,
            bits: queries.iter().map(|row| bits(row)).collect(),
            queries,
            ids: index.ids().unwrap(),
            vectors: Vec::new(),
            hits: Vec::new(),
            exact: Vec::new(),
        };
        sound.vectors = sound.ids.iter().map(|&id| index.get(id).unwrap().unwrap()).collect();
        for i in 0..sound.queries.len() {
            sound.hits.push(index.search(sound.query(i), &Search::new(10)).unwrap());
            sound.exact.push(index.search(sound.query(i), &exactly()).unwrap());
        }
        sound
    }

    fn query(&self, i: usize) -> Vectors<'_> {
        if self.metric.is_binary() { Vectors::Bits(&self.bits[i]) } else { Vectors::Floats(&self.queries[i]) }
    }

    fn harmed(&self, harm: Harm, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let pages = bytes.len() / PAGE;
        match harm {
            Harm::Cut => bytes.truncate(random.below(self.bytes.len())),
            Harm::Flipped => {
                for _ in 0..4 {
                    let most = if random.below(2) == 0 { 256 } else { bytes.len() };
                    let at = random.below(most);
                    bytes[at] ^= 1 << random.below(8);
                }
            }
            Harm::Extreme => {
                for _ in 0..2 {
                    let most = if random.below(2) == 0 { 1024 } else { bytes.len() };
                    let at = random.below(most / 4) * 4;
                    bytes[at..at + 4].copy_from_slice(&EXTREMES[random.below(EXTREMES.len())].to_le_bytes());
                }
            }
            Harm::Zeroed => {
                let at = random.below(pages) * PAGE;
                bytes[at..at + PAGE].fill(0);
            }
            Harm::Swapped => {
                let (a, b) = (random.below(pages) * PAGE, random.below(pages) * PAGE);
                let (first, second) = (bytes[a..a + PAGE].to_vec(), bytes[b..b + PAGE].to_vec());
                bytes[a..a + PAGE].copy_from_slice(&second);
                bytes[b..b + PAGE].copy_from_slice(&first);
            }
        }
        bytes
    }

    /// Asks an index that may be damaged for everything; whether there was an error. Every answer has to be the one of the
    /// sound file, if `truthful`.
    fn ask(&self, index: &Index, truthful: bool) -> bool {
        let mut failed = false;
        for i in 0..self.queries.len() {
            for (search, expected) in [(Search::new(10), &self.hits[i]), (exactly(), &self.exact[i])] {
                match index.search(self.query(i), &search) {
                    Ok(hits) => assert!(!truthful || hits == *expected, "a wrong answer"),
                    Err(_) => failed = true,
                }
            }
        }
        match index.ids() {
            Ok(ids) => assert!(!truthful || ids == self.ids),
            Err(_) => failed = true,
        }
        for (id, vector) in self.ids.iter().zip(&self.vectors).step_by(37) {
            match index.get(*id) {
                Ok(found) => assert!(!truthful || found.as_ref() == Some(vector)),
                Err(_) => failed = true,
            }
        }
        failed
    }
}

fn exactly() -> Search<'static> {
    Search { effort: Effort::Exact, ..Search::new(10) }
}

/// Files without leaves and with them, with ids of their own and without, of floats and of bits.
fn sound(folder: &Path) -> Vec<Sound> {
    vec![
        Sound::new(Metric::Cosine, 1500, 40, true, folder),
        Sound::new(Metric::Euclidean, 4000, 32, false, folder),
        Sound::new(Metric::Cosine, 3000, 64, true, folder),
        Sound::new(Metric::Hamming, 2500, 128, true, folder),
    ]
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let path = folder.path().join("harmed.linjin");
    (folder, path)
}

#[test]
fn harmed_files_are_refused_or_answer_truly() {
    let (folder, path) = folder();
    let all = sound(folder.path());
    let mut random = Random(1);
    for harm in HARMS {
        for round in 0..MUTANTS {
            let sound = &all[round % all.len()];
            let bytes = sound.harmed(harm, &mut random);
            std::fs::write(&path, &bytes).unwrap();
            let whole = bytes == sound.bytes;
            assert_eq!(Index::verify(&path).is_ok(), whole, "{harm:?}, round {round}");
            match Index::open_with(&path, Verify::Full) {
                Ok(index) => assert!(whole && !sound.ask(&index, true)),
                Err(_) => assert!(!whole),
            }
            if let Ok(index) = Index::open(&path) {
                let failed = sound.ask(&index, true);
                // What was asked may not have come from there; to save the index reads all of it.
                let saved = index.save(folder.path().join("again.linjin"));
                assert!(!failed || saved.is_err(), "{harm:?}, round {round}: what was found is forgotten");
            }
            if let Ok(index) = Index::open_with(&path, Verify::Header) {
                sound.ask(&index, false);
                _ = index.add(sound.query(0), Some(&[u64::MAX - 1]), &Add::default());
                _ = index.remove(&sound.ids[..40]);
                if round % 24 < all.len() {
                    _ = index.optimize(None); // takes a hundred times as long as all the rest
                }
                sound.ask(&index, false);
            }
        }
    }
}

#[test]
fn a_page_of_zeros_is_found_before_anything_is_answered_from_it() {
    let (folder, path) = folder();
    for sound in sound(folder.path()) {
        let (mut lost, mut found) = (0, 0);
        for at in (0..sound.bytes.len()).step_by(PAGE) {
            let mut bytes = sound.bytes.clone();
            bytes[at..at + PAGE].fill(0);
            if bytes == sound.bytes {
                continue; // there were nothing but zeros
            }
            lost += 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Index::verify(&path).is_err());
            let Ok(index) = Index::open(&path) else {
                found += 1;
                continue;
            };
            let failed = sound.ask(&index, true);
            let saved = index.save(folder.path().join("again.linjin"));
            assert!(!failed || saved.is_err());
            found += usize::from(saved.is_err());
        }
        assert!(lost > 10 && found == lost, "{found} of {lost} in a file with {}", sound.metric);
    }
}

#[test]
fn threads_that_come_upon_damage_together_all_see_it() {
    let (folder, path) = folder();
    let sound = Sound::new(Metric::Euclidean, 4000, 32, false, folder.path());
    let mut bytes = sound.bytes.clone();
    let rows = u64::from_le_bytes(bytes[72..80].try_into().unwrap()) as usize;
    bytes[rows + 65_536 * 3] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    for _ in 0..100 {
        let index = Index::open(&path).unwrap();
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    assert!(index.search(sound.query(0), &exactly()).is_err());
                    assert!(index.get(0).is_err());
                });
            }
        });
    }
}

#[test]
fn changes_of_a_damaged_file_are_refused_too() {
    let (folder, path) = folder();
    let sound = Sound::new(Metric::Euclidean, 1500, 16, true, folder.path());
    let mut bytes = sound.bytes.clone();
    let rows = u64::from_le_bytes(bytes[72..80].try_into().unwrap()) as usize;
    bytes[rows] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let index = Index::open(&path).unwrap();
    assert!(index.contains(sound.ids[0]).unwrap(), "ids are in another section");
    let said = index.remove(&sound.ids[..1]).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "the index file is damaged: the checksum of 65536 bytes of section Rows, from byte {rows} on, is wrong"
        )
    );
    let all = index.search(sound.query(0), &Search::new(10)).unwrap_err().to_string();
    assert_eq!(all, said);
    assert!(index.add(sound.query(0), None, &Add::default()).is_err());
    assert_eq!(index.len(), sound.ids.len());
}

#[test]
fn sound_vectors_are_saved_and_the_others_counted() {
    let (folder, path) = folder();
    let to = folder.path().join("saved.linjin");
    for (harm, sound) in HARMS.into_iter().cycle().zip(sound(folder.path()).iter().cycle()).take(40) {
        let bytes = sound.harmed(harm, &mut Random(harm as u64 + 9));
        std::fs::write(&path, &bytes).unwrap();
        let Ok(salvaged) = Index::salvage(&path, &to) else {
            assert!(bytes.get(..PAGE) != Some(&sound.bytes[..PAGE]), "the head is sound");
            continue;
        };
        let saved = Index::open_with(&to, Verify::Full).unwrap();
        assert_eq!(saved.len(), salvaged.kept);
        assert_eq!(salvaged.kept + salvaged.lost, sound.ids.len());
        for id in saved.ids().unwrap() {
            let at = sound.ids.binary_search(&id).unwrap();
            assert_eq!(saved.get(id).unwrap().as_ref(), Some(&sound.vectors[at]));
        }
    }
}

#[test]
fn a_lost_block_costs_its_vectors_only() {
    let (folder, path) = folder();
    let to = folder.path().join("saved.linjin");
    let sound = Sound::new(Metric::Euclidean, 4000, 32, false, folder.path());
    let rows = u64::from_le_bytes(sound.bytes[72..80].try_into().unwrap()) as usize;
    let mut bytes = sound.bytes.clone();
    bytes[rows + 65_536 + 5] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    let salvaged = Index::salvage(&path, &to).unwrap();
    // 65,536 bytes are 512 rows of 32 floats, and free slots are before them.
    assert_eq!((salvaged.kept, salvaged.lost), (sound.ids.len() - 512, 512));
    let saved = Index::open(&to).unwrap();
    // Numbers go on where they were.
    assert_eq!(saved.add(sound.query(0), None, &Add::default()).unwrap(), [4000]);
    // And what is left of one that was cut in the middle of them.
    std::fs::write(&path, &sound.bytes[..rows + 65_536 * 2 + 100]).unwrap();
    let salvaged = Index::salvage(&path, &to);
    let kept = salvaged.map(|salvaged| salvaged.kept);
    assert!(matches!(kept, Ok(0)), "its ids are behind its rows: {kept:?}");
}
