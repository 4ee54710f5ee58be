//! What can be typed behind `linjin images`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use linjin_images::Region;

/// Find pictures in a folder: by picture, by sums and differences of pictures, and copies of one.
#[derive(Debug, Args)]
#[command(after_help = "\
What is known about the pictures of DIR lies in DIR/.linjin. Commands find it from the current folder upwards, or by
--collection. Nothing leaves the machine.

Examples:
  linjin images index ~/Pictures
  linjin images search beach.jpg -k 5
  linjin images similar ~/Pictures/2024/cat.jpg
  linjin images duplicates
  linjin images info")]
pub(crate) struct Images {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Index(Index),
    Search(Search),
    Similar(Similar),
    Duplicates(Duplicates),
    Info(Info),
    #[command(subcommand)]
    Model(ModelCommand),
}

/// Bring the catalogue and the index up to date with a folder of pictures.
#[derive(Debug, Args)]
#[command(after_help = "\
JPEG, PNG, WebP, GIF, BMP and TIFF are read, whatever the suffix says. Only new and changed files are opened; files that
were moved or renamed are known by their contents. When it is interrupted, the next run goes on where this one was.

Examples:
  linjin images index ~/Pictures
  linjin images index --watch                          go on while the folder changes
  linjin images index                                  the collection around the current folder
  linjin images index /media/archive --data ~/archive  for folders that cannot be written to")]
pub(crate) struct Index {
    /// Folder of pictures; without it, the collection around the current folder
    pub(crate) folder: Option<PathBuf>,
    /// Where to keep what is known about the pictures [default: DIR/.linjin]
    #[arg(long, value_name = "FOLDER", requires = "folder")]
    pub(crate) data: Option<PathBuf>,
    /// What makes the vectors: descriptor, or a model that was imported; without it, what made them before
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Threads to work on; without it, one for each core
    #[arg(short, long, value_name = "N", value_parser = crate::args::at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Go on: index again whenever something changes in the folder, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// Look again at files that were refused
    #[arg(long)]
    pub(crate) retry: bool,
    /// Say what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Find pictures by picture and by words, and by sums and differences of these with weights.
#[derive(Debug, Args)]
#[command(after_help = "\
A term is the path of a picture, or words where the collection's model knows words. Terms are added; one behind a lone -
is subtracted. 2:beach.jpg counts twice.
Scores are cosines: 1 for the same picture, about 0 for unrelated ones. `linjin images info` says how alike unrelated
pictures of the collection are.

Examples:
  linjin images search beach.jpg
  linjin images search 2:beach.jpg + dog.jpg - people.jpg
  linjin images search 'a dog on the beach' - people.jpg
  linjin images search beach.jpg --crop 0.5,0,1,0.5              the top right quarter
  linjin images search beach.jpg --folder 2024 --min-side 1000
  linjin images search beach.jpg -0 -k 100 | xargs -0 cp -t /tmp/found")]
pub(crate) struct Search {
    /// Pictures or words, with + and - between them
    #[arg(required = true, value_name = "TERM")]
    pub(crate) terms: Vec<String>,
    /// Search with this part of the first picture: its edges in shares of width and height, from the top left corner
    #[arg(long, value_name = "LEFT,TOP,RIGHT,BOTTOM", value_parser = crop)]
    pub(crate) crop: Option<Region>,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
}

/// Find pictures like some of the collection, without these.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  linjin images similar cat.jpg
  linjin images similar meter-2023.jpg meter-2024.jpg -k 50 --json")]
pub(crate) struct Similar {
    /// Pictures of the collection
    #[arg(required = true)]
    pub(crate) pictures: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
}

/// What is wanted of a search.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// How many pictures
    #[arg(short, default_value = "10", value_parser = crate::args::at_least_one)]
    pub(crate) k: usize,
    /// Only pictures that are at least so similar
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true)]
    pub(crate) min_score: Option<f32>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) collection: Collection,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// Find files that hold the same picture: the same bytes, resized, recompressed, lighter, turned or mirrored.
#[derive(Debug, Args)]
#[command(after_help = "\
Only tells; no file is ever deleted or changed. --paths prints all files but the one to keep of each group, for a program
that moves them where you want them.

Examples:
  linjin images duplicates
  linjin images duplicates --exact --json
  linjin images duplicates --keep oldest -0 | xargs -0 gio trash")]
pub(crate) struct Duplicates {
    /// Only files with the same bytes
    #[arg(long)]
    pub(crate) exact: bool,
    /// Which file of a group to keep
    #[arg(long, value_enum, default_value = "largest")]
    pub(crate) keep: Keep,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) collection: Collection,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// Say what a collection holds, and which files were refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  linjin images info --json")]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) collection: Collection,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Models in ONNX: bring one in, list what there is.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Models lie in $LINJIN_MODELS, without it in ~/.local/share/linjin/models. Nothing is ever fetched.

Example:
  linjin images model import vit.onnx --name vit --tensor last_hidden_state
  linjin images index ~/Pictures --model vit")]
pub(crate) enum ModelCommand {
    Import(ModelImport),
    List(ModelList),
}

/// Copy an ONNX file, or a folder with two towers, to where models are kept.
#[derive(Debug, Args)]
#[command(after_help = "\
A folder has visual/model.onnx with visual/preprocess_cfg.json, and for words textual/model.onnx with
textual/tokenizer.json: as immich keeps CLIP and SigLIP models. Its files say size, mean and deviation.

Examples:
  linjin images model import vit.onnx --name vit --tensor last_hidden_state --pooling first
  linjin images model import vit.onnx --name vit-int8 --tensor last_hidden_state --pooling first --int8
  linjin images model import ViT-B-32__openai --name clip --licence MIT")]
pub(crate) struct ModelImport {
    /// ONNX file that takes pictures, or a folder with two towers
    pub(crate) source: PathBuf,
    /// Name to give it
    #[arg(long)]
    pub(crate) name: String,
    /// Tensor that holds the vector, an output or one inside; without it, the first output
    #[arg(long)]
    pub(crate) tensor: Option<String>,
    /// How a tensor of several tokens becomes one vector; without it, by its shape
    #[arg(long, value_enum)]
    pub(crate) pooling: Option<Pooling>,
    /// Pixels a side that the model takes
    #[arg(long, value_name = "PIXELS", default_value = "224", value_parser = clap::value_parser!(u32).range(1..=2048))]
    pub(crate) size: u32,
    /// How a picture of other proportions becomes a square
    #[arg(long, value_enum, default_value = "centre")]
    pub(crate) crop: Crop,
    /// Subtracted from red, green and blue of 0 to 1 [default: 0.485,0.456,0.406]
    #[arg(long, value_name = "R,G,B", value_parser = channels, allow_hyphen_values = true)]
    pub(crate) mean: Option<[f32; 3]>,
    /// What they are divided by then [default: 0.229,0.224,0.225]
    #[arg(long, value_name = "R,G,B", value_parser = channels)]
    pub(crate) std: Option<[f32; 3]>,
    /// Compute products with the model's weights in 8-bit whole numbers: faster, vectors differ a little
    #[arg(long)]
    pub(crate) int8: bool,
    /// Licence of the weights
    #[arg(long)]
    pub(crate) licence: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the models that were imported.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  linjin images model list --json")]
pub(crate) struct ModelList {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a tensor of several tokens becomes one vector.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Pooling {
    /// It is one vector
    None,
    /// The first token, which stands for all
    First,
    /// The mean of all tokens
    Mean,
}

/// How a picture of other proportions becomes a square.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Crop {
    /// The longer side is cut at both ends
    Centre,
    /// Both sides are made to fit
    Squash,
}

/// Which collection.
#[derive(Debug, Args)]
pub(crate) struct Collection {
    /// Folder of pictures, or of its data; without it, the collection around the current folder
    #[arg(short = 'C', long = "collection", value_name = "DIR")]
    pub(crate) at: Option<PathBuf>,
}

/// Which pictures.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only below this folder of the collection
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Only with this in their path
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// Only taken then or later: 2024, 2024-05, 2024-05-06 or 2024-05-06T07:08:09
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) after: Option<String>,
    /// Only taken before
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) before: Option<String>,
    /// Only with so many pixels on the shorter side
    #[arg(long, value_name = "PIXELS")]
    pub(crate) min_side: Option<u32>,
    /// Only with at most so many pixels on the longer side
    #[arg(long, value_name = "PIXELS")]
    pub(crate) max_side: Option<u32>,
    /// Only files of at least so many bytes: 500, 200K, 3M
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) min_bytes: Option<u64>,
    /// Only files of at most so many bytes
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) max_bytes: Option<u64>,
}

/// How results are written; without any of these, as a table.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Form {
    /// A line of JSON for each
    #[arg(long)]
    pub(crate) json: bool,
    /// Only paths, one a line
    #[arg(long)]
    pub(crate) paths: bool,
    /// Only paths, each with a zero byte behind it, for xargs -0
    #[arg(short = '0', long)]
    pub(crate) null: bool,
}

/// Which copy is the one to keep.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Keep {
    /// The one with the most pixels, then the most bytes, then the oldest
    Largest,
    /// The one changed longest ago
    Oldest,
    /// The one changed last
    Newest,
}

/// A number for each of red, green and blue.
fn channels(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(str::parse).collect();
    match numbers.as_deref() {
        Ok(&[r, g, b]) => Ok([r, g, b]),
        _ => Err("three numbers with commas between them, for red, green and blue".to_owned()),
    }
}

/// A date, or the beginning of one.
fn date(text: &str) -> Result<String, String> {
    let shape = "dddd-dd-ddTdd:dd:dd";
    let ends = [4, 7, 10, 16, 19].contains(&text.len());
    let fits = text.chars().zip(shape.chars()).all(|(letter, place)| match place {
        'd' => letter.is_ascii_digit(),
        mark => letter == mark,
    });
    if ends && fits {
        Ok(text.to_owned())
    } else {
        Err("a date is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS".to_owned())
    }
}

/// A number with K, M or G behind it, of 1024 each.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.chars().last().map(|last| last.to_ascii_uppercase()) {
        Some('K') => (&text[..text.len() - 1], 10),
        Some('M') => (&text[..text.len() - 1], 20),
        Some('G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| "a number of bytes, like 500, 200K or 3M".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "there are no files as large as that".to_owned())
}

fn crop(text: &str) -> Result<Region, String> {
    let sides =
        text.split(',').map(|side| side.trim().parse::<f32>().map_err(|error| format!("{side:?}: {error}")));
    let sides = sides.collect::<Result<Vec<_>, _>>()?;
    match sides[..] {
        [left, top, right, bottom]
            if sides.iter().all(|side| (0.0..=1.0).contains(side)) && left < right && top < bottom =>
        {
            Ok(Region { left, top, right, bottom })
        }
        _ => Err("four numbers from 0 to 1, as in 0.5,0,1,0.5: left < right and top < bottom".to_owned()),
    }
}
