//! The graph of all vectors at once.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::buffer::{self, Buffer, zeros};
use super::links::Links;
use super::neighbours::{Vicinity, share_of_new};
use super::reach::{AT_BUILD, reach};
use super::store::LeafStore;
use super::stored::Stored;
use super::train::sample;
use super::update::Work;
use crate::filtered::NO_FILTER;
use crate::graph::{
    Between, Chooser, Close, Coder, EDGES, Edge, EdgeBuffers, Own, Rows, back, choose, closest, sort,
};
use crate::kmeans::Points;
use crate::leaves::{Homes, Probe, Scratch, probe};
use crate::parallel;
use crate::quant::MOST_CODES;
use crate::random::Random;

/// As many of the leaves around a leaf as a search looks into, within these bounds, are where its vectors look for those close to them. On 150,000
/// sentence embeddings 24, 48, 96 and 192 had 0.72, 0.76, 0.81 and 0.86 of the ten closest; on 68,000 pictures 16 had 0.97.
const LEAST_AROUND: usize = 24;
const MOST_AROUND: usize = 128;
/// How many each keeps of these; those close to how many of them it looks at then; and how many it keeps of all.
const KEPT_OF_LEAVES: usize = 64;
const JOINED: usize = 24;
const KEPT: usize = 144;
/// Those close to these are looked at again while so many of the closest were not known before, but no more often than the other says. Of 150,000
/// sentence embeddings 0.11 were new, and then 0.04; a second round took 2 to 3 of 62 seconds, and searches for 0.95 and 0.99 took 0.85 to 0.9 of the
/// time then, after a third one as long. Of SIFT features 0.08 were new, of pictures of clothes 0.01: it changed nothing.
const MUCH_NEW: f64 = 0.1;
const MOST_ROUNDS: usize = 3;
/// Room that is left for edges is filled from so many of them. From 48 or 32 fashion is built in 0.97 and 0.95 of the
/// time, 150,000 sentences in as much, and these take 1.02 to 1.14 times as long to search.
const FILLED_FROM: usize = 72;
/// Vectors that the mean and the codewords are found from, how far each looks for vectors close to it, and the edges of each.
const SAMPLE: usize = 8192;
const LOOK_OF_SAMPLE: Probe = Probe { leaves: 16, candidates: 64, early: None };
const KEPT_OF_SAMPLE: usize = 32;
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
const CHUNK: usize = 64 * BLOCK;
/// Vectors that a thread brings into bytes at a time.
const CODED_AT_ONCE: usize = 1024;

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
    let row = 2 * (dim + 3 * size_of::<f32>()); // by itself and in tiles
    let close = 2 * (KEPT + EDGES) * size_of::<Close>(); // before they are joined and after, the chosen ones and those back
    n.checked_mul(node + row + close).is_some_and(buffer::has_room)
}

/// The graph of all vectors but those in the slots `held_out`, which are there without edges; `looked` is how many leaves a search looks into.
pub(super) fn build(ground: Ground<'_>, held_out: &[u32], looked: usize, work: Work) -> Links {
    let building = Building::new(ground, held_out, work);
    let near = building.near(looked.clamp(LEAST_AROUND, MOST_AROUND));
    let nodes = building.lead(&near, held_out);
    let Building { coder, entries, order, .. } = building;
    let mut links = Links::new(Arc::new(coder), Arc::new(entries), nodes.into_values(), ground.stored.len());
    reach(ground.stored, &mut links, &order, AT_BUILD, work.threads);
    links
}

/// A graph on its way. Vectors are known by their places: leaf by leaf, so that what lies close together is worked on one after the other, and
/// found in the cache.
struct Building<'a> {
    ground: Ground<'a>,
    threads: usize,
    coder: Coder,
    entries: Vec<u32>,
    /// The slots in the order of the places: all but some.
    order: Vec<u32>,
    /// Where each leaf's places begin, and where the last one's end.
    starts: Vec<u32>,
    rows: Rows,
}

impl<'a> Building<'a> {
    fn new(ground: Ground<'a>, held_out: &[u32], work: Work) -> Self {
        let (n, random) = (ground.stored.len(), &mut Random::new(work.seed, 2));
        let held_out: FxHashSet<u32> = held_out.iter().copied().collect();
        let mut some = sample(n, SAMPLE, random);
        some.retain(|slot| !held_out.contains(slot));
        let coder = ground.coder(&some, random, work.threads);
        let mut order: Vec<u32> = (0..n as u32).filter(|slot| !held_out.contains(slot)).collect();
        let leaf = |slot: u32| ground.homes[slot as usize][0] as usize;
        order.sort_by_key(|&slot| leaf(slot));
        let start = |at: usize| order.partition_point(|&slot| leaf(slot) < at) as u32;
        let starts = (0..=ground.store.len()).map(start).collect();
        let rows = in_bytes(ground.stored, &coder, &order, work.threads);
        let mut new = Self { ground, threads: work.threads, coder, entries: Vec::new(), order, starts, rows };
        new.entries = new.entries(random);
        new
    }

    fn own(&self, place: u32) -> Own<'_> {
        self.rows.own(place)
    }

    fn vicinity(&self) -> Vicinity<'_> {
        let kernels = self.ground.stored.space.kernels;
        Vicinity { kernels, rows: &self.rows, starts: &self.starts, threads: self.threads }
    }

    /// The entry points: nodes at the centre of all, beside which are some vectors.
    fn entries(&self, random: &mut Random) -> Vec<u32> {
        let layout = self.coder.layout();
        let wanted =
            self.ground.homes.len().isqrt().next_multiple_of(EDGES).clamp(LEAST_ENTRIES, MOST_ENTRIES);
        let some = sample(self.order.len(), wanted, random);
        let mut entries = vec![0; some.len().div_ceil(EDGES) * layout.words()];
        let mut buffers = EdgeBuffers::default();
        for (entry, some) in entries.chunks_exact_mut(layout.words()).zip(some.chunks(EDGES)) {
            layout.write_centre(entry);
            let centre = entry.to_vec();
            let edges: Vec<Close> = some.iter().map(|&place| (self.own(place).square, place)).collect();
            self.lead_from(layout.own(&centre), &edges, entry, &mut buffers);
        }
        entries
    }

    /// For each vector those close to it, found in so many leaves and among those close to these.
    fn near(&self, around: usize) -> Vec<Vec<Close>> {
        let Ground { stored, store, homes } = self.ground;
        let homes: Vec<Homes> = self.order.iter().map(|&slot| homes[slot as usize]).collect();
        let vicinity = self.vicinity();
        let mut near = vicinity.in_leaves(store.coded(stored.space), store, &homes, around, KEPT_OF_LEAVES);
        for _ in 0..MOST_ROUNDS {
            let joined = vicinity.join(&near, JOINED, KEPT);
            let new = share_of_new(&near, &joined);
            near = joined;
            if new < MUCH_NEW {
                break;
            }
        }
        near
    }

    /// The nodes of all vectors, by slots. Edges are chosen of those near a vector, and of those that chose it; what room is left is filled
    /// with those that lead elsewhere.
    fn lead(&self, near: &[Vec<Close>], held_out: &[u32]) -> Buffer {
        let (stored, layout) = (self.ground.stored, self.coder.layout());
        let (kernels, words) = (stored.space.kernels, layout.words());
        let chosen = self.vicinity().map(Chooser::default, |chooser, place| {
            let near = &near[place as usize];
            choose(kernels, near, &self.ends(near), EDGES, chooser)
        });
        let back = back(&chosen);
        let mut nodes = zeros(stored.len() * words);
        for &slot in held_out {
            layout.clear(&mut nodes.as_mut()[slot as usize * words..][..words]);
        }
        for first in (0..self.order.len()).step_by(CHUNK) {
            let some = &self.order[first..(first + CHUNK).min(self.order.len())];
            let blocks = some.len().div_ceil(BLOCK);
            let buffers = <(Between, EdgeBuffers)>::default;
            let parts = parallel::map_with(self.threads, blocks, buffers, |(between, buffers), block| {
                let places = first + block * BLOCK..first + some.len().min((block + 1) * BLOCK);
                let mut part = vec![0; places.len() * words];
                for (place, node) in places.zip(part.chunks_exact_mut(words)) {
                    let near = &near[place][..near[place].len().min(FILLED_FROM)];
                    let edges = self.edges(place as u32, &chosen[place], &back[place], near, between);
                    let own = self.own(place as u32);
                    layout.write(node, own);
                    self.lead_from(own, &edges, node, buffers);
                }
                part
            });
            let nodes = nodes.as_mut();
            for (part, slots) in parts.iter().zip(some.chunks(BLOCK)) {
                for (node, &slot) in part.chunks_exact(words).zip(slots) {
                    nodes[slot as usize * words..][..words].copy_from_slice(node);
                }
            }
        }
        nodes
    }

    /// The edges of a vector: of those that it chose and those that chose it, and of others near it.
    fn edges(
        &self,
        place: u32,
        chosen: &[Close],
        back: &[Close],
        near: &[Close],
        between: &mut Between,
    ) -> Vec<Close> {
        let (stored, own) = (self.ground.stored, self.own(place));
        let kernels = stored.space.kernels;
        let close = sorted([chosen, back, near].concat());
        between.measure(kernels, &self.ends(&close));
        let mut both: Vec<u32> = chosen.iter().chain(back).map(|&(_, place)| place).collect();
        both.sort_unstable();
        let first = (0..close.len()).filter(|&i| both.binary_search(&close[i].1).is_ok()).collect();
        let mut edges: Vec<Close> =
            between.edges(&close, first, EDGES).into_iter().map(|i| close[i]).collect();
        // The codes of an edge are stretched by its length.
        for edge in edges.iter_mut().filter(|edge| own.is_close(edge.0)) {
            let points = stored.points(&[place, edge.1].map(|place| self.order[place as usize]));
            let (point, end) = points.split_at(stored.space.dim);
            edge.0 = (kernels.l2_squared)(point, end);
        }
        sorted(edges)
    }

    fn ends(&self, close: &[Close]) -> Vec<Own<'_>> {
        close.iter().map(|&(_, place)| self.own(place)).collect()
    }

    /// Leads edges from a vector, in its node, which has none.
    fn lead_from(&self, from: Own<'_>, edges: &[Close], node: &mut [u32], buffers: &mut EdgeBuffers) {
        let edge = |&(square, to): &Close| (self.order[to as usize], Edge { from, to: self.own(to), square });
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
            closest(&collection, points.row(i), &others, KEPT_OF_SAMPLE)
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

/// The vectors in some slots in bytes.
fn in_bytes(stored: Stored<'_>, coder: &Coder, slots: &[u32], threads: usize) -> Rows {
    let width = coder.layout().width();
    let parts = parallel::map_ranges(threads, slots.len(), CODED_AT_ONCE, |some| {
        let points = stored.points(&slots[some.clone()]);
        let mut rows = Rows::with_capacity(some.len(), width);
        let points = Points { values: &points, dim: stored.space.dim };
        coder.code(stored.space.kernels, points, |_, own| rows.push(own));
        rows
    });
    let mut all = Rows::with_capacity(slots.len(), width);
    parts.into_iter().for_each(|part| all.append(&part));
    all
}

/// Some vectors, each once, closest first.
fn sorted(mut close: Vec<Close>) -> Vec<Close> {
    sort(&mut close);
    close
}
