//! A query on one version of an index.
//!
//! | file | duty |
//! | --- | --- |
//! | `walks.rs` | through the graph |
//! | `looks.rs` | through the leaves |

mod looks;
mod walks;

use std::cell::RefCell;

use super::allowed::Allowed;
use super::curve::{Curve, Depth};
use super::exact;
use super::options::Effort;
use super::space::Query;
use super::version::Version;
use super::walker::Walker;
use crate::keep::{estimate, key, number};
use crate::leaves::Scratch;
use crate::sync;
use looks::looked_into;
use walks::walked;

/// What is asked of a version.
#[derive(Clone, Copy)]
struct Asked<'a> {
    version: &'a Version,
    query: &'a Query,
    k: usize,
    effort: Effort,
    allowed: Option<&'a Allowed<'a>>,
}

impl Asked<'_> {
    /// How far it goes by a curve for so many neighbours; `None` for all the way.
    fn depth(&self, curve: &Curve, neighbours: usize, leaves: usize) -> Option<Depth> {
        match self.effort {
            Effort::Ef(ef) => Some(curve.at_ef(ef, neighbours)),
            Effort::Recall(recall) if recall < 1.0 => Some(curve.at_recall(recall, neighbours, leaves)),
            Effort::Exact | Effort::Recall(_) => None,
        }
    }
}

/// Buffers of a thread.
#[derive(Default)]
struct Buffers {
    walker: Walker,
    probe: Scratch,
    /// The slots that came last, by a hash.
    seen: Vec<u32>,
    slots: Vec<u32>,
    keys: Vec<u64>,
    point: Vec<f32>,
    hits: Vec<(f32, u64)>,
}

impl Buffers {
    /// Gives back what only a comparison with all vectors needed: a thread keeps its buffers for as long as it lives.
    fn shrink(&mut self) {
        const MOST: usize = 1 << 16;
        self.slots.truncate(MOST);
        self.slots.shrink_to(MOST);
        self.keys.truncate(MOST);
        self.keys.shrink_to(MOST);
        self.hits.truncate(MOST);
        self.hits.shrink_to(MOST);
    }
}

sync::thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// Where a filter refuses so many times as much of what is closest as it refuses elsewhere, such as all that a user has seen,
/// the search is repeated for as many neighbours more.
const CROWDED: f64 = 2.5;

/// Calls `sink` with the hits of `query`, closest first: distance and id.
pub(super) fn search(
    version: &Version,
    query: &Query,
    k: usize,
    effort: Effort,
    allowed: Option<&Allowed<'_>>,
    mut sink: impl FnMut(f32, u64),
) {
    BUFFERS.with(|buffers| {
        let buffers = &mut *buffers.borrow_mut();
        let k = k.min(version.len);
        if k == 0 {
            return;
        }
        let asked = Asked { version, query, k, effort, allowed };
        if !walked(asked, buffers) && !looked_into(asked, buffers) {
            buffers.slots.clear();
            match allowed {
                Some(allowed) => allowed.slots(version, &mut buffers.slots),
                None => buffers.slots.extend(version.view().living().map(|(slot, _)| slot)),
            }
            compare(asked, buffers);
        }
        buffers.hits.iter().take(k).for_each(|&(rank, id)| sink(version.space.distance(rank), id));
        buffers.shrink();
    });
}

/// Compares the vectors in `slots` exactly: the `k` closest, and no fewer, become the hits, closest first.
fn compare(Asked { version, query, k, .. }: Asked<'_>, buffers: &mut Buffers) {
    let Buffers { slots, keys, point, hits, .. } = buffers;
    let (space, view) = (&version.space, version.view());
    keys.clear();
    exact::ranks(space, view, slots, query, |rank, slot| keys.push(key(rank, slot)));
    // A candidate may have come twice, from its two leaves.
    let wanted = 2 * k;
    if keys.len() > wanted {
        keys.select_nth_unstable(wanted);
        let limit = estimate(keys[wanted]) + space.rounding();
        keys.retain(|&key| estimate(key) <= limit); // with all that are as far away: ties go by id
    }
    hits.clear();
    hits.extend(keys.iter().map(|&key| {
        let slot = number(key);
        let row = (view.row(slot), view.scale(slot));
        (space.precise(query, row, estimate(key), point), view.id(slot))
    }));
    hits.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    hits.dedup_by_key(|hit| hit.1);
}
