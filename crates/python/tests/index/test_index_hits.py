"""What a search gives back: shapes, types, padding, scores, unpacking."""

import numpy as np
import pytest

import linjin
from index_support import METRICS, filled, make_vectors

DIM = 8
QUERIES = make_vectors("cosine", 4, DIM, seed=1)


@pytest.fixture
def index():
    return filled("cosine", make_vectors("cosine", 30, DIM))


def test_one_query(index):
    hits = index.search(QUERIES[0], k=7)
    assert isinstance(hits, linjin.Hits)
    assert (hits.ids.dtype, hits.ids.shape) == (np.uint64, (7,))
    assert (hits.distances.dtype, hits.distances.shape) == (np.float32, (7,))
    assert (hits.counts.dtype, hits.counts.shape, int(hits.counts)) == (np.int64, (), 7)


def test_many_queries(index):
    hits = index.search(QUERIES, k=7)
    assert (hits.ids.dtype, hits.ids.shape) == (np.uint64, (4, 7))
    assert (hits.distances.dtype, hits.distances.shape) == (np.float32, (4, 7))
    assert (hits.counts.dtype, hits.counts.tolist()) == (np.int64, [7] * 4)
    assert hits.ids.flags.c_contiguous
    assert hits.ids.flags.writeable


def test_a_matrix_of_one_query_stays_a_matrix(index):
    assert index.search(QUERIES[:1], k=7).ids.shape == (1, 7)


def test_many_queries_answer_as_one_does(metric):
    vectors, queries = make_vectors(metric, 500, DIM), make_vectors(metric, 60, DIM, seed=1)
    index = filled(metric, vectors)
    for effort in ({}, {"ef": 40}, {"exact": True}, {"recall": 0.8}):
        many = index.search(queries, 9, **effort)
        for i, query in enumerate(queries):
            one = index.search(query, 9, **effort)
            assert one.ids.tolist() == many.ids[i].tolist()
            assert np.allclose(one.distances, many.distances[i], rtol=1e-5, atol=1e-6)


def test_fewer_than_k(index):
    one = index.search(QUERIES[0], k=50)
    assert one.ids.shape == one.distances.shape == (30,)
    many = index.search(QUERIES, k=50)
    assert many.ids.shape == (4, 50)
    assert many.counts.tolist() == [30] * 4
    assert (many.ids[:, 30:] == linjin.NO_ID).all()
    assert (many.ids[:, :30] < 30).all()
    assert np.isposinf(many.distances[:, 30:]).all()
    assert np.isfinite(many.distances[:, :30]).all()


def test_no_neighbours_wanted(index):
    assert index.search(QUERIES[0], k=0).ids.shape == (0,)
    hits = index.search(QUERIES, k=0)
    assert (hits.ids.shape, hits.distances.shape, hits.counts.tolist()) == ((4, 0), (4, 0), [0] * 4)


def test_a_table_beyond_memory(index):
    with pytest.raises(MemoryError):
        index.search(QUERIES, k=2**62)


@pytest.mark.parametrize("n", [1, 100])
def test_more_queries_than_go_in_a_block(n):
    """Blocks leave no seams: the same query gets the same answer everywhere."""
    index = filled("euclidean", make_vectors("euclidean", n, 2))
    query = np.zeros(2, np.float32)
    hits = index.search(np.tile(query, (40_000, 1)), k=2)
    want = index.search(query, k=2)
    assert (hits.counts == min(n, 2)).all()
    assert (hits.ids[:, : len(want.ids)] == want.ids).all()


def test_errors_in_later_blocks_name_the_row():
    queries = np.zeros((20_000, 2), np.float32)
    queries[17_000, 1] = np.nan
    with pytest.raises(ValueError, match=r"query 17000.*column 1"):
        filled("euclidean", np.zeros((3, 2))).search(queries, k=1)


# --- scores ---------------------------------------------------------------------------------------------------------


def test_scores_of_cosine(index):
    for query in (QUERIES[0], QUERIES):
        hits = index.search(query, k=50, exact=True)
        assert hits.scores.dtype == np.float32
        assert hits.scores.shape == hits.ids.shape
        assert np.array_equal(hits.scores, 1 - hits.distances)
    vectors = index.get(hits.ids[0, :30])
    want = vectors @ QUERIES[0] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(QUERIES[0])
    assert np.allclose(hits.scores[0, :30], want, atol=1e-5)
    assert np.isneginf(hits.scores[:, 30:]).all()


def test_scores_of_dot():
    vectors = make_vectors("dot", 30, DIM)
    index = filled("dot", vectors)
    for query in (QUERIES[0], QUERIES):
        hits = index.search(query, k=50, exact=True)
        assert hits.scores.dtype == np.float32
        assert np.array_equal(hits.scores, -hits.distances)
    assert np.allclose(hits.scores[0, :30], vectors[hits.ids[0, :30].astype(int)] @ QUERIES[0], atol=1e-5)
    assert np.isneginf(hits.scores[:, 30:]).all()


@pytest.mark.parametrize("metric", [m for m in METRICS if m not in ("cosine", "dot")])
def test_the_other_metrics_have_no_scores(metric):
    vectors = make_vectors(metric, 5, DIM)
    hits = filled(metric, vectors).search(vectors[0])
    with pytest.raises(AttributeError, match=f"{metric}.*distances"):
        hits.scores  # noqa: B018
    assert not hasattr(hits, "scores")


# --- as a pair ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [QUERIES[0], QUERIES], ids=["one", "many"])
def test_unpacks_and_indexes_like_a_pair(index, query):
    hits = index.search(query, k=5)
    ids, distances = hits
    assert ids is hits.ids is hits[0] is hits[-2]
    assert distances is hits.distances is hits[1] is hits[-1]
    assert len(hits) == 2
    assert hits[:1] == (ids,)
    for wrong in (2, -3):
        with pytest.raises(IndexError):
            hits[wrong]
    with pytest.raises(KeyError, match='there is no column "ids"'):
        hits["ids"]


def test_repr(index):
    hits = index.search(QUERIES[0], k=2)
    assert repr(hits) == f"linjin.Hits(ids={hits.ids!r}, distances={hits.distances!r})"
    assert len(repr(index.search(np.tile(QUERIES, (500, 1)), k=30))) < 5000


def test_cannot_be_made_or_changed(index):
    hits = index.search(QUERIES[0])
    with pytest.raises(TypeError):
        linjin.Hits()
    for name in ("ids", "distances", "new"):
        with pytest.raises(AttributeError):
            setattr(hits, name, None)


def test_hits_outlive_the_index():
    index = filled("cosine", make_vectors("cosine", 30, DIM))
    hits = index.search(QUERIES[0], k=3)
    want = index.search(QUERIES[0], k=3).ids.tolist()
    index.remove(index.ids)
    del index
    assert hits.ids.tolist() == want
