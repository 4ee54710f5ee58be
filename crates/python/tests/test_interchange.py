"""Files in both directions: golden files of Annoy 1.17.3, a live Annoy where there is one, and install()."""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pytest

from support import (
    EXHAUSTIVE,
    METRICS,
    AnnoyIndex,
    build_index,
    child_output,
    class_named,
    fill,
    load_index,
    make_data,
    metrics,
)

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.ann"))
golden = pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
beyond = pytest.mark.beyond


def ask(index, query, n, search_k):
    """One answer with distances; the query is an id or a vector."""
    if isinstance(query, int):
        return index.get_nns_by_item(query, n, search_k, True)
    return index.get_nns_by_vector(query, n, search_k, True)


def agree(metric, got, want, largest=1.0):
    """Distances equal within 1e-6. Angular: 2 - 2 cos cancels near 0, so the squares are compared, in units of 2. Dot: an
    inner product cancels likewise, in units of the largest of them; Annoy sums in another order on another CPU."""
    if metric == "angular":
        return np.allclose(np.square(got), np.square(want), rtol=1e-6, atol=2e-6)
    if metric == "dot":
        return np.allclose(got, want, rtol=1e-6, atol=1e-6 * max(1.0, largest, *np.abs(want)))
    return got == pytest.approx(want, rel=1e-6, abs=1e-6)


def same_answer(metric, got, want):
    """Identical ids and equal distances; only items that are equally far but for float32 rounding may change places."""
    if len(got[0]) != len(want[0]) or not agree(metric, got[1], want[1]):
        return False
    if got[0] == want[0]:
        return True
    if metric == "hamming":
        return False
    moved = {i for i, j in zip(got[0], want[0]) if i != j} | {j for i, j in zip(got[0], want[0]) if i != j}
    ours, theirs = dict(zip(*got)), dict(zip(*want))
    last = want[1][-1]
    largest = max(map(abs, want[1]))
    return all(agree(metric, [ours.get(i, last)], [theirs.get(i, last)], largest) for i in moved)


# --- golden files ---------------------------------------------------------------------------------------------------


def test_golden_files_are_there():
    assert len(GOLDEN) == 48
    assert {path.stem.split("-")[0] for path in GOLDEN} == set(METRICS)
    assert all(path.with_suffix(".json").exists() for path in GOLDEN)


@golden
def test_golden_answers(path):
    said = json.loads(path.with_suffix(".json").read_text())
    metric = said["metric"]
    index = load_index(metric, said["f"], path)
    assert index.get_n_items() == said["n_items"]
    for query in said["queries"]:
        key = query["item"] if "item" in query else query["vector"]
        ids, reported = ask(index, key, query["n"], query["search_k"])
        assert ids == query["ids"]
        assert agree(metric, reported, query["distances"])
    for i, j, distance in said["distances"]:
        assert agree(metric, [index.get_distance(i, j)], [distance])
    for item, vector in said["vectors"].items():
        assert index.get_item_vector(int(item)) == [float(np.float32(x)) for x in vector]


@beyond
@golden
def test_golden_counts(path):
    said = json.loads(path.with_suffix(".json").read_text())
    index = load_index(said["metric"], said["f"], path)
    assert len(index) == said["n_live"]
    if "threads" in path.stem:  # a root stands there twice for Annoy, and so it does in the default search_k
        assert index.get_n_trees() in (said["n_trees"], said["n_trees_of_annoy"])
    else:
        assert index.get_n_trees() == said["n_trees"]


@beyond
@golden
def test_golden_answers_survive_a_save(path, tmp_path):
    said = json.loads(path.with_suffix(".json").read_text())
    index = load_index(said["metric"], said["f"], path)
    index.save(tmp_path / "copy.ann")
    assert (tmp_path / "copy.ann").read_bytes() == path.read_bytes()


@beyond
@golden
def test_golden_files_can_be_grown(path, tmp_path):
    said = json.loads(path.with_suffix(".json").read_text())
    metric, f = said["metric"], said["f"]
    index = load_index(metric, f, path)
    before = path.read_bytes()
    rows = make_data(metric, 30, f, seed=1)
    first = index.get_n_items()
    index.add_items(rows)
    assert len(index) == said["n_live"] + 30
    assert set(range(first, first + 30)) <= set(index.get_nns_by_vector(rows[0], -1, EXHAUSTIVE))
    assert path.read_bytes() == before


# --- with the real Annoy --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    """The class of the real Annoy."""
    try:
        version = importlib.metadata.version("annoy")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("annoy is not installed")
    found = class_named("annoy:AnnoyIndex")
    if found.__module__.startswith("linjin"):
        pytest.skip("annoy is linjin's own install()")
    assert version.startswith("1.17"), "the files of another Annoy may differ"
    return found


# (f, n, trees, which ids)
SHAPES = [
    (1, 50, 2, "dense"),
    (2, 300, 5, "dense"),
    (3, 5, 3, "dense"),
    (3, 1000, 10, "dense"),
    (5, 700, 4, "holes"),
    (8, 400, 1, "dense"),
    (10, 2000, 10, "dense"),
    (13, 999, 7, "late"),
    (16, 18, 5, "dense"),
    (16, 19, 5, "dense"),
    (25, 600, 12, "dense"),
    (40, 1500, 10, "dense"),
    (63, 300, 3, "holes"),
    (64, 300, 3, "dense"),
    (65, 500, 6, "dense"),
    (100, 1200, 8, "dense"),
    (127, 250, 20, "late"),
    (200, 150, 4, "dense"),
]
shapes = pytest.mark.parametrize(("f", "n", "n_trees", "kind"), SHAPES)


def ids_of(kind, n):
    """The ids that a shape has: all, every third missing, or starting at 50."""
    if kind == "holes":
        return [i for i in range(n * 3 // 2) if i % 3]
    return list(range(50, 50 + n)) if kind == "late" else list(range(n))


def eighteen_queries(metric, f, n_items):
    """(query, n, search_k): 18 for each file."""
    rng = np.random.default_rng([f, n_items])
    vectors = make_data(metric, 9, f, seed=21).tolist()
    items = [int(i) for i in rng.integers(0, n_items, 9)]
    sizes = [(10, -1), (1, -1), (30, -1), (10, 100), (10, 7), (20, 1000), (10, EXHAUSTIVE), (-1, -1), (5, 1)]
    return [(query, *size) for queries in (vectors, items) for query, size in zip(queries, sizes)]


def assert_same_answers(metric, one, two):
    assert one.get_n_items() == two.get_n_items()
    for query, n, search_k in eighteen_queries(metric, one.f, one.get_n_items()):
        got, want = ask(one, query, n, search_k), ask(two, query, n, search_k)
        assert same_answer(metric, got, want), (query, n, search_k, got, want)
    for i in range(0, one.get_n_items(), max(1, one.get_n_items() // 10)):
        assert one.get_item_vector(i) == two.get_item_vector(i)


@metrics()
@shapes
def test_files_of_annoy_answer_as_annoy_answers(real, metric, f, n, n_trees, kind, tmp_path):
    path = str(tmp_path / "annoy.ann")
    ids = ids_of(kind, n)
    build_index(metric, make_data(metric, n, f), n_trees, ids=ids, n_jobs=1, cls=real).save(path)
    assert_same_answers(metric, load_index(metric, f, path), load_index(metric, f, path, cls=real))


@metrics()
@shapes
def test_files_of_linjin_answer_in_annoy(real, metric, f, n, n_trees, kind, tmp_path):
    path = str(tmp_path / "linjin.ann")
    ids = ids_of(kind, n)
    index = build_index(metric, make_data(metric, n, f), n_trees, ids=ids)
    index.save(path)
    theirs = load_index(metric, f, path, cls=real)
    assert_same_answers(metric, load_index(metric, f, path), theirs)
    assert_same_answers(metric, index, theirs)
    if n > 300:
        assert theirs.get_n_trees() == n_trees


@beyond
@metrics()
@shapes
def test_files_of_linjin_after_changes_answer_in_annoy(real, metric, f, n, n_trees, kind, tmp_path):
    source, path = str(tmp_path / "annoy.ann"), str(tmp_path / "linjin.ann")
    ids = ids_of(kind, n)
    build_index(metric, make_data(metric, n, f), n_trees, ids=ids, n_jobs=1, cls=real).save(source)
    index = load_index(metric, f, source)
    rng = np.random.default_rng(n)
    live = set(ids)
    index.add_items(make_data(metric, n // 2, f, seed=1))
    live |= set(range(index.get_n_items() - n // 2, index.get_n_items()))
    gone = rng.choice(sorted(live), n // 3, replace=False).tolist()
    index.delete_items(gone)
    live -= set(gone)
    renewed = rng.choice(sorted(live), n // 5, replace=False).tolist()
    index.add_items(make_data(metric, len(renewed), f, seed=2), renewed)
    for i, row in enumerate(make_data(metric, 5, f, seed=3), start=index.get_n_items() + 3):
        index.add_item(i, row)
        live.add(i)
    exhaustive = [index.get_nns_by_vector(q, -1, EXHAUSTIVE, True) for q in make_data(metric, 3, f, seed=4)]
    index.save(path)
    theirs = load_index(metric, f, path, cls=real)
    ours = load_index(metric, f, path)
    assert_same_answers(metric, ours, theirs)
    assert_same_answers(metric, index, theirs)
    assert sorted(theirs.get_nns_by_vector([1] * f, -1)) == sorted(live)
    for query, (want, reported) in zip(make_data(metric, 3, f, seed=4), exhaustive):
        assert same_answer(metric, theirs.get_nns_by_vector(query, -1, EXHAUSTIVE, True), (want, reported))
    ours.build(n_trees)
    ours.save(path)
    assert sorted(load_index(metric, f, path, cls=real).get_nns_by_vector([1] * f, -1)) == sorted(live)


@beyond
@metrics()
def test_annoy_reads_files_built_on_disk(real, metric, tmp_path):
    path = str(tmp_path / "disk.ann")
    data = make_data(metric, 500, 20)
    index = AnnoyIndex(20, metric)
    index.on_disk_build(path)
    fill(index, data)
    index.build(4)
    assert_same_answers(metric, index, load_index(metric, 20, path, cls=real))


@beyond
@metrics()
@pytest.mark.parametrize("n_left", [0, 1, 2, 10])
def test_annoy_reads_files_with_hardly_an_item_left(real, metric, n_left, tmp_path):
    path = str(tmp_path / "few.ann")
    data = make_data(metric, 300, 12)
    index = build_index(metric, data, 4)
    index.save(path)
    index.load(path)
    index.delete_items(range(n_left, 300))
    index.save(path)
    theirs = load_index(metric, 12, path, cls=real)
    for search_k in (-1, EXHAUSTIVE):
        assert sorted(theirs.get_nns_by_vector(data[0], 20, search_k)) == list(range(n_left))


# --- install() ------------------------------------------------------------------------------------------------------


@beyond
def test_install_makes_import_annoy_find_linjin():
    code = """
    import linjin.annoy
    assert linjin.annoy.install() is None
    linjin.annoy.install()
    import annoy
    import annoy.annoylib
    from annoy import AnnoyIndex as found
    assert annoy is linjin.annoy and found is linjin.annoy.AnnoyIndex
    assert annoy.annoylib.Annoy is found and sys.modules["annoy.annoylib"] is linjin.annoy.annoylib
    index = found(2, "euclidean")
    index.add_item(0, [1, 2])
    index.build(2)
    assert index.get_nns_by_vector([1, 2], 1) == [0]
    print("done")
    """
    assert child_output(code) == "done\n"


@beyond
def test_without_install_nothing_is_replaced():
    code = """
    for name in list(sys.modules):
        assert name.split(".")[0] != "annoy"
    import linjin.annoy
    assert "annoy" not in sys.modules
    print("done")
    """
    assert child_output(code) == "done\n"


@beyond
def test_install_leaves_an_imported_annoy_with_its_holder(real):
    code = """
    import annoy
    theirs = annoy.AnnoyIndex
    import linjin.annoy
    linjin.annoy.install()
    import annoy as again
    assert again is linjin.annoy and annoy.AnnoyIndex is theirs and theirs is not again.AnnoyIndex
    index = theirs(2, "euclidean")
    index.add_item(0, [1, 2])
    index.build(2)
    assert index.get_nns_by_vector([1, 2], 1) == [0]
    print("done")
    """
    assert child_output(code) == "done\n"


@beyond
def test_pickles_do_not_depend_on_install():
    code = """
    import pickle
    import linjin.annoy
    linjin.annoy.install()
    import annoy
    index = annoy.AnnoyIndex(2, "dot")
    index.add_item(0, [1, 2])
    sys.stdout.buffer.write(pickle.dumps(index).hex().encode())
    """
    import pickle

    index = pickle.loads(bytes.fromhex(child_output(code)))
    assert type(index) is AnnoyIndex and index.get_item_vector(0) == [1, 2]
