//! Leaves for vectors that have none yet.

use std::ops::ControlFlow;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::slots::SlotsView;
use super::space::Space;
use super::store::{LeafBase, LeafStore};
use super::trials;
use crate::file::{Pages, Region, Values};
use crate::kmeans::{Grouped, Points};
use crate::leaves::{Directory, Homes, Leaf, NO_LEAF, Plan, assign};
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
/// Leaves that a thread packs at a time.
const PACK: usize = 16;

/// Groups the vectors `living` into leaves, and returns their homes too.
pub(super) fn train(
    space: &Space,
    slots: SlotsView<'_>,
    living: &[u32],
    seed: u64,
    threads: usize,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> ControlFlow<(), (LeafStore, Vec<Homes>)> {
    let (kernels, dim) = (space.kernels, space.dim);
    let random = &mut Random::new(seed, living.len() as u64);
    let points_of = |some: &mut dyn Iterator<Item = u32>| {
        let mut points = Vec::new();
        some.for_each(|slot| space.push_point(slots.row(slot), &mut points));
        points
    };
    let n_leaves = living.len().div_ceil(VECTORS_PER_LEAF);
    let sample = random.sample(living.len(), (n_leaves * SAMPLE_PER_LEAF).min(living.len()));
    let held_out: FxHashSet<u32> = trials::probes(living, seed).into_iter().collect();
    let sample =
        points_of(&mut sample.into_iter().map(|i| living[i]).filter(|slot| !held_out.contains(slot)));
    let sample = Points { values: &sample, dim };
    let grouped = Grouped::train(kernels, sample, n_leaves, ROUNDS, random, threads);
    progress(0.4)?;

    let mut homes = Vec::with_capacity(living.len());
    for chunk in living.chunks(CHUNK) {
        let points = points_of(&mut chunk.iter().copied());
        homes.extend(assign(kernels, &grouped, Points { values: &points, dim }, threads));
        progress(0.4 + 0.3 * homes.len() as f64 / living.len() as f64)?;
    }

    let leaves = Kept::new(&grouped, &mut homes);
    let few = random.sample(living.len(), CODEBOOK_SAMPLE.min(living.len()));
    let mut residuals = points_of(&mut few.iter().map(|&i| living[i]));
    if space.measure() != Measure::Absolute {
        for (place, (residual, &i)) in residuals.chunks_exact_mut(dim).zip(&few).enumerate() {
            // From first and second homes in turn.
            let home = Some(homes[i][place % 2]).filter(|&home| home != NO_LEAF).unwrap_or(homes[i][0]);
            let centroid = leaves.centroid(home as usize);
            residual.iter_mut().zip(centroid).for_each(|(value, centre)| *value -= centre);
        }
    }
    let codebook = Codebook::train(kernels, Points { values: &residuals, dim }, random, threads);
    progress(0.75)?;

    let Kept { centroids, sizes, .. } = leaves;
    let plan = Plan { dim, centroids, spreads: Vec::new(), sizes };
    let store = pack(space, slots, living, &homes, Arc::new(codebook), plan, random, threads);
    ControlFlow::Continue((store, homes))
}

/// The same leaves, each vector in the first of its homes alone, which `homes` becomes.
pub(super) fn in_one_home(
    space: &Space,
    slots: SlotsView<'_>,
    living: &[u32],
    homes: &mut [Homes],
    store: &LeafStore,
    seed: u64,
    threads: usize,
) -> LeafStore {
    homes.iter_mut().for_each(|homes| homes[1] = NO_LEAF);
    let (codebook, plan) = (store.codebook.clone(), store.directory.plan());
    let random = &mut Random::new(seed, living.len() as u64);
    pack(space, slots, living, homes, codebook, plan, random, threads)
}

/// Leaves with the centroids of `plan` that hold the vectors `living`, by their homes.
#[expect(clippy::too_many_arguments, reason = "they are what a store is made of")]
fn pack(
    space: &Space,
    slots: SlotsView<'_>,
    living: &[u32],
    homes: &[Homes],
    codebook: Arc<Codebook>,
    mut plan: Plan,
    random: &mut Random,
    threads: usize,
) -> LeafStore {
    let dim = space.dim;
    let mut members = vec![Vec::new(); plan.centroids.len() / dim];
    for (&slot, homes) in living.iter().zip(homes) {
        for &home in homes.iter().filter(|&&home| home != NO_LEAF) {
            members[home as usize].push(slot);
        }
    }
    let packed = parallel::map(threads, members.len().div_ceil(PACK), |pack| {
        let some = pack * PACK..((pack + 1) * PACK).min(members.len());
        let pack = some.map(|leaf| {
            let mut points = Vec::with_capacity(members[leaf].len() * dim);
            members[leaf].iter().for_each(|&slot| space.push_point(slots.row(slot), &mut points));
            let points = Points { values: &points, dim };
            let centroid = &plan.centroids[leaf * dim..][..dim];
            pack_leaf(space, &codebook, centroid, points, &members[leaf])
        });
        pack.collect::<Vec<_>>()
    });
    let packed: Vec<(Leaf, f32)> = packed.into_iter().flatten().collect();
    plan.spreads = packed.iter().map(|(_, spread)| *spread).collect();
    let directory = Directory::new(space.kernels, plan, &codebook, random, threads);
    LeafStore {
        codebook,
        directory: Arc::new(directory),
        base: lay_out(packed.iter().map(|(leaf, _)| leaf)),
        changed: Default::default(),
        trained: living.len(),
    }
}

/// The centroids that have vectors, group by group.
struct Kept {
    dim: usize,
    centroids: Vec<f32>,
    /// How many are in each group.
    sizes: Vec<usize>,
}

impl Kept {
    /// Leaves out the centroids that are nobody's home, and numbers the homes anew.
    fn new(grouped: &Grouped, homes: &mut [Homes]) -> Self {
        let dim = grouped.centroid(0).len();
        let mut number = vec![NO_LEAF; grouped.len()];
        for &home in homes.iter().flatten().filter(|&&home| home != NO_LEAF) {
            number[home as usize] = 0;
        }
        let mut kept = Self { dim, centroids: Vec::new(), sizes: Vec::new() };
        let mut next = 0;
        for size in grouped.group_sizes() {
            let before = kept.len();
            for (c, number) in (next..).zip(&mut number[next..next + size]) {
                if *number != NO_LEAF {
                    *number = kept.len() as u32;
                    kept.centroids.extend_from_slice(grouped.centroid(c));
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

    fn centroid(&self, leaf: usize) -> &[f32] {
        &self.centroids[leaf * self.dim..][..self.dim]
    }
}

/// A leaf of `points`, and the mean square of their distance from its centroid.
pub(super) fn pack_leaf(
    space: &Space,
    codebook: &Codebook,
    centroid: &[f32],
    points: Points<'_>,
    slots: &[u32],
) -> (Leaf, f32) {
    let mut leaf = Leaf::default();
    leaf.insert(space.kernels, codebook, space.measure(), centroid, points, slots);
    let squares = (0..points.len()).map(|i| (space.kernels.l2_squared)(points.row(i), centroid));
    let spread = squares.sum::<f32>() / points.len().max(1) as f32;
    (leaf, if space.measure() == Measure::MinusTwiceDot { spread } else { 0.0 })
}

/// Leaves one behind the other, in large pages where there are enough of them.
pub(super) fn lay_out<'a>(leaves: impl Iterator<Item = &'a Leaf> + Clone) -> LeafBase {
    let mut starts = vec![0];
    for leaf in leaves.clone() {
        starts.push(starts.last().copied().unwrap_or(0) + (leaf.biases.len() / BLOCK) as u32);
    }
    LeafBase {
        starts: starts.into(),
        biases: concat(leaves.clone().map(|leaf| leaf.biases.as_slice())),
        slots: concat(leaves.clone().map(|leaf| leaf.slots.as_slice())),
        codes: concat(leaves.map(|leaf| leaf.codes.as_slice())),
    }
}

/// Everything in one region; on the heap when there is no memory for that.
pub(super) fn concat<'a, T: bytemuck::Pod>(parts: impl Iterator<Item = &'a [T]> + Clone) -> Values<T> {
    let bytes: usize = parts.clone().map(size_of_val).sum();
    let mut pages = Pages::default();
    if bytes == 0 || !bytes.is_multiple_of(4) || pages.grow(bytes / 4).is_err() {
        return parts.flatten().copied().collect::<Vec<_>>().into();
    }
    let mut rest: &mut [u8] = bytemuck::cast_slice_mut(pages.words_mut());
    for part in parts {
        let (here, behind) = rest.split_at_mut(size_of_val(part));
        here.copy_from_slice(bytemuck::cast_slice(part));
        rest = behind;
    }
    Values::Region(Region::memory(pages))
}
