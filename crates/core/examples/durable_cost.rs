//! What reliability costs: checksums in searches and alone, a commit beside a sync of the disk, a large addition beside one in
//! memory, opening after a crash.
//!
//! ```sh
//! cargo run --release -p linjin --example durable_cost -- FOLDER
//! ```
//!
//! FOLDER has to be on the disk that is meant: one in memory syncs nothing. Needs 1 GB there and 2 GB of memory.

#![allow(clippy::print_stdout)] // the answer is for whoever runs this

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use linjin::index::{Add, Effort, Index, Metric, Search, Verify, Writing};

const DIM: usize = 100;
/// Vectors of the file.
const BASE: usize = 300_000;
/// Vectors that are in the journal when it crashes.
const JOURNALLED: usize = 100_000;
/// Vectors of a large addition.
const LARGE: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("durable_cost FOLDER")?;
    let folder = Path::new(&folder).join("durable_cost");
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("items.linjin");
    let mut made = Made::new();
    let memory = Index::new(DIM, Metric::Euclidean)?;
    memory.add(&made.rows(BASE), None, &Add::default())?;
    memory.save(&path)?;
    checksums(&path, &mut made)?;

    let mut file = File::create(folder.join("appended"))?;
    let mut pair = |file: &mut File, index: &Index| -> Result<_, Box<dyn Error>> {
        let begun = Instant::now();
        file.write_all(&[1; 500])?;
        file.sync_data()?;
        let sync = begun.elapsed();
        index.add(&made.rows(1), None, &Add::default())?;
        let begun = Instant::now();
        index.commit()?;
        Ok((sync, begun.elapsed()))
    };
    let durable = open(&path, None)?;
    let pairs = (0..300).map(|_| pair(&mut file, &durable)).collect::<Result<Vec<_>, _>>()?;
    let (sync, commit) = (median(pairs.iter().map(|it| it.0)), median(pairs.iter().map(|it| it.1)));
    println!("append and sync 500 bytes  {sync:9.1?}");
    println!("commit of 1 vector         {commit:9.1?}  {:.2}x", ratio(commit, sync));

    let mut pairs = Vec::new();
    for _ in 0..9 {
        let rows = made.rows(LARGE);
        let begun = Instant::now();
        memory.add(&rows, None, &Add::default())?;
        let alone = begun.elapsed();
        let begun = Instant::now();
        durable.add(&rows, None, &Add::default())?;
        durable.commit()?;
        pairs.push((alone, begun.elapsed()));
    }
    let (alone, with) = (median(pairs.iter().map(|it| it.0)), median(pairs.iter().map(|it| it.1)));
    println!("add {LARGE} in memory       {alone:9.1?}");
    println!("add and commit {LARGE}      {with:9.1?}  {:.2}x", ratio(with, alone));
    drop(durable);

    crash(&path, &mut made, &format!("{BASE} in the file"))?;
    let empty = folder.join("empty.linjin");
    Index::new(DIM, Metric::Euclidean)?.save(&empty)?;
    crash(&empty, &mut made, "an empty file")
}

/// Searches of an index whose blocks are compared when they are used, beside one whose are not; and all blocks at once.
fn checksums(path: &Path, made: &mut Made) -> Result<(), Box<dyn Error>> {
    let indexes = [Index::open_with(path, Verify::Header)?, Index::open_with(path, Verify::Lazy)?];
    let queries = made.rows(2000);
    let ask = |index: &Index| -> Result<Duration, Box<dyn Error>> {
        let begun = Instant::now();
        for query in queries.chunks(DIM) {
            index.search(query, &Search::new(10))?;
        }
        Ok(begun.elapsed())
    };
    let first = [ask(&indexes[0])?, ask(&indexes[1])?].map(|time| time / 2000);
    let mut ratios = Vec::new();
    for round in 0..40 {
        let one = round % 2; // who comes second finds what it needs in the cache
        let times = [ask(&indexes[one])?, ask(&indexes[1 - one])?];
        ratios.push(ratio(times[1 - one], times[one]));
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "first 2,000 searches, with and without comparing blocks  {:.1?}  {:.1?} each",
        first[1], first[0]
    );
    println!("later ones                 {:.3}x", ratios[ratios.len() / 2]);
    let begun = Instant::now();
    Index::verify(path)?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("verify                     {:.2} GB/s", fs::metadata(path)?.len() as f64 / 1e9 / seconds);
    Ok(())
}

fn open(path: &Path, checkpoint: Option<u64>) -> Result<Index, Box<dyn Error>> {
    Ok(Index::open_writable(path, &Writing { checkpoint, ..Writing::default() })?)
}

/// Opens an index with many additions in its journal.
fn crash(path: &Path, made: &mut Made, what: &str) -> Result<(), Box<dyn Error>> {
    let index = open(path, Some(u64::MAX))?;
    index.checkpoint()?;
    let rows = made.rows(JOURNALLED);
    let plain = Index::open(path)?;
    let begun = Instant::now();
    plain.add(&rows, None, &Add::default())?;
    let added = begun.elapsed();
    for some in rows.chunks(100 * DIM) {
        index.add(some, None, &Add::default())?;
    }
    index.commit()?;
    let query = made.rows(1);
    let exact = Search { effort: Effort::Exact, ..Search::new(10) };
    let expected = index.search(&query, &exact)?.ids;
    drop(index); // nothing is written then
    for (name, writing) in [("to read", false), ("to write", true)] {
        let begun = Instant::now();
        let index = if writing { open(path, Some(u64::MAX))? } else { Index::open(path)? };
        let opened = begun.elapsed();
        let found = index.search(&query, &Search::new(10))?.ids;
        let answered = begun.elapsed();
        let right = found.iter().filter(|id| expected.contains(id)).count();
        println!(
            "open {name}, {JOURNALLED} additions in the journal, {what}: {opened:.1?}, first answer after \
             {answered:.1?}, {right} of 10 right; adding them in one batch takes {added:.1?}"
        );
    }
    Ok(())
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Vectors of few directions and some noise.
struct Made {
    state: u64,
    directions: Vec<f32>,
}

impl Made {
    const DIRECTIONS: usize = 12;

    fn new() -> Self {
        let mut made = Self { state: 1, directions: Vec::new() };
        made.directions = (0..Self::DIRECTIONS * DIM).map(|_| made.next()).collect();
        made
    }

    fn next(&mut self) -> f32 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn rows(&mut self, n: usize) -> Vec<f32> {
        let mut rows = Vec::with_capacity(n * DIM);
        for _ in 0..n {
            let weights: [f32; Self::DIRECTIONS] = std::array::from_fn(|_| self.next());
            for d in 0..DIM {
                let sum: f32 =
                    weights.iter().enumerate().map(|(k, weight)| weight * self.directions[k * DIM + d]).sum();
                rows.push(sum + 0.1 * self.next());
            }
        }
        rows
    }
}
