//! Writes small sound files for `annoy_file` to start from: `seed CORPUS [FOLDER]`.
//!
//! Some are built here, for each metric; the rest are the golden files in FOLDER, which Annoy wrote, and whose names
//! begin with metric and dimension: `angular-f10-...ann`.

use std::error::Error;
use std::fs;
use std::path::Path;

use linjin::forest::{Forest, Metric};
use linjin_fuzz::{Numbers, pack};

/// Items, dimension, trees: no item, one, one bucket, many splits, and vectors longer than a kernel's block.
const SHAPES: [(usize, usize, usize); 8] =
    [(0, 2, 1), (1, 3, 2), (3, 0, 1), (4, 5, 3), (9, 1, 2), (40, 2, 2), (90, 5, 3), (100, 40, 1)];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let corpus = arguments.next().ok_or("seed CORPUS [FOLDER]")?;
    let corpus = Path::new(&corpus);
    fs::create_dir_all(corpus)?;
    for metric in Metric::ALL {
        for (items, dim, trees) in SHAPES {
            let file = built(metric, items, dim, trees)?;
            fs::write(corpus.join(format!("{metric}-{dim}-{items}")), pack(metric, dim, &file))?;
        }
    }
    let Some(golden) = arguments.next() else { return Ok(()) };
    for entry in fs::read_dir(golden)? {
        let path = entry?.path();
        let (Some(name), Some("ann")) =
            (path.file_stem().and_then(|s| s.to_str()), path.extension().and_then(|s| s.to_str()))
        else {
            continue;
        };
        let mut words = name.split("-");
        let metric: Metric = words.next().unwrap_or_default().parse()?;
        let dim = words.next().and_then(|word| word.strip_prefix('f')).ok_or("no dimension in the name")?;
        fs::write(corpus.join(name), pack(metric, dim.parse()?, &fs::read(&path)?))?;
    }
    Ok(())
}

/// The bytes of a forest; every seventh item is a hole.
fn built(metric: Metric, items: usize, dim: usize, trees: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut numbers = Numbers::new(items as u64);
    let mut forest = Forest::new(dim, metric);
    for id in (0..items as u32).filter(|id| id % 7 != 6) {
        forest.add(id, &numbers.plain(metric, dim))?;
    }
    forest.build(Some(trees), Some(1))?;
    Ok(forest.to_bytes()?)
}
