"""linjin for ann-benchmarks."""

import linjin

from ..base.module import BaseANN

METRICS = {"angular": "cosine", "euclidean": "euclidean", "hamming": "hamming"}


class Linjin(BaseANN):
    """One index; what is tried is the effort of a search."""

    def __init__(self, metric):
        if metric not in METRICS:
            raise NotImplementedError(f"linjin has no metric {metric}")
        self._metric = METRICS[metric]
        self._effort = {}
        self.name = "linjin"

    def fit(self, X):
        self._index = linjin.Index(X.shape[1], self._metric)
        self._index.add(X)

    def set_query_arguments(self, ef):
        self._effort = {"ef": ef}
        self.name = f"linjin(ef={ef})"

    def query(self, q, n):
        return self._index.search(q, n, **self._effort).ids

    def batch_query(self, X, n):
        hits = self._index.search(X, n, **self._effort)
        self._ids, self._counts = hits.ids, hits.counts

    def get_batch_results(self):
        return [row[:count] for row, count in zip(self._ids, self._counts)]

    def get_additional(self):
        info = self._index.info
        return {"leaves": info["leaves"], "graph": int(info["graph"]), "bytes": info["bytes"]}
