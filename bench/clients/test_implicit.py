"""implicit 0.7.3 on linjin: its Annoy model recommends what its exact model recommends, with the same scores."""

import numpy as np
import pytest
from implicit.approximate_als import AnnoyAlternatingLeastSquares
from scipy.sparse import random as sparse_random

N = 10


@pytest.fixture(scope="module")
def plays():
    """(400, 600): every user played about 30 items."""
    return sparse_random(400, 600, density=0.05, format="csr", random_state=23, dtype=np.float32)


@pytest.fixture(scope="module")
def model(plays):
    """The Annoy model; `.model` in it is the exact one that it was made from."""
    found = AnnoyAlternatingLeastSquares(factors=32, random_state=23, use_gpu=False)
    found.fit(plays, show_progress=False)
    return found


def common(found, exact):
    """The share of the exact ids that were found; the scores of those must agree."""
    scores = dict(zip(exact[0].tolist(), exact[1].tolist()))
    for i, score in zip(found[0].tolist(), found[1].tolist()):
        if i in scores:
            assert score == pytest.approx(scores[i], abs=2e-3)
    return np.isin(exact[0], found[0]).mean()


def test_recommend(model, plays):
    shares = [
        common(*(m.recommend(user, plays[user], N=N, filter_already_liked_items=False) for m in (model, model.model)))
        for user in range(100)
    ]
    assert np.mean(shares) > 0.9


def test_recommend_leaves_out_what_was_played(model, plays):
    for user in range(100):
        ids, _ = model.recommend(user, plays[user], N=N)
        assert len(ids) == N
        assert not set(ids) & set(plays[user].indices)


def test_recommend_many_users_at_once(model, plays):
    users = np.arange(50)
    ids, scores = model.recommend(users, plays[users], N=N)
    assert ids.shape == scores.shape == (50, N)
    for row, user in enumerate(users):
        assert ids[row].tolist() == model.recommend(user, plays[user], N=N)[0].tolist()


def test_similar_items(model):
    shares = [common(model.similar_items(item, N=N), model.model.similar_items(item, N=N)) for item in range(100)]
    assert np.mean(shares) > 0.9
    assert all(model.similar_items(item, N=1)[0][0] == item for item in range(100))


def test_similar_items_many_at_once(model):
    ids, _ = model.similar_items(np.arange(20), N=N)
    assert ids[:, 0].tolist() == list(range(20))
