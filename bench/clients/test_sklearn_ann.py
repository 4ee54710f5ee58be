"""sklearn-ann 0.1.4 on linjin: the transformer's graph holds exact distances, k + 1 for each row, itself first."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.manifold import Isomap
from sklearn.pipeline import make_pipeline
from sklearn_ann.kneighbors.annoy import AnnoyTransformer

RNG = np.random.default_rng(42)


@pytest.mark.parametrize(
    ("metric", "scipys"), [("euclidean", "euclidean"), ("sqeuclidean", "sqeuclidean"), ("manhattan", "cityblock")]
)
def test_graph_of_the_fitted_rows(metric, scipys):
    x = RNG.random((200, 16))
    graph = AnnoyTransformer(n_neighbors=5, metric=metric).fit_transform(x)
    assert graph.shape == (200, 200)
    assert np.diff(graph.indptr).tolist() == [6] * 200
    exact = cdist(x, x, scipys)
    rows, columns = graph.nonzero()
    np.testing.assert_allclose(np.asarray(graph[rows, columns]).ravel(), exact[rows, columns], rtol=1e-4, atol=1e-4)
    assert (graph.diagonal() == 0).all()


def test_rows_that_were_not_fitted():
    x, y = RNG.random((300, 8)), RNG.random((40, 8))
    graph = AnnoyTransformer(n_neighbors=4, n_trees=20).fit(x).transform(y)
    exact = np.sort(cdist(y, x), axis=1)[:, :5]
    found = graph.data.reshape(40, 5)
    assert (np.diff(found, axis=1) >= 0).all()
    assert np.mean(np.isclose(found, exact, rtol=1e-4, atol=1e-5)) > 0.9


def test_in_a_pipeline():
    x = RNG.random((150, 8))
    pipeline = make_pipeline(AnnoyTransformer(n_neighbors=8), Isomap(n_neighbors=8, metric="precomputed"))
    assert pipeline.fit_transform(x).shape == (150, 2)
