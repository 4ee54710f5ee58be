//! Room for one more edge.

use super::links::LinksView;
use crate::graph::{Chooser, Close, EDGES, Own, choose, fill, sort, squares};
use crate::simd::Kernels;

/// The place of the vector `from` for an edge to another one, which is close to it: that of an edge that leads to its slot
/// already, as it may to what was there before; a free one; that of an edge to a vector that is gone; or that of an edge that is
/// worse, or, if it `must`, of one that is better. `None` when there is none.
pub(super) fn place_for(
    kernels: &Kernels,
    view: LinksView<'_>,
    from: u32,
    (square, to): Close,
    must: bool,
) -> Option<usize> {
    let own = view.own(from)?;
    let edges = view.edges(from);
    if let Some(place) = edges.iter().position(|&edge| edge == to) {
        return Some(place);
    }
    if edges.len() < EDGES {
        return Some(edges.len());
    }
    let mut ends: Vec<Own<'_>> = Vec::with_capacity(edges.len());
    for (place, &edge) in edges.iter().enumerate() {
        match view.own(edge) {
            Some(end) => ends.push(end),
            None => return Some(place),
        }
    }
    let mut close: Vec<Close> = squares(kernels, own, &ends).into_iter().zip(edges.iter().copied()).collect();
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

    use super::place_for;
    use crate::graph::{Coder, EDGES, EdgeBuffers};
    use crate::index::links::{Leading, Links};
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
        let (layout, coder) = (links.layout, links.coder.clone());
        coder.code(kernels, points, |i, own| layout.write(links.change(i as u32), own));
        let square = |to: u32| (kernels.l2_squared)(points.row(0), points.row(to as usize));
        let place =
            |links: &Links, to: u32, must| place_for(kernels, links.view(), 0, (square(to), to), must);

        let mut buffers = EdgeBuffers::default();
        for to in 1..=EDGES as u32 {
            let free = to as usize - 1;
            assert_eq!(place(&links, to, false), Some(free), "behind the last edge");
            let edge = Leading { from: 0, place: free, to, square: square(to) };
            links.lead(kernels, &[edge], &mut buffers);
        }
        // Who has the slot of another one now gets the edge that led there.
        assert_eq!(place(&links, 7, false), Some(6));
        let others = EDGES as u32 + 1..N as u32;
        let better = others.clone().filter(|&to| place(&links, to, false).is_some()).count();
        assert!((1..others.len()).contains(&better), "some are better than one of the edges: {better}");
        assert!(others.clone().all(|to| place(&links, to, true).is_some()));
        layout.clear(links.change(13));
        assert!(
            others.clone().all(|to| place(&links, to, false) == Some(12)),
            "the place of one that is gone"
        );
        assert_eq!(
            place_for(kernels, links.view(), 13, (1.0, 1), false),
            None,
            "none where there is no vector"
        );
    }
}
