"""Filters and exclusions: ids, masks, bitmaps; one for all queries, or one for each."""

import array

import numpy as np
import pytest

import linjin
from index_support import assert_true_hits, filled, make_vectors

N, DIM = 200, 12
VECTORS = make_vectors("euclidean", N, DIM)
QUERIES = make_vectors("euclidean", 6, DIM, seed=1)
SOME = [3, 50, 51, 7, 199]


class Bitmap(set):
    def to_array(self):
        return array.array("L", sorted(self))


class Column:
    """As pandas and PyArrow have them."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values


def mask(ids, n=N):
    return np.isin(np.arange(n), ids)


FORMS = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "dict": dict.fromkeys,
    "iterator": iter,
    "int64": lambda ids: np.array(ids, np.int64),
    "uint64": lambda ids: np.array(ids, np.uint64),
    "uint8": lambda ids: np.array(ids, np.uint8),
    "strided": lambda ids: np.repeat(ids, 2)[::2],
    "mask": mask,
    "strided mask": lambda ids: np.repeat(mask(ids), 2)[::2],
    "long mask": lambda ids: mask(ids, 1000),
    "mask that just holds all": lambda ids: mask(ids, max(ids) + 1),
    "bitmap": Bitmap,
    "column": Column,
    "column of bool": lambda ids: Column(mask(ids)),
    "read before": linjin.Filter,
    "mask read before": lambda ids: linjin.Filter(mask(ids)),
    "read twice": lambda ids: linjin.Filter(linjin.Filter(np.array(ids))),
    "mask of other bytes than 1": lambda ids: (np.arange(N, dtype=np.uint8) * mask(ids)).view(bool),
    "twice": lambda ids: [*ids, *ids],
    "with unknown ids": lambda ids: [*ids, 5000, 2**64 - 1],
}


@pytest.fixture(scope="module")
def index():
    return filled("euclidean", VECTORS)


def rows(within):
    return VECTORS[within], np.asarray(within)


def without(ids):
    return [i for i in range(N) if i not in ids]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_filter(index, form):
    for k in (3, 20):
        hits = index.search(QUERIES[0], k, filter=FORMS[form](SOME), exact=True)
        assert_true_hits("euclidean", hits, QUERIES[0], VECTORS[SOME], k, SOME)
    assert index.search(QUERIES[0], 20, filter=FORMS[form](SOME)).counts == 5


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_exclusion(index, form):
    kept = without(SOME)
    hits = index.search(QUERIES[0], N, exclude=FORMS[form](SOME), exact=True)
    assert_true_hits("euclidean", hits, QUERIES[0], VECTORS[kept], N, kept)
    assert not np.isin(index.search(QUERIES[0], 50, exclude=FORMS[form](SOME)).ids, SOME).any()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_for_all_queries(index, form):
    hits = index.search(QUERIES, 8, filter=FORMS[form](SOME), exact=True)
    assert hits.counts.tolist() == [5] * 6
    for i, query in enumerate(QUERIES):
        one = index.search(query, 8, filter=SOME, exact=True)
        assert hits.ids[i].tolist() == one.ids.tolist() + [linjin.NO_ID] * 3


def test_one_id_as_a_set(index):
    assert index.search(QUERIES[0], 5, filter=7).ids.tolist() == [7]
    assert 7 not in index.search(QUERIES[0], N, exclude=np.int64(7), exact=True).ids


@pytest.mark.parametrize(
    "nothing", [[], (), set(), np.array([]), np.empty(0, np.int64), np.zeros(N, bool), np.empty(0, bool)]
)
def test_empty_sets(index, nothing):
    assert index.search(QUERIES[0], 5, filter=nothing).counts == 0
    assert index.search(QUERIES, 5, filter=nothing).counts.tolist() == [0] * 6
    want = index.search(QUERIES, 5, exact=True).ids
    assert np.array_equal(index.search(QUERIES, 5, exclude=nothing, exact=True).ids, want)


def test_filter_and_exclusion_together(index):
    within = [1, 2, 3, 4, 5]
    hits = index.search(QUERIES[0], 10, filter=within, exclude=mask([2, 4, 100]), exact=True)
    assert sorted(hits.ids.tolist()) == [1, 3, 5]


def test_a_set_for_each_query(index):
    sets = [SOME, None, mask([1, 2]), {9}, linjin.Filter([]), np.array([4, 5, 6])]
    plain = [SOME, list(range(N)), [1, 2], [9], [], [4, 5, 6]]
    hits = index.search(QUERIES, 10, filter=sets, exact=True)
    assert hits.counts.tolist() == [5, 10, 2, 1, 0, 3]
    for i, within in enumerate(plain):
        one = index.search(QUERIES[i], 10, filter=within, exact=True)
        assert hits.ids[i, : hits.counts[i]].tolist() == one.ids.tolist()
        assert_true_hits("euclidean", one, QUERIES[i], VECTORS[within], 10, within)
    hits = index.search(QUERIES, N, exclude=sets, exact=True)
    assert hits.counts.tolist() == [N - 5, N, N - 2, N - 1, N, N - 3]
    for i, gone in enumerate(sets):
        if gone is not None:
            assert not np.isin(list(plain[i]), hits.ids[i]).any()


@pytest.mark.parametrize("sets", [[None] * 6, [[1], None] * 3, [None, [1]] * 3, (None, [1], [1], None, None, [1])])
def test_none_among_the_filters(index, sets):
    hits = index.search(QUERIES, 4, filter=sets, exact=True)
    free = index.search(QUERIES, 4, exact=True)
    for i, within in enumerate(sets):
        want = free.ids[i].tolist() if within is None else [1] + [linjin.NO_ID] * 3
        assert hits.ids[i].tolist() == want


def test_arrays_with_a_row_for_each_query(index):
    seen = index.search(QUERIES, 5, exact=True)
    then = index.search(QUERIES, 5, exclude=seen.ids, exact=True)
    both = index.search(QUERIES, 10, exact=True)
    assert np.array_equal(np.hstack([seen.ids, then.ids]), both.ids)
    masks = np.array([mask(row) for row in seen.ids])
    assert np.array_equal(index.search(QUERIES, 5, filter=masks, exact=True).ids, seen.ids)
    # Padded as it comes from a search.
    padded = index.search(QUERIES, 9, filter=SOME, exact=True).ids
    assert index.search(QUERIES, N, exclude=padded, exact=True).counts.tolist() == [N - 5] * 6


def test_a_set_for_the_one_query(index):
    assert index.search(QUERIES[:1], 5, filter=[[3, 4]]).counts.tolist() == [2]
    assert index.search(QUERIES[0], 5, filter=[[3, 4]]).counts == 2
    assert index.search(QUERIES[0], 5, filter=[None]).counts == 5


def test_a_set_that_is_read_before(index):
    ids = np.array(SOME)
    filters = [linjin.Filter(ids), [linjin.Filter(ids), linjin.Filter([])] * 3]
    ids[:] = 0  # it was copied
    for filter, counts in zip(filters, ([5] * 6, [5, 0] * 3)):
        assert index.search(QUERIES, 9, filter=filter, exact=True).counts.tolist() == counts
    assert repr(filters[0]) == "<linjin.Filter of 5 ids>"
    assert repr(linjin.Filter([1 << 60, 7])) == "<linjin.Filter of 2 ids>"
    for wrong, error in (([-1], ValueError), (["a"], TypeError), (None, TypeError), (np.ones((2, 3), bool), ValueError)):
        with pytest.raises(error):
            linjin.Filter(wrong)


@pytest.mark.parametrize("filter", [linjin.Filter([1]), [linjin.Filter([1]), ["a"]]])
def test_a_set_of_numbers_that_is_read_before_means_nothing_where_items_have_names(filter):
    names = linjin.Index(DIM)
    names.add(VECTORS[:2], ids=["a", "b"])
    with pytest.raises(TypeError, match="strings"):
        names.search(QUERIES[:2], 1, filter=filter)


@pytest.mark.parametrize("n", [1, 5, 7])
def test_another_number_of_sets(index, n):
    for sets in ([[1]] * n, [None] * n, np.ones((n, N), bool)):
        for name in ("filter", "exclude"):
            with pytest.raises(ValueError, match=f"{n} filters for 6 queries"):
                index.search(QUERIES, 5, **{name: sets})
            with pytest.raises(ValueError, match=f"{n} filters for 3 queries"):
                index.search(QUERIES[:3], 5, **{name: sets})


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ([-1], ValueError),
        (np.array([-1]), ValueError),
        ([1.0], TypeError),
        (np.array([1.0]), TypeError),
        (["a"], TypeError),
        ("a", ValueError),  # an expression on a column that is not there
        (3.5, TypeError),
        ([True, False], TypeError),
        ([[1], 2.5], TypeError),
        ([1, [2]], TypeError),
        ([1, None], TypeError),
        ([[[1]]], TypeError),
        (np.zeros((1, 1, 3), bool), ValueError),
        (np.zeros((1, 1, 3), int), ValueError),
        (object(), TypeError),
        (lambda id: True, TypeError),
    ],
)
def test_what_is_no_set(index, wrong, error):
    for name in ("filter", "exclude"):
        with pytest.raises(error):
            index.search(QUERIES[0], 5, **{name: wrong})


def test_sparse_ids_and_masks():
    """A mask speaks of ids, not of places; ids beyond its end are not in it."""
    index = linjin.Index(1, "euclidean")
    index.add([[0], [1], [2], [3]], ids=[2, 64, 130, 2**64 - 2])
    assert index.search([0], filter=mask([2, 64, 65], 66)).ids.tolist() == [2, 64]
    assert index.search([0], exclude=mask([2, 64, 65], 66)).ids.tolist() == [130, 2**64 - 2]
    assert index.search([0], filter=[2**64 - 2, 5]).ids.tolist() == [2**64 - 2]


def test_masks_with_other_true_bytes(index):
    """NumPy can be brought to hold bools that are neither 0 nor 1."""
    odd = np.where(mask(SOME), 255, 0).astype(np.uint8).view(bool)
    assert index.search(QUERIES[0], 9, filter=odd).counts == 5


@pytest.mark.parametrize("share", [0.002, 0.02, 0.2, 0.9])
def test_recall_within_filters(metric, share):
    vectors, queries = make_vectors(metric, 4000, 24), make_vectors(metric, 20, 24, seed=1)
    allowed = np.random.default_rng(0).random(4000) < share
    index = filled(metric, vectors)
    true = index.search(queries, 10, filter=allowed, exact=True)
    hits = index.search(queries, 10, filter=allowed)
    assert allowed[hits.ids[hits.ids != linjin.NO_ID].astype(np.int64)].all()
    assert np.array_equal(hits.counts, true.counts)
    worst = np.where(np.isinf(true.distances), -np.inf, true.distances).max(axis=1, keepdims=True)
    found = np.isfinite(hits.distances) & (hits.distances <= worst + 1e-5 * np.abs(worst))
    assert found.sum() >= 0.9 * true.counts.sum()
