//! The graph of all vectors at once.

use super::links::{Links, LinksView, Stored, code};
use super::overlay::Overlay;
use super::slots::SlotsView;
use super::space::Space;
use super::store::LeafStore;
use super::update::zeros;
use crate::graph::{Asked, Close, Collection, Layout, Trail, closest, link, merge, walk};
use crate::kmeans::Points;
use crate::leaves::{Homes, NO_FILTER, Probe, Scratch, probe};
use crate::parallel;
use crate::quant::{Codebook, Measure, Table};
use crate::random::Random;

/// How far the close vectors of each vector are looked for among the codes.
const AROUND: Probe = Probe { leaves: 32, candidates: 64 };
/// Vectors that the codewords are found from.
const CODEBOOK_SAMPLE: usize = 32_768;
/// Vectors whose points are in memory at a time.
const CHUNK: usize = 65_536;
/// How many nodes a walk keeps that looks for close vectors.
const WALK: usize = 64;
/// Vectors that a thread takes at a time.
const AT_ONCE: usize = 256;

/// What a graph is built from: vectors, one in each slot, and the leaves that they lie in.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) space: &'a Space,
    pub(super) slots: SlotsView<'a>,
    pub(super) homes: &'a [Homes],
    /// The leaves by the first of these homes.
    pub(super) store: &'a LeafStore,
    /// The same leaves with each vector in two of them, in which it is found sooner.
    pub(super) spilled: &'a LeafStore,
}

/// The graph of all vectors.
///
/// The close vectors of each are those that a look into a few leaves finds, and then those that a walk finds on the graph
/// made of these.
pub(super) fn build(ground: Ground<'_>, seed: u64, threads: usize) -> Links {
    let Ground { space, slots, homes, .. } = ground;
    let stored = Stored { space, slots };
    let collection = stored.collection();
    let codebook = train_codebook(ground, &collection, seed, threads);
    let layout = Layout::new(codebook.codes());
    let mut nodes = zeros(homes.len() * layout.words());
    write_codes(ground, &collection, &codebook, nodes.as_mut(), threads);
    let near = in_leaves(ground, &collection, threads);
    write_edges(layout, &link(&collection, &near, layout.edges(), threads), nodes.as_mut());
    let near = by_walks(ground, &collection, &codebook, nodes.as_mut(), near, threads);
    write_edges(layout, &link(&collection, &near, layout.edges(), threads), nodes.as_mut());
    Links::new(codebook, nodes.into_values(), homes.len())
}

/// A codebook for what lacks from the centres of the directory's groups.
fn train_codebook(ground: Ground<'_>, collection: &Collection<'_>, seed: u64, threads: usize) -> Codebook {
    let Ground { space, homes, store, .. } = ground;
    let random = &mut Random::new(seed, 2);
    let few = random.sample(homes.len(), CODEBOOK_SAMPLE.min(homes.len()));
    let few: Vec<u32> = few.into_iter().map(|i| i as u32).collect();
    let mut residuals = collection.points(&few);
    for (residual, &slot) in residuals.chunks_exact_mut(space.dim).zip(&few) {
        let centre = store.directory.centre(store.directory.group(homes[slot as usize][0]));
        residual.iter_mut().zip(centre).for_each(|(value, centre)| *value -= centre);
    }
    let sample = Points { values: &residuals, dim: space.dim };
    store.codebook.train_like(space.kernels, sample, random, threads)
}

/// Makes `nodes` those of all vectors, without edges.
fn write_codes(
    ground: Ground<'_>,
    collection: &Collection<'_>,
    codebook: &Codebook,
    nodes: &mut [u32],
    threads: usize,
) {
    let Ground { space, homes, store, .. } = ground;
    let layout = Layout::new(codebook.codes());
    let words = layout.words();
    for (chunk, nodes) in nodes.chunks_mut(CHUNK * words).enumerate() {
        let first = chunk * CHUNK;
        let blocks = (nodes.len() / words).div_ceil(AT_ONCE);
        let parts = parallel::map(threads, blocks, |block| {
            let end = (first + (block + 1) * AT_ONCE).min(homes.len());
            let some: Vec<u32> = ((first + block * AT_ONCE) as u32..end as u32).collect();
            let points = collection.points(&some);
            let points = Points { values: &points, dim: space.dim };
            let mut nodes = vec![0; some.len() * words];
            let group = |i: usize| store.directory.group(homes[some[i] as usize][0]);
            code(space.kernels, codebook, &store.directory, points, group, |i, codes, bias, group| {
                layout.write(&mut nodes[i * words..][..words], codes, bias, group);
            });
            nodes
        });
        nodes.copy_from_slice(&parts.concat());
    }
}

fn write_edges(layout: Layout, edges: &[u32], nodes: &mut [u32]) {
    for (node, edges) in nodes.chunks_exact_mut(layout.words()).zip(edges.chunks_exact(layout.edges())) {
        layout.set_edges(node, edges);
    }
}

/// For each vector the close ones that a look into a few leaves finds.
fn in_leaves(ground: Ground<'_>, collection: &Collection<'_>, threads: usize) -> Vec<Vec<Close>> {
    let Ground { space, homes, spilled, .. } = ground;
    let (coded, leaves, n) = (spilled.coded(space), spilled.view(), homes.len());
    let parts = parallel::map_with(threads, n.div_ceil(AT_ONCE), Scratch::default, |scratch, part| {
        let some: Vec<u32> = (part * AT_ONCE..((part + 1) * AT_ONCE).min(n)).map(|i| i as u32).collect();
        let points = collection.points(&some);
        let near = some.iter().zip(points.chunks_exact(space.dim)).map(|(&slot, point)| {
            let found = probe(coded, &leaves, point, AROUND, NO_FILTER, scratch);
            let mut others: Vec<u32> = found.iter().map(|&(_, other)| other).collect();
            others.sort_unstable();
            others.dedup();
            others.retain(|&other| other != slot);
            closest(collection, point, &others)
        });
        near.collect::<Vec<_>>()
    });
    parts.into_iter().flatten().collect()
}

/// For each vector the closest of `near` ones and of those that a walk finds from there.
fn by_walks(
    ground: Ground<'_>,
    collection: &Collection<'_>,
    codebook: &Codebook,
    nodes: &[u32],
    near: Vec<Vec<Close>>,
    threads: usize,
) -> Vec<Vec<Close>> {
    let Ground { space, store, .. } = ground;
    let (layout, n, none) = (Layout::new(codebook.codes()), near.len(), Overlay::default());
    let nodes = LinksView::new(layout, nodes, &none, n);
    let buffers = || (Table::default(), Vec::new(), Trail::default());
    let parts = parallel::map_with(threads, n.div_ceil(AT_ONCE), buffers, |(table, bases, trail), part| {
        let some: Vec<u32> = (part * AT_ONCE..((part + 1) * AT_ONCE).min(n)).map(|i| i as u32).collect();
        let points = collection.points(&some);
        let better = some.iter().zip(points.chunks_exact(space.dim)).map(|(&slot, point)| {
            codebook.table(space.kernels, point, Measure::MinusTwiceDot, table);
            store.directory.apart_from_centres(space.kernels, point, bases);
            let asked = Asked { kernels: space.kernels, layout, table, bases };
            let own = &near[slot as usize];
            walk(asked, &nodes, own.iter().map(|&(_, other)| other), WALK, Some(slot), trail);
            let found = trail.found().map(|(_, other)| other);
            let new: Vec<u32> = found.filter(|other| own.iter().all(|&(_, known)| known != *other)).collect();
            merge(own, closest(collection, point, &new))
        });
        better.collect::<Vec<_>>()
    });
    parts.into_iter().flatten().collect()
}
