"""linjin as a transformer of scikit-learn: approximate neighbours for estimators that take a neighbours graph.

    from sklearn.cluster import DBSCAN
    from sklearn.pipeline import make_pipeline
    from linjin.sklearn import LinjinTransformer

    model = make_pipeline(LinjinTransformer(n_neighbors=30), DBSCAN(metric="precomputed", eps=1.5))

Needs scikit-learn 1.6 or later: `pip install linjin[sklearn]`.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ._linjin import DEFAULT_RECALL, Index

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["LinjinTransformer"]

_METRICS = ("cosine", "euclidean", "sqeuclidean", "manhattan")


class LinjinTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Vectors into the sparse graph of their nearest neighbours, as scikit-learn's `KNeighborsTransformer` does it.

    `n_neighbors` is how many neighbours each row gets; with `mode="distance"` one more, since each vector of the fit is its
    own nearest neighbour. `mode="connectivity"` puts 1 in the place of the distance. `metric` is one of "cosine",
    "euclidean", "sqeuclidean" and "manhattan". `recall` is the share of the true neighbours to find, from above 0 to 1;
    `n_jobs` how many threads to use, all cores without it.

    Once fitted, `index_` is the `linjin.Index`, whose ids are the numbers of the rows, `n_samples_fit_` how many there are.

    >>> import numpy as np
    >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]])
    >>> LinjinTransformer(n_neighbors=1).fit_transform(points).toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 4., 0.]])
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        mode: Literal["distance", "connectivity"] = "distance",
        metric: Literal["cosine", "euclidean", "sqeuclidean", "manhattan"] = "euclidean",
        recall: float = DEFAULT_RECALL,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.mode = mode
        self.metric = metric
        self.recall = recall
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Makes the index of the rows of `X`, shape (n, d); `y` is ignored."""
        self._check()
        rows = validate_data(self, X, dtype=[np.float32, np.float64])
        self.index_ = Index(rows.shape[1], self.metric)
        self.index_.add(rows, threads=self._threads())
        self.n_samples_fit_ = rows.shape[0]
        return self

    def transform(self, X: ArrayLike) -> csr_matrix:
        """The graph (m, n): in row i the distances from row i of `X` to its neighbours among the rows of the fit, closest
        first.

        A row has fewer entries than were asked for only where a search at this recall finds no more. Raises ValueError if
        there are not as many rows in the fit.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        k = self.n_neighbors + (self.mode == "distance")
        if k > self.n_samples_fit_:
            raise ValueError(
                f"Expected n_neighbors < n_samples_fit, but n_neighbors = {self.n_neighbors}, "
                f"n_samples_fit = {self.n_samples_fit_}, n_samples = {rows.shape[0]}"
            )
        hits = self.index_.search(rows, k, recall=self.recall, threads=self._threads())
        there = np.arange(k) < hits.counts[:, None]
        ids = hits.ids[there].astype(np.int64)
        values = hits.distances[there] if self.mode == "distance" else np.ones(len(ids))
        ends = np.concatenate([[0], np.cumsum(hits.counts)])
        return csr_matrix((values.astype(rows.dtype), ids, ends), shape=(rows.shape[0], self.n_samples_fit_))

    def fit_transform(self, X: ArrayLike, y: object = None, **fit_params: object) -> csr_matrix:
        """`fit`, then `transform` of the same rows, each of which then finds itself too."""
        return self.fit(X).transform(X)

    @property
    def _n_features_out(self) -> int:
        """Columns of the graph, for `get_feature_names_out`."""
        return self.n_samples_fit_

    def _check(self) -> None:
        """Looks at the parameters, in `fit` as is the custom."""
        if not isinstance(self.n_neighbors, Integral) or self.n_neighbors < 1:
            raise ValueError(f"n_neighbors has to be an integer of at least 1, got {self.n_neighbors!r}")
        if self.mode not in ("distance", "connectivity"):
            raise ValueError(f"mode has to be 'distance' or 'connectivity', got {self.mode!r}")
        if self.metric not in _METRICS:
            raise ValueError(f"metric has to be one of {', '.join(_METRICS)}, got {self.metric!r}")
        if not 0 < self.recall <= 1:
            raise ValueError(f"recall has to be above 0 and at most 1, got {self.recall!r}")

    def _threads(self) -> int | None:
        """As scikit-learn counts them: none and negative numbers are all cores."""
        return self.n_jobs if self.n_jobs is not None and self.n_jobs > 0 else None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
