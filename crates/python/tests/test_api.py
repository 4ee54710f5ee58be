"""Signatures, argument kinds, return types, exceptions and their texts, edge values of n and search_k."""

import array
import decimal
import re
import warnings

import numpy as np
import pytest

from support import FLOAT_METRICS, INT_MAX, METRICS, AnnoyIndex, build_index, make_data

beyond = pytest.mark.beyond

WARNING = (
    "The default argument for metric will be removed in future version of Annoy. "
    "Please pass metric='angular' explicitly."
)
TOO_LARGE = "Item index larger than the largest item index"
NEGATIVE = "Item index can not be negative"


class NoLength:
    def __getitem__(self, index):
        return 1.0


class NoItems:
    def __len__(self):
        return 3


class RaisingItems(NoItems):
    def __getitem__(self, index):
        raise ZeroDivisionError("the vector's own exception")


class RaisingLength(NoLength):
    def __len__(self):
        raise ZeroDivisionError("the vector's own exception")


class Integer:
    """An integer by __index__ alone."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


class Quarter:
    """A number by __float__ alone."""

    def __float__(self):
        return 0.25


@pytest.fixture
def index():
    """Ten items on the line x = id, y = 1, z = 0; euclidean; three trees."""
    made = AnnoyIndex(3, "euclidean")
    for i in range(10):
        made.add_item(i, [i, 1, 0])
    made.build(3)
    return made


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


# --- integers -------------------------------------------------------------------------------------------------------

INTEGER_CALLS = {
    "add_item": lambda index, i: index.add_item(i, [1, 2, 3]),
    "get_item_vector": lambda index, i: index.get_item_vector(i),
    "get_distance first": lambda index, i: index.get_distance(i, 0),
    "get_distance second": lambda index, i: index.get_distance(0, i),
    "by_item i": lambda index, i: index.get_nns_by_item(i, 1),
    "by_item n": lambda index, i: index.get_nns_by_item(0, i),
    "by_item search_k": lambda index, i: index.get_nns_by_item(0, 1, i),
    "by_item include_distances": lambda index, i: index.get_nns_by_item(0, 1, 1, i),
    "by_vector n": lambda index, i: index.get_nns_by_vector([1, 2, 3], i),
    "by_vector search_k": lambda index, i: index.get_nns_by_vector([1, 2, 3], 1, i),
    "by_vector include_distances": lambda index, i: index.get_nns_by_vector([1, 2, 3], 1, 1, i),
    "build n_trees": lambda index, i: index.build(i),
    "build n_jobs": lambda index, i: index.build(1, i),
    "set_seed": lambda index, i: index.set_seed(i),
    "verbose": lambda index, i: index.verbose(i),
}
integer_calls = pytest.mark.parametrize("call", INTEGER_CALLS.values(), ids=INTEGER_CALLS.keys())


@integer_calls
@pytest.mark.parametrize("value", [1.0, "1", [1], np.float64(1)])
def test_not_an_integer(index, call, value):
    index.unbuild()
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        call(index, value)


@pytest.mark.parametrize("name", [name for name in INTEGER_CALLS if "search_k" not in name])
def test_none_is_not_an_integer(index, name):
    index.unbuild()
    with pytest.raises(TypeError):
        INTEGER_CALLS[name](index, None)


@integer_calls
@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1), True, Integer(1)])
def test_anything_with_an_index_is_an_integer(index, call, value):
    index.unbuild()
    call(index, value)


@pytest.mark.parametrize("name", [name for name in INTEGER_CALLS if "include" not in name and name != "verbose"])
def test_over_int32(index, name):
    index.unbuild()
    with pytest.raises(OverflowError, match="^signed integer is greater than maximum$"):
        INTEGER_CALLS[name](index, INT_MAX + 1)
    with pytest.raises(OverflowError):
        INTEGER_CALLS[name](index, 2**70)


def test_under_int32(index):
    with pytest.raises(OverflowError, match="^signed integer is less than minimum$"):
        index.set_seed(-INT_MAX - 2)
    with pytest.raises(OverflowError):
        index.get_item_vector(-(2**70))


@pytest.mark.parametrize("seed", [0, -5, INT_MAX, -INT_MAX - 1])
def test_seeds_of_the_whole_int32_range(seed):
    data = make_data("angular", 50, 3)
    assert build_index("angular", data, seed=seed).get_nns_by_item(7, 1) == [7]


@pytest.mark.parametrize("flag", [0, False])
def test_false_flags(index, flag):
    assert index.get_nns_by_item(2, 1, include_distances=flag) == [2]
    assert index.get_nns_by_vector([2, 1, 0], 1, include_distances=flag) == [2]


@pytest.mark.parametrize("flag", [1, True, 2, -1])
def test_true_flags(index, flag):
    assert index.get_nns_by_item(2, 1, include_distances=flag) == ([2], [0.0])
    assert index.get_nns_by_vector([2, 1, 0], 1, include_distances=flag) == ([2], [0.0])


def test_prefault_is_a_small_flag(index, tmp_path):
    path = str(tmp_path / "x.ann")
    index.save(path, 2)
    for flag in (0, 1, 2, True, False):
        assert index.load(path, flag) is True
    for flag in (300, -1):
        with pytest.raises(OverflowError):
            index.load(path, flag)
    for flag in (None, "x", 1.0):
        with pytest.raises(TypeError):
            index.load(path, flag)


# --- vectors --------------------------------------------------------------------------------------------------------

VECTOR_CALLS = {
    "add_item": lambda index, vector: index.add_item(0, vector),
    "get_nns_by_vector": lambda index, vector: index.get_nns_by_vector(vector, 1),
}
vector_calls = pytest.mark.parametrize("call", VECTOR_CALLS.values(), ids=VECTOR_CALLS.keys())

GOOD_VECTORS = {
    "list": [1, 2, 3],
    "tuple": (1.0, 2, np.float32(3)),
    "float64": np.array([1.0, 2, 3]),
    "float32": np.array([1, 2, 3], dtype=np.float32),
    "float16": np.array([1, 2, 3], dtype=np.float16),
    "longdouble": np.array([1, 2, 3], dtype=np.longdouble),
    "int8": np.array([1, 2, 3], dtype=np.int8),
    "int64": np.array([1, 2, 3]),
    "uint64": np.array([1, 2, 3], dtype=np.uint64),
    "object": np.array([1, 2.0, decimal.Decimal(3)], dtype=object),
    "big-endian": np.array([1, 2, 3], dtype=">f4"),
    "big-endian double": np.array([1, 2, 3], dtype=">f8"),
    "strided": np.array([1, 9, 2, 9, 3, 9], dtype=np.float32)[::2],
    "reversed": np.array([3, 2, 1], dtype=np.float32)[::-1],
    "column": np.array([[1, 9], [2, 9], [3, 9]], dtype=np.float32)[:, 0],
    "unaligned": np.frombuffer(b"\0" + np.array([1, 2, 3], dtype=np.float32).tobytes(), dtype=np.float32, offset=1),
    "array.array": array.array("d", [1, 2, 3]),
    "array.array of ints": array.array("h", [1, 2, 3]),
    "memoryview": memoryview(np.array([1.0, 2, 3])),
    "range": range(1, 4),
    "bytes": b"\1\2\3",
    "bytearray": bytearray(b"\1\2\3"),
    "dict": {2: 3, 1: 2, 0: 1},
    "decimals": [decimal.Decimal(1), decimal.Decimal(2), decimal.Decimal(3)],
    "masked": np.ma.masked_array([1.0, 2, 3]),
}


@pytest.mark.parametrize("vector", GOOD_VECTORS.values(), ids=GOOD_VECTORS.keys())
def test_any_sequence_of_numbers_is_a_vector(vector):
    index = AnnoyIndex(3, "euclidean")
    index.add_item(0, [9, 9, 9])
    index.add_item(1, vector)
    assert index.get_item_vector(1) == [1, 2, 3]
    index.build(2)
    assert index.get_nns_by_vector(vector, 2, include_distances=True)[0] == [1, 0]
    assert index.get_nns_by_vector(vector, 1, include_distances=True) == ([1], [0.0])


def test_bools_and_float_likes_are_numbers():
    index = AnnoyIndex(4, "euclidean")
    index.add_item(0, [True, False, Quarter(), Integer(4)])
    index.add_item(1, np.array([True, False, True, False]))
    assert index.get_item_vector(0) == [1, 0, 0.25, 4]
    assert index.get_item_vector(1) == [1, 0, 1, 0]


def test_user_class_with_len_and_getitem_is_a_vector():
    class Ramp:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index * 0.5

    index = AnnoyIndex(3, "euclidean")
    index.add_item(0, Ramp())
    assert index.get_item_vector(0) == [0.0, 0.5, 1.0]


@vector_calls
@pytest.mark.parametrize(
    ("vector", "got"),
    [([], 0), ([1, 2], 2), ([1, 2, 3, 4], 4), ("ab", 2), (np.zeros((2, 3)), 2), (np.zeros((1, 3), np.float32), 1)],
)
def test_wrong_length(index, call, vector, got):
    with pytest.raises(IndexError, match=re.escape(f"Vector has wrong length (expected 3, got {got})")):
        call(index, vector)


@vector_calls
@pytest.mark.parametrize(
    ("vector", "text"),
    [
        (5, "object of type 'int' has no len()"),
        (None, "object of type 'NoneType' has no len()"),
        (iter([1, 2, 3]), "object of type 'list_iterator' has no len()"),
        (NoLength(), "object of type 'NoLength' has no len()"),
        (NoItems(), "'NoItems' object is not subscriptable"),
        ({1, 2, 3}, "'set' object is not subscriptable"),
        ("abc", "must be real number, not str"),
        ([1, "2", 3], "must be real number, not str"),
        ([1, None, 3], "must be real number, not NoneType"),
        ([1, 1j, 3], "must be real number, not complex"),
        ([1, [2], 3], "must be real number, not list"),
    ],
)
def test_not_a_vector(index, call, vector, text):
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        call(index, vector)


@vector_calls
@pytest.mark.parametrize("shape", [(3, 3), (3, 1), (3, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_dimensions_are_not_a_vector(index, call, shape, dtype):
    with pytest.raises(TypeError):
        call(index, np.ones(shape, dtype))


@vector_calls
def test_strings_in_an_array_are_not_numbers(index, call):
    with pytest.raises(TypeError, match="must be real number, not "):
        call(index, np.array(["1", "2", "3"]))


@vector_calls
def test_integer_beyond_a_double(index, call):
    with pytest.raises(OverflowError):
        call(index, [0, 10**400, 0])


@vector_calls
@pytest.mark.parametrize("vector", [RaisingItems(), RaisingLength()], ids=["items", "length"])
def test_exceptions_of_the_vector_come_through(index, call, vector):
    with pytest.raises(ZeroDivisionError, match="the vector's own exception"):
        call(index, vector)


@vector_calls
def test_dict_without_the_keys(index, call):
    with pytest.raises(KeyError):
        call(index, {5: 1, 6: 2, 7: 3})


def test_refused_vector_leaves_the_index_as_it_was():
    index = AnnoyIndex(3, "euclidean")
    index.add_item(0, [1, 2, 3])
    for vector in ([7, 8], [7, 8, "9"], 5, {7, 8, 9}):
        for item in (0, 1):
            with pytest.raises((IndexError, TypeError)):
                index.add_item(item, vector)
    assert index.get_n_items() == 1
    assert index.get_item_vector(0) == [1, 2, 3]


# --- item ids -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda index, i: index.add_item(i, [1, 2, 3]),
        lambda index, i: index.get_item_vector(i),
        lambda index, i: index.get_distance(i, 0),
        lambda index, i: index.get_distance(0, i),
        lambda index, i: index.get_nns_by_item(i, 1),
    ],
    ids=["add_item", "get_item_vector", "get_distance first", "get_distance second", "get_nns_by_item"],
)
@pytest.mark.parametrize("item", [-1, -2, -INT_MAX - 1])
def test_negative_item(index, call, item):
    with pytest.raises(IndexError, match=f"^{NEGATIVE}$"):
        call(index, item)


@pytest.mark.parametrize(
    "call",
    [
        lambda index, i: index.get_item_vector(i),
        lambda index, i: index.get_distance(i, 0),
        lambda index, i: index.get_distance(0, i),
        lambda index, i: index.get_nns_by_item(i, 1),
    ],
    ids=["get_item_vector", "get_distance first", "get_distance second", "get_nns_by_item"],
)
@pytest.mark.parametrize("item", [10, 11, 1000, INT_MAX])
def test_item_beyond_the_largest(index, call, item):
    with pytest.raises(IndexError, match=f"^{TOO_LARGE}$"):
        call(index, item)


def test_first_item_argument_is_checked_first(index):
    with pytest.raises(IndexError, match=NEGATIVE):
        index.get_distance(-1, 10)
    with pytest.raises(IndexError, match=TOO_LARGE):
        index.get_distance(10, -1)


@pytest.mark.parametrize("metric", METRICS)
def test_every_item_is_out_of_range_in_an_empty_index(metric):
    index = AnnoyIndex(3, metric)
    for call in (
        lambda: index.get_item_vector(0),
        lambda: index.get_distance(0, 0),
        lambda: index.get_nns_by_item(0, 1),
    ):
        with pytest.raises(IndexError, match=TOO_LARGE):
            call()


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


# --- builds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2, 4, 8, -1])
@pytest.mark.parametrize("n_trees", [1, 3, 8])
def test_exact_number_of_trees(metric, data, n_trees, n_jobs):
    index = AnnoyIndex(data.shape[1], metric)
    for i, row in enumerate(data):
        index.add_item(i, row)
    index.build(n_trees, n_jobs=n_jobs)
    assert index.get_n_trees() == n_trees
    assert index.get_nns_by_item(17, 1, -2)[0] in twins(data, 17)


def twins(data, row):
    """Ids of the rows equal to the row."""
    return np.flatnonzero((data == data[row]).all(axis=1)).tolist()


def test_automatic_number_of_trees():
    few = build_index("angular", make_data("angular", 1000, 3), -1)
    many = build_index("angular", make_data("angular", 1000, 40), -1)
    assert 1 <= few.get_n_trees() <= 4
    assert 10 <= many.get_n_trees() <= 24
    assert many.get_nns_by_item(5, 1) == [5]


@pytest.mark.parametrize("metric", METRICS)
def test_same_seed_same_answers(metric):
    data = make_data(metric, 1500, 16)
    one, two = (build_index(metric, data, 4, seed=42, n_jobs=1) for _ in range(2))
    for i in range(100):
        assert one.get_nns_by_item(i, 10, 60) == two.get_nns_by_item(i, 10, 60)


@pytest.mark.parametrize("metric", METRICS)
def test_another_seed_another_forest(metric):
    data = make_data(metric, 1500, 16)
    one, two = (build_index(metric, data, 4, seed=seed, n_jobs=1) for seed in (1, 2))
    assert any(one.get_nns_by_item(i, 10, 60) != two.get_nns_by_item(i, 10, 60) for i in range(100))


def test_seed_may_come_after_the_items():
    data = make_data("angular", 1500, 16)
    early = build_index("angular", data, 4, seed=42, n_jobs=1)
    late = AnnoyIndex(16, "angular")
    for i, row in enumerate(data):
        late.add_item(i, row)
    late.set_seed(42)
    late.build(4, 1)
    assert all(early.get_nns_by_item(i, 10, 60) == late.get_nns_by_item(i, 10, 60) for i in range(100))


@beyond
@pytest.mark.parametrize("n_trees", [7, -1])
def test_file_does_not_depend_on_n_jobs(metric, data, tmp_path, n_trees):
    files = []
    for n_jobs in (1, 2, 5, -1):
        index = AnnoyIndex(data.shape[1], metric)
        index.add_items(data)
        index.set_seed(3)
        index.build(n_trees, n_jobs)
        index.save(tmp_path / "x.ann")
        files.append((tmp_path / "x.ann").read_bytes())
    assert all(file == files[0] for file in files)


def test_verbose_build_reports_on_stderr(metric, data, capfd):
    index = AnnoyIndex(data.shape[1], metric)
    index.verbose(True)
    for i, row in enumerate(data):
        index.add_item(i, row)
    capfd.readouterr()
    index.build(20)
    assert capfd.readouterr().err.strip()
    index.verbose(False)
    index.unbuild()
    index.build(2)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
