"""What a search found, as tables of other libraries; each is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from ._linjin import Hits


def columns(hits: Hits) -> dict[str, NDArray[Any]]:
    """The columns of the table, a row for each hit: `query` for many queries, `id`, `distance`, `score` if there is one."""
    found: dict[str, NDArray[Any]] = {"id": hits.ids, "distance": hits.distances}
    scores = getattr(hits, "scores", None)  # an AttributeError for metrics that have none
    if scores is not None:
        found["score"] = scores
    if hits.ids.ndim == 1:
        return found
    there = np.arange(hits.ids.shape[1]) < hits.counts[:, None]
    queries = np.repeat(np.arange(len(hits.counts)), hits.counts)
    return {"query": queries} | {name: values[there] for name, values in found.items()}


def known(hits: Hits) -> dict[str, str]:
    """The names of what the index knows of the items, and what they are called in the table: none is there twice."""
    taken = {"query", "id", "distance", "score"}
    return {name: name + "_" if name in taken else name for name in hits.columns.names}


def to_arrow(hits: Hits) -> pyarrow.Table:
    """A table of PyArrow's."""
    try:
        import pyarrow
    except ImportError as error:
        raise missing("PyArrow", "arrow") from error
    table = pyarrow.table(columns(hits))
    besides = pyarrow.table(hits.columns)
    for name, called in known(hits).items():
        table = table.append_column(called, besides[name])
    return table


def to_polars(hits: Hits) -> polars.DataFrame:
    """A data frame of Polars'."""
    try:
        import polars
    except ImportError as error:
        raise missing("Polars", "polars") from error
    besides = polars.DataFrame(hits.columns) if hits.columns.names else polars.DataFrame()
    return polars.concat([polars.DataFrame(columns(hits)), besides.rename(known(hits))], how="horizontal")


def to_pandas(hits: Hits) -> pandas.DataFrame:
    """A data frame of pandas'."""
    try:
        import pandas
    except ImportError as error:
        raise missing("pandas", "pandas") from error
    besides = {called: hits.columns[name] for name, called in known(hits).items()}
    return pandas.DataFrame({**columns(hits), **besides})


def missing(library: str, extra: str) -> ImportError:
    """What to do about a library that is not there."""
    return ImportError(f"{library} is not installed: pip install linjin[{extra}]")
