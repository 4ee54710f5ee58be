"""Test set-up: which class is tested, the `beyond` marker, and fixtures for data and indices.

LINJIN_TEST_CLASS=annoy:AnnoyIndex runs the compatibility tests against the real Annoy, which shows that they tell the
truth about it; tests marked `beyond` (what linjin does differently or in addition) are then deselected.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import support  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "beyond: what linjin does differently from Annoy, or in addition")


def pytest_report_header(config):
    return f"class under test: {support.SPEC}"


def pytest_collection_modifyitems(config, items):
    if support.IS_LINJIN:
        return
    beyond = [item for item in items if item.get_closest_marker("beyond")]
    items[:] = [item for item in items if not item.get_closest_marker("beyond")]
    config.hook.pytest_deselected(items=beyond)


@pytest.fixture(params=support.METRICS)
def metric(request):
    """Each of the five metrics in turn."""
    return request.param


@pytest.fixture
def data(metric):
    """600 seeded rows for the metric: 64 bits for hamming, 12 gaussian columns for the others."""
    return support.make_data(metric, 600, 64 if metric == "hamming" else 12)


@pytest.fixture
def built(metric, data):
    """A built index over `data`, 10 trees."""
    return support.build_index(metric, data)


@pytest.fixture
def saved_file(metric, data, tmp_path):
    """The file of a built index over `data`, 10 trees."""
    path = tmp_path / "items.ann"
    support.build_index(metric, data).save(str(path))
    return path


@pytest.fixture
def index():
    """Ten items on the line x = id, y = 1, z = 0; euclidean; three trees."""
    made = support.AnnoyIndex(3, "euclidean")
    for i in range(10):
        made.add_item(i, [i, 1, 0])
    made.build(3)
    return made
