"""What all the tests share: the class under test, the five metrics, exact answers, child processes."""

import importlib
import os
import re
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import numpy as np

SPEC = os.environ.get("LINJIN_TEST_CLASS", "linjin.annoy:AnnoyIndex")
METRICS = ("angular", "euclidean", "manhattan", "hamming", "dot")
FLOAT_METRICS = ("angular", "euclidean", "manhattan", "dot")

# int32 is what Annoy takes for every id, n, search_k and seed.
INT_MAX = 2**31 - 1
EXHAUSTIVE = -2


def class_named(spec):
    """The class that "module:attribute" names."""
    module, _, attribute = spec.partition(":")
    return getattr(importlib.import_module(module), attribute)


AnnoyIndex = class_named(SPEC)
IS_LINJIN = AnnoyIndex.__module__.split(".")[0] == "linjin"


def metrics(*names):
    """Parametrises a test over metrics: all five, or the ones named."""
    import pytest

    return pytest.mark.parametrize("metric", names or METRICS)


def make_data(metric, n, f, seed=0):
    """(n, f) float32: bits for hamming, gaussian for the others. No two rows are equal by design of the sizes used."""
    rng = np.random.default_rng([seed, n, f])
    if metric == "hamming":
        return rng.integers(0, 2, (n, f)).astype(np.float32)
    return rng.standard_normal((n, f)).astype(np.float32)


def distances(metric, query, data):
    """What Annoy reports between a query (f,) and each row of data (n, f), in float64. Dot: the product itself."""
    q = np.asarray(query, dtype=np.float64)
    x = np.asarray(data, dtype=np.float64)
    if metric == "angular":
        norms = np.linalg.norm(x, axis=1) * np.linalg.norm(q)
        cosines = np.divide(x @ q, norms, out=np.zeros(len(x)), where=norms > 0)
        return np.sqrt(np.maximum(0.0, 2.0 - 2.0 * cosines))
    if metric == "euclidean":
        return np.sqrt(((x - q) ** 2).sum(axis=1))
    if metric == "manhattan":
        return np.abs(x - q).sum(axis=1)
    if metric == "hamming":
        return ((x > 0.5) != (q > 0.5)).sum(axis=1).astype(np.float64)
    if metric == "dot":
        return x @ q
    raise ValueError(metric)


def sort_keys(metric, reported):
    """Reported distances turned so that smaller is closer."""
    return -np.asarray(reported) if metric == "dot" else np.asarray(reported)


def exact(metric, query, data, n, ids=None):
    """The n closest ids by brute force, ties by smaller id; `ids` names the rows, by default 0, 1, 2, ..."""
    ids = np.arange(len(data)) if ids is None else np.asarray(ids)
    keys = sort_keys(metric, distances(metric, query, data))
    return ids[np.lexsort((ids, keys))[:n]].tolist()


def recall(metric, index, queries, data, n, search_k, ids=None):
    """Mean share of the true n nearest that the index finds; distance ties count as found."""
    found = 0.0
    ids = np.arange(len(data)) if ids is None else np.asarray(ids)
    row = {int(i): r for r, i in enumerate(ids)}
    for query in queries:
        keys = sort_keys(metric, distances(metric, query, data))
        worst = np.sort(keys)[n - 1]
        slack = 1e-5 * max(1.0, abs(worst))
        got = index.get_nns_by_vector(query.tolist(), n, search_k)
        found += sum(keys[row[i]] <= worst + slack for i in got) / n
    return found / len(queries)


def fill(index, data, ids=None):
    """Adds the rows one by one and hands the index back."""
    for i, row in zip(range(len(data)) if ids is None else ids, data):
        index.add_item(int(i), row.tolist())
    return index


def build_index(metric, data, n_trees=10, seed=None, ids=None, n_jobs=-1, cls=None):
    """A built index over the rows. Annoy's forest is repeatable with n_jobs=1 only (hamming), linjin's always."""
    index = (cls or AnnoyIndex)(data.shape[1], metric)
    if seed is not None:
        index.set_seed(seed)
    fill(index, data, ids)
    index.build(n_trees, n_jobs)
    return index


def load_index(metric, f, path, cls=None):
    """A fresh index mapped onto the file."""
    index = (cls or AnnoyIndex)(f, metric)
    assert index.load(str(path)) is True
    return index


def node_size(metric, f):
    """Bytes of a node in a file of Annoy 1.17."""
    if metric == "hamming":
        return 16 + 8 * ((f + 63) // 64)
    return (12 if metric == "angular" else 16) + 4 * f


def trees_of_file(path, metric, f, n_trees):
    """Reads an Annoy file as Annoy reads it: (live ids, one list of the live ids that each tree reaches)."""
    stride = node_size(metric, f)
    file = Path(path).read_bytes()
    assert len(file) % stride == 0
    nodes = np.frombuffer(file, np.uint8).reshape(-1, stride)
    first_child = 8 if metric in ("euclidean", "manhattan") else 4
    capacity = (stride - first_child) // 4
    n_descendants = np.ascontiguousarray(nodes[:, :4]).view("<i4")[:, 0]
    children = np.ascontiguousarray(nodes[:, first_child : first_child + 4 * capacity]).view("<i4")
    n_items = int(n_descendants[-1])
    assert (n_descendants[-n_trees:] == n_items).all()
    live = np.flatnonzero(n_descendants[:n_items] == 1).tolist()
    trees = []
    for root in range(len(nodes) - n_trees, len(nodes)):
        reached, pending = [], [root]
        while pending:
            node = pending.pop()
            if node < n_items:
                reached.append(node)
            elif n_descendants[node] <= capacity:
                reached += children[node, : n_descendants[node]].tolist()
            else:
                left_and_right = children[node, :2].tolist()
                assert all(child < node for child in left_and_right), "children come before their parents"
                pending += left_and_right
        assert all(0 <= item < n_items for item in reached)
        trees.append([item for item in reached if n_descendants[item] == 1])
    return live, trees


def assert_annoy_file(path, metric, f, n_trees, ids):
    """The file holds exactly these items, and each tree reaches each of them, once where the root is no bucket."""
    live, trees = trees_of_file(path, metric, f, n_trees)
    assert live == sorted(ids)
    assert len(trees) == n_trees
    bucket_root = max(live, default=0) + 1 <= 2 * (node_size(metric, f) // 4)
    for reached in trees:
        assert sorted(set(reached)) == live
        assert bucket_root or len(live) == 1 or len(reached) == len(live)


def answers(index, n=10, search_k=-1):
    """What the index says about its first 20 items."""
    return [index.get_nns_by_item(i, n, search_k, True) for i in range(min(20, index.get_n_items()))]


@contextmanager
def raises_exactly(kind, text):
    """Expects an exception of exactly this class whose text starts so."""
    import pytest  # not above: child processes do without it

    with pytest.raises(kind, match=f"^{re.escape(text)}") as caught:
        yield caught
    assert type(caught.value) is kind


def close(got, want, rel=1e-5, slack=1e-5):
    """Whether two sequences of distances agree within float32 rounding."""
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want, dtype=np.float64)
    return got.shape == want.shape and bool(np.all(np.abs(got - want) <= slack + rel * np.abs(want)))


def limit_memory(gigabytes):
    """Makes this process run out of memory before the machine does, where the system knows such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))


PRELUDE = """
import os, sys
sys.path.insert(0, os.environ["LINJIN_TESTS"])
from support import *
"""


def child_command(code):
    """The command line and environment of a Python process that runs `code` with all names of this module."""
    env = dict(os.environ, LINJIN_TESTS=str(Path(__file__).parent), LINJIN_TEST_CLASS=SPEC, PYTHONFAULTHANDLER="1")
    return [sys.executable, "-c", PRELUDE + textwrap.dedent(code)], env


def run_child(code, *args, timeout=60):
    """Runs `code` in a process of its own, with args as sys.argv[1:]; returns the finished process, output as text."""
    command, env = child_command(code)
    return subprocess.run(
        [*command, *map(str, args)], env=env, capture_output=True, text=True, timeout=timeout, check=False
    )


def child_output(code, *args, timeout=60):
    """Standard output of a child process that must end well."""
    done = run_child(code, *args, timeout=timeout)
    assert done.returncode == 0, f"the child process ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


class Integer:
    """An integer by __index__ alone."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value
