"""implicit on linjin: ALS factors, and recommendations by implicit's Annoy model, which finds linjin in Annoy's place.

    pip install implicit linjin
    python examples/implicit_als.py

Every number printed is measured in this run. Exits 1 when a check fails.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import linjin
import linjin.annoy

linjin.annoy.install()  # before implicit looks for annoy

from implicit.approximate_als import AnnoyAlternatingLeastSquares  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402

USERS, ITEMS, TASTES, K = 600, 2_000, 12, 10


def plays(rng):
    """(users, items): how often each user of a taste played the items of that taste, and a few others."""
    taste = rng.integers(0, TASTES, USERS)
    of_item = rng.integers(0, TASTES, ITEMS)
    chance = np.where(of_item[None] == taste[:, None], 0.15, 0.005)
    return csr_matrix((rng.random((USERS, ITEMS)) < chance).astype(np.float32)), taste, of_item


def main():
    """Trains, recommends by implicit and by `linjin.Index`, and compares."""
    matrix, taste, of_item = plays(np.random.default_rng(5))
    model = AnnoyAlternatingLeastSquares(factors=32, random_state=5, use_gpu=False)
    model.fit(matrix, show_progress=False)
    ids, _ = model.recommend(0, matrix[0], N=K, filter_already_liked_items=False)
    print(f"implicit, its Annoy model on linjin: {len(ids)} items for user 0, {share(of_item[ids], taste[0]):.0%} of their taste")

    # Inner products without a detour, what was played left out, all users in one call.
    index = linjin.Index(32, "dot")
    index.add(np.ascontiguousarray(model.model.item_factors))
    played = [matrix[user].indices for user in range(USERS)]
    start = time.perf_counter()
    hits = index.search(model.model.user_factors, k=K, exclude=played)
    seconds = time.perf_counter() - start
    right = np.mean([share(of_item[row.astype(int)], taste[user]) for user, row in enumerate(hits.ids)])
    new = all(not np.isin(row, played[user]).any() for user, row in enumerate(hits.ids))
    print(f"linjin.Index: {K} new items for each of {USERS} users in {seconds * 1e3:.0f} ms, {right:.0%} of their taste")
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder) / "items.linjin")
        print(f"saved: {(Path(folder) / 'items.linjin').stat().st_size / 1e3:.0f} KB, ready to be opened by every server")
    return 0 if new and right > 0.8 and len(ids) == K else 1


def share(tastes, taste):
    """How many of them are this taste."""
    return float(np.mean(tastes == taste))


if __name__ == "__main__":
    sys.exit(main())
