"""Runs the libraries that use Annoy on linjin, and compares with what they do on Annoy 1.17.3.

    python bench/clients/run.py [--checkouts DIR] [--annoy]

Runs in an environment that holds the libraries and linjin, and no annoy (`make clients` makes it): the tests that a
library's wheel or source package on PyPI carries, and for each library tests of ours. implicit's own tests are in its
repository only: DIR/implicit is a checkout of it. With --annoy the real Annoy answers (the environment must hold it):
that is how the baseline was taken. Exits 1 when a result is below the baseline.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = Path(sys.prefix) / "sources"


@dataclass
class Suite:
    """Tests to run, and what they do on Annoy 1.17.3: how many pass, and which fail for reasons of their own."""

    client: str
    what: str
    arguments: list
    passes: int
    known_failures: frozenset = field(default_factory=frozenset)
    tests: Path | None = None  # a folder, copied to where the run happens


def suites(checkouts):
    """Every suite that can be run here; a line is printed for one that cannot."""
    # gensim's three look for a file `.d` beside the index that gensim itself writes as `.dict`.
    yield Suite(
        "gensim",
        "the tests in its wheel",
        ["--pyargs", "gensim.test.test_similarities", "-k", "Annoy"],
        6,
        frozenset({"test_fast_text", "test_word2vec", "test_save"}),
    )
    if tests := from_source("sklearn-ann"):
        files = ["test_kneighbors/test_annoy.py", "test_kneighbors/test_common.py"]
        yield Suite("sklearn-ann", "the tests in its source package", [*files, "-k", "annoy or Annoy"], 4, tests=tests)
    if tests := from_source("vicinity"):
        yield Suite("vicinity", "the tests in its source package", [".", "-k", "ANNOY"], 12, tests=tests)
    if checkouts and (tests := checkouts / "implicit" / "tests").is_dir():
        yield Suite(
            "implicit", "the tests in its repository", ["approximate_als_test.py", "-k", "Annoy"], 22, tests=tests
        )
    else:
        print("implicit: its own tests are in its repository only; name a folder of checkouts to run them")
    for client, ours, passes in (
        ("implicit", "test_implicit.py", 5),
        ("sklearn-ann", "test_sklearn_ann.py", 5),
        ("vicinity", "test_vicinity.py", 7),
    ):
        yield Suite(client, "ours", [str(HERE / ours)], passes)


def from_source(client):
    """The folder `tests` of the client's source package, in the version installed; None when it cannot be had."""
    name = f"{client.replace('-', '_')}-{version(client)}"
    archive = SOURCES / f"{name}.tar.gz"
    if not archive.exists():
        download = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
        pinned = ["--no-binary", client, "--dest", str(SOURCES), f"{client}=={version(client)}"]
        done = subprocess.run(download + pinned, capture_output=True, text=True)
        if done.returncode:
            print(f"{client}: its source package cannot be had, so its own tests are not run")
            return None
    folder = SOURCES / name
    if not folder.exists():
        with tarfile.open(archive) as files:
            tests = [member for member in files.getmembers() if member.name.startswith(f"{name}/tests/")]
            options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            files.extractall(SOURCES, tests, **options)
    return folder / "tests"


def run(suite, real):
    """Runs the suite. Returns (how many passed, {failed}, how many skipped or expected to fail, what was printed)."""
    environment = os.environ | {
        "PYTHONPATH": str(HERE),
        "OPENBLAS_NUM_THREADS": "1",
        "LINJIN_CLIENTS": "annoy" if real else "linjin",
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if suite.tests:
            shutil.copytree(suite.tests, place / "tests")
            place /= "tests"
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-p", "as_annoy", "-p", "no:cacheprovider", "-c", os.devnull]
        command += ["--rootdir", str(place), "--junitxml", str(report), "--quiet", *suite.arguments]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    outcomes = [outcome(case) for case in cases]
    failed = {case.get("name") for case, how in zip(cases, outcomes) if how in ("failure", "error")}
    return outcomes.count("passed"), failed, outcomes.count("skipped"), done.stdout + done.stderr


def outcome(case):
    """What became of one test of a report: passed, failure, error or skipped."""
    return next((how for how in ("failure", "error", "skipped") if case.find(how) is not None), "passed")


def main():
    """Runs every suite and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkouts", type=Path)
    parser.add_argument("--annoy", action="store_true")
    options = parser.parse_args()
    if (importlib.util.find_spec("annoy") is not None) != options.annoy:
        sys.exit("the real annoy is " + ("not installed here" if options.annoy else "installed here: it must not be"))

    bad = total = broken = 0
    for suite in suites(options.checkouts):
        passed, failed, skipped, printed = run(suite, options.annoy)
        surprises = failed - suite.known_failures
        good = passed >= suite.passes and not surprises
        bad += not good
        total += passed
        broken += len(surprises)
        known = f", {len(failed & suite.known_failures)} fail on Annoy too" if failed & suite.known_failures else ""
        other = f", {skipped} skipped or expected to fail" if skipped else ""
        label = f"{suite.client} {version(suite.client)}, {suite.what}"
        print(
            f"{label:<56} {passed} passed (Annoy: {suite.passes}){known}{other}   {'ok' if good else 'BELOW'}",
            flush=True,
        )
        if not good:
            print(printed)
    print(f"{total} passed, {broken} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
