"""Every metric against scipy's numbers: exact searches, the default ones, ties, zero vectors, awkward dimensions."""

import numpy as np
import pytest

import linjin
from index_support import FLOAT_METRICS, assert_true_hits, close, distances, filled, make_vectors


@pytest.mark.parametrize("dim", [1, 2, 3, 7, 8, 9, 16, 31, 64, 65, 100, 257])
def test_exact_search_gives_scipys_numbers(metric, dim):
    vectors, queries = make_vectors(metric, 150, dim), make_vectors(metric, 5, dim, seed=1)
    index = filled(metric, vectors)
    for query in queries:
        assert_true_hits(metric, index.search(query, k=20, exact=True), query, vectors, 20)


def test_all_distances(metric):
    vectors, queries = make_vectors(metric, 300, 24), make_vectors(metric, 7, 24, seed=1)
    hits = filled(metric, vectors).search(queries, k=300, exact=True)
    want = distances(metric, queries, vectors)
    got = np.empty_like(want)
    np.put_along_axis(got, hits.ids.astype(np.int64), hits.distances.astype(np.float64), axis=1)
    assert close(got, want)


@pytest.mark.parametrize("effort", [{}, {"recall": 0.99}, {"ef": 200}])
def test_approximate_search_finds_most(metric, effort):
    vectors, queries = make_vectors(metric, 4000, 32), make_vectors(metric, 50, 32, seed=1)
    hits = filled(metric, vectors).search(queries, k=10, **effort)
    true = distances(metric, queries, vectors)
    worst = np.sort(true, axis=1)[:, 9:10]
    found = np.take_along_axis(true, hits.ids.astype(np.int64), axis=1)
    assert close(hits.distances, found)
    assert np.mean(found <= worst + 1e-5 * np.abs(worst)) >= 0.9


def test_a_vector_finds_itself(metric):
    if metric == "dot":
        pytest.skip("a longer vector has the larger product")
    vectors = make_vectors(metric, 500, 64)
    hits = filled(metric, vectors).search(vectors[:50], k=1, exact=True)
    assert hits.ids[:, 0].tolist() == list(range(50))
    assert np.abs(hits.distances).max() < 1e-3


def test_equal_vectors_come_by_the_smaller_id(metric):
    vectors = np.repeat(make_vectors(metric, 1, 16), 40, axis=0)
    ids = np.random.default_rng(0).permutation(1000)[:40]
    index = filled(metric, vectors, ids)
    for effort in ({}, {"exact": True}, {"ef": 50}):
        assert index.search(vectors[0], k=40, **effort).ids.tolist() == sorted(ids.tolist())
    assert index.search(vectors[0], k=7, exact=True).ids.tolist() == sorted(ids.tolist())[:7]


@pytest.mark.parametrize("metric", FLOAT_METRICS)
def test_zero_vectors(metric):
    vectors = make_vectors(metric, 60, 8)
    vectors[[3, 17, 40]] = 0
    index = filled(metric, vectors)
    for query in (vectors[0], np.zeros(8, np.float32)):
        assert_true_hits(metric, index.search(query, k=60, exact=True), query, vectors, 60)


def test_cosine_with_a_zero_vector_is_one():
    index = filled("cosine", np.array([[0, 0], [1, 0], [-1, 0]], np.float32))
    assert index.search([1, 0], k=3).distances.tolist() == [0, 1, 2]
    assert index.search([0, 0], k=3).distances.tolist() == [1, 1, 1]
    assert index.search([0, 0], k=3).ids.tolist() == [0, 1, 2]


def test_small_whole_numbers_are_exact():
    vectors = np.array([[0, 0], [3, 4], [1, 1]], np.float32)
    want = {
        "euclidean": ([0, 2, 1], [0, np.sqrt(np.float32(2)), 5]),
        "sqeuclidean": ([0, 2, 1], [0, 2, 25]),
        "manhattan": ([0, 2, 1], [0, 2, 7]),
    }
    for metric, (ids, numbers) in want.items():
        hits = filled(metric, vectors).search([0, 0], k=3)
        assert hits.ids.tolist() == ids
        assert hits.distances.tolist() == pytest.approx(numbers, rel=1e-6)
    hits = filled("dot", vectors).search([1, 2], k=3)
    assert (hits.ids.tolist(), hits.distances.tolist()) == ([1, 2, 0], [-11, -3, 0])


@pytest.mark.parametrize("scale", [1e-15, 1e15])
@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
def test_tiny_and_huge_values(metric, scale):
    vectors = make_vectors(metric, 50, 12) * np.float32(scale)
    hits = filled(metric, vectors).search(vectors[7], k=50, exact=True)
    true = np.sort(distances(metric, vectors[7:8], vectors)[0])
    unit = 1 if metric == "cosine" else scale
    assert hits.ids[0] == 7
    assert close(hits.distances / np.float32(unit), true / unit)


@pytest.mark.parametrize("dim", [1, 5, 8, 9, 64, 100])
def test_hamming_takes_packed_bits_like_bool(dim):
    vectors, queries = make_vectors("hamming", 80, dim), make_vectors("hamming", 6, dim, seed=1)
    packed = np.packbits(vectors, axis=1, bitorder="little")
    index, twin = filled("hamming", vectors), linjin.Index(dim, "hamming")
    twin.add(packed)
    assert index.get(index.ids).dtype == np.uint8
    assert np.array_equal(index.get(index.ids), packed)
    for query in queries:
        one = index.search(query, k=80)
        other = twin.search(np.packbits(query, bitorder="little"), k=80)
        assert one.ids.tolist() == other.ids.tolist()
        assert one.distances.tolist() == other.distances.tolist()
        assert_true_hits("hamming", one, query, vectors, 80)


def test_hamming_ignores_bits_beyond_the_dimension():
    index = linjin.Index(3, "hamming")
    index.add(np.array([[0b11111010], [0b00000010]], np.uint8))
    assert index.search(np.array([0b10101010], np.uint8), k=2).distances.tolist() == [0, 0]
