"""Many threads on one index: searches beside changes, the GIL, progress, Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import linjin
from index_support import filled, make_vectors
from support import child_command, child_output

WINDOWS = sys.platform == "win32"


def in_threads(seconds, *jobs):
    """Runs each job over and over, each in a thread of its own, and raises what one of them raised."""
    stop = threading.Event()

    def over_and_over(job):
        while not stop.is_set():
            job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(over_and_over, job) for job in jobs]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not any(job.done() for job in running):
            time.sleep(0.01)
        stop.set()
        for job in running:
            job.result()


@pytest.mark.parametrize("metric", ["cosine", "hamming"])
@pytest.mark.parametrize("exact", [True, False])
def test_every_hit_was_alive_at_some_moment_of_its_search(metric, exact):
    """One thread adds and removes while others search: no ghosts, and with `exact` nobody is missed."""
    dim, batch = 8, 20
    vectors = make_vectors(metric, 5000, dim)
    index = linjin.Index(dim, metric)
    # When the addition of an id began and ended, and its removal likewise.
    begun, added, removing, removed = np.full((4, 2**20), np.inf)
    clock, state = time.perf_counter, {"next": 0, "oldest": 0}

    def change():
        ids = np.arange(state["next"], state["next"] + batch)
        begun[ids] = clock()
        index.add(vectors[ids % len(vectors)], ids=ids)
        added[ids] = clock()
        state["next"] += batch
        if state["next"] - state["oldest"] > 400:
            ids = np.arange(state["oldest"], state["oldest"] + batch)
            removing[ids] = clock()
            index.remove(ids)
            removed[ids] = clock()
            state["oldest"] += batch

    searches = []

    def search():
        start = clock()
        hits = index.search(vectors[0], 1000, exact=exact)
        searches.append((start, clock(), hits.ids))

    def search_many():
        start = clock()
        hits = index.search(vectors[:4], 1000, exact=exact)
        end = clock()
        searches.extend((start, end, ids[:count]) for ids, count in zip(hits.ids, hits.counts))

    in_threads(0.7, change, search, search_many)
    assert len(searches) > 10
    assert state["oldest"] > 0
    for start, end, ids in searches[:: len(searches) // 500 + 1]:
        assert len(np.unique(ids)) == len(ids)
        found = ids.astype(np.int64)
        assert (begun[found] <= end).all()
        assert (removed[found] >= start).all()
        if exact:
            there = np.flatnonzero((added < start) & (removing > end))
            assert np.isin(there, found).all()


def test_hits_come_with_what_was_known_at_their_moment():
    """Items come, go and change their price while others search: each hit has its name, and a price that passes."""
    index = linjin.Index(2, "euclidean")
    index.add([[9, 9]], ids=["stays"], columns={"price": [1]})
    turn = iter(range(10**9))

    def change():
        i = next(turn)
        index.add([[i % 5, 0]], ids=[f"item {i % 5}"], columns={"price": [i % 40]}, replace=True)
        if i % 3 == 0:
            index.remove([f"item {i % 5}"])

    def search():
        hits = index.search([0, 0], 10, filter="price < 20")
        assert all(isinstance(name, str) for name in hits.ids), hits.ids
        assert all(price is not None and price < 20 for price in hits["price"]), hits["price"]

    in_threads(0.7, change, search, search)


def test_replaced_vectors_are_seen_whole():
    """A vector that is replaced all the time is the old one or the new one, never a mixture."""
    dim = 64
    index = linjin.Index(dim, "euclidean")
    index.add(np.zeros((50, dim)))
    turn = iter(range(10**9))

    def replace():
        index.update(np.arange(50), np.full((50, dim), float(next(turn) % 2)))

    def look():
        assert set(np.ptp(index.get(np.arange(50)), axis=1)) == {0}
        hits = index.search(np.zeros(dim), 50)
        assert len(set(hits.ids.tolist())) == len(hits.ids) == 50
        assert set(hits.distances.tolist()) <= {0.0, 8.0}

    in_threads(0.7, replace, look, look)


def test_every_method_from_every_thread():
    dim = 6
    vectors = make_vectors("euclidean", 300, dim)
    index = filled("euclidean", vectors)

    def change(first):
        ids = np.arange(first, first + 50)
        index.add(vectors[:50], ids=ids)
        index.update(ids[:10], vectors[50:60])
        index.remove(ids)

    def read():
        assert len(index) >= 300
        assert 5 in index
        assert np.array_equal(index.get(5), vectors[5])
        assert len(index.ids) >= 300
        assert index.info["dim"] == dim
        assert "Index" in repr(index)
        assert index.search(vectors[7], 1, exact=True).distances[0] == 0

    in_threads(0.7, lambda: change(1000), lambda: change(2000), read, read, index.optimize)
    assert index.ids.tolist() == list(range(300))


def ticks_during(call):
    """How often another thread woke up, at most every millisecond, while `call` ran; and how long that took."""
    done, ticks = threading.Event(), 0

    def run():
        call()
        done.set()

    start = time.perf_counter()
    thread = threading.Thread(target=run)
    thread.start()
    while not done.is_set():
        ticks += 1
        time.sleep(0.001)
    thread.join()
    return ticks, time.perf_counter() - start


@pytest.mark.parametrize("n", [1, 200], ids=["one query", "many queries"])
def test_searches_release_the_interpreter(n):
    index = filled("euclidean", make_vectors("euclidean", 20_000, 64))
    queries = make_vectors("euclidean", n, 64, seed=1)
    query = queries[0] if n == 1 else queries

    def call():
        end = time.perf_counter() + 0.3
        while time.perf_counter() < end:
            index.search(query, 10, exact=True, threads=1)

    ticks, seconds = ticks_during(call)
    # Whoever holds on to the interpreter is asked for it every 5 milliseconds and gives it away between two calls.
    assert ticks > seconds / 0.005


def test_additions_release_the_interpreter():
    vectors = make_vectors("euclidean", 100_000, 32)
    index = linjin.Index(32, "euclidean")
    ticks, seconds = ticks_during(lambda: index.add(vectors, threads=1))
    assert ticks > seconds / 0.1


# --- progress -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 5000])
def test_progress_callback(n):
    calls = []
    index = linjin.Index(4, "euclidean")
    index.add(make_vectors("euclidean", n, 4), progress=lambda *call: calls.append((*call, threading.get_ident())))
    assert calls
    assert all(0 <= done <= total for done, total, _ in calls)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    assert calls[-1][0] == calls[-1][1] > 0
    assert {thread for *_, thread in calls} == {threading.get_ident()}
    assert len(index) == n


def test_progress_callback_may_use_the_index():
    index = filled("euclidean", make_vectors("euclidean", 100, 4))
    seen = []

    def look(done, total):
        seen.append((len(index), index.search([0, 0, 0, 0], 1).counts, index.info["len"]))
        index.add([1, 2, 3, 4])

    index.add(make_vectors("euclidean", 20_000, 4, seed=1), ids=range(1000, 21_000), progress=look)
    assert seen
    assert len(index) == 20_100 + len(seen)


def test_an_error_in_the_callback_ends_the_addition():
    class Enough(Exception):
        pass

    def enough(done, total):
        raise Enough

    index = filled("euclidean", make_vectors("euclidean", 100, 4))
    with pytest.raises(Enough):
        index.add(make_vectors("euclidean", 50_000, 4), progress=enough)
    # As before, unless all was done when the callback was first called.
    assert len(index) in (100, 50_100)
    assert index.search([0, 0, 0, 0], 5).counts == 5
    index.add([0, 0, 0, 0])


@pytest.mark.parametrize("wrong", [1, "yes", object()])
def test_wrong_progress(wrong):
    index = linjin.Index(4)
    with pytest.raises(TypeError, match="progress"):
        index.add(np.ones((2, 4)), progress=wrong)
    assert len(index) == 0


def test_bar_on_stderr():
    code = """
    import linjin
    index = linjin.Index(4)
    index.add(np.ones((2000, 4)), progress={})
    index.update(range(5), np.ones((5, 4)), progress={})
    """
    command, env = child_command(code.replace("{}", "True"))
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert "vectors added in" in done.stderr
    assert done.stdout == ""
    for quiet in ("False", "None"):
        command, env = child_command(code.replace("{}", quiet))
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == done.stderr == ""


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------


def interrupted(code):
    """Runs `code` in a child, interrupts it half a second after its line "ready"; seconds until it printed its time."""
    command, env = child_command(code)
    # Whoever runs the tests in the background may have left SIGINT ignored, which a child inherits.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, preexec_fn=heed) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.5)
            sent = time.time()
            os.kill(child.pid, signal.SIGINT)
            caught = float(child.stdout.readline())
            assert child.wait(30) == 0
        finally:
            child.kill()
    return caught - sent


@pytest.mark.skipif(WINDOWS, reason="sends SIGINT")
def test_interrupt_ends_a_search_of_many_queries():
    code = """
    import linjin, time
    index = linjin.Index(64, "euclidean")
    index.add(make_data("euclidean", 50_000, 64))
    queries = np.tile(make_data("euclidean", 1000, 64), (1000, 1))
    print("ready", flush=True)
    try:
        index.search(queries, 10, exact=True)
    except KeyboardInterrupt:
        print(time.time(), flush=True)
    assert index.search(queries[0], 3).counts == 3
    """
    assert -0.1 < interrupted(code) < 8


@pytest.mark.skipif(WINDOWS, reason="sends SIGINT")
def test_interrupt_ends_an_addition():
    """Watched without a callback too. All is in or nothing is, and the index goes on working."""
    code = """
    import linjin, time
    index = linjin.Index(64, "euclidean")
    vectors = make_data("euclidean", 50_000, 64)
    query = vectors[0].copy()
    index.add(query)
    print("ready", flush=True)
    rounds = 0
    try:
        while True:
            index.add(vectors)
            rounds += 1
    except KeyboardInterrupt:
        print(time.time(), flush=True)
    assert len(index) in (1 + rounds * 50_000, 1 + (rounds + 1) * 50_000)
    assert index.search(query, 1).distances[0] < 1e-3
    index.add(query)
    """
    assert -0.1 < interrupted(code) < 5


# --- processes ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_process_may_search_and_add():
    code = """
    import linjin, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    vectors = make_data("euclidean", 3000, 16)
    index = linjin.Index(16, "euclidean")
    index.add(vectors)
    index.search(vectors[:100], 5)
    child = os.fork()
    if child == 0:
        index.add(vectors, threads=2)
        hits = index.search(vectors[:100], 2, exact=True, threads=2)
        os._exit(0 if (hits.distances < 1e-3).all() and len(index) == 6000 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(index) == 3000
    print("fine")
    """
    assert child_output(code) == "fine\n"
