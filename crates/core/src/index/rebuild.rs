//! All vectors laid out anew: new leaves, and a graph where it helps.

use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

use super::buffer::zeros;
use super::ids::Ids;
use super::linking::{self, Ground};
use super::slots::{Base, Slots};
use super::space::Query;
use super::store::LeafStore;
use super::stored::Stored;
use super::train::{self, train};
use super::trials::{Probes, Trials, USUAL};
use super::update::{LEAST_TRAINED, Rows, Watch, Work, next_id};
use super::version::{Grown, Linked, Version};
use super::{Memory, Vectors, pilot, ties};
use crate::file::{Values, release_freed};
use crate::leaves::Homes;
use crate::quant::Measure;

/// With fewer leaves than this no graph is faster than they are.
const LEAST_LINKED: usize = 128;
/// What searches in a graph may cost at most, as a share of what they cost in leaves: it takes twice the memory and more, two to four times as long to
/// build and four to five times as long to add to. On a sheet (100,000, 0.84 by the model of costs) searches were 1.19, 1.04 and 0.87 times as fast in
/// one, for recalls of 0.9, 0.95 and 0.99, and of pictures of clothes (68,000, 0.59) 1.23, 1.37 and 1.37 times.
const WORTH_LINKING: f64 = 0.8;
/// Where a recall of 0.99 takes more than so many times as many leaves as one of 0.9, a graph is tried, whatever one of some of the vectors
/// tells: clumps that few of the vectors are in are none among some.
const LONG_TAIL: f64 = 10.0;

/// All vectors in new leaves, and the effort that a recall takes measured anew: with `queries`, where there are any.
pub(super) fn optimize(version: &Version, queries: Vec<Query>, work: Work) -> Version {
    let none = Rows { vectors: Vectors::Floats(&[]), ids: &[] };
    let mut watch = |_: f64| ControlFlow::Continue(());
    let ControlFlow::Continue(mut next) = rebuild(version, none, &[], work, &mut watch) else {
        return version.clone(); // nobody breaks off
    };
    if !queries.is_empty()
        && let Some(mut grown) = next.leaves.take()
    {
        let stored = Stored { space: &next.space, slots: next.view() };
        let trials = Trials::new(stored, Probes::Given(queries), work.threads);
        grown.curve = trials.curve_of_looks(&grown.store, trials.looks(&grown.store, f64::INFINITY));
        if let Some(Linked { links, curve }) = &mut grown.linked {
            *curve = trials.curve_of_walks(links, trials.walks(links, f64::INFINITY));
        }
        next.leaves = Some(grown);
    }
    next
}

/// All vectors laid out anew, `rows` among them, and grouped into new leaves when there are enough.
pub(super) fn rebuild(
    version: &Version,
    rows: Rows<'_>,
    known: &[Option<u32>],
    work: Work,
    watch: Watch<'_>,
) -> ControlFlow<(), Version> {
    let view = version.view();
    let gone: FxHashSet<u32> = known.iter().flatten().copied().collect();
    let stay: Vec<(u32, u64)> = view.living().filter(|(slot, _)| !gone.contains(slot)).collect();
    let n = stay.len() + rows.ids.len();
    let space = if n < LEAST_TRAINED {
        version.space.as_given()
    } else {
        let staying = stay.iter().map(|&(slot, _)| view.row(slot));
        version.space.in_form(version.space.smallest_form(staying, rows.vectors))
    };
    let words = space.row_words();
    let mut all = zeros(n * words);
    let (old, new) = all.as_mut().split_at_mut(stay.len() * words);
    for (row, &(slot, _)) in old.chunks_exact_mut(words).zip(&stay) {
        space.copy_row(&version.space, view.row(slot), row);
    }
    for (i, row) in new.chunks_exact_mut(words).enumerate() {
        space.write_row(rows.vectors, i, row);
    }
    let mut ids: Vec<u64> = stay.iter().map(|&(_, id)| id).chain(rows.ids.iter().copied()).collect();
    let scales = if space.metric == super::Metric::Cosine {
        all.as_mut().chunks_exact(words).map(|row| space.scale(row)).collect()
    } else {
        Vec::new()
    };
    watch(0.05)?;
    let table = Ids::lay_out(&ids);
    if table.is_empty() {
        ids = Vec::new(); // every id is its slot
    }
    let mut next = Version {
        space,
        ids: Ids::new(table.into()),
        memory: version.memory,
        len: n,
        next_id: next_id(version.next_id, rows.ids),
        slots: Slots::new(Base {
            len: n,
            rows: all.into_values(),
            ids: ids.into(),
            scales: scales.into(),
            homes: Values::default(),
        }),
        leaves: None,
        notes: version.notes.clone(),
    };
    if n < LEAST_TRAINED {
        return ControlFlow::Continue(next);
    }
    let stored = Stored { space: &space, slots: next.view() };
    let mut inner = |share: f64| watch(0.05 + 0.85 * share);
    let (store, mut homes) = train(stored, None, work, &mut inner)?;
    watch(0.9)?;
    next.leaves = Some(grow(stored, store, &mut homes, version.memory, work));
    next.slots.base.homes = homes.into();
    release_freed();
    ControlFlow::Continue(next)
}

/// Measures how much effort a recall takes; links the vectors where searches are likely to cost less so, and do.
fn grow(stored: Stored<'_>, store: LeafStore, homes: &mut Vec<Homes>, memory: Memory, work: Work) -> Grown {
    let trials = Trials::new(stored, Probes::Own(work.seed), work.threads);
    let may_link = memory == Memory::Full
        && store.len() >= LEAST_LINKED
        && stored.space.measure() == Measure::MinusTwiceDot
        && linking::has_room(stored.len(), stored.space.dim);
    let looks = trials.looks(&store, if may_link { LONG_TAIL } else { f64::INFINITY });
    if may_link
        && (looks.tail > LONG_TAIL || pilot::share(stored, &store.codebook, &looks, work) < WORTH_LINKING)
    {
        let looked = looks.at(USUAL).leaves;
        let mut links =
            linking::build(Ground { stored, store: &store, homes }, trials.held_out(), looked, work);
        let walks = trials.walks(&links, f64::INFINITY);
        if walks.share_of(&looks) < WORTH_LINKING {
            let walks = trials.curve_of_walks(&links, walks);
            let leaves = (&store, |slot: u32| homes[slot as usize]);
            ties::bring_in(stored, leaves, &mut links, trials.held_out(), work.threads);
            links.lay_out(stored.len());
            // The graph finds what a second home is there to find.
            let alone = train::in_one_home(stored, homes, &store, work);
            let curve = trials.curve_of_looks(&alone, trials.looks(&alone, f64::INFINITY));
            return Grown { store: alone, curve, linked: Some(Linked { links, curve: walks }) };
        }
    }
    let looks = if looks.tail > LONG_TAIL { trials.looks(&store, f64::INFINITY) } else { looks };
    let curve = trials.curve_of_looks(&store, looks);
    Grown { store, curve, linked: None }
}
