//! The codewords: training, coding, the tables of a query.

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};

use super::groups::groups;
use super::projection::{Projection, Whole, variances};
use crate::kmeans::Points;
use crate::parallel;
use crate::random::Random;
use crate::simd::{BLOCK, Codewords, Kernels, Lines};

/// Codewords of a group: what 4 bits can name.
const WORDS: usize = 16;
/// Rounds of k-means for the codewords.
const ROUNDS: usize = 12;

/// What the sum over a query's table is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Measure {
    /// Minus twice the inner product with the coded vector.
    MinusTwiceDot,
    /// Minus the inner product.
    MinusDot,
    /// The sum of absolute differences.
    Absolute,
}

/// Sixteen codewords for each group of values.
#[derive(Clone)]
pub(crate) struct Codebook {
    projection: Projection,
    groups: Vec<Range<usize>>,
    /// Where each group ends.
    ends: Vec<u32>,
    /// For value `d` of the projection, that value of its group's sixteen codewords.
    words: Vec<[f32; WORDS]>,
}

/// A query, ready to be compared with coded vectors.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// For each group sixteen addends of a byte.
    addends: Lines,
    /// One addend is worth so much.
    pub(crate) scale: f32,
    /// What every sum lacks.
    pub(crate) offset: f32,
    projected: Vec<f32>,
    exact: Vec<[f32; WORDS]>,
    whole: Whole,
}

impl Table {
    /// For each group sixteen addends.
    pub(crate) fn addends(&self) -> &[u8] {
        cast_slice(&self.addends)
    }

    /// The query's values that are coded.
    pub(crate) fn projected(&self) -> &[f32] {
        &self.projected
    }
}

impl Codebook {
    /// Codewords for vectors like `sample`, residuals with a mean of about zero.
    pub(crate) fn train(kernels: &Kernels, sample: Points<'_>, random: &mut Random, threads: usize) -> Self {
        let (chosen, variances) = Projection::chosen(sample);
        let total: f64 = variances.iter().sum();
        let (mut groups_, left) = groups(&variances, total, WANTED_DISTORTION);
        let mut projection = chosen;
        if total > 0.0
            && let Some((rotated, variances)) = Projection::rotated(kernels, sample, random, threads)
        {
            let (fewer, left_rotated) = groups(&variances, total, WORTH_ROTATING_AT);
            // A rotation costs a query a matrix product.
            if left_rotated < left * WORTH_ROTATING || fewer.len() * 4 <= groups_.len() * 3 {
                (projection, groups_) = (rotated, groups(&variances, total, WANTED_DISTORTION_ROTATED).0);
            }
        }
        projection.truncate(kernels, groups_.last().map_or(0, |last| last.end));
        Self::train_with(kernels, sample, projection, groups_, random, threads)
    }

    /// Codewords for vectors like `sample` with the projection of another codebook.
    pub(crate) fn train_like(
        &self,
        kernels: &Kernels,
        sample: Points<'_>,
        random: &mut Random,
        threads: usize,
    ) -> Self {
        let (projection, groups) = (self.projection.clone(), self.groups.clone());
        Self::train_with(kernels, sample, projection, groups, random, threads)
    }

    /// Codewords with the projection of another codebook for vectors like `sample`, which are projected already and of
    /// length 1 or less: as few as leave the share `wanted` of that.
    pub(crate) fn train_projected(
        &self,
        kernels: &Kernels,
        sample: Points<'_>,
        wanted: f64,
        random: &mut Random,
        threads: usize,
    ) -> Self {
        let projection = self.projection.clone();
        let (groups, _) = groups(&variances(sample)[..projection.len()], 1.0, wanted);
        Self::train_groups(kernels, sample, projection, groups, random, threads)
    }

    fn train_with(
        kernels: &Kernels,
        sample: Points<'_>,
        projection: Projection,
        groups: Vec<Range<usize>>,
        random: &mut Random,
        threads: usize,
    ) -> Self {
        let mut projected = Vec::new();
        projection.apply(kernels, sample.values, sample.dim, &mut projected);
        let projected = Points { values: &projected, dim: projection.padded() };
        Self::train_groups(kernels, projected, projection, groups, random, threads)
    }

    fn train_groups(
        kernels: &Kernels,
        projected: Points<'_>,
        projection: Projection,
        groups: Vec<Range<usize>>,
        random: &mut Random,
        threads: usize,
    ) -> Self {
        let seeds: Vec<u64> = groups.iter().map(|_| random.word()).collect();
        let words = parallel::map(threads, groups.len(), |g| {
            codewords(kernels, projected, groups[g].clone(), &mut Random::new(seeds[g], g as u64))
        });
        Self { projection, ends: ends_of(&groups), groups, words: words.concat() }
    }

    /// The map from vectors to the values that are coded.
    pub(crate) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Codes of a vector.
    pub(crate) fn codes(&self) -> usize {
        self.groups.len()
    }

    /// Bytes of [`BLOCK`] coded vectors.
    pub(crate) fn block_bytes(&self) -> usize {
        self.codes() * BLOCK / 2
    }

    /// Codes what points lack from a centre, in units of `scale`, or the points as they are under [`Measure::Absolute`]. `sink`
    /// gets, for each, its number, its codes, and its bias: what an estimate needs beside its centre and the sum of the
    /// table's addends, which is to be multiplied by the scale.
    ///
    /// An estimate of the squared distance between a query q and a vector x = c + r with the code r' is
    /// |q − c|² − 2⟨q, r'⟩ + bias. The bias makes it exact for q = x, where it matters most: −|r|² + 2⟨x, r'⟩. So what
    /// is left of the error is 2⟨q − x, r − r'⟩, which shrinks as the query comes closer.
    pub(crate) fn encode(
        &self,
        kernels: &Kernels,
        measure: Measure,
        points: Points<'_>,
        (centre, scale): (&[f32], f32),
        mut sink: impl FnMut(usize, &[u8], f32),
    ) {
        let residuals = match measure {
            Measure::Absolute => None,
            Measure::MinusDot | Measure::MinusTwiceDot => Some(points.residuals(|_| (centre, scale))),
        };
        let coded = Points { values: residuals.as_deref().unwrap_or(points.values), dim: points.dim };
        let (mut projected, mut of_centre) = (Vec::new(), Vec::new());
        self.projection.apply(kernels, coded.values, coded.dim, &mut projected);
        if measure == Measure::MinusTwiceDot {
            let mut projected = Vec::new();
            self.projection.apply(kernels, centre, centre.len(), &mut projected);
            self.dots_of_words(&projected, &mut of_centre);
        }
        let width = self.projection.padded();
        let (mut tile, mut dots) = (Vec::new(), [0.0; WORDS]);
        let (mut sixteen, mut codes) = (vec![[0; WORDS]; self.codes()], vec![0; self.codes()]);
        for (first, some) in (0..).step_by(WORDS).zip(projected.chunks(WORDS * width)) {
            interleave(some.chunks_exact(width), &mut tile);
            self.code_sixteen(kernels, &tile, &mut sixteen, &mut dots);
            for lane in 0..some.len() / width {
                codes.iter_mut().zip(&sixteen).for_each(|(code, sixteen)| *code = sixteen[lane]);
                let bias = match measure {
                    Measure::MinusTwiceDot => {
                        let residual = coded.row(first + lane);
                        let of_centre = of_centre.iter().zip(&codes);
                        let dot: f32 = of_centre.map(|(dots, &code)| dots[usize::from(code) % WORDS]).sum();
                        let dot = scale.mul_add(dots[lane], dot);
                        scale * (2.0 * dot - scale * (kernels.dot)(residual, residual))
                    }
                    Measure::MinusDot | Measure::Absolute => 0.0,
                };
                sink(first + lane, &codes, bias);
            }
        }
    }

    /// Makes `table` that of `query`.
    pub(crate) fn table(&self, kernels: &Kernels, query: &[f32], measure: Measure, table: &mut Table) {
        self.projection.apply_to_query(kernels, query, &mut table.whole, &mut table.projected);
        self.table_of_projected(kernels, measure, table);
    }

    /// Makes `table` that of the query that another codebook with the same projection made `like` of.
    pub(crate) fn table_like(&self, kernels: &Kernels, like: &Table, measure: Measure, table: &mut Table) {
        table.projected.clear();
        table.projected.extend_from_slice(&like.projected);
        self.table_of_projected(kernels, measure, table);
    }

    /// Makes `table` that of what `query` lacks from a centre, which is projected already.
    pub(crate) fn table_around(
        &self,
        kernels: &Kernels,
        query: &[f32],
        centre: &[f32],
        measure: Measure,
        table: &mut Table,
    ) {
        self.projection.apply_to_query(kernels, query, &mut table.whole, &mut table.projected);
        table.projected.iter_mut().zip(centre).for_each(|(value, centre)| *value -= centre);
        self.table_of_projected(kernels, measure, table);
    }

    /// The codes of sixteen vectors, which are projected already and interleaved, and the inner product of each with its
    /// codewords.
    pub(crate) fn code_sixteen(
        &self,
        kernels: &Kernels,
        tile: &[[f32; WORDS]],
        codes: &mut [[u8; WORDS]],
        dots: &mut [f32; WORDS],
    ) {
        (kernels.lut_codes)(&self.words, &self.ends, tile, codes, dots);
    }

    /// For each group the inner products of its codewords with those of some values.
    pub(crate) fn dots_of_words(&self, values: &[f32], dots: &mut Vec<[f32; WORDS]>) {
        dots.clear();
        dots.extend(self.groups.iter().map(|group| {
            let mut dots = [0.0; WORDS];
            for (words, value) in self.words[group.clone()].iter().zip(&values[group.clone()]) {
                dots.iter_mut().zip(words).for_each(|(dot, word)| *dot += word * value);
            }
            dots
        }));
    }

    fn table_of_projected(&self, kernels: &Kernels, measure: Measure, table: &mut Table) {
        let Table { projected, exact, addends, .. } = table;
        addends.reset(self.codes() * WORDS / size_of::<f32>());
        let weight = match measure {
            Measure::MinusTwiceDot => Some(-2.0),
            Measure::MinusDot => Some(-1.0),
            Measure::Absolute => None,
        };
        let from = Codewords { values: projected, words: &self.words, ends: &self.ends, weight };
        (table.offset, table.scale) = (kernels.lut_table)(&from, exact, cast_slice_mut(addends));
    }

    /// As words for a file.
    pub(crate) fn to_words(&self) -> Vec<u32> {
        let mut words = self.projection.to_words();
        words.push(self.groups.len() as u32);
        words.extend_from_slice(&self.ends);
        words.extend_from_slice(cast_slice(&self.words));
        words
    }

    /// What [`to_words`](Self::to_words) wrote, with what comes behind it; `None` for anything else. Most often the projection is that of
    /// `like`, a codebook with the words that it was made of, which then share it.
    pub(crate) fn from_words<'a>(
        kernels: &Kernels,
        words: &'a [u32],
        dim: usize,
        like: Option<(&Self, &[u32])>,
    ) -> Option<(Self, &'a [u32])> {
        let shared = like.and_then(|(like, of)| {
            let (here, rest) = words.split_at_checked(like.projection.words())?;
            of.starts_with(here).then(|| (like.projection.clone(), rest))
        });
        let (projection, rest) = match shared {
            Some(shared) => shared,
            None => Projection::from_words(kernels, words, dim)?,
        };
        let (&n, rest) = rest.split_first()?;
        let (ends, rest) = rest.split_at_checked(n as usize)?;
        let mut groups = Vec::with_capacity(ends.len());
        let mut start = 0;
        for &end in ends {
            groups.push(start..end as usize);
            start = end as usize;
        }
        let sound = (4..=256).contains(&groups.len())
            && groups.len().is_multiple_of(4)
            && groups.iter().all(|group| group.start <= group.end)
            && start <= projection.len();
        let (words, rest) = rest.split_at_checked(start.checked_mul(WORDS)?)?;
        let words: Vec<[f32; WORDS]> = cast_slice::<u32, [f32; WORDS]>(words).to_vec();
        let finite = words.iter().flatten().all(|value| value.is_finite());
        (sound && finite).then(|| (Self { projection, ends: ends_of(&groups), groups, words }, rest))
    }
}

fn ends_of(groups: &[Range<usize>]) -> Vec<u32> {
    groups.iter().map(|group| group.end as u32).collect()
}

/// The distortion that a codebook may leave of the variance before it gets more codes. Two values of equal variance in a
/// code leave 0.115. With less, what is saved by comparing fewer candidates exactly no longer pays for longer codes, and
/// with more it is the other way round: on word vectors, 0.2 answers a quarter fewer queries a second at recall 0.95.
const WANTED_DISTORTION: f64 = 0.15;
/// The same after a rotation, where each value that is coded costs a query a row of a matrix as well: on sentence embeddings
/// of 768 values 0.25 answers a fifth more than 0.2, and on pictures a twentieth; 0.3 a tenth less than 0.25 on the first.
const WANTED_DISTORTION_ROTATED: f64 = 0.25;
/// A rotation has to leave less than this share of what the vectors' own values leave, or to take three quarters of the codes,
/// when it may leave so much.
const WORTH_ROTATING: f64 = 0.85;
const WORTH_ROTATING_AT: f64 = 0.2;

/// Up to sixteen vectors side by side: value by value, that of each.
fn interleave<'a>(vectors: impl Iterator<Item = &'a [f32]>, tile: &mut Vec<[f32; WORDS]>) {
    for (lane, vector) in vectors.enumerate() {
        tile.resize(vector.len(), [0.0; WORDS]);
        tile.iter_mut().zip(vector).for_each(|(values, &value)| values[lane] = value);
    }
}

/// Codewords of one group: sixteen means, value by value.
fn codewords(
    kernels: &Kernels,
    points: Points<'_>,
    group: Range<usize>,
    random: &mut Random,
) -> Vec<[f32; WORDS]> {
    let n = points.len();
    let tiles = (0..n).step_by(WORDS).map(|first| {
        let mut tile = Vec::new();
        interleave((first..n.min(first + WORDS)).map(|i| &points.row(i)[group.clone()]), &mut tile);
        tile
    });
    let tiles: Vec<_> = tiles.collect();
    let starts = random.sample(n, WORDS.min(n));
    let mut words = vec![[0.0; WORDS]; group.len()];
    for (word, &start) in starts.iter().enumerate() {
        for (words, value) in words.iter_mut().zip(&points.row(start)[group.clone()]) {
            words[word] = *value;
        }
    }
    for _ in 0..ROUNDS {
        let mut sums = vec![[0.0; WORDS]; group.len()];
        let mut counts = [0_u32; WORDS];
        for (first, tile) in (0..n).step_by(WORDS).zip(&tiles) {
            let mut codes = [[0; WORDS]];
            (kernels.lut_codes)(&words, &[group.len() as u32], tile, &mut codes, &mut [0.0; WORDS]);
            for (lane, &code) in codes[0].iter().enumerate().take(n - first) {
                let word = usize::from(code) % WORDS;
                counts[word] += 1;
                for (sums, values) in sums.iter_mut().zip(tile) {
                    sums[word] += values[lane];
                }
            }
        }
        for (words, sums) in words.iter_mut().zip(&sums) {
            for word in 0..WORDS {
                if counts[word] > 0 {
                    words[word] = sums[word] / counts[word] as f32;
                }
            }
        }
        // A codeword that nothing is closest to moves to a random point.
        for word in (0..WORDS).filter(|&word| counts[word] == 0 && n > 0) {
            let values = &points.row(random.below(n))[group.clone()];
            for (words, value) in words.iter_mut().zip(values) {
                words[word] = *value;
            }
        }
    }
    words
}

impl std::fmt::Debug for Codebook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codebook")
            .field("values", &self.projection.len())
            .field("rotated", &matches!(self.projection, Projection::Rotated(_)))
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}
