"""pickle, copy.copy and copy.deepcopy of an index in every state, of subclasses, and across processes."""

import copy
import pickle

import numpy as np
import pytest

from support import EXHAUSTIVE, AnnoyIndex, build_index, child_output, fill, load_index, make_data, metrics

pytestmark = pytest.mark.beyond

STATES = ("empty", "growing", "built", "saved", "loaded", "built and changed", "loaded and changed", "empty built")
WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {p}": (lambda index, p=p: pickle.loads(pickle.dumps(index, p))) for p in (2, pickle.HIGHEST_PROTOCOL)},
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


class Labelled(AnnoyIndex):
    """A subclass with attributes of its own."""

    def __init__(self, f, metric):
        super().__init__(f, metric)
        self.label = "none"


def index_in(state, metric, folder, f=16):
    data = make_data(metric, 300, f)
    if state == "empty":
        return AnnoyIndex(f, metric)
    if state == "empty built":
        return build_index(metric, data[:0], 3)
    if state == "growing":
        return fill(AnnoyIndex(f, metric), data, range(5, 305))
    index = build_index(metric, data, 6, ids=range(5, 305))
    if state.startswith(("saved", "loaded")):
        index.save(folder / "x.ann")
    if state.startswith("loaded"):
        index = load_index(metric, f, folder / "x.ann")
    if state.endswith("changed"):
        index.add_items(make_data(metric, 50, f, seed=1))
        index.delete_items(range(10, 30))
        index.add_items(make_data(metric, 20, f, seed=2), range(40, 60))
    return index


def everything(index):
    """All that can be asked of an index."""
    n = index.get_n_items()
    queries = make_data(index.metric, 10, index.f, seed=9)
    return (
        (index.f, index.metric, n, len(index), index.get_n_trees()),
        [i in index for i in range(n + 2)],
        [index.get_item_vector(i) for i in range(n)],
        [index.get_nns_by_vector(query, n, EXHAUSTIVE, True) for query in queries],
    )


@metrics()
@ways
@pytest.mark.parametrize("state", STATES)
def test_copy_is_equal_and_independent(metric, way, state, tmp_path):
    index = index_in(state, metric, tmp_path)
    before = everything(index)
    twin = way(index)
    assert type(twin) is AnnoyIndex and twin is not index
    assert everything(twin) == before == everything(index)
    twin.add_items(make_data(metric, 3, 16, seed=5))
    assert everything(index) == before
    assert twin.get_n_items() == index.get_n_items() + 3
    twin.unload()
    assert everything(index) == before
    changed = way(index)
    index.unload()
    assert everything(changed) == before


@metrics()
@ways
@pytest.mark.parametrize("state", ["built", "saved", "loaded"])
def test_copy_has_the_same_trees(metric, way, state, tmp_path):
    index = index_in(state, metric, tmp_path)
    twin = way(index)
    queries = make_data(metric, 30, 16, seed=9)
    for search_k in (-1, 20, 100):
        assert [twin.get_nns_by_vector(q, 10, search_k, True) for q in queries] == [
            index.get_nns_by_vector(q, 10, search_k, True) for q in queries
        ]


@ways
def test_copy_of_a_loaded_index_outlives_its_file(metric, way, tmp_path):
    index = index_in("loaded", metric, tmp_path)
    before = everything(index)
    twin = way(index)
    index.unload()
    (tmp_path / "x.ann").unlink()
    assert everything(twin) == before


@ways
def test_copy_of_a_growing_index_can_be_built(metric, way, tmp_path):
    index = index_in("growing", metric, tmp_path)
    twin = way(index)
    assert twin.get_nns_by_item(7, 5) == []
    twin.add_item(305, [1] * 16)
    twin.build(3)
    assert sorted(twin.get_nns_by_vector([1] * 16, -1)) == list(range(5, 306))
    assert (index.get_n_trees(), index.get_n_items()) == (0, 305)


@ways
def test_copy_of_a_built_index_saves(metric, way, tmp_path):
    index = index_in("built", metric, tmp_path)
    twin = way(index)
    with pytest.raises(Exception, match="You can't build a built index"):
        twin.build(2)
    twin.save(tmp_path / "twin.ann")
    index.save(tmp_path / "index.ann")
    assert (tmp_path / "twin.ann").read_bytes() == (tmp_path / "index.ann").read_bytes()


@ways
def test_subclass_keeps_its_class_and_attributes(metric, way, tmp_path):
    index = Labelled(16, metric)
    fill(index, make_data(metric, 50, 16))
    index.build(3)
    index.label = ["seen"]
    twin = way(index)
    assert type(twin) is Labelled
    assert twin.label == ["seen"]
    assert everything(twin) == everything(index)


def test_copy_shares_and_deepcopy_copies_attributes():
    index = Labelled(3, "dot")
    index.label = ["one"]
    assert copy.copy(index).label is index.label
    assert copy.deepcopy(index).label is not index.label


@ways
def test_nonfinite_items_survive(way):
    index = AnnoyIndex(2, "euclidean", allow_nonfinite=True)
    index.add_item(0, [float("inf"), 1])
    index.add_item(1, [0, 1])
    index.build(2)
    assert way(index).get_item_vector(0) == [float("inf"), 1]


def test_index_inside_other_objects(metric, tmp_path):
    index = index_in("built", metric, tmp_path)
    box = pickle.loads(pickle.dumps({"index": index, "again": index, "words": ["a"]}))
    assert box["index"] is box["again"]
    assert everything(box["index"]) == everything(index)


def test_pickle_of_another_process(metric, tmp_path):
    code = """
    import pickle
    index = build_index(sys.argv[1], make_data(sys.argv[1], 300, 16), 6)
    with open(sys.argv[2], "wb") as file:
        pickle.dump(index, file)
    print([index.get_nns_by_item(i, 10, -1, True) for i in range(20)])
    """
    path = tmp_path / "index.pickle"
    said = child_output(code, metric, path).strip()
    index = pickle.loads(path.read_bytes())
    assert repr([index.get_nns_by_item(i, 10, -1, True) for i in range(20)]) == said


def test_pickle_is_about_as_large_as_the_file(metric, tmp_path):
    index = index_in("built", metric, tmp_path)
    size = len(pickle.dumps(index))
    index.save(tmp_path / "x.ann")
    assert size <= (tmp_path / "x.ann").stat().st_size + 2000


def test_damaged_pickle_is_refused_not_crashed_on(metric, tmp_path):
    code = """
    import pickle
    index = build_index(sys.argv[1], make_data(sys.argv[1], 300, 16), 6)
    whole = bytearray(pickle.dumps(index))
    rng = np.random.default_rng(0)
    for _ in range(60):
        bad = bytearray(whole)
        for position in rng.integers(200, len(bad) - 20, 8):
            bad[position] = int(rng.integers(0, 256))
        try:
            twin = pickle.loads(bytes(bad))
            for search_k in (-1, 100, EXHAUSTIVE):
                assert all(0 <= i < twin.get_n_items() for i in twin.get_nns_by_vector([1] * 16, 10, search_k))
        except Exception:
            pass
    print("done")
    """
    assert child_output(code, metric) == "done\n"


def test_numpy_values_are_untouched_by_copies():
    data = make_data("dot", 20, 4)
    index = AnnoyIndex(4, "dot")
    index.add_items(data)
    keep = data.copy()
    twin = copy.deepcopy(index)
    data[:] = 0
    np.testing.assert_array_equal([twin.get_item_vector(i) for i in range(20)], keep)
    np.testing.assert_array_equal([index.get_item_vector(i) for i in range(20)], keep)
