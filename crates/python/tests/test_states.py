"""Life cycle: add, build, unbuild, save, load, unload, on_disk_build; holes; files that are shared."""

import os
import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from support import (
    AnnoyIndex,
    build_index,
    child_command,
    child_output,
    fill,
    load_index,
    make_data,
    metrics,
    node_size,
)

beyond = pytest.mark.beyond


def answers(index, n=10, search_k=-1):
    """What the index says about its first 20 items."""
    return [index.get_nns_by_item(i, n, search_k, True) for i in range(min(20, index.get_n_items()))]


@contextmanager
def raises_exactly(kind, text):
    """Expects an exception of exactly this class whose text starts so."""
    with pytest.raises(kind, match=f"^{re.escape(text)}") as caught:
        yield caught
    assert type(caught.value) is kind


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


# --- save and load --------------------------------------------------------------------------------------------------


def test_save_keeps_the_answers(metric, data, built, tmp_path):
    before = answers(built)
    vectors = [built.get_item_vector(i) for i in range(600)]
    path = str(tmp_path / "x.ann")
    assert built.save(path) is True
    assert answers(built) == before
    loaded = load_index(metric, data.shape[1], path)
    assert answers(loaded) == before
    assert (loaded.get_n_items(), loaded.get_n_trees()) == (600, 10)
    assert [loaded.get_item_vector(i) for i in range(600)] == vectors


@pytest.mark.parametrize("prefault", [False, True])
def test_prefault_changes_no_answer(metric, data, saved_file, prefault):
    index = AnnoyIndex(data.shape[1], metric)
    index.load(str(saved_file), prefault=prefault)
    assert answers(index) == answers(load_index(metric, data.shape[1], saved_file))
    assert sorted(index.get_nns_by_item(0, 600, -2)) == list(range(600))


def test_save_needs_a_built_index(metric, data, tmp_path):
    index = fill(AnnoyIndex(data.shape[1], metric), data[:20])
    for path in (tmp_path / "x.ann", tmp_path / "absent" / "x.ann"):
        with raises_exactly(OSError, "You can't save an index that hasn't been built"):
            index.save(str(path))
        assert not path.exists()


def test_save_into_a_missing_folder(built, tmp_path):
    before = answers(built)
    for path in ("", str(tmp_path / "absent" / "x.ann")):
        with raises_exactly(OSError, "Unable to open: No such file or directory (2)") as caught:
            built.save(path)
        assert caught.value.errno is None
    assert answers(built) == before


def test_save_onto_a_folder(built, tmp_path):
    with pytest.raises(OSError):
        built.save(str(tmp_path))
    assert tmp_path.is_dir()
    assert built.get_nns_by_item(3, 600, -2)


def test_save_twice_writes_the_same_file(built, tmp_path):
    one, two = tmp_path / "one.ann", tmp_path / "two.ann"
    built.save(str(one))
    before = answers(built)
    built.save(str(two))
    assert one.read_bytes() == two.read_bytes()
    assert answers(built) == before


def test_save_onto_its_own_file(metric, data, saved_file):
    bytes_before = saved_file.read_bytes()
    loaded = load_index(metric, data.shape[1], saved_file)
    before = answers(loaded)
    assert loaded.save(str(saved_file)) is True
    assert saved_file.read_bytes() == bytes_before
    assert answers(loaded) == before


def test_save_leaves_only_the_file_behind(built, tmp_path):
    built.save(str(tmp_path / "x.ann"))
    assert os.listdir(tmp_path) == ["x.ann"]


def test_save_over_a_file_that_another_index_has_mapped(metric, data, saved_file):
    reader = load_index(metric, data.shape[1], saved_file)
    before = answers(reader)
    other = build_index(metric, make_data(metric, 300, data.shape[1], seed=9), 3)
    other.save(str(saved_file))
    assert answers(reader) == before
    assert reader.get_n_items() == 600
    assert load_index(metric, data.shape[1], saved_file).get_n_items() == 300


def test_file_may_vanish_once_loaded(metric, data, saved_file):
    reader = load_index(metric, data.shape[1], saved_file)
    before = answers(reader)
    saved_file.unlink()
    assert answers(reader) == before


def test_umask_decides_the_mode_of_the_file(built, tmp_path):
    old = os.umask(0o027)
    try:
        built.save(str(tmp_path / "x.ann"))
    finally:
        os.umask(old)
    assert (tmp_path / "x.ann").stat().st_mode & 0o777 == 0o640


def test_load_of_a_missing_file(metric, tmp_path):
    for path in ("", str(tmp_path / "absent.ann")):
        with raises_exactly(OSError, "Unable to open: No such file or directory (2)") as caught:
            AnnoyIndex(3, metric).load(path)
        assert caught.value.errno is None


def test_load_of_an_empty_file(metric, tmp_path):
    (tmp_path / "x.ann").touch()
    with raises_exactly(OSError, "Size of file is zero"):
        AnnoyIndex(3, metric).load(str(tmp_path / "x.ann"))


def test_load_of_a_folder(metric, tmp_path):
    with raises_exactly(OSError, ""):
        AnnoyIndex(3, metric).load(str(tmp_path))


MULTIPLE = (
    "Index size is not a multiple of vector size. "
    "Ensure you are opening using the same metric you used to create the index."
)


def test_load_of_a_text_file(metric, tmp_path):
    (tmp_path / "x.ann").write_text("not an index, 31 characters big")
    with raises_exactly(OSError, MULTIPLE):
        AnnoyIndex(3, metric).load(str(tmp_path / "x.ann"))


def save_file_not_in_nodes_of(other, other_f, metric, f, path):
    """Saves an index whose file is no whole number of the other metric's nodes, in any version's layout."""
    stride = node_size(other, other_f)
    strides = {"hamming": (stride, stride - 4), "dot": (stride, stride + 8)}.get(other, (stride,))
    for n_trees in range(3, 30):
        build_index(metric, make_data(metric, 100, f), n_trees).save(str(path))
        if all(path.stat().st_size % stride for stride in strides):
            return
    raise AssertionError("no such file")


@pytest.mark.parametrize(("metric", "other"), [("angular", "euclidean"), ("euclidean", "angular"), ("dot", "hamming")])
def test_load_with_another_metric(metric, other, tmp_path):
    save_file_not_in_nodes_of(other, 7, metric, 7, tmp_path / "x.ann")
    with raises_exactly(OSError, MULTIPLE):
        AnnoyIndex(7, other).load(str(tmp_path / "x.ann"))


def test_load_with_another_f(metric, tmp_path):
    save_file_not_in_nodes_of(metric, 140, metric, 70, tmp_path / "x.ann")
    with raises_exactly(OSError, MULTIPLE):
        AnnoyIndex(140, metric).load(str(tmp_path / "x.ann"))


@pytest.mark.parametrize("path", [5, None, b"x.ann", 1.5, ["x.ann"]])
@pytest.mark.parametrize("method", ["save", "load", "on_disk_build"])
def test_path_must_be_a_path(built, method, path):
    with pytest.raises(TypeError):
        getattr(built, method)(path)


@pytest.mark.parametrize("method", ["save", "load", "on_disk_build"])
def test_path_with_a_nul(built, method):
    with pytest.raises(ValueError, match="null"):
        getattr(built, method)("x\0y")


def test_path_of_any_characters(metric, data, built, tmp_path):
    path = str(tmp_path / "naïve 鄰近 index.ann")
    built.save(path)
    assert answers(load_index(metric, data.shape[1], path)) == answers(built)


def test_relative_path(metric, data, built, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    built.save("x.ann")
    assert answers(load_index(metric, data.shape[1], "x.ann")) == answers(built)


@beyond
def test_paths_may_be_path_objects(metric, data, built, tmp_path):
    class Named:
        def __init__(self, path):
            self.path = path

        def __fspath__(self):
            return str(self.path)

    path = tmp_path / "x.ann"
    for one in (path, Named(path)):
        assert built.save(one) is True
        loaded = AnnoyIndex(data.shape[1], metric)
        assert loaded.load(one) is True
        assert answers(loaded) == answers(built)
    on_disk = AnnoyIndex(data.shape[1], metric)
    assert on_disk.on_disk_build(tmp_path / "disk.ann") is True


@beyond
def test_failed_save_keeps_the_old_file(built, tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "inside").write_text("kept")
    with pytest.raises(OSError):
        built.save(target)
    assert (target / "inside").read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == ["folder"]


@beyond
def test_load_replaces_what_was_there(metric, data, saved_file, tmp_path):
    index = build_index(metric, make_data(metric, 900, data.shape[1], seed=3), 4)
    index.load(str(saved_file))
    assert (index.get_n_items(), index.get_n_trees(), len(index)) == (600, 10, 600)
    assert answers(index) == answers(load_index(metric, data.shape[1], saved_file))
    small = tmp_path / "small.ann"
    build_index(metric, data[:5], 2).save(str(small))
    index.load(str(small))
    assert index.get_n_items() == 5


@beyond
def test_failed_load_leaves_the_index_as_it_was(metric, data, saved_file, tmp_path):
    bad = tmp_path / "bad.ann"
    bad.write_text("no index")
    growing = fill(AnnoyIndex(data.shape[1], metric), data[:50])
    built = build_index(metric, data[:50], 3)
    loaded = load_index(metric, data.shape[1], saved_file)
    for index in (growing, built, loaded):
        before = (answers(index), index.get_n_items(), index.get_n_trees())
        for path in (bad, tmp_path / "absent.ann", tmp_path):
            with pytest.raises(OSError):
                index.load(str(path))
        assert (answers(index), index.get_n_items(), index.get_n_trees()) == before
    growing.build(2)
    assert sorted(growing.get_nns_by_item(0, 50, -2)) == list(range(50))


@beyond
def test_many_loads_leak_no_descriptors_and_no_maps(metric, data, saved_file):
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    index = AnnoyIndex(data.shape[1], metric)

    def held():
        maps = Path("/proc/self/maps").read_text()
        return len(os.listdir("/proc/self/fd")), maps.count(saved_file.name)

    index.load(str(saved_file))
    before = held()
    for _ in range(50):
        index.load(str(saved_file))
    assert held() == before
    index.unload()
    assert held()[1] == 0


def test_reload_in_another_process(metric, data, saved_file):
    index = load_index(metric, data.shape[1], saved_file)
    code = """
    index = load_index(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    print([index.get_nns_by_item(i, 10, -1, True) for i in range(20)])
    """
    assert child_output(code, metric, data.shape[1], saved_file).strip() == repr(answers(index))


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


# --- on_disk_build --------------------------------------------------------------------------------------------------


def test_on_disk_build_writes_an_ordinary_file(metric, data, tmp_path):
    path = tmp_path / "disk.ann"
    index = AnnoyIndex(data.shape[1], metric)
    index.set_seed(5)
    assert index.on_disk_build(str(path)) is True
    fill(index, data)
    assert index.get_n_items() == 600
    np.testing.assert_array_equal(index.get_item_vector(11), data[11])
    index.build(6, 1)
    in_memory = build_index(metric, data, 6, seed=5, n_jobs=1)
    assert answers(index) == answers(in_memory)
    loaded = load_index(metric, data.shape[1], path)
    assert answers(loaded) == answers(in_memory)
    assert (loaded.get_n_items(), loaded.get_n_trees()) == (600, 6)
    index.unload()
    index.load(str(path))
    assert answers(index) == answers(in_memory)


def test_on_disk_build_replaces_an_old_file(metric, data, saved_file):
    index = AnnoyIndex(data.shape[1], metric)
    index.on_disk_build(str(saved_file))
    fill(index, data[:100])
    index.build(3)
    assert load_index(metric, data.shape[1], saved_file).get_n_items() == 100


def test_on_disk_build_in_a_missing_folder(metric, tmp_path):
    with raises_exactly(OSError, "Unable to open: No such file or directory (2)"):
        AnnoyIndex(3, metric).on_disk_build(str(tmp_path / "absent" / "x.ann"))


@beyond
def test_on_disk_build_shows_the_file_only_when_complete(metric, data, tmp_path):
    path = tmp_path / "disk.ann"
    path.write_text("what was here before")
    index = AnnoyIndex(data.shape[1], metric)
    index.on_disk_build(path)
    fill(index, data)
    assert path.read_text() == "what was here before"
    index.build(3)
    assert load_index(metric, data.shape[1], path).get_n_items() == 600
    assert os.listdir(tmp_path) == ["disk.ann"]


@beyond
def test_on_disk_build_then_save_elsewhere_writes_a_copy(metric, data, tmp_path):
    disk, copy = tmp_path / "disk.ann", tmp_path / "copy.ann"
    index = AnnoyIndex(data.shape[1], metric)
    index.on_disk_build(disk)
    fill(index, data)
    index.build(3)
    before = answers(index)
    assert index.save(copy) is True
    assert copy.read_bytes() == disk.read_bytes()
    assert answers(index) == before
    assert answers(load_index(metric, data.shape[1], copy)) == before


@beyond
def test_abandoned_on_disk_build_leaves_nothing(metric, data, tmp_path):
    index = AnnoyIndex(data.shape[1], metric)
    index.on_disk_build(tmp_path / "disk.ann")
    fill(index, data)
    index.unload()
    del index
    assert os.listdir(tmp_path) == []


# --- the file -------------------------------------------------------------------------------------------------------


@metrics()
@pytest.mark.parametrize("f", [1, 3, 64, 65, 100])
def test_file_starts_with_the_items_as_annoy_lays_them_out(metric, f, tmp_path):
    data = make_data(metric, 40, f)
    build_index(metric, data, 3).save(str(tmp_path / "x.ann"))
    file = (tmp_path / "x.ann").read_bytes()
    stride = node_size(metric, f)
    assert len(file) % stride == 0
    for i in (0, 17, 39):
        node = file[i * stride : (i + 1) * stride]
        assert int.from_bytes(node[:4], "little", signed=True) == 1
        if metric == "hamming":
            bits = np.unpackbits(np.frombuffer(node[16:], np.uint8), bitorder="little")[:f]
            np.testing.assert_array_equal(bits, data[i])
        else:
            np.testing.assert_array_equal(np.frombuffer(node[stride - 4 * f :], "<f4"), data[i])
        if metric == "angular":
            norm = np.frombuffer(node[4:8], "<f4")[0]
            assert norm == pytest.approx(float(data[i].astype(np.float64) @ data[i]), rel=1e-5)
    assert int.from_bytes(file[-stride:][:4], "little", signed=True) == 40


@beyond
def test_kill_at_any_instant_of_a_save_leaves_the_old_or_the_new_file(tmp_path):
    path = tmp_path / "x.ann"
    code = """
    path = sys.argv[1]
    small, large = (build_index("angular", make_data("angular", n, 40), 10) for n in (500, 4000))
    small.save(path)
    print("saving", flush=True)
    while True:
        large.save(path)
        small.save(path)
    """
    seen = set()
    for wait in (0.0, 0.003, 0.01, 0.02, 0.03, 0.05):
        command, env = child_command(code)
        with subprocess.Popen([*command, str(path)], env=env, stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout.readline() == "saving\n"
                time.sleep(wait)
            finally:
                child.kill()
        index = load_index("angular", 40, path)
        n = index.get_n_items()
        seen.add(n)
        np.testing.assert_array_equal(index.get_item_vector(n - 1), make_data("angular", n, 40)[-1])
        assert sorted(index.get_nns_by_item(0, n, -2)) == list(range(n))
    assert seen <= {500, 4000}
