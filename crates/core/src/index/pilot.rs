//! Some of the vectors, in leaves and linked, to find out whether it is worth while to link all of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Metric;
use super::linking::{self, Found, Ground};
use super::slots::{Base, Slots};
use super::stored::Stored;
use super::train::{sample, train};
use super::trials::{Probes, Trials};
use super::update::Work;
use crate::quant::Codebook;
use crate::random::Random;

/// So many vectors, or a quarter of all. Of glove, gauss, mnist, text256 and clusters, walks took 1.4, 2.1, 0.8, 0.4 and 0.9 of what looks into
/// leaves took with 8,000 vectors, and 1.5, 2.1, 0.9, 0.4 and 0.8 with 60,000, for a recall of 0.95, by what they are thought to cost.
const PILOT: usize = 8192;

/// What searches through a graph of some of the vectors cost, as a share of what they cost in leaves. The leaves of all vectors have a
/// codebook, which will do: to train one takes as long as all else of a pilot of pictures.
pub(super) fn share(stored: Stored<'_>, codebook: &Arc<Codebook>, work: Work) -> f64 {
    let some = PILOT.min(stored.len() / 4);
    let mut some = sample(stored.len(), some, &mut Random::new(work.seed, 3));
    some.sort_unstable();
    let slots = apart(stored, &some);
    let stored = Stored { space: stored.space, slots: slots.view(stored.space) };
    let ControlFlow::Continue((store, homes)) =
        train(stored, Some(codebook), work, &mut |_| ControlFlow::Continue(()))
    else {
        return f64::INFINITY; // nobody breaks off
    };
    let trials = Trials::new(stored, Probes::Own(work.seed), work.threads);
    let ground = Ground { stored, store: &store, homes: &homes };
    let links = linking::build(ground, trials.held_out(), Found::InLeaves, work);
    let looks = trials.looks(&store, f64::INFINITY);
    trials.walks(&links, looks.hopeless()).share_of(&looks)
}

/// Some of the vectors, in slots of their own.
fn apart(stored: Stored<'_>, some: &[u32]) -> Slots {
    let Stored { space, slots } = stored;
    let rows: Vec<u32> = some.iter().flat_map(|&slot| slots.row(slot).iter().copied()).collect();
    let scales: Vec<f32> = match space.metric {
        Metric::Cosine => some.iter().map(|&slot| slots.scale(slot)).collect(),
        _ => Vec::new(),
    };
    Slots::new(Base { len: some.len(), rows: rows.into(), scales: scales.into(), ..Base::default() })
}
