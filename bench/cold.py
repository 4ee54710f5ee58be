"""A mapped file of which nothing is in memory: opening it and the first 1,000 queries, beside usearch's `view`.

    python bench/cold.py --data DIR --sets glove [--recall 0.95] [--rounds 3] [--record FILE]

DIR/SET as index.py takes it. Both search with the setting that reaches the recall. Before each turn the file's pages are dropped from
the system's cache; each turn is a process of its own, which then asks the same queries again, when all that they need is there.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from index import EF, ENGINES, K

QUERIES = 1000


def opened(name, file, dim, metric):
    """The engine with the index in a file, mapped."""
    engine = ENGINES[name]()
    engine.map(file, dim, metric)
    return engine


def make(name, base, metric, file):
    """Builds and saves."""
    engine = ENGINES[name]()
    engine.build(base, metric)
    engine.index.save(file)


def setting(name, file, dim, metric, queries, truth, recall):
    """The smallest setting that reaches the recall, and what it reaches."""
    engine = opened(name, file, dim, metric)
    for ef in EF:
        engine.set(ef)
        hits = sum(len(np.intersect1d(engine.query(query)[:K], true[:K])) for query, true in zip(queries, truth))
        if hits >= recall * len(queries) * K:
            return ef, hits / (len(queries) * K)
    raise SystemExit(f"{name} does not reach {recall}")


def turn(name, file, dim, metric, ef, queries, pipe):
    """Milliseconds to open and for the first query; seconds of the first queries and of the same again; pages read for them."""
    __import__("linjin" if name == "linjin" else "usearch.index")
    read = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    start = time.perf_counter()
    engine = opened(name, file, dim, metric)
    engine.set(ef)
    open_ = time.perf_counter()
    engine.query(queries[0])
    first = time.perf_counter()
    for query in queries[1:]:
        engine.query(query)
    cold = time.perf_counter()
    read = resource.getrusage(resource.RUSAGE_SELF).ru_majflt - read
    for query in queries:
        engine.query(query)
    warm = time.perf_counter() - cold
    pipe.send(((open_ - start) * 1e3, (first - open_) * 1e3, cold - open_, warm, read))


def drop(file):
    """Takes the file's pages out of the system's cache."""
    with open(file, "rb") as pages:
        os.fsync(pages.fileno())
        os.posix_fadvise(pages.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def apart(context, target, *args):
    """What `target` sends from a process of its own; None when it sends nothing."""
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*args, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        process.join()


def prepare(name, folder, file, recall, pipe):
    base, queries, truth = (np.load(folder / f"{part}.npy") for part in ("base", "query", "gt"))
    metric = (folder / "metric.txt").read_text().strip()
    make(name, base, metric, file)
    pipe.send(setting(name, file, base.shape[1], metric, queries[:QUERIES], truth, recall))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--recall", type=float, default=0.95)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for name_of_set in args.sets:
        folder = args.data / name_of_set
        queries = np.load(folder / "query.npy")[:QUERIES]
        metric = (folder / "metric.txt").read_text().strip()
        with tempfile.TemporaryDirectory(dir=args.data) as made:
            files = {name: str(Path(made) / name) for name in ("linjin", "usearch")}
            efs = {name: apart(context, prepare, name, folder, file, args.recall) for name, file in files.items()}
            turns = {name: [] for name in files}
            for _ in range(args.rounds):
                for name, file in files.items():
                    drop(file)
                    turns[name].append(
                        apart(context, turn, name, file, queries.shape[1], metric, efs[name][0], queries)
                    )
            for name, file in files.items():
                open_, first, cold, warm, read = map(statistics.median, zip(*turns[name]))
                print(
                    f"{name_of_set} {name}: {os.path.getsize(file) / 1e6:.0f} MB, recall {efs[name][1]:.3f}; opened in "
                    f"{open_:.2f} ms, first query {first:.1f} ms; {QUERIES:,} queries {cold:.3f} s cold ({read:.0f} reads), "
                    f"{warm:.3f} s warm",
                    flush=True,
                )
                if args.record:
                    args.record.parent.mkdir(parents=True, exist_ok=True)
                    row = {"set": name_of_set, "engine": name, "bytes": os.path.getsize(file), "ef": efs[name][0]}
                    row |= {"recall": efs[name][1], "open_ms": open_, "first_ms": first}
                    row |= {"cold_s": cold, "warm_s": warm, "reads": read, "rounds": args.rounds}
                    with args.record.open("a") as lines:
                        lines.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
