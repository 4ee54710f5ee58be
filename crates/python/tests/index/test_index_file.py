"""Files: an index that is saved and opened answers as before; what is no index is refused with a named error."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import linjin
from index_support import contents, filled, make_vectors
from support import child_command, child_output


def same_answers(one, other, queries):
    for effort in ({}, {"ef": 30}, {"exact": True}):
        for query in (queries, queries[0]):
            left, right = one.search(query, 10, **effort), other.search(query, 10, **effort)
            assert np.array_equal(left.ids, right.ids)
            assert np.array_equal(left.distances, right.distances)


@pytest.mark.parametrize("n", [0, 1, 2, 50, 3000])
def test_saved_and_opened(metric, n, tmp_path):
    ids = np.random.default_rng(0).permutation(10 * n + 1)[:n]
    index = filled(metric, make_vectors(metric, n, 20), ids)
    assert index.save(tmp_path / "x.linjin") is None
    twin = linjin.open(tmp_path / "x.linjin")
    assert (twin.dim, twin.metric) == (20, metric)
    assert contents(twin) == contents(index)
    same_answers(index, twin, make_vectors(metric, 20, 20, seed=1))


@pytest.mark.parametrize("kind", [str, Path])
def test_kinds_of_paths(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    filled("dot", make_vectors("dot", 10, 3)).save(kind("ü x.linjin"))
    assert len(linjin.open(kind("ü x.linjin"))) == 10
    assert linjin.verify(kind("ü x.linjin"))["len"] == 10
    assert [p.name for p in tmp_path.iterdir()] == ["ü x.linjin"]


def test_an_opened_index_takes_changes(metric, tmp_path):
    vectors = make_vectors(metric, 600, 12)
    path = tmp_path / "x.linjin"
    filled(metric, vectors[:500]).save(path)
    before = path.read_bytes()
    index = linjin.open(path)
    index.remove(np.arange(100))
    index.add(vectors[500:])
    index.update([200, 201], vectors[:2])
    assert path.read_bytes() == before
    assert len(linjin.open(path)) == 500
    # Onto the file that it has mapped.
    index.save(path)
    assert contents(linjin.open(path)) == contents(index)
    same_answers(index, linjin.open(path), vectors[:20])


def test_the_old_file_stays_with_those_who_opened_it(tmp_path):
    path = tmp_path / "x.linjin"
    first, second = make_vectors("euclidean", 400, 8), make_vectors("euclidean", 300, 8, seed=1)
    filled("euclidean", first).save(path)
    old = linjin.open(path)
    filled("euclidean", second).save(path)
    assert np.array_equal(old.get(old.ids), first)
    assert np.array_equal(linjin.open(path).get(range(300)), second)


def test_an_index_keeps_how_much_memory_it_may_take(tmp_path):
    assert linjin.Index(10).info["memory"] == "full"
    small = linjin.Index(10, "dot", memory="small")
    small.add(make_vectors("dot", 3_000, 10))
    small.save(tmp_path / "x.linjin")
    assert linjin.open(tmp_path / "x.linjin").info["memory"] == "small"
    assert linjin.verify(tmp_path / "x.linjin")["memory"] == "small"
    with pytest.raises(ValueError, match="memory has to be full or small, not \"tiny\""):
        linjin.Index(10, memory="tiny")


def test_info_and_verify(tmp_path):
    index = filled("cosine", make_vectors("cosine", 700, 10))
    index.save(tmp_path / "x.linjin")
    info = linjin.verify(tmp_path / "x.linjin")
    assert list(info)[:10] == [
        *["dim", "metric", "stored_as", "len", "bytes", "mapped", "leaves", "graph", "memory", "curve"]
    ]
    assert (info["generation"], info["journal"], info["uncommitted"], info["recovered"]) == (0, 0, 0, None)
    assert (info["dim"], info["metric"], info["len"]) == (10, "cosine", 700)
    opened = linjin.open(tmp_path / "x.linjin").info
    assert {key: opened[key] for key in ("dim", "metric", "len", "leaves", "curve")} == {
        key: info[key] for key in ("dim", "metric", "len", "leaves", "curve")
    }
    assert 0 < opened["mapped"] <= opened["bytes"]
    assert index.info["mapped"] == 0


# --- the operating system says no -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [linjin.open, linjin.verify])
def test_no_such_file(call, tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        call(tmp_path / "none")
    assert raised.value.filename == str(tmp_path / "none")
    assert raised.value.errno == 2
    assert raised.value.strerror == os.strerror(2)


def test_no_such_folder(tmp_path):
    index = filled("dot", make_vectors("dot", 10, 3))
    with pytest.raises(FileNotFoundError) as raised:
        index.save(tmp_path / "none" / "x")
    assert raised.value.filename == str(tmp_path / "none" / "x")
    assert len(index) == 10


@pytest.mark.parametrize("call", [linjin.open, linjin.verify])
def test_a_folder_is_no_file(call, tmp_path):
    with pytest.raises(OSError):
        call(tmp_path)


@pytest.mark.parametrize("wrong", ["a\0b", 3, None, ["x"]])
def test_wrong_paths(wrong):
    index = linjin.Index(2)
    for call in (linjin.open, linjin.verify, index.save):
        with pytest.raises((TypeError, ValueError)) as raised:
            call(wrong)
        assert not isinstance(raised.value, linjin.IndexFileError)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device or a limit on files")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    code = """
    import linjin, resource, signal
    index = linjin.Index(32, "euclidean")
    index.add(make_data("euclidean", 100, 32))
    index.save(sys.argv[1])
    before = open(sys.argv[1], "rb").read()
    index.add(make_data("euclidean", 50_000, 32))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    try:
        index.save(sys.argv[1])
    except OSError as error:
        print(error.errno is not None, error.filename == sys.argv[1])
    assert open(sys.argv[1], "rb").read() == before
    assert os.listdir(os.path.dirname(sys.argv[1])) == ["x"]
    assert len(index) == 50_100
    """
    assert child_output(code, tmp_path / "x") == "True True\n"


# --- what is no index -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("junk", [b"", b"x", b"hello world, this is no index" * 100, bytes(4096), os.urandom(10_000)])
@pytest.mark.parametrize("call", [linjin.open, linjin.verify])
def test_foreign_files(call, junk, tmp_path):
    (tmp_path / "x").write_bytes(junk)
    with pytest.raises(linjin.IndexFileError, match="x: "):
        call(tmp_path / "x")
    assert issubclass(linjin.IndexFileError, ValueError)


def test_cut_files(tmp_path):
    filled("cosine", make_vectors("cosine", 500, 16)).save(tmp_path / "x")
    whole = (tmp_path / "x").read_bytes()
    for length in {1, 7, 8, 64, 100, 4096, len(whole) // 2, len(whole) - 1}:
        (tmp_path / "x").write_bytes(whole[:length])
        for call in (linjin.open, linjin.verify):
            with pytest.raises(linjin.IndexFileError):
                call(tmp_path / "x")


def test_verify_finds_every_flipped_byte(tmp_path):
    index = filled("euclidean", make_vectors("euclidean", 300, 8))
    index.save(tmp_path / "x")
    whole = (tmp_path / "x").read_bytes()
    for place in np.random.default_rng(0).integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        (tmp_path / "x").write_bytes(damaged)
        with pytest.raises(linjin.IndexFileError):
            linjin.verify(tmp_path / "x")


def test_damaged_files_never_crash(tmp_path):
    """Opened, searched and changed with any byte wrong, in a process that has to end by itself."""
    code = """
    import linjin
    path = sys.argv[1]
    rng = np.random.default_rng(1)
    index = linjin.Index(8, "euclidean")
    index.add(make_data("euclidean", 2000, 8))
    index.save(path)
    whole = open(path, "rb").read()
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 20):
            damaged[place] = rng.integers(256)
        open(path, "wb").write(damaged)
        try:
            index = linjin.open(path)
            index.search(np.zeros((20, 8)), 10)
            index.search(np.zeros(8), 10, exact=True)
            index.get(index.ids[:10])
            index.add(np.zeros((50, 8)))
            index.remove(index.ids[:5])
        except (ValueError, KeyError):
            pass
    print("fine")
    """
    assert child_output(code, tmp_path / "x") == "fine\n"


# --- processes ------------------------------------------------------------------------------------------------------


def test_processes_share_the_file(tmp_path):
    vectors = make_vectors("euclidean", 2000, 16)
    index = filled("euclidean", vectors)
    index.save(tmp_path / "x")
    code = """
    import linjin
    index = linjin.open(sys.argv[1])
    print(index.search(index.get(range(20)), 3, exact=True).ids.tolist())
    """
    want = str(index.search(vectors[:20], 3, exact=True).ids.tolist())
    command, env = child_command(code)
    children = [
        subprocess.Popen([*command, str(tmp_path / "x")], env=env, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [child.communicate(timeout=60)[0].strip() for child in children] == [want] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be deleted there")
def test_a_deleted_file_stays_readable(tmp_path):
    vectors = make_vectors("cosine", 1000, 8)
    filled("cosine", vectors).save(tmp_path / "x")
    index = linjin.open(tmp_path / "x")
    (tmp_path / "x").unlink()
    assert np.array_equal(index.get(index.ids), vectors)
