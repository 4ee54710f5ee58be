"""Signatures, return types, keywords and positions, edge values of n and search_k."""

import re
import warnings

import numpy as np
import pytest

from support import FLOAT_METRICS, INT_MAX, METRICS, AnnoyIndex, Integer, build_index, make_data

beyond = pytest.mark.beyond

WARNING = (
    "The default argument for metric will be removed in future version of Annoy. "
    "Please pass metric='angular' explicitly."
)


# --- the constructor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_metric_may_be_positional_or_keyword(metric):
    assert AnnoyIndex(7, metric).f == 7
    assert AnnoyIndex(7, metric=metric).f == 7
    assert AnnoyIndex(f=7, metric=metric).f == 7


def test_missing_metric_warns_and_means_angular():
    for arguments, keywords in (((2,), {}), ((), {"f": 2})):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            index = AnnoyIndex(*arguments, **keywords)
        assert [(w.category, str(w.message)) for w in caught] == [(FutureWarning, WARNING)]
        index.add_item(0, [5, 0])
        index.add_item(1, [0, 3])
        assert index.get_distance(0, 1) == pytest.approx(2**0.5, rel=1e-6)


def test_given_metric_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AnnoyIndex(2, "angular")


@pytest.mark.parametrize("name", ["banana", "cosine", "", "Angular", "angular ", "l2"])
def test_unknown_metric(name):
    with pytest.raises(ValueError, match="^No such metric$"):
        AnnoyIndex(3, name)


@pytest.mark.parametrize("metric", [None, 5, b"angular"])
def test_metric_of_wrong_type(metric):
    with pytest.raises(TypeError):
        AnnoyIndex(3, metric)


def test_constructor_arguments():
    with pytest.raises(TypeError, match="'f'"):
        AnnoyIndex()
    with pytest.raises(TypeError):
        AnnoyIndex(3, "angular", 5)
    with pytest.raises(TypeError):
        AnnoyIndex(3, metric="angular", q=5)


@pytest.mark.parametrize("f", ["3", 3.0, None, [3]])
def test_f_of_wrong_type(f):
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        AnnoyIndex(f, "angular")


@pytest.mark.parametrize(("f", "want"), [(np.int64(4), 4), (np.uint8(4), 4), (True, 1), (Integer(4), 4), (0, 0)])
def test_f_is_anything_with_an_index(f, want):
    assert AnnoyIndex(f, "angular").f == want
    assert type(AnnoyIndex(f, "angular").f) is int


def test_f_over_int32():
    with pytest.raises(OverflowError):
        AnnoyIndex(INT_MAX + 1, "angular")


@beyond
def test_negative_f_is_refused():
    with pytest.raises(ValueError):
        AnnoyIndex(-1, "angular")


@beyond
def test_f_and_metric_are_read_only(index):
    with pytest.raises(AttributeError):
        index.f = 4
    with pytest.raises(AttributeError):
        index.metric = "angular"
    assert (index.f, index.metric) == (3, "euclidean")
    assert index.get_item_vector(2) == [2, 1, 0]


@beyond
@pytest.mark.parametrize("metric", METRICS)
def test_metric_attribute(metric):
    assert AnnoyIndex(2, metric).metric == metric


@beyond
def test_metric_attribute_when_omitted():
    with pytest.warns(FutureWarning):
        assert AnnoyIndex(2).metric == "angular"


@beyond
def test_allow_nonfinite_is_keyword_only():
    AnnoyIndex(2, "dot", allow_nonfinite=True)
    with pytest.raises(TypeError):
        AnnoyIndex(2, "dot", True)


# --- the object -----------------------------------------------------------------------------------------------------


def test_class_name():
    assert AnnoyIndex.__name__ == "Annoy"
    assert re.fullmatch(r"<[\w.]*annoy\.Annoy object at 0x[0-9a-f]+>", repr(AnnoyIndex(3, "dot")))


@beyond
def test_class_module_and_alias():
    import linjin
    import linjin.annoy
    import linjin.annoy.annoylib

    assert AnnoyIndex.__module__ == "linjin.annoy"
    assert linjin.annoy.Annoy is linjin.annoy.AnnoyIndex
    assert linjin.annoy.annoylib.Annoy is linjin.annoy.AnnoyIndex
    assert isinstance(linjin.__version__, str)


def test_equality_and_hash_are_identity(index):
    twin = AnnoyIndex(3, "euclidean")
    assert index == index and index != twin
    assert len({index, twin, index}) == 2


def test_index_is_true_even_when_empty(index):
    assert bool(index) is True
    assert bool(AnnoyIndex(3, "dot")) is True


def test_unknown_attribute_cannot_be_set(index):
    with pytest.raises(AttributeError):
        index.colour = "red"


def test_no_iteration_and_no_subscript(index):
    with pytest.raises(TypeError):
        iter(index)
    with pytest.raises(TypeError):
        index[0]


def test_subclass_with_its_own_init():
    class Words(AnnoyIndex):
        def __init__(self, f, metric):
            super().__init__(f, metric)
            self.words = {}

        def add_word(self, word, vector):
            self.words[self.get_n_items()] = word
            self.add_item(self.get_n_items(), vector)

    words = Words(2, "euclidean")
    words.add_word("near", [0, 1])
    words.add_word("far", [9, 9])
    words.build(2)
    assert isinstance(words, AnnoyIndex)
    assert [words.words[i] for i in words.get_nns_by_vector([0, 0], 2)] == ["near", "far"]


# --- what the methods return ----------------------------------------------------------------------------------------


def test_return_values_of_the_life_cycle(tmp_path):
    path = str(tmp_path / "x.ann")
    index = AnnoyIndex(3, "angular")
    assert index.set_seed(5) is None
    assert index.verbose(False) is True
    assert index.on_disk_build(str(tmp_path / "disk.ann")) is True
    assert index.unload() is True
    assert index.add_item(0, [1, 2, 3]) is None
    assert index.unbuild() is True
    assert index.build(2) is True
    assert index.unbuild() is True
    assert index.build(2, 1) is True
    assert index.save(path) is True
    assert index.load(path) is True
    assert index.unload() is True
    assert index.unload() is True


def test_query_types(index):
    for ids in (index.get_nns_by_item(0, 3), index.get_nns_by_vector([0, 0, 0], 3)):
        assert type(ids) is list and [type(i) for i in ids] == [int] * 3
    for answer in (
        index.get_nns_by_item(0, 3, include_distances=True),
        index.get_nns_by_vector([0, 0, 0], 3, include_distances=True),
    ):
        assert type(answer) is tuple and len(answer) == 2
        ids, distances = answer
        assert type(ids) is list and [type(i) for i in ids] == [int] * 3
        assert type(distances) is list and [type(d) for d in distances] == [float] * 3


@pytest.mark.parametrize("metric", METRICS)
def test_value_types(metric):
    index = build_index(metric, make_data(metric, 5, 4))
    vector = index.get_item_vector(3)
    assert type(vector) is list and [type(x) for x in vector] == [float] * 4
    assert type(index.get_distance(0, 1)) is float
    assert type(index.get_n_items()) is int and type(index.get_n_trees()) is int


@pytest.mark.parametrize("metric", FLOAT_METRICS)
def test_item_vector_is_the_float32_that_went_in(metric):
    index = AnnoyIndex(3, metric)
    index.add_item(0, [0.1, -1e-30, 3e38])
    assert index.get_item_vector(0) == [float(np.float32(x)) for x in (0.1, -1e-30, 3e38)]


def test_hamming_takes_more_than_half_as_one():
    index = AnnoyIndex(7, "hamming")
    index.add_item(0, [0, 0.5, 0.51, 1, -3, 100, 0.49])
    assert index.get_item_vector(0) == [0, 0, 1, 1, 0, 1, 0]


# --- keywords and positions -----------------------------------------------------------------------------------------


def test_keywords(index, tmp_path):
    path = str(tmp_path / "x.ann")
    other = AnnoyIndex(f=3, metric="euclidean")
    other.add_item(i=0, vector=[1, 2, 3])
    other.build(n_trees=4, n_jobs=2)
    assert other.get_n_trees() == 4
    assert other.save(fn=path, prefault=False) is True
    assert other.load(fn=path, prefault=True) is True
    assert other.unload() is True
    assert other.on_disk_build(fn=str(tmp_path / "disk.ann")) is True
    by_item = index.get_nns_by_item(i=2, n=2, search_k=100, include_distances=True)
    assert by_item == ([2, 1], [0.0, 1.0])
    by_vector = index.get_nns_by_vector(vector=[2, 1, 0], n=2, search_k=100, include_distances=True)
    assert by_vector == ([2, 1], [0.0, 1.0])


def test_all_query_arguments_may_be_positional(index):
    assert index.get_nns_by_item(2, 2, 100, True) == ([2, 1], [0.0, 1.0])
    assert index.get_nns_by_vector([2, 1, 0], 2, 100, True) == ([2, 1], [0.0, 1.0])


@pytest.mark.parametrize(
    ("method", "keywords"),
    [
        ("get_item_vector", {"i": 0}),
        ("get_distance", {"i": 0, "j": 1}),
        ("verbose", {"v": 0}),
        ("set_seed", {"s": 1}),
    ],
)
def test_positional_only(index, method, keywords):
    with pytest.raises(TypeError):
        getattr(index, method)(**keywords)


@pytest.mark.parametrize(
    ("method", "arguments", "keywords"),
    [
        ("add_item", (), {"i": 0, "v": [1, 2, 3]}),
        ("build", (), {"q": 3}),
        ("build", (3, 1, 2), {}),
        ("get_nns_by_item", (), {"item": 0, "n": 1}),
        ("get_nns_by_item", (0, 1, -1, False, 1), {}),
        ("get_nns_by_vector", (), {"v": [1, 2, 3], "n": 1}),
        ("get_nns_by_vector", ([1, 2, 3], 1), {"q": 1}),
        ("get_nns_by_vector", ([1, 2, 3], 1, -1, False, 1), {}),
        ("get_item_vector", (0, 1), {}),
        ("get_distance", (0, 1, 2), {}),
        ("unbuild", (1,), {}),
        ("unload", (1,), {}),
        ("get_n_items", (1,), {}),
        ("get_n_trees", (1,), {}),
        ("load", ("x", False, 1), {}),
        ("save", ("x", False, 1), {}),
    ],
)
def test_foreign_arguments(index, method, arguments, keywords):
    with pytest.raises(TypeError):
        getattr(index, method)(*arguments, **keywords)


@pytest.mark.parametrize(
    ("method", "arguments", "missing"),
    [
        ("add_item", (), "'i'"),
        ("add_item", (0,), "'vector'"),
        ("build", (), "'n_trees'"),
        ("save", (), "'fn'"),
        ("load", (), "'fn'"),
        ("on_disk_build", (), "'fn'"),
        ("get_nns_by_item", (), "'i'"),
        ("get_nns_by_item", (0,), "'n'"),
        ("get_nns_by_vector", (), "'vector'"),
        ("get_nns_by_vector", ([1, 2, 3],), "'n'"),
        ("get_item_vector", (), "argument"),
        ("get_distance", (0,), "argument"),
        ("verbose", (), "argument"),
        ("set_seed", (), "argument"),
    ],
)
def test_missing_arguments_are_named(index, method, arguments, missing):
    with pytest.raises(TypeError, match=missing):
        getattr(index, method)(*arguments)


# --- edge values of n and search_k ----------------------------------------------------------------------------------


def by_item(index, *arguments, **keywords):
    return index.get_nns_by_item(0, *arguments, **keywords)


def by_vector(index, *arguments, **keywords):
    return index.get_nns_by_vector(index.get_item_vector(0), *arguments, **keywords)


both_queries = pytest.mark.parametrize("query", [by_item, by_vector])


@both_queries
def test_no_results_asked(metric, built, query):
    assert query(built, 0) == []
    assert query(built, 0, include_distances=True) == ([], [])


@both_queries
@pytest.mark.parametrize("n", [-1, -2])
def test_negative_n_means_all(metric, built, query, n):
    assert sorted(query(built, n)) == list(range(600))


@both_queries
@pytest.mark.parametrize("n", [600, 601, 100_000, 999_999_999])
def test_n_beyond_the_items_means_all(metric, built, query, n):
    assert sorted(query(built, n)) == list(range(600))


@both_queries
def test_search_k_zero_means_nothing(metric, built, query):
    assert query(built, 5, 0) == []
    assert query(built, 5, 0, include_distances=True) == ([], [])


@both_queries
@pytest.mark.parametrize("search_k", [-2, -3, -1000, INT_MAX, 100_000])
def test_search_k_without_limit(metric, built, query, search_k):
    assert sorted(query(built, 600, search_k)) == list(range(600))
    assert query(built, 5, search_k) == query(built, 600, -2)[:5]


@both_queries
def test_search_k_minus_one_is_n_times_n_trees(metric, built, query):
    for n in (1, 3, 10, 40):
        assert query(built, n, -1) == query(built, n) == query(built, n, n * 10)


@both_queries
def test_small_search_k_may_give_fewer_results(metric, built, query):
    answer = query(built, 600, 1)
    assert 1 <= len(answer) < 600


@both_queries
def test_fewer_items_than_n(query):
    index = build_index("euclidean", make_data("euclidean", 4, 3))
    assert sorted(query(index, 10)) == [0, 1, 2, 3]


@beyond
@both_queries
def test_search_k_none_is_the_default(metric, built, query):
    assert query(built, 7, None) == query(built, 7)
    assert query(built, 7, search_k=None, include_distances=True) == query(built, 7, include_distances=True)


@beyond
@both_queries
@pytest.mark.parametrize("n", [2**28, 2**29, 2**30, INT_MAX])
def test_n_times_n_trees_saturates(metric, built, query, n):
    assert sorted(query(built, n)) == list(range(600))
