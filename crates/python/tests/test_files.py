"""Files of an index: save and load, on_disk_build, what is in them, and that they appear whole or not at all."""

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from support import (
    AnnoyIndex,
    answers,
    build_index,
    child_command,
    child_output,
    fill,
    load_index,
    make_data,
    metrics,
    node_size,
    raises_exactly,
)

beyond = pytest.mark.beyond


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
