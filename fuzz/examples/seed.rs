//! Writes inputs to start from: `seed CORPUS GOLDEN VECTORS`, into a folder of CORPUS for each target.
//!
//! For `annoy_file` small sound files: some are built here, for each metric; the rest are the golden files in GOLDEN, which
//! Annoy wrote, and whose names begin with metric and dimension: `angular-f10-...ann`. For `vector_files` a file of each
//! kind, and the .hdf5 files in VECTORS. For `index_file` each file that it can change, and changes of the head; for
//! `journal_file` the sound journal, whole and cut off, and changes of its words.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use linjin::forest::{Forest, Metric};
use linjin_fuzz::{Numbers, pack};

/// Items, dimension, trees: no item, one, one bucket, many splits, and vectors longer than a kernel's block.
const SHAPES: [(usize, usize, usize); 8] =
    [(0, 2, 1), (1, 3, 2), (3, 0, 1), (4, 5, 3), (9, 1, 2), (40, 2, 2), (90, 5, 3), (100, 40, 1)];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut folder = || arguments.next().ok_or("seed CORPUS GOLDEN VECTORS");
    let (all, golden, vectors) = (folder()?, folder()?, folder()?);
    let into = |target: &str| -> Result<PathBuf, Box<dyn Error>> {
        let folder = Path::new(&all).join(target);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    };
    index_files(&into("index_file")?)?;
    journals(&into("journal_file")?)?;
    vector_files(&into("vector_files")?, Path::new(&vectors))?;
    let corpus = &into("annoy_file")?;
    for metric in Metric::ALL {
        for (items, dim, trees) in SHAPES {
            let file = built(metric, items, dim, trees)?;
            fs::write(corpus.join(format!("{metric}-{dim}-{items}")), pack(metric, dim, &file))?;
        }
    }
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

/// A sound file of each shape, and one word of its head or of its table of sections set to an extreme.
fn index_files(corpus: &Path) -> Result<(), Box<dyn Error>> {
    for shape in 0..6_u8 {
        fs::write(corpus.join(format!("{shape}")), [shape])?;
        for at in (16..512_u32).step_by(8) {
            let mut input = vec![shape];
            input.extend(&at.to_le_bytes()[..3]);
            input.push(0);
            input.extend([0xFF, 0xFF, 0xFF, 0x7F]);
            fs::write(corpus.join(format!("{shape}-{at}")), input)?;
        }
    }
    Ok(())
}

/// The sound journal as bytes, and as words to be changed: one of each record's, with checksums that are right and not.
fn journals(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let journal = &linjin_fuzz::journal::SOUND.journal;
    for (name, end) in [("whole", journal.len()), ("cut", journal.len() / 2), ("head", 56)] {
        fs::write(corpus.join(name), [&[1], &journal[..end]].concat())?;
    }
    for kind in [0_u8, 2, 4] {
        for at in (0..journal.len() as u16).step_by(16) {
            let [low, high] = at.to_le_bytes();
            fs::write(corpus.join(format!("{kind}-{at}")), [kind, low, high, 0xFF, 0xFF, 0, 0])?;
        }
    }
    Ok(())
}

/// A file of each kind; the first byte says which.
fn vector_files(corpus: &Path, data: &Path) -> Result<(), Box<dyn Error>> {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";
    let mut npy = b"\0\x93NUMPY\x01\0".to_vec();
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    npy.extend([1.0_f32, 0.0, 0.5, 2.0].map(f32::to_le_bytes).concat());
    fs::write(corpus.join("npy"), npy)?;
    fs::write(corpus.join("fvecs"), [&[1, 1, 0, 0, 0][..], &1.5_f32.to_le_bytes()].concat())?;
    fs::write(corpus.join("bvecs"), [2, 2, 0, 0, 0, 7, 8])?;
    fs::write(corpus.join("ivecs"), [3, 1, 0, 0, 0, 9, 0, 0, 0])?;
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "hdf5") {
            let name = path.file_name().ok_or("a file without a name")?;
            fs::write(corpus.join(name), [&[4], &*fs::read(&path)?].concat())?;
        }
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
