//! Room for more edges.

use super::links::{Leading, LinksView};
use crate::graph::{Chooser, Close, EDGES, Own, choose, fill, sort};
use crate::simd::Kernels;

/// Edges from one vector to others, which are close to it, each in the place that it is to take: that of an edge that leads to
/// its slot already, as it may to what was there before; a free one; that of an edge to a vector that is gone; or that of an edge
/// that is worse, or, if they `must`, of one that is better. Those for which there is none are left out.
pub(super) fn places(
    kernels: &Kernels,
    view: LinksView<'_>,
    from: u32,
    new: &[Close],
    must: bool,
) -> Vec<Leading> {
    if view.own(from).is_none() {
        return Vec::new();
    }
    let mut edges = view.edges(from).to_vec();
    let mut leading: Vec<Leading> = Vec::with_capacity(new.len());
    for &(square, to) in new {
        let Some(place) = place_for(kernels, view, from, &edges, (square, to), must) else { continue };
        match edges.get_mut(place) {
            Some(edge) => *edge = to,
            None => edges.push(to),
        }
        leading.retain(|earlier| earlier.place != place);
        leading.push(Leading { from, place, to, square });
    }
    leading
}

fn place_for(
    kernels: &Kernels,
    view: LinksView<'_>,
    from: u32,
    edges: &[u32],
    (square, to): Close,
    must: bool,
) -> Option<usize> {
    if let Some(place) = edges.iter().position(|&edge| edge == to) {
        return Some(place);
    }
    if edges.len() < EDGES {
        return Some(edges.len());
    }
    let mut close = view.near(kernels, from, edges);
    if close.len() < edges.len() {
        return edges.iter().position(|&edge| view.own(edge).is_none());
    }
    close.push((square, to));
    sort(&mut close);
    let mut stay = pick(kernels, view, &close);
    if must {
        stay.retain(|&(_, edge)| edge != to);
        stay.insert(0, (square, to));
    }
    fill(&mut stay, &close, EDGES);
    edges.iter().position(|edge| stay.iter().take(EDGES).all(|(_, other)| other != edge))
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
        let values: Vec<f32> = (0..N * DIM).map(|_| random.symmetric()).collect();
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
            links.lead(kernels, &edge, &mut buffers);
        }
        // Who has the slot of another one now gets the edge that led there.
        assert_eq!(place(&links, 7, false), Some(6));
        let others = EDGES as u32 + 1..N as u32;
        let better = others.clone().filter(|&to| place(&links, to, false).is_some()).count();
        assert!((1..others.len()).contains(&better), "some are better than one of the edges: {better}");
        assert!(others.clone().all(|to| place(&links, to, true).is_some()));
        links.clear(13);
        assert!(
            others.clone().all(|to| place(&links, to, false) == Some(12)),
            "the place of one that is gone"
        );
        assert!(places(&links, 13, 1, false).is_empty(), "none where there is no vector");
    }
}
