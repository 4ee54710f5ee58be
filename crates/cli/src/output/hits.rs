//! What was found, as tables, as lines of JSON and as .npy.

use std::collections::BTreeMap;
use std::io::{self, Write};

use linjin::index::HitsBatch;
use serde::Serialize;
use serde_json::Value;

use super::{json_line, npy_header, table};
use crate::failure::Failure;
use crate::items::Items;
use crate::queries::Names;

#[derive(Serialize)]
struct Line<'a> {
    query: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    ids: Vec<Value>,
    distances: &'a [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<BTreeMap<String, Vec<Value>>>,
}

/// Ids and distances of one query, closest first.
fn found(hits: &HitsBatch, query: usize) -> (&[u64], &[f32]) {
    let places = query * hits.k..query * hits.k + hits.counts[query];
    (&hits.ids[places.clone()], &hits.distances[places])
}

/// A table for each query.
pub(crate) fn tables(
    out: &mut dyn Write,
    hits: &HitsBatch,
    names: &Names,
    items: &Items<'_>,
) -> Result<(), Failure> {
    for query in 0..hits.counts.len() {
        let (ids, distances) = found(hits, query);
        if query > 0 {
            writeln!(out)?;
        }
        match names.id(query) {
            Some(id) => writeln!(out, "id {}", items.word(id))?,
            None => writeln!(out, "query {query}")?,
        }
        if ids.is_empty() {
            writeln!(out, "  nothing found")?;
            continue;
        }
        let (columns, known) = items.table(ids)?;
        let mut headings = vec!["id", "distance"];
        headings.extend(columns.iter().map(String::as_str));
        let hits = ids.iter().zip(distances).zip(known);
        let row = |((&id, &distance), known)| [vec![items.word(id), six_places(distance)], known].concat();
        let rows: Vec<_> = hits.map(row).collect();
        table::columns(out, &headings, &rows)?;
    }
    Ok(())
}

/// Rounded; what rounds to 0 has no sign.
fn six_places(distance: f32) -> String {
    let text = format!("{distance:.6}");
    match text.strip_prefix('-') {
        Some(zero) if !zero.contains(|digit| matches!(digit, '1'..='9')) => zero.to_owned(),
        _ => text,
    }
}

/// A line of JSON for each query: `{"query":0,"ids":[...],"distances":[...]}`, with `columns` where the index has some.
pub(crate) fn json(
    out: &mut dyn Write,
    hits: &HitsBatch,
    names: &Names,
    items: &Items<'_>,
) -> Result<(), Failure> {
    for query in 0..hits.counts.len() {
        let (ids, distances) = found(hits, query);
        let (id, columns) = (names.id(query).map(|id| items.json(id)), items.known(ids)?);
        let ids = ids.iter().map(|&id| items.json(id)).collect();
        json_line(out, &Line { query, id, ids, distances, columns })?;
    }
    Ok(())
}

/// An array of shape (queries, k) with the fields `id` (uint64) and `distance` (float32).
pub(crate) fn npy(out: &mut dyn Write, hits: &HitsBatch) -> io::Result<()> {
    let descr = "[('id', '<u8'), ('distance', '<f4')]";
    npy_header(out, descr, &format!("({}, {})", hits.counts.len(), hits.k))?;
    for (id, distance) in hits.ids.iter().zip(&hits.distances) {
        out.write_all(&id.to_le_bytes())?;
        out.write_all(&distance.to_le_bytes())?;
    }
    Ok(())
}
