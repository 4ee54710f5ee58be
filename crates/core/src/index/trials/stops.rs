//! When searches may end early: found on queries whose neighbours are known.

use crate::early::Early;

/// Slopes that are tried.
const SLOPES: [f32; 7] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// It is worth while where no more than this share is looked at for the same recall.
const WORTH: f64 = 0.95;

/// The way of a query through leaves or nodes.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// How much farther away than the neighbours so far is what was looked at, in its order; no number where a search does not end yet.
    pub(super) farther: Vec<f32>,
    /// For each neighbour that was found, the place in that order.
    pub(super) places: Vec<usize>,
}

/// How far searches go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) limit: f32,
    /// So much is looked at, on average.
    pub(super) looked: f64,
}

/// The slope with which the least is looked at, by no search at more than `most`, until so many neighbours are found; `None` where that is
/// not worth while, when `even` is looked at if it is as much for each query.
pub(super) fn slope(ways: &[Way], most: usize, found: usize, even: f64) -> Option<f32> {
    let looked = |slope| Some((stop(ways, most, found, slope)?.looked, slope));
    let (least, slope) = SLOPES.into_iter().filter_map(looked).min_by(|a, b| a.0.total_cmp(&b.0))?;
    (least <= WORTH * even).then_some(slope)
}

/// The lowest limit with which so many neighbours are found, where no search looks at more than `most`.
pub(super) fn stop(ways: &[Way], most: usize, found: usize, slope: f32) -> Option<Stop> {
    let weights: Vec<Vec<f32>> = ways
        .iter()
        .map(|way| {
            let mut heaviest = f32::NEG_INFINITY;
            // A search ends at the first that is too heavy, whatever comes behind it.
            let weigh = |(i, &farther)| {
                heaviest = heaviest.max(Early::weight(slope, i, farther)); // no number counts for nothing
                heaviest
            };
            way.farther.iter().take(most).enumerate().map(weigh).collect()
        })
        .collect();
    let mut needed: Vec<f32> = ways
        .iter()
        .zip(&weights)
        .flat_map(|(way, weights)| way.places.iter().filter_map(|&place| weights.get(place).copied()))
        .collect();
    needed.sort_unstable_by(f32::total_cmp);
    let limit = needed.get(found.checked_sub(1)?).copied().filter(|limit| limit.is_finite())?;
    let looked: usize =
        weights.iter().map(|weights| weights.partition_point(|&weight| weight <= limit)).sum();
    Some(Stop { limit, looked: looked as f64 / ways.len() as f64 })
}

#[cfg(test)]
mod tests {
    use super::{Way, slope, stop};

    const FIRST: usize = 20;
    const MOST: usize = 120;

    /// Queries that look at things each of which is farther away than the one before by `step`; the ten neighbours of each lie in the
    /// first `spread` of them.
    fn ways(kinds: &[(f32, usize)]) -> Vec<Way> {
        let way = |&(step, spread): &(f32, usize)| Way {
            farther: (0..150).map(|i| if i < FIRST { f32::NAN } else { i as f32 * step }).collect(),
            places: (0..10).map(|i| i * (spread - 1) / 9).collect(),
        };
        kinds.iter().map(way).collect()
    }

    #[test]
    fn as_much_is_found_by_looking_at_less_where_queries_differ() {
        let ways = ways(&[(0.2, 8), (0.2, 8), (0.2, 8), (0.001, 100)]);
        // A look at 80 finds all neighbours of three queries and eight of the last.
        let slope = slope(&ways, MOST, 38, 80.0).unwrap();
        let stop = stop(&ways, MOST, 38, slope).unwrap();
        let looked = |way: &Way| {
            let weight = |i: usize| ((i + 1) as f32).ln() + slope * way.farther[i];
            (0..MOST).take_while(|&i| i < FIRST || weight(i) <= stop.limit).count()
        };
        let each: Vec<usize> = ways.iter().map(looked).collect();
        let found = |(way, n): (&Way, &usize)| way.places.iter().filter(|place| *place < n).count();
        assert_eq!(ways.iter().zip(&each).map(found).sum::<usize>(), 38, "{each:?}");
        assert_eq!(stop.looked, each.iter().sum::<usize>() as f64 / ways.len() as f64);
        assert!(stop.looked < 45.0, "{each:?}");
    }

    #[test]
    fn where_queries_are_alike_or_nothing_is_known_of_them_none_ends_early() {
        assert_eq!(slope(&ways(&[(0.01, 80); 8]), MOST, 80, 80.0), None);
        let mut unknown = ways(&[(0.2, 8), (0.001, 100)]);
        unknown.iter_mut().for_each(|way| way.farther.fill(f32::NAN));
        assert_eq!(slope(&unknown, MOST, 18, 80.0), None);
        assert_eq!(slope(&[], MOST, 0, 80.0), None);
    }
}
