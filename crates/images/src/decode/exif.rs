//! What the camera wrote beside the picture: when, with what, and which way up.

use std::io::{BufRead, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use exif::{Exif, In, Reader, Tag, Value};

use crate::pixels::Orientation;

/// What is kept of EXIF.
#[derive(Clone, Default, Debug)]
pub(super) struct Facts {
    /// When the picture was taken: local time, `YYYY-MM-DDTHH:MM:SS`.
    pub(super) taken: Option<String>,
    /// Maker and model of the camera.
    pub(super) camera: Option<String>,
    /// Which way up the pixels lie.
    pub(super) orientation: Option<Orientation>,
}

/// Reads an EXIF block; what is damaged in it is left out.
pub(super) fn read(block: Vec<u8>) -> Facts {
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let exif = match reader.read_raw(block) {
        Ok(exif) => exif,
        Err(exif::Error::PartialResult(partial)) => partial.into_inner().0,
        Err(_) => return Facts::default(),
    };
    let taken = [Tag::DateTimeOriginal, Tag::DateTimeDigitized, Tag::DateTime];
    Facts {
        taken: taken.into_iter().find_map(|tag| date(&exif, tag)),
        camera: camera(&exif),
        orientation: exif
            .get_field(Tag::Orientation, In::PRIMARY)
            .and_then(|field| field.value.get_uint(0))
            .map(Orientation::from_exif),
    }
}

/// What the camera wrote that people look for, by EXIF's names and in its units: `ExposureTime` is `1/60 s`. Of a file
/// with any contents; nothing where there is nothing. Places are left out.
pub fn camera_notes(file: impl BufRead + Seek) -> Vec<(String, String)> {
    let mut file = file;
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let read = catch_unwind(AssertUnwindSafe(|| match reader.read_from_container(&mut file) {
        Ok(exif) => Some(exif),
        Err(exif::Error::PartialResult(partial)) => Some(partial.into_inner().0),
        Err(_) => None,
    }));
    let Ok(Some(exif)) = read else { return Vec::new() };
    let shown = |tag: Tag| {
        let value = match text(&exif, tag) {
            Some(text) => text,
            None => exif.get_field(tag, In::PRIMARY)?.display_value().with_unit(&exif).to_string(),
        };
        let value: String = value.chars().filter(|letter| !letter.is_control()).take(100).collect();
        Some((tag.to_string(), value)).filter(|(_, value)| !value.is_empty())
    };
    NOTES.iter().filter_map(|&tag| shown(tag)).collect()
}

/// What [`camera_notes`] tells of.
const NOTES: [Tag; 10] = [
    Tag::LensModel,
    Tag::FocalLength,
    Tag::FNumber,
    Tag::ExposureTime,
    Tag::PhotographicSensitivity,
    Tag::ExposureBiasValue,
    Tag::Flash,
    Tag::Software,
    Tag::Artist,
    Tag::Copyright,
];

/// A text of the block, without the filling around it.
fn text(exif: &Exif, tag: Tag) -> Option<String> {
    let Value::Ascii(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let text = String::from_utf8_lossy(parts.first()?);
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    (!text.is_empty()).then(|| text.chars().filter(|letter| !letter.is_control()).take(100).collect())
}

/// `2024:05:06 07:08:09` as `2024-05-06T07:08:09`; cameras without a clock write zeros.
fn date(exif: &Exif, tag: Tag) -> Option<String> {
    let Value::Ascii(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let date = exif::DateTime::from_ascii(parts.first()?).ok()?;
    let real = (1..=9999).contains(&date.year)
        && (1..=12).contains(&date.month)
        && (1..=31).contains(&date.day)
        && date.hour < 24
        && date.minute < 60
        && date.second <= 60;
    real.then(|| {
        let (year, month, day) = (date.year, date.month, date.day);
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", date.hour, date.minute, date.second)
    })
}

/// Maker and model; most models begin with the maker already.
fn camera(exif: &Exif) -> Option<String> {
    match (text(exif, Tag::Make), text(exif, Tag::Model)) {
        (Some(maker), Some(model)) => {
            let first = maker.split_whitespace().next().unwrap_or_default().to_lowercase();
            if model.to_lowercase().starts_with(&first) {
                Some(model)
            } else {
                Some(format!("{maker} {model}"))
            }
        }
        (maker, model) => model.or(maker),
    }
}
