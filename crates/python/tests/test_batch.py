"""add_items, get_nns_by_vectors and get_nns_by_items against loops; get_nns_within against brute force."""

import array
import re

import numpy as np
import pytest

from support import (
    EXHAUSTIVE,
    AnnoyIndex,
    build_index,
    close,
    distances,
    fill,
    load_index,
    make_data,
    metrics,
    sort_keys,
)

pytestmark = pytest.mark.beyond

MATRIX_KINDS = {
    "float32": lambda m: m,
    "float64": lambda m: m.astype(np.float64),
    "float16": lambda m: m.astype(np.float16),
    "big-endian": lambda m: m.astype(">f4"),
    "fortran": np.asfortranarray,
    "every second row": lambda m: np.repeat(m, 2, axis=0)[::2],
    "every second column": lambda m: np.repeat(m, 2, axis=1)[:, ::2],
    "backwards": lambda m: np.ascontiguousarray(m[::-1])[::-1],
    "read-only": lambda m: np.frombuffer(m.tobytes(), np.float32).reshape(m.shape),
    "unaligned": lambda m: np.frombuffer(b"\0" + m.tobytes(), np.float32, offset=1).reshape(m.shape),
    "lists": lambda m: m.tolist(),
    "list of arrays": list,
    "tuples": lambda m: tuple(tuple(row) for row in m.tolist()),
    "integers": lambda m: m.astype(np.int32),
    "memoryview": memoryview,
}
matrix_kinds = pytest.mark.parametrize("kind", MATRIX_KINDS.values(), ids=MATRIX_KINDS.keys())


def integral(metric, n, f, seed=0):
    """Rows of small whole numbers: the same in every number type."""
    return np.round(make_data(metric, n, f, seed) * (1 if metric == "hamming" else 5)).astype(np.float32)


def looped(query, keys, n, search_k, width):
    """The rows that a loop over single queries gives, padded as the batch pads them."""
    ids = np.full((len(keys), width), -1, dtype=np.int64)
    reported = np.full((len(keys), width), np.nan, dtype=np.float32)
    for row, key in enumerate(keys):
        got, far = query(key, n, search_k, True)
        ids[row, : len(got)] = got
        reported[row, : len(got)] = far
    return ids, reported


# --- add_items ------------------------------------------------------------------------------------------------------


def test_add_items_is_a_loop_of_add_item(metric, data):
    one = fill(AnnoyIndex(data.shape[1], metric), data)
    two = AnnoyIndex(data.shape[1], metric)
    assert two.add_items(data[:100]) is None
    assert two.add_items(data[100:]) is None
    assert two.get_n_items() == len(two) == 600
    assert all(one.get_item_vector(i) == two.get_item_vector(i) for i in range(600))
    for index in (one, two):
        index.set_seed(1)
        index.build(4)
    assert all(one.get_nns_by_item(i, 10) == two.get_nns_by_item(i, 10) for i in range(0, 600, 11))


@matrix_kinds
def test_add_items_of_any_matrix(kind):
    rows = integral("euclidean", 20, 6)
    index = AnnoyIndex(6, "euclidean")
    index.add_items(kind(rows))
    np.testing.assert_array_equal([index.get_item_vector(i) for i in range(20)], rows)


@pytest.mark.parametrize(
    "ids",
    [
        [5, 2, 9],
        (5, 2, 9),
        np.array([5, 2, 9]),
        np.array([5, 2, 9], dtype=np.uint8),
        np.array([5, 2, 9], dtype=">i4"),
        np.array([5, 0, 2, 0, 9])[::2],
        array.array("i", [5, 2, 9]),
        [np.int64(5), np.uint16(2), 9],
    ],
    ids=["list", "tuple", "int64", "uint8", "big-endian", "strided", "array.array", "numpy integers"],
)
def test_add_items_with_ids(ids):
    rows = integral("dot", 3, 4)
    for keywords in ({"ids": ids}, None):
        index = AnnoyIndex(4, "dot")
        index.add_items(rows, **keywords) if keywords else index.add_items(rows, ids)
        assert (index.get_n_items(), len(index)) == (10, 3)
        np.testing.assert_array_equal([index.get_item_vector(i) for i in (5, 2, 9)], rows)
        assert [i for i in range(10) if i in index] == [2, 5, 9]
        index.add_items(rows)
        assert [i for i in range(13) if i in index] == [2, 5, 9, 10, 11, 12]


@pytest.mark.parametrize("nothing", [np.empty((0, 4)), np.empty((0, 4), np.float32)])
def test_add_items_of_no_rows(nothing):
    index = AnnoyIndex(4, "dot")
    index.add_items(nothing)
    index.add_items(nothing, [])
    assert (index.get_n_items(), len(index)) == (0, 0)


BAD_ADDITIONS = {
    "too wide": (np.zeros((3, 5)), None, IndexError, "Vector has wrong length (expected 4, got 5)"),
    "too narrow": (np.zeros((3, 3)), None, IndexError, "Vector has wrong length (expected 4, got 3)"),
    "one dimension": (np.zeros(4), None, ValueError, ""),
    "three dimensions": (np.zeros((2, 2, 4)), None, ValueError, ""),
    "no dimension": (1.0, None, ValueError, ""),
    "ragged": ([[1, 2, 3, 4], [1, 2, 3]], None, (ValueError, IndexError), ""),
    "strings": ([["a", "b", "c", "d"]], None, (ValueError, TypeError), ""),
    "complex": (np.full((1, 4), 1j), None, (ValueError, TypeError), ""),
    "none": (None, None, (ValueError, TypeError), ""),
    "fewer ids": (np.zeros((3, 4)), [7, 8], ValueError, ""),
    "more ids": (np.zeros((3, 4)), [7, 8, 9, 10], ValueError, ""),
    "negative id": (np.zeros((3, 4)), [7, 8, -9], (ValueError, IndexError), ""),
    "id over int32": (np.zeros((3, 4)), [7, 8, 2**31], (ValueError, OverflowError), ""),
    "fractional id": (np.zeros((3, 4)), [7, 8, 9.5], (ValueError, TypeError), ""),
    "textual id": (np.zeros((3, 4)), ["7", "8", "9"], (ValueError, TypeError), ""),
    "ids of two dimensions": (np.zeros((3, 4)), [[7], [8], [9]], (ValueError, TypeError), ""),
    "nan in the last row": (np.array([[1, 1, 1, 1], [1, 1, np.nan, 1]]), None, ValueError, ""),
    "inf in the last row": (np.array([[1, 1, 1, 1], [1, 1, -np.inf, 1]], np.float32), [0, 1], ValueError, ""),
    "beyond float32": ([[1, 1, 1, 1], [1, 1, 1, 1e300]], [9, 8], ValueError, ""),
}


@pytest.mark.parametrize(("matrix", "ids", "kind", "text"), BAD_ADDITIONS.values(), ids=BAD_ADDITIONS.keys())
@pytest.mark.parametrize("state", ["growing", "built", "loaded"])
def test_add_items_takes_all_or_nothing(state, matrix, ids, kind, text, tmp_path):
    rows = make_data("euclidean", 50, 4)
    index = fill(AnnoyIndex(4, "euclidean"), rows)
    if state != "growing":
        index.build(3)
    if state == "loaded":
        index.save(tmp_path / "x.ann")
        index = load_index("euclidean", 4, tmp_path / "x.ann")
    before = index.get_nns_by_vector(rows[0], 50, EXHAUSTIVE, True)
    with pytest.raises(kind, match=re.escape(text) or None):
        index.add_items(matrix, ids)
    assert (index.get_n_items(), len(index)) == (50, 50)
    np.testing.assert_array_equal([index.get_item_vector(i) for i in range(50)], rows)
    assert index.get_nns_by_vector(rows[0], 50, EXHAUSTIVE, True) == before


# --- queries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "search_k"), [(1, -1), (10, -1), (10, 50), (10, 1), (40, 7), (10, 0), (0, -1), (10, EXHAUSTIVE), (-1, -1)]
)
@pytest.mark.parametrize("n_jobs", [-1, 1, 3])
def test_batches_equal_loops(metric, data, built, n, search_k, n_jobs):
    width = 600 if n < 0 else min(n, 600)
    queries = make_data(metric, 70, data.shape[1], seed=2)
    ids, reported = looped(built.get_nns_by_vector, queries, n, search_k, width)
    got = built.get_nns_by_vectors(queries, n, search_k, include_distances=True, n_jobs=n_jobs)
    np.testing.assert_array_equal(got[0], ids)
    np.testing.assert_array_equal(got[1], reported)
    np.testing.assert_array_equal(built.get_nns_by_vectors(queries, n, search_k, n_jobs=n_jobs), ids)
    items = np.random.default_rng(0).integers(0, 600, 70)
    ids, reported = looped(built.get_nns_by_item, items.tolist(), n, search_k, width)
    got = built.get_nns_by_items(items, n, search_k, include_distances=True, n_jobs=n_jobs)
    np.testing.assert_array_equal(got[0], ids)
    np.testing.assert_array_equal(got[1], reported)
    np.testing.assert_array_equal(built.get_nns_by_items(items, n, search_k, n_jobs=n_jobs), ids)


def test_shapes_and_types(metric, data, built):
    for queries, call in ((data[:7], built.get_nns_by_vectors), (range(7), built.get_nns_by_items)):
        ids = call(queries, 5)
        assert type(ids) is np.ndarray and (ids.dtype, ids.shape) == (np.int64, (7, 5))
        both = call(queries, 5, include_distances=True)
        assert type(both) is tuple and len(both) == 2
        assert (both[0].dtype, both[0].shape) == (np.int64, (7, 5))
        assert (both[1].dtype, both[1].shape) == (np.float32, (7, 5))
        assert call(queries, 1000).shape == (7, 600)
        assert call(queries, -1).shape == (7, 600)
        assert call(queries, 0).shape == (7, 0)
        assert call(queries[:0], 5).shape == (0, 5)
        assert call(queries[:0], 5, include_distances=True)[1].shape == (0, 5)
        assert both[0].flags.writeable and both[0].flags.c_contiguous


def test_arguments_by_position_and_by_name(metric, data, built):
    want = built.get_nns_by_vectors(data[:5], 4, 90, True, 1)
    got = built.get_nns_by_vectors(matrix=data[:5], n=4, search_k=90, include_distances=True, n_jobs=1)
    np.testing.assert_array_equal(got, want)
    want = built.get_nns_by_items([1, 2], 4, 90, True, 1)
    got = built.get_nns_by_items(items=[1, 2], n=4, search_k=90, include_distances=True, n_jobs=1)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(built.get_nns_by_items([1, 2], 4, None), built.get_nns_by_items([1, 2], 4))


def test_short_rows_are_padded():
    index = build_index("euclidean", np.arange(50, dtype=np.float32)[:, None], 2)
    ids, reported = index.get_nns_by_vectors([[0.0], [20.0]], 40, 1, include_distances=True)
    for row, far in zip(ids, reported):
        found = int((row >= 0).sum())
        assert 0 < found < 40
        assert (row[found:] == -1).all() and (row[:found] >= 0).all()
        assert np.isnan(far[found:]).all() and np.isfinite(far[:found]).all()


@metrics()
def test_unbuilt_and_empty_indices_give_padding_only(metric):
    index = AnnoyIndex(5, metric)
    assert index.get_nns_by_vectors(np.ones((3, 5)), 4).shape == (3, 0)
    fill(index, make_data(metric, 20, 5))
    ids, reported = index.get_nns_by_vectors(np.ones((3, 5)), 4, include_distances=True)
    assert ids.tolist() == [[-1] * 4] * 3 and np.isnan(reported).all()
    assert index.get_nns_by_items([1, 2], 4).tolist() == [[-1] * 4] * 2


@metrics()
def test_holes_in_batches(metric, tmp_path):
    data = make_data(metric, 60, 8)
    index = build_index(metric, data, 3, ids=range(40, 160, 2))
    assert index.get_nns_by_vectors(data, 500).shape == (60, 159)
    ids = index.get_nns_by_vectors(data, 500, EXHAUSTIVE)
    assert all(sorted(row[:60].tolist()) == list(range(40, 160, 2)) for row in ids)
    assert (ids[:, 60:] == -1).all()
    np.testing.assert_array_equal(index.get_nns_by_items([41, 0], 9)[0], index.get_nns_by_items([0], 9)[0])


@matrix_kinds
def test_queries_of_any_matrix(kind):
    index = build_index("euclidean", integral("euclidean", 200, 6), 3)
    rows = integral("euclidean", 20, 6, seed=1)
    want = index.get_nns_by_vectors(rows, 5, include_distances=True)
    got = index.get_nns_by_vectors(kind(rows), 5, include_distances=True)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "items",
    [[3, 1, 3], (3, 1, 3), np.array([3, 1, 3], np.uint8), np.array([3, 9, 1, 9, 3])[::2], np.array([3, 1, 3], ">i2")],
)
def test_items_of_any_sequence(items):
    index = build_index("dot", make_data("dot", 100, 6), 3)
    want = [index.get_nns_by_item(i, 5) for i in (3, 1, 3)]
    assert index.get_nns_by_items(items, 5).tolist() == want


BAD_QUERIES = {
    "too wide": (np.zeros((3, 5)), IndexError, "Vector has wrong length (expected 4, got 5)"),
    "one dimension": (np.zeros(4), ValueError, ""),
    "three dimensions": (np.zeros((1, 1, 4)), ValueError, ""),
    "nan": ([[1, 2, 3, 4], [1, 2, np.nan, 4]], ValueError, ""),
    "beyond float32": ([[1, 2, 3, 4], [1, 2, 1e300, 4]], ValueError, ""),
    "strings": ([["a", "b", "c", "d"]], (ValueError, TypeError), ""),
}


@pytest.mark.parametrize(("matrix", "kind", "text"), BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_bad_queries(matrix, kind, text):
    index = build_index("dot", make_data("dot", 100, 4), 3)
    with pytest.raises(kind, match=re.escape(text) or None):
        index.get_nns_by_vectors(matrix, 3)


@pytest.mark.parametrize(
    ("items", "kind", "text"),
    [
        ([1, 100], IndexError, "Item index larger than the largest item index"),
        ([1, -1], IndexError, "Item index can not be negative"),
        ([1.5], (TypeError, ValueError), ""),
        (["1"], (TypeError, ValueError), ""),
        ([[1], [2]], (TypeError, ValueError), ""),
        (None, (TypeError, ValueError), ""),
    ],
)
def test_bad_items(items, kind, text):
    index = build_index("dot", make_data("dot", 100, 4), 3)
    with pytest.raises(kind, match=re.escape(text) or None):
        index.get_nns_by_items(items, 3)


@pytest.mark.parametrize("n_jobs", [0, -2, -100])
def test_bad_n_jobs(n_jobs):
    index = build_index("dot", make_data("dot", 100, 4), 3)
    with pytest.raises(ValueError):
        index.get_nns_by_vectors(np.ones((2, 4)), 3, n_jobs=n_jobs)
    with pytest.raises(ValueError):
        index.get_nns_by_items([1, 2], 3, n_jobs=n_jobs)


# --- within a radius ------------------------------------------------------------------------------------------------


def assert_within(metric, index, query, radius, data, ids):
    """The items by brute force in float64; items whose distance is the radius but for rounding may be in or out."""
    got, reported = index.get_nns_within(query, radius, include_distances=True)
    assert index.get_nns_within(query, radius) == got
    keys = sort_keys(metric, distances(metric, query, data))
    limit = -radius if metric == "dot" else radius
    slack = 1e-4 * max(1.0, abs(limit)) if np.isfinite(limit) else 0.0
    sure = {i for i, key in zip(ids, keys) if key <= limit - slack}
    possible = {i for i, key in zip(ids, keys) if key <= limit + slack}
    assert sure <= set(got) <= possible
    assert len(set(got)) == len(got)
    assert all(d >= radius if metric == "dot" else d <= radius for d in reported)
    assert sort_keys(metric, reported).tolist() == sorted(sort_keys(metric, reported).tolist())
    want = dict(zip(ids, distances(metric, query, data)))
    assert close(reported, [want[i] for i in got], slack=2e-3 if metric == "angular" else 1e-4)


@pytest.mark.parametrize("state", ["built", "loaded", "changed"])
def test_within_against_brute_force(metric, data, tmp_path, state):
    index = build_index(metric, data)
    ids = list(range(600))
    if state != "built":
        index.save(tmp_path / "x.ann")
        index = load_index(metric, data.shape[1], tmp_path / "x.ann")
    if state == "changed":
        more = make_data(metric, 100, data.shape[1], seed=4)
        index.add_items(more)
        index.delete_items(range(0, 600, 5))
        ids = [i for i in range(700) if i >= 600 or i % 5]
        data = np.concatenate([data, more])[ids]
    for query in make_data(metric, 8, data.shape[1], seed=3):
        keys = np.sort(distances(metric, query, data))
        for share in (0.0, 0.01, 0.1, 0.5, 0.99, 1.0):
            assert_within(metric, index, query, float(keys[int(share * (len(keys) - 1))]), data, ids)
        assert_within(metric, index, query, float(keys[0]) - 1, data, ids)
        assert_within(metric, index, query, float(keys[-1]) + 1, data, ids)
        assert_within(metric, index, query, float("inf"), data, ids)
        assert_within(metric, index, query, float("-inf"), data, ids)


def test_radius_itself_is_inside(metric, data, built):
    query = data[5]
    ids, reported = built.get_nns_by_vector(query, 600, EXHAUSTIVE, True)
    for rank in (0, 1, 10, 300, 599):
        got = built.get_nns_within(query, reported[rank])
        assert got == ids[: len(got)]
        assert len(got) == max(k for k in range(600) if reported[k] == reported[rank]) + 1


def test_within_is_sorted_with_ties_by_smaller_id():
    data = np.array([[x, y] for x in range(-4, 5) for y in range(-4, 5)], dtype=np.float32)
    for metric in ("euclidean", "manhattan", "dot"):
        index = build_index(metric, data, 3)
        for query in ([0, 0], [1, 2]):
            assert index.get_nns_within(query, -100 if metric == "dot" else 100) == index.get_nns_by_vector(query, -1)


def test_within_types():
    index = build_index("euclidean", make_data("euclidean", 50, 3), 3)
    ids = index.get_nns_within([0, 0, 0], 1)
    assert type(ids) is list and ids and all(type(i) is int for i in ids)
    ids, reported = index.get_nns_within(vector=(0, 0, 0), radius=np.float32(1.0), include_distances=True)
    assert type(reported) is list and all(type(d) is float for d in reported)
    assert index.get_nns_within(np.zeros(3), 0.0) == []
    assert index.get_nns_within(np.zeros(3), -5, True) == ([], [])


def test_within_of_an_empty_index(metric):
    assert AnnoyIndex(3, metric).get_nns_within([1, 1, 1], 10) == []
    assert AnnoyIndex(3, metric).get_nns_within([1, 1, 1], 10, include_distances=True) == ([], [])


def test_bad_within_arguments():
    index = build_index("euclidean", make_data("euclidean", 50, 3), 3)
    with pytest.raises(IndexError, match=re.escape("Vector has wrong length (expected 3, got 2)")):
        index.get_nns_within([0, 0], 1)
    with pytest.raises(ValueError):
        index.get_nns_within([0, float("nan"), 0], 1)
    for radius in ("1", None, [1]):
        with pytest.raises(TypeError):
            index.get_nns_within([0, 0, 0], radius)
