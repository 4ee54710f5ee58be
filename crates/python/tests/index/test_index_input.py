"""What is taken for vectors, ids and arguments; what is refused, by which exception, and that nothing changes then."""

import array

import numpy as np
import pytest

import linjin
from index_support import METRICS, contents, filled, make_vectors

DIM = 6


@pytest.fixture
def index():
    return filled("euclidean", make_vectors("euclidean", 20, DIM))


# --- construction ---------------------------------------------------------------------------------------------------


def test_construction():
    assert linjin.Index(3).metric == "cosine"
    index = linjin.Index(dim=7, metric="dot")
    assert (index.dim, index.metric, len(index), bool(index)) == (7, "dot", 0, True)
    assert index.ids.dtype == np.uint64
    assert index.ids.shape == (0,)
    assert linjin.Index(np.int64(5)).dim == 5


@pytest.mark.parametrize("dim", [0, -1, 65_536, -(2**40)])
def test_impossible_dimensions(dim):
    with pytest.raises(ValueError, match=str(dim)):
        linjin.Index(dim)


@pytest.mark.parametrize("dim", ["3", 3.0, None])
def test_dimensions_that_are_no_integers(dim):
    with pytest.raises(TypeError):
        linjin.Index(dim)


def test_unknown_metric_names_the_known_ones():
    with pytest.raises(ValueError, match=r"angular.*cosine, euclidean, sqeuclidean, dot, manhattan and hamming"):
        linjin.Index(3, "angular")


# --- vectors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(np.float16),
        lambda x: x.astype(np.longdouble),
        lambda x: x.astype(np.int8),
        lambda x: x.astype(np.int64),
        lambda x: x.astype(object),
        lambda x: x.astype(">f4"),
        lambda x: np.asfortranarray(x, dtype=np.float32),
        lambda x: np.repeat(x, 2, axis=1)[:, ::2].astype(np.float64)[:, :],
        lambda x: np.repeat(x.astype(np.float32), 2, axis=0)[::2],
        lambda x: x.astype(np.float32)[::-1][::-1],
        lambda x: x.tolist(),
        lambda x: [tuple(row) for row in x.tolist()],
        lambda x: [array.array("f", row) for row in x.tolist()],
        lambda x: memoryview(np.ascontiguousarray(x, dtype=np.float32)),
        lambda x: np.ascontiguousarray(x, dtype=np.float32).view(np.matrix),
    ],
)
def test_everything_that_numpy_makes_a_matrix_of(convert):
    whole = np.random.default_rng(0).integers(-9, 9, (12, DIM))
    index = linjin.Index(DIM, "euclidean")
    assert index.add(convert(whole)).tolist() == list(range(12))
    got = index.get(range(12))
    assert got.dtype == np.float32
    assert np.array_equal(got, whole)
    hits = index.search(convert(whole), k=1, exact=True)
    assert hits.distances[:, 0].tolist() == [0] * 12


def test_read_only_and_mapped_arrays(tmp_path):
    vectors = make_vectors("euclidean", 30, DIM)
    np.save(tmp_path / "x.npy", vectors)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    index = linjin.Index(DIM, "euclidean")
    index.add(mapped)
    assert index.search(mapped[4], k=1).ids.tolist() == [4]
    assert np.array_equal(index.get(index.ids), vectors)


def test_vectors_are_copied():
    vectors = make_vectors("euclidean", 5, DIM)
    index = filled("euclidean", vectors)
    before = vectors.copy()
    vectors[:] = 7
    index.get(0)[:] = 7
    assert np.array_equal(index.get(range(5)), before)


def test_one_vector():
    index = linjin.Index(3, "euclidean")
    assert index.add([1, 2, 3]).tolist() == [0]
    assert index.add(np.ones(3), ids=7).tolist() == [7]
    assert index.add(np.zeros((1, 3)), ids=9).tolist() == [9]
    assert index.add([4, 5, 6], ids=[8]).tolist() == [8]
    assert index.add([4, 5, 6]).tolist() == [10]
    assert index.get(0).tolist() == [1, 2, 3]
    assert index.get(7).shape == (3,)
    assert index.get([7]).shape == (1, 3)


@pytest.mark.parametrize("nothing", [[], np.empty((0, DIM)), np.empty((0, DIM), np.float32), np.empty(0)])
def test_no_vectors(index, nothing):
    before = contents(index)
    ids = index.add(nothing)
    assert (ids.dtype, ids.shape) == (np.uint64, (0,))
    assert index.add(nothing, ids=[]).shape == (0,)
    index.update([], nothing)
    index.remove([])
    assert contents(index) == before
    hits = index.search(nothing, k=3)
    assert (hits.ids.shape, hits.distances.shape, hits.counts.shape) == ((0, 3), (0, 3), (0,))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(DIM - 1, np.float32),
        np.zeros(2 * DIM, np.float32),
        np.zeros((3, DIM + 1)),
        np.zeros((DIM, 3)),
        np.zeros((2, 2, DIM)),
        np.float32(3),
        [[1.0] * DIM, [1.0] * (DIM - 1)],
    ],
)
def test_wrong_shapes(index, wrong):
    before = contents(index)
    for call in (index.add, index.search, index.optimize, lambda x: index.update(0, x)):
        with pytest.raises(ValueError):
            call(wrong)
    assert contents(index) == before


def test_a_wrong_shape_is_named(index):
    with pytest.raises(ValueError, match=r"\(6,\) or \(n, 6\), got one of shape \(2, 5\)"):
        index.add(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"shape \(5,\)"):
        index.search(np.zeros(5, np.float32))


@pytest.mark.parametrize("wrong", [["a"] * DIM, [None] * DIM, "vector", [1j] * DIM, np.zeros(DIM, "M8[s]"), object()])
def test_no_numbers(index, wrong):
    before = contents(index)
    for call in (index.add, index.search):
        with pytest.raises((TypeError, ValueError)):
            call(wrong)
    assert contents(index) == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64, object])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(index, dtype, value):
    vectors = np.ones((4, DIM), dtype)
    vectors[2, 5] = value
    before = contents(index)
    for call in (index.add, index.search, lambda x: index.update([1, 2, 3, 4], x)):
        with pytest.raises(ValueError, match=r"(row|query) 2.*column 5"):
            call(vectors)
    for query in (vectors[2], vectors[2].tolist()):
        with pytest.raises(ValueError, match="column 5"):
            index.search(query)
    assert contents(index) == before


def test_numbers_beyond_float32_are_not_finite(index):
    with pytest.raises(ValueError, match="column 0"):
        index.add([1e300] + [0.0] * (DIM - 1))


@pytest.mark.parametrize("wrong", [np.zeros(9, np.int64), np.zeros(9, np.float32), [0] * 9, ["a"] * 9])
def test_hamming_takes_bool_and_packed_bits_only(wrong):
    index = linjin.Index(9, "hamming")
    with pytest.raises(TypeError, match="bool, or bits packed into uint8"):
        index.add(wrong)
    with pytest.raises(TypeError):
        index.search(wrong)


@pytest.mark.parametrize(
    "wrong", [np.zeros(9, np.uint8), np.zeros((2, 1), np.uint8), np.zeros(2, bool), np.zeros((2, 8), bool)]
)
def test_hamming_shapes(wrong):
    with pytest.raises(ValueError, match=r"\(9,\) or \(n, 9\).*\(2,\) or \(n, 2\)"):
        linjin.Index(9, "hamming").add(wrong)


def test_hamming_takes_lists_of_bool():
    index = linjin.Index(3, "hamming")
    index.add([[True, False, True], [False, False, False]])
    assert index.search([True, False, False], k=2).distances.tolist() == pytest.approx([1 / 3, 1 / 3])
    assert index.get(0).tolist() == [0b101]


# --- ids ------------------------------------------------------------------------------------------------------------


class Bitmap(set):
    def to_array(self):
        return array.array("L", sorted(self))


@pytest.mark.parametrize(
    "ids",
    [
        [5, 6, 7],
        (5, 6, 7),
        range(5, 8),
        {5: "a", 6: "b", 7: "c"},
        Bitmap([5, 6, 7]),
        iter([5, 6, 7]),
        array.array("B", [5, 6, 7]),
        [np.int8(5), np.uint64(6), 7],
        np.array([5, 6, 7], object),
        np.array([5, 0, 6, 0, 7], np.int16)[::2],
        np.array([5, 6, 7], ">u4"),
        *(np.array([5, 6, 7], kind) for kind in "bBhHiIlLqQ"),
    ],
)
def test_everything_that_holds_ids(ids):
    index = linjin.Index(2, "euclidean")
    got = index.add([[0, 0], [1, 1], [2, 2]], ids=ids)
    assert got.dtype == np.uint64
    assert index.ids.tolist() == got.tolist() == [5, 6, 7]


@pytest.mark.parametrize("id", [5, np.int64(5), np.uint8(5), np.array(5), True + 4])
def test_one_id(id):
    index = linjin.Index(2, "euclidean")
    index.add([3, 4], ids=id)
    assert id in index
    assert index.get(id).tolist() == [3, 4]
    index.update(id, [5, 6])
    assert index.get(id).tolist() == [5, 6]
    index.remove(id)
    assert len(index) == 0


def test_large_ids():
    index = linjin.Index(1, "euclidean")
    large = [2**63 - 1, 2**63, 2**64 - 2]
    assert index.add([[0], [1], [2]], ids=large).tolist() == large
    assert index.search([2], k=1).ids.tolist() == [2**64 - 2]
    assert index.get(np.array(large, np.uint64)).tolist() == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ([1, 2, 3, -4], ValueError),
        (np.array([1, 2, 3, -4]), ValueError),
        ([1, 2, 3, 2**64], ValueError),
        ([1, 2, 3, 2**64 - 1], ValueError),
        (np.array([1, 2, 3, 2**64], object), ValueError),
        ([100, 101, 102], ValueError),
        (100, ValueError),
        ([[100, 101], [102, 103]], TypeError),
        (np.array([[100, 101], [102, 103]]), ValueError),
        (np.array([100.0, 101.0, 102.0, 103.0]), TypeError),
        ([100.0, 101, 102, 103], TypeError),
        (["a", "b", "c", "d"], TypeError),
        ("abcd", TypeError),
        ([True, False, True, False], TypeError),
        (np.array([True, False, True, False]), TypeError),
        (3.5, TypeError),
        (object(), TypeError),
        ([100, 101, 102, 100], ValueError),
        ([100, 101, 102, 3], ValueError),
    ],
)
def test_wrong_ids_for_four_vectors(index, ids, error):
    before = contents(index)
    with pytest.raises(error):
        index.add(np.ones((4, DIM)), ids=ids)
    assert contents(index) == before


def test_an_id_in_use_is_named(index):
    with pytest.raises(ValueError, match=r"row 1: the id 3 is in use"):
        index.add(np.ones((2, DIM)), ids=[50, 3])


# --- arguments of a search ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"k": -1}, ValueError),
        ({"k": 2.0}, TypeError),
        ({"k": "3"}, TypeError),
        ({"ef": 0}, ValueError),
        ({"ef": -5}, ValueError),
        ({"recall": 0}, ValueError),
        ({"recall": -0.5}, ValueError),
        ({"recall": 1.01}, ValueError),
        ({"recall": float("nan")}, ValueError),
        ({"recall": "high"}, TypeError),
        ({"threads": 0}, ValueError),
        ({"threads": -1}, ValueError),
        ({"recall": 0.9, "ef": 10}, ValueError),
        ({"recall": 0.9, "exact": True}, ValueError),
        ({"ef": 10, "exact": True}, ValueError),
        ({"exact": "yes"}, TypeError),
        ({"n": 3}, TypeError),
    ],
)
def test_wrong_arguments(index, arguments, error):
    for query in (np.ones(DIM, np.float32), np.ones((2, DIM))):
        with pytest.raises(error):
            index.search(query, **arguments)


def test_arguments_may_be_none_and_numpys(index):
    query = np.ones(DIM, np.float32)
    want = index.search(query, 3).ids.tolist()
    got = index.search(query, np.int32(3), recall=None, ef=None, filter=None, exclude=None, threads=None)
    assert got.ids.tolist() == want
    assert index.search(query, 3, recall=np.float32(0.99)).ids.tolist() == want
    assert index.search(query, 3, ef=np.uint8(30)).ids.tolist() == want
    assert index.search(query, 3, exact=np.True_).ids.tolist() == want
    assert len(index.search(query).ids) == 10


@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_wrong_threads(index, threads):
    before = contents(index)
    with pytest.raises((TypeError, ValueError)):
        index.add(np.ones(DIM), threads=threads)
    assert contents(index) == before


def test_threads_do_not_change_answers(metric):
    vectors, queries = make_vectors(metric, 700, 20), make_vectors(metric, 40, 20, seed=1)
    index = linjin.Index(20, metric)
    index.add(vectors, threads=3)
    one, many = (index.search(queries, 12, exact=True, threads=threads) for threads in (1, 4))
    assert np.array_equal(one.ids, many.ids)
    assert np.array_equal(one.distances, many.distances)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("k", [0, 1, 2, 5, 2**40])
def test_few_vectors(metric, n, k):
    vectors = make_vectors(metric, n, 10)
    index = filled(metric, vectors)
    query = make_vectors(metric, 1, 10, seed=1)[0]
    for effort in ({}, {"exact": True}, {"ef": 3}, {"ef": 2**40}, {"recall": 1.0}):
        hits = index.search(query, k, **effort)
        assert hits.ids.shape == hits.distances.shape == (min(n, k),)
