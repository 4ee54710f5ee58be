//! Leaves for vectors that have none yet.

use std::ops::ControlFlow;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::buffer::concat;
use super::store::{LeafBase, LeafStore};
use super::stored::Stored;
use super::trials;
use super::update::Work;
use crate::kmeans::{Grouped, Points, leave_residuals};
use crate::leaves::{Directory, Homes, Leaf, LeafView, NO_LEAF, Plan, assign, scale_of};
use crate::parallel;
use crate::quant::{Codebook, Measure};
use crate::random::Random;
use crate::simd::BLOCK;

/// Vectors for each leaf; with its second home each vector is in two, so a leaf holds twice as many.
const VECTORS_PER_LEAF: usize = 64;
/// Vectors for each leaf that the centroids are found from.
const SAMPLE_PER_LEAF: usize = 24;
/// Rounds of k-means.
const ROUNDS: usize = 6;
/// Vectors that the codewords are found from.
const CODEBOOK_SAMPLE: usize = 32_768;
/// Vectors whose points are in memory at a time.
const CHUNK: usize = 65_536;
/// Vectors that a thread takes at a time.
const AT_ONCE: usize = 1024;
/// Leaves that a thread packs at a time.
const PACK: usize = 16;

/// Groups all vectors into leaves, and returns their homes too. Without a `codebook`, one is trained on them.
pub(super) fn train(
    stored: Stored<'_>,
    codebook: Option<&Arc<Codebook>>,
    work: Work,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> ControlFlow<(), (LeafStore, Vec<Homes>)> {
    let Work { seed, threads, .. } = work;
    let (kernels, dim, n) = (stored.space.kernels, stored.space.dim, stored.len());
    let random = &mut Random::new(seed, n as u64);
    let n_leaves = n.div_ceil(VECTORS_PER_LEAF);
    let held_out: FxHashSet<u32> = trials::probes(n, seed).into_iter().collect();
    let mut sample = sample(n, n_leaves * SAMPLE_PER_LEAF, random);
    sample.retain(|slot| !held_out.contains(slot));
    let sample = stored.points(&sample);
    let grouped = Grouped::train(kernels, Points { values: &sample, dim }, n_leaves, ROUNDS, random, threads);
    drop(sample);
    progress(0.4)?;

    let mut homes = Vec::with_capacity(n);
    let mut spreads = Spreads::new(grouped.len());
    while homes.len() < n {
        let chunk: Vec<u32> = (homes.len() as u32..(homes.len() + CHUNK).min(n) as u32).collect();
        let points = stored.points(&chunk);
        for (own, squares) in assign(kernels, &grouped, Points { values: &points, dim }, threads) {
            spreads.add(own, squares);
            homes.push(own);
        }
        progress(0.4 + 0.3 * homes.len() as f64 / n as f64)?;
    }

    let leaves = Kept::new(&grouped, &spreads, &mut homes);
    let codebook = match codebook {
        Some(codebook) => codebook.clone(),
        None => Arc::new(train_codebook(stored, &homes, &leaves, random, threads)),
    };
    progress(0.75)?;

    let Kept { centroids, spreads, sizes, .. } = leaves;
    let plan = Plan { dim, centroids, spreads, sizes };
    let store = pack(stored, &homes, codebook, plan, random, threads);
    ControlFlow::Continue((store, homes))
}

/// Codewords for what the leaves leave of the vectors.
fn train_codebook(
    stored: Stored<'_>,
    homes: &[Homes],
    leaves: &Kept,
    random: &mut Random,
    threads: usize,
) -> Codebook {
    let (kernels, dim) = (stored.space.kernels, stored.space.dim);
    let few = sample(stored.len(), CODEBOOK_SAMPLE, random);
    let mut residuals = stored.points(&few);
    if stored.space.measure() != Measure::Absolute {
        leave_residuals(&mut residuals, dim, |i| {
            // From first and second homes in turn.
            let [first, second] = homes[few[i] as usize];
            leaves.centre(if i % 2 == 0 || second == NO_LEAF { first } else { second } as usize)
        });
    }
    Codebook::train(kernels, Points { values: &residuals, dim }, random, threads)
}

/// So many slots of `n`, or all, in no order.
pub(super) fn sample(n: usize, wanted: usize, random: &mut Random) -> Vec<u32> {
    random.sample(n, wanted.min(n)).into_iter().map(|slot| slot as u32).collect()
}

/// The leaves of `store`, each vector in the first of its homes alone, which `homes` becomes.
pub(super) fn in_one_home(
    stored: Stored<'_>,
    homes: &mut [Homes],
    store: &LeafStore,
    work: Work,
) -> LeafStore {
    homes.iter_mut().for_each(|homes| homes[1] = NO_LEAF);
    let (space, mut plan) = (stored.space, store.directory.plan());
    let centroids = Points { values: &plan.centroids, dim: space.dim };
    let mut spreads = Spreads::new(store.len());
    let squares = parallel::map_ranges(work.threads, homes.len(), AT_ONCE, |some| {
        let points = stored.points(&some.clone().map(|slot| slot as u32).collect::<Vec<_>>());
        let each = points.chunks_exact(space.dim).zip(&homes[some]);
        each.map(|(point, own)| (space.kernels.l2_squared)(point, centroids.row(own[0] as usize)))
            .collect::<Vec<_>>()
    });
    for (&own, square) in homes.iter().zip(squares.into_iter().flatten()) {
        spreads.add(own, [square, 0.0]);
    }
    plan.spreads = spreads.means().collect();
    let random = &mut Random::new(work.seed, stored.len() as u64);
    pack(stored, homes, store.codebook.clone(), plan, random, work.threads)
}

/// Leaves with the centroids of `plan` that hold all vectors, by their homes.
fn pack(
    stored: Stored<'_>,
    homes: &[Homes],
    codebook: Arc<Codebook>,
    plan: Plan,
    random: &mut Random,
    threads: usize,
) -> LeafStore {
    let (space, dim) = (stored.space, stored.space.dim);
    let mut members = vec![Vec::new(); plan.centroids.len() / dim];
    for (slot, homes) in homes.iter().enumerate() {
        for &home in homes.iter().filter(|&&home| home != NO_LEAF) {
            members[home as usize].push(slot as u32);
        }
    }
    let packed = parallel::map(threads, members.len().div_ceil(PACK), |pack| {
        let some = pack * PACK..((pack + 1) * PACK).min(members.len());
        let pack = some.map(|leaf| {
            let points = stored.points(&members[leaf]);
            let centre = (&plan.centroids[leaf * dim..][..dim], scale_of(plan.spreads[leaf]));
            let points = Points { values: &points, dim };
            Leaf::of(space.kernels, &codebook, space.measure(), centre, points, &members[leaf])
        });
        pack.collect::<Vec<_>>()
    });
    let packed: Vec<Leaf> = packed.into_iter().flatten().collect();
    let directory = Directory::new(space.kernels, plan, &codebook, random, threads);
    LeafStore {
        codebook,
        directory: Arc::new(directory),
        base: lay_out(packed.iter().map(Leaf::view)),
        changed: Default::default(),
        trained: stored.len(),
    }
}

/// How far the vectors of each centroid are from it.
struct Spreads(Vec<(f64, usize)>);

impl Spreads {
    fn new(centroids: usize) -> Self {
        Self(vec![(0.0, 0); centroids])
    }

    /// Takes into account a vector's squared distances from its homes.
    fn add(&mut self, homes: Homes, squares: [f32; 2]) {
        for (home, square) in homes.into_iter().zip(squares).filter(|&(home, _)| home != NO_LEAF) {
            let (sum, n) = &mut self.0[home as usize];
            (*sum, *n) = (*sum + f64::from(square), *n + 1);
        }
    }

    /// The mean squared distance of each centroid's vectors; that of all where a centroid's lie upon it.
    fn means(&self) -> impl Iterator<Item = f32> {
        let mean = |&(sum, n): &(f64, usize)| (sum / n.max(1) as f64) as f32;
        let all = self.0.iter().fold((0.0, 0), |(sum, n), one| (sum + one.0, n + one.1));
        self.0.iter().map(move |one| if mean(one) > 0.0 { mean(one) } else { mean(&all) })
    }
}

/// The centroids that have vectors, group by group.
struct Kept {
    dim: usize,
    centroids: Vec<f32>,
    /// The mean squared distance of their vectors.
    spreads: Vec<f32>,
    /// How many are in each group.
    sizes: Vec<usize>,
}

impl Kept {
    /// Leaves out the centroids that are nobody's home, and numbers the homes anew.
    fn new(grouped: &Grouped, spreads: &Spreads, homes: &mut [Homes]) -> Self {
        let dim = grouped.centroid(0).len();
        let mut number = vec![NO_LEAF; grouped.len()];
        for &home in homes.iter().flatten().filter(|&&home| home != NO_LEAF) {
            number[home as usize] = 0;
        }
        let mut kept = Self { dim, centroids: Vec::new(), spreads: Vec::new(), sizes: Vec::new() };
        let mut spreads = spreads.means();
        let mut next = 0;
        for size in grouped.group_sizes() {
            let before = kept.len();
            let some = (next..).zip(&mut number[next..next + size]);
            for ((c, number), spread) in some.zip(&mut spreads) {
                if *number != NO_LEAF {
                    *number = kept.len() as u32;
                    kept.centroids.extend_from_slice(grouped.centroid(c));
                    kept.spreads.push(spread);
                }
            }
            next += size;
            kept.sizes.push(kept.len() - before);
        }
        kept.sizes.retain(|&size| size > 0);
        for home in homes.iter_mut().flatten().filter(|home| **home != NO_LEAF) {
            *home = number[*home as usize];
        }
        kept
    }

    fn len(&self) -> usize {
        self.centroids.len() / self.dim
    }

    /// A centroid, and its unit.
    fn centre(&self, leaf: usize) -> (&[f32], f32) {
        (&self.centroids[leaf * self.dim..][..self.dim], scale_of(self.spreads[leaf]))
    }
}

/// Leaves one behind the other, in large pages where there are enough of them.
pub(super) fn lay_out<'a>(leaves: impl Iterator<Item = LeafView<'a>> + Clone) -> LeafBase {
    let mut starts = vec![0];
    for leaf in leaves.clone() {
        starts.push(starts.last().copied().unwrap_or(0) + (leaf.biases.len() / BLOCK) as u32);
    }
    LeafBase {
        starts: starts.into(),
        biases: concat(leaves.clone().map(|leaf| leaf.biases)),
        slots: concat(leaves.clone().map(|leaf| leaf.slots)),
        codes: concat(leaves.map(|leaf| leaf.codes)),
    }
}
