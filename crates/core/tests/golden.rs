//! Files of every version open, hold what they held, answer, and are written again as they are.
//!
//! To make them anew: `cargo test -p linjin --test golden -- --ignored write`. Only until the version is released: then
//! they stay as they are, and a new version of the format gets files of its own.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::path::{Path, PathBuf};

use linjin::index::{Add, Effort, Index, Metric, Search, Vector};

mod made;

/// A file, and what is in it.
struct Golden {
    name: &'static str,
    metric: Metric,
    dim: usize,
    /// Ids and vectors, in the order in which they were added.
    vectors: Vec<(u64, Vec<f32>)>,
    /// Ids that were removed again.
    removed: Vec<u64>,
}

impl Golden {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(self.name)
    }

    fn living(&self) -> impl Iterator<Item = &(u64, Vec<f32>)> {
        self.vectors.iter().filter(|(id, _)| !self.removed.contains(id))
    }

    /// The closest ids with their distances, by brute force.
    fn closest(&self, query: &[f32], k: usize) -> Vec<(f64, u64)> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        let far = |row: &[f32]| {
            let (inner, q, x): (f64, f64, f64) = (dot(query, row), dot(query, query), dot(row, row));
            match self.metric {
                Metric::Cosine => 1.0 - inner / (q * x).sqrt(),
                _ => (q + x - 2.0 * inner).max(0.0).sqrt(),
            }
        };
        let mut all: Vec<(f64, u64)> = self.living().map(|(id, row)| (far(row), *id)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.truncate(k);
        all
    }
}

/// Few vectors, with ids of their own and gaps.
fn flat() -> Golden {
    let vectors: Vec<(u64, Vec<f32>)> =
        noise(60, 3, 1).into_iter().enumerate().map(|(i, row)| ((i * i * 1000 + 7) as u64, row)).collect();
    let removed = vec![vectors[5].0, vectors[59].0];
    Golden { name: "flat-v1.linjin", metric: Metric::Cosine, dim: 3, vectors, removed }
}

/// Enough vectors for leaves, numbered from 0; of so few directions that principal components are coded.
fn leaves() -> Golden {
    let directions = noise(3, 20, 3);
    let vector = |small: &Vec<f32>| -> Vec<f32> {
        let value = |d: usize| small.iter().zip(&directions).map(|(x, direction)| x * direction[d]).sum();
        (0..20).map(value).collect()
    };
    let vectors: Vec<Vec<f32>> = noise(2100, 3, 2).iter().map(vector).collect();
    let vectors = (0..).zip(vectors).collect();
    Golden { name: "leaves-v1.linjin", metric: Metric::Euclidean, dim: 20, vectors, removed: Vec::new() }
}

/// Enough vectors for leaves, of whole numbers that fit into a byte.
fn bytes() -> Golden {
    let vectors = noise(2100, 12, 4).into_iter().map(|row| row.into_iter().map(pixel).collect());
    Golden {
        name: "bytes-v1.linjin",
        metric: Metric::Euclidean,
        dim: 12,
        vectors: (0..).zip(vectors).collect(),
        removed: vec![17],
    }
}

/// A whole number from 20 to 220.
fn pixel(noise: f32) -> f32 {
    (noise * 100.0 + 120.0).round()
}

/// All of them.
fn all() -> [Golden; 3] {
    [flat(), leaves(), bytes()]
}

/// Vectors that look random, with values between -1 and 1.
fn noise(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut next = made::noise(seed);
    (0..n).map(|_| (0..dim).map(|_| next()).collect()).collect()
}

#[test]
#[ignore = "writes the files that the others read"]
fn write() {
    for golden in all() {
        let index = Index::new(golden.dim, golden.metric).unwrap();
        let ids: Vec<u64> = golden.vectors.iter().map(|(id, _)| *id).collect();
        let rows: Vec<f32> = golden.vectors.iter().flat_map(|(_, row)| row.clone()).collect();
        index.add(&rows, Some(&ids), &Add::default()).unwrap();
        index.remove(&golden.removed).unwrap();
        index.save(golden.path()).unwrap();
    }
}

#[test]
fn what_was_put_in_is_there() {
    for golden in all() {
        let info = Index::verify(golden.path()).unwrap();
        let index = Index::open(golden.path()).unwrap();
        assert_eq!(index.info(), info);
        assert_eq!((info.dim, info.metric), (golden.dim, golden.metric));
        assert_eq!(info.stored_as, if golden.name == bytes().name { "uint8" } else { "float32" });
        assert_eq!((info.leaves > 0, info.curve.is_empty()), (golden.name != flat().name, info.leaves == 0));
        assert_eq!(index.len(), golden.living().count());
        let mut ids: Vec<u64> = golden.living().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        assert_eq!(index.ids().unwrap(), ids);
        for (id, row) in &golden.vectors {
            let expected = (!golden.removed.contains(id)).then(|| Vector::Floats(row.clone()));
            assert_eq!(index.get(*id).unwrap(), expected);
        }
        // The number of a vector that is gone is not given again.
        let next = golden.vectors.iter().map(|(id, _)| id + 1).max().unwrap();
        assert_eq!(index.add(&golden.vectors[0].1, None, &Add::default()).unwrap(), [next]);
    }
}

#[test]
fn searches_find_what_brute_force_finds() {
    for golden in all() {
        let index = Index::open(golden.path()).unwrap();
        let (mut found, mut wanted) = (0, 0);
        for mut query in noise(20, golden.dim, 3) {
            if golden.name == bytes().name {
                query.iter_mut().for_each(|value| *value = pixel(*value));
            }
            let expected = golden.closest(&query, 10);
            let ids: Vec<u64> = expected.iter().map(|(_, id)| *id).collect();
            let exact = index.search(&query, &Search { effort: Effort::Exact, ..Search::new(10) }).unwrap();
            assert_eq!(exact.ids, ids);
            for (distance, (expected, _)) in exact.distances.iter().zip(&expected) {
                assert!(
                    (f64::from(*distance) - expected).abs() < 1e-6 * expected.max(1.0),
                    "{distance} for {expected}"
                );
            }
            let hits = index.search(&query, &Search::new(10)).unwrap();
            found += hits.ids.iter().filter(|id| ids.contains(id)).count();
            wanted += ids.len();
        }
        assert!(found * 10 >= wanted * 9, "{}: {found} of {wanted}", golden.name);
    }
}

#[test]
fn saved_again_it_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("again.linjin");
    for golden in all() {
        Index::open(golden.path()).unwrap().save(&again).unwrap();
        assert!(std::fs::read(&again).unwrap() == std::fs::read(golden.path()).unwrap(), "{}", golden.name);
    }
}
