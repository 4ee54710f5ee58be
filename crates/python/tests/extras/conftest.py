"""Tests of what fits linjin into other libraries; a library that is not installed has its tests skipped."""

import inspect

import pytest

import support

collect_ignore_glob = [] if support.IS_LINJIN else ["test_*.py"]


def pytest_collection_modifyitems(items):
    """Other people's asynchronous tests run with pytest-asyncio, in its strict mode too."""
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio)
