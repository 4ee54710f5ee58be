"""Life cycle: what an index is while it grows, built, saved and unloaded; holes."""

import numpy as np
import pytest

from support import (
    AnnoyIndex,
    answers,
    build_index,
    fill,
    load_index,
    make_data,
    metrics,
    raises_exactly,
)

beyond = pytest.mark.beyond


# --- growing --------------------------------------------------------------------------------------------------------


def test_empty_index(metric):
    index = AnnoyIndex(5, metric)
    assert (index.get_n_items(), index.get_n_trees()) == (0, 0)
    assert index.get_nns_by_vector([1] * 5, 3) == []
    assert index.get_nns_by_vector([1] * 5, 3, include_distances=True) == ([], [])
    index.build(10)
    assert (index.get_n_items(), index.get_n_trees()) == (0, 10)
    assert index.get_nns_by_vector([1] * 5, 3) == []


def test_empty_index_saves_and_loads(metric, tmp_path):
    index = AnnoyIndex(5, metric)
    index.build(10)
    assert index.save(str(tmp_path / "x.ann")) is True
    loaded = load_index(metric, 5, tmp_path / "x.ann")
    assert loaded.get_n_items() == 0
    assert loaded.get_nns_by_vector([1] * 5, 3) == []
    with pytest.raises(IndexError):
        loaded.get_nns_by_item(0, 1)


def test_unbuilt_index_answers_nothing_but_knows_its_items(metric, data):
    index = fill(AnnoyIndex(data.shape[1], metric), data)
    assert index.get_nns_by_item(0, 3) == []
    assert index.get_nns_by_item(0, 3, include_distances=True) == ([], [])
    assert index.get_nns_by_vector(data[0], 3) == []
    assert (index.get_n_items(), index.get_n_trees()) == (600, 0)
    np.testing.assert_array_equal(index.get_item_vector(599), data[599])
    assert index.get_distance(0, 0) == pytest.approx(0 if metric != "dot" else float(data[0] @ data[0]), abs=1e-3)


def test_adding_an_id_again_replaces_its_vector(metric, data):
    index = fill(AnnoyIndex(data.shape[1], metric), data)
    index.add_item(5, data[7])
    assert index.get_n_items() == 600
    np.testing.assert_array_equal(index.get_item_vector(5), data[7])
    index.build(5)
    assert set(index.get_nns_by_vector(data[7], 600, -2, True)[0]) == set(range(600))
    assert index.get_distance(5, 3) == index.get_distance(7, 3)


def test_single_item(metric, tmp_path):
    index = AnnoyIndex(4, metric)
    index.add_item(0, [1, 0, 1, 0])
    index.build(4)
    assert index.get_n_trees() == 4
    assert index.get_nns_by_vector([1, 1, 1, 1], 5) == [0]
    index.save(str(tmp_path / "x.ann"))
    loaded = load_index(metric, 4, tmp_path / "x.ann")
    assert loaded.get_n_items() == 1
    assert loaded.get_nns_by_vector([1, 1, 1, 1], 5) == [0]
    assert loaded.get_nns_by_item(0, 5) == [0]


@metrics()
@pytest.mark.parametrize("n", [2, 3, 7, 30, 31, 32, 33, 34, 35, 36, 70])
def test_small_indices_find_everything(metric, n, tmp_path):
    data = make_data(metric, n, 29)
    index = build_index(metric, data, 3)
    assert sorted(index.get_nns_by_item(0, n, -2)) == list(range(n))
    index.save(str(tmp_path / "x.ann"))
    loaded = load_index(metric, 29, tmp_path / "x.ann")
    assert loaded.get_n_items() == n
    assert sorted(loaded.get_nns_by_item(0, n, -2)) == list(range(n))


@beyond
@metrics()
@pytest.mark.parametrize("n", [0, 1, 2, 15, 500])
def test_n_trees_is_right_after_load(metric, n, tmp_path):
    build_index(metric, make_data(metric, n, 20), 5).save(str(tmp_path / "x.ann"))
    assert load_index(metric, 20, tmp_path / "x.ann").get_n_trees() == 5


@metrics()
@pytest.mark.parametrize("n", [200, 1000])
def test_n_trees_after_load_of_more_than_a_bucket(metric, n, tmp_path):
    build_index(metric, make_data(metric, n, 20), 5).save(str(tmp_path / "x.ann"))
    assert load_index(metric, 20, tmp_path / "x.ann").get_n_trees() == 5


# --- holes ----------------------------------------------------------------------------------------------------------


def hole_ids(metric):
    """150 ids out of 0..999, the last one included, id 0 not."""
    ids = np.sort(np.random.default_rng(4).choice(np.arange(1, 999), 149, replace=False))
    return [*ids.tolist(), 999]


@pytest.mark.parametrize("reload", [False, True], ids=["built", "loaded"])
def test_holes_count_but_are_never_returned(metric, reload, tmp_path):
    ids = hole_ids(metric)
    data = make_data(metric, 150, 10)
    index = build_index(metric, data, 10, ids=ids)
    if reload:
        index.save(str(tmp_path / "x.ann"))
        index = load_index(metric, 10, tmp_path / "x.ann")
    assert index.get_n_items() == 1000
    hole = next(i for i in range(1000) if i not in ids)
    assert index.get_item_vector(hole) == [0.0] * 10
    np.testing.assert_array_equal(index.get_item_vector(999), data[-1])
    assert isinstance(index.get_distance(hole, ids[0]), float)
    for query in (data[3], np.zeros(10), np.ones(10)):
        assert sorted(index.get_nns_by_vector(query, 1000, -2)) == ids
        assert set(index.get_nns_by_vector(query, 10)) <= set(ids)
    assert sorted(index.get_nns_by_item(hole, 1000)) == ids
    assert index.get_nns_by_item(hole, 20, -2) == index.get_nns_by_vector([0] * 10, 20, -2)


@metrics()
@pytest.mark.parametrize("base", [1, 7, 5000])
def test_only_high_ids(metric, base):
    data = make_data(metric, 12, 6)
    index = build_index(metric, data, 4, ids=range(base, base + 12))
    assert index.get_n_items() == base + 12
    assert sorted(index.get_nns_by_vector(data[0], 100)) == list(range(base, base + 12))


@metrics()
@pytest.mark.parametrize("base", [1, 100, 5000])
def test_one_item_behind_holes(metric, base, tmp_path):
    index = build_index(metric, np.ones((1, 6), np.float32), 4, ids=[base])
    assert index.get_nns_by_vector([1] * 6, 100) == [base]
    index.save(str(tmp_path / "x.ann"))
    loaded = load_index(metric, 6, tmp_path / "x.ann")
    assert loaded.get_n_items() == base + 1
    assert loaded.get_nns_by_vector([1] * 6, 100) == [base]


def test_items_in_any_order(metric, data):
    order = np.random.default_rng(1).permutation(600)
    index = build_index(metric, data[order], ids=order)
    for i in (0, 300, 599):
        np.testing.assert_array_equal(index.get_item_vector(i), data[i])
    assert sorted(index.get_nns_by_vector(data[0], 600, -2)) == list(range(600))


# --- built ----------------------------------------------------------------------------------------------------------


def test_build_twice(built):
    before = answers(built)
    with raises_exactly(Exception, "You can't build a built index"):
        built.build(3)
    assert built.get_n_trees() == 10
    assert answers(built) == before


def test_unbuild_and_build_again(metric, data, built):
    assert built.unbuild() is True
    assert (built.get_n_trees(), built.get_n_items()) == (0, 600)
    assert built.get_nns_by_item(0, 5) == []
    built.add_item(600, data[3])
    built.add_item(601, data[4])
    built.build(4)
    assert (built.get_n_trees(), built.get_n_items()) == (4, 602)
    assert sorted(built.get_nns_by_item(0, 700, -2)) == list(range(602))


def test_unbuild_before_build(metric):
    index = AnnoyIndex(3, metric)
    assert index.unbuild() is True
    index.add_item(0, [1, 1, 0])
    assert index.unbuild() is True
    index.build(2)
    assert index.get_nns_by_item(0, 5) == [0]


def test_unbuild_build_gives_the_same_forest(metric, data):
    index = build_index(metric, data, 3, seed=9, n_jobs=1)
    before = answers(index, search_k=80)
    index.unbuild()
    index.build(3, 1)
    assert answers(index, search_k=80) == before
    assert answers(build_index(metric, data, 3, seed=9, n_jobs=1), search_k=80) == before


# --- what a saved or loaded index refuses ---------------------------------------------------------------------------


def test_saved_index_takes_no_item_that_its_file_holds(metric, data, built, tmp_path):
    built.save(str(tmp_path / "x.ann"))
    bytes_before = (tmp_path / "x.ann").read_bytes()
    before = answers(built)
    with raises_exactly(Exception, "You can't add an item to a loaded index"):
        built.add_item(0, data[1])
    assert answers(built) == before
    assert (tmp_path / "x.ann").read_bytes() == bytes_before


def test_saved_or_loaded_index_cannot_be_unbuilt(metric, data, built, tmp_path):
    built.save(str(tmp_path / "x.ann"))
    for index in (built, load_index(metric, data.shape[1], tmp_path / "x.ann")):
        before = answers(index)
        with raises_exactly(Exception, "You can't unbuild a loaded index"):
            index.unbuild()
        assert answers(index) == before


def test_bad_item_is_reported_before_the_state(metric, data, built, tmp_path):
    built.save(str(tmp_path / "x.ann"))
    for index in (built, load_index(metric, data.shape[1], tmp_path / "x.ann")):
        with pytest.raises(IndexError, match="Item index can not be negative"):
            index.add_item(-1, data[0])
        with pytest.raises(IndexError, match="Vector has wrong length"):
            index.add_item(0, data[0][:-1])


# --- unload ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["empty", "growing", "built", "saved", "loaded"])
def test_unload_forgets_everything(metric, data, saved_file, tmp_path, state):
    index = AnnoyIndex(data.shape[1], metric)
    if state == "growing":
        fill(index, data)
    elif state == "built":
        index = build_index(metric, data)
    elif state == "saved":
        index = build_index(metric, data)
        index.save(str(tmp_path / "x.ann"))
    elif state == "loaded":
        index.load(str(saved_file))
    for _ in range(2):
        assert index.unload() is True
        assert (index.get_n_items(), index.get_n_trees()) == (0, 0)
        assert index.get_nns_by_vector(data[0], 5) == []
        with pytest.raises(IndexError):
            index.get_item_vector(0)
    assert index.load(str(saved_file)) is True
    assert answers(index) == answers(load_index(metric, data.shape[1], saved_file))


@beyond
@pytest.mark.parametrize("state", ["built", "saved", "loaded"])
def test_index_can_be_used_anew_after_unload(metric, data, saved_file, tmp_path, state):
    index = AnnoyIndex(data.shape[1], metric)
    if state == "loaded":
        index.load(str(saved_file))
    else:
        fill(index, data).build(3)
    if state == "saved":
        index.save(str(tmp_path / "x.ann"))
    index.unload()
    with pytest.raises(OSError, match="hasn't been built"):
        index.save(str(tmp_path / "y.ann"))
    assert not (tmp_path / "y.ann").exists()
    fill(index, data[:40])
    assert index.get_nns_by_item(0, 5) == []
    index.build(4)
    assert (index.get_n_items(), index.get_n_trees()) == (40, 4)
    assert sorted(index.get_nns_by_item(0, 40, -2)) == list(range(40))


@beyond
def test_unload_forgets_the_seed(metric, data):
    index = AnnoyIndex(data.shape[1], metric)
    index.set_seed(77)
    index.unload()
    fill(index, data).build(3)
    assert answers(index, search_k=60) == answers(build_index(metric, data, 3), search_k=60)


@beyond
def test_context_manager_unloads(metric, data, saved_file):
    with AnnoyIndex(data.shape[1], metric) as index:
        index.load(str(saved_file))
        assert isinstance(index, AnnoyIndex)
        assert len(index.get_nns_by_item(0, 10, -2)) == 10
    assert (index.get_n_items(), index.get_n_trees()) == (0, 0)
    with pytest.raises(ZeroDivisionError), index:
        index.load(str(saved_file))
        raise ZeroDivisionError
    assert index.get_n_items() == 0
