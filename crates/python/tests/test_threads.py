"""Many threads on one index: plain queries (as Annoy allows), then every method from every thread; progress; Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from support import (
    EXHAUSTIVE,
    AnnoyIndex,
    build_index,
    child_command,
    child_output,
    fill,
    load_index,
    make_data,
    metrics,
)

beyond = pytest.mark.beyond


# --- queries --------------------------------------------------------------------------------------------------------


@metrics()
@pytest.mark.parametrize("state", ["built", "loaded"])
def test_concurrent_queries_answer_as_single_ones(metric, state, tmp_path):
    data = make_data(metric, 1000, 24)
    index = build_index(metric, data, 5)
    if state == "loaded":
        index.save(str(tmp_path / "x.ann"))
        index = load_index(metric, 24, tmp_path / "x.ann")
    by_item = [index.get_nns_by_item(i, 10, 200, True) for i in range(200)]
    by_vector = [index.get_nns_by_vector(data[i].tolist(), 10) for i in range(200)]

    def ask(i):
        return index.get_nns_by_item(i, 10, 200, True), index.get_nns_by_vector(data[i].tolist(), 10)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(ask, range(200))) == list(zip(by_item, by_vector))


@beyond
def test_queries_of_several_threads_run_side_by_side():
    """While one thread sits in a long batch, another gets its answers: the batch has released the interpreter."""
    index = build_index("euclidean", make_data("euclidean", 20_000, 32), 5)
    queries = make_data("euclidean", 4000, 32, seed=1)
    index.get_nns_by_vectors(queries[:50], 10, EXHAUSTIVE)
    ticks = 0
    with ThreadPoolExecutor(1) as pool:
        batch = pool.submit(index.get_nns_by_vectors, queries, 10, 20_000, n_jobs=1)
        while not batch.done():
            ticks += 1
            time.sleep(0.001)
    assert batch.result().shape == (4000, 10)
    assert ticks >= 20


# --- everything at once ---------------------------------------------------------------------------------------------


@beyond
def test_adding_while_another_thread_builds():
    code = """
    import threading
    data = make_data("angular", 20_000, 16)
    index = AnnoyIndex(16, "angular")
    index.add_items(data[:15_000])
    builder = threading.Thread(target=index.build, args=(30,))
    builder.start()
    for i in range(15_000, 20_000):
        index.add_item(i, data[i])
    builder.join()
    assert index.get_n_trees() == 30
    assert len(index) == index.get_n_items() == 20_000
    assert sorted(index.get_nns_by_vector(data[0], -1, EXHAUSTIVE)) == list(range(20_000))
    for i in (0, 14_999, 15_000, 17_777, 19_999):
        assert index.get_nns_by_vector(data[i], 1, EXHAUSTIVE) == [i]
        assert (np.array(index.get_item_vector(i), np.float32) == data[i]).all()
    print("done")
    """
    assert child_output(code) == "done\n"


@beyond
def test_readers_go_on_while_a_build_grows_trees():
    data = make_data("angular", 30_000, 24)
    index = AnnoyIndex(24, "angular")
    index.add_items(data)
    seen = []

    def read():
        while builder.is_alive():
            start = time.monotonic()
            index.get_item_vector(7)
            index.get_distance(3, 4)
            index.get_nns_by_vector(data[0], 3)
            seen.append(time.monotonic() - start)
            time.sleep(0.001)

    builder = threading.Thread(target=index.build, args=(60,), kwargs={"n_jobs": 1})
    start = time.monotonic()
    builder.start()
    read()
    builder.join()
    took = time.monotonic() - start
    assert index.get_n_trees() == 60
    assert took > 0.1, "the build is too short to tell"
    assert len(seen) >= 10
    assert sorted(seen)[len(seen) // 2] < took / 4


HAMMER = """
import random, threading, time, traceback
metric, folder, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
f, most = 12, 1500
data = make_data(metric, most, f)
paths = [os.path.join(folder, name) for name in ("one.ann", "two.ann")]
for path, n in zip(paths, (900, 500)):
    build_index(metric, data[:n], 3).save(path)
index = AnnoyIndex(f, metric)
index.add_items(data[:700])
index.build(3)
end = time.monotonic() + seconds
failures, counts = [], {}
STATE_TEXTS = ("You can't build a built index", "You can't unbuild a loaded index", "You can't add an item to a loaded")


def check(ids):
    ids = [int(i) for i in ids]
    assert all(0 <= i < most for i in ids), ids
    assert len(set(ids)) == len(ids), ids


def read(rng):
    what = rng.randrange(8)
    row = data[rng.randrange(most)]
    if what == 0:
        check(index.get_nns_by_vector(row, 10))
    elif what == 1:
        ids, far = index.get_nns_by_vector(row, rng.choice([1, 50, -1]), rng.choice([-1, 100, -2]), True)
        assert len(ids) == len(far)
        check(ids)
    elif what == 2:
        check(index.get_nns_by_item(rng.randrange(500), 10))
    elif what == 3:
        ids = index.get_nns_by_vectors(data[:20], 5, n_jobs=rng.choice([-1, 1, 2]))
        for line in ids:
            check(line[line >= 0])
    elif what == 4:
        assert len(index.get_item_vector(rng.randrange(500))) == f
        index.get_distance(rng.randrange(500), rng.randrange(500))
    elif what == 5:
        check(index.get_nns_within(row, 1.0))
    elif what == 6:
        assert 0 <= len(index) <= most and 0 <= index.get_n_items() <= most and 0 <= index.get_n_trees() <= 6
        rng.randrange(most) in index
    else:
        ids = index.get_nns_by_items([rng.randrange(500) for _ in range(5)], 5)
        assert ids.shape[0] == 5


def write(rng):
    what = rng.randrange(12)
    if what <= 2:
        i = rng.randrange(most)
        index.add_item(i, data[i])
    elif what <= 4:
        index.delete_item(rng.randrange(most))
    elif what == 5:
        ids = rng.sample(range(most), 30)
        index.add_items(data[ids], ids)
    elif what == 6:
        index.load(rng.choice(paths))
    elif what == 7:
        index.unload()
        index.add_items(data[:600], range(600))
    elif what == 8:
        index.build(rng.randrange(1, 6), rng.choice([-1, 1, 2]))
    elif what == 9:
        index.unbuild()
    elif what == 10:
        index.save(os.path.join(folder, "saved.ann"))
    else:
        index.delete_items(rng.sample(range(most), 3))


def work(action, seed):
    rng = random.Random(seed)
    while time.monotonic() < end:
        try:
            action(rng)
            counts[action] = counts.get(action, 0) + 1
        except (IndexError, KeyError):
            pass
        except OSError as error:
            if "hasn't been built" not in str(error):
                failures.append(traceback.format_exc())
        except Exception as error:
            if not str(error).startswith(STATE_TEXTS):
                failures.append(traceback.format_exc())
        except BaseException as error:
            failures.append(traceback.format_exc())
        if action is write:
            time.sleep(0.0005)


threads = [threading.Thread(target=work, args=(read, s), daemon=True) for s in range(4)]
threads += [threading.Thread(target=work, args=(write, s), daemon=True) for s in range(10, 12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(20)
assert not any(thread.is_alive() for thread in threads), "deadlock"
assert not failures, failures[0]
assert counts[read] > 20 and counts[write] > 5, counts
print("done")
"""


@beyond
@metrics()
def test_every_method_from_every_thread(metric, tmp_path):
    assert child_output(HAMMER, metric, tmp_path, 0.4) == "done\n"


# --- progress -------------------------------------------------------------------------------------------------------


def long_index(n=30_000, f=32):
    """An index that takes a while to build with n_jobs=1 and many trees."""
    index = AnnoyIndex(f, "angular")
    index.add_items(make_data("angular", n, f))
    return index


@beyond
def test_progress_is_reported_from_the_calling_thread():
    index = long_index()
    n_trees, reports = 20, []
    while True:
        reports.clear()
        start = time.monotonic()
        index.build(n_trees, 1, progress=lambda done, total: reports.append((done, total, threading.get_ident())))
        took = time.monotonic() - start
        if took > 0.5:
            break
        index.unbuild()
        n_trees *= 3
    assert index.get_n_trees() == n_trees
    assert 3 <= len(reports) <= 60 * took + 5
    assert {ident for _, _, ident in reports} == {threading.get_ident()}
    assert all(type(done) is int and type(total) is int for done, total, _ in reports)
    assert all(0 <= done <= total and total > 0 for done, total, _ in reports)
    dones = [done for done, _, _ in reports]
    assert dones == sorted(dones) and dones[-1] > 0


@beyond
def test_progress_is_keyword_only_and_may_be_none():
    index = build_index("dot", make_data("dot", 50, 3), 2)
    index.unbuild()
    with pytest.raises(TypeError):
        index.build(2, 1, print)
    with pytest.raises(TypeError):
        index.build(2, 1, progress=5)
    assert index.get_n_trees() == 0
    assert index.build(2, 1, progress=None) is True


class Enough(Exception):
    pass


@beyond
@pytest.mark.parametrize("n_jobs", [1, -1])
def test_exception_in_progress_stops_the_build(n_jobs):
    index = long_index()
    vector = index.get_item_vector(77)

    def stop(done, total):
        raise Enough(done)

    start = time.monotonic()
    with pytest.raises(Enough):
        index.build(5000, n_jobs, progress=stop)
    assert time.monotonic() - start < 5
    assert (index.get_n_trees(), index.get_n_items(), len(index)) == (0, 30_000, 30_000)
    assert index.get_nns_by_item(0, 5) == []
    assert index.get_item_vector(77) == vector
    index.add_item(30_000, vector)
    index.build(2)
    assert index.get_n_trees() == 2
    assert set(index.get_nns_by_vector(vector, 2, EXHAUSTIVE)) == {77, 30_000}


@beyond
def test_stopped_build_leaves_a_loaded_index_loaded(tmp_path):
    index = long_index()
    index.build(3)
    index.save(tmp_path / "x.ann")
    index.load(tmp_path / "x.ann")
    before = [index.get_nns_by_item(i, 10) for i in range(20)]

    def stop(done, total):
        raise Enough

    with pytest.raises(Enough):
        index.build(5000, 1, progress=stop)
    assert index.get_n_trees() == 3
    assert [index.get_nns_by_item(i, 10) for i in range(20)] == before


@beyond
def test_index_may_be_read_but_not_changed_from_its_own_progress():
    index = long_index()
    data = make_data("angular", 3, 32)
    refused = []
    changes = (
        lambda: index.add_item(0, data[0]),
        lambda: index.add_items(data),
        lambda: index.delete_item(0),
        lambda: index.delete_items([0]),
        lambda: index.build(2),
        lambda: index.unbuild(),
        lambda: index.unload(),
        lambda: index.load("absent.ann"),
        lambda: index.save("absent.ann"),
    )

    def meddle(done, total):
        assert len(index.get_item_vector(3)) == 32
        assert len(index) == 30_000
        assert index.get_nns_by_vector(data[0], 3) == []
        for change in changes:
            try:
                change()
            except RuntimeError as error:
                refused.append(str(error))
        raise Enough

    with pytest.raises(Enough):
        index.build(5000, 1, progress=meddle)
    assert len(refused) == len(changes)
    assert index.get_n_items() == 30_000
    index.build(2)
    assert index.get_nns_by_item(3, 1) == [3]


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------


@beyond
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("progress", ["None", "lambda done, total: None"])
def test_interrupt_stops_a_build_within_a_second(progress):
    code = f"""
    import time
    index = AnnoyIndex(32, "angular")
    index.add_items(make_data("angular", 40_000, 32))
    print("building", flush=True)
    try:
        index.build(20_000, progress={progress})
    except KeyboardInterrupt:
        caught = time.time()
    assert (index.get_n_trees(), len(index)) == (0, 40_000)
    assert index.get_nns_by_item(0, 3) == []
    index.build(2)
    assert index.get_nns_by_item(5, 1, EXHAUSTIVE) == [5]
    print(caught)
    """
    command, env = child_command(code)
    # Whoever runs the tests in the background may have left SIGINT ignored, which a child inherits.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, preexec_fn=heed) as child:
        try:
            assert child.stdout.readline() == "building\n"
            time.sleep(0.5)
            sent = time.time()
            os.kill(child.pid, signal.SIGINT)
            caught = float(child.stdout.readline())
            assert child.wait(30) == 0
        finally:
            child.kill()
    assert -0.1 < caught - sent < 1.0


@beyond
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_process_may_query_and_build():
    code = """
    import warnings
    warnings.simplefilter("ignore")
    data = make_data("angular", 3000, 16)
    index = build_index("angular", data, 4)
    want = index.get_nns_by_vectors(data[:50], 5)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert index.get_nns_by_item(3, 5) == want[3].tolist()
            assert (index.get_nns_by_vectors(data[:50], 5) == want).all()
            other = AnnoyIndex(16, "angular")
            other.add_items(data)
            other.build(4)
            assert other.get_nns_by_item(3, 5) == want[3].tolist()
            code = 0
        finally:
            os._exit(code)
    import time
    for _ in range(200):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        raise SystemExit("the forked process hangs")
    assert status == 0, status
    print("done")
    """
    assert child_output(code) == "done\n"


@metrics()
def test_many_indices_in_many_threads(metric):
    """Each thread with an index of its own: nothing is shared behind the scenes."""
    data = make_data(metric, 400, 16)
    alone = build_index(metric, data, 3, seed=4, n_jobs=1)
    want = [alone.get_nns_by_item(i, 10) for i in range(50)]

    def work(_):
        index = AnnoyIndex(16, metric)
        index.set_seed(4)
        fill(index, data)
        index.build(3, 1)
        return [index.get_nns_by_item(i, 10) for i in range(50)]

    with ThreadPoolExecutor(6) as pool:
        assert all(got == want for got in pool.map(work, range(12)))


@metrics("euclidean")
def test_query_while_other_index_saves_over_the_file(metric, tmp_path):
    path = str(tmp_path / "x.ann")
    data = make_data(metric, 500, 16)
    build_index(metric, data, 3).save(path)
    reader = load_index(metric, 16, path)
    want = reader.get_nns_by_vector(np.zeros(16), 20)
    stop = threading.Event()

    def overwrite():
        while not stop.is_set():
            build_index(metric, data[:100], 2).save(path)

    writer = threading.Thread(target=overwrite)
    writer.start()
    try:
        assert all(reader.get_nns_by_vector(np.zeros(16), 20) == want for _ in range(300))
    finally:
        stop.set()
        writer.join()
