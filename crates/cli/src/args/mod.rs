//! What can be typed.
//!
//! | file | for |
//! | --- | --- |
//! | `mod.rs` | the command, `build`, `search`, `info`, `verify`, `eval` |
//! | `change.rs` | `add`, `remove`, `merge`, `convert`, `tune` |
//! | `shell.rs` | `completions`, `man` |

mod change;
mod shell;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use linjin::index::{Memory, Metric};

pub(crate) use change::{Add, Convert, Merge, Remove, Tune};
pub(crate) use shell::{Completions, Man};

/// Nearest neighbours of vectors: build an index, search it, change it, check it, measure it.
#[derive(Debug, Parser)]
#[command(
    name = "linjin",
    version,
    after_help = "\
Vectors come from .npy, .fvecs, .bvecs, .ivecs, the .hdf5 files of ann-benchmarks, and from a column of lists in .arrow and
.parquet tables, whose other columns come along.

Exit codes: 0 done, 1 failed, 2 typed wrongly, 3 a file is damaged or something else than it should be.

Examples:
  linjin build vectors.npy -o items.linjin --metric cosine
  linjin search items.linjin queries.npy -k 5
  linjin add items.linjin more.npy
  linjin eval items.linjin --queries queries.npy --svg curve.svg
  linjin convert items.ann -o items.linjin --dim 40 --metric angular
  linjin verify items.linjin
  linjin images index ~/Pictures"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(Build),
    Search(Search),
    Info(Info),
    Verify(Verify),
    Eval(Eval),
    Tune(Tune),
    Add(Add),
    Remove(Remove),
    Merge(Merge),
    Convert(Convert),
    Completions(Completions),
    Man(Man),
    #[cfg(feature = "images")]
    Images(crate::images::args::Images),
    #[cfg(feature = "serve")]
    Serve(crate::serve::Serve),
}

/// Make an index of a file of vectors.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --ids the vectors have the ids 0, 1, 2, ... in the order of the file. The index appears whole or not at all. Of an
.arrow or .parquet table the columns beside the vectors are kept, to be shown with what is found and to filter by.

Examples:
  linjin build vectors.npy -o items.linjin
  linjin build vectors.npy --ids ids.npy -o items.linjin --metric dot
  linjin build shop.parquet --ids sku --columns price,lang -o shop.linjin
  linjin build sift-128-euclidean.hdf5 -o sift.linjin --memory small
  linjin build codes.bvecs -o codes.linjin --metric hamming --threads 4 --json")]
pub(crate) struct Build {
    /// File of vectors: .npy, .fvecs, .bvecs, .ivecs, .hdf5, .arrow or .parquet
    pub(crate) vectors: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// How distance is measured; without it, what an .hdf5 file says, else cosine
    #[arg(short, long, value_parser = metric())]
    pub(crate) metric: Option<Metric>,
    /// Ids of the vectors: an .npy file of whole numbers, one for each row, or a column of the table
    #[arg(long, value_name = "FILE")]
    pub(crate) ids: Option<PathBuf>,
    /// Columns of the table to keep [default: all beside vectors and ids]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
    /// Dataset of an .hdf5 file [default: train], or the column of the vectors [default: the one that holds lists]
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    /// How much memory the index may take to be fast: small never makes a graph
    #[arg(long, value_parser = memory(), default_value = Memory::Full.name())]
    pub(crate) memory: Memory,
    /// Threads to work on; without it, one for each core
    #[arg(short, long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Say what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Find the nearest neighbours of vectors.
#[derive(Debug, Args)]
#[command(after_help = "\
A smaller distance is always closer. Equal distances are in the order of ids.

Examples:
  linjin search items.linjin queries.npy -k 5 --limit 3
  linjin search items.linjin --vector 0.1,-0.2,0.3
  linjin search items.linjin --id 17,42 --recall 0.99
  linjin search items.linjin queries.npy --filter \"price * 1.1 < 30 and lang = 'zh'\"
  linjin search items.linjin queries.npy --filter-ids allowed.npy --json
  linjin search items.linjin queries.npy -k 100 --exact --output hits.npy

In Python, hits = numpy.load('hits.npy') has hits['id'] and hits['distance'], one row for each query; the id
18446744073709551615 with the distance infinity stands where there was no more to be found.")]
pub(crate) struct Search {
    /// Index to search
    pub(crate) index: PathBuf,
    /// File of queries: .npy, .fvecs, .bvecs, .ivecs or .hdf5
    #[arg(required_unless_present_any = ["vector", "id"])]
    pub(crate) queries: Option<PathBuf>,
    /// A query: numbers with commas between them (bits, for hamming); may be given again
    #[arg(long, value_name = "NUMBERS", conflicts_with_all = ["queries", "id"], allow_hyphen_values = true)]
    pub(crate) vector: Vec<String>,
    /// The vectors that have these ids, as queries
    #[arg(long, value_name = "IDS", conflicts_with = "queries", value_delimiter = ',')]
    pub(crate) id: Vec<String>,
    /// Neighbours of each query
    #[arg(short, default_value = "10", value_parser = at_least_one)]
    pub(crate) k: usize,
    #[command(flatten)]
    pub(crate) effort: Effort,
    /// Take only the first queries of the file
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with_all = ["vector", "id"])]
    pub(crate) limit: Option<usize>,
    /// Find only items of which this is true: a condition on the columns of the index
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "filter_ids")]
    pub(crate) filter: Option<String>,
    /// Find only these: an .npy file of ids, or of a truth value for each id from 0
    #[arg(long, value_name = "FILE")]
    pub(crate) filter_ids: Option<PathBuf>,
    /// Write what was found to a file, .npy or .jsonl
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Dataset of an .hdf5 file [default: test]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["vector", "id"])]
    pub(crate) dataset: Option<String>,
    /// Threads to work on; without it, one for each core
    #[arg(short, long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// A line of JSON for each query
    #[arg(long)]
    pub(crate) json: bool,
}

/// How hard a search looks; without any of these, for a recall of 0.95.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Effort {
    /// Find this share of the true neighbours
    #[arg(long, value_name = "R", value_parser = recall)]
    pub(crate) recall: Option<f32>,
    /// Keep so many candidates
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) ef: Option<usize>,
    /// Compare every vector
    #[arg(long)]
    pub(crate) exact: bool,
}

/// Say what an index is made of.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  linjin info items.linjin --json")]
pub(crate) struct Info {
    /// Index to look at
    pub(crate) index: PathBuf,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Read all of an index and check every checksum.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 0 for a sound index and 3 for a damaged one, or for a file that is no index. With --salvage it is 0 when the
new index was written, whatever was lost: how many vectors are in it, and how many are not, is said.

Examples:
  linjin verify items.linjin && cp items.linjin /backup/
  linjin verify items.linjin --salvage saved.linjin")]
pub(crate) struct Verify {
    /// Index to check
    pub(crate) index: PathBuf,
    /// Write the vectors that can be read soundly, with their ids, into a new index
    #[arg(long, value_name = "OUT")]
    pub(crate) salvage: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measure recall against speed, on one thread.
#[derive(Debug, Args)]
#[command(after_help = "\
Recall is the share of the k true neighbours that were found; one as far away as the last of them counts as well. Without
--truth an exact search finds the true neighbours first. An .hdf5 file of ann-benchmarks brings queries (test) and truth
(neighbors).

Examples:
  linjin eval items.linjin --queries queries.npy
  linjin eval sift.linjin --queries sift-128-euclidean.hdf5 --svg sift.svg
  linjin eval a.linjin b.linjin --queries q.fvecs --truth q.ivecs -k 100 --ef 100,200,400
  linjin eval items.linjin --queries queries.npy --recalls 0.9,0.95,0.99 --seconds 5 --json")]
pub(crate) struct Eval {
    /// Indexes to measure
    #[arg(required = true)]
    pub(crate) index: Vec<PathBuf>,
    /// File of queries: .npy, .fvecs, .bvecs, .ivecs or .hdf5
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,
    /// Ids of the true neighbours, one row for each query: .ivecs, .npy or .hdf5
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Neighbours of each query
    #[arg(short, default_value = "10", value_parser = at_least_one)]
    pub(crate) k: usize,
    /// Efforts to try [default: 1, 2, 4, ... 64 times k]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = at_least_one)]
    pub(crate) ef: Vec<usize>,
    /// Recalls to ask for
    #[arg(long, value_name = "R,R,...", value_delimiter = ',', value_parser = recall, conflicts_with = "ef")]
    pub(crate) recalls: Vec<f32>,
    /// Take only the first queries of the file
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) limit: Option<usize>,
    /// Repeat the queries for so long at each setting
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Draw recall against queries a second
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) fn metric() -> impl TypedValueParser<Value = Metric> {
    PossibleValuesParser::new(Metric::ALL.map(Metric::name)).try_map(|name| name.parse::<Metric>())
}

fn memory() -> impl TypedValueParser<Value = Memory> {
    PossibleValuesParser::new(Memory::ALL.map(Memory::name)).try_map(|name| name.parse::<Memory>())
}

pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn recall(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(recall) if recall > 0.0 && recall <= 1.0 => Ok(recall),
        Ok(_) => Err("a recall is above 0 and at most 1".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        Ok(_) => Err("from 0 to 86400 seconds".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
