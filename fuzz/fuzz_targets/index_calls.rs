//! Any sequence of calls: the index is a map that is searched exhaustively, saved and opened without a difference.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use linjin::index::error::UpdateError;
use linjin::index::{Add, Effort, Filter, Filters, Index, Metric, NO_ID, Search, Vector, Verify};
use linjin_fuzz::index::{given, vectors};
use linjin_fuzz::{Numbers, folder};

#[derive(Arbitrary, Debug)]
enum Call {
    Add {
        seed: u8,
        n: u8,
    },
    /// Enough for leaves, and more of them.
    AddMany {
        seed: u8,
    },
    Put {
        ids: Vec<u16>,
        seed: u8,
        replace: bool,
    },
    Last,
    Remove {
        ids: Vec<u16>,
    },
    RemoveEvery {
        step: u8,
    },
    Search {
        seed: u8,
        k: u8,
        effort: u8,
        filter: u8,
    },
    Get {
        id: u16,
    },
    Save {
        verify: u8,
    },
    Optimize,
}

#[derive(Arbitrary, Debug)]
struct Input {
    metric: u8,
    dim: u8,
    calls: Vec<Call>,
}

type Model = BTreeMap<u64, Vector>;

fuzz_target!(|input: Input| {
    let metric = Metric::ALL[usize::from(input.metric) % Metric::ALL.len()];
    let dim = usize::from(input.dim) % 24 + 1;
    let folder = folder();
    let path = folder.path().join("index.linjin");
    let mut index = Index::new(dim, metric).expect("there can be such an index");
    let mut model = Model::new();
    let mut next = 0_u64;
    let (mut many, mut anew) = (0, 0); // what takes long
    for call in input.calls.iter().take(24) {
        match call {
            Call::Add { seed, n } => put(&index, &mut model, &mut next, None, usize::from(*n), *seed, false),
            Call::AddMany { .. } if many == 3 => {}
            Call::AddMany { seed } => {
                many += 1;
                put(&index, &mut model, &mut next, None, 1100, *seed, false);
            }
            Call::Put { ids, seed, replace } => {
                let ids: Vec<u64> = ids.iter().map(|&id| u64::from(id)).collect();
                put(&index, &mut model, &mut next, Some(&ids), ids.len(), *seed, *replace);
            }
            Call::Last => put(&index, &mut model, &mut next, Some(&[NO_ID - 1]), 1, 1, true),
            Call::Remove { ids } => {
                let ids: Vec<u64> = ids.iter().map(|&id| u64::from(id)).collect();
                let there = ids.iter().all(|id| model.contains_key(id));
                assert_eq!(index.remove(&ids).is_ok(), there);
                if there {
                    model.retain(|id, _| !ids.contains(id));
                }
            }
            Call::RemoveEvery { step } => {
                let step = usize::from(*step).max(2);
                let ids: Vec<u64> = model.keys().copied().step_by(step).collect();
                index.remove(&ids).expect("they are there");
                model.retain(|id, _| ids.binary_search(id).is_err());
            }
            Call::Search { seed, k, effort, filter } => {
                search(&index, &model, [*seed, *k, *effort, *filter]);
            }
            Call::Get { id } => {
                let id = u64::from(*id);
                assert_eq!(index.get(id).expect("the file is sound"), model.get(&id).cloned());
                assert_eq!(index.contains(id).expect("the file is sound"), model.contains_key(&id));
            }
            Call::Save { verify } => {
                index.save(&path).expect("there is room for a file");
                let modes = [Verify::Header, Verify::Lazy, Verify::Full];
                index =
                    Index::open_with(&path, modes[usize::from(*verify) % 3]).expect("it was just written");
            }
            Call::Optimize if anew == 1 => {}
            Call::Optimize => {
                anew += 1;
                index.optimize(None).expect("nothing is damaged");
            }
        }
        assert_eq!(index.len(), model.len());
    }
    assert_eq!(index.ids().expect("the file is sound"), model.keys().copied().collect::<Vec<_>>());
    for (&id, vector) in &model {
        assert_eq!(index.get(id).expect("the file is sound").as_ref(), Some(vector));
    }
});

/// What the vectors of a few seeds are multiplied by: sums over them overflow or vanish.
const EXTREMES: [f32; 3] = [1e19, 4e37, 1e-40];

/// The vectors of a seed.
fn made(seed: u8, metric: Metric, n: usize, dim: usize) -> (Vec<f32>, Vec<u8>) {
    let mut rows = vectors(&mut Numbers::new(seed.into()), metric, n, dim);
    if seed >= 224 {
        rows.0.iter_mut().for_each(|value| *value *= EXTREMES[usize::from(seed) % EXTREMES.len()]);
    }
    rows
}

/// Whether arithmetic on a vector is as good as on real numbers.
fn is_ordinary(vector: &Vector) -> bool {
    match vector {
        Vector::Floats(values) => {
            values.iter().all(|value| *value == 0.0 || (0.01..100.0).contains(&value.abs()))
        }
        Vector::Bits(_) => true,
    }
}

/// Adds `n` vectors; the index and the model have to agree on whether that can be.
fn put(
    index: &Index,
    model: &mut Model,
    next: &mut u64,
    ids: Option<&[u64]>,
    n: usize,
    seed: u8,
    replace: bool,
) {
    let (metric, dim) = (index.metric(), index.dim());
    let rows = made(seed, metric, n, dim);
    let done = index.add(given(metric, &rows), ids, &Add { replace, threads: Some(1), ..Add::default() });
    let wanted: Vec<u64> = match ids {
        Some(ids) => ids.to_vec(),
        None => match next.checked_add(n as u64) {
            Some(end) => (*next..end).collect(),
            None => {
                assert!(matches!(done, Err(UpdateError::Reserved { .. })));
                return;
            }
        },
    };
    let mut different = wanted.clone();
    different.sort_unstable();
    different.dedup();
    let fits = different.len() == n && (replace || wanted.iter().all(|id| !model.contains_key(id)));
    match done {
        Ok(given) => {
            assert!(fits);
            assert_eq!(given, wanted);
            for (i, id) in wanted.into_iter().enumerate() {
                *next = (*next).max(id + 1);
                model.insert(id, row(metric, dim, &rows, i));
            }
        }
        Err(_) => assert!(!fits),
    }
}

/// Vector `i` as the index gives it back: bits beyond the last dimension are zeros.
fn row(metric: Metric, dim: usize, (floats, bits): &(Vec<f32>, Vec<u8>), i: usize) -> Vector {
    if metric != Metric::Hamming {
        return Vector::Floats(floats[i * dim..][..dim].to_vec());
    }
    let width = dim.div_ceil(8);
    let mut row = bits[i * width..][..width].to_vec();
    if dim % 8 > 0 {
        row[width - 1] &= (1 << (dim % 8)) - 1;
    }
    Vector::Bits(row)
}

fn search(index: &Index, model: &Model, [seed, k, effort, filter]: [u8; 4]) {
    let (metric, dim) = (index.metric(), index.dim());
    let query = made(seed, metric, 1, dim);
    let effort = match effort % 4 {
        0 => Effort::Exact,
        1 => Effort::Recall(f32::from(effort) / 256.0),
        2 => Effort::Ef(effort.into()),
        _ => Effort::Ef(0),
    };
    let step = usize::from(filter >> 1).max(1);
    let some = Filter::Ids(model.keys().copied().step_by(step).collect());
    let with = (filter & 1 == 1).then_some(Filters::Same(&some));
    let k = usize::from(k);
    let found = index.search(given(metric, &query), &Search { effort, filter: with, ..Search::new(k) });
    let found = found.expect("the file is sound");
    let allowed: Vec<u64> = match with {
        Some(_) => model.keys().copied().step_by(step).collect(),
        None => model.keys().copied().collect(),
    };
    assert_eq!(found.ids.len(), k.min(allowed.len()), "as many as there are to be had");
    let query = row(metric, dim, &query, 0);
    let far = |id: &u64| distance(metric, dim, &query, &model[id]);
    for (pair, ids) in found.distances.windows(2).zip(found.ids.windows(2)) {
        assert!(pair[0] < pair[1] || pair[0] == pair[1] && ids[0] < ids[1], "closest first");
    }
    let mut different = found.ids.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), found.ids.len(), "an id comes once");
    assert!(different.iter().all(|id| allowed.binary_search(id).is_ok()), "they may be found");
    if !is_ordinary(&query) || !model.values().all(is_ordinary) {
        return;
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-3 * (1.0 + b.abs());
    for (id, &distance) in found.ids.iter().zip(&found.distances) {
        assert!(close(distance.into(), far(id)), "{distance} for {}", far(id));
    }
    if effort == Effort::Exact {
        let mut all: Vec<f64> = allowed.iter().map(far).collect();
        all.sort_unstable_by(f64::total_cmp);
        for (&found, &true_one) in found.distances.iter().zip(&all) {
            assert!(close(found.into(), true_one), "{found} for {true_one}");
        }
    }
}

fn distance(metric: Metric, dim: usize, a: &Vector, b: &Vector) -> f64 {
    let (a, b) = match (a, b) {
        (Vector::Bits(a), Vector::Bits(b)) => {
            let apart: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
            return f64::from(apart) / dim as f64;
        }
        (Vector::Floats(a), Vector::Floats(b)) => (a, b),
        _ => unreachable!("all are of one kind"),
    };
    let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let sum = |of: fn((f64, f64)) -> f64| pairs().map(of).sum::<f64>();
    match metric {
        Metric::Dot => -sum(|(a, b)| a * b),
        Metric::Manhattan => sum(|(a, b)| (a - b).abs()),
        Metric::SqEuclidean => sum(|(a, b)| (a - b) * (a - b)),
        Metric::Euclidean => sum(|(a, b)| (a - b) * (a - b)).sqrt(),
        _ => {
            let lengths = (sum(|(a, _)| a * a) * sum(|(_, b)| b * b)).sqrt();
            if lengths == 0.0 { 1.0 } else { 1.0 - sum(|(a, b)| a * b) / lengths }
        }
    }
}
