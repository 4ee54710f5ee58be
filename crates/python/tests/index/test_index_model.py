"""Random sequences of calls against a plain-Python model: a dict of vectors, asked by brute force."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import linjin
from index_support import METRICS, assert_true_hits

DIM = 5
LARGEST = 2**64 - 2
IDS = st.one_of(st.integers(0, 12), st.integers(0, 60), st.integers(LARGEST - 3, LARGEST))
VECTOR = st.lists(st.integers(-3, 3), min_size=DIM, max_size=DIM)
ROWS = st.dictionaries(IDS, VECTOR, min_size=1, max_size=12)
SETS = st.lists(IDS, max_size=8)


class Model(RuleBasedStateMachine):
    """The vectors are small whole numbers, so that ties are many and every distance but the cosine is exact."""

    metric: str

    def __init__(self):
        super().__init__()
        self.index = linjin.Index(DIM, self.metric)
        self.vectors = {}
        self.next_id = 0  # one more than any id ever was

    def stored(self, rows):
        array = np.array(list(rows), np.float32).reshape(-1, DIM)
        return array > 0 if self.metric == "hamming" else array

    def put(self, rows):
        self.vectors.update(zip(rows, self.stored(rows.values())))
        self.next_id = max([self.next_id, *(id + 1 for id in rows)])

    # changes

    @rule(rows=st.lists(VECTOR, max_size=12))
    def append(self, rows):
        first = self.next_id
        if first + len(rows) > LARGEST + 1:
            return  # there are no larger ids
        ids = self.index.add(self.stored(rows))
        assert ids.tolist() == list(range(first, first + len(rows)))
        self.put(dict(zip(ids.tolist(), rows)))

    @rule(rows=ROWS)
    def add_or_refuse(self, rows):
        if self.vectors.keys() & rows.keys():
            with pytest.raises(ValueError, match="in use"):
                self.index.add(self.stored(rows.values()), ids=list(rows))
        else:
            self.index.add(self.stored(rows.values()), ids=list(rows))
            self.put(rows)

    @rule(rows=ROWS)
    def replace(self, rows):
        self.index.add(self.stored(rows.values()), ids=list(rows), replace=True)
        self.put(rows)

    @rule(rows=ROWS)
    def update_or_refuse(self, rows):
        if rows.keys() <= self.vectors.keys():
            self.index.update(list(rows), self.stored(rows.values()))
            self.put(rows)
        else:
            with pytest.raises(KeyError, match="not in the index"):
                self.index.update(list(rows), self.stored(rows.values()))

    @rule(data=st.data())
    def update(self, data):
        if self.vectors:
            ids = data.draw(st.lists(st.sampled_from(sorted(self.vectors)), unique=True))
            rows = {id: data.draw(VECTOR) for id in ids}
            self.index.update(ids, self.stored(rows.values()))
            self.put(rows)

    @rule(ids=st.lists(IDS, min_size=1, max_size=6, unique=True))
    def remove_or_refuse(self, ids):
        if set(ids) <= self.vectors.keys():
            self.index.remove(ids)
            for id in ids:
                del self.vectors[id]
        else:
            with pytest.raises(KeyError, match="not in the index"):
                self.index.remove(ids)

    @rule(data=st.data())
    def remove(self, data):
        if self.vectors:
            ids = data.draw(st.lists(st.sampled_from(sorted(self.vectors)), unique=True))
            self.index.remove(ids)
            for id in ids:
                del self.vectors[id]

    # questions

    def answer(self, hits, query, k, allowed):
        ids = [id for id in self.vectors if allowed(id)]
        vectors = self.stored([]) if not ids else np.array([self.vectors[id] for id in ids])
        assert_true_hits(self.metric, hits, query, vectors, k, ids)

    @rule(query=VECTOR, k=st.integers(0, 30))
    def search(self, query, k):
        query = self.stored([query])[0]
        self.answer(self.index.search(query, k, exact=True), query, k, lambda id: True)

    @rule(query=VECTOR, k=st.integers(1, 30), filter=st.none() | SETS, exclude=st.none() | SETS)
    def search_within(self, query, k, filter, exclude):
        query = self.stored([query])[0]
        hits = self.index.search(query, k, exact=True, filter=filter, exclude=exclude)
        self.answer(
            hits,
            query,
            k,
            lambda id: (filter is None or id in filter) and (exclude is None or id not in exclude),
        )

    @rule(queries=st.lists(VECTOR, max_size=5), k=st.integers(0, 12), data=st.data())
    def search_many(self, queries, k, data):
        sets = [data.draw(st.none() | SETS) for _ in queries]
        queries = self.stored(queries)
        hits = self.index.search(queries, k, exact=True, filter=sets)
        assert hits.ids.shape == hits.distances.shape == (len(queries), k)
        for i, (query, within) in enumerate(zip(queries, sets)):
            one = self.index.search(query, k, exact=True, filter=within)
            count = hits.counts[i]
            assert hits.ids[i, :count].tolist() == one.ids.tolist()
            assert np.allclose(hits.distances[i, :count], one.distances, atol=1e-6)
            assert (hits.ids[i, count:] == linjin.NO_ID).all()
            assert np.isposinf(hits.distances[i, count:]).all()

    @rule(id=IDS)
    def get(self, id):
        assert (id in self.index) == (id in self.vectors)
        if id in self.vectors:
            want = self.vectors[id]
            if self.metric == "hamming":
                want = np.packbits(want, bitorder="little")
            assert self.index.get(id).tolist() == want.tolist()
        else:
            with pytest.raises(KeyError, match=str(id)):
                self.index.get(id)

    @invariant()
    def same_ids(self):
        assert len(self.index) == len(self.vectors)
        assert self.index.ids.tolist() == sorted(self.vectors)


@pytest.mark.parametrize("metric", METRICS)
def test_random_calls(metric):
    machine = type(f"Model_{metric}", (Model,), {"metric": metric})
    case = machine.TestCase
    case.settings = settings(
        max_examples=50,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    case().runTest()
