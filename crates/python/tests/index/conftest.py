"""Test set-up for `linjin.Index`: fixtures over its metrics; nothing runs when another package's class is tested."""

import pytest

import support
from index_support import METRICS

collect_ignore_glob = [] if support.IS_LINJIN else ["test_*.py"]


@pytest.fixture(params=METRICS)
def metric(request):
    """Each of the six metrics in turn."""
    return request.param
