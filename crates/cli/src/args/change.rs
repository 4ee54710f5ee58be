//! What can be typed after the verbs that change an index, make one of others, or tune it.

use std::path::PathBuf;

use clap::Args;
use linjin::index::Metric;

use super::{at_least_one, recall, seconds};

/// Add vectors to an index.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --ids the vectors get the numbers that follow the largest id there ever was. All are added or none, and the file is
at any moment the old one or the whole new one.

Examples:
  linjin add items.linjin more.npy
  linjin add items.linjin more.npy --ids ids.npy --replace
  linjin add items.linjin more.fvecs -o larger.linjin --json")]
pub(crate) struct Add {
    /// Index to add to
    pub(crate) index: PathBuf,
    /// File of vectors: .npy, .fvecs, .bvecs, .ivecs, .hdf5, .arrow or .parquet
    pub(crate) vectors: PathBuf,
    /// Ids of the vectors: an .npy file of whole numbers, one for each row, or a column of the table
    #[arg(long, value_name = "FILE")]
    pub(crate) ids: Option<PathBuf>,
    /// Columns of the table to keep [default: all beside vectors and ids]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
    /// Let a vector take the place of the one that has its id
    #[arg(long, requires = "ids")]
    pub(crate) replace: bool,
    /// File to write, instead of the index itself
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Dataset of an .hdf5 file [default: train], or the column of the vectors [default: the one that holds lists]
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    /// Threads to work on; without it, one for each core
    #[arg(short, long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Say what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Remove vectors from an index.
#[derive(Debug, Args)]
#[command(after_help = "\
All are removed or none.

Examples:
  linjin remove items.linjin --id 17,42
  linjin remove items.linjin --ids gone.npy -o smaller.linjin --json")]
pub(crate) struct Remove {
    /// Index to remove from
    pub(crate) index: PathBuf,
    /// Their ids
    #[arg(long, value_name = "IDS", value_delimiter = ',', required_unless_present = "ids")]
    pub(crate) id: Vec<String>,
    /// Their ids: an .npy file of whole numbers
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    pub(crate) ids: Option<PathBuf>,
    /// File to write, instead of the index itself
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Say what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make one index of several.
#[derive(Debug, Args)]
#[command(after_help = "\
All need the same dimension and metric. Vectors keep their ids; an id that two indexes have is an error, unless one of
--replace and --renumber says what to do.

Examples:
  linjin merge monday.linjin tuesday.linjin -o week.linjin
  linjin merge old.linjin new.linjin -o all.linjin --replace --json")]
pub(crate) struct Merge {
    /// Indexes to take the vectors of
    #[arg(required = true, num_args = 2..)]
    pub(crate) indexes: Vec<PathBuf>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Of vectors with the same id take the one of the last index
    #[arg(long)]
    pub(crate) replace: bool,
    /// Give all vectors the ids 0, 1, 2, ... in the order of the indexes and of their ids
    #[arg(long, conflicts_with = "replace")]
    pub(crate) renumber: bool,
    /// Threads to work on; without it, one for each core
    #[arg(short, long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Say what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Turn vectors of one format into another.
#[derive(Debug, Args)]
#[command(after_help = "\
Formats go by the ends of the names:
  read     .linjin, .ann or .annoy, .npy, .fvecs, .bvecs, .ivecs, .hdf5, .arrow, .parquet
  written  .linjin, .ann or .annoy, .npy, .fvecs, .bvecs

An Annoy file does not say what is in it: --dim and --metric do. Annoy's angular is linjin's cosine; either word is taken.

Examples:
  linjin convert items.ann -o items.linjin --dim 40 --metric angular
  linjin convert items.linjin -o items.ann --trees 50
  linjin convert items.linjin -o vectors.npy --ids-output ids.npy
  linjin convert glove-100-angular.hdf5 -o glove.npy --json")]
pub(crate) struct Convert {
    /// File to read
    pub(crate) input: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// How distance is measured: needed for Annoy's files; for others, what an .hdf5 file says, else cosine
    #[arg(short, long, value_parser = any_metric)]
    pub(crate) metric: Option<Metric>,
    /// Values of a vector in an Annoy file
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) dim: Option<usize>,
    /// Trees of the Annoy file to be written [default: as many as fit beside the items once more]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) trees: Option<usize>,
    /// Write the ids too, as .npy
    #[arg(long, value_name = "FILE")]
    pub(crate) ids_output: Option<PathBuf>,
    /// Dataset of an .hdf5 file [default: train]
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    /// Threads to work on; without it, one for each core
    #[arg(short, long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Say what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Find the settings that reach a recall or a latency, and calibrate the index for them.
#[derive(Debug, Args)]
#[command(after_help = "\
Half of the queries calibrate the index: what effort a recall takes is measured anew with them, and the leaves are made
anew. The other half shows what each recall that one may ask for reaches, on one thread. The index is written with its new
calibration, so that --recall, and recall= in Python, mean what they say for such queries; --dry-run leaves it as it is.

Examples:
  linjin tune items.linjin --queries queries.npy --recall 0.95
  linjin tune items.linjin --queries queries.npy --latency 200 -k 100 --svg curve.svg
  linjin tune items.linjin --queries queries.npy --recall 0.9 --memory 4GB --dry-run --json")]
pub(crate) struct Tune {
    /// Index to tune
    pub(crate) index: PathBuf,
    /// File of queries such as will be asked: .npy, .fvecs, .bvecs, .ivecs or .hdf5
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,
    /// Reach this share of the true neighbours [default: 0.95, unless there is --latency]
    #[arg(long, value_name = "R", value_parser = recall)]
    pub(crate) recall: Option<f32>,
    /// Take at most so many microseconds for a query, on average
    #[arg(long, value_name = "US", value_parser = micros)]
    pub(crate) latency: Option<f64>,
    /// The index may have at most so many bytes: 500MB, 4GB, 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<u64>,
    /// Neighbours of each query
    #[arg(short, default_value = "10", value_parser = at_least_one)]
    pub(crate) k: usize,
    /// Take only the first queries of the file
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) limit: Option<usize>,
    /// Repeat the queries for so long at each setting
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Draw recall against queries a second
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// File to write, instead of the index itself
    #[arg(short, long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) output: Option<PathBuf>,
    /// Write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// linjin's name of a metric, or Annoy's.
fn any_metric(name: &str) -> Result<Metric, String> {
    if name == "angular" {
        return Ok(Metric::Cosine);
    }
    name.parse().map_err(|error: linjin::index::UnknownMetric| format!("{error}; angular means cosine"))
}

fn micros(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(micros) if micros > 0.0 && micros.is_finite() => Ok(micros),
        Ok(_) => Err("microseconds above 0 are needed".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 8] = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("B", 1.0),
    ];
    let unit = UNITS.iter().find_map(|&(name, bytes)| text.strip_suffix(name).map(|number| (number, bytes)));
    let (number, bytes) = unit.unwrap_or((text, 1.0));
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok((number * bytes) as u64),
        _ => Err("a size is a number of bytes, or of KB, MB, GB, TB, KiB, MiB or GiB".to_owned()),
    }
}
