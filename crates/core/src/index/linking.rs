//! The graph of all vectors at once.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::buffer::{self, Buffer, zeros};
use super::links::{Links, LinksView};
use super::overlay::Overlay;
use super::reach::{AT_BUILD, reach};
use super::store::LeafStore;
use super::stored::Stored;
use super::train::sample;
use super::update::Work;
use crate::filtered::NO_FILTER;
use crate::graph::{
    Chooser, Close, Coder, EDGES, Edge, EdgeBuffers, Own, Rows, Trail, Walk, back, choose, closest, fill,
    sort, spread, walk,
};
use crate::kmeans::Points;
use crate::leaves::{Homes, Probe, Scratch, probe, probe_among, rank};
use crate::parallel;
use crate::quant::{MOST_CODES, Table};
use crate::random::Random;

/// Leaves around a leaf, of which each vector of it looks into the closest few for vectors close to it.
const AROUND: usize = 64;
const LOOK: Look = Look { probe: Probe { leaves: 24, candidates: 64, early: None }, kept: 32 };
/// The same where no walk follows. On 100,000 vectors in clusters on 24 directions, 96 of 12 leaves left searches as wide as 64 a recall of 0.962,
/// 160 of 24 one of 0.970, and walks one of 0.973; the graph took 4.5, 4.6 and 9.5 seconds. What lies between the first two was not measured by itself.
const LOOK_ALONE: Look = Look { probe: Probe { leaves: 20, candidates: 112, early: None }, kept: 112 };
/// How wide a walk is that looks for close vectors, and how many are kept then. On 150,000 sentence embeddings walks of 176, of
/// which 128 were kept, left a search as wide as 128 with a recall of 0.964 instead of 0.968.
const WALK: usize = 256;
const KEPT_OF_WALK: usize = 160;
/// Room that is left for edges is filled from so many of them: from all 160 it took a tenth longer to build, for the same recall.
const FILLED_FROM: usize = 72;
/// Vectors that the mean and the codewords are found from, how far each looks for vectors close to it, and the edges of each.
const SAMPLE: usize = 8192;
const LOOK_OF_SAMPLE: Probe = Probe { leaves: 16, candidates: 64, early: None };
const EDGES_OF_SAMPLE: usize = 2;
/// The share of an edge that its codes may leave. On 150,000 sentence embeddings 0.45, 0.33, 0.25, 0.2 and 0.15 took 94, 55,
/// 46, 45 and 51 microseconds for a recall of 0.95.
const WANTED_DISTORTION: f64 = 0.25;
/// As many vectors as the root of their number are beside the entry points, within these bounds: each walk begins with a look at all of these. With 256 of 60,000
/// pictures instead of 1,024, walks for 0.8 to 0.98 took 0.85 to 0.97 of the time and found as much; with 128 some took longer again.
const LEAST_ENTRIES: usize = 256;
const MOST_ENTRIES: usize = 1024;
/// Vectors that a thread takes at a time, and those whose nodes are written at a time.
const BLOCK: usize = 128;
const CHUNK: usize = 512 * BLOCK;
/// Vectors that a thread brings into bytes at a time.
const CODED_AT_ONCE: usize = 1024;

/// A look into leaves, and how many of what it finds are kept.
#[derive(Clone, Copy)]
struct Look {
    probe: Probe,
    kept: usize,
}

/// What a graph is built from: vectors, and the leaves that they lie in.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) stored: Stored<'a>,
    /// Leaves with each vector in two of them.
    pub(super) store: &'a LeafStore,
    pub(super) homes: &'a [Homes],
}

/// Whether the system has about as much memory as the graph of so many vectors takes while it is built: nodes, in which an edge
/// has a code for two values at most, and the close vectors of each.
pub(super) fn has_room(n: usize, dim: usize) -> bool {
    let codes = dim.div_ceil(2).min(MOST_CODES);
    let node = codes * EDGES / 2 + dim + 2 * EDGES * size_of::<u32>();
    let row = dim + 3 * size_of::<f32>();
    let close = (KEPT_OF_WALK + LOOK.kept + 2 * EDGES) * size_of::<Close>();
    n.checked_mul(node + row + close).is_some_and(buffer::has_room)
}

/// Where the close vectors of each are found, of which edges are chosen.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// By a look into a few leaves.
    InLeaves,
    /// So, and then by a walk on the graph that is made of these.
    OnWalks,
}

/// The graph of all vectors but those in the slots `held_out`, which are there without edges.
pub(super) fn build(ground: Ground<'_>, held_out: &[u32], close: Found, work: Work) -> Links {
    let random = &mut Random::new(work.seed, 2);
    let mut building = Building::new(ground, held_out, work.threads, random);
    match close {
        Found::InLeaves => {
            let near = building.in_leaves(LOOK_ALONE);
            building.lead(&near, true);
        }
        Found::OnWalks => {
            let near = building.in_leaves(LOOK);
            building.lead(&near, false);
            let near = building.by_walks(&near);
            building.lead(&near, true);
        }
    }
    let Building { coder, entries, nodes, order, .. } = building;
    let n = ground.stored.len();
    let mut links = Links::new(Arc::new(coder), Arc::new(entries), nodes.into_values(), n);
    reach(ground.stored, &mut links, &order, AT_BUILD, work.threads);
    links
}

/// A graph on its way.
struct Building<'a> {
    ground: Ground<'a>,
    threads: usize,
    coder: Coder,
    entries: Vec<u32>,
    /// All vectors, and their nodes.
    rows: Rows,
    nodes: Buffer,
    /// All slots but some, leaf by leaf: what lies close together is worked on one after the other, and found in the cache.
    order: Vec<u32>,
    /// The slots of those that get no edges.
    held_out: FxHashSet<u32>,
}

impl<'a> Building<'a> {
    /// All vectors, without edges; nothing in the nodes of those that are held out.
    fn new(ground: Ground<'a>, held_out: &[u32], threads: usize, random: &mut Random) -> Self {
        let n = ground.stored.len();
        let held_out: FxHashSet<u32> = held_out.iter().copied().collect();
        let mut some = sample(n, SAMPLE, random);
        some.retain(|slot| !held_out.contains(slot));
        let coder = ground.coder(&some, random, threads);
        let mut order: Vec<u32> = (0..n as u32).filter(|slot| !held_out.contains(slot)).collect();
        order.sort_by_key(|&slot| ground.homes[slot as usize][0]);
        let rows = in_bytes(ground.stored, &coder, threads);
        let layout = coder.layout();
        let mut nodes = zeros(n * layout.words());
        for &slot in &held_out {
            layout.clear(&mut nodes.as_mut()[slot as usize * layout.words()..][..layout.words()]);
        }
        let mut new = Self { ground, threads, coder, entries: Vec::new(), rows, nodes, order, held_out };
        new.entries = new.entries(&some);
        new
    }

    fn own(&self, slot: u32) -> Own<'_> {
        self.rows.own(slot)
    }

    /// What `make` makes of each slot and its point, by slots.
    fn map<B, T: Send + Default + Clone>(
        &self,
        start: impl Fn() -> B + Sync,
        make: impl Fn(&mut B, u32, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        let stored = &self.ground.stored;
        let parts =
            parallel::map_with(self.threads, self.order.len().div_ceil(BLOCK), start, |buffers, block| {
                let slots = &self.order[block * BLOCK..((block + 1) * BLOCK).min(self.order.len())];
                let points = stored.points(slots);
                let each = slots.iter().zip(points.chunks_exact(stored.space.dim));
                each.map(|(&slot, point)| make(buffers, slot, point)).collect::<Vec<_>>()
            });
        let mut all = vec![T::default(); self.ground.stored.len()];
        for (&slot, made) in self.order.iter().zip(parts.into_iter().flatten()) {
            all[slot as usize] = made;
        }
        all
    }

    /// Writes nodes: `make` gets some slots, and room for their nodes, one behind the other.
    fn write<B: Default>(&mut self, make: impl Fn(&Self, &mut B, &[u32], &mut [u32]) + Sync) {
        let words = self.coder.layout().words();
        for first in (0..self.order.len()).step_by(CHUNK) {
            let some = &self.order[first..(first + CHUNK).min(self.order.len())];
            let parts =
                parallel::map_with(self.threads, some.len().div_ceil(BLOCK), B::default, |buffers, block| {
                    let slots = &some[block * BLOCK..((block + 1) * BLOCK).min(some.len())];
                    let mut part = vec![0; slots.len() * words];
                    make(self, buffers, slots, &mut part);
                    part
                });
            let nodes = self.nodes.as_mut();
            for (part, slots) in parts.iter().zip(some.chunks(BLOCK)) {
                for (node, &slot) in part.chunks_exact(words).zip(slots) {
                    nodes[slot as usize * words..][..words].copy_from_slice(node);
                }
            }
        }
    }

    /// The entry points: nodes at the centre of all, beside which are some vectors.
    fn entries(&self, some: &[u32]) -> Vec<u32> {
        let layout = self.coder.layout();
        let wanted =
            self.ground.homes.len().isqrt().next_multiple_of(EDGES).clamp(LEAST_ENTRIES, MOST_ENTRIES);
        let some = &some[..some.len().min(wanted)];
        let mut entries = vec![0; some.len().div_ceil(EDGES) * layout.words()];
        let mut buffers = EdgeBuffers::default();
        for (entry, some) in entries.chunks_exact_mut(layout.words()).zip(some.chunks(EDGES)) {
            layout.write_centre(entry);
            let centre = entry.to_vec();
            let edges: Vec<Close> = some.iter().map(|&slot| (self.own(slot).square, slot)).collect();
            self.lead_from(layout.own(&centre), &edges, entry, &mut buffers);
        }
        entries
    }

    /// For each vector the close ones that a look into a few leaves finds.
    fn in_leaves(&self, look: Look) -> Vec<Vec<Close>> {
        let Ground { stored, store, homes } = self.ground;
        let (coded, leaves, kernels) = (store.coded(stored.space), store.view(), stored.space.kernels);
        let around = parallel::map_with(self.threads, store.len(), Scratch::default, |scratch, leaf| {
            let ranked = rank(coded, store.directory.centroid(leaf), AROUND, AROUND, scratch);
            ranked.iter().map(|&(_, _, leaf)| leaf).collect::<Vec<u32>>()
        });
        let buffers = || (Scratch::default(), Table::default());
        self.map(buffers, |(scratch, table), slot, point| {
            let among = &around[homes[slot as usize][0] as usize];
            let found = probe_among(coded, &leaves, among, point, look.probe, scratch);
            let asked = self.coder.ask(kernels, point, table);
            let square = self.own(slot).square;
            let others = found
                .iter()
                .map(|&(_, other)| other)
                .filter(|other| *other != slot && !self.held_out.contains(other));
            best(others.map(|other| (square + asked.apart(self.own(other)), other)).collect(), look.kept)
        })
    }

    /// For each vector the closest of `near` ones and of those that a walk finds.
    fn by_walks(&self, near: &[Vec<Close>]) -> Vec<Vec<Close>> {
        let (kernels, none) = (self.ground.stored.space.kernels, Overlay::default());
        let view = LinksView::new(self.coder.layout(), self.nodes.as_ref().into(), &none, near.len());
        let buffers = || (Table::default(), Trail::default());
        self.map(buffers, |(table, trail), slot, point| {
            let square = self.own(slot).square;
            walk(
                self.coder.ask(kernels, point, table),
                &view,
                &self.entries,
                Walk { passed: Some(slot), ..Walk::even(WALK) },
                NO_FILTER,
                trail,
            );
            let found = trail.found().map(|(rank, other)| (square + rank, other));
            best(found.chain(near[slot as usize].iter().copied()).collect(), KEPT_OF_WALK)
        })
    }

    /// Leads edges from all vectors: chosen of those near a vector, and of those that chose it. What room is left is filled with
    /// the closest, or, in the `last` round, which takes longer, with those that lead elsewhere.
    fn lead(&mut self, near: &[Vec<Close>], last: bool) {
        let kernels = self.ground.stored.space.kernels;
        let chosen = self.map(Chooser::default, |chooser, slot, _| {
            let near = &near[slot as usize];
            let ends: Vec<Own<'_>> = near.iter().map(|&(_, other)| self.own(other)).collect();
            choose(kernels, near, &ends, EDGES, chooser)
        });
        let back = back(&chosen);
        self.write(|building, (chooser, buffers): &mut (Chooser, EdgeBuffers), slots, nodes| {
            let stored = &building.ground.stored;
            let (collection, words) = (stored.collection(), building.coder.layout().words());
            let points = stored.points(slots);
            let each =
                slots.iter().zip(points.chunks_exact(stored.space.dim)).zip(nodes.chunks_exact_mut(words));
            for ((&slot, point), node) in each {
                let at = slot as usize;
                let ends =
                    |close: &[Close]| close.iter().map(|&(_, other)| building.own(other)).collect::<Vec<_>>();
                let mut edges = best([chosen[at].as_slice(), &back[at]].concat(), usize::MAX);
                if edges.len() > EDGES {
                    edges = choose(kernels, &edges, &ends(&edges), EDGES, chooser);
                }
                if last {
                    let close = best(
                        [edges.as_slice(), &near[at][..near[at].len().min(FILLED_FROM)]].concat(),
                        usize::MAX,
                    );
                    spread(kernels, &close, &ends(&close), EDGES, &mut edges, chooser);
                    let others: Vec<u32> = edges.iter().map(|&(_, other)| other).collect();
                    edges = closest(&collection, point, &others, EDGES);
                } else {
                    fill(&mut edges, &near[at], EDGES);
                }
                building.coder.layout().write(node, building.own(slot));
                building.lead_from(building.own(slot), &edges, node, buffers);
            }
        });
    }

    /// Leads edges from a vector, in its node, which has none.
    fn lead_from(&self, from: Own<'_>, edges: &[Close], node: &mut [u32], buffers: &mut EdgeBuffers) {
        let edge = |&(square, to): &Close| (to, Edge { from, to: self.own(to), square });
        let edges: Vec<(u32, Edge<'_>)> = edges.iter().map(edge).collect();
        self.coder.lead(self.ground.stored.space.kernels, &edges, node, buffers);
    }
}

impl Ground<'_> {
    /// What codes the vectors and their edges, by the vectors in some slots.
    fn coder(&self, some: &[u32], random: &mut Random, threads: usize) -> Coder {
        let Self { stored, store, .. } = self;
        let (kernels, dim, collection) = (stored.space.kernels, stored.space.dim, stored.collection());
        let points = stored.points(some);
        let points = Points { values: &points, dim };
        let coder = Coder::new(kernels, (*store.codebook).clone(), points.mean());
        let near = parallel::map_with(threads, some.len(), Scratch::default, |scratch, i| {
            let coded = store.coded(stored.space);
            let found = probe(coded, &store.view(), points.row(i), LOOK_OF_SAMPLE, NO_FILTER, scratch);
            let mut others: Vec<u32> = found.iter().map(|&(_, other)| other).collect();
            others.retain(|&other| other != some[i]);
            closest(&collection, points.row(i), &others, LOOK.kept)
        });
        let (mut from, mut to, mut squares) = (Vec::new(), Vec::new(), Vec::new());
        for (&slot, near) in some.iter().zip(&near) {
            for _ in 0..EDGES_OF_SAMPLE.min(near.len()) {
                let (square, other) = near[random.below(near.len())];
                from.push(slot);
                to.push(other);
                squares.push(square);
            }
        }
        let directions = parallel::map_ranges(threads, from.len(), CODED_AT_ONCE, |some| {
            let [from, to] = [&from, &to].map(|slots| stored.points(&slots[some.clone()]));
            let [from, to] = [&from, &to].map(|points| Points { values: points, dim });
            coder.directions(kernels, from, to, &squares[some])
        });
        let directions = directions.concat();
        let sample = Points { values: &directions, dim: coder.layout().width() };
        let codebook = coder.codebook().train_projected(kernels, sample, WANTED_DISTORTION, random, threads);
        coder.with_codebook(codebook)
    }
}

/// All vectors in bytes, by slots.
fn in_bytes(stored: Stored<'_>, coder: &Coder, threads: usize) -> Rows {
    let (n, width) = (stored.len(), coder.layout().width());
    let parts = parallel::map_ranges(threads, n, CODED_AT_ONCE, |some| {
        let slots: Vec<u32> = some.map(|slot| slot as u32).collect();
        let points = stored.points(&slots);
        let mut rows = Rows::with_capacity(slots.len(), width);
        let points = Points { values: &points, dim: stored.space.dim };
        coder.code(stored.space.kernels, points, |_, own| rows.push(own));
        rows
    });
    let mut all = Rows::with_capacity(n, width);
    parts.into_iter().for_each(|part| all.append(&part));
    all
}

/// The closest `kept` of some vectors, each known once, closest first.
fn best(mut close: Vec<Close>, kept: usize) -> Vec<Close> {
    sort(&mut close);
    close.truncate(kept);
    close.shrink_to_fit();
    close
}
