"""What the tests of `linjin.Index` share: seeded vectors, scipy's distances, what a true answer is."""

import numpy as np
from scipy.spatial.distance import cdist

import linjin

FLOAT_METRICS = ("cosine", "euclidean", "sqeuclidean", "dot", "manhattan")
METRICS = (*FLOAT_METRICS, "hamming")
SCIPY_NAMES = {"manhattan": "cityblock"}


def make_vectors(metric, n, dim, seed=0):
    """(n, dim): bool for hamming, gaussian float32 for the others."""
    rng = np.random.default_rng([seed, n, dim])
    if metric == "hamming":
        return rng.integers(0, 2, (n, dim)).astype(bool)
    return rng.standard_normal((n, dim)).astype(np.float32)


def filled(metric, vectors, ids=None):
    """An index over the vectors."""
    index = linjin.Index(vectors.shape[1], metric)
    index.add(vectors, ids)
    return index


def distances(metric, queries, vectors):
    """What linjin promises: scipy's numbers in float64, (q, n)."""
    if metric == "dot":
        return -(np.asarray(queries, np.float64) @ np.asarray(vectors, np.float64).T)
    if metric != "hamming":
        queries, vectors = np.asarray(queries, np.float64), np.asarray(vectors, np.float64)
    with np.errstate(invalid="ignore"):
        found = cdist(queries, vectors, SCIPY_NAMES.get(metric, metric))
    # scipy has no cosine for vectors of length 0; here they are at a right angle to all others.
    return np.nan_to_num(found, nan=1.0) if metric == "cosine" else found


def close(got, want):
    """Whether two arrays of distances agree within the rounding of float32."""
    return np.shape(got) == np.shape(want) and np.allclose(got, want, rtol=1e-4, atol=2e-5)


def assert_true_hits(metric, hits, query, vectors, k, ids=None):
    """The hits of one query are the k closest of the vectors, in order, with their distances."""
    ids = range(len(vectors)) if ids is None else ids
    true = distances(metric, np.asarray(query)[None], vectors)[0] if len(vectors) else np.empty(0)
    assert hits.ids.dtype == np.uint64
    assert hits.distances.dtype == np.float32
    assert len(hits.ids) == len(hits.distances) == hits.counts == min(k, len(vectors))
    assert close(hits.distances, np.sort(true)[:k])
    row = {int(id): i for i, id in enumerate(ids)}
    assert close(hits.distances, true[[row[int(id)] for id in hits.ids]])
    assert len(set(hits.ids.tolist())) == len(hits.ids)
    assert_ordered(hits.ids, hits.distances)


def assert_ordered(ids, distances):
    """Closest first, equal distances by the smaller id."""
    pairs = list(zip(distances.tolist(), ids.tolist()))
    assert pairs == sorted(pairs)


def contents(index):
    """All that can be read from an index, to be compared with `==`."""
    ids = index.ids
    return len(index), ids.tolist(), index.get(ids).tolist()
