"""What everyday.py asks about: a set, its true neighbours by brute force, and the ids that a filter allows.

Closeness is larger for what is closer: the inner product, for cosine of unit vectors, and for euclidean the part of
minus half the squared distance that depends on the vector.
"""

import functools

import numpy as np

from index import EF, K, THREADS, unit

GRID = (*EF, 1200, 1600, 2400, 3200)
BLOCK = 16_384  # rows compared at once
NEAR = 1e-6  # closeness differs by rounding; relative to the largest there is


class Set:
    """A folder of base.npy, query.npy and metric.txt: the vectors, `queries` of the queries, and brute force."""

    def __init__(self, folder, queries):
        self.folder, self.name = folder, folder.name
        self.base, asked = (
            np.ascontiguousarray(np.load(folder / f"{part}.npy"), np.float32) for part in ("base", "query")
        )
        self.queries = asked[:queries]
        kind = (folder / "metric.txt").read_text().strip()
        self.metric = {"angular": "cosine", "ip": "dot"}.get(kind, kind)
        self.points = unit(self.base) if self.metric == "cosine" else self.base
        self.lengths = np.sqrt(np.einsum("nd,nd->n", self.points, self.points))
        self.largest = float(self.lengths.max())

    def made(self, rows=slice(None)):
        """A new index of these rows, with the ids 0, 1, 2 and so on."""
        import linjin

        index = linjin.Index(self.base.shape[1], self.metric)
        index.add(self.base[rows], threads=THREADS)
        return index

    @functools.cached_property
    def index(self):
        """One of all rows, whose ids are their numbers; made once, not to be changed."""
        return self.made()

    def found(self, index, queries, rows=None, **effort):
        """(q, K): the rows that a search finds, where rows[id] is that of an id; -1 for an id that is not there."""
        ids = index.search(queries, k=K, **effort).ids
        rows = np.arange(len(self.base)) if rows is None else rows
        return np.where(ids < len(rows), rows[np.minimum(ids, len(rows) - 1)], -1)

    def closeness(self, queries, rows=slice(None)):
        """(q, rows): how close each row is to each query."""
        queries = unit(queries) if self.metric == "cosine" else queries
        close = queries @ self.points[rows].T
        return close - self.lengths[rows] ** 2 / 2 if self.metric == "euclidean" else close

    def least(self, queries, rows):
        """(q,): how close a row has to be to be among the K closest of `rows`; minus infinity if they are fewer."""
        best = np.full((len(queries), K), -np.inf, np.float32)
        for start in range(0, len(rows), BLOCK):
            both = np.concatenate([best, self.closeness(queries, rows[start : start + BLOCK])], axis=1)
            best = np.partition(both, -K, axis=1)[:, -K:]
        return best.min(axis=1)

    def slack(self, queries):
        """(q,): by how much rounding may change a closeness."""
        lengths = np.ones(len(queries)) if self.metric == "cosine" else np.linalg.norm(queries, axis=1)
        return NEAR * self.largest * np.maximum(lengths, self.largest)

    def hits(self, queries, found, least):
        """(q,): how many of the rows found, each counted once, are as close as `least`; -1 stands for no row.

        Among rows that are equally close it does not matter which one was found.
        """
        found = np.sort(found.astype(np.int64), axis=1)
        real = (found >= 0) & np.diff(found, axis=1, prepend=-2).astype(bool)
        close = np.concatenate([self.closeness(query[None], rows) for query, rows in zip(queries, found)])
        return (real & (close >= (least - self.slack(queries))[:, None])).sum(axis=1)

    def recall(self, queries, found, least):
        """The share of the true neighbours found, where there are K for each query."""
        return float(self.hits(queries, found, least).mean()) / K

    def distances(self, queries, rows):
        """((m,), (m,)): the distance of each row to its query, for euclidean its square, and how far it may be off."""
        a, b = queries.astype(np.float64), self.base[rows].astype(np.float64)
        if self.metric == "euclidean":
            return ((a - b) ** 2).sum(axis=1), 1e-5 * ((a**2).sum(axis=1) + (b**2).sum(axis=1))
        dot, scale = (a * b).sum(axis=1), np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
        if self.metric == "cosine":
            return 1 - dot / np.maximum(scale, 1e-30), np.full(len(a), 1e-5)
        return -dot, 1e-5 * scale


def one_by_one(index, queries, sets=None, **effort):
    """A call that asks for each query, with the filter of its own where there are `sets`."""

    def call():
        for i, query in enumerate(queries):
            index.search(query, k=K, filter=sets[i] if sets is not None else None, **effort)

    return call


def least_ef(reached, need, known):
    """The smallest `ef` whose recall, `reached(ef=)`, is what is needed, or None. `known` keeps all that were tried."""

    def at(ef):
        if ef not in known:
            known[ef] = reached(ef=ef)
        return known[ef]

    above = next((ef for ef in GRID if at(ef) >= need), None)
    below = max((ef for ef in GRID if above and ef < above), default=K - 1)
    while above and above - below > 1:
        middle = (above + below) // 2
        above, below = (middle, below) if at(middle) >= need else (above, middle)
    return above


def far(share, close):
    """Masks (q, n) of the rows farthest from each query, this share of all, by how `close` (q, n) they are."""
    count = allowed(share, close.shape[1])
    return close <= np.partition(close, count - 1, axis=1)[:, count - 1 : count]


def near(data, queries, share, rng):
    """Masks (q, n) of the rows on the query's side of a plane that has this share there, and for how many there is one.

    The plane's direction is random, and bent towards the query until the query is on that side.
    """
    count, middle = allowed(share, len(data.base)), data.points.mean(axis=0)
    # By direction, lengths aside: the longest vectors would be on every such side.
    sizes = data.lengths if data.metric == "dot" else np.ones(1, np.float32)
    asked = unit(queries) if data.metric in ("cosine", "dot") else queries
    masks = np.zeros((len(queries), len(data.base)), bool)
    left, noise = np.arange(len(queries)), 2.0
    while len(left) and noise > 0.01:
        planes = unit(asked[left] - middle) + noise * unit(rng.normal(size=asked[left].shape).astype(np.float32))
        along = (planes @ data.points.T) / np.maximum(sizes, 1e-20)
        border = np.partition(along, -count, axis=1)[:, -count]
        masks[left] = along >= border[:, None]
        left, noise = left[np.einsum("qd,qd->q", planes, asked[left]) < border], noise / 2
    return masks, len(queries) - len(left)


def allowed(share, n):
    """How many of n rows a share is, at least one."""
    return max(1, round(share * n))
