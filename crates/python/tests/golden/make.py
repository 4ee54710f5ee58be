"""Writes the golden files of this folder with the real Annoy, and beside each its answers as JSON.

Needs annoy 1.17.3 and numpy:  python make.py
A file's name says metric, f, largest id + 1, number of trees and what is special about it.
"""

import json
from pathlib import Path

import annoy
import numpy as np

HERE = Path(__file__).parent
METRICS = ("angular", "euclidean", "manhattan", "hamming", "dot")
QUERY_STEPS = 16  # queries are multiples of 1/16: short to write, exact in float32


def rows(metric, n, f, rng):
    if metric == "hamming":
        return rng.integers(0, 2, (n, f))
    return np.round(rng.standard_normal((n, f)) * 2, 3)


def questions(metric, f, n_items, rng):
    """(item or vector, n, search_k) of every query."""
    asked = []
    for n, search_k in ((10, -1), (1, -1), (9, 40), (6, 3), (12, -2)):
        if n_items:
            asked.append(({"item": int(rng.integers(0, n_items))}, n, search_k))
        vector = rows(metric, 1, f, rng)[0]
        vector = [float(x) for x in (vector if metric == "hamming" else np.round(vector * QUERY_STEPS) / QUERY_STEPS)]
        asked.append(({"vector": vector}, n, search_k))
    asked.append(({"vector": [0.0] * f}, 8, -1))
    return asked


def clear(far):
    """Whether neighbours are equally far or clearly not, so that rounding cannot swap them."""
    far = np.asarray(far)
    gaps = np.abs(np.diff(far))
    return bool(np.all((gaps == 0) | (gaps > 1e-4 * np.abs(far[1:]).clip(1e-2))))


def write(metric, f, ids, n_trees, what, seed, data=None):
    rng = np.random.default_rng(seed)
    index = annoy.AnnoyIndex(f, metric)
    data = rows(metric, len(ids), f, rng) if data is None else data
    for i, row in zip(ids, data):
        index.add_item(int(i), [float(x) for x in row])
    index.build(n_trees, 1)
    path = HERE / f"{metric}-f{f}-n{index.get_n_items()}-t{n_trees}-{what}.ann"
    index.save(str(path))
    answer(path, metric, f, n_trees, rng, ids)


def answer(path, metric, f, n_trees, rng, ids):
    index = annoy.AnnoyIndex(f, metric)
    index.load(str(path))
    n_items = index.get_n_items()
    queries = []
    for asked, n, search_k in questions(metric, f, n_items, rng):
        if "item" in asked:
            got, far = index.get_nns_by_item(asked["item"], n, search_k, True)
        else:
            got, far = index.get_nns_by_vector(asked["vector"], n, search_k, True)
        if not clear(far):
            continue
        queries.append(
            {**asked, "n": n, "search_k": search_k, "ids": got, "distances": [float(f"{d:.8g}") for d in far]}
        )
    pairs = []
    for _ in range(8 if n_items else 0):
        i, j = (int(x) for x in rng.integers(0, n_items, 2))
        pairs.append([i, j, float(f"{index.get_distance(i, j):.8g}")])
    said = {
        "metric": metric,
        "f": f,
        "n_items": n_items,
        "n_trees": n_trees,
        "n_trees_of_annoy": index.get_n_trees(),
        "n_live": len(ids),
        "queries": queries,
        "distances": pairs,
        "vectors": {str(i): [float(f"{x:.9g}") for x in index.get_item_vector(i)] for i in (0, n_items - 1) if n_items},
    }
    path.with_suffix(".json").write_text(json.dumps(said, separators=(",", ":")) + "\n")


def without_norms(source, f, n_trees, n):
    """The angular file as versions before 1.11.2 wrote it: no norms in the items."""
    stride = 12 + 4 * f
    nodes = np.frombuffer(source.read_bytes(), np.uint8).reshape(-1, stride).copy()
    nodes[:n, 4:8] = 0
    path = HERE / f"angular-f{f}-n{n}-t{n_trees}-without-norms.ann"
    path.write_bytes(nodes.tobytes())
    answer(path, "angular", f, n_trees, np.random.default_rng(77), range(n))


def with_other_root_order(metric, f, n_trees, n):
    """The file as a threaded build sometimes leaves it: the tree that ended last is not the last of the copies.

    Annoy then takes one root twice, counts one tree more, and searches n more nodes by default.
    """
    source = HERE / f"{metric}-f{f}-n{n}-t{n_trees}-threads.ann"
    content = source.read_bytes()
    stride = 16 + 8 * ((f + 63) // 64) if metric == "hamming" else (12 if metric == "angular" else 16) + 4 * f
    copies = [content[len(content) - k * stride :][:stride] for k in range(n_trees, 0, -1)]
    source.write_bytes(content[: -n_trees * stride] + b"".join(copies[1:] + copies[:1]))
    answer(source, metric, f, n_trees, np.random.default_rng(88), range(n))


def main():
    for number, metric in enumerate(METRICS):
        rng = np.random.default_rng(number)
        holes = np.sort(rng.choice(130, 90, replace=False))
        write(metric, 3, range(90), 4, "narrow", 100 + number)
        write(metric, 10, holes, 5, "holes", 200 + number)
        write(metric, 65 if metric == "hamming" else 33, range(75), 3, "wide", 300 + number)
        write(metric, 17, range(16), 5, "one-bucket", 400 + number)
        write(metric, 4, [0], 3, "one-item", 500 + number)
        write(metric, 4, [30], 3, "one-item-behind-holes", 600 + number)
        write(metric, 4, [], 3, "empty", 700 + number)
        write(metric, 3, range(60), 3, "threads", 850 + number)
        with_other_root_order(metric, 3, 3, 60)
        same = np.repeat(rows(metric, 2, 5, rng), [70, 20], axis=0)
        write(metric, 5, range(90), 3, "equal-vectors", 800 + number, same)
    write("hamming", 128, range(250), 4, "large", 901)
    write("angular", 12, range(250), 6, "large", 902)
    without_norms(HERE / "angular-f3-n90-t4-narrow.ann", 3, 4, 90)


if __name__ == "__main__":
    main()
