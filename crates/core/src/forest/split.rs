//! Cuts a set of items in two by a plane.
//!
//! For vectors of floats the plane lies halfway between two centres, found by the heuristic of Annoy's `two_means`:
//! two items to start from, then 200 random ones, each drawn into the closer centre, where a centre that has drawn in
//! many counts as farther away, so that the two stay balanced. For bits the cut is the value of one bit.

use super::items::Items;
use super::metric::Metric;
use super::space::Space;
use crate::random::{Random, mix};
use crate::simd::{self, Word};

/// Random items that pull at the centres (Annoy's number).
const STEPS: usize = 200;
/// How often a plane is tried before the halves may be of any size.
const ATTEMPTS: usize = 3;
/// A share of the items on one side up to which a cut is taken at once (Annoy's number).
const BALANCED: f64 = 0.95;
/// A share on one side beyond which a plane is worse than chance (Annoy's number).
const HOPELESS: f64 = 0.99;
/// Random bits that are tried before all are, in turn (Annoy's number).
const BIT_ATTEMPTS: usize = 20;
/// Items whose margins are computed together: a block in flight while the next one comes from memory.
const BLOCK: usize = super::space::BLOCK;
/// How many steps of the two means are fetched ahead.
const AHEAD: usize = 8;

/// Makes cuts; keeps its buffers between them.
pub(super) struct Splitter<'a> {
    space: Space,
    items: &'a Items,
    centres: [Centre; 2],
    draws: Vec<u32>,
    sides: Vec<bool>,
    spare: Vec<u32>,
}

/// A centre of items and how many it has drawn in.
#[derive(Default)]
struct Centre {
    mean: Vec<f32>,
    /// Squared length of the mean, for the angular metrics.
    norm: f32,
    drawn: f32,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(space: Space, items: &'a Items) -> Self {
        Self {
            space,
            items,
            centres: Default::default(),
            draws: Vec::new(),
            sides: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Orders `ids` so that side 0 comes first, each side in the order it had, writes the plane into `node`, and
    /// returns where side 1 begins. Both sides hold something. `ids` are at least two living items.
    pub(super) fn cut(&mut self, ids: &mut [u32], random: &mut Random, node: &mut [u32]) -> usize {
        let mut larger = 1.0;
        for _ in 0..ATTEMPTS {
            self.choose_plane(ids, random, node);
            self.choose_sides(ids, random, node);
            let on_one = self.sides.iter().filter(|&&side| side).count();
            larger = on_one.max(ids.len() - on_one) as f64 / ids.len() as f64;
            if larger < BALANCED {
                break;
            }
        }
        if larger > HOPELESS || larger == 1.0 {
            // Such as many equal vectors: no plane parts them. A plane without a normal says that both sides are as good.
            node.fill(0);
            self.space.layout.mark_blind(node);
            self.sides.clear();
            self.sides.extend((0..ids.len()).map(|i| i % 2 == 1));
            let mut i = ids.len();
            while i > 1 {
                self.sides.swap(i - 1, random.below(i));
                i -= 1;
            }
        }
        self.part(ids)
    }

    /// Moves `ids` to their sides.
    fn part(&mut self, ids: &mut [u32]) -> usize {
        self.spare.clear();
        let mut kept = 0;
        for i in 0..ids.len() {
            if self.sides[i] {
                self.spare.push(ids[i]);
            } else {
                ids[kept] = ids[i];
                kept += 1;
            }
        }
        ids[kept..].copy_from_slice(&self.spare);
        kept
    }

    fn choose_sides(&mut self, ids: &[u32], random: &mut Random, node: &[u32]) {
        let Self { space, items, sides, .. } = self;
        sides.clear();
        let mut views: [&[u32]; BLOCK] = [&[]; BLOCK];
        let mut margins = [0.0; BLOCK];
        fetch(items, ids.get(..BLOCK).unwrap_or(ids));
        for (i, block) in ids.chunks(BLOCK).enumerate() {
            fetch(items, ids.get((i + 1) * BLOCK..).map_or(&[], |rest| &rest[..rest.len().min(BLOCK)]));
            for (view, &id) in views.iter_mut().zip(block) {
                *view = items.node(id);
            }
            space.margins(node, &views[..block.len()], &mut margins[..block.len()]);
            sides.extend(
                margins[..block.len()].iter().map(
                    |&margin| {
                        if margin == 0.0 { random.flip() } else { margin > 0.0 }
                    },
                ),
            );
        }
    }

    fn choose_plane(&mut self, ids: &[u32], random: &mut Random, node: &mut [u32]) {
        node.fill(0);
        let layout = self.space.layout;
        if layout.metric == Metric::Hamming {
            return self.choose_bit(ids, random, node);
        }
        self.two_means(ids, random);
        let normal: &mut [f32] = bytemuck::cast_slice_mut(layout.vector_mut(node));
        let [p, q] = &self.centres;
        for ((normal, &p), &q) in normal.iter_mut().zip(&p.mean).zip(&q.mean) {
            *normal = p - q;
        }
        let length = (self.space.kernels.dot)(normal, normal).sqrt();
        if length > 0.0 {
            normal.iter_mut().for_each(|value| *value /= length);
        }
        if matches!(layout.metric, Metric::Euclidean | Metric::Manhattan) {
            let middle = |((&normal, &p), &q): ((&f32, &f32), &f32)| normal * (p + q) / 2.0;
            let offset: f32 = normal.iter().zip(&p.mean).zip(&q.mean).map(middle).sum();
            layout.set_offset(node, -offset);
        }
    }

    /// Draws the two centres apart.
    fn two_means(&mut self, ids: &[u32], random: &mut Random) {
        let first = random.below(ids.len());
        let second = random.below(ids.len() - 1);
        let second = second + usize::from(second >= first);
        self.draws.clear();
        self.draws.extend((0..STEPS).map(|_| ids[random.below(ids.len())]));

        let Self { space, items, centres, draws, .. } = self;
        let layout = space.layout;
        let directional = matches!(layout.metric, Metric::Angular | Metric::Dot);
        for (centre, &start) in centres.iter_mut().zip(&[ids[first], ids[second]]) {
            centre.start(space, items.node(start), directional);
        }
        fetch(items, &draws[..AHEAD]);
        for (i, &id) in draws.iter().enumerate() {
            if let Some(&later) = draws.get(i + AHEAD) {
                fetch(items, &[later]);
            }
            let node = items.node(id);
            let row = layout.floats(node);
            let views = [centres[0].mean.as_slice(), &centres[1].mean];
            let mut apart = [0.0; 2];
            let mut scale = 1.0;
            let mut dots = [0.0; 2];
            if directional {
                let norm = space.squared_length(node);
                if norm <= 0.0 || norm.is_nan() {
                    continue; // a vector without direction pulls nowhere
                }
                scale = 1.0 / norm.sqrt();
                (space.kernels.dot_rows)(row, &views, &mut dots);
                for ((apart, dot), centre) in apart.iter_mut().zip(&mut dots).zip(centres.iter()) {
                    *dot *= scale;
                    *apart = if centre.norm > 0.0 { 1.0 - *dot / centre.norm.sqrt() } else { 1.0 };
                }
            } else if layout.metric == Metric::Manhattan {
                (space.kernels.l1_rows)(row, &views, &mut apart);
            } else {
                (space.kernels.l2_squared_rows)(row, &views, &mut apart);
            }
            // Which one draws is as good as random, so it is computed and not branched on.
            let [p, q] = [apart[0] * centres[0].drawn, apart[1] * centres[1].drawn];
            if p != q {
                let closer = usize::from(q < p);
                centres[closer].draw(space, row, scale, dots[closer]);
            }
        }
    }

    /// Looks for a bit that both values occur at: some at random, then all in turn.
    fn choose_bit(&mut self, ids: &[u32], random: &mut Random, node: &mut [u32]) {
        let layout = self.space.layout;
        let n_bits = layout.bits(node).len() * 64;
        let mut parts = |position: usize| {
            let word: Word = (position as u64).to_le_bytes();
            let vector: &mut [Word] = bytemuck::cast_slice_mut(layout.vector_mut(node));
            vector[0] = word;
            let set = |&id: &u32| self.space.bit(node, layout.bits(self.items.node(id))) > 0.0;
            let first = set(&ids[0]);
            ids.iter().any(|id| set(id) != first)
        };
        if n_bits > 0 && !(0..BIT_ATTEMPTS).any(|_| parts(random.below(n_bits))) {
            (0..n_bits).any(parts);
        }
    }
}

impl Centre {
    fn start(&mut self, space: &Space, node: &[u32], directional: bool) {
        self.mean.clear();
        self.mean.extend_from_slice(space.layout.floats(node));
        self.drawn = 1.0;
        if directional {
            let norm = (space.kernels.dot)(&self.mean, &self.mean);
            self.norm = if norm > 0.0 { 1.0 } else { 0.0 };
            if norm > 0.0 {
                let scale = 1.0 / norm.sqrt();
                self.mean.iter_mut().for_each(|value| *value *= scale);
            }
        }
    }

    /// Moves the mean to take in `row * scale`, whose inner product with the mean is `dot`.
    fn draw(&mut self, space: &Space, row: &[f32], scale: f32, dot: f32) {
        let share = 1.0 / (self.drawn + 1.0);
        let keep = 1.0 - share;
        (space.kernels.blend)(&mut self.mean, keep, row, scale * share);
        // |keep * mean + share * unit|², without another pass over the mean.
        self.norm = keep * keep * self.norm + 2.0 * keep * share * dot + share * share;
        self.drawn += 1.0;
    }
}

/// Starts fetching the nodes of `ids`.
pub(super) fn fetch(items: &Items, ids: &[u32]) {
    for &id in ids {
        simd::prefetch(items.node(id));
    }
}

/// The side of a plane on which an item lies. Where the plane cannot tell, a coin that falls the same way every time.
pub(super) fn side(space: &Space, plane: &[u32], vector: &[u32], id: u32, reference: u32) -> usize {
    let margin = if space.layout.is_blind(plane) { 0.0 } else { space.margin(plane, vector) };
    if margin == 0.0 || margin.is_nan() {
        (mix(u64::from(id), u64::from(reference)) & 1) as usize
    } else {
        usize::from(margin > 0.0)
    }
}
