//! The centroids of all leaves, and which of them are closest to a query.

use bytemuck::cast_slice;

use crate::file::{Region, Values};
use crate::keep::{Keep, key, number};
use crate::kmeans::Points;
use crate::quant::{Codebook, Measure, Projection, Table};
use crate::random::Random;
use crate::simd::{self, BLOCK, Kernels, Scan};

use super::leaf::{Leaf, scale_of};

/// The centroids in groups of close ones: exact, and coded as what lacks from the centre of their group.
///
/// A query compares the centres exactly, scans the codes of the groups around it, and compares the best centroids of these
/// exactly.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    dim: usize,
    /// The centroids, one after the other.
    centroids: Values<f32>,
    /// Squared lengths of the centroids.
    squares: Vec<f32>,
    /// The mean squares of the distances of the leaves' vectors from them.
    spreads: Vec<f32>,
    /// Which group a leaf is in.
    group_of: Vec<u32>,
    /// The centres of the groups, one after the other, and their squared lengths.
    centres: Vec<f32>,
    centre_squares: Vec<f32>,
    codebook: Codebook,
    groups: Vec<Leaf>,
    /// The units in which the centroids of the groups are coded.
    scales: Vec<f32>,
    short: Option<Short>,
}

/// The centroids and centres as few values: their principal components, which hold nearly all that tells them apart.
///
/// |q − c|² − |q|² = |c|² − 2⟨q, c⟩, and with the mean m of all centroids and the components' matrix P, ⟨q, c⟩ is about
/// ⟨Pq, P(c − m)⟩ + ⟨q, m⟩, of which the last is the same for all.
#[derive(Clone, Debug)]
struct Short {
    mean: Vec<f32>,
    centroids: Values<f32>,
    centres: Vec<f32>,
}

impl Short {
    /// For a projection that has fewer values than vectors have.
    fn new(kernels: &Kernels, directory: &Directory) -> Option<Self> {
        let projection = directory.codebook.projection();
        if !matches!(projection, Projection::Rotated(_)) || projection.padded() >= directory.dim {
            return None;
        }
        let mut mean = vec![0.0; directory.dim];
        for row in directory.centroids().chunks_exact(directory.dim) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / directory.len() as f32);
        }
        let mut short = Self { mean, centroids: Values::default(), centres: Vec::new() };
        short.centroids = short.of(kernels, projection, directory.centroids()).into();
        short.centres = short.of(kernels, projection, &directory.centres);
        Some(short)
    }

    fn from_region(region: &Region, dim: usize, width: usize, n: usize, n_groups: usize) -> Option<Self> {
        let first = dim.checked_add(n_groups.checked_mul(width)?)?;
        let centroids = region.part(first..first.checked_add(n.checked_mul(width)?)?)?;
        let whole = first + centroids.len() == region.len();
        whole.then_some(())?;
        Some(Self {
            mean: cast_slice(region.part(0..dim)?.words()).to_vec(),
            centres: cast_slice(region.part(dim..first)?.words()).to_vec(),
            centroids: Values::Region(centroids),
        })
    }

    /// The few values of some rows.
    fn of(&self, kernels: &Kernels, projection: &Projection, rows: &[f32]) -> Vec<f32> {
        let dim = self.mean.len();
        let apart: Vec<f32> = rows
            .chunks_exact(dim)
            .flat_map(|row| row.iter().zip(&self.mean).map(|(value, mean)| value - mean))
            .collect();
        let mut short = Vec::new();
        projection.apply(kernels, &apart, dim, &mut short);
        short
    }
}

/// What a directory is made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dim: usize,
    /// The centroids, group by group.
    pub(crate) centroids: Vec<f32>,
    /// The mean squares of the distances of the leaves' vectors from them.
    pub(crate) spreads: Vec<f32>,
    /// How many centroids are in each group.
    pub(crate) sizes: Vec<usize>,
}

/// So many more leaves than wanted are compared exactly, as a share of those wanted, and some.
const SPARE_SHARE: f64 = 0.5;
const SPARE: usize = 8;
/// Groups are scanned until they hold so many times as many leaves as wanted, and some. With more (4,096 and 16 times) a query among
/// the 5,300 leaves of word vectors took 6 to 20 % longer for 0.2 to 0.9 points of recall, which more leaves bring for less.
const SCANNED_SHARE: usize = 32;
const SCANNED: usize = 512;
/// Of the mean squared distance of a leaf's vectors from its centroid, the share that counts as farther away. Of two
/// leaves whose centroids are equally close, the tighter one is more likely to hold a neighbour. Measured on word vectors,
/// sentence embeddings and pictures: a tenth fewer vectors scanned for the same recall than without, on the first two.
pub(super) const HANDICAP: f32 = 0.25;
/// Of the standard deviation of inner products with a leaf's vectors, so much is added to that with its centroid: the largest one
/// of a leaf is the centroid's and some deviations, and where lengths vary, so do these. On 260,000 factors of a recommender with lengths over
/// two decades, 29, 44 and 154 leaves hold 0.9, 0.95 and 0.99 of the ten largest, and without it 48, 86 and 1,051.
pub(super) const TAIL: f32 = 2.0;

impl Directory {
    /// The directory of `plan`; `like` is the codebook of the vectors.
    pub(crate) fn new(
        kernels: &Kernels,
        plan: Plan,
        like: &Codebook,
        random: &mut Random,
        threads: usize,
    ) -> Self {
        let Plan { dim, centroids, spreads, sizes } = plan;
        let rows = Points { values: &centroids, dim };
        let mut group_of = Vec::with_capacity(rows.len());
        let (mut centres, mut apart_in) = (Vec::new(), Vec::with_capacity(sizes.len()));
        for (g, &size) in sizes.iter().enumerate() {
            let first = group_of.len();
            let mut centre = vec![0.0; dim];
            for c in first..first + size {
                centre.iter_mut().zip(rows.row(c)).for_each(|(sum, value)| *sum += value / size as f32);
            }
            let apart = (first..first + size).map(|c| (kernels.l2_squared)(rows.row(c), &centre));
            apart_in.push(apart.sum::<f32>() / size as f32);
            group_of.resize(first + size, g as u32);
            centres.extend(centre);
        }
        // Centroids that come into a group of one alone are about as far apart as those of other groups.
        let usual = apart_in.iter().sum::<f32>() / sizes.len().max(1) as f32;
        let scale = |&apart: &f32| scale_of(if apart > 0.0 { apart } else { usual });
        let scales: Vec<f32> = apart_in.iter().map(scale).collect();
        let centre = |c: usize| (&centres[group_of[c] as usize * dim..][..dim], scales[group_of[c] as usize]);
        let residuals = rows.residuals(centre);
        let codebook = like.train_like(kernels, Points { values: &residuals, dim }, random, threads);
        let square = |row: &[f32]| (kernels.dot)(row, row);
        let mut directory = Self {
            dim,
            squares: (0..rows.len()).map(|c| square(rows.row(c))).collect(),
            spreads,
            centre_squares: centres.chunks_exact(dim).map(square).collect(),
            groups: vec![Leaf::default(); sizes.len()],
            scales,
            centroids: centroids.into(),
            group_of,
            centres,
            codebook,
            short: None,
        };
        for leaf in 0..directory.len() {
            directory.code(kernels, leaf);
        }
        directory.short = Short::new(kernels, &directory);
        directory
    }

    /// Puts `centroid` at number `leaf`; `spread` is the mean square of the distance of the leaf's vectors from it.
    pub(crate) fn replace(&mut self, kernels: &Kernels, leaf: usize, centroid: &[f32], spread: f32) {
        self.centroids.make_mut()[leaf * self.dim..][..self.dim].copy_from_slice(centroid);
        self.squares[leaf] = (kernels.dot)(centroid, centroid);
        self.spreads[leaf] = spread;
        self.groups[self.group_of[leaf] as usize].remove(|number| number == leaf as u32);
        self.code(kernels, leaf);
        if let Some(short) = &mut self.short {
            let row = short.of(kernels, self.codebook.projection(), centroid);
            short.centroids.make_mut()[leaf * row.len()..][..row.len()].copy_from_slice(&row);
        }
    }

    /// Puts `centroid` behind the last one, into the group of leaf `beside`.
    pub(crate) fn push(&mut self, kernels: &Kernels, beside: usize, centroid: &[f32], spread: f32) {
        self.centroids.make_mut().extend_from_slice(centroid);
        self.squares.push((kernels.dot)(centroid, centroid));
        self.spreads.push(spread);
        self.group_of.push(self.group_of[beside]);
        self.code(kernels, self.len() - 1);
        if let Some(short) = &mut self.short {
            let row = short.of(kernels, self.codebook.projection(), centroid);
            short.centroids.make_mut().extend(row);
        }
    }

    /// Codes a centroid into its group.
    fn code(&mut self, kernels: &Kernels, leaf: usize) {
        let group = self.group_of[leaf] as usize;
        let centre = &self.centres[group * self.dim..][..self.dim];
        let place = leaf * self.dim..(leaf + 1) * self.dim;
        let row = Points { values: self.centroids.slice().part(place), dim: self.dim };
        let coded = &mut self.groups[group];
        let measure = Measure::MinusTwiceDot;
        let centre = (centre, self.scales[group]);
        let place = coded.insert(kernels, &self.codebook, measure, centre, row, &[leaf as u32]);
        coded.biases[place] += HANDICAP * self.spreads[leaf];
    }

    /// What it was made of.
    pub(crate) fn plan(&self) -> Plan {
        let mut sizes = vec![0; self.groups.len()];
        self.group_of.iter().for_each(|&group| sizes[group as usize] += 1);
        Plan { dim: self.dim, centroids: self.centroids().to_vec(), spreads: self.spreads.clone(), sizes }
    }

    pub(crate) fn len(&self) -> usize {
        self.squares.len()
    }

    pub(crate) fn centroid(&self, leaf: usize) -> &[f32] {
        self.centroids.slice().part(leaf * self.dim..(leaf + 1) * self.dim)
    }

    /// The mean square of the distance of a leaf's vectors from its centroid.
    pub(crate) fn spread(&self, leaf: usize) -> f32 {
        self.spreads[leaf]
    }

    /// The unit in which the vectors of a leaf are coded.
    pub(crate) fn scale(&self, leaf: usize) -> f32 {
        scale_of(self.spreads[leaf])
    }

    /// All centroids, one after the other.
    pub(crate) fn centroids(&self) -> &[f32] {
        self.centroids.slice().all()
    }

    /// Bytes of the centroids in memory, and in a mapped file.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let (memory, mapped) = self.centroids.bytes();
        let short = self.short.as_ref().map_or((0, 0), |short| short.centroids.bytes());
        (memory + short.0, mapped + short.1)
    }

    /// What has turned out to be wrong with the file under the centroids.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.centroids.fault()
    }

    pub(crate) fn codebook(&self) -> &Codebook {
        &self.codebook
    }

    /// As words for a file, the centroids and the codebook left out: numbers of leaves and of groups; for each leaf its
    /// squared length, its spread and its group; for each group its centre; for each group its scale and the number of its
    /// places, and for each place bias, leaf and codes.
    pub(crate) fn to_words(&self) -> Vec<u32> {
        let mut words = vec![self.len() as u32, self.groups.len() as u32];
        words.extend_from_slice(cast_slice(&self.squares));
        words.extend_from_slice(cast_slice(&self.spreads));
        words.extend_from_slice(&self.group_of);
        words.extend_from_slice(cast_slice(&self.centres));
        for (Leaf { biases, slots, codes }, scale) in self.groups.iter().zip(&self.scales) {
            words.extend([scale.to_bits(), biases.len() as u32]);
            words.extend_from_slice(cast_slice(biases));
            words.extend_from_slice(slots);
            words.extend(codes.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)));
        }
        words
    }

    /// The few values of everything, where there are any: the mean, the centres, the centroids.
    pub(crate) fn short_words(&self) -> Option<Vec<u32>> {
        let short = self.short.as_ref()?;
        let parts: [&[f32]; 3] = [&short.mean, &short.centres, short.centroids.slice().all()];
        Some(cast_slice(&parts.concat()).to_vec())
    }

    /// What [`to_words`](Self::to_words) and [`short_words`](Self::short_words) wrote; `None` for anything else.
    pub(crate) fn from_words(
        kernels: &Kernels,
        dim: usize,
        centroids: Values<f32>,
        words: &[u32],
        codebook: Codebook,
        short: Option<Region>,
    ) -> Option<Self> {
        let (&[n, n_groups], rest) = words.split_first_chunk::<2>()?;
        let (n, n_groups) = (n as usize, n_groups as usize);
        let (squares, rest) = rest.split_at_checked(n)?;
        let (spreads, rest) = rest.split_at_checked(n)?;
        let (group_of, rest) = rest.split_at_checked(n)?;
        let (centres, mut rest) = rest.split_at_checked(n_groups.checked_mul(dim)?)?;
        let (mut groups, mut scales) = (Vec::with_capacity(n_groups), Vec::with_capacity(n_groups));
        for _ in 0..n_groups {
            let (&[scale, places], behind) = rest.split_first_chunk()?;
            let places = places as usize;
            let (biases, behind) = behind.split_at_checked(places)?;
            let (slots, behind) = behind.split_at_checked(places)?;
            let (codes, behind) = behind.split_at_checked(places / BLOCK * codebook.block_bytes() / 4)?;
            if !places.is_multiple_of(BLOCK) || slots.iter().any(|&leaf| leaf as usize >= n) {
                return None;
            }
            let codes = codes.iter().flat_map(|word| word.to_le_bytes()).collect();
            scales.push(f32::from_bits(scale));
            groups.push(Leaf { biases: cast_slice(biases).to_vec(), slots: slots.to_vec(), codes });
            rest = behind;
        }
        let sound = rest.is_empty()
            && n > 0
            && Some(centroids.slice().len()) == n.checked_mul(dim)
            && group_of.iter().all(|&group| (group as usize) < n_groups);
        let centres: Vec<f32> = cast_slice(centres).to_vec();
        let short = match short {
            Some(region) => {
                Some(Short::from_region(&region, dim, codebook.projection().padded(), n, n_groups)?)
            }
            None => None,
        };
        sound.then(|| Self {
            dim,
            squares: cast_slice(squares).to_vec(),
            spreads: cast_slice(spreads).to_vec(),
            centre_squares: centres.chunks_exact(dim).map(|row| (kernels.dot)(row, row)).collect(),
            centroids,
            group_of: group_of.to_vec(),
            centres,
            codebook,
            groups,
            scales,
            short,
        })
    }

    /// The leaves to look into, best first, each with |q − c|² − |q|², or −⟨q, c⟩ for inner products. What ranks them counts how far
    /// their vectors are spread as well.
    pub(crate) fn closest(&self, kernels: &Kernels, asking: Asking<'_>, scratch: &mut Ranking) {
        let Asking { query, table, measure, wanted, at_most, among } = asking;
        let Ranking { table: own, keep, flat, estimates, lanes, groups, bases, leaves } = scratch;
        leaves.clear();
        let n = self.len();
        // What is spread in all directions alike is spread so much in that of the query.
        let tail = match measure {
            Measure::MinusTwiceDot => 0.0,
            Measure::MinusDot | Measure::Absolute => {
                -TAIL * ((kernels.dot)(query, query) / self.dim as f32).sqrt()
            }
        };
        let (query, width, centroids, centres) = match &self.short {
            Some(short) => (
                table.projected(),
                table.projected().len(),
                short.centroids.slice(),
                short.centres.as_slice(),
            ),
            None => (query, self.dim, self.centroids.slice(), self.centres.as_slice()),
        };
        let place = |leaf: u32| leaf as usize * width..(leaf as usize + 1) * width;
        let score = |square: f32, dot: f32| match measure {
            Measure::MinusTwiceDot => square - 2.0 * dot,
            Measure::MinusDot | Measure::Absolute => -dot,
        };
        let handicap = |leaf: u32| match measure {
            Measure::MinusTwiceDot => HANDICAP * self.spreads[leaf as usize],
            Measure::MinusDot | Measure::Absolute => tail * self.spreads[leaf as usize].sqrt(),
        };
        let spare = (wanted as f64 * SPARE_SHARE) as usize + SPARE;
        if let Some(among) = among {
            leaves.extend(among.iter().map(|&leaf| (0.0, 0.0, leaf)));
        } else if wanted + spare >= n {
            leaves.extend((0..n as u32).map(|leaf| (0.0, 0.0, leaf)));
        } else {
            groups.clear();
            bases.clear();
            for (g, (centre, &square)) in centres.chunks_exact(width).zip(&self.centre_squares).enumerate() {
                let base = score(square, (kernels.dot)(query, centre));
                bases.push(base);
                groups.push(key(base + tail * self.scales[g], g as u32));
            }
            groups.sort_unstable();
            keep.start(wanted + spare, wanted + spare);
            self.codebook.table_like(kernels, table, measure, own);
            let mut left = wanted * SCANNED_SHARE + SCANNED;
            for &group in &*groups {
                let Leaf { biases, slots, codes } = &self.groups[number(group) as usize];
                let unit = self.scales[number(group) as usize];
                if estimates.len() < biases.len() {
                    estimates.resize(biases.len(), 0.0);
                    lanes.resize(biases.len(), 0);
                }
                let biases = match measure {
                    Measure::MinusTwiceDot => biases.as_slice(),
                    // They are those of distances. Those of inner products are infinite too where there is no centroid.
                    Measure::MinusDot | Measure::Absolute => {
                        flat.clear();
                        let own = |(bias, &leaf)| if bias < f32::INFINITY { handicap(leaf) } else { bias };
                        flat.extend(biases.iter().copied().zip(slots).map(own));
                        flat.as_slice()
                    }
                };
                let (base, threshold) = (bases[number(group) as usize] + own.offset * unit, keep.threshold());
                let scale = own.scale * unit;
                let scan =
                    Scan { table: own.addends(), blocks: codes, biases, base, scale, threshold, ahead: &[] };
                let found = (kernels.lut_select)(&scan, estimates, lanes);
                for (&estimate, &lane) in estimates[..found].iter().zip(&*lanes) {
                    keep.push(estimate, slots[lane as usize]);
                }
                keep.tidy();
                left = left.saturating_sub(biases.len());
                if left == 0 {
                    break;
                }
            }
            leaves.extend(keep.finish().iter().map(|&key| (0.0, 0.0, number(key))));
        }
        for &(_, _, leaf) in leaves.iter().take(AHEAD) {
            simd::prefetch_many(centroids.to_fetch(place(leaf)));
        }
        for i in 0..leaves.len() {
            if let Some(&(_, _, later)) = leaves.get(i + AHEAD) {
                simd::prefetch_many(centroids.to_fetch(place(later)));
            }
            let (rank, exact, leaf) = &mut leaves[i];
            *exact = score(self.squares[*leaf as usize], (kernels.dot)(query, centroids.part(place(*leaf))));
            *rank = *exact + handicap(*leaf);
        }
        if leaves.len() > at_most && at_most > 0 {
            leaves.select_nth_unstable_by(at_most - 1, |a, b| a.0.total_cmp(&b.0));
            leaves.truncate(at_most);
        }
        leaves.sort_unstable_by_key(|&(rank, _, leaf)| key(rank, leaf));
    }
}

/// A query for leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) query: &'a [f32],
    /// Its table, by a codebook with the projection of the directory's.
    pub(crate) table: &'a Table,
    pub(crate) measure: Measure,
    /// So many leaves.
    pub(crate) wanted: usize,
    /// So many are given, those behind the wanted ones as far as they came up; no fewer than are wanted.
    pub(crate) at_most: usize,
    /// Of these, or of all.
    pub(crate) among: Option<&'a [u32]>,
}

/// How many centroids are fetched ahead.
const AHEAD: usize = 8;

/// Buffers for [`Directory::closest`], and its result.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    table: Table,
    keep: Keep,
    flat: Vec<f32>,
    estimates: Vec<f32>,
    lanes: Vec<u32>,
    groups: Vec<u64>,
    bases: Vec<f32>,
    /// Rank, distance as the estimates want it, and number of each leaf.
    pub(crate) leaves: Vec<(f32, f32, u32)>,
}
