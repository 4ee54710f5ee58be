//! The index against brute force, through its public door.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use linjin::index::{Add, Effort, Filter, Filters, Index, Metric, NO_ID, Search, Vector, Vectors};
use proptest::prelude::*;

mod made;

use made::noise;

/// `n` vectors in some dozens of clusters.
fn clustered(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut noise = noise(seed);
    let centres: Vec<f32> = (0..40 * dim).map(|_| noise()).collect();
    (0..n)
        .flat_map(|i| {
            let centre = &centres[i * 7 % 40 * dim..][..dim];
            centre.iter().map(|value| value + 0.4 * noise()).collect::<Vec<_>>()
        })
        .collect()
}

fn distance(metric: Metric, dim: usize, a: &[f32], b: &[f32]) -> f64 {
    let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    match metric {
        Metric::Cosine => {
            let lengths = (dot(a, a) * dot(b, b)).sqrt();
            if lengths > 0.0 { 1.0 - dot(a, b) / lengths } else { 1.0 }
        }
        Metric::Euclidean => pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
        Metric::SqEuclidean => pairs().map(|(a, b)| (a - b) * (a - b)).sum(),
        Metric::Dot => -dot(a, b),
        Metric::Manhattan => pairs().map(|(a, b)| (a - b).abs()).sum(),
        _ => pairs().filter(|(a, b)| a != b).count() as f64 / dim as f64,
    }
}

/// The rows as the metric wants them: floats, or their signs as bits.
enum Rows {
    Floats(Vec<f32>),
    Bits(Vec<u8>, Vec<f32>),
}

impl Rows {
    fn new(metric: Metric, dim: usize, values: Vec<f32>) -> Self {
        if metric != Metric::Hamming {
            return Self::Floats(values);
        }
        let ones: Vec<f32> = values.iter().map(|&value| f32::from(u8::from(value > 0.0))).collect();
        let byte =
            |bits: &[f32]| bits.iter().enumerate().fold(0, |byte, (i, &bit)| byte | u8::from(bit > 0.0) << i);
        let bytes = ones.chunks(dim).flat_map(|row| row.chunks(8).map(byte)).collect();
        Self::Bits(bytes, ones)
    }

    fn all(&self) -> Vectors<'_> {
        match self {
            Self::Floats(values) => Vectors::Floats(values),
            Self::Bits(bytes, _) => Vectors::Bits(bytes),
        }
    }

    fn row(&self, dim: usize, i: usize) -> Vectors<'_> {
        match self {
            Self::Floats(values) => Vectors::Floats(&values[i * dim..][..dim]),
            Self::Bits(bytes, _) => Vectors::Bits(&bytes[i * dim.div_ceil(8)..][..dim.div_ceil(8)]),
        }
    }

    fn values(&self, dim: usize, i: usize) -> &[f32] {
        let (Self::Floats(values) | Self::Bits(_, values)) = self;
        &values[i * dim..][..dim]
    }
}

/// The `k` distances that an exact search has to report.
fn truth(metric: Metric, dim: usize, rows: &Rows, n: usize, query: &[f32], k: usize) -> Vec<f64> {
    let mut all: Vec<f64> = (0..n).map(|i| distance(metric, dim, rows.values(dim, i), query)).collect();
    all.sort_by(f64::total_cmp);
    all.truncate(k);
    all
}

#[test]
fn every_metric_finds_what_brute_force_finds() {
    for metric in Metric::ALL {
        for (n, dim) in [(0, 3), (1, 1), (2, 7), (300, 1), (300, 33), (4000, 24), (6000, 70)] {
            let rows = Rows::new(metric, dim, clustered(n, dim, 1));
            let queries = Rows::new(metric, dim, clustered(40, dim, 1));
            let index = Index::new(dim, metric).unwrap();
            index.add(rows.all(), None, &Add::default()).unwrap();
            let (mut hit, mut wanted) = (0, 0);
            for i in 0..40 {
                let expected = truth(metric, dim, &rows, n, queries.values(dim, i), 10);
                let exact = Search { effort: Effort::Exact, ..Search::new(10) };
                let hits = index.search(queries.row(dim, i), &exact).unwrap();
                assert_eq!(hits.distances.len(), expected.len());
                for (found, expected) in hits.distances.iter().zip(&expected) {
                    let close = (f64::from(*found) - expected).abs() <= 1e-4 * expected.abs().max(1.0);
                    assert!(close, "{metric} {n} x {dim}: {found} for {expected}");
                }
                let search = Search { effort: Effort::Recall(0.95), ..Search::new(10) };
                let hits = index.search(queries.row(dim, i), &search).unwrap();
                assert!(hits.distances.is_sorted());
                let worst = expected.last().map_or(0.0, |worst| worst + 1e-4 * worst.abs().max(1.0));
                hit += hits.distances.iter().filter(|&&found| f64::from(found) <= worst).count();
                wanted += expected.len();
            }
            assert!(hit as f64 >= 0.9 * wanted as f64, "{metric} {n} x {dim}: {hit} of {wanted}");
        }
    }
}

#[test]
fn values_whose_sums_overflow_or_vanish_are_taken_and_searched() {
    let (dim, n) = (8, 3000);
    for metric in Metric::ALL.into_iter().filter(|metric| !metric.is_binary()) {
        for scale in [1e19, 1e20, 1e30, 1e38, 1e-20, 1e-40] {
            let rows: Vec<f32> = clustered(n, dim, 5).iter().map(|value| value * scale).collect();
            let index = Index::new(dim, metric).unwrap();
            index.add(&rows, None, &Add::default()).unwrap();
            index.optimize(None).unwrap();
            index.add(&clustered(n, dim, 6), None, &Add::default()).unwrap();
            index.add(&rows[..dim * 500], None, &Add::default()).unwrap();
            for query in [&rows[..dim], &clustered(1, dim, 7)] {
                for effort in [Effort::Recall(0.9), Effort::Ef(20), Effort::Exact] {
                    let found = index.search(query, &Search { effort, ..Search::new(10) }).unwrap();
                    assert_eq!(found.ids.len(), 10, "{metric:?} {scale} {effort:?}");
                    assert!(found.distances.is_sorted(), "{metric:?} {scale}: {:?}", found.distances);
                }
            }
        }
    }
}

/// Codes that are as fine for vectors far apart as for close ones find the close ones too.
#[test]
fn neighbours_are_found_where_lengths_differ_a_hundredfold() {
    let (dim, n, asked, k) = (32, 20_000, 100, 10);
    let mut power = noise(8);
    let values: Vec<f32> = clustered(n + asked, dim, 9)
        .chunks(dim)
        .flat_map(|row| {
            let times = 10_f32.powf(power());
            row.iter().map(move |value| value * times).collect::<Vec<_>>()
        })
        .collect();
    let (rows, queries) = values.split_at(n * dim);
    let index = Index::new(dim, Metric::Euclidean).unwrap();
    index.add(rows, None, &Add::default()).unwrap();
    index.optimize(None).unwrap();
    let ids = |query, effort| index.search(query, &Search { effort, ..Search::new(k) }).unwrap().ids;
    let found = queries.chunks(dim).map(|query| {
        let all = ids(query, Effort::Exact);
        ids(query, Effort::Ef(100)).iter().filter(|id| all.contains(id)).count()
    });
    let found: usize = found.sum();
    assert!(found * 100 >= asked * k * 90, "{found} of {}", asked * k);
}

#[test]
fn the_recall_that_is_asked_for_comes_where_some_queries_are_easy_and_some_are_hard() {
    let (dim, n, asked) = (16, 20_000, 200);
    let mut random = noise(21);
    let clumps: Vec<f32> = (0..200 * dim).map(|_| random()).collect();
    // Every second vector lies in a clump, the others anywhere.
    let values: Vec<f32> = (0..n + asked)
        .flat_map(|i| {
            let clump = (i % 2 == 0).then(|| &clumps[i / 2 % 200 * dim..][..dim]);
            let value = |d: usize, noise: f32| clump.map_or(noise, |clump| clump[d] + 0.05 * noise);
            (0..dim).map(|d| value(d, random())).collect::<Vec<_>>()
        })
        .collect();
    let (rows, queries) = values.split_at(n * dim);
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Dot] {
        let index = Index::new(dim, metric).unwrap();
        index.add(rows, None, &Add::default()).unwrap();
        let ids = |query, k, effort| index.search(query, &Search { effort, ..Search::new(k) }).unwrap().ids;
        for (k, recall) in [(10, 0.95), (10, 0.99), (100, 0.95)] {
            let found = queries.chunks(dim).map(|query| {
                let all = ids(query, k, Effort::Exact);
                ids(query, k, Effort::Recall(recall)).iter().filter(|id| all.contains(id)).count()
            });
            let found = found.sum::<usize>() as f32 / (asked * k) as f32;
            assert!(found >= recall - 0.02, "{metric}, {k}: {found} of {recall}");
        }
    }
}

#[test]
fn ties_go_by_the_smaller_id() {
    let index = Index::new(2, Metric::Euclidean).unwrap();
    index.add(&[1.0, 1.0].repeat(5000), None, &Add::default()).unwrap();
    for effort in [Effort::Exact, Effort::Recall(0.95)] {
        let hits = index.search(&[1.0, 1.0], &Search { effort, ..Search::new(3) }).unwrap();
        assert_eq!(hits.distances, [0.0; 3]);
        if effort == Effort::Exact {
            assert_eq!(hits.ids, [0, 1, 2]);
        }
    }
}

#[test]
fn what_is_removed_is_gone_and_what_is_added_is_found() {
    let (n, dim) = (6000, 16);
    let values = clustered(n, dim, 3);
    let row = |i: usize| &values[i * dim..][..dim];
    let index = Index::new(dim, Metric::Euclidean).unwrap();
    index.add(&values[..5000 * dim], None, &Add::default()).unwrap();
    assert!(index.info().leaves > 0);
    let gone: Vec<u64> = (0..5000).filter(|id| id % 3 == 0).collect();
    index.remove(&gone).unwrap();
    for i in 5000..n {
        index.add(row(i), None, &Add::default()).unwrap();
    }
    let moved = Add { replace: true, ..Add::default() };
    index.add(row(5999), Some(&[1]), &moved).unwrap();
    assert_eq!(index.len(), n - gone.len());
    assert!(!index.contains(0).unwrap() && index.contains(1).unwrap() && index.contains(5999).unwrap());
    assert_eq!(index.get(1).unwrap(), Some(Vector::Floats(row(5999).to_vec())));
    let mut lost = 0;
    for i in (0..n).step_by(7) {
        let hits = index.search(row(i), &Search::new(5)).unwrap();
        assert!(hits.ids.iter().all(|id| *id >= 5000 || id % 3 != 0), "{i}: {:?}", hits.ids);
        let alive = i >= 5000 || (i % 3 != 0 && i != 1);
        lost += usize::from(alive && !hits.ids.contains(&(i as u64)));
    }
    assert!(lost <= 8, "{lost} of some 600 vectors do not find themselves");
    assert_eq!(index.search(row(5999), &Search::new(2)).unwrap().ids, [1, 5999]);
    assert!(index.remove(&[2, 0]).is_err());
    assert!(index.contains(2).unwrap());
}

#[test]
fn many_changes_take_no_more_memory() {
    let (dim, n, moved) = (20, 6000, 1200);
    let rows = clustered(n + 20 * moved, dim, 71);
    let index = Index::new(dim, Metric::Cosine).unwrap();
    index.add(&rows[..n * dim], None, &Add::default()).unwrap();
    let fresh = index.info().bytes;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index");
    index.save(&path).unwrap();
    let opened = Index::open(&path).unwrap();
    let mut most = 0;
    for round in 0..20 {
        let first = n + round * moved;
        for index in [&index, &opened] {
            let gone: Vec<u64> = index.ids().unwrap().into_iter().step_by(5).collect();
            index.remove(&gone).unwrap();
            index.add(&rows[first * dim..][..moved * dim], None, &Add::default()).unwrap();
        }
        most = most.max(index.info().bytes);
    }
    assert!(most < fresh * 5 / 2, "{most} bytes at most, {fresh} at first");
    let queries: Vec<&[f32]> =
        index.ids().unwrap().iter().step_by(20).map(|&id| &rows[id as usize * dim..][..dim]).collect();
    let found = queries.iter().filter(|row| {
        let nearest = |effort| index.search(**row, &Search { effort, ..Search::new(1) }).unwrap().ids;
        nearest(Effort::Recall(0.95)) == nearest(Effort::Exact)
    });
    let found = found.count();
    assert!(found * 100 >= queries.len() * 95, "{found} of {}", queries.len());
    assert_eq!(index.ids().unwrap(), opened.ids().unwrap());
    assert_eq!(index.len(), n);
    for id in index.ids().unwrap() {
        let row = &rows[id as usize * dim..][..dim];
        assert_eq!(index.get(id).unwrap(), Some(Vector::Floats(row.to_vec())));
        let search = Search { effort: Effort::Exact, ..Search::new(1) };
        assert_eq!(index.search(row, &search).unwrap().ids, [id]);
        assert_eq!(opened.search(row, &search).unwrap().ids, [id]);
    }
}

/// 1 − ⟨q, x⟩, of numbers that have seven digits, has none left where q and x are nearly the same.
#[test]
fn near_repeats_are_told_apart_by_cosine() {
    let (dim, groups, each) = (48, 100, 40);
    let mut noise = noise(81);
    let mut rows = Vec::new();
    for group in 0..groups {
        let like: Vec<f32> = (0..dim).map(|_| noise()).collect();
        let length = 10_f32.powi(group % 7 - 3);
        for _ in 0..each {
            rows.extend(like.iter().map(|value| length * (value + 1e-3 * noise())));
        }
    }
    let index = Index::new(dim, Metric::Cosine).unwrap();
    index.add(&rows, None, &Add::default()).unwrap();
    let row = |i: usize| &rows[i * dim..][..dim];
    let (mut found, mut wanted) = (0, 0);
    for query in (0..groups as usize * each).step_by(37) {
        let mut truth: Vec<(f64, u64)> = (0..groups as usize * each)
            .map(|i| (distance(Metric::Cosine, dim, row(query), row(i)), i as u64))
            .collect();
        truth.sort_by(|a, b| a.0.total_cmp(&b.0));
        let exact = index.search(row(query), &Search { effort: Effort::Exact, ..Search::new(10) }).unwrap();
        assert_eq!(
            (exact.ids[0], exact.distances[0]),
            (query as u64, 0.0),
            "a vector is at no distance of itself"
        );
        for ((id, distance), (true_distance, true_id)) in
            exact.ids.iter().zip(&exact.distances).zip(&truth).skip(1)
        {
            let apart = (f64::from(*distance) - true_distance).abs();
            assert!(apart < 1e-3 * true_distance, "{distance} instead of {true_distance}, {id}, {true_id}");
        }
        let usual = index.search(row(query), &Search::new(10)).unwrap();
        found += usual.ids.iter().filter(|id| truth[..10].iter().any(|(_, other)| other == *id)).count();
        wanted += 10;
    }
    assert!(found * 10 >= wanted * 9, "{found} of {wanted}");
}

#[test]
fn filters_that_have_to_do_with_the_query_hold_too() {
    let (dim, n) = (24, 20_000);
    let rows = clustered(n, dim, 61);
    let index = Index::new(dim, Metric::SqEuclidean).unwrap();
    index.add(&rows, None, &Add::default()).unwrap();
    let mut hit = [[0; 3]; 2];
    let mut noise = noise(62);
    for row in rows.chunks_exact(dim).step_by(499) {
        let query: Vec<f32> = row.iter().map(|value| value + 0.1 * noise()).collect();
        let query = query.as_slice();
        let every = index.search(query, &Search { effort: Effort::Exact, ..Search::new(n) }).unwrap().ids;
        for (share, hit) in [2, 10].into_iter().zip(&mut hit) {
            // What is far from the query, what is near to it, and all but that.
            let sets = [&every[n - n / share..], &every[..n / share], &every[50..]];
            for (ids, hit) in sets.into_iter().zip(hit) {
                let ids = Filter::Ids(ids.to_vec());
                let search = Search { filter: Some(Filters::Same(&ids)), ..Search::new(10) };
                let found = index.search(query, &search).unwrap();
                let exact = index.search(query, &Search { effort: Effort::Exact, ..search }).unwrap();
                *hit += found.ids.iter().filter(|id| exact.ids.contains(id)).count();
            }
        }
    }
    assert!(hit.iter().flatten().all(|&hit| hit >= 380), "{hit:?} of 410 each");
}

#[test]
fn filters_hold_at_every_share() {
    let (n, dim) = (20_000, 16);
    let values = clustered(n, dim, 5);
    let index = Index::new(dim, Metric::Cosine).unwrap();
    index.add(&values, None, &Add::default()).unwrap();
    for step in [2, 10, 100, 1000, 20_000] {
        let mask: Vec<bool> = (0..n).map(|id| id % step == 0).collect();
        let ids: Vec<u64> = (0..n as u64).filter(|id| id % step as u64 == 0).collect();
        let (mask, ids) = (Filter::from_mask(&mask), Filter::from(ids));
        let mut hit = 0;
        let mut wanted = 0;
        for i in (1..n).step_by(401) {
            let query = &values[i * dim..][..dim];
            let exact =
                Search { filter: Some(Filters::Same(&ids)), effort: Effort::Exact, ..Search::new(10) };
            let expected = index.search(query, &exact).unwrap();
            let search = Search { filter: Some(Filters::Same(&mask)), ..Search::new(10) };
            let hits = index.search(query, &search).unwrap();
            assert!(hits.ids.iter().all(|id| id % step as u64 == 0));
            hit += hits.ids.iter().filter(|id| expected.ids.contains(id)).count();
            wanted += expected.ids.len();
        }
        assert!(hit as f64 >= 0.9 * wanted as f64, "1 of {step}: {hit} of {wanted}");
        let search = Search { exclude: Some(Filters::Same(&ids)), ..Search::new(10) };
        let hits = index.search(&values[..dim], &search).unwrap();
        assert!(hits.ids.len() == 10 && hits.ids.iter().all(|id| id % step as u64 != 0));
    }
}

#[test]
fn a_file_answers_as_the_index_did_and_takes_changes() {
    let folder = tempfile::tempdir().unwrap();
    for metric in Metric::ALL {
        for n in [0, 5, 5000] {
            let dim = 20;
            let rows = Rows::new(metric, dim, clustered(n, dim, 7));
            let index = Index::new(dim, metric).unwrap();
            let ids: Vec<u64> = (0..n as u64).map(|i| i * 1_000_003 % 999_983).collect();
            index.add(rows.all(), Some(&ids), &Add::default()).unwrap();
            if n > 2 {
                index.remove(&ids[..2]).unwrap();
            }
            let path = folder.path().join(format!("{metric}-{n}.linjin"));
            index.save(&path).unwrap();
            let before = std::fs::read(&path).unwrap();
            Index::verify(&path).unwrap();
            let mapped = Index::open(&path).unwrap();
            assert_eq!((mapped.len(), mapped.dim(), mapped.metric()), (index.len(), dim, metric));
            assert_eq!(mapped.ids().unwrap(), index.ids().unwrap());
            let queries = Rows::new(metric, dim, clustered(20, dim, 8));
            for i in 0..20 {
                let query = queries.row(dim, i);
                let (a, b) = (index.search(query, &Search::new(10)), mapped.search(query, &Search::new(10)));
                assert_eq!(a.unwrap(), b.unwrap());
            }
            if n > 2 {
                assert_eq!(mapped.get(ids[2]).unwrap(), index.get(ids[2]).unwrap());
                assert!(!mapped.contains(ids[0]).unwrap());
                mapped.remove(&ids[2..4]).unwrap();
                mapped.add(rows.row(dim, 0), Some(&[ids[0]]), &Add::default()).unwrap();
                let hits = mapped.search(rows.row(dim, 0), &Search::new(1)).unwrap();
                assert!(hits.ids == [ids[0]] || hits.distances[0] <= 0.0, "{metric}: {hits:?}");
                let again = folder.path().join("again.linjin");
                mapped.save(&again).unwrap();
                assert_eq!(Index::open(&again).unwrap().ids().unwrap(), mapped.ids().unwrap());
            }
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }
}

#[test]
fn damage_is_an_error_and_never_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.linjin");
    let dim = 8;
    let index = Index::new(dim, Metric::Cosine).unwrap();
    let values = clustered(3000, dim, 9);
    let ids: Vec<u64> = (0..3000).map(|i| i * 3 + 1).collect();
    index.add(&values, Some(&ids), &Add::default()).unwrap();
    index.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut noise = noise(11);
    let mut random = |n: usize| ((noise() + 1.0) / 2.0 * n as f32) as usize % n;
    for round in 0..300 {
        let mut bytes = whole.clone();
        match round % 3 {
            0 => bytes.truncate(random(whole.len())),
            1 => bytes[random(600)] ^= 1 << random(8), // in the head
            _ => {
                let at = random(whole.len() - 64);
                for byte in &mut bytes[at..at + 64] {
                    *byte = random(256) as u8;
                }
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let verified = Index::verify(&path);
        assert_eq!(verified.is_ok(), bytes == whole, "round {round}: every difference is found");
        let Ok(index) = Index::open(&path) else {
            assert!(verified.is_err());
            continue;
        };
        for i in 0..20 {
            _ = index.search(&values[i * 100 * dim..][..dim], &Search::new(10));
            _ = index.get(ids[i]);
        }
        _ = index.add(&values[..dim], Some(&[2]), &Add::default());
        _ = index.remove(&ids[..40]);
    }
    std::fs::write(&path, b"not an index").unwrap();
    assert!(Index::open(&path).unwrap_err().to_string().contains("not a linjin index"));
}

#[test]
fn threads_change_while_others_search() {
    let dim = 12;
    let values = clustered(6000, dim, 13);
    let index = Index::new(dim, Metric::Euclidean).unwrap();
    index.add(&values[..4000 * dim], None, &Add::default()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (index, stop, values) = (&index, &stop, &values);
            scope.spawn(move || {
                let mut i = thread;
                while !stop.load(Relaxed) {
                    let query = &values[i * 37 % 4000 * dim..][..dim];
                    let hits = index.search(query, &Search::new(10)).unwrap();
                    assert_eq!(hits.ids.len(), 10);
                    assert!(hits.distances.is_sorted());
                    let mut ids = hits.ids.clone();
                    ids.sort_unstable();
                    ids.dedup();
                    assert_eq!(ids.len(), 10, "an id came twice");
                    // Only ids that are there at times, each with the distance of its vector.
                    for (&id, &found) in hits.ids.iter().zip(&hits.distances) {
                        assert!(id < 6000);
                        let row = &values[id as usize * dim..][..dim];
                        let expected = distance(Metric::Euclidean, dim, row, query);
                        assert!((f64::from(found) - expected).abs() < 1e-4, "{id}: {found} for {expected}");
                    }
                    i += 1;
                }
            });
        }
        for round in 0..10 {
            let ids: Vec<u64> = (4000..6000).collect();
            index.add(&values[4000 * dim..], Some(&ids), &Add::default()).unwrap();
            index.remove(&ids).unwrap();
            assert_eq!(index.len(), 4000, "round {round}");
        }
        stop.store(true, Relaxed);
    });
}

#[test]
fn a_build_does_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let values = clustered(5000, 30, 17);
    let files: Vec<Vec<u8>> = [1, 2, 5]
        .map(|threads| {
            let index = Index::new(30, Metric::Cosine).unwrap();
            index.add(&values, None, &Add { threads: Some(threads), ..Add::default() }).unwrap();
            let path = folder.path().join("index.linjin");
            index.save(&path).unwrap();
            std::fs::read(&path).unwrap()
        })
        .into();
    assert!(files[0] == files[1] && files[1] == files[2]);
}

#[test]
fn vectors_of_few_directions_come_back_from_a_file() {
    let (n, dim, rank) = (4000, 96, 6);
    let (small, mut noise) = (clustered(n, rank, 37), noise(41));
    let directions: Vec<f32> = (0..rank * dim).map(|_| noise()).collect();
    let values: Vec<f32> = small
        .chunks(rank)
        .flat_map(|row| {
            let value = |d: usize| row.iter().enumerate().map(|(r, x)| x * directions[r * dim + d]).sum();
            (0..dim).map(value).collect::<Vec<f32>>()
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.linjin");
    let index = Index::new(dim, Metric::Euclidean).unwrap();
    index.add(&values[..3000 * dim], None, &Add::default()).unwrap();
    index.add(&values[3000 * dim..], None, &Add::default()).unwrap();
    index.save(&path).unwrap();
    Index::verify(&path).unwrap();
    let mapped = Index::open(&path).unwrap();
    let mut hit = 0;
    for query in values.chunks(dim).step_by(41) {
        let hits = index.search(query, &Search::new(10)).unwrap();
        assert_eq!(hits, mapped.search(query, &Search::new(10)).unwrap());
        let exact = index.search(query, &Search { effort: Effort::Exact, ..Search::new(10) }).unwrap();
        hit += hits.ids.iter().filter(|id| exact.ids.contains(id)).count();
    }
    assert!(hit >= 900, "{hit} of 980");
}

#[test]
fn optimizing_keeps_what_is_there_and_learns_from_queries() {
    let (n, dim) = (6000, 16);
    let values = clustered(n, dim, 23);
    let index = Index::new(dim, Metric::Euclidean).unwrap();
    index.add(&values, None, &Add::default()).unwrap();
    index.remove(&(0..3000).collect::<Vec<_>>()).unwrap();
    let own = index.info().curve;
    // Queries from elsewhere take more effort.
    let mut noise = noise(29);
    let strange: Vec<f32> = (0..300 * dim).map(|_| 3.0 * noise()).collect();
    index.optimize(Some(Vectors::Floats(&strange))).unwrap();
    assert_eq!(index.ids().unwrap(), (3000..6000).collect::<Vec<_>>());
    assert_eq!(index.get(4000).unwrap(), Some(Vector::Floats(values[4000 * dim..][..dim].to_vec())));
    assert_ne!(index.info().curve, own);
    let mut hit = 0;
    for query in strange.chunks(dim) {
        let exact = index.search(query, &Search { effort: Effort::Exact, ..Search::new(10) }).unwrap();
        let hits = index.search(query, &Search { effort: Effort::Recall(0.95), ..Search::new(10) }).unwrap();
        hit += hits.ids.iter().filter(|id| exact.ids.contains(id)).count();
    }
    assert!(hit >= 2820, "{hit} of 3000");
    assert!(index.optimize(Some(Vectors::Floats(&[f32::NAN; 16]))).is_err());
}

#[test]
fn a_file_that_is_cut_while_open_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.linjin");
    let index = Index::new(8, Metric::Euclidean).unwrap();
    index.add(&clustered(1500, 8, 31), None, &Add::default()).unwrap();
    index.save(&path).unwrap();
    let mapped = Index::open(&path).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(8192).unwrap();
    let found = mapped.search(&[0.0; 8], &Search::new(3));
    assert!(found.unwrap_err().to_string().contains("cut short"));
    // What is gone is not written anew as zeros.
    assert!(mapped.remove(&[1]).unwrap_err().to_string().contains("cut short"));
    let other = folder.path().join("other.linjin");
    assert!(mapped.save(&other).unwrap_err().to_string().contains("cut short"));
    assert!(!other.exists());
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let index = Index::new(2, Metric::Cosine).unwrap();
    index.add(&[1.0, 0.0], Some(&[7]), &Add::default()).unwrap();
    let add =
        |values: &[f32], ids: &[u64]| index.add(values, Some(ids), &Add::default()).unwrap_err().to_string();
    assert!(add(&[1.0], &[1]).contains("1 values"));
    assert!(add(&[1.0, f32::NAN], &[1]).contains("row 0: the value at column 1 is NaN"));
    assert!(add(&[1.0, 0.0], &[7]).contains("the id 7 is in use"));
    assert!(add(&[1.0, 0.0, 0.0, 1.0], &[8, 8]).contains("row 1: the id 8"));
    assert!(add(&[1.0, 0.0], &[NO_ID]).contains("no id"));
    assert!(add(&[1.0, 0.0], &[1, 2]).contains("2 ids for 1 vectors"));
    assert!(index.add(Vectors::Bits(&[1]), None, &Add::default()).is_err());
    assert!(index.remove(&[1]).unwrap_err().to_string().contains("the id 1 is not in the index"));
    assert!(index.search(&[1.0], &Search::new(1)).is_err());
    assert!(index.search(&[1.0, f32::INFINITY], &Search::new(1)).is_err());
    let half = Search { effort: Effort::Recall(0.0), ..Search::new(1) };
    assert!(index.search(&[1.0, 0.0], &half).is_err());
    assert!(Index::new(0, Metric::Cosine).is_err() && Index::new(65_536, Metric::Cosine).is_err());
    assert_eq!(index.ids().unwrap(), [7]);
    assert_eq!(index.search(&[1.0, 0.0], &Search::new(0)).unwrap().ids, [0_u64; 0]);
    assert_eq!(index.search(&[0.0, 0.0], &Search::new(9)).unwrap().distances, [1.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Any sequence of changes leaves what a map would hold.
    #[test]
    fn changes_add_up(steps in prop::collection::vec((0..4_u8, prop::collection::vec(0..400_u64, 1..60)), 1..25)) {
        let index = Index::new(3, Metric::SqEuclidean).unwrap();
        let mut model: BTreeMap<u64, Vec<f32>> = BTreeMap::new();
        let mut noise = noise(21);
        for (step, ids) in steps {
            let mut ids = ids;
            ids.sort_unstable();
            ids.dedup();
            let values: Vec<f32> = (0..ids.len() * 3).map(|_| noise()).collect();
            if step == 3 {
                let done = index.remove(&ids).is_ok();
                prop_assert_eq!(done, ids.iter().all(|id| model.contains_key(id)));
                if done {
                    ids.iter().for_each(|id| _ = model.remove(id));
                }
                continue;
            }
            let replace = step == 0;
            let add = Add { replace, ..Add::default() };
            let done = index.add(&values, Some(&ids), &add).is_ok();
            prop_assert_eq!(done, replace || ids.iter().all(|id| !model.contains_key(id)));
            if done {
                model.extend(ids.iter().zip(values.chunks(3)).map(|(&id, row)| (id, row.to_vec())));
            }
        }
        prop_assert_eq!(index.ids().unwrap(), model.keys().copied().collect::<Vec<_>>());
        prop_assert_eq!(index.len(), model.len());
        for (&id, row) in &model {
            prop_assert_eq!(index.get(id).unwrap(), Some(Vector::Floats(row.clone())));
            let hits = index.search(row, &Search { effort: Effort::Exact, ..Search::new(1) }).unwrap();
            prop_assert_eq!(hits.distances, vec![0.0]);
        }
    }
}
