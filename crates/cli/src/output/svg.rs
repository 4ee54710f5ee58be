//! Recall against speed, drawn: the upper right corner is where one wants to be.

use std::fmt::Display;
use std::ops::Range;

use indicatif::HumanCount;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;

/// The points of one index.
#[derive(Debug)]
pub(crate) struct Curve {
    /// What the legend says.
    pub(crate) name: String,
    /// Recall and queries a second, in the order in which they are joined.
    pub(crate) points: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (860, 560);
/// Okabe and Ito's: told apart by colour-blind people too.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
const RECALLS: [f64; 15] =
    [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 0.99999, 0.999999];

/// The plot of recall@`k` as a page of SVG.
///
/// The scale of recall is −log10(1 − recall), so that 0.9, 0.99 and 0.999 are equally far apart. A recall of 1, which
/// would be infinitely far away, stands where a third of the smallest other miss would, or half of one of the
/// `neighbours` that were looked for, whichever is more.
pub(crate) fn draw(curves: &[Curve], k: usize, neighbours: usize) -> Result<String, String> {
    let misses = curves.iter().flat_map(|curve| &curve.points).map(|&(recall, _)| 1.0 - recall);
    let least = misses.filter(|&miss| miss > 0.0).fold(0.0, |least: f64, miss| match least {
        0.0 => miss,
        least => least.min(miss),
    });
    let miss = (least / 3.0).max(0.5 / neighbours.max(1) as f64);
    let place = |recall: f64| -(1.0 - recall).max(miss).log10();
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let recalls = span(points().map(|&(recall, _)| place(recall))).ok_or("there is nothing to draw")?;
    let speeds =
        span(points().map(|&(_, speed)| speed.max(1e-3).log10())).ok_or("there is nothing to draw")?;

    let perfect = place(1.0);
    let mut marks: Vec<_> = RECALLS.iter().map(|&r| (place(r), r.to_string())).collect();
    marks.retain(|(place, _)| *place < perfect - 0.1);
    marks.push((perfect, "1".to_owned()));
    let across = Scale::around(&recalls, &marks);
    let marks: Vec<_> = (-3..=8).flat_map(|exponent| [1, 2, 5].map(|digit| mark(digit, exponent))).collect();
    let up = Scale::around(&speeds, &marks);

    let mut page = String::new();
    {
        let root = SVGBackend::with_string(&mut page, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(text)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(format!("recall@{k} and speed, one thread"), ("sans-serif", 26))
            .margin(20)
            .x_label_area_size(58)
            .y_label_area_size(92)
            .build_cartesian_2d(across, up)
            .map_err(text)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .label_style(("sans-serif", 18))
            .axis_desc_style(("sans-serif", 20))
            .x_desc(format!("recall@{k}"))
            .y_desc("queries a second")
            .draw()
            .map_err(text)?;
        for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
            let points: Vec<_> = curve
                .points
                .iter()
                .map(|&(recall, speed)| (place(recall), speed.max(1e-3).log10()))
                .collect();
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style))
                .map_err(text)?
                .label(&curve.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            let dots = points.iter().map(|&point| Circle::new(point, 4, colour.filled()));
            chart.draw_series(dots).map_err(text)?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 18))
            .draw()
            .map_err(text)?;
        root.present().map_err(text)?;
    }
    Ok(page)
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// From the smallest to the largest; nothing of nothing.
fn span(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    values.fold(None, |span, value| match span {
        None => Some(value..value),
        Some(span) => Some(span.start.min(value)..span.end.max(value)),
    })
}

/// A mark on the scale of speeds: `digit` times ten to the `exponent`.
fn mark(digit: u32, exponent: i32) -> (f64, String) {
    let speed = f64::from(digit) * 10f64.powi(exponent);
    let name = match exponent {
        3.. => HumanCount(speed.round() as u64).to_string(),
        _ => format!("{speed:.places$}", places = exponent.min(0).unsigned_abs() as usize),
    };
    (speed.log10(), name)
}

/// An axis with named marks.
struct Scale {
    shown: Range<f64>,
    marks: Vec<(f64, String)>,
}

impl Scale {
    /// From the mark below the values to the one above them.
    fn around(values: &Range<f64>, marks: &[(f64, String)]) -> Self {
        let first = marks.iter().rposition(|&(place, _)| place < values.start).unwrap_or(0);
        let last =
            marks.iter().position(|&(place, _)| place > values.end).unwrap_or(marks.len() - 1).max(first);
        let marks = marks[first..=last].to_vec();
        let (low, high) = (marks[0].0.min(values.start), marks[marks.len() - 1].0.max(values.end));
        // A little room at the ends, for the dots.
        let room = (high - low).max(0.1) * 0.02;
        Self { shown: low - room..high + room, marks }
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.shown.start) / (self.shown.end - self.shown.start);
        limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.iter().map(|&(place, _)| place).collect()
    }

    fn range(&self) -> Range<f64> {
        self.shown.clone()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.marks.iter().find(|(place, _)| place == value).map(|(_, name)| name.clone()).unwrap_or_default()
    }
}
