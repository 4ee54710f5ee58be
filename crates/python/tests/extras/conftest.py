"""Tests of what fits linjin into other libraries; a library that is not installed has its tests skipped."""

import support

collect_ignore_glob = [] if support.IS_LINJIN else ["test_*.py"]


def pytest_configure(config):
    """LangChain's asynchronous tests expect pytest-asyncio to find them by itself."""
    config.option.asyncio_mode = "auto"
