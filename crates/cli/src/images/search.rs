//! `linjin images search` and `similar`: pictures like a query.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use linjin_images::error::Refusal;
use linjin_images::{Collection, Embedder, Hit, Limits, Picture, Query, Region, Term};
use serde::Serialize;

use super::args::{Search, Similar, Wanted};
use super::show::{self, Paths};
use super::{failed, filter, models, open};
use crate::failure::Failure;
use crate::output::json_line;

/// A picture that was found, as JSON.
#[derive(Serialize)]
struct Found<'a> {
    path: Cow<'a, str>,
    score: f32,
    picture: u64,
    width: u32,
    height: u32,
    format: &'a str,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    camera: Option<&'a str>,
    /// Other files with the same bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<Cow<'a, str>>,
}

/// `linjin images search`.
pub(super) fn run(arguments: &Search, out: &mut dyn Write) -> Result<(), Failure> {
    let typed = terms(&arguments.terms)?;
    let pictures = open(&arguments.wanted.collection)?;
    let embedder = models::of(&pictures)?;
    let mut opened: Vec<(f32, Opened<'_>)> = Vec::new();
    let mut crop = arguments.crop;
    for (weight, term) in typed {
        opened.push((weight, Opened::new(term, &mut crop)?));
    }
    if crop.is_some() {
        return Err(Failure::Usage("--crop is for a picture, and the query has none".to_owned()));
    }
    let terms = opened.iter().map(|(weight, opened)| (*weight, opened.term())).collect();
    answer(&pictures, terms, Some(&*embedder), &arguments.wanted, out)
}

/// A term that was typed.
enum Opened<'a> {
    Picture(Box<Picture>),
    Words(&'a str),
}

impl<'a> Opened<'a> {
    /// A file, or words where no file has that name. What looks like the name of a picture is meant to be one.
    /// The first picture is the one that `crop` is for.
    fn new(typed: &'a str, crop: &mut Option<Region>) -> Result<Self, Failure> {
        let path = Path::new(typed);
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
        let means_file = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"];
        if !path.exists() && !suffix.is_some_and(|suffix| means_file.contains(&suffix.as_str())) {
            return Ok(Self::Words(typed));
        }
        let opened = File::open(path).map_err(Refusal::from);
        match opened.and_then(|file| Picture::from_file(file, crop.take(), &Limits::default())) {
            Ok(picture) => Ok(Self::Picture(Box::new(picture))),
            Err(refusal) => Err(Failure::Run(format!("{typed}: {refusal}"))),
        }
    }

    fn term(&self) -> Term<'_> {
        match self {
            Self::Picture(picture) => Term::Pixels(&picture.pixels),
            Self::Words(words) => Term::Words(words),
        }
    }
}

/// `linjin images similar`.
pub(super) fn similar(arguments: &Similar, out: &mut dyn Write) -> Result<(), Failure> {
    let pictures = open(&arguments.wanted.collection)?;
    let known = |path: &PathBuf| match pictures.picture_at(path).map_err(failed)? {
        Some(picture) => Ok((1.0, Term::Picture(picture))),
        None => Err(Failure::Run(format!(
            "{}: not in the collection {}; `linjin images search` takes any picture, `linjin images index` adds new ones",
            path.display(),
            pictures.folder().display()
        ))),
    };
    let terms = arguments.pictures.iter().map(known).collect::<Result<_, _>>()?;
    answer(&pictures, terms, None, &arguments.wanted, out)
}

fn answer(
    pictures: &Collection,
    terms: Vec<(f32, Term<'_>)>,
    embedder: Option<&dyn Embedder>,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let query = Query {
        filter: filter(&wanted.filter, pictures)?,
        min_score: wanted.min_score,
        ..Query::new(terms, wanted.k)
    };
    let hits = pictures.search(&query, embedder).map_err(failed)?;
    let paths = Paths::new(pictures.folder());
    if let Some(end) = show::end(&wanted.form) {
        for hit in &hits {
            paths.write(out, &hit.files[0].path, end)?;
        }
        return Ok(());
    }
    if wanted.form.json {
        return hits.iter().try_for_each(|hit| json(out, hit, &paths));
    }
    table(out, &hits, &paths)
}

fn json(out: &mut dyn Write, hit: &Hit, paths: &Paths) -> Result<(), Failure> {
    let text = |path: &Path| Cow::Owned(paths.path(path).to_string_lossy().into_owned());
    json_line(
        out,
        &Found {
            path: text(&hit.files[0].path),
            score: hit.score,
            picture: hit.picture.id,
            width: hit.picture.width,
            height: hit.picture.height,
            format: &hit.picture.format,
            bytes: hit.files[0].bytes,
            taken: hit.picture.taken.as_deref(),
            camera: hit.picture.camera.as_deref(),
            copies: hit.files[1..].iter().map(|file| text(&file.path)).collect(),
        },
    )
}

fn table(out: &mut dyn Write, hits: &[Hit], paths: &Paths) -> Result<(), Failure> {
    if hits.is_empty() {
        writeln!(out, "nothing found")?;
    } else {
        writeln!(out, "  score       pixels       taken  path")?;
    }
    for hit in hits {
        let picture = &hit.picture;
        let pixels = format!("{} x {}", picture.width, picture.height);
        let day = picture.taken.as_deref().and_then(|taken| taken.get(..10)).unwrap_or("");
        write!(out, "{:>7.3}  {pixels:>11}  {day:>10}  ", hit.score)?;
        paths.write(out, &hit.files[0].path, b'\n')?;
    }
    Ok(())
}

/// Weights and terms out of `2:a.jpg + b.jpg - c.jpg`.
fn terms(typed: &[String]) -> Result<Vec<(f32, &str)>, Failure> {
    let mut terms = Vec::new();
    let mut sign = None;
    for word in typed {
        match (word.as_str(), sign) {
            ("+", None) => sign = Some(1.0),
            ("-", None) => sign = Some(-1.0),
            ("+" | "-", Some(_)) => {
                return Err(Failure::Usage(format!("a term is missing before the second {word:?}")));
            }
            (term, _) => {
                let (weight, term) = weighed(term)?;
                terms.push((sign.take().unwrap_or(1.0) * weight, term));
            }
        }
    }
    match sign {
        Some(_) => Err(Failure::Usage("a term is missing at the end, behind the + or -".to_owned())),
        None => Ok(terms),
    }
}

/// The weight before a colon, if there is one, and the rest. A file whose name looks like that is a file.
fn weighed(term: &str) -> Result<(f32, &str), Failure> {
    match term.split_once(':') {
        Some((weight, rest)) if !Path::new(term).exists() => match weight.parse::<f32>() {
            Ok(number) if number.is_finite() && number > 0.0 => Ok((number, rest)),
            Ok(_) => Err(Failure::Usage(format!(
                "{term}: a weight is above 0; a lone - before a term subtracts it"
            ))),
            Err(_) => Ok((1.0, term)),
        },
        _ => Ok((1.0, term)),
    }
}
