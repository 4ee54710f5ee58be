//! Pictures like a query: a sum and difference of pictures and words.

use linjin::index::{Effort, Filter as Ids, Filters, Search};

use super::handle::Collection;
use super::vectors::{Loaded, unanswered};
use crate::catalogue::{FileFacts, Filter, PictureFacts};
use crate::embed::Embedder;
use crate::error::CollectionError;
use crate::pixels::Pixels;
use crate::space::unit;

/// The recall that searches aim at. A few microseconds more than the usual 0.95, and nobody misses a picture.
const RECALL: f32 = 0.99;

/// A part of a query.
#[derive(Clone, Copy, Debug)]
pub enum Term<'a> {
    /// A picture of the collection, by its number. It is not among the results.
    Picture(u64),
    /// Any picture.
    Pixels(&'a Pixels),
    /// Words, for embedders that know them.
    Words(&'a str),
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// Parts with their weights: below 0 for what the results are to be unlike. Only the weights' proportions count.
    pub terms: Vec<(f32, Term<'a>)>,
    /// How many pictures are wanted.
    pub k: usize,
    /// Which pictures may come.
    pub filter: Filter,
    /// Pictures less similar than this do not come.
    pub min_score: Option<f32>,
}

impl<'a> Query<'a> {
    /// The `k` pictures most like `terms`.
    pub fn new(terms: Vec<(f32, Term<'a>)>, k: usize) -> Self {
        Self { terms, k, filter: Filter::default(), min_score: None }
    }
}

/// A picture that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hit {
    /// The picture.
    pub picture: PictureFacts,
    /// The cosine of its vector and the query's: 1 for the same picture, about 0 for unrelated ones.
    pub score: f32,
    /// The files that hold it and fit the filter, by path; at least one.
    pub files: Vec<FileFacts>,
}

impl Collection {
    /// The pictures most like a query, most similar first; fewer than `k` where there are not as many.
    ///
    /// `embedder` has to be the one that the collection was indexed with; a query of pictures of the collection needs none.
    ///
    /// # Errors
    ///
    /// There are no terms or they cancel out, a picture's number is not in the collection, the embedder is another one or
    /// missing, or the collection was never indexed to the end.
    pub fn search(
        &self,
        query: &Query<'_>,
        embedder: Option<&dyn Embedder>,
    ) -> Result<Vec<Hit>, CollectionError> {
        let loaded = self.loaded()?;
        let vector = self.query_vector(query, &loaded, embedder)?;
        let allowed = (query.filter != Filter::default())
            .then(|| self.catalogue.matching(&query.filter).map(Ids::Ids))
            .transpose()?;
        let asked = query.terms.iter().filter_map(|(_, term)| match term {
            Term::Picture(picture) => Some(*picture),
            _ => None,
        });
        let asked = Ids::Ids(asked.collect());
        let search = Search {
            effort: Effort::Recall(RECALL),
            filter: allowed.as_ref().map(Filters::Same),
            exclude: Some(Filters::Same(&asked)),
            ..Search::new(query.k)
        };
        let near = loaded.index.search(&vector, &search).map_err(|error| unanswered(&self.data, &error))?;
        let mut hits = Vec::with_capacity(near.ids.len());
        for (picture, distance) in near.ids.into_iter().zip(near.distances) {
            let score = 1.0 - distance;
            if query.min_score.is_some_and(|least| score < least) {
                break;
            }
            // One that left since the index was loaded has no files.
            let files = self.catalogue.files(picture, &query.filter)?;
            if let Some(picture) = self.catalogue.picture(picture)?
                && !files.is_empty()
            {
                hits.push(Hit { picture, score, files });
            }
        }
        Ok(hits)
    }

    fn query_vector(
        &self,
        query: &Query<'_>,
        loaded: &Loaded,
        embedder: Option<&dyn Embedder>,
    ) -> Result<Vec<f32>, CollectionError> {
        let refused = |what: &str| CollectionError::Query(what.to_owned());
        if query.terms.is_empty() {
            return Err(refused("the query is empty: give a picture or words"));
        }
        let embedder = || match embedder {
            Some(embedder) if embedder.name() == loaded.model_name => Ok(embedder),
            other => Err(CollectionError::Model {
                found: other.map_or_else(|| "no model".to_owned(), |other| other.name().to_owned()),
                expected: loaded.model_name.clone(),
            }),
        };
        let mut sum = vec![0.0; loaded.space.dim()];
        for &(weight, term) in &query.terms {
            if !weight.is_finite() {
                return Err(refused("a weight of the query is not a finite number"));
            }
            let vector = match term {
                Term::Picture(id) => {
                    let (found, vector) = self.catalogue.vectors(loaded.model, &[id])?;
                    if found.is_empty() {
                        return Err(CollectionError::Unknown { id });
                    }
                    vector
                }
                Term::Pixels(pixels) => embedder()?.picture(pixels)?,
                Term::Words(words) => embedder()?.words(words)?,
            };
            for (sum, value) in sum.iter_mut().zip(loaded.space.apply(&vector)) {
                *sum += weight * value;
            }
        }
        if sum.iter().map(|value| value * value).sum::<f32>() < 1e-8 {
            return Err(refused("the terms of the query cancel out: nothing is left to look for"));
        }
        Ok(unit(sum))
    }
}
