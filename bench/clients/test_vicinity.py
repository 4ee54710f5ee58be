"""vicinity 0.4.6 on linjin: its Annoy backend queries, saves and loads."""

import numpy as np
import pytest
from vicinity import Vicinity
from vicinity.datatypes import Backend

RNG = np.random.default_rng(42)
VECTORS = RNG.random((2000, 8))
ITEMS = [f"item{i}" for i in range(len(VECTORS))]


def made(metric):
    return Vicinity.from_vectors_and_items(VECTORS, ITEMS, backend_type=Backend.ANNOY, metric=metric, trees=20)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_query_finds_itself_first(metric):
    for i in (0, 7, 1999):
        nearest = made(metric).query(VECTORS[i], k=10)[0]
        assert len(nearest) == 10
        assert nearest[0][0] == ITEMS[i]
        assert nearest[0][1] == pytest.approx(0, abs=1e-3)
        assert [d for _, d in nearest] == sorted(d for _, d in nearest)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_threshold(metric):
    near = made(metric).query_threshold(VECTORS[3], threshold=0.2, max_k=50)[0]
    assert near[0][0] == ITEMS[3]
    assert all(d < 0.2 for _, d in near)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_save_and_load(metric, tmp_path):
    index = made(metric)
    index.save(tmp_path / "saved")
    again = Vicinity.load(tmp_path / "saved")
    assert len(again) == len(VECTORS)
    assert again.query(VECTORS[5], k=10)[0] == index.query(VECTORS[5], k=10)[0]


def test_dimension():
    assert made("cosine").dim == 8
