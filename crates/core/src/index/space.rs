//! How vectors of one metric and dimension are stored, turned into points, and compared exactly.

use std::borrow::Cow;

use bytemuck::{Pod, cast_slice, cast_slice_mut};

use super::Metric;
use crate::quant::Measure;
use crate::simd::{self, Kernels, WholeRows, Word};
use crate::vectors::{Vector, Vectors};

/// Words of a kernel's word of bits.
const WORD: usize = size_of::<Word>() / size_of::<u32>();

/// What the values of a row are stored as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Four bytes a value, as they were given.
    Floats,
    /// A byte a value, where all values are whole numbers from 0 to 255, such as those of pixels.
    Unsigned,
    /// A byte a value, where all values are whole numbers from −128 to 127.
    Signed,
    /// Packed bits, for binary metrics.
    Bits,
}

impl Form {
    /// The type of its values.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floats => "float32",
            Self::Unsigned => "uint8",
            Self::Signed => "int8",
            Self::Bits => "bits",
        }
    }

    /// Whether it holds just this value, its sign too where that is of zero.
    fn holds(self, value: f32) -> bool {
        let same = |other: f32| other.to_bits() == value.to_bits();
        match self {
            Self::Floats | Self::Bits => true,
            Self::Unsigned => same(f32::from(value as u8)),
            Self::Signed => same(f32::from(value as i8)),
        }
    }
}

/// A metric over vectors of one dimension.
///
/// A *row* is a vector as it is stored: its values in one of the forms, filled up with zeros. A *point* is what the leaves
/// are made of: the row as floats, of length 1 for `cosine`. Whatever the form, distances are the same, to the last bit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) dim: usize,
    pub(super) metric: Metric,
    pub(super) form: Form,
    pub(super) kernels: &'static Kernels,
}

/// A query, ready to be compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) row: Vec<u32>,
    pub(super) point: Vec<f32>,
}

impl Space {
    pub(super) fn new(dim: usize, metric: Metric) -> Self {
        let form = if metric.is_binary() { Form::Bits } else { Form::Floats };
        Self { dim, metric, form, kernels: simd::kernels() }
    }

    /// The same with rows in another form.
    pub(super) fn in_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The same with rows as callers give them.
    pub(super) fn as_given(self) -> Self {
        Self::new(self.dim, self.metric)
    }

    /// Whether rows can hold these vectors.
    pub(super) fn holds(&self, vectors: Vectors<'_>) -> bool {
        matches!(self.form, Form::Floats | Form::Bits)
            || vectors.first(|value| !self.form.holds(value)).is_none()
    }

    /// The smallest form that holds some rows of this space and some vectors.
    pub(super) fn smallest_form<'a>(
        &self,
        rows: impl Iterator<Item = &'a [u32]> + Clone,
        vectors: Vectors<'_>,
    ) -> Form {
        if self.form == Form::Bits {
            return Form::Bits;
        }
        let holds_row = |form: Form, row| self.floats(row).iter().all(|&value| form.holds(value));
        let forms = [Form::Unsigned, Form::Signed].into_iter().find(|&form| {
            self.in_form(form).holds(vectors)
                && (form == self.form || rows.clone().all(|row| holds_row(form, row)))
        });
        forms.unwrap_or(Form::Floats)
    }

    /// Words of a row.
    pub(super) fn row_words(&self) -> usize {
        match self.form {
            Form::Floats => self.dim,
            Form::Unsigned | Form::Signed => self.dim.div_ceil(size_of::<u32>()),
            Form::Bits => self.dim.div_ceil(32).next_multiple_of(WORD),
        }
    }

    /// Values, or bytes, of a vector as callers give it.
    pub(super) fn width(&self) -> usize {
        if self.metric.is_binary() { self.dim.div_ceil(8) } else { self.dim }
    }

    /// What callers give.
    pub(super) fn expected(&self) -> &'static str {
        if self.metric.is_binary() { "packed bits, 8 dimensions in a byte" } else { "floats" }
    }

    /// What the sums of the leaves' codes mean.
    pub(super) fn measure(&self) -> Measure {
        match self.metric {
            Metric::Dot => Measure::MinusDot,
            Metric::Manhattan => Measure::Absolute,
            Metric::Cosine | Metric::Euclidean | Metric::SqEuclidean | Metric::Hamming => {
                Measure::MinusTwiceDot
            }
        }
    }

    /// Row `i` of `vectors`, as it is stored.
    pub(super) fn write_row(&self, vectors: Vectors<'_>, i: usize, row: &mut [u32]) {
        let width = self.width();
        let Vectors::Bits(bytes) = vectors else {
            if self.form == Form::Floats {
                return vectors.write_floats(i * width, cast_slice_mut(row));
            }
            let mut values = vec![0.0; width];
            vectors.write_floats(i * width, &mut values);
            return self.write_values(&values, row);
        };
        row.fill(0);
        let row: &mut [u8] = cast_slice_mut(row);
        row[..width].copy_from_slice(&bytes[i * width..][..width]);
        if !self.dim.is_multiple_of(8) {
            row[width - 1] &= (1 << (self.dim % 8)) - 1;
        }
    }

    /// Values that the form holds, as it holds them.
    fn write_values(&self, values: &[f32], row: &mut [u32]) {
        row.fill(0);
        match self.form {
            Form::Floats => row.copy_from_slice(cast_slice(values)),
            Form::Unsigned => write(values, cast_slice_mut(row), |value| value as u8),
            Form::Signed => write(values, cast_slice_mut(row), |value| value as i8),
            Form::Bits => {} // values are not bits
        }
    }

    /// A row of `from`, the same space in a form that holds no less, as this one holds it.
    pub(super) fn copy_row(&self, from: &Self, row: &[u32], to: &mut [u32]) {
        if from.form == self.form {
            to.copy_from_slice(row);
        } else {
            self.write_values(&from.floats(row), to);
        }
    }

    /// A row's values; nothing of bits.
    pub(super) fn floats<'a>(&self, row: &'a [u32]) -> Cow<'a, [f32]> {
        match self.form {
            Form::Floats => Cow::Borrowed(cast_slice(row)),
            Form::Unsigned => Cow::Owned(self.bytes::<u8>(row).iter().copied().map(f32::from).collect()),
            Form::Signed => Cow::Owned(self.bytes::<i8>(row).iter().copied().map(f32::from).collect()),
            Form::Bits => Cow::Borrowed(&[]),
        }
    }

    /// The values of a row that has a byte for each.
    fn bytes<'a, V: Pod>(&self, row: &'a [u32]) -> &'a [V] {
        &cast_slice(row)[..self.dim]
    }

    /// A row as the caller gave it.
    pub(super) fn vector(&self, row: &[u32]) -> Vector {
        match self.form {
            Form::Bits => Vector::Bits(cast_slice(row)[..self.width()].to_vec()),
            _ => Vector::Floats(self.floats(row).into_owned()),
        }
    }

    /// 1 / length, where only directions count; 0 for a vector without one.
    pub(super) fn scale(&self, row: &[u32]) -> f32 {
        if self.metric != Metric::Cosine {
            return 1.0;
        }
        let values = &*self.floats(row);
        let square = (self.kernels.dot)(values, values);
        if square.is_normal() {
            return 1.0 / square.sqrt();
        }
        // Beyond what a float can square: once more with doubles.
        let square: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        if square > 0.0 { (1.0 / square.sqrt()).min(f64::from(f32::MAX)) as f32 } else { 0.0 }
    }

    /// The point of a row, behind what is in `points`.
    pub(super) fn push_point(&self, row: &[u32], points: &mut Vec<f32>) {
        self.push_scaled(row, self.scale(row), points);
    }

    /// The same of a row whose scale is known.
    fn push_scaled(&self, row: &[u32], scale: f32, points: &mut Vec<f32>) {
        let start = points.len();
        match self.form {
            Form::Floats => points.extend_from_slice(cast_slice(row)),
            Form::Unsigned => points.extend(self.bytes::<u8>(row).iter().copied().map(f32::from)),
            Form::Signed => points.extend(self.bytes::<i8>(row).iter().copied().map(f32::from)),
            Form::Bits => {
                let bit = |d: usize| (row[d / 32] >> (d % 32) & 1) as f32;
                points.extend((0..self.dim).map(bit));
            }
        }
        if self.metric == Metric::Cosine {
            points[start..].iter_mut().for_each(|value| *value *= scale);
        }
    }

    /// Makes `query` of row `i` of `queries`.
    pub(super) fn write_query(&self, queries: Vectors<'_>, i: usize, query: &mut Query) {
        let given = self.as_given(); // a query may lie between what rows hold
        query.row.resize(given.row_words(), 0);
        given.write_row(queries, i, &mut query.row);
        query.point.clear();
        given.push_point(&query.row, &mut query.point);
    }

    /// What orders rows by their distance from the query; [`distance`](Self::distance) makes the distance of it.
    /// `scales` are those of the rows.
    pub(super) fn ranks(&self, query: &Query, rows: &[&[u32]], scales: &[f32], ranks: &mut [f32]) {
        for ((rows, scales), ranks) in rows.chunks(MOST).zip(scales.chunks(MOST)).zip(ranks.chunks_mut(MOST))
        {
            let n = rows.len();
            let Kernels { dot_rows, l2_squared_rows, l1_rows, unsigned, signed, hamming_rows, .. } =
                self.kernels;
            match self.form {
                Form::Floats => {
                    let views = views::<f32>(rows, self.dim);
                    self.pick([dot_rows, l2_squared_rows, l1_rows])(&query.point, &views[..n], ranks);
                }
                Form::Unsigned => {
                    let WholeRows { dot, l2_squared, l1 } = unsigned;
                    let views = views::<u8>(rows, self.dim);
                    self.pick([dot, l2_squared, l1])(&query.point, &views[..n], ranks);
                }
                Form::Signed => {
                    let WholeRows { dot, l2_squared, l1 } = signed;
                    let views = views::<i8>(rows, self.dim);
                    self.pick([dot, l2_squared, l1])(&query.point, &views[..n], ranks);
                }
                Form::Bits => {
                    let views = views::<Word>(rows, self.row_words() / WORD);
                    let mut counts = [0; MOST];
                    hamming_rows(cast_slice(&query.row), &views[..n], &mut counts[..n]);
                    ranks.iter_mut().zip(counts).for_each(|(rank, count)| *rank = count as f32);
                }
            }
            match self.metric {
                Metric::Cosine => {
                    ranks.iter_mut().zip(scales).for_each(|(rank, scale)| *rank = 1.0 - *rank * scale);
                }
                // A difference, so that nothing becomes -0.
                Metric::Dot => ranks.iter_mut().for_each(|rank| *rank = 0.0 - *rank),
                _ => {}
            }
        }
    }

    /// How far a rank may be off by the rounding of numbers near 1.
    pub(super) fn rounding(&self) -> f32 {
        if self.metric == Metric::Cosine { ROUNDING } else { 0.0 }
    }

    /// What a row's rank of about `rank` is without that: a small cosine distance is half the square of how far the two points are
    /// apart, and so keeps its digits. Beside the row comes its scale; `point` is a buffer.
    pub(super) fn precise(
        &self,
        query: &Query,
        (row, scale): (&[u32], f32),
        rank: f32,
        point: &mut Vec<f32>,
    ) -> f32 {
        if self.metric != Metric::Cosine || rank >= NEAR {
            return rank;
        }
        point.clear();
        self.push_scaled(row, scale, point);
        (self.kernels.l2_squared)(&query.point, point) / 2.0
    }

    /// Of the kernels for inner products, squared distances and sums of differences the one that the metric takes.
    fn pick<K: Copy>(&self, [dot, l2_squared, l1]: [K; 3]) -> K {
        match self.metric {
            Metric::Cosine | Metric::Dot => dot,
            Metric::Manhattan => l1,
            _ => l2_squared,
        }
    }

    /// The distance that a rank stands for.
    pub(super) fn distance(&self, rank: f32) -> f32 {
        match self.metric {
            Metric::Euclidean => rank.sqrt(),
            Metric::Hamming => rank / self.dim as f32,
            Metric::Cosine => rank.max(0.0),
            _ => rank,
        }
    }
}

/// Where cosine distances are rounded by up to so much, those below the other are better made of differences.
const ROUNDING: f32 = 5e-7;
const NEAR: f32 = 0.005;
/// Rows that are compared at a time.
const MOST: usize = 16;

/// The first `n` values of each row.
fn views<'a, V: Pod>(rows: &[&'a [u32]], n: usize) -> [&'a [V]; MOST] {
    let mut views: [&[V]; MOST] = [&[]; MOST];
    views.iter_mut().zip(rows).for_each(|(view, row)| *view = &cast_slice(row)[..n]);
    views
}

fn write<V>(values: &[f32], to: &mut [V], narrow: impl Fn(f32) -> V) {
    to.iter_mut().zip(values).for_each(|(to, &value)| *to = narrow(value));
}
