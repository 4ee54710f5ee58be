"""The quick start, with a printed check of every step: build, save, map, ask, then add to the mapped index.

    python examples/quickstart.py

Exits 1 when a check fails.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import linjin
from linjin.annoy import AnnoyIndex

N, F, TREES, NEIGHBOURS = 1000, 40, 10, 100

failures = 0


def step(name, text, seconds=None):
    """One line of the report, with the time the step took."""
    took = "" if seconds is None else f"{seconds * 1e3:9.3f} ms"
    print(f"  {name:<8} {text:<52}{took}")


def check(text, ok):
    """One checked line of the report."""
    global failures
    failures += not ok
    print(f"  {'check':<8} {text + ' ':.<58} {'ok' if ok else 'FAILED'}")


def timed(call, *args, **kwargs):
    """What the call returns, and the seconds it took."""
    start = time.perf_counter()
    result = call(*args, **kwargs)
    return result, time.perf_counter() - start


def cosine(a, b):
    """The cosine of the angle between two vectors, computed here and not by linjin."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def main():
    """The steps, in order."""
    rng = np.random.default_rng(40)
    vectors = rng.normal(size=(N, F)).astype(np.float32)

    print(f"\nlinjin {linjin.__version__}: build, save, map, ask\n")
    step("make", f"{N:,} Gaussian vectors of {F} dimensions")

    t = AnnoyIndex(F, "angular")
    _, seconds = timed(lambda: [t.add_item(i, v) for i, v in enumerate(vectors)])
    step("add", "one add_item for each", seconds)
    _, seconds = timed(t.build, TREES)
    step("build", f"{TREES} trees", seconds)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_1000.ann"
        _, seconds = timed(t.save, str(path))
        step("save", f"{path.name}, {path.stat().st_size:,} bytes", seconds)

        u = AnnoyIndex(F, "angular")
        _, seconds = timed(u.load, str(path))
        step("load", "the file mapped into a second index", seconds)

        (ids, distances), seconds = timed(u.get_nns_by_item, 0, NEIGHBOURS, include_distances=True)
        step("ask", f"the {NEIGHBOURS} neighbours of item 0", seconds)
        cosines = [cosine(vectors[0], vectors[i]) for i in ids]

        print("\n  rank   item   distance   cosine")
        for rank in (0, 1, 2, 3, 4, NEIGHBOURS - 1):
            if rank == NEIGHBOURS - 1:
                print("   ...")
            print(f"  {rank + 1:4}   {ids[rank]:4}   {distances[rank]:8.4f}   {cosines[rank]:6.4f}")
        print()

        check("item 0 is its own nearest neighbour", ids[0] == 0)
        check(f"{NEIGHBOURS} different items came back", len(set(ids)) == NEIGHBOURS)
        check("the cosines descend", all(a >= b - 1e-6 for a, b in zip(cosines, cosines[1:])))
        expected = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * np.array(cosines)))
        check("every distance is sqrt(2 - 2 cos)", np.allclose(distances, expected, atol=2e-3))
        check("the saved index gives the same answer", t.get_nns_by_item(0, NEIGHBOURS) == ids)

        print("\nCan items be added dynamically? On the loaded index:\n")
        before = path.read_bytes()
        v = rng.normal(size=F).astype(np.float32)
        _, seconds = timed(u.add_item, N, v)
        step("add", f"u.add_item({N}, v)", seconds)
        check("found at once, by its vector", u.get_nns_by_vector(v, 1) == [N])
        check("found at once, by its id", u.get_nns_by_item(N, 10)[0] == N)

        print("\nAnd on the saved one:\n")
        t.add_item(N, v)
        _, seconds = timed(t.build, TREES)
        step("build", f"t.add_item({N}, v), then t.build({TREES}): all trees anew", seconds)
        check("the new item is found", t.get_nns_by_vector(v, 1) == [N])
        check("item 0 still comes first for itself", t.get_nns_by_item(0, NEIGHBOURS)[0] == 0)
        check("the file on disk has not changed", path.read_bytes() == before)

        t.save(str(path))
        again = AnnoyIndex(F, "angular")
        again.load(str(path))
        check("saved and mapped again, it is there", again.get_nns_by_vector(v, 1) == [N])
        for index in (t, u, again):
            index.unload()

    print(f"\n{'all checks passed' if not failures else f'{failures} checks FAILED'}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
