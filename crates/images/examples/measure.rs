//! How well and how fast pictures are found: variants of the pictures of a folder, searched, paired and timed.
//!
//! ```sh
//! cargo run --release -p linjin-images --example measure -- FOLDER [MODEL FOLDER] [--speed N] [--beside MODEL FOLDER]
//! ```
//!
//! With `--beside`, vectors of the one model are compared with those of the other, and both are timed in turns.

#![allow(clippy::print_stdout, clippy::print_stderr)] // its results, and how far it is

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageEncoder, RgbImage};
use linjin_images::{
    Collection, Descriptor, Embedder, Filter, IndexOptions, Keep, Limits, Model, Picture, Pixels, Query, Term,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// A change of a picture, with its name.
type Variant = (&'static str, fn(&RgbImage) -> Vec<u8>);

/// What a search has to see through.
const LOOKS: [Variant; 6] = [
    ("crop to 80 %", |image| {
        let (width, height) = image.dimensions();
        jpeg(
            &imageops::crop_imm(image, width / 10, height / 10, width * 8 / 10, height * 8 / 10).to_image(),
            85,
        )
    }),
    ("mirrored", |image| jpeg(&imageops::flip_horizontal(image), 85)),
    ("dark, blurred", |image| jpeg(&exposed(&imageops::blur(image, 2.0), -1.0), 85)),
    ("turned by 90", |image| jpeg(&imageops::rotate90(image), 85)),
    ("half size, quality 40", |image| jpeg(&half(image), 40)),
    ("noise", |image| jpeg(&noisy(image), 85)),
];

/// What copies of a picture look like.
const COPIES: [Variant; 7] = [
    ("half size", |image| jpeg(&half(image), 85)),
    ("quality 30", |image| jpeg(image, 30)),
    ("mirrored", |image| jpeg(&imageops::flip_horizontal(image), 85)),
    ("turned by 90", |image| jpeg(&imageops::rotate90(image), 85)),
    ("turned by 180", |image| jpeg(&imageops::rotate180(image), 85)),
    ("1 stop lighter", |image| jpeg(&exposed(image, 1.0), 85)),
    ("1 stop darker", |image| jpeg(&exposed(image, -1.0), 85)),
];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("a folder of pictures is missing")?);
    let (mut embedder, mut timed): (Box<dyn Embedder>, usize) = (Box::new(Descriptor), 100);
    let mut beside = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--speed" => timed = arguments.next().ok_or("--speed needs a number")?.parse()?,
            "--beside" => {
                beside = Some(Model::load(Path::new(&arguments.next().ok_or("--beside needs a folder")?))?);
            }
            model => embedder = Box::new(Model::load(Path::new(model))?),
        }
    }
    let originals = originals(&folder)?;
    eprintln!("{} pictures, {}", originals.len(), embedder.name());
    if let Some(beside) = beside {
        same(&originals, &*embedder, &beside)?;
        for _ in 0..3 {
            for embedder in [&*embedder, &beside] {
                print!("{}: ", embedder.name());
                speed(&originals, embedder, timed)?;
            }
        }
        return Ok(());
    }
    looks(&originals, &*embedder)?;
    copies(&originals)?;
    speed(&originals, &*embedder, timed)
}

/// How close the vectors of two models are, on all pictures and what a search has to see through.
fn same(originals: &[(String, RgbImage)], one: &dyn Embedder, other: &dyn Embedder) -> Result<()> {
    let mut cosines = Vec::new();
    for (_, image) in originals {
        let variants = LOOKS.iter().map(|(_, change)| image::load_from_memory(&change(image)));
        for image in std::iter::once(Ok(image.clone().into())).chain(variants) {
            let image = image?.into_rgb8();
            let pixels = Pixels::new(image.width(), image.height(), image.into_raw())
                .ok_or("a picture without pixels")?;
            let vectors = [one.picture(&pixels)?, other.picture(&pixels)?];
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            let [a, b] = &vectors;
            cosines.push(product(a, b) / (product(a, a) * product(b, b)).sqrt());
        }
    }
    cosines.sort_by(f64::total_cmp);
    println!(
        "cosines of {} pictures in {} and {}: mean {:.4}, median {:.4}, least {:.4}",
        cosines.len(),
        one.name(),
        other.name(),
        cosines.iter().sum::<f64>() / cosines.len() as f64,
        cosines[cosines.len() / 2],
        cosines[0]
    );
    Ok(())
}

/// The pictures of a folder by name; the longer side made no longer than 1024 pixels.
fn originals(folder: &Path) -> Result<Vec<(String, RgbImage)>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut pictures = Vec::new();
    for path in paths {
        let Ok(picture) = Picture::open(&path, &Limits::default()) else { continue };
        let pixels = picture.pixels;
        let image = RgbImage::from_raw(pixels.width(), pixels.height(), pixels.rgb().to_vec());
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        pictures.extend(name.zip(image));
    }
    Ok(pictures)
}

/// The share of variants whose closest picture is one of the same original.
fn looks(originals: &[(String, RgbImage)], embedder: &dyn Embedder) -> Result<()> {
    let room = tempfile::tempdir()?;
    let mut files = Vec::new();
    for (name, image) in originals {
        fs::create_dir(room.path().join(name))?;
        files.push((room.path().join(name).join("original.png"), "original"));
        image.save(&files[files.len() - 1].0)?;
        for (i, (kind, change)) in LOOKS.into_iter().enumerate() {
            files.push((room.path().join(name).join(format!("{i}.jpg")), kind));
            fs::write(&files[files.len() - 1].0, change(image))?;
        }
    }
    let pictures = Collection::create(room.path(), None)?;
    pictures.index(embedder, &IndexOptions::default())?;
    let mut right: Vec<(&str, usize, usize)> = Vec::new();
    for (file, kind) in &files {
        let asked = pictures.picture_at(file)?.ok_or("not indexed")?;
        let hits = pictures.search(&Query::new(vec![(1.0, Term::Picture(asked))], 1), Some(embedder))?;
        let own = file.parent().and_then(|folder| folder.strip_prefix(pictures.folder()).ok());
        let found = hits.first().is_some_and(|hit| hit.files[0].path.parent() == own);
        match right.iter_mut().find(|(other, _, _)| other == kind) {
            Some((_, right, all)) => (*right, *all) = (*right + usize::from(found), *all + 1),
            None => right.push((*kind, usize::from(found), 1)),
        }
    }
    println!("precision@1");
    for (kind, right, all) in &right {
        println!("  {kind:<22} {:.3}", *right as f64 / *all as f64);
    }
    let (sum, all) = right.iter().fold((0, 0), |(sum, all), (_, right, of)| (sum + right, all + of));
    println!("  {:<22} {:.3} of {all}", "all", sum as f64 / all as f64);
    println!("  unrelated pairs (p99)  {:.3}", pictures.info()?.random_pair);
    Ok(())
}

/// How many copies are found, and how many of those found are copies.
fn copies(originals: &[(String, RgbImage)]) -> Result<()> {
    let room = tempfile::tempdir()?;
    for (name, image) in originals {
        fs::create_dir(room.path().join(name))?;
        image.save(room.path().join(name).join("original.png"))?;
        for (i, (_, change)) in COPIES.into_iter().enumerate() {
            fs::write(room.path().join(name).join(format!("{i}.jpg")), change(image))?;
        }
    }
    let pictures = Collection::create(room.path(), None)?;
    pictures.index(&Descriptor, &IndexOptions::default())?;
    let started = Instant::now();
    let groups = pictures.duplicates(true, Keep::Largest, &Filter::default())?;
    let seconds = started.elapsed().as_secs_f64();
    let (mut right, mut wrong, mut found) = (0, 0, Vec::new());
    for group in &groups {
        found.push(group.copies[0].file.path.clone());
        for copy in &group.copies[1..] {
            if copy.file.path.parent() == group.copies[0].file.path.parent() {
                right += 1;
                found.push(copy.file.path.clone());
            } else {
                wrong += 1;
                eprintln!("wrong: {} {}", group.copies[0].file.path.display(), copy.file.path.display());
            }
        }
    }
    for (name, _) in originals {
        for (i, (kind, _)) in COPIES.into_iter().enumerate() {
            if !found.contains(&Path::new(name).join(format!("{i}.jpg"))) {
                eprintln!("missed: {name}, {kind}");
            }
        }
    }
    let all = originals.len() * COPIES.len();
    println!(
        "copies: recall {:.3}, precision {:.3} of {all}, {seconds:.2} s",
        right as f64 / all as f64,
        right as f64 / f64::from(right + wrong).max(1.0)
    );
    Ok(())
}

/// Pictures a second, on files of 3 megapixels.
fn speed(originals: &[(String, RgbImage)], embedder: &dyn Embedder, count: usize) -> Result<()> {
    let room = tempfile::tempdir()?;
    for i in 0..count {
        let (_, image) = &originals[i % originals.len()];
        let large = imageops::resize(image, 2048, 1536, FilterType::Triangle);
        let turned = if i / originals.len() % 2 == 1 { imageops::flip_horizontal(&large) } else { large };
        fs::write(room.path().join(format!("{i}.jpg")), jpeg(&turned, 88 + (i / originals.len() / 2) as u8))?;
    }
    let pictures = Collection::create(room.path(), None)?;
    let report = pictures.index(embedder, &IndexOptions::default())?;
    let busy = report.decode_seconds + report.embed_seconds;
    println!(
        "indexing: {} pictures of 3 megapixels in {:.1} s, {:.1} a second, {:.0} % of the work for reading and shrinking",
        report.embedded,
        report.seconds,
        report.embedded as f64 / report.seconds,
        100.0 * report.decode_seconds / busy
    );
    Ok(())
}

fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .write_image(image, image.width(), image.height(), image::ExtendedColorType::Rgb8)
        .expect("memory takes everything");
    bytes
}

fn half(image: &RgbImage) -> RgbImage {
    imageops::resize(image, (image.width() / 2).max(1), (image.height() / 2).max(1), FilterType::Lanczos3)
}

/// As a camera would have taken it with so many stops more.
fn exposed(image: &RgbImage, stops: f32) -> RgbImage {
    let mut image = image.clone();
    for value in image.iter_mut() {
        let light = (f32::from(*value) / 255.0).powf(2.2) * stops.exp2();
        *value = (light.min(1.0).powf(1.0 / 2.2) * 255.0) as u8;
    }
    image
}

/// With some noise, by a fixed rule.
fn noisy(image: &RgbImage) -> RgbImage {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut image = image.clone();
    for value in image.iter_mut() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *value = value.saturating_add_signed(((state >> 40) % 49) as i8 - 24);
    }
    image
}
