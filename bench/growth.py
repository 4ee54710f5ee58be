"""How the time of a query grows with the number of vectors: the first 10,000 and more of a set, at one recall.

    python bench/growth.py --data DIR --set clusters [--recall 0.95] [--rounds 3] [--record FILE]

DIR/SET as index.py takes it; the true neighbours among fewer vectors are found here. One thread, one query a call, k = 10.
"""

import argparse
import json
import math
import statistics
import time
from pathlib import Path

import numpy as np

from index import EF, K, Linjin, at
from index_sets import neighbours

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
ENOUGH = 0.005  # recall beyond the one that is asked for; wider searches are not measured
QUERIES = 500


def measure(base, queries, metric, recall, rounds):
    """Seconds to build, and microseconds a query at the recall."""
    truth = neighbours(base, queries, metric)[:, :K]
    engine, start = Linjin(), time.perf_counter()
    engine.build(base, metric)
    build = time.perf_counter() - start
    points = []
    for ef in EF:
        engine.set(ef)
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            found = [engine.query(query) for query in queries]
            seconds.append(time.perf_counter() - start)
        hits = sum(len(np.intersect1d(ids, true)) for ids, true in zip(found, truth))
        points.append((hits / (len(queries) * K), len(queries) / statistics.median(seconds)))
        if points[-1][0] > recall + ENOUGH:
            break
    speed = at(points, recall)
    return build, speed and 1e6 / speed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", default="clusters")
    parser.add_argument("--recall", type=float, default=0.95)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    folder = args.data / args.set
    base = np.load(folder / "base.npy", mmap_mode="r")
    queries = np.load(folder / "query.npy")[:QUERIES]
    metric = (folder / "metric.txt").read_text().strip()
    sizes = [n for n in SIZES if n < len(base)] + [len(base)]
    print(f"{args.set}: {base.shape[1]} dimensions, {metric}, recall@{K} {args.recall}, one thread")
    for n in sizes:
        build, us = measure(np.array(base[:n]), queries, metric, args.recall, args.rounds)
        grown = "not reached" if us is None else f"{us:7.1f} us a query, {us / math.log(n):5.2f} for each of ln n"
        print(f"{n:>10,}  build {build:6.1f} s  {grown}", flush=True)
        if args.record:
            args.record.parent.mkdir(parents=True, exist_ok=True)
            row = {"set": args.set, "n": n, "dim": base.shape[1], "recall": args.recall, "us": us, "build": build}
            with args.record.open("a") as file:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
