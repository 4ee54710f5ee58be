"""Adding, replacing, updating and removing: what is found afterwards, and what stays when a change is refused."""

import numpy as np
import pytest

import linjin
from index_support import assert_true_hits, contents, distances, filled, make_vectors


def test_ids_go_on_from_the_largest():
    index = linjin.Index(2, "euclidean")
    assert index.add(np.zeros((3, 2))).tolist() == [0, 1, 2]
    index.add([1, 1], ids=10)
    assert index.add(np.zeros((2, 2))).tolist() == [11, 12]
    index.remove(5 + np.arange(7)[5:6])
    assert index.ids.tolist() == [0, 1, 2, 11, 12]


def test_additions_are_found_at_once(metric):
    vectors = make_vectors(metric, 400, 16)
    index = linjin.Index(16, metric)
    for start in range(0, 400, 40):
        index.add(vectors[start : start + 40])
        seen = vectors[: start + 40]
        query = vectors[start + 7]
        assert_true_hits(metric, index.search(query, 10, exact=True), query, seen, 10)


def test_removed_vectors_are_never_found(metric):
    vectors = make_vectors(metric, 300, 16)
    index = filled(metric, vectors)
    gone = np.random.default_rng(0).permutation(300)[:200]
    index.remove(gone)
    kept = np.setdiff1d(np.arange(300), gone)
    assert index.ids.tolist() == kept.tolist()
    for query in vectors[:20]:
        assert_true_hits(metric, index.search(query, 150, exact=True), query, vectors[kept], 150, kept)
        assert not np.isin(index.search(query, 150).ids, gone).any()


def test_removing_all_and_starting_again(metric):
    vectors = make_vectors(metric, 50, 9)
    index = filled(metric, vectors)
    index.remove(index.ids)
    assert len(index) == 0
    assert len(index.search(vectors[0]).ids) == 0
    index.add(vectors[:5], ids=[4, 3, 2, 1, 0])
    assert_true_hits(metric, index.search(vectors[0], exact=True), vectors[0], vectors[:5], 10, [4, 3, 2, 1, 0])


def test_replaced_vectors_answer_with_the_new_distance(metric):
    vectors, other = make_vectors(metric, 100, 16), make_vectors(metric, 100, 16, seed=1)
    index = filled(metric, vectors)
    index.add(other[:30], ids=range(30), replace=True)
    index.update(range(30, 60), other[30:60])
    now = np.concatenate([other[:60], vectors[60:]])
    for query in other[:10]:
        assert_true_hits(metric, index.search(query, 100, exact=True), query, now, 100)
    assert len(index) == 100


def test_replace_adds_what_is_not_there():
    index = linjin.Index(1, "euclidean")
    assert index.add([[1], [2]], ids=[3, 4], replace=True).tolist() == [3, 4]
    assert index.add([[5], [6]], ids=[4, 5], replace=True).tolist() == [4, 5]
    assert index.get([3, 4, 5]).tolist() == [[1], [5], [6]]


def test_refused_changes_change_nothing(metric):
    vectors = make_vectors(metric, 40, 8)
    index = filled(metric, vectors)
    before = contents(index)
    refusals = [
        (ValueError, lambda: index.add(vectors[:2], ids=[40, 39])),
        (ValueError, lambda: index.add(vectors[:2], ids=[40, 40])),
        (ValueError, lambda: index.add(vectors[:2], ids=[40, 40], replace=True)),
        (ValueError, lambda: index.add(vectors[:2], ids=[40])),
        (ValueError, lambda: index.add(vectors[:2], ids=[40, linjin.NO_ID])),
        (KeyError, lambda: index.update([3, 41], vectors[:2])),
        (ValueError, lambda: index.update([3], vectors[:2])),
        (KeyError, lambda: index.remove([3, 41])),
        (KeyError, lambda: index.remove(np.arange(41))),
        (KeyError, lambda: index.get([0, 99])),
        (KeyError, lambda: index.get(99)),
        (KeyError, lambda: index.remove(linjin.NO_ID)),
    ]
    for error, call in refusals:
        with pytest.raises(error):
            call()
        assert contents(index) == before


def test_unknown_ids_are_named():
    index = filled("euclidean", make_vectors("euclidean", 5, 3))
    for call in (index.remove, index.get, lambda ids: index.update(ids, np.zeros((2, 3)))):
        with pytest.raises(KeyError, match="77"):
            call([0, 77])


def test_contains():
    index = filled("euclidean", make_vectors("euclidean", 5, 3), [0, 2, 4, 6, 2**64 - 2])
    assert [i in index for i in (0, 1, 2, 2**64 - 2)] == [True, False, True, True]
    assert np.int32(4) in index
    assert not any(i in index for i in (-1, 2**64 - 1, 2**64, -(2**70)))
    for wrong in ("0", 0.0, None):
        with pytest.raises(TypeError):
            wrong in index  # noqa: B015


def test_get_keeps_order_and_repeats():
    vectors = make_vectors("euclidean", 6, 3)
    index = filled("euclidean", vectors)
    order = [5, 0, 5, 3]
    assert np.array_equal(index.get(order), vectors[order])
    empty = index.get([])
    assert (empty.shape, empty.dtype) == ((0, 3), np.float32)
    assert linjin.Index(9, "hamming").get([]).shape == (0, 2)


def test_search_after_many_changes_finds_most(metric):
    """Recall stays when two thirds of the vectors have come and gone."""
    vectors = make_vectors(metric, 3000, 24)
    index = filled(metric, vectors[:1500])
    index.remove(np.arange(1000))
    index.add(vectors[1500:], ids=np.arange(1500, 3000))
    kept = np.arange(1000, 3000)
    queries = make_vectors(metric, 40, 24, seed=1)
    hits = index.search(queries, 10)
    true = distances(metric, queries, vectors[kept])
    worst = np.sort(true, axis=1)[:, 9:10]
    found = np.take_along_axis(true, hits.ids.astype(np.int64) - 1000, axis=1)
    assert np.mean(found <= worst + 1e-5 * np.abs(worst)) >= 0.9
