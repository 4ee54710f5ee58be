//! Room for more edges.

use super::links::{Leading, LinksView};
use crate::graph::{Chooser, Close, EDGES, Own, choose, squares};
use crate::simd::Kernels;

/// Edges from one vector to others, which are close to it, each in the place that it is to take: that of an edge that leads to
/// its slot already, as it may to what was there before; that of an edge to a vector that is gone; a free one; or that of an edge
/// that is worse, or, if they `must`, of one that is better. Those for which there is none are left out.
pub(super) fn places(
    kernels: &Kernels,
    view: LinksView<'_>,
    from: u32,
    new: &[Close],
    must: bool,
) -> Vec<Leading> {
    let Some(own) = view.own(from) else { return Vec::new() };
    let mut beside = Beside::new(kernels, &view, own, view.edges(from));
    let mut leading: Vec<Leading> = Vec::with_capacity(new.len());
    for &(square, to) in new {
        let Some(end) = view.own(to) else { continue };
        let Some(place) = beside.place_for((square, to), end, must) else { continue };
        beside.put(place, (square, to), end);
        leading.retain(|earlier| earlier.place != place);
        leading.push(Leading { from, place, to, square });
    }
    leading
}

/// The edges of a vector, in their places.
struct Beside<'a> {
    kernels: &'a Kernels,
    edges: Vec<Close>,
    /// What they lead to.
    ends: Vec<Own<'a>>,
    /// Places of those that lead to a vector that is gone.
    gone: Vec<usize>,
}

impl<'a> Beside<'a> {
    fn new(kernels: &'a Kernels, view: &'a LinksView<'_>, own: Own<'a>, edges: &[u32]) -> Self {
        view.fetch_owns(edges);
        let known: Vec<Option<Own<'_>>> = edges.iter().map(|&edge| view.own(edge)).collect();
        let gone = (0..edges.len()).filter(|&place| known[place].is_none()).collect();
        // What is gone is as if it were where the edges come from, until another one takes its place.
        let ends: Vec<Own<'_>> = known.into_iter().map(|end| end.unwrap_or(own)).collect();
        let edges = squares(kernels, own, &ends).into_iter().zip(edges.iter().copied()).collect();
        Self { kernels, edges, ends, gone }
    }

    /// The place that another edge is to take.
    fn place_for(&self, (square, to): Close, end: Own<'_>, must: bool) -> Option<usize> {
        if let Some(place) = self.edges.iter().position(|&(_, edge)| edge == to) {
            return Some(place);
        }
        if let Some(&place) = self.gone.last() {
            return Some(place);
        }
        if self.edges.len() < EDGES {
            return Some(self.edges.len());
        }
        self.worst((square, end), must)
    }

    /// The place of the farthest edge, another one among them, that a closer one leads in the direction of; where there is none, of the
    /// farthest of all. Nothing where it is the other one itself.
    fn worst(&self, (square, end): (f32, Own<'_>), must: bool) -> Option<usize> {
        let mut order: Vec<(f32, Option<usize>)> =
            self.edges.iter().enumerate().map(|(place, &(square, _))| (square, Some(place))).collect();
        order.push((square, None));
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let end_of = |&(_, place): &(f32, Option<usize>)| place.map_or(end, |place| self.ends[place]);
        let ends: Vec<Own<'_>> = order.iter().map(end_of).collect();
        let is_behind =
            |&i: &usize| squares(self.kernels, ends[i], &ends[..i]).iter().any(|&apart| apart <= order[i].0);
        let from_farthest = || (0..order.len()).rev().filter(|&i| order[i].1.is_some() || !must);
        let worst = from_farthest().find(is_behind).or_else(|| from_farthest().next())?;
        order[worst].1
    }

    fn put(&mut self, place: usize, edge: Close, end: Own<'a>) {
        if place == self.edges.len() {
            self.edges.push(edge);
            self.ends.push(end);
        } else {
            (self.edges[place], self.ends[place]) = (edge, end);
        }
        self.gone.retain(|&gone| gone != place);
    }
}

/// Of close vectors those that become edges, because they lead in all directions.
pub(super) fn pick(kernels: &Kernels, view: LinksView<'_>, close: &[Close]) -> Vec<Close> {
    let known = close.iter().filter_map(|&one| Some((one, view.own(one.1)?)));
    let (close, ends): (Vec<Close>, Vec<Own<'_>>) = known.unzip();
    choose(kernels, &close, &ends, EDGES, &mut Chooser::default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::places;
    use crate::graph::{Coder, EDGES, EdgeBuffers};
    use crate::index::links::Links;
    use crate::kmeans::Points;
    use crate::quant::Codebook;
    use crate::random::Random;
    use crate::simd;

    const DIM: usize = 16;
    const N: usize = 200;

    #[test]
    fn an_edge_finds_the_place_that_it_is_to_take() {
        let (kernels, random) = (simd::kernels(), &mut Random::new(1, 0));
        let mut values: Vec<f32> = (0..N * DIM).map(|_| random.symmetric()).collect();
        // One edge is the longest, and leads where no other one does.
        values[0] = 1.0;
        values.copy_within(..DIM, EDGES * DIM);
        values[EDGES * DIM] += 6.0;
        let points = Points { values: &values, dim: DIM };
        let coder = Coder::new(kernels, Codebook::train(kernels, points, random, 1), points.mean());
        let nodes = vec![0; N * coder.layout().words()];
        let mut links = Links::new(Arc::new(coder), Arc::default(), nodes.into(), N);
        let coder = links.coder.clone();
        links.put((0..).zip(coder.nodes(kernels, points)));
        let square = |to: u32| (kernels.l2_squared)(points.row(0), points.row(to as usize));
        let places = |links: &Links, from: u32, to: u32, must| {
            places(kernels, links.view(), from, &[(square(to), to)], must)
        };
        let place = |links: &Links, to: u32, must| places(links, 0, to, must).first().map(|edge| edge.place);

        let mut buffers = EdgeBuffers::default();
        for to in 1..=EDGES as u32 {
            let free = to as usize - 1;
            assert_eq!(place(&links, to, false), Some(free), "behind the last edge");
            let edge = places(&links, 0, to, false);
            let nodes = links.led(kernels, &edge, &mut buffers);
            links.put(nodes);
        }
        // Who has the slot of another one now gets the edge that led there.
        assert_eq!(place(&links, 7, false), Some(6));
        let others = EDGES as u32 + 1..N as u32;
        let better = others.clone().filter(|&to| place(&links, to, false).is_some()).count();
        assert!((1..others.len()).contains(&better), "some are better than one of the edges: {better}");
        assert!(others.clone().all(|to| place(&links, to, true).is_some()));
        for to in others.clone() {
            for must in [false, true] {
                // The one that leaves is behind a closer one, if any is, and what is farther is not; bytes are not exact.
                let leaves = place(&links, to, must).map_or(to, |place| links.view().edges(0)[place]);
                let all: Vec<u32> = links.view().edges(0).iter().copied().chain([to]).collect();
                let is_behind = |one: u32, slack: f32| {
                    let row = |one: u32| points.row(one as usize);
                    let mut closer = all.iter().copied().filter(|&other| square(other) < square(one));
                    closer.any(|other| (kernels.l2_squared)(row(one), row(other)) < slack * square(one))
                };
                let others = || all.iter().copied().filter(|&one| !must || one != to);
                let mut farther = others().filter(|&one| square(one) > 1.05 * square(leaves));
                assert!(farther.all(|one| !is_behind(one, 0.95)));
                assert!(is_behind(leaves, 1.05) || others().all(|one| !is_behind(one, 0.95)));
            }
        }
        links.clear(13);
        assert!(
            others.clone().all(|to| place(&links, to, false) == Some(12)),
            "the place of one that is gone"
        );
        assert!(places(&links, 13, 1, false).is_empty(), "none where there is no vector");
    }
}
