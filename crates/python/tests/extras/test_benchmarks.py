"""The classes for ann-benchmarks and VIBE, called as those benchmarks call them."""

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import linjin  # noqa: F401
from support import make_data

INTEGRATIONS = Path(__file__).parents[4] / "integrations"
METRICS = [
    ("ann_benchmarks", "angular"),
    ("ann_benchmarks", "euclidean"),
    ("ann_benchmarks", "hamming"),
    ("vibe", "cosine"),
    ("vibe", "normalized"),
    ("vibe", "ip"),
    ("vibe", "euclidean"),
]


@pytest.fixture
def algorithm(tmp_path, monkeypatch):
    """The class of a benchmark, from a checkout that has only what the class touches."""

    def load(benchmark):
        home = tmp_path / benchmark / "algorithms"
        shutil.copytree(INTEGRATIONS / benchmark, home / "linjin")
        (home / "base").mkdir()
        (home / "base" / "module.py").write_text(
            "class BaseANN:\n    def get_batch_results(self):\n        return self.res\n"
            "    def get_additional(self):\n        return {}\n    def __str__(self):\n        return self.name\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if name.split(".")[0] == benchmark]:
            monkeypatch.delitem(sys.modules, name)
        return importlib.import_module(f"{benchmark}.algorithms.linjin.module").Linjin

    return load


@pytest.mark.parametrize(("suite", "metric"), METRICS)
def test_a_run(algorithm, suite, metric):
    vectors = make_data("hamming", 3000, 64).astype(bool) if metric == "hamming" else make_data("angular", 3000, 24)
    if metric == "normalized":
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    run = algorithm(suite)(metric)
    run.fit(vectors)
    run.set_query_arguments(3000)
    assert str(run) == "linjin(ef=3000)"
    found = [run.query(query, 10) for query in vectors[:20]]
    run.batch_query(vectors[:20], 10)
    assert [row.tolist() for row in run.get_batch_results()] == [row.tolist() for row in found]
    if metric != "ip":
        assert [row[0] for row in found][1:] == list(range(1, 20)) or metric == "hamming"
    assert all(isinstance(value, int) for value in run.get_additional().values())


@pytest.mark.parametrize("suite", ["ann_benchmarks", "vibe"])
def test_an_unknown_metric_is_refused(algorithm, suite):
    with pytest.raises(NotImplementedError, match="jaccard"):
        algorithm(suite)("jaccard")
