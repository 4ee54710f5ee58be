//! Any bytes as an Annoy file: it opens or is refused; what opens is searched, changed and saved without a panic.
//!
//! Errors are as good as answers. What is an answer has to be true: items that live, each once, those that were just
//! added among them, those that were just removed not.

#![no_main]

use std::fs::{self, OpenOptions};

use libfuzzer_sys::fuzz_target;
use linjin::forest::{Budget, Forest, Metric, Neighbors};
use linjin_fuzz::{Numbers, folder, unpack};

const BUDGETS: [Budget; 6] = [
    Budget::PerTree,
    Budget::Unlimited,
    Budget::Candidates(0),
    Budget::Candidates(1),
    Budget::Candidates(100),
    Budget::Candidates(usize::MAX),
];
const WANTED: [Option<usize>; 5] = [Some(10), None, Some(1), Some(0), Some(usize::MAX)];
const RADII: [f32; 6] = [0.0, 0.5, 1.4, 100.0, -1.0, f32::NAN];

fuzz_target!(|input: &[u8]| {
    let Some((metric, dim, bytes)) = unpack(input) else { return };
    let mut numbers = Numbers::new(bytes.len() as u64);
    for with_trees in [false, true] {
        if let Ok(forest) = Forest::from_bytes(dim, metric, with_trees, bytes) {
            ask(&forest, 3, &mut numbers);
        }
    }

    let folder = folder();
    let given = folder.path().join("given.ann");
    fs::write(&given, bytes).expect("there is room for a file");
    let Some(mut forest) = loaded(metric, dim, &given) else { return };
    ask(&forest, 20, &mut numbers);

    change(&mut forest, &mut numbers);
    ask(&forest, 5, &mut numbers);
    save(&mut forest, &folder.path().join("saved.ann"));
    change(&mut forest, &mut numbers);
    ask(&forest, 5, &mut numbers);
    if forest.build(Some(2), Some(1)).is_ok() {
        let all = forest.nearest(&vec![0.0; dim], None, Budget::Unlimited).expect("every item is sound");
        assert_eq!(all.ids.len(), forest.len(), "new trees hold every item");
    }

    // The given file loses its second half while it is mapped.
    let Some(forest) = loaded(metric, dim, &given) else { return };
    let file = OpenOptions::new().write(true).open(&given).expect("it was just written");
    file.set_len(bytes.len() as u64 / 2).expect("a file can be cut");
    ask(&forest, 3, &mut numbers);
});

fn loaded(metric: Metric, dim: usize, path: &std::path::Path) -> Option<Forest> {
    let mut forest = Forest::new(dim, metric);
    forest.load(path, false).is_ok().then_some(forest)
}

/// `n` queries of each kind.
fn ask(forest: &Forest, n: usize, numbers: &mut Numbers) {
    let (metric, dim) = (forest.metric(), forest.dim());
    let id = |n: usize| n.wrapping_mul(0x9E37_79B9) % (forest.n_items() + 1);
    for i in 0..n {
        let query = if i % 4 == 3 { numbers.wild(dim) } else { numbers.plain(metric, dim) };
        let (budget, wanted) = (BUDGETS[i % BUDGETS.len()], WANTED[i % WANTED.len()]);
        let (one, other) = (id(i) as u32, id(i + n) as u32);
        if let Ok(found) = forest.nearest(&query, wanted, budget) {
            check(forest, &found, wanted);
        }
        if let Ok(found) = forest.nearest_to_item(one, wanted, budget) {
            check(forest, &found, wanted);
        }
        if let Ok(found) = forest.within(&query, RADII[i % RADII.len()]) {
            check(forest, &found, None);
        }
        if let Ok(vector) = forest.vector(one) {
            assert_eq!(vector.len(), dim);
        }
        _ = forest.distance(one, other);
    }
    _ = forest.nearest_batch(&numbers.plain(metric, 2 * dim), Some(3), Budget::PerTree, Some(1));
    assert!(forest.len() <= forest.n_items());
}

fn check(forest: &Forest, found: &Neighbors, wanted: Option<usize>) {
    assert_eq!(found.ids.len(), found.distances.len());
    assert!(wanted.is_none_or(|n| found.ids.len() <= n));
    assert!(found.ids.iter().all(|&id| forest.contains(id)), "what is found lives");
    let mut ids = found.ids.clone();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an item is found once");
}

/// Adds, replaces and removes some items.
fn change(forest: &mut Forest, numbers: &mut Numbers) {
    let (metric, dim) = (forest.metric(), forest.dim());
    for i in 0..8 {
        let id = numbers.below(forest.n_items() + 4) as u32;
        let vector = if i == 7 { numbers.wild(dim) } else { numbers.plain(metric, dim) };
        let everything = |forest: &Forest| forest.nearest(&vector, None, Budget::Unlimited);
        let before = (forest.n_items(), forest.contains(id));
        if i % 3 < 2 {
            match forest.add(id, &vector) {
                Ok(()) => {
                    assert!(forest.contains(id));
                    if metric != Metric::Hamming {
                        assert_eq!(forest.vector(id).expect("it was just written"), vector);
                    }
                    if let Ok(found) = everything(forest) {
                        assert!(found.ids.contains(&id), "item {id} was just added");
                    }
                }
                Err(_) => assert_eq!((forest.n_items(), forest.contains(id)), before),
            }
        } else {
            match forest.remove(&[id]) {
                Ok(()) => {
                    assert!(before.1 && !forest.contains(id));
                    if let Ok(found) = everything(forest) {
                        assert!(!found.ids.contains(&id), "item {id} was just removed");
                    }
                }
                Err(_) => assert_eq!((forest.n_items(), forest.contains(id)), before),
            }
        }
    }
}

/// Saves over a file that is there; it opens as what was saved, or nothing has happened to it.
fn save(forest: &mut Forest, path: &std::path::Path) {
    fs::write(path, b"before").expect("there is room for a file");
    let (n_items, n_trees, len) = (forest.n_items(), forest.n_trees(), forest.len());
    let everything = |forest: &Forest| {
        forest.nearest(&vec![0.0; forest.dim()], None, Budget::Unlimited).map(|found| found.ids)
    };
    let before = everything(forest);
    match forest.save(path, false) {
        Ok(()) => {
            let again = loaded(forest.metric(), forest.dim(), path).expect("what was saved can be opened");
            for forest in [&*forest, &again] {
                assert_eq!((forest.n_items(), forest.n_trees(), forest.len()), (n_items, n_trees, len));
                if let (Ok(before), Ok(after)) = (&before, everything(forest)) {
                    assert_eq!(*before, after, "the same items are found as before saving");
                }
            }
        }
        Err(error) => {
            assert_eq!(fs::read(path).expect("the old file is there"), b"before", "{error}");
            assert_eq!((forest.n_items(), forest.n_trees(), forest.len()), (n_items, n_trees, len));
        }
    }
}
