"""`linjin.sklearn`: the contract of scikit-learn's KNeighborsTransformer, and its own checks."""

import doctest
import inspect
import pickle

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_blobs
from sklearn.manifold import Isomap
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import linjin.sklearn
from linjin.sklearn import LinjinTransformer

BLOBS = make_blobs(400, n_features=6, centers=4, random_state=3)


@parametrize_with_checks([LinjinTransformer(n_neighbors=3), LinjinTransformer(n_neighbors=3, mode="connectivity")])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_graph_is_that_of_scikit_learn(mode, metric, dtype):
    points = BLOBS[0].astype(dtype)
    ours = LinjinTransformer(7, mode=mode, metric=metric).fit(points[:300])
    theirs = KNeighborsTransformer(n_neighbors=7, mode=mode, metric=metric).fit(points[:300])
    for rows in (points[:300], points[300:]):
        mine, wanted = ours.transform(rows), theirs.transform(rows)
        assert mine.shape == wanted.shape
        assert mine.dtype == dtype
        assert mine.nnz == wanted.nnz
        assert np.allclose(mine.toarray(), wanted.toarray(), atol=2e-3)


def test_estimators_take_the_graph():
    points, labels = BLOBS
    classifier = make_pipeline(LinjinTransformer(10), KNeighborsClassifier(10, metric="precomputed"))
    assert classifier.fit(points[:300], labels[:300]).score(points[300:], labels[300:]) > 0.95
    cluster = DBSCAN(eps=3.0, metric="precomputed")
    found, wanted = (
        make_pipeline(graph, cluster).fit_predict(points)
        for graph in (LinjinTransformer(20), KNeighborsTransformer(n_neighbors=20))
    )
    assert found.tolist() == wanted.tolist()
    assert len(set(found)) >= 4
    one = make_blobs(200, n_features=6, centers=1, random_state=3)[0]
    assert make_pipeline(LinjinTransformer(20), Isomap(n_neighbors=20, metric="precomputed")).fit_transform(one).shape == (200, 2)


def test_examples():
    done = doctest.testmod(linjin.sklearn)
    assert (done.attempted, done.failed) == (3, 0)


def test_the_stub_has_the_parameters():
    stub = inspect.getsourcefile(linjin.sklearn).replace(".py", ".pyi")
    text = open(stub, encoding="utf-8").read()
    assert all(f"        {name}: " in text for name in LinjinTransformer().get_params())


def test_pickled():
    transformer = LinjinTransformer(5).fit(BLOBS[0])
    twin = pickle.loads(pickle.dumps(transformer))
    assert (twin.transform(BLOBS[0]) != transformer.transform(BLOBS[0])).nnz == 0


def test_names_of_the_columns():
    transformer = LinjinTransformer(2).fit(BLOBS[0][:5])
    assert transformer.get_feature_names_out().tolist() == [f"linjintransformer{i}" for i in range(5)]


def test_many_rows_at_a_recall():
    points = make_blobs(6000, n_features=16, centers=30, random_state=1)[0].astype(np.float32)
    graph = LinjinTransformer(10, recall=0.99, n_jobs=2).fit_transform(points)
    exact = LinjinTransformer(10, recall=1.0).fit_transform(points)
    assert graph.multiply(exact > 0).nnz / (exact > 0).nnz > 0.97
    assert graph.diagonal().max() == 0


@pytest.mark.parametrize("wrong", [{"n_neighbors": 0}, {"mode": "both"}, {"metric": "dot"}, {"recall": 0}, {"recall": 2}])
def test_parameters_that_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LinjinTransformer(**wrong).fit(BLOBS[0])


def test_more_neighbours_than_rows():
    with pytest.raises(ValueError, match="n_samples_fit = 5"):
        LinjinTransformer(5).fit(BLOBS[0][:5]).transform(BLOBS[0])
