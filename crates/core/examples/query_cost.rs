//! What one query costs in Rust: `query_cost FILE DIM METRIC [N] [SEARCH_K]` prints `{"ns_per_query": x}`.
//!
//! ```sh
//! cargo run --release -p linjin --example query_cost -- words.ann 100 angular 10 1000
//! ```
//!
//! The queries are vectors of the file's own items, and all of them are asked in turn before the first comes again, as
//! `bench/forest.py` does from Python. N is 10 unless given. SEARCH_K is Annoy's: -1, as many candidates as are wanted
//! for every tree; below -1, every item.

#![allow(clippy::print_stdout)] // the answer is for whoever runs this, or for the script that does

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use linjin::forest::{Budget, Forest, Metric};

/// Most queries that are asked in turn.
const QUERIES: usize = 1000;
/// Rounds that are measured, after one that warms the caches; odd, so that one of them is the median.
const ROUNDS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, dim, metric, options) = match arguments.as_slice() {
        [file, dim, metric, options @ ..] if options.len() <= 2 => (file, dim, metric, options),
        _ => return Err("query_cost FILE DIM METRIC [N] [SEARCH_K]".into()),
    };
    let n = options.first().map_or(Ok(10), |n| n.parse())?;
    let budget = match options.get(1).map_or(Ok(-1), |search_k| search_k.parse::<i64>())? {
        -1 => Budget::PerTree,
        search_k => usize::try_from(search_k).map_or(Budget::Unlimited, Budget::Candidates),
    };

    let mut forest = Forest::new(dim.parse()?, metric.parse::<Metric>()?);
    forest.load(Path::new(file), false)?;
    let queries = spread(&forest)?;

    let mut times = Vec::new();
    for _ in 0..=ROUNDS {
        let start = Instant::now();
        for query in &queries {
            black_box(forest.nearest(black_box(query), Some(n), budget)?);
        }
        times.push(start.elapsed().as_nanos() as f64 / queries.len() as f64);
    }
    let warm = &mut times[1..];
    warm.sort_unstable_by(f64::total_cmp);
    println!("{{\"ns_per_query\": {:.1}}}", warm[ROUNDS / 2]);
    Ok(())
}

/// The vectors of at most [`QUERIES`] items, evenly spread over the file.
fn spread(forest: &Forest) -> Result<Vec<Vec<f32>>, Box<dyn Error>> {
    let step = forest.n_items().div_ceil(QUERIES).max(1);
    let ids = (0..forest.n_items() as u32).step_by(step).filter(|&id| forest.contains(id));
    let queries = ids.map(|id| forest.vector(id)).collect::<Result<Vec<_>, _>>()?;
    if queries.is_empty() {
        return Err("there are no items to ask for".into());
    }
    Ok(queries)
}
