//! The forest through its public door: against brute force, in every stage, for every metric.

#![allow(clippy::unwrap_used)] // helpers of tests: a failure is the test failing

use std::collections::BTreeMap;

use linjin::error::{BuildError, OpenError, SearchError, UpdateError};
use linjin::forest::{Budget, Forest, Metric, Stage};
use proptest::prelude::*;
use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

struct Data(Xoshiro256PlusPlus);

impl Data {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
    /// A sum of uniform numbers: near enough to a normal distribution.
    fn value(&mut self) -> f32 {
        (0..6).map(|_| self.0.next_u32() as f32 / u32::MAX as f32 - 0.5).sum()
    }
    fn vector(&mut self, metric: Metric, dim: usize) -> Vec<f32> {
        let bits = metric == Metric::Hamming;
        (0..dim).map(|_| self.value()).map(|v| if bits { f32::from(u8::from(v > 0.0)) } else { v }).collect()
    }
}

fn distance(metric: Metric, x: &[f32], y: &[f32]) -> f64 {
    let pairs = || x.iter().zip(y).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    match metric {
        Metric::Angular => {
            let lengths = (dot(x, x) * dot(y, y)).sqrt();
            if lengths > 0.0 { (2.0 - 2.0 * dot(x, y) / lengths).max(0.0).sqrt() } else { 2f64.sqrt() }
        }
        Metric::Euclidean => pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
        Metric::Manhattan => pairs().map(|(a, b)| (a - b).abs()).sum(),
        Metric::Hamming => pairs().filter(|(a, b)| (*a > 0.5) != (*b > 0.5)).count() as f64,
        Metric::Dot => dot(x, y),
        _ => unreachable!(),
    }
}

/// All items by distance, closest first.
fn brute_force(metric: Metric, items: &BTreeMap<u32, Vec<f32>>, query: &[f32]) -> Vec<(u32, f64)> {
    let mut all: Vec<_> = items.iter().map(|(&id, v)| (id, distance(metric, query, v))).collect();
    let sign = if metric == Metric::Dot { -1.0 } else { 1.0 };
    all.sort_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)).then(a.0.cmp(&b.0)));
    all
}

fn built(metric: Metric, dim: usize, n: usize, trees: usize) -> (Forest, BTreeMap<u32, Vec<f32>>, Data) {
    let mut data = Data::new(dim as u64 * 1000 + n as u64);
    let mut forest = Forest::new(dim, metric);
    let mut items = BTreeMap::new();
    for id in 0..n as u32 {
        let vector = data.vector(metric, dim);
        forest.add(id, &vector).unwrap();
        items.insert(id, vector);
    }
    forest.build(Some(trees), None).unwrap();
    (forest, items, data)
}

fn assert_exact(forest: &Forest, items: &BTreeMap<u32, Vec<f32>>, query: &[f32]) {
    let metric = forest.metric();
    let expected = brute_force(metric, items, query);
    let found = forest.nearest(query, None, Budget::Unlimited).unwrap();
    let mut ids = found.ids.clone();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(items.keys().copied()), "{metric}: exactly the living items are found");
    for ((id, got), (_, want)) in found.ids.iter().zip(&found.distances).zip(&expected) {
        let tolerance = if metric == Metric::Angular { 2e-3 } else { 1e-4 };
        assert!((f64::from(*got) - want).abs() < tolerance, "{metric}: item {id} at {got}, expected {want}");
    }
}

#[test]
fn an_unlimited_search_is_brute_force() {
    for metric in Metric::ALL {
        for (dim, n) in [(1, 10), (2, 100), (3, 4), (17, 300), (64, 500), (65, 40)] {
            let (forest, items, mut data) = built(metric, dim, n, 5);
            for _ in 0..5 {
                assert_exact(&forest, &items, &data.vector(metric, dim));
            }
        }
    }
}

#[test]
fn additions_replacements_and_removals_are_seen_at_once_and_survive_saving() {
    let folder = tempfile::tempdir().unwrap();
    for metric in Metric::ALL {
        let (mut forest, mut items, mut data) = built(metric, 12, 600, 4);
        let path = folder.path().join(format!("{metric}.ann"));
        for stage in [Stage::Built, Stage::Saved, Stage::Loaded, Stage::Loaded] {
            assert_eq!(forest.stage(), stage);
            let next = forest.n_items() as u32;
            for id in (next..next + 400).chain((0..next).step_by(7)).chain([next + 450]) {
                let vector = data.vector(metric, 12);
                forest.add(id, &vector).unwrap();
                items.insert(id, vector);
            }
            let removed: Vec<u32> = items.keys().copied().filter(|id| id % 5 == 3).collect();
            forest.remove(&removed).unwrap();
            items.retain(|id, _| id % 5 != 3);
            assert_eq!(forest.len(), items.len());
            for _ in 0..5 {
                assert_exact(&forest, &items, &data.vector(metric, 12));
            }
            let before = forest.nearest(&items[&0], Some(20), Budget::Unlimited).unwrap();
            match stage {
                Stage::Built => forest.save(&path, false).unwrap(),
                _ => {
                    forest.save(&path, false).unwrap();
                    forest = Forest::new(12, metric);
                    forest.load(&path, false).unwrap();
                }
            }
            assert_eq!(forest.len(), items.len());
            assert_eq!(forest.nearest(&items[&0], Some(20), Budget::Unlimited).unwrap(), before);
            assert_exact(&forest, &items, &data.vector(metric, 12));
        }
        // Planted anew over everything, it is a fresh forest.
        forest.build(Some(3), None).unwrap();
        assert_eq!((forest.stage(), forest.n_trees()), (Stage::Built, 3));
        assert_exact(&forest, &items, &data.vector(metric, 12));
    }
}

#[test]
fn the_file_does_not_depend_on_the_number_of_threads() {
    for metric in Metric::ALL {
        for trees in [Some(7), None] {
            let mut bytes = Vec::new();
            for jobs in [1, 2, 5] {
                let (mut forest, ..) = built(metric, 10, 2000, 1);
                forest.unbuild().unwrap();
                forest.set_seed(5);
                forest.build(trees, Some(jobs)).unwrap();
                bytes.push(forest.to_bytes().unwrap());
            }
            assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]), "{metric}");
        }
    }
}

#[test]
fn a_forest_on_disk_is_the_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("on-disk.ann");
    for metric in Metric::ALL {
        let (in_memory, items, _) = built(metric, 10, 1000, 5);
        let mut on_disk = Forest::new(10, metric);
        on_disk.add(0, &items[&0]).unwrap(); // before it moves to the disk
        on_disk.build_on_disk(&path).unwrap();
        for (&id, vector) in &items {
            on_disk.add(id, vector).unwrap();
        }
        on_disk.build(Some(5), None).unwrap();
        assert!(std::fs::read(&path).unwrap() == in_memory.to_bytes().unwrap(), "{metric}");
        assert_eq!(on_disk.stage(), Stage::Built);
        on_disk.unbuild().unwrap();
        on_disk.add(1000, &items[&3]).unwrap();
        on_disk.build(Some(2), None).unwrap();
        assert_eq!(on_disk.vector(1000).unwrap(), on_disk.vector(3).unwrap());
        let near = on_disk.nearest_to_item(1000, Some(1000), Budget::Unlimited).unwrap();
        let rank = |id| near.ids.iter().position(|&other| other == id).unwrap();
        assert_eq!(rank(1000), rank(3) + 1, "{metric}: equal items follow one another, the smaller id first");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn moving_to_the_disk_keeps_the_holes_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut forest = Forest::new(2, Metric::Euclidean);
    forest.add_rows(None, &[1.0; 10]).unwrap();
    forest.remove(&[3, 4]).unwrap();
    forest.build_on_disk(&folder.path().join("holes.ann")).unwrap();
    assert_eq!((forest.n_items(), forest.len()), (5, 3));
    forest.build(Some(2), None).unwrap();
    assert_eq!((forest.n_items(), forest.len()), (5, 3));
}

#[test]
fn bytes_carry_a_forest_in_every_stage() {
    for metric in Metric::ALL {
        let (mut forest, mut items, mut data) = built(metric, 9, 300, 3);
        forest.remove(&[5]).unwrap();
        items.remove(&5);
        let again = Forest::from_bytes(9, metric, true, &forest.to_bytes().unwrap()).unwrap();
        assert_eq!((again.n_trees(), again.len()), (3, 299));
        assert_exact(&again, &items, &data.vector(metric, 9));
        forest.unbuild().unwrap();
        let mut again = Forest::from_bytes(9, metric, false, &forest.to_bytes().unwrap()).unwrap();
        assert_eq!(again.stage(), Stage::Growing);
        again.build(Some(2), None).unwrap();
        assert_exact(&again, &items, &data.vector(metric, 9));
    }
}

#[test]
fn within_a_radius_is_brute_force() {
    for metric in Metric::ALL {
        for (dim, n) in [(2, 3000), (10, 3000), (40, 500)] {
            let (mut forest, mut items, mut data) = built(metric, dim, n, 2);
            for id in 0..100 {
                let vector = data.vector(metric, dim);
                forest.add(n as u32 + id, &vector).unwrap();
                items.insert(n as u32 + id, vector);
            }
            for rank in [0, 5, 100, 400] {
                let query = data.vector(metric, dim);
                let all = brute_force(metric, &items, &query);
                // Halfway to the next one, so that rounding decides nothing.
                let radius = ((all[rank].1 + all[rank + 1].1) / 2.0) as f32;
                if (all[rank].1 - all[rank + 1].1).abs() < 1e-5 {
                    continue;
                }
                let found = forest.within(&query, radius).unwrap();
                assert_eq!(found.ids.len(), rank + 1, "{metric} {dim}");
            }
        }
    }
}

#[test]
fn degenerate_items_are_no_trouble() {
    for metric in Metric::ALL {
        for dim in [0, 1, 5] {
            for n in [0, 1, 2, 3, 8, 50, 3000] {
                let mut forest = Forest::new(dim, metric);
                for id in 0..n {
                    forest.add(id, &vec![1.0; dim]).unwrap();
                }
                forest.build(Some(3), None).unwrap();
                forest.add(n, &vec![0.0; dim]).unwrap();
                let found = forest.nearest(&vec![1.0; dim], None, Budget::Unlimited).unwrap();
                assert_eq!(found.ids.len(), n as usize + 1, "{metric}, {n} equal items of {dim}");
                let again = Forest::from_bytes(dim, metric, true, &forest.to_bytes().unwrap()).unwrap();
                assert_eq!(again.nearest(&vec![1.0; dim], None, Budget::Unlimited).unwrap(), found);
                forest.remove(&(0..=n).collect::<Vec<_>>()).unwrap();
                assert_eq!(forest.nearest(&vec![1.0; dim], None, Budget::Unlimited).unwrap().ids, []);
                let again = Forest::from_bytes(dim, metric, true, &forest.to_bytes().unwrap()).unwrap();
                assert_eq!(again.nearest(&vec![1.0; dim], None, Budget::Unlimited).unwrap().ids, []);
                assert_eq!((again.len(), again.n_items()), (0, n as usize + 1));
            }
        }
    }
}

#[test]
fn few_items_far_apart_are_found() {
    for metric in Metric::ALL {
        for n in [1, 2, 10, 300] {
            let mut forest = Forest::new(4, metric);
            let mut data = Data::new(n);
            let mut items = BTreeMap::new();
            for i in 0..n as u32 {
                let vector = data.vector(metric, 4);
                forest.add(20_000 + i * 3, &vector).unwrap();
                items.insert(20_000 + i * 3, vector);
            }
            forest.build(Some(4), None).unwrap();
            assert_exact(&forest, &items, &data.vector(metric, 4));
            let again = Forest::from_bytes(4, metric, true, &forest.to_bytes().unwrap()).unwrap();
            assert_exact(&again, &items, &data.vector(metric, 4));
            assert_eq!(again.n_trees(), 4);
        }
    }
}

#[test]
fn damage_in_a_later_tree_leaves_changes_out_of_all() {
    let (dim, n) = (4, 200);
    let (mut forest, items, mut data) = built(Metric::Euclidean, dim, n, 2);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.ann");
    forest.save(&path, false).expect("saved");
    // Every other bucket of the second tree, which lies between the roots of both, claims a negative number of items.
    let mut bytes = std::fs::read(&path).expect("it was just saved");
    let (stride, bucket) = (4 * (4 + dim), 2 + dim as u32);
    let count = |node: &[u8]| u32::from_le_bytes(*node.first_chunk().expect("a node has a count"));
    let roots: Vec<usize> =
        (n..bytes.len() / stride).filter(|&node| count(&bytes[node * stride..]) == n as u32).collect();
    let buckets = (roots[0] + 1..roots[1]).filter(|&node| count(&bytes[node * stride..]) <= bucket);
    for node in buckets.step_by(2).collect::<Vec<_>>() {
        bytes[node * stride..][..4].copy_from_slice(&(-1i32).to_le_bytes());
    }
    std::fs::write(&path, bytes).expect("there is room");

    let open = || {
        let mut forest = Forest::new(dim, Metric::Euclidean);
        forest.load(&path, false).expect("its ends are sound");
        forest
    };
    // What the first tree, which is sound, leads to.
    let holds = |forest: &Forest, items: &BTreeMap<u32, Vec<f32>>| {
        assert_eq!(forest.n_items(), items.keys().last().map_or(0, |&id| id as usize + 1));
        assert_eq!(forest.len(), items.len());
        let mut found = forest.within(&[0.0; 4], f32::MAX).expect("the first tree is sound").ids;
        found.sort_unstable();
        assert!(found.iter().eq(items.keys()));
        assert!(items.iter().all(|(&id, vector)| forest.vector(id).expect("it is there") == *vector));
    };
    let (mut forest, mut model, mut refused) = (open(), items.clone(), 0);
    for id in 0..2 * n as u32 {
        let vector = data.vector(Metric::Euclidean, dim);
        match forest.add(id, &vector) {
            Ok(()) => _ = model.insert(id, vector),
            Err(error) => {
                assert!(matches!(error, UpdateError::Damaged(_)), "{error}");
                refused += 1;
            }
        }
        holds(&forest, &model);
    }
    assert!(refused > 0 && model != items);
    let mut forest = open();
    let ids: Vec<u32> = (n as u32 / 2..2 * n as u32).collect();
    let rows: Vec<f32> = ids.iter().flat_map(|_| data.vector(Metric::Euclidean, dim)).collect();
    assert!(matches!(forest.add_rows(Some(&ids), &rows), Err(UpdateError::Damaged(_))));
    holds(&forest, &items);
    let ids: Vec<u32> = items.keys().copied().collect();
    assert!(matches!(forest.remove(&ids), Err(UpdateError::Damaged(_))));
    holds(&forest, &items);
}

#[test]
fn what_is_wrong_is_said_and_changes_nothing() {
    let (mut forest, ..) = built(Metric::Angular, 3, 100, 2);
    let wrong = forest.add(100, &[1.0, f32::NAN, 0.0]).unwrap_err();
    assert!(matches!(wrong, UpdateError::NotFinite { id: 100, column: 1, .. }), "{wrong}");
    assert!(matches!(forest.add(100, &[1.0]), Err(UpdateError::Length { expected: 3, got: 1 })));
    assert!(matches!(forest.add(u32::MAX, &[1.0; 3]), Err(UpdateError::IdTooLarge { .. })));
    let rows = [[1.0, 2.0, 3.0], [1.0, f32::INFINITY, 3.0]].concat();
    assert!(matches!(forest.add_rows(None, &rows), Err(UpdateError::NotFinite { id: 101, column: 1, .. })));
    assert!(matches!(forest.add_rows(Some(&[1]), &rows), Err(UpdateError::Ids { ids: 1, vectors: 2 })));
    assert!(matches!(forest.remove(&[3, 100]), Err(UpdateError::UnknownItem { id: 100 })));
    assert!(matches!(forest.remove(&[3, 3]), Err(UpdateError::UnknownItem { id: 3 })));
    assert_eq!((forest.n_items(), forest.len()), (100, 100));
    assert!(matches!(forest.build(Some(2), None), Err(BuildError::AlreadyBuilt)));
    assert!(matches!(forest.vector(100), Err(SearchError::UnknownItem { id: 100, n_items: 100 })));
    let nan = forest.nearest(&[f32::NAN, 0.0, 0.0], None, Budget::PerTree).unwrap_err();
    assert!(matches!(nan, SearchError::NotFinite { row: 0, column: 0, .. }), "{nan}");
    forest.unbuild().unwrap();
    assert!(matches!(forest.build(Some(0), None), Err(BuildError::Count { name: "n_trees", .. })));
    assert!(matches!(forest.save("x".as_ref(), false), Err(OpenError::NotBuilt)));
    let stopped = forest.grow(Some(5), None, &mut |_| std::ops::ControlFlow::Break(())).unwrap_err();
    assert!(matches!(stopped, BuildError::Cancelled));
    let grown = forest.grow(Some(5), None, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    forest.add(100, &[1.0; 3]).unwrap();
    assert!(matches!(forest.plant(grown), Err(BuildError::Changed)));
    assert_eq!(forest.stage(), Stage::Growing);
}

#[derive(Debug, Clone)]
enum Call {
    Add(u32, u64),
    Remove(u32),
    Save,
    Rebuild,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => (0..60u32, any::<u64>()).prop_map(|(id, seed)| Call::Add(id, seed)),
        3 => (0..60u32).prop_map(Call::Remove),
        1 => Just(Call::Save),
        1 => Just(Call::Rebuild),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_sequence_of_changes_is_brute_force(
        metric in prop::sample::select(Metric::ALL.to_vec()),
        dim in 1..6usize,
        calls in prop::collection::vec(call(), 1..120),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.ann");
        let mut forest = Forest::new(dim, metric);
        let mut model = BTreeMap::new();
        forest.build(Some(2), None).unwrap();
        for call in calls {
            match call {
                Call::Add(id, seed) => {
                    let vector = Data::new(seed % 20).vector(metric, dim); // few seeds: many equal vectors
                    forest.add(id, &vector).unwrap();
                    model.insert(id, vector);
                }
                Call::Remove(id) => prop_assert_eq!(forest.remove(&[id]).is_ok(), model.remove(&id).is_some()),
                Call::Save => forest.save(&path, false).unwrap(),
                Call::Rebuild => {
                    if forest.stage() == Stage::Built {
                        forest.unbuild().unwrap();
                    }
                    forest.build(Some(2), Some(1)).unwrap();
                }
            }
            prop_assert_eq!(forest.len(), model.len());
        }
        assert_exact(&forest, &model, &Data::new(99).vector(metric, dim));
        forest.save(&path, false).unwrap();
        assert_exact(&forest, &model, &Data::new(98).vector(metric, dim));
    }
}
