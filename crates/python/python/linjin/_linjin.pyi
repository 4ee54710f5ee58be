# Types of the extension module; what its classes and functions do stands in their docstrings.

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from os import PathLike
from types import TracebackType
from typing import Any, Final, Literal, Protocol, SupportsIndex, TypeAlias, TypedDict, final, overload

import numpy as np
import pandas
import polars
import pyarrow
from numpy.typing import ArrayLike, NDArray

from .annoy import Annoy

__all__ = [
    "DEFAULT_RECALL",
    "NO_ID",
    "Annoy",
    "Columns",
    "Filter",
    "Hits",
    "Index",
    "IndexFileError",
    "IndexLockedError",
    "__version__",
    "main",
    "open",
    "salvage",
    "verify",
]

_Metric: TypeAlias = Literal["cosine", "euclidean", "sqeuclidean", "dot", "manhattan", "hamming"]
_Memory: TypeAlias = Literal["full", "small"]
_Path: TypeAlias = str | PathLike[str]
# Numbers, uint64, or names, str objects.
_Ids: TypeAlias = NDArray[Any]
_Distances: TypeAlias = NDArray[np.float32]
_Value: TypeAlias = bool | int | float | str | date
_Progress: TypeAlias = bool | Callable[[int, int], object]

# Ids for input: one, an array of them, any iterable; numbers or strings. A set: ids, or a mask, or one of these read before, or an
# expression, which a string on its own is. Sets: one for all queries, or one for each.
_SomeIds: TypeAlias = SupportsIndex | str | NDArray[Any] | Iterable[SupportsIndex] | Iterable[str]
_Set: TypeAlias = _SomeIds | NDArray[np.bool_] | Filter
_Sets: TypeAlias = _Set | Sequence[_Set | None]

# Vectors: what NumPy takes, tensors, Arrow's arrays and tables.
class _DLPack(Protocol):
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

_Vectors: TypeAlias = ArrayLike | _DLPack | _ArrowArray | _ArrowStream

# What is known of items, for input.
_Column: TypeAlias = NDArray[Any] | Sequence[_Value | None] | _ArrowArray | _ArrowStream
_Table: TypeAlias = Mapping[str, _Column] | _ArrowArray | _ArrowStream

__version__: str
NO_ID: Final[int]
DEFAULT_RECALL: Final[float]

class IndexFileError(ValueError): ...
class IndexLockedError(OSError): ...

class _Recovered(TypedDict):
    commits: int
    changes: int
    torn: int

class _Info(TypedDict):
    dim: int
    metric: str
    stored_as: Literal["float32", "uint8", "int8", "bits"]
    len: int
    bytes: int
    mapped: int
    leaves: int
    graph: bool
    memory: _Memory
    curve: list[tuple[int, float]]
    generation: int
    journal: int
    uncommitted: int
    recovered: _Recovered | None
    trouble: str | None

@final
class Columns:
    @property
    def names(self) -> list[str]: ...
    def to_dict(self) -> dict[str, list[Any]]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, name: str, /) -> list[Any]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Filter:
    def __new__(cls, ids: _Set, /) -> Filter: ...

@final
class Hits:
    @property
    def ids(self) -> _Ids: ...
    @property
    def columns(self) -> Columns: ...
    @property
    def distances(self) -> _Distances: ...
    @property
    def scores(self) -> _Distances: ...
    @property
    def counts(self) -> NDArray[np.int64]: ...
    def to_arrow(self) -> pyarrow.Table: ...
    def to_polars(self) -> polars.DataFrame: ...
    def to_pandas(self) -> pandas.DataFrame: ...
    def __len__(self) -> Literal[2]: ...
    @overload
    def __getitem__(self, i: Literal[0, -2], /) -> _Ids: ...
    @overload
    def __getitem__(self, i: Literal[1, -1], /) -> _Distances: ...
    @overload
    def __getitem__(self, i: SupportsIndex, /) -> _Ids | _Distances: ...
    @overload
    def __getitem__(self, i: str, /) -> list[Any]: ...
    # Unpacks as (ids, distances); an iterator has one type for all it gives.
    def __iter__(self) -> Iterator[NDArray[Any]]: ...

@final
class Index:
    def __new__(
        cls, dim: SupportsIndex, metric: _Metric = "cosine", *, memory: _Memory = "full"
    ) -> Index: ...
    @property
    def dim(self) -> int: ...
    @property
    def metric(self) -> _Metric: ...
    @property
    def ids(self) -> _Ids: ...
    @property
    def info(self) -> _Info: ...
    def add(
        self,
        vectors: _Vectors,
        ids: _SomeIds | None = None,
        *,
        columns: _Table | None = None,
        replace: bool = False,
        threads: SupportsIndex | None = None,
        progress: _Progress | None = None,
    ) -> _Ids: ...
    def update(
        self,
        ids: _SomeIds,
        vectors: _Vectors,
        *,
        columns: _Table | None = None,
        threads: SupportsIndex | None = None,
        progress: _Progress | None = None,
    ) -> None: ...
    def columns(self, ids: _SomeIds | None = None) -> Columns: ...
    def set_columns(self, ids: _SomeIds, columns: _Table) -> None: ...
    def remove(self, ids: _SomeIds) -> None: ...
    def get(self, ids: _SomeIds) -> NDArray[Any]: ...
    def search(
        self,
        query: _Vectors,
        k: SupportsIndex = 10,
        *,
        recall: float | None = None,
        ef: SupportsIndex | None = None,
        exact: bool = False,
        filter: _Sets | None = None,
        exclude: _Sets | None = None,
        threads: SupportsIndex | None = None,
    ) -> Hits: ...
    def optimize(self, queries: _Vectors | None = None) -> None: ...
    def save(self, path: _Path) -> None: ...
    def commit(self) -> int: ...
    def rollback(self) -> None: ...
    def checkpoint(self) -> bool: ...
    def refresh(self) -> bool: ...
    def close(self) -> None: ...
    def __enter__(self) -> Index: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None, /
    ) -> bool: ...
    def __len__(self) -> int: ...
    def __contains__(self, id: SupportsIndex | str, /) -> bool: ...
    def __bool__(self) -> Literal[True]: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

def main(argv: list[str]) -> int: ...
def open(
    path: _Path,
    *,
    verify: Literal["header", "lazy", "full"] = "lazy",
    writable: bool = False,
    autocommit: SupportsIndex | timedelta | None = None,
    dim: SupportsIndex | None = None,
    metric: _Metric | None = None,
    memory: _Memory | None = None,
) -> Index: ...
def salvage(path: _Path, to: _Path) -> dict[str, int]: ...
def verify(path: _Path) -> _Info: ...
