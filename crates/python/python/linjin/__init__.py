"""linjin finds the nearest neighbours of a vector among millions, in microseconds.

    index = linjin.Index(dim=40, metric="cosine")
    index.add(vectors)
    hits = index.search(query, k=10)
    index.save("items.linjin")

`linjin.annoy` is a drop-in for Annoy, files included.
"""

from . import annoy
from ._linjin import (
    DEFAULT_RECALL,
    NO_ID,
    Columns,
    Filter,
    Hits,
    Index,
    IndexFileError,
    IndexLockedError,
    __version__,
    open,
    salvage,
    verify,
)

__all__ = [
    "DEFAULT_RECALL",
    "NO_ID",
    "Columns",
    "Filter",
    "Hits",
    "Index",
    "IndexFileError",
    "IndexLockedError",
    "__version__",
    "annoy",
    "open",
    "salvage",
    "verify",
]
