//! An index whose vectors lie in small clumps: most neighbours are close together and the others are anywhere, so that it
//! makes a graph.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::collections::{BTreeMap, BTreeSet};

use linjin::index::{Add, Effort, Filter, Filters, Index, Memory, Metric, Search, Writing};

mod made;

use made::{CLUMP, DIM, N, clumps, noise, sheet};

fn index(rows: &[f32], threads: usize) -> Index {
    let index = Index::new(DIM, Metric::SqEuclidean).unwrap();
    index.add(rows, None, &Add { threads: Some(threads), ..Add::default() }).unwrap();
    assert!(index.info().graph, "the vectors of this test are to make a graph");
    index
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The share of the `k` nearest of `alive` that searches find; each hit has to be alive, and its distance right.
fn recall(index: &Index, alive: &BTreeMap<u64, Vec<f32>>, queries: &[f32], search: &Search<'_>) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for query in queries.chunks_exact(DIM) {
        let mut nearest: Vec<f32> = alive.values().map(|row| apart(row, query)).collect();
        nearest.sort_by(f32::total_cmp);
        let last = nearest[search.k.min(nearest.len()) - 1];
        let hits = index.search(query, search).unwrap();
        assert_eq!(hits.ids.len(), search.k.min(alive.len()));
        assert!(hits.distances.is_sorted());
        assert_eq!(hits.ids.iter().collect::<BTreeSet<_>>().len(), hits.ids.len(), "each once");
        for (id, distance) in hits.ids.iter().zip(&hits.distances) {
            let row = alive.get(id).expect("only what is alive is found");
            assert!((apart(row, query) - distance).abs() < 1e-3);
            found += usize::from(*distance <= last * 1.00001);
        }
        wanted += hits.ids.len();
    }
    found as f64 / wanted as f64
}

fn rows_by_id(rows: &[f32], first: u64) -> BTreeMap<u64, Vec<f32>> {
    (first..).zip(rows.chunks_exact(DIM).map(<[f32]>::to_vec)).collect()
}

#[test]
fn walks_find_what_brute_force_finds() {
    let rows = clumps(N, 1);
    let index = index(&rows, 2);
    let alive = rows_by_id(&rows, 0);
    let mut noise = noise(9);
    let queries: Vec<f32> = rows[..100 * DIM].iter().map(|value| value + 0.05 * noise()).collect();
    for wanted in [0.9, 0.95, 0.99] {
        let search = Search { effort: Effort::Recall(wanted), ..Search::new(10) };
        let found = recall(&index, &alive, &queries, &search);
        assert!(found >= f64::from(wanted) - 0.01, "{found} instead of {wanted}");
    }
    for (k, ef) in [(1, 400), (10, 400), (100, 3000)] {
        let search = Search { effort: Effort::Ef(ef), ..Search::new(k) };
        let found = recall(&index, &alive, &queries[..20 * DIM], &search);
        assert!(found > 0.95, "k = {k}: {found}");
    }
    assert!(
        recall(&index, &alive, &queries[..20 * DIM], &Search { effort: Effort::Exact, ..Search::new(10) })
            == 1.0
    );
}

#[test]
fn the_recall_that_is_asked_for_comes_on_a_sheet_too_and_no_more_is_looked_at_than_that_takes() {
    let rows = sheet(20_000, 64, 8);
    let index = index(&rows, 2);
    let queries = sheet(500, 64, 9);
    let alive = rows_by_id(&rows, 0);
    for asked in [0.9, 0.95, 0.99] {
        let found =
            recall(&index, &alive, &queries, &Search { effort: Effort::Recall(asked), ..Search::new(10) });
        let missed = (1.0 - found) / (1.0 - f64::from(asked));
        assert!(missed < 1.2 && missed > 0.5, "{found} of {asked}");
    }
}

#[test]
fn a_new_graph_takes_what_its_file_takes() {
    let made = index(&clumps(N, 7), 2);
    let opened = Index::from_bytes(&made.to_bytes().unwrap()).unwrap();
    assert_eq!(made.info().bytes, opened.info().bytes);
}

#[test]
fn changes_keep_the_graph_sound() {
    let rows = clumps(N, 2);
    let index = index(&rows, 2);
    let mut alive = rows_by_id(&rows, 0);
    let search = Search::new(10);
    for round in 0..4 {
        // A fifth goes, whole clumps and single vectors; new ones come, in a batch and one by one.
        let gone: Vec<u64> =
            alive.keys().copied().filter(|id| (id / CLUMP as u64 + round).is_multiple_of(5)).collect();
        index.remove(&gone).unwrap();
        gone.iter().for_each(|id| _ = alive.remove(id));
        let new = clumps(3200, 100 + round);
        let (batch, single) = new.split_at(3150 * DIM);
        let ids = index.add(batch, None, &Add::default()).unwrap();
        for (row, &id) in batch.chunks_exact(DIM).zip(&ids).step_by(7) {
            assert_eq!(index.search(row, &Search::new(1)).unwrap().ids, [id], "found at once, of many");
        }
        alive.extend(ids.into_iter().zip(batch.chunks_exact(DIM).map(<[f32]>::to_vec)));
        for row in single.chunks_exact(DIM) {
            let id = index.add(row, None, &Add::default()).unwrap()[0];
            alive.insert(id, row.to_vec());
            assert_eq!(index.search(row, &Search::new(1)).unwrap().ids, [id], "found at once");
        }
        // Some are replaced.
        let moved: Vec<u64> = alive.keys().copied().step_by(97).collect();
        let values = clumps(moved.len().next_multiple_of(CLUMP), 200 + round);
        let values = &values[..moved.len() * DIM];
        index.add(values, Some(&moved), &Add { replace: true, ..Add::default() }).unwrap();
        alive.extend(moved.iter().copied().zip(values.chunks_exact(DIM).map(<[f32]>::to_vec)));
        let queries: Vec<f32> = alive.values().step_by(97).flatten().copied().collect();
        let found = recall(&index, &alive, &queries, &search);
        assert!(found > 0.95, "round {round}: {found}");
        assert!(index.info().graph);
    }
}

#[test]
fn filters_hold_on_a_graph() {
    let rows = clumps(N, 3);
    let index = index(&rows, 2);
    // Of clumps all over the set: those of one clump have much the same neighbours.
    let queries: Vec<f32> = rows.chunks_exact(DIM).step_by(53).flatten().copied().collect();
    for (share, keep) in [(2, 1), (4, 1), (10, 1), (10, 9), (100, 1)] {
        let ids: Vec<u64> = (0..N as u64).filter(|id| id % share < keep).collect();
        let alive: BTreeMap<u64, Vec<f32>> =
            ids.iter().map(|&id| (id, rows[id as usize * DIM..][..DIM].to_vec())).collect();
        let filter = Filter::Ids(ids);
        let search = Search { filter: Some(Filters::Same(&filter)), ..Search::new(10) };
        let found = recall(&index, &alive, &queries, &search);
        assert!(found > 0.95, "{keep} of {share}: {found}");
    }
    // What is closest is left out.
    let query = &rows[..DIM];
    let first = index.search(query, &Search::new(20)).unwrap();
    let exclude = Filter::Ids(first.ids.clone());
    let others = Search { exclude: Some(Filters::Same(&exclude)), ..Search::new(20) };
    let next = index.search(query, &others).unwrap();
    assert_eq!(next.ids.len(), 20);
    assert!(next.ids.iter().all(|id| !first.ids.contains(id)));
}

#[test]
fn filters_that_have_to_do_with_the_query_hold_on_a_graph() {
    let rows = clumps(N, 4);
    let index = index(&rows, 2);
    let wanted = 10;
    let (mut found, mut all) = (BTreeMap::<&str, usize>::new(), 0);
    for query in rows.chunks_exact(DIM).step_by(N / 40) {
        let mut order: Vec<(f32, u64)> =
            rows.chunks_exact(DIM).map(|row| apart(row, query)).zip(0..).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let ids = |part: &[(f32, u64)]| Filter::Ids(part.iter().map(|one| one.1).collect());
        let cases = [
            ("the closer half", ids(&order[..N / 2]), &order[..]),
            ("the farther half", ids(&order[N / 2..]), &order[N / 2..]),
        ];
        for (case, filter, alive) in &cases {
            let search = Search { filter: Some(Filters::Same(filter)), ..Search::new(wanted) };
            let hits = index.search(query, &search).unwrap();
            let first = alive.iter().position(|one| one.1 == hits.ids[0]);
            assert!(first.is_some(), "{case}: what is not allowed was found");
            let limit = alive[wanted - 1].0 * 1.00001;
            *found.entry(case).or_default() += hits.distances.iter().filter(|&&d| d <= limit).count();
        }
        all += wanted;
    }
    for (case, found) in found {
        let recall = found as f64 / all as f64;
        assert!(recall > 0.94, "{case}: {recall}");
    }
}

#[test]
fn what_lies_behind_the_closest_is_found_without_them_as_with_them() {
    let rows = clumps(N, 5);
    let index = index(&rows, 2);
    let (mut with, mut without) = (0, 0);
    for query in rows.chunks_exact(DIM).step_by(N / 40) {
        let search = Search { effort: Effort::Exact, ..Search::new(30) };
        let order = index.search(query, &search).unwrap().ids;
        let (seen, wanted) = order.split_at(20);
        let found = index.search(query, &Search::new(30)).unwrap().ids;
        with += wanted.iter().filter(|id| found.contains(id)).count();
        let seen = Filter::Ids(seen.to_vec());
        let search = Search { exclude: Some(Filters::Same(&seen)), ..Search::new(10) };
        let found = index.search(query, &search).unwrap().ids;
        without += wanted.iter().filter(|id| found.contains(id)).count();
    }
    assert!(without as f64 > 0.9 * with as f64, "{without} of 400 without, {with} with");
}

#[test]
fn a_file_keeps_the_graph_and_its_damage_is_an_error() {
    let rows = clumps(N, 4);
    let made = index(&rows, 2);
    made.remove(&(0..600).step_by(3).collect::<Vec<_>>()).unwrap();
    made.add(&rows[..50 * DIM], None, &Add::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.linjin");
    made.save(&path).unwrap();
    let opened = Index::open(&path).unwrap();
    assert!(opened.info().graph);
    for query in rows.chunks_exact(DIM).step_by(61) {
        let (a, b) =
            (made.search(query, &Search::new(10)).unwrap(), opened.search(query, &Search::new(10)).unwrap());
        assert_eq!(a.ids, b.ids);
    }
    opened.add(&rows[..20 * DIM], None, &Add::default()).unwrap();
    opened.remove(&[700, 701, 702]).unwrap();
    assert!(!opened.search(&rows[700 * DIM..][..DIM], &Search::new(10)).unwrap().ids.contains(&700));

    let whole = std::fs::read(&path).unwrap();
    let mut noise = noise(5);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        // The graph is the last large section.
        let place = bytes.len() - 1 - (noise().abs() * 2_000_000.0) as usize;
        let end = (place + 40).min(bytes.len());
        bytes[place..end].fill((noise() * 127.0) as u8);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Index::verify(&path).is_ok(), bytes == whole);
        let Ok(index) = Index::open(&path) else { continue };
        for query in rows.chunks_exact(DIM).step_by(997) {
            _ = index.search(query, &Search::new(10));
        }
        _ = index.add(&rows[..30 * DIM], None, &Add::default());
        _ = index.remove(&[5, 4000, 15_999]);
    }
}

#[test]
fn a_graph_does_not_depend_on_the_number_of_threads() {
    let rows = clumps(N, 6);
    let (one, two) = (index(&rows, 1), index(&rows, 2));
    for query in rows.chunks_exact(DIM).step_by(101) {
        let (a, b) =
            (one.search(query, &Search::new(10)).unwrap(), two.search(query, &Search::new(10)).unwrap());
        assert_eq!((a.ids, a.distances), (b.ids, b.distances));
    }
}

#[test]
fn with_little_memory_there_is_never_a_graph() {
    let rows = clumps(N, 6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.linjin");
    let options =
        Writing { create: Some((DIM, Metric::SqEuclidean)), memory: Memory::Small, ..Writing::default() };
    let small = Index::open_writable(&path, &options).unwrap();
    small.add(&rows, None, &Add::default()).unwrap();
    small.commit().unwrap();
    small.close().unwrap();
    // What it was made with stays, whatever the next one says.
    let small = Index::open_writable(&path, &Writing { memory: Memory::Full, ..options }).unwrap();
    small.optimize(None).unwrap();
    let info = small.info();
    assert_eq!((info.memory, info.graph, info.leaves > 0), (Memory::Small, false, true));
    let large = index(&rows, 2);
    assert_eq!(large.info().memory, Memory::Full);
    let vectors = (rows.len() * size_of::<f32>()) as u64;
    assert!(info.bytes - vectors < (large.info().bytes - vectors) / 3, "{info:?}");
    let found = recall(&small, &rows_by_id(&rows, 0), &rows[..50 * DIM], &Search::new(10));
    assert!(found > 0.9, "{found}");
    let copy = folder.path().join("copy.linjin");
    small.save(&copy).unwrap();
    assert_eq!(Index::open(&copy).unwrap().info().memory, Memory::Small);
}
