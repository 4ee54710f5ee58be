//! What changed since everything was laid out, laid out with the rest again.
//!
//! A change copies pages of slots, leaves and nodes, and what they are copied from stays where it is. After many changes both
//! are in memory, and what is searched lies scattered. So once there were some times as many copies as there are parts, that
//! part of the version is laid out anew: the time that takes is a small share of what the copies took.

use super::buffer::zeros;
use super::ids::Ids;
use super::slots::{Base, Slots};
use super::space::Space;
use super::train::lay_out;
use super::version::Version;
use super::{Metric, NO_ID};
use crate::leaves::Leaves;

/// So many copies come on each part.
const COPIES: usize = 3;

/// Lays out anew what was changed often.
pub(super) fn settle(version: &mut Version) {
    if version.slots.copies_a_page() >= COPIES {
        (version.slots, version.ids) = slots(version, &version.space);
    }
    let n = version.slots.len();
    let Some(grown) = &mut version.leaves else { return };
    let store = &mut grown.store;
    if store.changed.copies() >= COPIES * store.len() {
        let view = store.view();
        let base = lay_out((0..store.len() as u32).map(|leaf| view.leaf(leaf)));
        (store.base, store.changed) = (base, Default::default());
    }
    if let Some(linked) = &mut grown.linked
        && linked.links.copies_a_node() >= COPIES
    {
        linked.links.lay_out(n);
    }
}

/// The same version with rows as callers give them, which hold everything.
pub(super) fn as_given(version: &Version) -> Version {
    let space = version.space.as_given();
    let (slots, ids) = slots(version, &space);
    Version { space, slots, ids, ..version.clone() }
}

/// All slots laid out anew, their rows as `space` holds them.
fn slots(version: &Version, space: &Space) -> (Slots, Ids) {
    let view = version.view();
    let all = 0..view.len as u32;
    let words = space.row_words();
    let mut rows = zeros(view.len * words);
    for (row, slot) in rows.as_mut().chunks_exact_mut(words).zip(all.clone()) {
        space.copy_row(&version.space, view.row(slot), row);
    }
    let mut ids: Vec<u64> = all.clone().map(|slot| view.id(slot)).collect();
    let table = Ids::lay_out(&ids);
    if table.is_empty() && !ids.contains(&NO_ID) {
        ids = Vec::new(); // every id is its slot
    }
    let scales: Vec<f32> = match space.metric {
        Metric::Cosine => all.clone().map(|slot| view.scale(slot)).collect(),
        _ => Vec::new(),
    };
    let homes: Vec<_> = match version.leaves {
        Some(_) => all.map(|slot| view.homes(slot)).collect(),
        None => Vec::new(),
    };
    let base = Base {
        len: view.len,
        rows: rows.into_values(),
        ids: ids.into(),
        scales: scales.into(),
        homes: homes.into(),
    };
    (Slots::new(base), Ids::new(table.into()))
}
