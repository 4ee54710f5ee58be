"""Builds: how many trees, the same ones from the same seed, and what a verbose one reports."""

import numpy as np
import pytest

from support import METRICS, AnnoyIndex, build_index, make_data

beyond = pytest.mark.beyond


@pytest.mark.parametrize("n_jobs", [1, 2, 4, 8, -1])
@pytest.mark.parametrize("n_trees", [1, 3, 8])
def test_exact_number_of_trees(metric, data, n_trees, n_jobs):
    index = AnnoyIndex(data.shape[1], metric)
    for i, row in enumerate(data):
        index.add_item(i, row)
    index.build(n_trees, n_jobs=n_jobs)
    assert index.get_n_trees() == n_trees
    assert index.get_nns_by_item(17, 1, -2)[0] in twins(data, 17)


def twins(data, row):
    """Ids of the rows equal to the row."""
    return np.flatnonzero((data == data[row]).all(axis=1)).tolist()


def test_automatic_number_of_trees():
    few = build_index("angular", make_data("angular", 1000, 3), -1)
    many = build_index("angular", make_data("angular", 1000, 40), -1)
    assert 1 <= few.get_n_trees() <= 4
    assert 10 <= many.get_n_trees() <= 24
    assert many.get_nns_by_item(5, 1) == [5]


@pytest.mark.parametrize("metric", METRICS)
def test_same_seed_same_answers(metric):
    data = make_data(metric, 1500, 16)
    one, two = (build_index(metric, data, 4, seed=42, n_jobs=1) for _ in range(2))
    for i in range(100):
        assert one.get_nns_by_item(i, 10, 60) == two.get_nns_by_item(i, 10, 60)


@pytest.mark.parametrize("metric", METRICS)
def test_another_seed_another_forest(metric):
    data = make_data(metric, 1500, 16)
    one, two = (build_index(metric, data, 4, seed=seed, n_jobs=1) for seed in (1, 2))
    assert any(one.get_nns_by_item(i, 10, 60) != two.get_nns_by_item(i, 10, 60) for i in range(100))


def test_seed_may_come_after_the_items():
    data = make_data("angular", 1500, 16)
    early = build_index("angular", data, 4, seed=42, n_jobs=1)
    late = AnnoyIndex(16, "angular")
    for i, row in enumerate(data):
        late.add_item(i, row)
    late.set_seed(42)
    late.build(4, 1)
    assert all(early.get_nns_by_item(i, 10, 60) == late.get_nns_by_item(i, 10, 60) for i in range(100))


@beyond
@pytest.mark.parametrize("n_trees", [7, -1])
def test_file_does_not_depend_on_n_jobs(metric, data, tmp_path, n_trees):
    files = []
    for n_jobs in (1, 2, 5, -1):
        index = AnnoyIndex(data.shape[1], metric)
        index.add_items(data)
        index.set_seed(3)
        index.build(n_trees, n_jobs)
        index.save(tmp_path / "x.ann")
        files.append((tmp_path / "x.ann").read_bytes())
    assert all(file == files[0] for file in files)


def test_verbose_build_reports_on_stderr(metric, data, capfd):
    index = AnnoyIndex(data.shape[1], metric)
    index.verbose(True)
    for i, row in enumerate(data):
        index.add_item(i, row)
    capfd.readouterr()
    index.build(20)
    assert capfd.readouterr().err.strip()
    index.verbose(False)
    index.unbuild()
    index.build(2)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
