"""An index that is open for writing: what is committed is there, one writes at a time, readers move on."""

import datetime
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import linjin

DIM = 4


def rows(ids):
    return np.repeat(np.asarray(ids, np.float32)[:, None], DIM, axis=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "items.linjin"


def made(path, **options):
    return linjin.open(path, writable=True, dim=DIM, metric="euclidean", **options)


def test_what_is_committed_is_there(path):
    index = made(path)
    index.add(rows([1, 2, 3]), ids=[1, 2, 3])
    assert index.info["uncommitted"] == 3
    assert index.commit() == 1
    index.remove(2)
    assert 2 not in index
    index.rollback()
    assert 2 in index
    index.add(rows([9]), ids=9)
    index.close()
    assert list(index.ids) == [1, 2, 3], "what was not committed is taken back"
    with pytest.raises(ValueError, match="closed"):
        index.add(rows([9]), ids=9)
    opened = linjin.open(path)
    assert list(opened.ids) == [1, 2, 3]
    assert opened.info["recovered"] == {"commits": 1, "changes": 3, "torn": opened.info["recovered"]["torn"]}
    assert opened.info["generation"] == 1
    assert opened.info["journal"] > 0


def test_a_block_commits_and_an_exception_does_not(path):
    with made(path) as index:
        index.add(rows([1]), ids=1)
    with pytest.raises(RuntimeError), linjin.open(path, writable=True) as index:
        index.add(rows([2]), ids=2)
        raise RuntimeError
    with linjin.open(path, writable=True) as index:
        assert list(index.ids) == [1]
        index.close()
    with linjin.open(path) as index:
        assert list(index.ids) == [1]


def test_one_writes_at_a_time(path):
    with made(path):
        with pytest.raises(linjin.IndexLockedError, match=r"items\.linjin is open for writing already"):
            linjin.open(path, writable=True)
        with pytest.raises(linjin.IndexLockedError):
            linjin.Index(DIM).save(path)
    assert issubclass(linjin.IndexLockedError, OSError)
    linjin.open(path, writable=True).close()


def test_readers_refresh(path):
    with made(path) as writer:
        reader = linjin.open(path)
        writer.add(rows([1]), ids=1)
        assert not reader.refresh()
        writer.commit()
        assert reader.refresh()
        assert list(reader.ids) == [1]
        assert writer.checkpoint()
        assert not writer.checkpoint()
        assert not reader.refresh()
        assert reader.search(rows([1])[0], 1).ids[0] == 1
        reader.add(rows([5]), ids=5)
        with pytest.raises(ValueError, match="changes of its own"):
            reader.refresh()
        assert not writer.refresh()


def test_save_keeps_what_a_journal_holds(path):
    with made(path) as index:
        index.add(rows([1]), ids=1)
    other = linjin.Index(DIM, "euclidean")
    with pytest.raises(FileExistsError, match="journal"):
        other.save(path)
    with linjin.open(path, writable=True) as index:
        index.add(rows([2]), ids=2)
        index.save(path)
        assert index.info["journal"] == 0
    other.save(path)
    assert len(linjin.open(path)) == 0


@pytest.mark.parametrize("autocommit", [2, datetime.timedelta(milliseconds=20)])
def test_autocommit(path, autocommit):
    with made(path, autocommit=autocommit) as index:
        index.add(rows([1, 2]), ids=[1, 2])
        end = time.monotonic() + 20
        while index.info["generation"] == 0 and time.monotonic() < end:
            time.sleep(0.01)
        assert list(linjin.open(path).ids) == [1, 2]


def test_damage_is_named(path):
    with made(path) as index:
        index.add(rows([1]), ids=1)
        index.commit()
        index.add(rows([2]), ids=2)
    journal = path.with_name("items.linjin-journal")
    data = bytearray(journal.read_bytes())
    data[150] ^= 1
    journal.write_bytes(data)
    for options in ({}, {"writable": True}):
        with pytest.raises(linjin.IndexFileError, match="commit 1 is damaged"):
            linjin.open(path, **options)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"writable": True}, FileNotFoundError, "items.linjin"),
        ({"writable": True, "dim": 0}, ValueError, "1 to 65535"),
        ({"writable": True, "dim": -1}, ValueError, "at least 1"),
        ({"writable": True, "metric": "dot"}, ValueError, "metric goes with dim"),
        ({"writable": True, "dim": 4, "metric": "other"}, ValueError, "other"),
        ({"writable": True, "memory": "small"}, ValueError, "memory goes with dim"),
        ({"writable": True, "dim": 4, "memory": "tiny"}, ValueError, "full or small"),
        ({"writable": True, "dim": 4, "autocommit": 0}, ValueError, "at least 1"),
        ({"writable": True, "dim": 4, "autocommit": 0.5}, TypeError, "timedelta"),
        ({"dim": 4}, ValueError, "writable=True"),
        ({"memory": "small"}, ValueError, "writable=True"),
        ({"autocommit": 1}, ValueError, "writable=True"),
    ],
)
def test_arguments_that_do_not_fit(path, options, error, text):
    with pytest.raises(error, match=text):
        linjin.open(path, **options)
    assert list(path.parent.iterdir()) == []


def test_memory_is_kept_with_the_index(path):
    made = linjin.open(path, writable=True, dim=DIM, memory="small")
    made.add(rows([1]))
    made.close()
    assert linjin.open(path).info["memory"] == "small"
    assert linjin.open(path, writable=True, dim=DIM, metric="cosine").info["memory"] == "small"


def test_another_index_than_asked_for(path):
    made(path).close()
    with pytest.raises(ValueError, match="4 dimensions and the metric euclidean"):
        linjin.open(path, writable=True, dim=5)


def test_without_writing_there_is_no_commit(path):
    index = linjin.Index(DIM)
    for refused in (index.commit, index.rollback, index.checkpoint):
        with pytest.raises(ValueError, match="not open for writing"):
            refused()
    index.save(path)
    index.close()
    with index:
        pass
    assert not index.refresh()
    assert [entry.name for entry in path.parent.iterdir()] == ["items.linjin"]


CHILD = """
import sys
import linjin
index = linjin.open(sys.argv[1], writable=True, dim=4, metric="euclidean")
for i in range(10**9):
    index.add([float(i)] * 4, ids=i)
    print(index.commit(), flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes end otherwise there")
def test_a_killed_process_loses_nothing_and_leaves_no_lock(path):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    lines = [child.stdout.readline() for _ in range(20)]
    child.kill()
    lines += child.stdout.read().splitlines(keepends=True)
    child.wait()
    child.stdout.close()
    acknowledged = int([line for line in lines if line.endswith("\n")][-1])
    with linjin.open(path, writable=True) as index:
        assert acknowledged <= len(index) <= acknowledged + 1
        assert index.info["recovered"]["commits"] == len(index)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_forked_process_does_not_write(path):
    with made(path) as index:
        index.add(rows([1]), ids=1)
        pid = os.fork()
        if pid == 0:
            try:
                index.commit()
            except ValueError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
    assert list(linjin.open(path).ids) == [1]
