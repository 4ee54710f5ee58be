//! Additions and deletions: from one version to the next.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::rebuild::rebuild;
use super::settle::{self, settle};
use super::store::LeafStore;
use super::stored::Stored;
use super::version::{Grown, Version};
use super::{NO_ID, Vectors, buffer, ties};
use crate::kmeans::{Points, members};
use crate::leaves::{Directory, Homes, Leaf, Leaves, NO_LEAF, scale_of};
use crate::parallel;

/// From so many vectors on there are leaves: with fewer, comparing all is as fast.
pub(super) const LEAST_TRAINED: usize = 2048;
/// When there are so many times as many vectors as at the last training, all leaves are made anew.
const GROWTH: usize = 4;
/// A leaf with more places than this many vectors is split.
const MOST_IN_LEAF: usize = 512;
/// Told how far it has come.
pub(super) type Watch<'a> = &'a mut dyn FnMut(f64) -> ControlFlow<()>;

/// Rows to be stored, with their ids.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) vectors: Vectors<'a>,
    pub(super) ids: &'a [u64],
}

/// How to work.
#[derive(Clone, Copy)]
pub(super) struct Work {
    pub(super) seed: u64,
    pub(super) threads: usize,
    /// Whether all may be grouped into new leaves.
    pub(super) regroup: bool,
}

/// The version with `rows` in it; those whose id is there already take the place of what it has. `free` are slots without a
/// vector; returns also how many of them, from the last one on, are used up.
pub(super) fn add(
    version: &Version,
    rows: Rows<'_>,
    free: &[u32],
    work: Work,
    watch: Watch<'_>,
) -> ControlFlow<(), (Version, usize)> {
    let known: Vec<Option<u32>> = rows.ids.iter().map(|&id| version.slot(id)).collect();
    let new = known.iter().filter(|slot| slot.is_none()).count();
    let len = version.len + new;
    if work.regroup && is_rebuilt(version, len) {
        return ControlFlow::Continue((rebuild(version, rows, &known, work, watch)?, free.len()));
    }
    let given;
    let version = if version.space.holds(rows.vectors) {
        version
    } else {
        given = settle::as_given(version);
        &given
    };
    let mut next = version.clone();
    let mut unused = free.iter().rev().copied().chain(version.slots.len() as u32..);
    let slots: Vec<u32> = known.iter().filter_map(|known| known.or_else(|| unused.next())).collect();
    let replaced: Vec<u32> = known.iter().flatten().copied().collect();
    take_out(&mut next, version, &replaced, work.threads);
    let mut homes = vec![[NO_LEAF; 2]; slots.len()];
    if let Some(grown) = &mut next.leaves {
        homes = put_in(version, grown, rows.vectors, &slots, work.threads);
    }
    // In the order of their slots, so that each page is copied once.
    let mut order: Vec<u32> = (0..slots.len() as u32).collect();
    order.sort_unstable_by_key(|&i| slots[i as usize]);
    let sorted: Vec<u32> = order.iter().map(|&i| slots[i as usize]).collect();
    let space = version.space;
    next.slots.change(&space, &sorted, |i, place| {
        let i = order[i] as usize;
        space.write_row(rows.vectors, i, place.row);
        (*place.id, *place.scale, *place.homes) = (rows.ids[i], space.scale(place.row), homes[i]);
    });
    let came: Vec<(u64, u32)> =
        (0..slots.len()).filter(|&i| known[i].is_none()).map(|i| (rows.ids[i], slots[i])).collect();
    next.ids.put(&came, &version.view());
    next.len = len;
    next.next_id = next_id(version.next_id, rows.ids);
    split_large(&mut next, &homes);
    ties::tie(&mut next, &slots, work.threads);
    settle(&mut next);
    ControlFlow::Continue((next, new.min(free.len())))
}

/// Whether an addition that makes it so many vectors lays all out anew.
fn is_rebuilt(version: &Version, len: usize) -> bool {
    let trained = version.leaves.as_ref().map_or(LEAST_TRAINED / GROWTH, |grown| grown.store.trained);
    len >= trained.saturating_mul(GROWTH) && len >= LEAST_TRAINED
}

/// Whether the system has about as much memory as more vectors take while they are added: rows, codes and nodes twice.
pub(super) fn has_room(version: &Version, vectors: Vectors<'_>) -> bool {
    const BESIDE: usize = 64;
    let n = vectors.len() / version.space.width();
    let all = is_rebuilt(version, version.len + n) || !version.space.holds(vectors);
    let laid_out = if all { version.len + n } else { n };
    let linked = version.leaves.as_ref().and_then(|grown| grown.linked.as_ref());
    let words = version.space.as_given().row_words() + linked.map_or(0, |linked| linked.links.layout.words());
    let bytes = laid_out.checked_mul(2 * (words * size_of::<u32>() + BESIDE));
    bytes.is_some_and(buffer::has_room)
}

pub(super) fn next_id(next: u64, ids: &[u64]) -> u64 {
    ids.iter().fold(next, |next, &id| next.max(id.saturating_add(1)))
}

/// The version without the vectors in `slots`.
pub(super) fn remove(version: &Version, slots: &[u32]) -> Version {
    let mut next = version.clone();
    take_out(&mut next, version, slots, parallel::threads(None));
    let mut sorted = slots.to_vec();
    sorted.sort_unstable();
    next.slots.change(&version.space, &sorted, |_, place| {
        place.row.fill(0);
        (*place.id, *place.homes) = (NO_ID, [NO_LEAF; 2]);
    });
    next.len = version.len - slots.len();
    settle(&mut next);
    next
}

/// Takes the vectors in `slots` out of their leaves and out of the graph.
fn take_out(next: &mut Version, version: &Version, slots: &[u32], threads: usize) {
    ties::untie(next, version, slots, threads);
    let Some(grown) = &mut next.leaves else { return };
    let view = version.view();
    let mut leaves: Vec<(u32, u32)> = slots
        .iter()
        .flat_map(|&slot| view.homes(slot).map(|home| (home, slot)))
        .filter(|&(home, _)| (home as usize) < grown.store.len())
        .collect();
    leaves.sort_unstable();
    for group in leaves.chunk_by(|a, b| a.0 == b.0) {
        let mut leaf = grown.store.view().leaf(group[0].0).to_leaf();
        leaf.remove(|slot| group.binary_search(&(group[0].0, slot)).is_ok());
        grown.store.changed.set(group[0].0 as usize, leaf);
    }
}

/// Puts vectors into their leaves, and returns which these are.
fn put_in(
    version: &Version,
    grown: &mut Grown,
    vectors: Vectors<'_>,
    slots: &[u32],
    threads: usize,
) -> Vec<Homes> {
    const AT_ONCE: usize = 64;
    // A thread costs more to start than a few vectors take.
    let threads = if slots.len() < AT_ONCE { 1 } else { threads };
    let space = &version.space;
    let store = &mut grown.store;
    let coded = store.coded(space);
    let parts = parallel::map_with(
        threads,
        slots.len().div_ceil(AT_ONCE),
        || (vec![0; space.row_words()], crate::leaves::Placing::default()),
        |(row, placing), part| {
            let rows = part * AT_ONCE..((part + 1) * AT_ONCE).min(slots.len());
            let (mut points, mut homes) = (Vec::new(), Vec::new());
            for i in rows {
                space.write_row(vectors, i, row);
                let start = points.len();
                space.push_point(row, &mut points);
                homes.push(crate::leaves::place(coded, &points[start..], placing));
            }
            (points, homes)
        },
    );
    let (points, homes): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let (points, homes) = (points.concat(), homes.concat());
    let points = Points { values: &points, dim: space.dim };
    let mut by_leaf: Vec<(u32, u32)> = homes
        .iter()
        .enumerate()
        .flat_map(|(i, homes)| homes.map(|home| (home, i as u32)))
        .filter(|&(home, _)| home != NO_LEAF)
        .collect();
    by_leaf.sort_unstable();
    let groups: Vec<&[(u32, u32)]> = by_leaf.chunk_by(|a, b| a.0 == b.0).collect();
    let view = store.view();
    let changed = parallel::map(threads, groups.len(), |g| {
        let number = groups[g][0].0;
        let mut leaf = view.leaf(number).to_leaf();
        let members = || groups[g].iter().map(|&(_, i)| i as usize);
        let some = points.gather(members());
        let some = Points { values: &some, dim: space.dim };
        let slots: Vec<u32> = members().map(|i| slots[i]).collect();
        let directory = coded.directory;
        let centroid = (directory.centroid(number as usize), directory.scale(number as usize));
        leaf.insert(space.kernels, coded.codebook, space.measure(), centroid, some, &slots);
        (number, leaf)
    });
    for (number, leaf) in changed {
        store.changed.set(number as usize, leaf);
    }
    homes
}

/// Splits those of the leaves `homes` that have grown too large.
fn split_large(next: &mut Version, homes: &[Homes]) {
    let Some(grown) = &next.leaves else { return };
    let view = grown.store.view();
    let mut large: Vec<u32> = homes.iter().flatten().copied().filter(|&home| home != NO_LEAF).collect();
    large.sort_unstable();
    large.dedup();
    large.retain(|&leaf| view.leaf(leaf).members().count() > MOST_IN_LEAF);
    for leaf in large {
        split(next, leaf);
    }
}

/// Splits a leaf in two; one half keeps its number.
fn split(next: &mut Version, number: u32) {
    let space = next.space;
    let Some(grown) = &next.leaves else { return };
    let slots: Vec<u32> = grown.store.view().leaf(number).members().collect();
    let points = Stored { space: &space, slots: next.view() }.points(&slots);
    let points = Points { values: &points, dim: space.dim };
    let random = &mut crate::random::Random::new(u64::from(number), slots.len() as u64);
    let centroids = crate::kmeans::kmeans(space.kernels, points, 2, 8, random, 1);
    let centroids = Points { values: &centroids, dim: space.dim };
    let closer = (0..points.len()).map(|i| {
        let apart = |c| (space.kernels.l2_squared)(points.row(i), centroids.row(c));
        u32::from(apart(1) < apart(0))
    });
    let sides = members(2, &closer.collect::<Vec<_>>());
    if centroids.len() < 2 || sides.iter().any(Vec::is_empty) {
        return; // such as many equal vectors
    }
    let other = grown.store.len() as u32;
    let parts = [0, 1].map(|side: usize| {
        let some = points.gather(sides[side].iter().map(|&i| i as usize));
        let slots: Vec<u32> = sides[side].iter().map(|&i| slots[i as usize]).collect();
        let some = Points { values: &some, dim: space.dim };
        let centroid = centroids.row(side);
        let squares = (0..some.len()).map(|i| (space.kernels.l2_squared)(some.row(i), centroid));
        let spread = squares.sum::<f32>() / some.len() as f32;
        // Vectors that come to one that lies alone are about as far from it as in the leaf that there was.
        let spread = if spread > 0.0 { spread } else { grown.store.directory.spread(number as usize) };
        let centre = (centroid, scale_of(spread));
        let codebook = &grown.store.codebook;
        (Leaf::of(space.kernels, codebook, space.measure(), centre, some, &slots), spread)
    });
    let mut moved: Vec<u32> = sides[1].iter().map(|&i| slots[i as usize]).collect();
    moved.sort_unstable();
    next.slots.change(&space, &moved, |_, place| {
        place.homes.iter_mut().filter(|home| **home == number).for_each(|home| *home = other);
    });
    let Some(grown) = &mut next.leaves else { return };
    let store: &mut LeafStore = &mut grown.store;
    let directory: &mut Directory = Arc::make_mut(&mut store.directory);
    for (side, (leaf, spread)) in parts.into_iter().enumerate() {
        let centroid = centroids.row(side);
        match side {
            0 => directory.replace(space.kernels, number as usize, centroid, spread),
            _ => directory.push(space.kernels, number as usize, centroid, spread),
        }
        store.changed.set(if side == 0 { number } else { other } as usize, leaf);
    }
}
