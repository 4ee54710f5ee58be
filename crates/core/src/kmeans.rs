//! Clusters of close points: Lloyd's k-means, and a two-level form of it for thousands of centroids.
//!
//! A centroid is the mean of the points that are closer to it than to any other (Lloyd, *Least squares quantization in
//! PCM*, 1982). With thousands of centroids most comparisons are between points and centroids that lie far apart; the
//! two-level form clusters the points coarsely first, and compares a point only with the centroids of the coarse
//! clusters around its own.

use crate::parallel;
use crate::random::Random;
use crate::simd::{Kernels, LANES, Lines};

/// Points that are compared at a time.
const BLOCK: usize = 256;

/// Rows of equal length, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) dim: usize,
}

impl<'a> Points<'a> {
    pub(crate) fn len(self) -> usize {
        self.values.len() / self.dim
    }

    pub(crate) fn row(self, i: usize) -> &'a [f32] {
        &self.values[i * self.dim..][..self.dim]
    }

    /// The mean of all rows; zeros when there are none.
    pub(crate) fn mean(self) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.dim];
        for i in 0..self.len() {
            sums.iter_mut().zip(self.row(i)).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        sums.iter().map(|sum| (sum / self.len().max(1) as f64) as f32).collect()
    }

    /// A copy of some rows.
    pub(crate) fn gather(self, rows: impl Iterator<Item = usize>) -> Vec<f32> {
        let mut copy = Vec::new();
        self.gather_into(rows, &mut copy);
        copy
    }

    /// Makes `copy` one of some rows.
    fn gather_into(self, rows: impl Iterator<Item = usize>, copy: &mut Vec<f32>) {
        copy.clear();
        copy.reserve(rows.size_hint().0 * self.dim);
        rows.for_each(|row| copy.extend_from_slice(self.row(row)));
    }

    /// What each point lacks from its centre, in units of that centre's scale.
    pub(crate) fn residuals<'c>(self, centre: impl Fn(usize) -> (&'c [f32], f32)) -> Vec<f32> {
        let mut residuals = self.values.to_vec();
        leave_residuals(&mut residuals, self.dim, centre);
        residuals
    }
}

/// Leaves of each point what it lacks from its centre, in units of that centre's scale.
pub(crate) fn leave_residuals<'c>(
    points: &mut [f32],
    dim: usize,
    centre: impl Fn(usize) -> (&'c [f32], f32),
) {
    for (i, point) in points.chunks_exact_mut(dim).enumerate() {
        let (centre, scale) = centre(i);
        point.iter_mut().zip(centre).for_each(|(value, centre)| *value = (*value - centre) / scale);
    }
}

/// Rows interleaved by sixteen, as the kernel that compares many with many wants them, with their squared lengths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tiles {
    pub(crate) dim: usize,
    len: usize,
    values: Lines,
    /// Half the squared length of a row; infinite for the rows that fill the last tile.
    halves: Vec<f32>,
}

impl Tiles {
    pub(crate) fn new(kernels: &Kernels, rows: Points<'_>) -> Self {
        let (dim, len) = (rows.dim, rows.len());
        let padded = len.next_multiple_of(LANES);
        let mut values = Lines::default();
        values.reset(padded * dim);
        let mut halves = vec![f32::INFINITY; padded];
        for i in 0..len {
            let row = rows.row(i);
            let tile = &mut values[i / LANES * LANES * dim..];
            for (d, &value) in row.iter().enumerate() {
                tile[d * LANES + i % LANES] = value;
            }
            halves[i] = (kernels.dot)(row, row) / 2.0;
        }
        Self { dim, len, values, halves }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Rows with those that fill the last tile.
    pub(crate) fn padded(&self) -> usize {
        self.halves.len()
    }

    /// For each point and row, |row|²/2 − ⟨point, row⟩: the smaller, the closer.
    pub(crate) fn compare(&self, kernels: &Kernels, points: &[f32], out: &mut [f32]) {
        (kernels.tile_dots)(points, self.dim, &self.values, out);
        for row in out.chunks_exact_mut(self.halves.len()) {
            for (value, half) in row.iter_mut().zip(&self.halves) {
                *value = half - *value;
            }
        }
    }

    /// The inner products of each point with all rows, [`padded`](Self::padded) a point.
    pub(crate) fn dots(&self, kernels: &Kernels, points: &[f32], out: &mut [f32]) {
        (kernels.tile_dots)(points, self.dim, &self.values, out);
    }

    /// The rows, one after the other.
    pub(crate) fn rows(&self) -> Vec<f32> {
        let tile = LANES * self.dim;
        let value = |i: usize, d: usize| self.values[i / LANES * tile + d * LANES + i % LANES];
        (0..self.len).flat_map(|i| (0..self.dim).map(move |d| value(i, d))).collect()
    }

    /// For each point the closest row.
    fn nearest(&self, kernels: &Kernels, points: Points<'_>, threads: usize) -> Vec<u32> {
        let blocks = points.len().div_ceil(BLOCK);
        let made = parallel::map_with(threads, blocks, Vec::new, |scores: &mut Vec<f32>, block| {
            let some = &points.values[block * BLOCK * points.dim..];
            let some = &some[..some.len().min(BLOCK * points.dim)];
            scores.resize(some.len() / points.dim * self.padded(), 0.0);
            self.compare(kernels, some, scores);
            scores.chunks_exact(self.padded()).map(smallest).collect::<Vec<_>>()
        });
        made.into_iter().flatten().collect()
    }
}

/// Where the smallest value is.
fn smallest(values: &[f32]) -> u32 {
    let mut best = (f32::INFINITY, 0);
    for (i, &value) in values.iter().enumerate() {
        if value < best.0 {
            best = (value, i as u32);
        }
    }
    best.1
}

/// `k` centroids of `points`, by `rounds` of Lloyd's algorithm from `k` random points. Fewer when there are fewer points.
pub(crate) fn kmeans(
    kernels: &Kernels,
    points: Points<'_>,
    k: usize,
    rounds: usize,
    random: &mut Random,
    threads: usize,
) -> Vec<f32> {
    let dim = points.dim;
    let k = k.min(points.len());
    let mut centroids = points.gather(random.sample(points.len(), k).into_iter());
    for _ in 0..rounds {
        let nearest =
            Tiles::new(kernels, Points { values: &centroids, dim }).nearest(kernels, points, threads);
        let (mut sums, mut counts) = (vec![0.0; k * dim], vec![0_usize; k]);
        for (i, &c) in nearest.iter().enumerate() {
            let c = c as usize;
            counts[c] += 1;
            for (sum, value) in sums[c * dim..][..dim].iter_mut().zip(points.row(i)) {
                *sum += value;
            }
        }
        revive(&mut sums, &mut counts, dim);
        for (sum, &count) in sums.chunks_exact_mut(dim).zip(&counts) {
            sum.iter_mut().for_each(|value| *value /= count.max(1) as f32);
        }
        centroids = sums;
    }
    centroids
}

/// Gives each centroid that lost all its points half of those of the largest, a little to the side.
fn revive(sums: &mut [f32], counts: &mut [usize], dim: usize) {
    for empty in 0..counts.len() {
        if counts[empty] > 0 {
            continue;
        }
        let Some(largest) = (0..counts.len()).max_by_key(|&c| counts[c]).filter(|&c| counts[c] > 1) else {
            return;
        };
        let (half, rest) = (counts[largest] / 2, counts[largest] - counts[largest] / 2);
        for d in 0..dim {
            let mean = sums[largest * dim + d] / counts[largest] as f32;
            let aside = mean.abs() * if d % 2 == 0 { 1e-3 } else { -1e-3 };
            sums[largest * dim + d] = (mean - aside) * rest as f32;
            sums[empty * dim + d] = (mean + aside) * half as f32;
        }
        (counts[largest], counts[empty]) = (rest, half);
    }
}

/// Thousands of centroids in groups of close ones.
#[derive(Debug)]
pub(crate) struct Grouped {
    dim: usize,
    /// Centres of the groups.
    tops: Tiles,
    /// The centroids of each group.
    groups: Vec<Tiles>,
    /// Number of the first centroid of each group.
    firsts: Vec<usize>,
    /// All centroids, group by group.
    pub(crate) centroids: Vec<f32>,
}

/// A point is compared with the centroids of this many groups, those whose centres are closest to it. With 16 instead of 10 word vectors took 1.27
/// times as long to build, pictures 1.06 and random ones 1.12, for the same recalls; with 7, random ones lost 2.3 points of a hundred
/// at one effort.
const GROUPS: usize = 10;
/// Points whose groups are looked for at a time.
const CHUNK: usize = 65_536;
/// Rounds over all centroids at the end of the training, across the borders of the groups.
const BORDER_ROUNDS: usize = 3;

impl Grouped {
    /// About `k` centroids of the rows of `points`.
    pub(crate) fn train(
        kernels: &Kernels,
        points: Points<'_>,
        k: usize,
        rounds: usize,
        random: &mut Random,
        threads: usize,
    ) -> Self {
        let dim = points.dim;
        let n_groups = k.isqrt().max(1);
        let few = random.sample(points.len(), (n_groups * BLOCK).min(points.len()));
        let few = points.gather(few.into_iter());
        let centres = kmeans(kernels, Points { values: &few, dim }, n_groups, 2 * rounds, random, threads);
        let tops = Tiles::new(kernels, Points { values: &centres, dim });
        let mut members = members(tops.len(), &tops.nearest(kernels, points, threads));
        // Where many points are equal, a centre may have none.
        let lived = (0..members.len()).filter(|&g| !members[g].is_empty());
        let centres = Points { values: &centres, dim }.gather(lived);
        let tops = Tiles::new(kernels, Points { values: &centres, dim });
        members.retain(|members| !members.is_empty());
        // Each group gets centroids by the number of its points.
        let share = k as f64 / points.len() as f64;
        let seeds: Vec<u64> = members.iter().map(|_| random.word()).collect();
        let parts = parallel::map(threads, members.len(), |g| {
            let some = points.gather(members[g].iter().map(|&i| i as usize));
            let wanted = ((members[g].len() as f64 * share).round() as usize).max(1);
            let random = &mut Random::new(seeds[g], g as u64);
            kmeans(kernels, Points { values: &some, dim }, wanted, rounds, random, 1)
        });
        let groups: Vec<Tiles> =
            parts.iter().map(|part| Tiles::new(kernels, Points { values: part, dim })).collect();
        let firsts = groups.iter().scan(0, |next, group| {
            let first = *next;
            *next += group.len();
            Some(first)
        });
        let mut grouped = Self { dim, tops, firsts: firsts.collect(), groups, centroids: parts.concat() };
        for _ in 0..BORDER_ROUNDS {
            grouped.refine(kernels, points, threads);
        }
        grouped
    }

    /// A round of Lloyd's algorithm over all centroids.
    fn refine(&mut self, kernels: &Kernels, points: Points<'_>, threads: usize) {
        let dim = self.dim;
        let nearest = self.nearest::<1>(kernels, points, threads);
        let members = members(self.len(), &nearest.iter().map(|near| near[0].1).collect::<Vec<_>>());
        let moved = parallel::map(threads, members.len(), |c| {
            let mut mean = self.centroid(c).to_vec();
            if !members[c].is_empty() {
                mean.fill(0.0);
                for &i in &members[c] {
                    mean.iter_mut().zip(points.row(i as usize)).for_each(|(mean, value)| *mean += value);
                }
                mean.iter_mut().for_each(|mean| *mean /= members[c].len() as f32);
            }
            mean
        });
        self.centroids = moved.concat();
        for (group, &first) in self.groups.iter_mut().zip(&self.firsts) {
            let values = &self.centroids[first * dim..][..group.len() * dim];
            *group = Tiles::new(kernels, Points { values, dim });
        }
    }

    /// How many centroids there are.
    pub(crate) fn len(&self) -> usize {
        self.centroids.len() / self.dim
    }

    pub(crate) fn centroid(&self, c: usize) -> &[f32] {
        &self.centroids[c * self.dim..][..self.dim]
    }

    /// The groups' numbers of centroids.
    pub(crate) fn group_sizes(&self) -> Vec<usize> {
        self.groups.iter().map(Tiles::len).collect()
    }

    /// For each point the `L` closest centroids that were found, closest first, each as (|c|²/2 − ⟨point, c⟩, number);
    /// padded with infinities when there are not as many.
    pub(crate) fn nearest<const L: usize>(
        &self,
        kernels: &Kernels,
        points: Points<'_>,
        threads: usize,
    ) -> Vec<[(f32, u32); L]> {
        let chunks = points.values.chunks(CHUNK * points.dim);
        chunks
            .flat_map(|values| self.nearest_of_chunk(kernels, Points { values, dim: points.dim }, threads))
            .collect()
    }

    fn nearest_of_chunk<const L: usize>(
        &self,
        kernels: &Kernels,
        points: Points<'_>,
        threads: usize,
    ) -> Vec<[(f32, u32); L]> {
        let blocks = points.len().div_ceil(BLOCK);
        let groups_of = parallel::map_with(threads, blocks, Vec::new, |scores: &mut Vec<f32>, block| {
            let some = &points.values[block * BLOCK * points.dim..];
            let some = &some[..some.len().min(BLOCK * points.dim)];
            scores.resize(some.len() / points.dim * self.tops.padded(), 0.0);
            self.tops.compare(kernels, some, scores);
            let closest = |scores: &[f32]| {
                let mut best = [(f32::INFINITY, 0); GROUPS];
                keep_smallest(scores, 0, &mut best);
                best
            };
            scores.chunks_exact(self.tops.padded()).map(closest).collect::<Vec<_>>()
        });
        let mut visitors = vec![Vec::new(); self.groups.len()];
        for (i, groups) in groups_of.iter().flatten().enumerate() {
            for (_, group) in groups.iter().filter(|(score, _)| *score < f32::INFINITY) {
                visitors[*group as usize].push(i as u32);
            }
        }
        // A large group's visitors in pieces, so that threads end together.
        let pieces: Vec<(usize, &[u32])> = visitors
            .iter()
            .enumerate()
            .flat_map(|(g, visitors)| visitors.chunks(BLOCK).map(move |piece| (g, piece)))
            .collect();
        let buffers = || (Vec::new(), Vec::new());
        let found = parallel::map_with(threads, pieces.len(), buffers, |(some, scores), i| {
            let (g, piece) = pieces[i];
            let (tiles, first) = (&self.groups[g], self.firsts[g] as u32);
            points.gather_into(piece.iter().map(|&i| i as usize), some);
            scores.resize(piece.len() * tiles.padded(), 0.0);
            tiles.compare(kernels, some, scores);
            let closest = |scores: &[f32]| {
                let mut best = [(f32::INFINITY, 0); L];
                keep_smallest(scores, first, &mut best);
                best
            };
            scores.chunks_exact(tiles.padded()).map(closest).collect::<Vec<_>>()
        });
        let mut nearest = vec![[(f32::INFINITY, 0); L]; points.len()];
        for ((_, piece), found) in pieces.iter().zip(found) {
            for (&i, found) in piece.iter().zip(found) {
                for (score, c) in found {
                    keep(&mut nearest[i as usize], score, c);
                }
            }
        }
        nearest
    }
}

/// Keeps the smallest of `best` and `scores`, which are numbered from `first`, in ascending order.
fn keep_smallest<const L: usize>(scores: &[f32], first: u32, best: &mut [(f32, u32); L]) {
    // Most blocks of scores hold none: looked at together, which the compiler turns into vector instructions.
    for (block, scores) in scores.chunks(LANES).enumerate() {
        let least =
            scores.iter().fold(f32::INFINITY, |least, &score| if score < least { score } else { least });
        if least >= best[L - 1].0 {
            continue;
        }
        for (lane, &score) in scores.iter().enumerate() {
            keep(best, score, first + (block * LANES + lane) as u32);
        }
    }
}

/// Keeps the smallest of `best` and one more, in ascending order.
fn keep<const L: usize>(best: &mut [(f32, u32); L], score: f32, number: u32) {
    // Not for NaN, which comes of vectors in a damaged file.
    if score < best[L - 1].0 {
        let mut place = L - 1;
        while place > 0 && score < best[place - 1].0 {
            best[place] = best[place - 1];
            place -= 1;
        }
        best[place] = (score, number);
    }
}

/// Who belongs to each of `n` clusters, in ascending order.
pub(crate) fn members(n: usize, cluster_of: &[u32]) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); n];
    for (i, &cluster) in cluster_of.iter().enumerate() {
        members[cluster as usize].push(i as u32);
    }
    members
}
