"""What counts as an integer, a vector and an item id; what is refused, and with which text."""

import array
import decimal
import re

import numpy as np
import pytest

from support import INT_MAX, METRICS, AnnoyIndex, Integer, build_index, make_data

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


class Quarter:
    """A number by __float__ alone."""

    def __float__(self):
        return 0.25


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
