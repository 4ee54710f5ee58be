//! Some of the vectors, in leaves and linked, to find out whether it is worth while to link all of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Metric;
use super::linking::{self, Ground};
use super::slots::{Base, Slots};
use super::stored::Stored;
use super::train::{sample, train};
use super::trials::{Measured, Probes, Trials, USUAL};
use super::update::Work;
use crate::quant::Codebook;
use crate::random::Random;

/// So many vectors, or a quarter of all.
const PILOT: usize = 8192;
/// With the number of vectors walks become cheaper beside looks into leaves, by this power of it at least. With 8,192 and with all of 68,000 pictures of clothes
/// they took 0.82 and 0.59 of what looks took, by what they are thought to cost; of 60,000 of digits 1.02 and 0.92, of 600,000 SIFT features 0.89 and 0.67, of
/// 100,000 on a sheet 0.96 and 0.84, of glove's 336,000 words 1.69 and 1.49, of 150,000 sentences 0.38 and 0.21, of gauss' 100,000 1.68 and 1.21.
const FALL: f64 = 0.05;

/// What searches through a graph would cost, as a share of `all`, what they cost in the leaves of all vectors, by a graph of some of them. The
/// leaves of all vectors have a codebook, which will do: to train one takes as long as all else of a pilot of pictures.
///
/// Walks cost more among more vectors, so those among some tell what those among all cost at least. It is as much that looks become cheaper where
/// vectors nearly repeat each other: of 300,000 patches of pictures, of which many overlap, walks in a pilot took 0.79 of its looks and 0.90 of those
/// into all leaves, and walks among all of them 1.08.
pub(super) fn share(stored: Stored<'_>, codebook: &Arc<Codebook>, all: &Measured, work: Work) -> f64 {
    let n = stored.len();
    let mut some = sample(n, PILOT.min(n / 4), &mut Random::new(work.seed, 3));
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
    let looks = trials.looks(&store, f64::INFINITY);
    let links = linking::build(ground, trials.held_out(), looks.at(USUAL).leaves, work);
    let walks = trials.walks(&links, looks.hopeless());
    let fall = (n as f64 / some.len() as f64).powf(-FALL);
    (walks.share_of(&looks) * fall).max(walks.share_of(all))
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
