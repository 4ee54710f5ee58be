//! Annoy's files, read and written.

use std::path::Path;

use linjin::error::OpenError;
use linjin::forest::{self, Forest};
use linjin::index::Metric;

use crate::args::Convert;
use crate::failure::Failure;
use crate::output::progress::{Meter, Unit};
use crate::read::Matrix;

/// Vectors and ids, in the order of these.
pub(crate) fn read(path: &Path, dim: usize, metric: Metric) -> Result<(Matrix, Vec<u64>), Failure> {
    let mut forest = Forest::new(dim, name(metric)?);
    forest.load(path, false).map_err(|error| failed(path, &error))?;
    let (mut matrix, mut ids) = (Matrix::empty(dim, metric), Vec::new());
    let meter = Meter::new("reading", Unit::Things, forest.n_items() as u64);
    for id in (0..forest.n_items() as u32).filter(|&id| forest.contains(id)) {
        let vector = forest.vector(id).map_err(|error| Failure::file(path, error))?;
        matrix.push_floats(&vector);
        ids.push(u64::from(id));
        meter.set(u64::from(id));
    }
    Ok((matrix, ids))
}

/// Builds trees over the vectors and writes them.
pub(crate) fn write(
    path: &Path,
    matrix: &Matrix,
    ids: Option<&[u64]>,
    metric: Metric,
    arguments: &Convert,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Run(format!("{}: {error}", path.display()));
    let ids = ids.map(|ids| ids.iter().map(|&id| u32::try_from(id)).collect::<Result<Vec<u32>, _>>());
    let ids = ids.transpose().map_err(|_| {
        failed(&"Annoy's ids are below 2147483648, and a file has a place for each up to the largest; give others")
    })?;
    let mut forest = Forest::new(matrix.dim(), name(metric)?);
    let meter = Meter::waiting("building trees");
    forest.add_rows(ids.as_deref(), &matrix.floats()).map_err(|error| failed(&error))?;
    forest.build(arguments.trees, arguments.threads).map_err(|error| failed(&error))?;
    drop(meter);
    forest.save(path, false).map_err(|error| failed(&error))
}

/// What Annoy calls the metric.
fn name(metric: Metric) -> Result<forest::Metric, Failure> {
    Ok(match metric {
        Metric::Cosine => forest::Metric::Angular,
        Metric::Euclidean | Metric::SqEuclidean => forest::Metric::Euclidean,
        Metric::Manhattan => forest::Metric::Manhattan,
        Metric::Dot => forest::Metric::Dot,
        Metric::Hamming => forest::Metric::Hamming,
        other => return Err(Failure::Usage(format!("Annoy has no metric {other}"))),
    })
}

fn failed(path: &Path, error: &OpenError) -> Failure {
    match error {
        OpenError::Io(error) => Failure::io(path, error),
        other => {
            Failure::file(path, format_args!("{other} --dim and --metric have to be those it was built with"))
        }
    }
}
