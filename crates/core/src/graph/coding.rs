//! How the vectors of a graph and its edges become codes, and a query a table for them.

use super::node::{Layout, Own};
use crate::kmeans::Points;
use crate::quant::{Codebook, Measure, Table};
use crate::simd::{Kernels, LANES};

/// The largest number of a byte.
const MOST: f32 = 127.0;

/// What vectors and edges are coded with.
///
/// A vector x is kept as bytes of what lacks from the centre c of all vectors, in the projection of the codebook. They are
/// stretched, so that their inner product with x − c is |x − c|², as it is without the loss. What orders vectors by their
/// distance from a query q is |x − c|² − 2⟨q − c, x − c⟩.
///
/// An edge from x to y is the direction w = (y − x) / |y − x|, coded as w'. With s = |y − x| / ⟨w, w'⟩, which stretches w' in
/// the same way, what orders y is that of x and |y − x|² + 2s⟨x − c, w'⟩ − 2s⟨q − c, w'⟩, of which the last product is a
/// sum over the query's table. So one table serves all edges, and their error shrinks with |y − x| (the estimator of Gao
/// and Long: *RaBitQ*, 2024, with codewords in place of signs).
#[derive(Debug)]
pub(crate) struct Coder {
    codebook: Codebook,
    /// The mean of all vectors.
    mean: Vec<f32>,
    /// Its projection.
    centre: Vec<f32>,
}

/// A query, ready to be compared with nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(super) kernels: &'static Kernels,
    pub(super) layout: Layout,
    pub(super) table: &'a Table,
}

impl Asked<'_> {
    /// The query's squared distance from the centre, in the directions that are coded.
    pub(crate) fn square(&self) -> f32 {
        (self.kernels.dot)(self.table.projected(), self.table.projected())
    }

    /// What orders a vector by its distance from the query; infinite where there is none. With the query's squared distance
    /// from the centre it is about the square of that.
    #[inline]
    pub(crate) fn apart(&self, own: Own<'_>) -> f32 {
        let mut dot = [0.0];
        (self.kernels.signed.dot)(self.table.projected(), &[own.bytes], &mut dot);
        own.times.mul_add(dot[0], own.square)
    }
}

/// An edge that is to be coded: its two ends, and the square of their distance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge<'a> {
    pub(crate) from: Own<'a>,
    pub(crate) to: Own<'a>,
    pub(crate) square: f32,
}

/// A coded edge.
#[derive(Debug)]
pub(crate) struct Coded<'a> {
    codes: &'a [[u8; LANES]],
    lane: usize,
    /// What it adds to an estimate.
    pub(crate) added: f32,
    /// What the sum of its codes is multiplied by.
    pub(crate) times: f32,
}

impl Coded<'_> {
    pub(crate) fn codes(&self) -> impl Iterator<Item = u8> {
        self.codes.iter().map(|codes| codes[self.lane])
    }
}

/// Buffers of [`Coder::code_edges`].
#[derive(Debug, Default)]
pub(crate) struct EdgeBuffers {
    tile: Vec<[f32; LANES]>,
    codes: Vec<[u8; LANES]>,
    /// What each adds to an estimate, and what the sum of its codes is multiplied by.
    factors: [(f32, f32); LANES],
    point: Vec<f32>,
    addends: Vec<[f32; LANES]>,
}

impl Coder {
    pub(crate) fn new(kernels: &Kernels, codebook: Codebook, mean: Vec<f32>) -> Self {
        let mut centre = Vec::new();
        codebook.projection().apply(kernels, &mean, mean.len(), &mut centre);
        Self { codebook, mean, centre }
    }

    /// The same with other codewords for the edges.
    pub(crate) fn with_codebook(self, codebook: Codebook) -> Self {
        Self { codebook, ..self }
    }

    pub(crate) fn codebook(&self) -> &Codebook {
        &self.codebook
    }

    pub(crate) fn mean(&self) -> &[f32] {
        &self.mean
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.codebook.codes(), self.codebook.projection().padded())
    }

    /// The query at `point`; `table` becomes its table.
    pub(crate) fn ask<'t>(
        &self,
        kernels: &'static Kernels,
        point: &[f32],
        table: &'t mut Table,
    ) -> Asked<'t> {
        self.codebook.table_around(kernels, point, &self.centre, Measure::MinusTwiceDot, table);
        Asked { kernels, layout: self.layout(), table }
    }

    /// Codes vectors; `sink` gets each with its number in `points`.
    pub(crate) fn code(&self, kernels: &Kernels, points: Points<'_>, mut sink: impl FnMut(usize, Own<'_>)) {
        let mut projected = Vec::new();
        self.codebook.projection().apply(kernels, points.values, points.dim, &mut projected);
        let width = self.centre.len();
        let mut bytes = vec![0_i8; width];
        for (i, values) in projected.chunks_exact_mut(width).enumerate() {
            values.iter_mut().zip(&self.centre).for_each(|(value, centre)| *value -= centre);
            let most = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let unit = most / MOST;
            let per_unit = if unit > 0.0 { 1.0 / unit } else { 0.0 };
            let mut fit = 0.0;
            for (byte, value) in bytes.iter_mut().zip(&*values) {
                let whole = (value * per_unit).round();
                *byte = whole as i8;
                fit += whole * value;
            }
            let square = (kernels.l2_squared)(points.row(i), &self.mean);
            let times = if fit > 0.0 { -2.0 * square / fit } else { 0.0 };
            sink(i, Own { square, times, unit, bytes: &bytes });
        }
    }

    /// The nodes of vectors, without edges.
    pub(crate) fn nodes(&self, kernels: &Kernels, points: Points<'_>) -> Vec<Vec<u32>> {
        let layout = self.layout();
        let mut nodes = vec![vec![0; layout.words()]; points.len()];
        self.code(kernels, points, |i, own| layout.write(&mut nodes[i], own));
        nodes
    }

    /// The directions of edges between points, projected; `squares` are the squares of their lengths.
    pub(crate) fn directions(
        &self,
        kernels: &Kernels,
        from: Points<'_>,
        to: Points<'_>,
        squares: &[f32],
    ) -> Vec<f32> {
        let (mut all, mut starts) = (Vec::new(), Vec::new());
        self.codebook.projection().apply(kernels, to.values, to.dim, &mut all);
        self.codebook.projection().apply(kernels, from.values, from.dim, &mut starts);
        let width = self.centre.len();
        for ((values, start), square) in
            all.chunks_exact_mut(width).zip(starts.chunks_exact(width)).zip(squares)
        {
            let length = square.sqrt();
            values.iter_mut().zip(start).for_each(|(value, start)| {
                *value = if length > 0.0 { (*value - start) / length } else { 0.0 };
            });
        }
        all
    }

    /// Leads edges from a vector to others, in the first places of its node.
    pub(crate) fn lead(
        &self,
        kernels: &Kernels,
        edges: &[(u32, Edge<'_>)],
        node: &mut [u32],
        buffers: &mut EdgeBuffers,
    ) {
        let layout = self.layout();
        layout.clear_edges(node);
        let mut of = None;
        for (half, some) in edges.chunks(LANES).enumerate() {
            let to: Vec<u32> = some.iter().map(|&(to, _)| to).collect();
            self.code_sixteen(kernels, some.iter().map(|&(_, edge)| edge), &mut of, buffers);
            layout.set_half(node, half, &to, &buffers.codes, &buffers.factors);
        }
    }

    /// Codes edges; `sink` gets each with its number in `edges`. Edges of one vector that come one behind the other take less
    /// time than others.
    pub(crate) fn code_edges(
        &self,
        kernels: &Kernels,
        edges: &[Edge<'_>],
        buffers: &mut EdgeBuffers,
        mut sink: impl FnMut(usize, &Coded<'_>),
    ) {
        let mut of = None;
        for (first, some) in (0..).step_by(LANES).zip(edges.chunks(LANES)) {
            self.code_sixteen(kernels, some.iter().copied(), &mut of, buffers);
            for (lane, &(added, times)) in buffers.factors.iter().enumerate().take(some.len()) {
                sink(first + lane, &Coded { codes: &buffers.codes, lane, added, times });
            }
        }
    }

    /// Codes up to sixteen edges, and leaves their codes and their factors in the buffers; in `of` is the vector that the last
    /// edge of all comes from.
    fn code_sixteen<'e>(
        &self,
        kernels: &Kernels,
        edges: impl Iterator<Item = Edge<'e>> + Clone,
        of: &mut Option<Own<'e>>,
        buffers: &mut EdgeBuffers,
    ) {
        let EdgeBuffers { tile, codes, factors, point, addends } = buffers;
        tile.resize(self.centre.len(), [0.0; LANES]);
        codes.resize(self.codebook.codes(), [0; LANES]);
        for (lane, Edge { from, to, square }) in edges.clone().enumerate() {
            let per_length = if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 };
            let (end, start) = (to.unit * per_length, from.unit * per_length);
            for ((values, &a), &b) in tile.iter_mut().zip(from.bytes).zip(to.bytes) {
                values[lane] = f32::from(b) * end - f32::from(a) * start;
            }
        }
        let mut dots = [0.0; LANES];
        self.codebook.code_sixteen(kernels, tile, codes, &mut dots);
        for (lane, edge) in edges.enumerate() {
            if of.is_none_or(|of| !std::ptr::eq(of.bytes, edge.from.bytes)) {
                point.clear();
                point.extend(edge.from.bytes.iter().map(|&byte| f32::from(byte) * edge.from.unit));
                self.codebook.dots_of_words(point, addends);
                *of = Some(edge.from);
            }
            let along: f32 =
                addends.iter().zip(&*codes).map(|(dots, codes)| dots[usize::from(codes[lane]) % LANES]).sum();
            let times = if dots[lane] > 0.0 { edge.square.sqrt() / dots[lane] } else { 0.0 };
            factors[lane] = (2.0_f32.mul_add(times * along, edge.square), times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Coder, Edge, EdgeBuffers};
    use crate::kmeans::Points;
    use crate::quant::{Codebook, Table};
    use crate::random::Random;
    use crate::simd::{self, Scaled};

    const DIM: usize = 48;
    const N: usize = 600;

    /// Vectors around one that is not the origin.
    fn vectors(random: &mut Random) -> Vec<f32> {
        (0..N * DIM).map(|i| (i % DIM) as f32 / 8.0 + random.symmetric()).collect()
    }

    #[test]
    fn estimates_are_about_the_distances() {
        let (kernels, random) = (simd::kernels(), &mut Random::new(3, 0));
        let values = vectors(random);
        let points = Points { values: &values, dim: DIM };
        let mean = points.mean();
        let apart = points.residuals(|_| (&mean, 1.0));
        let codebook = Codebook::train(kernels, Points { values: &apart, dim: DIM }, random, 1);
        let coder = Coder::new(kernels, codebook, mean.clone());
        let (from, to) = (points.gather(0..N / 2), points.gather(N / 2..N));
        let pairs = (Points { values: &from, dim: DIM }, Points { values: &to, dim: DIM });
        let squares: Vec<f32> =
            (0..N / 2).map(|i| (kernels.l2_squared)(pairs.0.row(i), pairs.1.row(i))).collect();
        let directions = coder.directions(kernels, pairs.0, pairs.1, &squares);
        let sample = Points { values: &directions, dim: coder.layout().width() };
        let codebook = coder.codebook().train_projected(kernels, sample, 0.1, random, 1);
        let coder = coder.with_codebook(codebook);

        let layout = coder.layout();
        let nodes = coder.nodes(kernels, points);
        let edges: Vec<(u32, Edge<'_>)> = (1..33)
            .map(|to| {
                let square = (kernels.l2_squared)(points.row(0), points.row(to));
                (to as u32, Edge { from: layout.own(&nodes[0]), to: layout.own(&nodes[to]), square })
            })
            .collect();
        let mut node = nodes[0].clone();
        coder.lead(kernels, &edges, &mut node, &mut EdgeBuffers::default());

        let (mut table, mut bias, mut error, mut spread) = (Table::default(), 0.0, 0.0, 0.0);
        for query in (N / 2..N).map(|i| points.row(i)) {
            let asked = coder.ask(kernels, query, &mut table);
            let square = |i: usize| (kernels.l2_squared)(query, points.row(i));
            let beyond = (kernels.l2_squared)(query, &mean);
            let own = asked.apart(layout.own(&node)) + beyond;
            assert!((own - square(0)).abs() < 0.02 * square(0).max(1.0), "bytes are as good as exact: {own}");
            let mut estimates = [0.0; 32];
            let scaled = Scaled {
                table: asked.table.addends(),
                block: layout.codes(&node),
                factors: layout.factors(&node).expect("a node has factors"),
                base: own,
                scale: asked.table.scale,
                offset: asked.table.offset,
                threshold: f32::INFINITY,
                ahead: &[],
            };
            assert_eq!((kernels.lut_scaled)(&scaled, &mut estimates), u32::MAX, "all 32 pass");
            for (i, estimate) in estimates.into_iter().enumerate() {
                bias += f64::from(estimate - square(i + 1));
                error += f64::from(estimate - square(i + 1)).powi(2);
                spread += f64::from(square(i + 1) - square(0)).powi(2);
            }
        }
        // Two values of equal variance in a code leave 0.13 of an edge. Of that a query, which lies in any direction, sees a part.
        assert!(error < 0.25 * spread, "{error} of {spread}");
        let n = (N / 2 * 32) as f64;
        assert!((bias / n).abs() < 0.1 * (spread / n).sqrt(), "{bias} of {spread}");
    }
}
