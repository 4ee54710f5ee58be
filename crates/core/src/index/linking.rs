//! The graph of all vectors at once.

use std::sync::Arc;

use super::buffer::zeros;
use super::links::{Links, LinksView};
use super::overlay::Overlay;
use super::store::LeafStore;
use super::stored::Stored;
use super::train::sample;
use super::update::Work;
use super::walker::Asker;
use crate::graph::{Close, Layout, Trail, closest, link, merge, walk};
use crate::kmeans::Points;
use crate::leaves::{Homes, NO_FILTER, Probe, Scratch, probe};
use crate::quant::{Codebook, Measure};
use crate::random::Random;

/// How far the close vectors of each vector are looked for among the codes.
const AROUND: Probe = Probe { leaves: 32, candidates: 64 };
/// Vectors that the codewords are found from.
const CODEBOOK_SAMPLE: usize = 32_768;
/// How many nodes a walk keeps that looks for close vectors.
const WALK: usize = 64;

/// What a graph is built from: vectors, and the leaves that they lie in.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) stored: Stored<'a>,
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
pub(super) fn build(ground: Ground<'_>, work: Work) -> Links {
    let threads = work.threads;
    let collection = ground.stored.collection();
    let codebook = ground.train_codebook(work);
    let layout = Layout::new(codebook.codes());
    let mut nodes = zeros(ground.stored.len() * layout.words());
    ground.write_codes(&codebook, nodes.as_mut(), threads);
    let near = ground.in_leaves(threads);
    write_edges(layout, &link(&collection, &near, layout.edges(), threads), nodes.as_mut());
    let near = ground.by_walks(&codebook, nodes.as_mut(), near, threads);
    write_edges(layout, &link(&collection, &near, layout.edges(), threads), nodes.as_mut());
    Links::new(Arc::new(codebook), nodes.into_values(), ground.stored.len())
}

fn write_edges(layout: Layout, edges: &[u32], nodes: &mut [u32]) {
    for (node, edges) in nodes.chunks_exact_mut(layout.words()).zip(edges.chunks_exact(layout.edges())) {
        layout.set_edges(node, edges);
    }
}

impl Ground<'_> {
    fn group(&self, slot: u32) -> u32 {
        self.store.directory.group(self.homes[slot as usize][0])
    }

    /// A codebook for what lacks from the centres of the directory's groups.
    fn train_codebook(&self, work: Work) -> Codebook {
        let Self { stored, store, .. } = self;
        let random = &mut Random::new(work.seed, 2);
        let few = sample(stored.len(), CODEBOOK_SAMPLE, random);
        let points = stored.points(&few);
        let points = Points { values: &points, dim: stored.space.dim };
        let residuals = points.residuals(|i| (store.directory.centre(self.group(few[i])), 1.0));
        let residuals = Points { values: &residuals, dim: stored.space.dim };
        store.codebook.train_like(stored.space.kernels, residuals, random, work.threads)
    }

    /// Makes `nodes` those of all vectors, without edges.
    fn write_codes(&self, codebook: &Codebook, nodes: &mut [u32], threads: usize) {
        let Self { stored, store, .. } = self;
        let layout = Layout::new(codebook.codes());
        let coded = stored.map_points(
            threads,
            || (),
            |(), some, points| {
                let mut coded = Vec::with_capacity(some.len());
                let centre = |i: usize| (store.directory.centre(self.group(some[i])), 1.0);
                codebook.encode(
                    stored.space.kernels,
                    Measure::MinusTwiceDot,
                    points,
                    centre,
                    |_, codes, bias| {
                        coded.push((codes.to_vec(), bias));
                    },
                );
                coded
            },
        );
        for ((slot, node), (codes, bias)) in (0..).zip(nodes.chunks_exact_mut(layout.words())).zip(coded) {
            layout.write(node, &codes, bias, self.group(slot));
        }
    }

    /// For each vector the close ones that a look into a few leaves finds.
    fn in_leaves(&self, threads: usize) -> Vec<Vec<Close>> {
        let Self { stored, spilled, .. } = self;
        let (coded, leaves, collection) = (spilled.coded(stored.space), spilled.view(), stored.collection());
        stored.map_points(threads, Scratch::default, |scratch, some, points| {
            let near = some.iter().enumerate().map(|(i, &slot)| {
                let found = probe(coded, &leaves, points.row(i), AROUND, NO_FILTER, scratch);
                let mut others: Vec<u32> = found.iter().map(|&(_, other)| other).collect();
                others.sort_unstable();
                others.dedup();
                others.retain(|&other| other != slot);
                closest(&collection, points.row(i), &others)
            });
            near.collect()
        })
    }

    /// For each vector the closest of `near` ones and of those that a walk finds from there.
    fn by_walks(
        &self,
        codebook: &Codebook,
        nodes: &[u32],
        near: Vec<Vec<Close>>,
        threads: usize,
    ) -> Vec<Vec<Close>> {
        let Self { stored, store, .. } = self;
        let (collection, none) = (stored.collection(), Overlay::default());
        let nodes = LinksView::new(Layout::new(codebook.codes()), nodes.into(), &none, near.len());
        let buffers = || (Asker::default(), Trail::default(), Vec::new());
        stored.map_points(threads, buffers, |(asker, trail, seeds), some, points| {
            let better = some.iter().enumerate().map(|(i, &slot)| {
                let own = &near[slot as usize];
                seeds.clear();
                seeds.extend(own.iter().map(|&(_, other)| other));
                let asked = asker.ask(stored.space, codebook, &store.directory, points.row(i), None);
                walk(asked, &nodes, seeds, WALK, Some(slot), trail);
                let found = trail.found().map(|(_, other)| other);
                let new: Vec<u32> =
                    found.filter(|other| own.iter().all(|&(_, known)| known != *other)).collect();
                merge(own, closest(&collection, points.row(i), &new))
            });
            better.collect()
        })
    }
}
