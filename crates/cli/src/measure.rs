//! What an effort reaches and what it costs, on one thread.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use linjin::index::error::SearchError;
use linjin::index::{Effort, Index, Search};
use serde::Serialize;

use crate::effort;
use crate::output::table;
use crate::read::Matrix;
use crate::truth::Truth;

/// Queries that are asked before the clock runs: the file's pages and the CPU's caches fill.
const WARM: usize = 100;

/// What one effort reaches, and what it costs.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    /// What was asked for.
    #[serde(skip)]
    pub(crate) effort: Effort,
    /// The same, as `ef`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ef: Option<usize>,
    /// The same, as a recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recall_asked: Option<f32>,
    /// The share of the true neighbours that was found.
    pub(crate) recall: f64,
    /// On one thread.
    pub(crate) queries_per_second: f64,
    /// Microseconds for a query.
    pub(crate) mean_us: f64,
    /// The median.
    pub(crate) p50_us: f64,
    /// What one of a hundred queries takes at least.
    pub(crate) p99_us: f64,
}

/// Asks one query after the other, all of them at least once and for at least `seconds`.
pub(crate) fn measure(
    index: &Index,
    queries: &Matrix,
    truth: &Truth,
    search: &Search<'_>,
    seconds: f64,
) -> Result<Setting, SearchError> {
    let count = queries.rows();
    for query in 0..count.min(WARM) {
        index.search(queries.part(query..query + 1), search)?;
    }
    let mut found = 0;
    let mut spent = Duration::ZERO;
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    'measuring: for pass in 0.. {
        for query in 0..count {
            if pass > 0 && spent.as_secs_f64() >= seconds {
                break 'measuring;
            }
            let started = Instant::now();
            let hits = index.search(queries.part(query..query + 1), search)?;
            let time = started.elapsed();
            spent += time;
            times.push(time);
            if pass == 0 {
                found += truth.found(query, &hits);
            }
        }
    }
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let share = |share: f64| micros(times[((times.len() - 1) as f64 * share).round() as usize]);
    let (ef, recall_asked) = match search.effort {
        Effort::Ef(ef) => (Some(ef), None),
        Effort::Recall(recall) => (None, Some(recall)),
        Effort::Exact => (None, None),
    };
    Ok(Setting {
        effort: search.effort,
        ef,
        recall_asked,
        recall: found as f64 / truth.total().max(1) as f64,
        queries_per_second: times.len() as f64 / spent.as_secs_f64().max(1e-9),
        mean_us: micros(spent) / times.len() as f64,
        p50_us: share(0.50),
        p99_us: share(0.99),
    })
}

/// Writes a line for each setting; the one that was chosen is marked.
pub(crate) fn table(
    out: &mut dyn Write,
    settings: &[Setting],
    k: usize,
    chosen: Option<usize>,
) -> io::Result<()> {
    let rows: Vec<_> = settings
        .iter()
        .enumerate()
        .map(|(i, setting)| {
            let mark = if chosen == Some(i) { "> " } else { "" };
            [
                format!("{mark}{}", effort::words(setting.effort)),
                format!("{:.4}", setting.recall),
                HumanCount(setting.queries_per_second.round() as u64).to_string(),
                format!("{:.1}", setting.mean_us),
                format!("{:.1}", setting.p50_us),
                format!("{:.1}", setting.p99_us),
            ]
        })
        .collect();
    let recall = format!("recall@{k}");
    table::columns(out, &["asked", &recall, "queries/s", "mean us", "p50 us", "p99 us"], &rows)
}

/// Recall and queries a second of each setting.
pub(crate) fn points(settings: &[Setting]) -> Vec<(f64, f64)> {
    settings.iter().map(|setting| (setting.recall, setting.queries_per_second)).collect()
}
