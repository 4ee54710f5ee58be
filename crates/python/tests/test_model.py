"""Random sequences of calls against a plain-Python model: a dict of vectors, a state, and what each file holds."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support import EXHAUSTIVE, AnnoyIndex, close, distances, sort_keys

pytestmark = pytest.mark.beyond

F = 5
IDS = st.one_of(st.integers(0, 12), st.integers(0, 12), st.integers(0, 60))
SMALL = st.integers(-3, 3)
VECTOR = st.lists(SMALL, min_size=F, max_size=F)
FILES = st.sampled_from(["one.ann", "two.ann"])


class Model(RuleBasedStateMachine):
    """The vectors are small whole numbers, so that every distance but the angular one is exact in float32."""

    metric: str

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.index = AnnoyIndex(F, self.metric)
        self.forget()
        self.files = {}

    def forget(self):
        self.vectors, self.n_items, self.n_trees = {}, 0, 0
        self.state, self.in_file = "growing", set()

    def teardown(self):
        if hasattr(self, "folder"):
            self.index.unload()
            self.folder.cleanup()

    def path(self, name):
        return Path(self.folder.name) / name

    def stored(self, vector):
        return [float(x > 0.5) for x in vector] if self.metric == "hamming" else [float(x) for x in vector]

    def put(self, item, vector):
        self.vectors[item] = self.stored(vector)
        self.n_items = max(self.n_items, item + 1)

    def refused(self, text, call, kind=Exception):
        with pytest.raises(kind, match=text):
            call()

    # changes

    @rule(item=IDS, vector=VECTOR)
    def add_item(self, item, vector):
        if self.state == "saved" and item in self.in_file:
            self.refused("You can't add an item to a loaded index", lambda: self.index.add_item(item, vector))
        else:
            self.index.add_item(item, vector)
            self.put(item, vector)

    @rule(rows=st.lists(VECTOR, max_size=12))
    def append(self, rows):
        self.index.add_items(np.array(rows, dtype=np.float32).reshape(-1, F))
        for item, row in enumerate(rows, start=self.n_items):
            self.put(item, row)

    @rule(rows=st.dictionaries(IDS, VECTOR, min_size=1, max_size=20))
    def add_items(self, rows):
        self.index.add_items(list(rows.values()), list(rows))
        for item, row in rows.items():
            self.put(item, row)

    @rule(item=IDS)
    def delete_item(self, item):
        if item in self.vectors:
            self.index.delete_item(item)
            del self.vectors[item]
            self.in_file.discard(item)
        else:
            self.refused(rf"\b{item}\b", lambda: self.index.delete_item(item), KeyError)

    @precondition(lambda self: self.vectors)
    @rule(data=st.data())
    def delete_items(self, data):
        items = data.draw(st.lists(st.sampled_from(sorted(self.vectors)), unique=True))
        self.index.delete_items(items)
        for item in items:
            del self.vectors[item]
            self.in_file.discard(item)

    @precondition(lambda self: self.vectors)
    @rule(data=st.data(), vector=VECTOR)
    def delete_and_add_again(self, data, vector):
        item = data.draw(st.sampled_from(sorted(self.vectors)))
        self.index.delete_item(item)
        self.in_file.discard(item)
        self.index.add_item(item, vector)
        self.put(item, vector)

    @rule(item=IDS, vector=st.lists(SMALL, max_size=F - 1))
    def add_item_of_wrong_length(self, item, vector):
        self.refused("Vector has wrong length", lambda: self.index.add_item(item, vector), IndexError)

    @rule(n_trees=st.sampled_from([1, 2, 5]))
    def build(self, n_trees):
        if self.state == "built":
            self.refused("You can't build a built index", lambda: self.index.build(n_trees))
        else:
            self.index.build(n_trees)
            self.state, self.n_trees, self.in_file = "built", n_trees, set()

    @rule()
    def unbuild(self):
        if self.state in ("saved", "loaded"):
            self.refused("You can't unbuild a loaded index", self.index.unbuild)
        else:
            self.index.unbuild()
            self.state, self.n_trees = "growing", 0

    @rule(name=FILES)
    def save(self, name):
        if self.state == "growing":
            self.refused("hasn't been built", lambda: self.index.save(self.path(name)), OSError)
            return
        self.index.save(self.path(name))
        self.state, self.in_file = "saved", set(self.vectors)
        self.files[name] = (dict(self.vectors), self.n_items, self.n_trees)

    @rule(name=FILES)
    def load(self, name):
        if name not in self.files:
            self.refused("Unable to open", lambda: self.index.load(self.path(name)), OSError)
            return
        self.index.load(self.path(name))
        vectors, self.n_items, self.n_trees = self.files[name]
        self.vectors, self.state, self.in_file = dict(vectors), "loaded", set()

    @rule()
    def unload(self):
        self.index.unload()
        self.forget()

    # questions

    @rule(query=VECTOR, n=st.one_of(st.integers(0, 20), st.just(-1)))
    def search(self, query, n):
        got, reported = self.index.get_nns_by_vector(query, n, EXHAUSTIVE, True)
        self.check_answer(query, n, got, reported)

    @rule(item=IDS, n=st.integers(1, 20))
    def search_by_item(self, item, n):
        if item >= self.n_items:
            self.refused("larger than the largest", lambda: self.index.get_nns_by_item(item, n), IndexError)
            return
        got, reported = self.index.get_nns_by_item(item, n, EXHAUSTIVE, True)
        self.check_answer(self.vectors.get(item, [0.0] * F), n, got, reported)

    def check_answer(self, query, n, got, reported):
        if self.state == "growing":
            assert (got, reported) == ([], [])
            return
        ids = sorted(self.vectors)
        exact = distances(self.metric, query, np.array([self.vectors[i] for i in ids]).reshape(-1, F))
        keys = sort_keys(self.metric, exact)
        order = np.lexsort((ids, np.round(keys**2) if self.metric == "euclidean" else keys))
        order = order[: n if n >= 0 else None]
        want = dict(zip(ids, exact))
        assert len(set(got)) == len(got) == len(order)
        assert close(reported, [want[i] for i in got], slack=2e-3)
        assert close(reported, exact[order], slack=2e-3)
        if self.metric != "angular":
            assert got == [ids[k] for k in order]

    @rule(query=VECTOR, n=st.integers(0, 20), search_k=st.sampled_from([-1, 0, 1, 7]))
    def search_a_little(self, query, n, search_k):
        got = self.index.get_nns_by_vector(query, n, search_k)
        assert len(set(got)) == len(got) <= n
        assert set(got) <= set(self.vectors)
        if search_k == 0 or self.state == "growing":
            assert got == []

    @rule(i=IDS, j=IDS)
    def get_distance(self, i, j):
        if max(i, j) >= self.n_items:
            self.refused("larger than the largest", lambda: self.index.get_distance(i, j), IndexError)
            return
        one, two = (self.vectors.get(k, [0.0] * F) for k in (i, j))
        assert close([self.index.get_distance(i, j)], distances(self.metric, one, [two]), slack=2e-3)

    @invariant()
    def counts(self):
        if not hasattr(self, "index"):
            return
        assert self.index.get_n_items() == self.n_items
        assert len(self.index) == len(self.vectors)
        assert self.index.get_n_trees() == self.n_trees
        assert [i for i in range(self.n_items + 1) if i in self.index] == sorted(self.vectors)

    @rule()
    def vectors_are_what_went_in(self):
        for item in range(self.n_items):
            assert self.index.get_item_vector(item) == self.vectors.get(item, [0.0] * F)
        with pytest.raises(IndexError):
            self.index.get_item_vector(self.n_items)


def model_of(metric):
    case = type(f"{metric.capitalize()}Model", (Model,), {"metric": metric}).TestCase
    case.settings = settings(
        max_examples=100,
        stateful_step_count=40,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return case


TestAngular = model_of("angular")
TestEuclidean = model_of("euclidean")
TestManhattan = model_of("manhattan")
TestHamming = model_of("hamming")
TestDot = model_of("dot")
