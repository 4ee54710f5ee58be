//! Writes inputs to start from: `seed CORPUS GOLDEN VECTORS`, into a folder of CORPUS for each target.
//!
//! For `annoy_file` small sound files: some are built here, for each metric; the rest are the golden files in GOLDEN, which
//! Annoy wrote, and whose names begin with metric and dimension: `angular-f10-...ann`. For `vector_files` a file of each
//! kind, tables, and the .hdf5 files in VECTORS. For `columns` a sound note, changes of its words, and expressions. For `index_file` each file that it can change, and changes of the head; for
//! `journal_file` the sound journal, whole and cut off, and changes of its words.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, FixedSizeListArray, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use linjin::forest::{Forest, Metric};
use linjin_fuzz::{Numbers, pack};
use parquet::arrow::ArrowWriter;

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
    tables(&into("vector_files")?)?;
    columns(&into("columns")?)?;
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

/// A table of two vectors, with what is known of them, in each form that has tables.
fn tables(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let vectors = [[1.0, 0.0], [0.5, 2.0]].map(|vector| Some(vector.map(Some)));
    let vectors = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 2);
    let rows = RecordBatch::try_from_iter([
        ("vector", Arc::new(vectors) as ArrayRef),
        ("price", Arc::new(Int64Array::from(vec![Some(5), None]))),
        ("lang", Arc::new(StringArray::from(vec!["zh", "en"]))),
    ])?;
    let (schema, arrow, parquet) = (rows.schema(), vec![5], vec![6]);
    let mut file = FileWriter::try_new(arrow.clone(), &schema)?;
    file.write(&rows)?;
    fs::write(corpus.join("arrow"), file.into_inner()?)?;
    let mut stream = StreamWriter::try_new(arrow, &schema)?;
    stream.write(&rows)?;
    fs::write(corpus.join("arrow-stream"), stream.into_inner()?)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, None)?;
    writer.write(&rows)?;
    writer.close()?;
    fs::write(corpus.join("parquet"), [parquet, bytes].concat())?;
    Ok(())
}

/// A note, whole and with words of it changed, and conditions.
fn columns(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let note = &linjin_fuzz::columns::SOUND.note;
    fs::write(corpus.join("note"), [&[0], &note[..]].concat())?;
    for at in (0..note.len() as u16).step_by(8) {
        let [low, high] = at.to_le_bytes();
        fs::write(corpus.join(format!("note-{at}")), [1, low, high, 0xFF, 0xFF, 0, 0])?;
    }
    let expressions = [
        linjin_fuzz::columns::EXPRESSION,
        "int in (1, 2.5, -3e2) and not flag is null",
        "\"text\" between 'a' and 'p' or int <> half",
        "day = date '1970-01-02' and time is not null and (flag = true or text ilike 'T__')",
    ];
    for (number, expression) in expressions.iter().enumerate() {
        fs::write(corpus.join(format!("expression-{number}")), [&[2], expression.as_bytes()].concat())?;
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
