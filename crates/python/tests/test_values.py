"""Values that are refused or tamed: NaN and infinity, tree and job counts, huge ids and sizes, calls after unload."""

import re

import numpy as np
import pytest

from support import (
    EXHAUSTIVE,
    INT_MAX,
    AnnoyIndex,
    build_index,
    child_output,
    fill,
    load_index,
    make_data,
    metrics,
)

pytestmark = pytest.mark.beyond

NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "1e300": 1e300, "-1e39": -1e39}
not_finite = pytest.mark.parametrize("value", NOT_FINITE.values(), ids=NOT_FINITE.keys())


def names(*numbers):
    """Expects a ValueError whose text has each of the numbers as a word."""
    return pytest.raises(ValueError, match="".join(rf"(?=.*\b{number}\b)" for number in numbers))


def spoilt(metric, value, n=1, row=0, column=17, f=20):
    matrix = make_data(metric, n, f).astype(np.float64)
    matrix[row, column] = value
    return matrix


# --- NaN and infinity -----------------------------------------------------------------------------------------------


@metrics()
@not_finite
@pytest.mark.parametrize("state", ["growing", "built", "loaded"])
def test_add_item_refuses_and_names_item_and_column(metric, value, state, tmp_path):
    data = make_data(metric, 60, 20)
    index = fill(AnnoyIndex(20, metric), data)
    if state != "growing":
        index.build(3)
    if state == "loaded":
        index.save(tmp_path / "x.ann")
        index = load_index(metric, 20, tmp_path / "x.ann")
    before = index.get_nns_by_vector(data[0], 60, EXHAUSTIVE, True)
    vector = spoilt(metric, value)[0]
    for kind in (list, tuple, np.asarray):
        for item in (43, 4321):
            with names(item, 17):
                index.add_item(item, kind(vector))
    assert (index.get_n_items(), len(index)) == (60, 60)
    np.testing.assert_array_equal(index.get_item_vector(43), data[43])
    assert index.get_nns_by_vector(data[0], 60, EXHAUSTIVE, True) == before


@metrics()
@not_finite
def test_add_items_names_the_item_not_the_row(metric, value):
    index = fill(AnnoyIndex(20, metric), make_data(metric, 1000, 20))
    with names(1041, 17):
        index.add_items(spoilt(metric, value, n=50, row=41))
    with names(7777, 17):
        index.add_items(spoilt(metric, value, n=3, row=2), [5, 6, 7777])
    if np.isnan(value) or np.isinf(value):
        with names(1041, 17):
            index.add_items(spoilt(metric, value, n=50, row=41).astype(np.float32))
    assert (index.get_n_items(), len(index)) == (1000, 1000)


def test_the_first_bad_value_is_named():
    matrix = make_data("dot", 50, 20)
    matrix[[30, 12, 12, 49], [0, 18, 13, 5]] = np.nan
    with names(12, 13):
        AnnoyIndex(20, "dot").add_items(matrix)


@metrics()
@not_finite
def test_queries_refuse(metric, value):
    index = build_index(metric, make_data(metric, 100, 20), 3)
    with names(17):
        index.get_nns_by_vector(spoilt(metric, value)[0], 5)
    with names(17):
        index.get_nns_by_vector(spoilt(metric, value)[0].tolist(), 5, include_distances=True)
    with names(17):
        index.get_nns_within(spoilt(metric, value)[0], 1.0)
    with names(41, 17):
        index.get_nns_by_vectors(spoilt(metric, value, n=50, row=41), 5)


def test_largest_float32_is_finite():
    index = AnnoyIndex(2, "manhattan")
    largest = float(np.finfo(np.float32).max)
    index.add_item(0, [largest, -largest])
    assert index.get_item_vector(0) == [largest, -largest]
    index.add_item(1, [1e-46, -1e-300])
    assert index.get_item_vector(1) == [0.0, 0.0]


@metrics("angular", "euclidean", "manhattan", "dot")
def test_allow_nonfinite_takes_them(metric, tmp_path):
    data = make_data(metric, 300, 20)
    data[::7, 3] = np.nan
    data[::11, 5] = np.inf
    index = AnnoyIndex(20, metric, allow_nonfinite=True)
    index.add_items(data[:200])
    fill(index, data[200:], range(200, 300))
    assert index.get_n_items() == 300
    assert np.isnan(index.get_item_vector(7)[3])
    assert index.get_item_vector(11)[5] == float("inf")
    index.add_item(300, [1e300] + [0] * 19)
    assert index.get_item_vector(300)[0] == float("inf")
    index.build(4)
    index.save(tmp_path / "x.ann")
    index.load(tmp_path / "x.ann")
    for query in (data[1], data[7], data[11], np.full(20, np.nan)):
        for search_k in (-1, 50, EXHAUSTIVE):
            ids = index.get_nns_by_vector(query, 10, search_k)
            assert len(set(ids)) == len(ids) and all(0 <= i <= 300 for i in ids)
    assert index.get_nns_by_vectors(data[:9], 5).shape == (9, 5)
    assert index.get_nns_by_item(7, 3, EXHAUSTIVE)


def test_allow_nonfinite_hamming_compares_with_a_half():
    index = AnnoyIndex(4, "hamming", allow_nonfinite=True)
    index.add_item(0, [float("nan"), float("inf"), float("-inf"), 1])
    assert index.get_item_vector(0) == [0, 1, 0, 1]


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_trees", [0, -2, -5, -(2**31)])
def test_bad_n_trees(metric, data, n_trees):
    index = fill(AnnoyIndex(data.shape[1], metric), data)
    with pytest.raises(ValueError, match="n_trees"):
        index.build(n_trees)
    assert index.get_n_trees() == 0
    with pytest.raises(OSError, match="hasn't been built"):
        index.save("x.ann")
    index.build(2)
    assert sorted(index.get_nns_by_item(0, 600, EXHAUSTIVE)) == list(range(600))


@pytest.mark.parametrize("n_jobs", [0, -2, -100, -(2**31)])
def test_bad_n_jobs(metric, data, n_jobs):
    index = fill(AnnoyIndex(data.shape[1], metric), data)
    with pytest.raises(ValueError, match="n_jobs"):
        index.build(2, n_jobs)
    with pytest.raises(ValueError, match="n_jobs"):
        index.build(2, n_jobs=n_jobs)
    assert index.get_n_trees() == 0
    index.build(2, n_jobs=100_000)
    assert index.get_n_trees() == 2


def test_automatic_trees_of_an_empty_index(metric, tmp_path):
    index = AnnoyIndex(4, metric)
    assert index.build(-1) is True
    assert index.get_nns_by_vector([1] * 4, 3) == []


def test_many_trees_over_few_items(metric, tmp_path):
    index = build_index(metric, make_data(metric, 3, 10), 2000)
    assert index.get_n_trees() == 2000
    assert sorted(index.get_nns_by_item(0, 3)) == [0, 1, 2]
    index.save(tmp_path / "x.ann")
    assert load_index(metric, 10, tmp_path / "x.ann").get_n_trees() == 2000


# --- membership -----------------------------------------------------------------------------------------------------


@metrics()
def test_len_and_in(metric, tmp_path):
    index = AnnoyIndex(4, metric)
    assert len(index) == 0 and 0 not in index
    data = make_data(metric, 3, 4)
    fill(index, data, [2, 5, 9])
    for step in range(3):
        assert len(index) == 3
        assert [i for i in range(12) if i in index] == [2, 5, 9]
        assert -1 not in index and INT_MAX not in index
        assert np.int64(5) in index and np.int32(4) not in index
        assert bool(index) is True
        if step == 0:
            index.build(2)
        elif step == 1:
            index.save(tmp_path / "x.ann")
            index = load_index(metric, 4, tmp_path / "x.ann")


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_very_wide_vectors(metric, tmp_path):
    f = 30_000
    data = make_data(metric, 12, f)
    index = build_index(metric, data, 2)
    np.testing.assert_array_equal(index.get_item_vector(7), data[7])
    assert sorted(index.get_nns_by_vector(data[3], 12)) == list(range(12))
    index.save(tmp_path / "x.ann")
    assert load_index(metric, f, tmp_path / "x.ann").get_nns_by_item(3, 12) == index.get_nns_by_item(3, 12)


def test_vectors_of_no_width(metric, tmp_path):
    code = """
    index = AnnoyIndex(0, sys.argv[1])
    for i in range(40):
        index.add_item(i, [])
    assert index.get_item_vector(3) == []
    index.build(2)
    ids = index.get_nns_by_vector([], 5, EXHAUSTIVE)
    assert len(set(ids)) == len(ids) and all(0 <= i < 40 for i in ids)
    index.save(sys.argv[2])
    assert load_index(sys.argv[1], 0, sys.argv[2]).get_n_items() == 40
    print("done")
    """
    assert child_output(code, metric, tmp_path / "x.ann") == "done\n"


def test_ids_near_the_end_of_int32_end_in_an_answer_or_an_exception(metric):
    code = """
    limit_memory(6)
    index = AnnoyIndex(3, sys.argv[1])
    index.add_item(0, [1, 0, 1])
    for item in (INT_MAX, INT_MAX - 1):
        try:
            index.add_item(item, [1, 1, 0])
            assert index.get_item_vector(item) == [1, 1, 0]
            index.delete_item(item)
        except (MemoryError, OverflowError, ValueError, OSError) as error:
            assert index.get_n_items() == 1, error
    index.build(2)
    assert index.get_nns_by_item(0, 5) == [0]
    print("done")
    """
    assert child_output(code, metric) == "done\n"


def test_vectors_too_wide_for_memory_end_in_an_exception(metric):
    code = """
    limit_memory(6)

    class Wide:
        def __len__(self):
            return INT_MAX

        def __getitem__(self, index):
            if index > 1000:
                raise ZeroDivisionError
            return 1.0

    index = AnnoyIndex(INT_MAX, sys.argv[1])
    for vector, kind in (([1, 2], IndexError), (Wide(), (ZeroDivisionError, MemoryError))):
        for call in (lambda: index.add_item(0, vector), lambda: index.get_nns_by_vector(vector, 3)):
            try:
                call()
            except kind:
                pass
            else:
                raise AssertionError
    assert index.get_n_items() == 0
    print("done")
    """
    assert child_output(code, metric) == "done\n"


# --- the order of calls ---------------------------------------------------------------------------------------------


def test_add_after_unload(metric, data, saved_file):
    index = load_index(metric, data.shape[1], saved_file)
    index.unload()
    index.add_item(0, data[3])
    index.add_items(data[:10])
    assert (index.get_n_items(), len(index)) == (11, 11)
    np.testing.assert_array_equal(index.get_item_vector(0), data[3])
    index.build(3)
    assert sorted(index.get_nns_by_item(0, 20)) == list(range(11))


def test_everything_else_after_unload(metric, data, saved_file, tmp_path):
    index = load_index(metric, data.shape[1], saved_file)
    index.unload()
    assert (len(index), index.get_n_items(), index.get_n_trees(), index.f) == (0, 0, 0, data.shape[1])
    with pytest.raises(KeyError):
        index.delete_item(0)
    with pytest.raises(OSError, match=re.escape("You can't save an index that hasn't been built")):
        index.save(tmp_path / "y.ann")
    assert index.unbuild() is True
    assert index.get_nns_by_vectors(data[:2], 5).shape == (2, 0)
    assert 0 not in index


def test_on_disk_build_after_unload(metric, data, saved_file, tmp_path):
    index = load_index(metric, data.shape[1], saved_file)
    index.unload()
    index.on_disk_build(tmp_path / "disk.ann")
    index.add_items(data[:50])
    index.build(2)
    assert load_index(metric, data.shape[1], tmp_path / "disk.ann").get_n_items() == 50
