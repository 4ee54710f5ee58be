//! Copies of one picture: the same file twice, or resized, recompressed, lighter, turned or mirrored.
//!
//! A linjin index of the pictures' sketches, asked with each picture in eight orientations, finds pairs that may be
//! copies; a comparison of their signatures decides. Nothing is ever deleted here.

use std::collections::HashMap;

use linjin::index::{Add, Effort, Index, Metric, Search};

use super::handle::Collection;
use super::vectors::{unanswered, unusable};
use crate::catalogue::{FileFacts, Filter};
use crate::error::CollectionError;
use crate::pixels::Orientation;
use crate::signature::{self, SKETCH, Signature};

/// Neighbours of a sketch that are compared. Larger groups hang together by their members.
const NEIGHBOURS: usize = 12;
/// Sketches of copies have at most this cosine distance.
const FARTHEST: f32 = 0.12;
/// Sketches that are asked at a time.
const CHUNK: usize = 4096;

/// Which of several copies is the one to keep.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Keep {
    /// The one with the most pixels; of these the one with the most bytes, then the oldest.
    #[default]
    Largest,
    /// The one that was changed longest ago.
    Oldest,
    /// The one that was changed last.
    Newest,
}

/// How a copy is like the one to keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likeness {
    /// It is the one to keep.
    Kept,
    /// The same bytes.
    Same,
    /// The same picture, in other bytes: resized, recompressed, lighter or darker.
    Resized,
    /// The same picture, turned or mirrored.
    Turned(Orientation),
}

/// A file of a group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Copy {
    /// The number of its picture.
    pub picture: u64,
    /// The file.
    pub file: FileFacts,
    /// Pixels in a row, upright.
    pub width: u32,
    /// Rows, upright.
    pub height: u32,
    /// How it is like the one to keep.
    pub likeness: Likeness,
    /// Correlation with the one to keep, at most 1.
    pub similarity: f32,
}

/// Copies of one picture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// The one to keep first, then the others by path. Each was compared with the first one.
    pub copies: Vec<Copy>,
}

impl Collection {
    /// Groups of files that hold the same picture, by the path of the one to keep. Only looks.
    ///
    /// `near` finds pictures that are resized, recompressed, lighter or darker, turned or mirrored as well; without it only
    /// files with the same bytes count. Every file of a group is like the one to keep by itself, not only like another
    /// that is like it.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn duplicates(&self, near: bool, keep: Keep, filter: &Filter) -> Result<Vec<Group>, CollectionError> {
        let mut signatures = self.catalogue.signatures()?;
        if *filter != Filter::default() {
            let mut allowed = self.catalogue.matching(filter)?;
            allowed.sort_unstable();
            signatures.retain(|(id, _)| allowed.binary_search(id).is_ok());
        }
        let clusters = if near { self.clusters(&signatures)? } else { Vec::new() };
        let mut clustered: Vec<bool> = vec![false; signatures.len()];
        for &at in clusters.iter().flatten() {
            clustered[at] = true;
        }
        let alone = (0..signatures.len()).filter(|&at| !clustered[at]).map(|at| vec![at]);
        let mut groups = Vec::new();
        for cluster in alone.chain(clusters) {
            let mut left = Vec::new();
            for at in cluster {
                left.extend(self.copies(signatures[at].0, filter)?.into_iter().map(|copy| (at, copy)));
            }
            left.sort_by(|(_, a), (_, b)| rank(keep, a, b));
            while left.len() > 1 {
                let (like, unlike) = grouped(left, &signatures);
                groups.extend((like.copies.len() > 1).then_some(like));
                left = unlike;
            }
        }
        groups.sort_by(|a, b| a.copies[0].file.path.cmp(&b.copies[0].file.path));
        Ok(groups)
    }

    /// Pictures that hang together by likeness, as places in `signatures`; those that are like no other are left out.
    fn clusters(&self, signatures: &[(u64, Signature)]) -> Result<Vec<Vec<usize>>, CollectionError> {
        let shaped: Vec<usize> = (0..signatures.len()).filter(|&at| !signatures[at].1.is_flat()).collect();
        let ids: Vec<u64> = shaped.iter().map(|&at| at as u64).collect();
        let sketches = |places: &[usize], orientation| -> Vec<f32> {
            places.iter().flat_map(|&at| signatures[at].1.sketch(orientation)).collect()
        };
        let index = Index::new(SKETCH, Metric::Cosine).map_err(|error| unusable(&self.data, &error))?;
        for (places, ids) in shaped.chunks(CHUNK).zip(ids.chunks(CHUNK)) {
            index
                .add(&sketches(places, Orientation::Upright), Some(ids), &Add::default())
                .map_err(|error| unusable(&self.data, &error))?;
        }
        let mut parents: Vec<usize> = (0..signatures.len()).collect();
        let search = Search { effort: Effort::Recall(0.99), ..Search::new(NEIGHBOURS) };
        for places in shaped.chunks(CHUNK) {
            for orientation in Orientation::ALL {
                let near = index
                    .search_many(&sketches(places, orientation), &search)
                    .map_err(|error| unanswered(&self.data, &error))?;
                for (row, &a) in places.iter().enumerate() {
                    for i in 0..near.counts[row] {
                        let b = near.ids[row * near.k + i] as usize;
                        if near.distances[row * near.k + i] > FARTHEST
                            || root(&mut parents, a) == root(&mut parents, b)
                        {
                            continue;
                        }
                        if signature::compare(&signatures[a].1, &signatures[b].1).is_some() {
                            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
                            parents[a.max(b)] = a.min(b);
                        }
                    }
                }
            }
        }
        let mut clusters: HashMap<usize, Vec<usize>> = HashMap::new();
        for &at in &shaped {
            clusters.entry(root(&mut parents, at)).or_default().push(at);
        }
        Ok(clusters.into_values().filter(|cluster| cluster.len() > 1).collect())
    }

    /// The files of a picture.
    fn copies(&self, picture: u64, filter: &Filter) -> Result<Vec<Copy>, CollectionError> {
        let Some(facts) = self.catalogue.picture(picture)? else { return Ok(Vec::new()) };
        let (width, height) = (facts.width, facts.height);
        let copy = |file| Copy { picture, file, width, height, likeness: Likeness::Kept, similarity: 1.0 };
        Ok(self.catalogue.files(picture, filter)?.into_iter().map(copy).collect())
    }
}

/// The best file with those that are like it, and the rest. `ranked` holds files with the places of their signatures.
fn grouped(ranked: Vec<(usize, Copy)>, signatures: &[(u64, Signature)]) -> (Group, Vec<(usize, Copy)>) {
    let mut ranked = ranked.into_iter();
    let Some((best, kept)) = ranked.next() else { return (Group { copies: Vec::new() }, Vec::new()) };
    let (mut copies, mut unlike) = (Vec::new(), Vec::new());
    for (at, mut copy) in ranked {
        if at == best {
            copy.likeness = Likeness::Same;
        } else if let Some(found) = signature::compare(&signatures[best].1, &signatures[at].1) {
            copy.likeness = match found.orientation {
                Orientation::Upright => Likeness::Resized,
                turned => Likeness::Turned(turned),
            };
            copy.similarity = found.similarity;
        } else {
            unlike.push((at, copy));
            continue;
        }
        copies.push(copy);
    }
    copies.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    copies.insert(0, kept);
    (Group { copies }, unlike)
}

/// The better one first.
fn rank(keep: Keep, a: &Copy, b: &Copy) -> std::cmp::Ordering {
    let pixels = |copy: &Copy| u64::from(copy.width) * u64::from(copy.height);
    let age = a.file.modified.cmp(&b.file.modified);
    let first = match keep {
        Keep::Largest => pixels(b).cmp(&pixels(a)).then(b.file.bytes.cmp(&a.file.bytes)).then(age),
        Keep::Oldest => age,
        Keep::Newest => age.reverse(),
    };
    first.then_with(|| a.file.path.cmp(&b.file.path))
}

/// The first of the pictures that hang together with this one.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}
