# Types of `linjin.annoy`; what the methods do stands in their docstrings.

from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, Literal, Protocol, SupportsFloat, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import Self

from . import annoylib as annoylib

__all__ = ["Annoy", "AnnoyIndex", "install"]

_Metric: TypeAlias = Literal["angular", "euclidean", "manhattan", "hamming", "dot"]
_Path: TypeAlias = str | PathLike[str]
_Ids: TypeAlias = NDArray[np.int64]
_Distances: TypeAlias = NDArray[np.float32]

class _Vector(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> SupportsFloat | SupportsIndex: ...

class Annoy:
    def __init__(self, f: SupportsIndex, metric: _Metric, *, allow_nonfinite: bool = False) -> None: ...
    @property
    def f(self) -> int: ...
    @property
    def metric(self) -> str: ...
    def add_item(self, i: SupportsIndex, vector: _Vector) -> None: ...
    def add_items(self, matrix: ArrayLike, ids: Iterable[SupportsIndex] | None = None) -> None: ...
    def delete_item(self, i: SupportsIndex) -> None: ...
    def delete_items(self, ids: Iterable[SupportsIndex]) -> None: ...
    def build(
        self,
        n_trees: SupportsIndex,
        n_jobs: SupportsIndex = -1,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> Literal[True]: ...
    def unbuild(self) -> Literal[True]: ...
    def save(self, fn: _Path, prefault: bool = False) -> Literal[True]: ...
    def load(self, fn: _Path, prefault: bool = False) -> Literal[True]: ...
    def unload(self) -> Literal[True]: ...
    def on_disk_build(self, fn: _Path) -> Literal[True]: ...
    @overload
    def get_nns_by_item(
        self,
        i: SupportsIndex,
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        include_distances: Literal[False] = False,
    ) -> list[int]: ...
    @overload
    def get_nns_by_item(
        self,
        i: SupportsIndex,
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        *,
        include_distances: Literal[True],
    ) -> tuple[list[int], list[float]]: ...
    @overload
    def get_nns_by_item(
        self,
        i: SupportsIndex,
        n: SupportsIndex,
        search_k: SupportsIndex | None,
        include_distances: Literal[True],
    ) -> tuple[list[int], list[float]]: ...
    @overload
    def get_nns_by_vector(
        self,
        vector: _Vector,
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        include_distances: Literal[False] = False,
    ) -> list[int]: ...
    @overload
    def get_nns_by_vector(
        self,
        vector: _Vector,
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        *,
        include_distances: Literal[True],
    ) -> tuple[list[int], list[float]]: ...
    @overload
    def get_nns_by_vector(
        self,
        vector: _Vector,
        n: SupportsIndex,
        search_k: SupportsIndex | None,
        include_distances: Literal[True],
    ) -> tuple[list[int], list[float]]: ...
    @overload
    def get_nns_by_vectors(
        self,
        matrix: ArrayLike,
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        include_distances: Literal[False] = False,
        n_jobs: SupportsIndex = -1,
    ) -> _Ids: ...
    @overload
    def get_nns_by_vectors(
        self,
        matrix: ArrayLike,
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        *,
        include_distances: Literal[True],
        n_jobs: SupportsIndex = -1,
    ) -> tuple[_Ids, _Distances]: ...
    @overload
    def get_nns_by_vectors(
        self,
        matrix: ArrayLike,
        n: SupportsIndex,
        search_k: SupportsIndex | None,
        include_distances: Literal[True],
        n_jobs: SupportsIndex = -1,
    ) -> tuple[_Ids, _Distances]: ...
    @overload
    def get_nns_by_items(
        self,
        items: Iterable[SupportsIndex],
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        include_distances: Literal[False] = False,
        n_jobs: SupportsIndex = -1,
    ) -> _Ids: ...
    @overload
    def get_nns_by_items(
        self,
        items: Iterable[SupportsIndex],
        n: SupportsIndex,
        search_k: SupportsIndex | None = -1,
        *,
        include_distances: Literal[True],
        n_jobs: SupportsIndex = -1,
    ) -> tuple[_Ids, _Distances]: ...
    @overload
    def get_nns_by_items(
        self,
        items: Iterable[SupportsIndex],
        n: SupportsIndex,
        search_k: SupportsIndex | None,
        include_distances: Literal[True],
        n_jobs: SupportsIndex = -1,
    ) -> tuple[_Ids, _Distances]: ...
    @overload
    def get_nns_within(
        self, vector: _Vector, radius: float, include_distances: Literal[False] = False
    ) -> list[int]: ...
    @overload
    def get_nns_within(
        self, vector: _Vector, radius: float, include_distances: Literal[True]
    ) -> tuple[list[int], list[float]]: ...
    def get_item_vector(self, i: SupportsIndex, /) -> list[float]: ...
    def get_distance(self, i: SupportsIndex, j: SupportsIndex, /) -> float: ...
    def get_n_items(self) -> int: ...
    def get_n_trees(self) -> int: ...
    def verbose(self, v: bool, /) -> Literal[True]: ...
    def set_seed(self, s: SupportsIndex, /) -> None: ...
    def __len__(self) -> int: ...
    def __contains__(self, i: SupportsIndex, /) -> bool: ...
    def __bool__(self) -> Literal[True]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: Any) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, state: Any, /) -> None: ...

AnnoyIndex = Annoy

def install() -> None: ...
