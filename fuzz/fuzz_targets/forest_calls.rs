//! Any sequence of calls on a forest, beside a map that is searched exhaustively.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use linjin::error::{BuildError, OpenError, SearchError};
use linjin::forest::{Budget, Forest, Metric, Neighbors, Stage};
use linjin_fuzz::{Numbers, folder};

/// Dimensions below, at and beyond a kernel's block of 16; the small ones have small buckets, and so many splits.
const DIMS: [usize; 9] = [0, 1, 2, 3, 5, 16, 17, 40, 65];

#[derive(Arbitrary, Debug)]
struct Life {
    metric: u8,
    dim: u8,
    calls: Vec<Call>,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Add(u8, Seed),
    AddFarAway(u16, Seed),
    /// Rows behind the last item, or from an id on.
    AddRows(Option<u8>, u8, Seed),
    Remove(u8),
    /// Every so many-th id.
    RemoveMany(u8),
    Build {
        trees: Option<u8>,
        jobs: u8,
    },
    BuildOnDisk,
    Unbuild,
    Save,
    Load,
    Unload,
    ThroughBytes,
    Nearest(Seed, Option<u8>, u8),
    NearestToItem(u8, Option<u8>),
    Within(Seed, u8),
    Between(u8, u8),
}

/// What a vector is made from: few of them, so that many vectors are equal.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct Seed(u8);

/// The items that there should be, and what the forest should say about itself.
#[derive(Clone)]
struct Model {
    items: BTreeMap<u32, Vec<f32>>,
    n_items: usize,
    stage: Stage,
    trees: bool,
    /// Whether a vector is or was among them whose distances are beyond what can be foretold.
    wild: bool,
}

impl Model {
    fn empty(wild: bool) -> Self {
        Self { items: BTreeMap::new(), n_items: 0, stage: Stage::Growing, trees: false, wild }
    }

    fn add(&mut self, id: u32, vector: Vec<f32>) {
        self.items.insert(id, vector);
        self.n_items = self.n_items.max(id as usize + 1);
    }
}

struct World {
    metric: Metric,
    dim: usize,
    forest: Forest,
    model: Model,
    saved: Option<Model>,
    path: PathBuf,
}

fuzz_target!(|life: Life| {
    let metric = Metric::ALL[usize::from(life.metric) % Metric::ALL.len()];
    let dim = DIMS[usize::from(life.dim) % DIMS.len()];
    let folder = folder();
    let mut world = World {
        metric,
        dim,
        forest: Forest::new(dim, metric),
        model: Model::empty(false),
        saved: None,
        path: folder.path().join("saved.ann"),
    };
    for call in &life.calls {
        world.call(call);
        world.compare();
    }
    world.exhaustive(&world.vector(Seed(1)));
});

impl World {
    fn vector(&self, seed: Seed) -> Vec<f32> {
        let mut numbers = Numbers::new(u64::from(seed.0));
        match seed.0 {
            0 => vec![0.0; self.dim],
            250.. => numbers.wild(self.dim),
            _ => numbers.plain(self.metric, self.dim),
        }
    }

    fn call(&mut self, call: &Call) {
        match *call {
            Call::Add(id, seed) => self.add(u32::from(id), seed),
            Call::AddFarAway(id, seed) => self.add(u32::from(id % 2000), seed),
            Call::AddRows(from, n, seed) => self.add_rows(from, n, seed),
            Call::Remove(id) => self.remove(&[u32::from(id)]),
            Call::RemoveMany(step) => {
                let ids = self.model.items.keys().copied().step_by(usize::from(step) + 1);
                self.remove(&ids.collect::<Vec<_>>());
            }
            Call::Build { trees, jobs } => {
                self.build(trees.map(|n| usize::from(n % 5)), usize::from(jobs % 4))
            }
            Call::BuildOnDisk => {
                let path = self.path.with_extension("disk");
                self.forest.build_on_disk(&path).expect("there is room");
                (self.model.stage, self.model.trees) = (Stage::Growing, false);
            }
            Call::Unbuild => match self.forest.unbuild() {
                Ok(()) => (self.model.stage, self.model.trees) = (Stage::Growing, false),
                Err(error) => {
                    assert!(matches!(error, BuildError::Loaded), "{error}");
                    assert!(matches!(self.model.stage, Stage::Saved | Stage::Loaded));
                }
            },
            Call::Save => match self.forest.save(&self.path, false) {
                Ok(()) => {
                    self.model.stage = Stage::Saved;
                    self.saved = Some(self.model.clone());
                }
                Err(error) => {
                    assert!(matches!(error, OpenError::NotBuilt) && !self.model.trees, "{error}");
                }
            },
            Call::Load => match self.forest.load(&self.path, false) {
                Ok(()) => {
                    let wild = self.model.wild;
                    let saved = self.saved.clone().expect("it was saved");
                    self.model = Model { stage: Stage::Loaded, wild: wild || saved.wild, ..saved };
                }
                Err(error) => assert!(self.saved.is_none(), "{error}"),
            },
            Call::Unload => {
                self.forest.unload();
                self.model = Model::empty(self.model.wild);
            }
            Call::ThroughBytes => {
                let bytes = self.forest.to_bytes().expect("nothing is damaged");
                self.forest = Forest::from_bytes(self.dim, self.metric, self.model.trees, &bytes)
                    .expect("they are our own");
                self.model.stage = if self.model.trees { Stage::Built } else { Stage::Growing };
            }
            Call::Nearest(seed, n, budget) => self.nearest(&self.vector(seed), n.map(usize::from), budget),
            Call::NearestToItem(id, n) => self.nearest_to_item(u32::from(id), n.map(usize::from)),
            Call::Within(seed, rank) => self.within(&self.vector(seed), usize::from(rank)),
            Call::Between(i, j) => self.between(u32::from(i), u32::from(j)),
        }
    }

    fn add(&mut self, id: u32, seed: Seed) {
        let vector = self.vector(seed);
        self.model.wild |= seed.0 >= 250;
        self.forest.add(id, &vector).expect("the vector is sound");
        self.model.add(id, vector);
    }

    fn add_rows(&mut self, from: Option<u8>, n: u8, seed: Seed) {
        let rows: Vec<Vec<f32>> = (0..n).map(|i| self.vector(Seed(seed.0.wrapping_add(i) % 250))).collect();
        let first = from.map_or(self.model.n_items as u32, u32::from);
        let ids: Vec<u32> = (first..first + u32::from(n)).collect();
        // Without dimensions, rows cannot be counted.
        let given = (from.is_some() || self.dim == 0).then_some(ids.as_slice());
        self.forest.add_rows(given, &rows.concat()).expect("the vectors are sound");
        for (id, row) in ids.into_iter().zip(rows) {
            self.model.add(id, row);
        }
    }

    fn remove(&mut self, ids: &[u32]) {
        let living = ids.iter().all(|id| self.model.items.contains_key(id));
        assert_eq!(self.forest.remove(ids).is_ok(), living);
        if living {
            self.model.items.retain(|id, _| !ids.contains(id));
        }
    }

    fn build(&mut self, trees: Option<usize>, jobs: usize) {
        match self.forest.build(trees, Some(jobs)) {
            Ok(()) => {
                assert!(trees.is_none_or(|n| self.forest.n_trees() == n));
                (self.model.stage, self.model.trees) = (Stage::Built, true);
            }
            Err(BuildError::AlreadyBuilt) => assert_eq!(self.model.stage, Stage::Built),
            Err(BuildError::Count { .. }) => assert!(trees == Some(0) || jobs == 0),
            Err(error) => panic!("{error}"),
        }
    }

    /// What the forest says about itself.
    fn compare(&self) {
        let Self { forest, model, .. } = self;
        assert_eq!(forest.stage(), model.stage);
        assert_eq!(forest.len(), model.items.len());
        assert_eq!(forest.n_items(), model.n_items);
        assert_eq!(forest.n_trees() > 0, model.trees);
    }

    /// The distance, as the metric reports it.
    fn distance(&self, x: &[f32], y: &[f32]) -> f64 {
        let dot =
            |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let sum = |term: fn(f64) -> f64| {
            x.iter().zip(y).map(|(&a, &b)| term(f64::from(a) - f64::from(b))).sum::<f64>()
        };
        match self.metric {
            Metric::Angular => {
                let lengths = (dot(x, x) * dot(y, y)).sqrt();
                if lengths > 0.0 { (2.0 - 2.0 * dot(x, y) / lengths).max(0.0).sqrt() } else { 2f64.sqrt() }
            }
            Metric::Euclidean => sum(|difference| difference * difference).sqrt(),
            Metric::Manhattan => sum(f64::abs),
            Metric::Hamming => x.iter().zip(y).filter(|&(&a, &b)| (a > 0.5) != (b > 0.5)).count() as f64,
            _ => dot(x, y),
        }
    }

    /// How far a reported distance may be from the exact one.
    fn tolerance(&self) -> f64 {
        if self.metric == Metric::Angular { 2e-3 } else { 1e-3 }
    }

    /// The exact distances of all items, closest first.
    fn ranked(&self, query: &[f32]) -> Vec<f64> {
        let mut all: Vec<f64> = self.model.items.values().map(|item| self.distance(query, item)).collect();
        all.sort_by(f64::total_cmp);
        if self.metric == Metric::Dot {
            all.reverse();
        }
        all
    }

    /// Every item found lives, is found once, and lies where it is said to lie.
    fn check(&self, query: &[f32], found: &Neighbors) {
        let ids: BTreeSet<u32> = found.ids.iter().copied().collect();
        assert_eq!((ids.len(), found.distances.len()), (found.ids.len(), found.ids.len()));
        assert!(ids.iter().all(|id| self.model.items.contains_key(id)), "every item found lives");
        let sign = if self.metric == Metric::Dot { -1.0 } else { 1.0 };
        if self.is_foretold(query) {
            assert!(found.distances.windows(2).all(|pair| sign * pair[0] <= sign * pair[1]), "closest first");
            for (id, &got) in found.ids.iter().zip(&found.distances) {
                let want = self.distance(query, &self.model.items[id]);
                assert!((f64::from(got) - want).abs() < self.tolerance(), "item {id} at {got}, not {want}");
            }
        }
    }

    /// Whether the distances to a query can be foretold: its squares neither overflow nor lose digits in being tiny.
    fn is_foretold(&self, query: &[f32]) -> bool {
        !self.model.wild && query.iter().all(|&value| value == 0.0 || (0.01..=8.0).contains(&value.abs()))
    }

    fn nearest(&self, query: &[f32], n: Option<usize>, budget: u8) {
        let budget = match budget {
            0..80 => Budget::PerTree,
            80..160 => Budget::Unlimited,
            _ => Budget::Candidates(usize::from(budget) - 160),
        };
        let found = self.forest.nearest(query, n, budget).expect("nothing is damaged");
        self.check(query, &found);
        assert!(n.is_none_or(|n| found.ids.len() <= n));
        if budget == Budget::Unlimited && self.model.trees {
            assert_eq!(found.ids.len(), n.unwrap_or(usize::MAX).min(self.model.items.len()));
            for (&got, want) in found.distances.iter().zip(self.ranked(query)) {
                let close = (f64::from(got) - want).abs() < self.tolerance();
                assert!(close || !self.is_foretold(query), "{got} is not the closest: {want}");
            }
        }
    }

    fn exhaustive(&self, query: &[f32]) {
        self.nearest(query, None, 80);
    }

    fn nearest_to_item(&self, id: u32, n: Option<usize>) {
        match self.forest.nearest_to_item(id, n, Budget::Unlimited) {
            Ok(found) => {
                let nothing = vec![0.0; self.dim];
                self.check(self.model.items.get(&id).unwrap_or(&nothing), &found);
            }
            Err(error) => {
                assert!(matches!(error, SearchError::UnknownItem { .. }), "{error}");
                assert!(id as usize >= self.model.n_items);
            }
        }
    }

    /// Within the distance of the item of this rank.
    fn within(&self, query: &[f32], rank: usize) {
        let Some(radius) = self.ranked(query).get(rank).copied() else { return };
        let found = self.forest.within(query, radius as f32).expect("nothing is damaged");
        self.check(query, &found);
        if !self.is_foretold(query) || !self.model.trees {
            return;
        }
        let beyond = |item: &Vec<f32>| match self.metric {
            Metric::Dot => radius - self.distance(query, item),
            _ => self.distance(query, item) - radius,
        };
        for (id, item) in &self.model.items {
            let is_found = found.ids.contains(id);
            assert!(is_found || beyond(item) > -self.tolerance(), "item {id} is within {radius}");
            assert!(!is_found || beyond(item) < self.tolerance(), "item {id} is not within {radius}");
        }
    }

    fn between(&self, i: u32, j: u32) {
        match self.forest.distance(i, j) {
            Ok(got) => {
                let nothing = vec![0.0; self.dim];
                let [x, y] = [i, j].map(|id| self.model.items.get(&id).unwrap_or(&nothing));
                let close = (f64::from(got) - self.distance(x, y)).abs() < self.tolerance();
                assert!(close || self.model.wild, "{i} and {j} are {got} apart");
            }
            Err(error) => assert!(i.max(j) as usize >= self.model.n_items, "{error}"),
        }
        if let Some(item) = self.model.items.get(&i) {
            let vector = self.forest.vector(i).expect("it is there");
            let same = |(&a, &b): (&f32, &f32)| match self.metric {
                Metric::Hamming => a == f32::from(u8::from(b > 0.5)),
                _ => a.to_bits() == b.to_bits(),
            };
            assert!(vector.len() == item.len() && vector.iter().zip(item).all(same));
        }
    }
}
