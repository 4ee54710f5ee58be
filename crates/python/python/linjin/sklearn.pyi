# Types of linjin.sklearn. scikit-learn has none: what its base classes bring is written out.

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from typing_extensions import Self

from ._linjin import Index

__all__ = ["LinjinTransformer"]

class LinjinTransformer:
    n_neighbors: int
    mode: Literal["distance", "connectivity"]
    metric: Literal["cosine", "euclidean", "sqeuclidean", "manhattan"]
    recall: float
    n_jobs: int | None
    index_: Index
    n_samples_fit_: int
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        mode: Literal["distance", "connectivity"] = "distance",
        metric: Literal["cosine", "euclidean", "sqeuclidean", "manhattan"] = "euclidean",
        recall: float = ...,
        n_jobs: int | None = None,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: object = None) -> Self: ...
    def transform(self, X: ArrayLike) -> csr_matrix: ...
    def fit_transform(self, X: ArrayLike, y: object = None, **fit_params: object) -> csr_matrix: ...
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]: ...
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_output(self, *, transform: Literal["default", "pandas", "polars"] | None = None) -> Self: ...
