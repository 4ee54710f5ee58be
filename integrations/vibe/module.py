"""linjin for VIBE."""

import linjin

from ..base.module import BaseANN

# The vectors of "normalized" have length 1: there the inner product orders as the cosine does.
METRICS = {"cosine": "cosine", "normalized": "dot", "ip": "dot", "euclidean": "euclidean", "hamming": "hamming"}


class Linjin(BaseANN):
    """One index; what is tried is the effort of a search."""

    def __init__(self, metric):
        if metric not in METRICS:
            raise NotImplementedError(f"linjin has no metric {metric}")
        self._metric = METRICS[metric]
        self.name = "linjin"

    def fit(self, X):
        self._index = linjin.Index(X.shape[1] * (8 if self._metric == "hamming" and X.dtype == "uint8" else 1), self._metric)
        self._index.add(X)

    def set_query_arguments(self, ef):
        self._ef = ef
        self.name = f"linjin(ef={ef})"

    def query(self, v, n):
        return self._index.search(v, n, ef=self._ef).ids

    def batch_query(self, X, n):
        hits = self._index.search(X, n, ef=self._ef)
        self.res = [row[:count] for row, count in zip(hits.ids, hits.counts)]
