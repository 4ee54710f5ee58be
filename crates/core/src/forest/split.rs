//! Cuts a set of items in two by a plane.
//!
//! For vectors of floats the plane lies halfway between two centres, found by the heuristic of Annoy's `two_means`:
//! two items to start from, then some 200 random ones, each drawn into the closer centre, where a centre that has drawn in
//! many counts as farther away, so that the two stay balanced. For bits the cut is the value of one bit.

use super::local::{Local, is_directional};
use super::metric::Metric;
use super::space::{BLOCK, Space};
use crate::random::{Random, mix};
use crate::simd::{Lines, Word};

/// Random items that pull at the centres. Annoy takes 200, and looks at them one by one; with a few more the buckets
/// come out as tight.
const STEPS: usize = 256;
/// How many of them are looked at before the centres move.
const TOGETHER: usize = 8;
/// How often a plane is tried before the halves may be of any size (Annoy's number).
const ATTEMPTS: usize = 3;
/// A share of the items on one side up to which a cut is taken at once (Annoy's number).
const BALANCED: f64 = 0.95;
/// A share on one side beyond which a plane is worse than chance (Annoy's number).
const HOPELESS: f64 = 0.99;
/// Random bits that are tried before all are, in turn (Annoy's number).
const BIT_ATTEMPTS: usize = 20;

/// How many bits that part the items are enough to choose from.
const BIT_CHOICE: usize = 3;

/// Makes cuts; keeps its buffers between them.
pub(super) struct Splitter {
    space: Space,
    centres: [Centre; 2],
    /// The normal of the plane, padded as rows are.
    normal: Lines,
    sides: Vec<bool>,
    spare: Vec<u32>,
}

/// A centre of items.
#[derive(Default)]
struct Centre {
    mean: Lines,
    /// How many items it is the mean of, a whole number.
    drawn: f32,
    /// 1 / length of the mean, where directions count.
    per_length: f32,
}

impl Splitter {
    pub(super) fn new(space: Space) -> Self {
        Self {
            space,
            centres: Default::default(),
            normal: Lines::default(),
            sides: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Orders `rows`, numbers of rows of `local`, so that side 0 comes first, each side in the order it had; writes the
    /// plane into `node`; and returns where side 1 begins. Both sides hold something. There are at least two rows.
    pub(super) fn cut(
        &mut self,
        local: &Local,
        rows: &mut [u32],
        random: &mut Random,
        node: &mut [u32],
    ) -> usize {
        let mut larger = 1.0;
        for _ in 0..ATTEMPTS {
            self.choose_plane(local, rows, random, node);
            self.choose_sides(local, rows, random, node);
            let on_one = self.sides.iter().filter(|&&side| side).count();
            larger = on_one.max(rows.len() - on_one) as f64 / rows.len() as f64;
            if larger < BALANCED {
                break;
            }
        }
        if larger > HOPELESS || larger == 1.0 {
            // Such as many equal vectors: no plane parts them. A plane without a normal says that both sides are as good.
            node.fill(0);
            self.space.layout.mark_blind(node);
            self.sides.clear();
            self.sides.extend((0..rows.len()).map(|i| i % 2 == 1));
            for i in (1..rows.len()).rev() {
                self.sides.swap(i, random.below(i + 1));
            }
        }
        self.part(rows)
    }

    /// Moves `rows` to their sides.
    fn part(&mut self, rows: &mut [u32]) -> usize {
        self.spare.resize(rows.len(), 0);
        let (mut kept, mut moved) = (0, 0);
        // Sides are as good as random: writing to both places costs less than a branch.
        for i in 0..rows.len() {
            let (row, side) = (rows[i], usize::from(self.sides[i]));
            rows[kept] = row;
            self.spare[moved] = row;
            kept += 1 - side;
            moved += side;
        }
        rows[kept..].copy_from_slice(&self.spare[..moved]);
        kept
    }

    fn choose_sides(&mut self, local: &Local, rows: &[u32], random: &mut Random, node: &[u32]) {
        let Self { space, sides, normal, .. } = self;
        sides.clear();
        if space.layout.metric == Metric::Hamming {
            sides.extend(rows.iter().map(|&row| space.bit(node, local.bits(row)) > 0.0));
            return;
        }
        let offset = space.layout.add_offset(node, 0.0);
        let mut views: [&[f32]; BLOCK] = [&[]; BLOCK];
        let mut margins = [0.0; BLOCK];
        for block in rows.chunks(BLOCK) {
            for (view, &row) in views.iter_mut().zip(block) {
                *view = local.row(row);
            }
            (space.kernels.dot_rows)(normal, &views[..block.len()], &mut margins[..block.len()]);
            sides.extend(margins[..block.len()].iter().map(|&margin| {
                let margin = margin + offset;
                if margin == 0.0 { random.flip() } else { margin > 0.0 }
            }));
        }
    }

    fn choose_plane(&mut self, local: &Local, rows: &[u32], random: &mut Random, node: &mut [u32]) {
        node.fill(0);
        let layout = self.space.layout;
        if layout.metric == Metric::Hamming {
            return self.choose_bit(local, rows, random, node);
        }
        self.two_means(local, rows, random);
        let [p, q] = &self.centres;
        self.normal.reset(p.mean.len());
        for ((normal, p), q) in self.normal.iter_mut().zip(p.mean.iter()).zip(q.mean.iter()) {
            *normal = p - q;
        }
        let length = (self.space.kernels.dot)(&self.normal, &self.normal).sqrt();
        if length > 0.0 {
            self.normal.iter_mut().for_each(|value| *value /= length);
        }
        bytemuck::cast_slice_mut(layout.vector_mut(node)).copy_from_slice(&self.normal[..layout.vector_len]);
        if !is_directional(layout.metric) {
            let middle = |((&normal, &p), &q): ((&f32, &f32), &f32)| normal * (p + q) / 2.0;
            let offset: f32 = self.normal.iter().zip(p.mean.iter()).zip(q.mean.iter()).map(middle).sum();
            layout.set_offset(node, -offset);
        }
    }

    /// Draws the two centres apart.
    ///
    /// Annoy moves a centre with every item and only then looks at the next one, which makes each step wait for the one
    /// before. Here up to [`TOGETHER`] items are looked at together, a small share of those that the centres are the
    /// mean of already, before the centres move; the counts that balance them go on with every item.
    fn two_means(&mut self, local: &Local, rows: &[u32], random: &mut Random) {
        let Self { space, centres, .. } = self;
        let first = random.below(rows.len());
        let second = random.below(rows.len() - 1);
        let second = second + usize::from(second >= first);
        centres[0].start(space, local.row(rows[first]));
        centres[1].start(space, local.row(rows[second]));
        let steps = (3 * rows.len()).min(STEPS); // of few items, not the same ones over and over
        let mut drawn = 0;
        while drawn < steps {
            let n = (drawn / 4).clamp(1, TOGETHER).min(steps - drawn);
            drawn += n;
            let mut views: [&[f32]; TOGETHER] = [&[]; TOGETHER];
            for view in &mut views[..n] {
                *view = local.row(rows[random.below(rows.len())]);
            }
            let mut apart = [[0.0; TOGETHER]; 2];
            distances(space, centres, &views[..n], &mut apart);
            let (weights, counts) = weigh(&apart, [centres[0].drawn, centres[1].drawn], n);
            let keeps = [0, 1].map(|c| centres[c].drawn / (centres[c].drawn + counts[c]));
            let [p, q] = &mut *centres;
            let weights = weights.each_ref().map(|weights| &weights[..n]);
            (space.kernels.blend)([&mut p.mean, &mut q.mean], keeps, &views[..n], weights);
            for (centre, count) in centres.iter_mut().zip(counts) {
                centre.drawn += count;
                centre.measure(space);
            }
        }
    }

    /// Looks for a bit that both values occur at: of the first few such bits at random the one that parts the items most
    /// evenly, or else the first of all bits in turn.
    fn choose_bit(&self, local: &Local, rows: &[u32], random: &mut Random, node: &mut [u32]) {
        let layout = self.space.layout;
        let n_bits = layout.bits(node).len() * 64;
        let write = |position: usize, node: &mut [u32]| {
            let vector: &mut [Word] = bytemuck::cast_slice_mut(layout.vector_mut(node));
            vector[0] = (position as u64).to_le_bytes();
        };
        let mut smaller_side = |position: usize| {
            write(position, node);
            let set = rows.iter().filter(|&&row| self.space.bit(node, local.bits(row)) > 0.0).count();
            set.min(rows.len() - set)
        };
        if n_bits == 0 {
            return;
        }
        let mut best = (0, 0);
        let mut found = 0;
        for _ in 0..BIT_ATTEMPTS {
            let position = random.below(n_bits);
            let smaller = smaller_side(position);
            best = best.max((smaller, position));
            found += usize::from(smaller > 0);
            if found == BIT_CHOICE {
                break;
            }
        }
        if found == 0 {
            best = (0..n_bits)
                .map(|position| (smaller_side(position), position))
                .find(|best| best.0 > 0)
                .unwrap_or(best);
        }
        write(best.1, node);
    }
}

impl Centre {
    fn start(&mut self, space: &Space, row: &[f32]) {
        self.mean.reset(row.len());
        self.mean.copy_from_slice(row);
        self.drawn = 1.0;
        self.measure(space);
    }

    fn measure(&mut self, space: &Space) {
        if is_directional(space.layout.metric) {
            let norm = (space.kernels.dot)(&self.mean, &self.mean);
            self.per_length = if norm > 0.0 { 1.0 / norm.sqrt() } else { 0.0 };
        }
    }
}

/// The weight of each of `n` items in the new means, nothing in the one that is farther, and how many go to each.
///
/// Which centre is closer is as good as random, so it is computed and not branched on. Item i goes to the second one, if
/// k items before it did, when `apart[1][i] * (drawn[1] + k) < apart[0][i] * (drawn[0] + i - k)`: when k is below a bound
/// that does not wait for the items before.
fn weigh(apart: &[[f32; TOGETHER]; 2], drawn: [f32; 2], n: usize) -> ([[f32; TOGETHER]; 2], [f32; 2]) {
    let mut bounds = [0; TOGETHER];
    for (i, bound) in bounds.iter_mut().enumerate() {
        let (p, q) = (apart[0][i], apart[1][i]);
        *bound = small_ceil((p * (drawn[0] + i as f32) - q * drawn[1]) / (p + q));
    }
    let (mut to_second, mut goes) = (0, [0; TOGETHER]);
    for (goes, bound) in goes[..n].iter_mut().zip(&bounds) {
        *goes = u32::from(to_second < *bound);
        to_second += *goes;
    }
    let counts = [(n as u32 - to_second) as f32, to_second as f32];
    let each = [0, 1].map(|c| 1.0 / (drawn[c] + counts[c]));
    let weight = |c| goes.map(|goes| if goes == c { each[c as usize] } else { 0.0 });
    ([weight(0), weight(1)], counts)
}

/// `value` up to the next whole number, from 0 to [`TOGETHER`]; 0 for NaN. Without a branch, and for several at a time: a
/// conversion would ask each for what has no place in an integer.
#[inline(always)]
fn small_ceil(value: f32) -> u32 {
    /// Between this and its double, floats are the whole numbers.
    const WHOLE: f32 = (1 << 23) as f32;
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < TOGETHER as f32 { value } else { TOGETHER as f32 };
    let rounded = value + WHOLE;
    rounded.to_bits() - WHOLE.to_bits() + u32::from(rounded - WHOLE < value)
}

/// How far each row is from both centres: 1 - cos, the squared difference, or the sum of differences.
fn distances(space: &Space, centres: &[Centre; 2], rows: &[&[f32]], apart: &mut [[f32; TOGETHER]; 2]) {
    let means = centres.each_ref().map(|centre| &*centre.mean);
    let [p, q] = apart;
    let out = [&mut p[..rows.len()], &mut q[..rows.len()]];
    match space.layout.metric {
        Metric::Manhattan => (space.kernels.l1_rows_of_two)(means, rows, out),
        Metric::Euclidean => (space.kernels.l2_squared_rows_of_two)(means, rows, out),
        _ => {
            (space.kernels.dot_rows_of_two)(means, rows, out);
            for (apart, centre) in apart.iter_mut().zip(centres) {
                apart.iter_mut().for_each(|dot| *dot = 1.0 - *dot * centre.per_length);
            }
        }
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
