"""A pytest plugin: `import annoy` finds linjin.annoy in every test that runs with `-p as_annoy`.

With LINJIN_CLIENTS=annoy it does nothing, and the real Annoy answers: that is how the baselines of run.py were taken.
"""

import os

if os.environ.get("LINJIN_CLIENTS") != "annoy":
    import linjin.annoy

    linjin.annoy.install()


def pytest_report_header(config):
    """Says whose class is under test."""
    import annoy

    return f"import annoy: {annoy.AnnoyIndex.__module__}.{annoy.AnnoyIndex.__name__}"
