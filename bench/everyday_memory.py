"""The section `memory` of everyday.py: what is resident in processes of their own, of an index and of a file."""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from index import ENGINES, K
from measure import installed, seconds


def status():
    """Bytes of this process: resident, of these its own and not a file's, and the most there were resident."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return np.array([1024 * int(lines[key].split()[0]) for key in ("VmRSS", "RssAnon", "VmHWM")])


def built_apart(name, folder, file, pipe):
    """In a process of its own: bytes beside the vectors, after the build, at most during it, and while searching."""
    base, queries = (np.load(folder / f"{part}.npy") for part in ("base", "query"))
    __import__(name)
    engine = ENGINES[name]()
    before = status()[0] + base.nbytes  # the engine's own copy of the vectors
    engine.build(base, (folder / "metric.txt").read_text().strip())
    built = status()
    engine.set(100)
    for query in engine.prepare(queries[:2000]):
        engine.query(query)
    searching = status()[0]
    if name == "linjin":
        engine.index.save(file)
    pipe.send([int(x - before) for x in (built[0], built[2], searching)])


def opened_apart(file, folder, pipe):
    """In a process of its own: seconds to open, first and again, and bytes grown by opening and by 1,000 queries."""
    import linjin

    queries = np.resize(np.load(folder / "query.npy"), (1000, np.load(folder / "query.npy").shape[1]))
    linjin.Index(8).search(np.zeros(8, np.float32))  # what the library itself takes is not the file's
    before, start = status(), time.perf_counter()
    index = linjin.open(file)
    first, after = time.perf_counter() - start, status()
    for query in queries:
        index.search(query, k=K)
    searched = status()
    again = [seconds(lambda: linjin.open(file)) for _ in range(20)]
    grown = [(now - before)[:2].tolist() for now in (after, searched)]
    pipe.send([first, statistics.median(again), *grown])


def apart(target, *arguments):
    """What a function sends from a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        sys.exit(f"{target.__name__} failed")
    finally:
        process.join()


def memory(report, data, options):
    vectors = data.base.nbytes
    with tempfile.TemporaryDirectory() as folder:
        file, held = str(Path(folder) / "index.linjin"), {}
        for name in ("linjin", "hnswlib"):
            if not installed(name):
                continue
            built, most, held[name] = apart(built_apart, name, data.folder, file)
            report.row(f"{name}: beside the vectors, over the vectors, built", "x", built / vectors)
            report.row(f"{name}: the most during the build", "x", most / vectors)
            report.row(f"{name}: searching", "x", held[name] / vectors)
        if len(held) > 1:
            report.row(
                "searching: linjin over hnswlib, vectors and all",
                "x",
                (held["linjin"] + vectors) / (held["hnswlib"] + vectors),
                at_most=1,
            )
        first, again, opened, searched = apart(opened_apart, file, data.folder)
        size = os.path.getsize(file)
    report.row("open: ms, the first time", "", first * 1e3)
    report.row("open: ms, later", "", again * 1e3)
    report.row("open: MB of the file", "", size / 1e6)
    # No copy: what a process has of its own grows by no more than what a search works with.
    own = max(4.0, 0.02 * vectors / 1e6)
    report.row("open: MB resident after it", "", opened[0] / 1e6, at_most=own)
    report.row("open: MB of that its own", "", opened[1] / 1e6)
    report.row("open: MB resident after 1,000 queries", "", searched[0] / 1e6)
    report.row("open: MB of that its own, after the queries", "", searched[1] / 1e6, at_most=own)
