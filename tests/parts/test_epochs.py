"""Models that learn by gradient steps go through the parts by partial_fit, epoch by epoch."""

import dask.array as da
import numpy as np
import pytest

from kiso.linear_model import Perceptron, SGDClassifier, SGDRegressor
from kiso.neural_network import MLPClassifier, MLPRegressor

CHUNKS = (400, 1, 600, 999)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5))
    scores = X @ [1, -2, 3, 0, 1]
    return X, scores, np.where(scores > 0, "yes", "no")


def parted(*arrays):
    return [da.from_array(a, chunks=(CHUNKS, *a.shape[1:])) for a in arrays]


@pytest.mark.parametrize(
    "model",
    [
        SGDClassifier(random_state=0),
        Perceptron(random_state=0),
        MLPClassifier((16,), random_state=0, max_iter=200, tol=1e-2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_classifiers(data, model):
    X, _, y = data
    dX, dy = parted(X, y)
    model.fit(dX, dy)
    assert list(model.classes_) == ["no", "yes"]
    assert model.score(dX, dy) > 0.95
    coef = [np.copy(c) for c in np.atleast_1d(getattr(model, "coef_", 0.0))]
    again = type(model)(**model.get_params()).fit(dX, dy)
    assert again.n_iter_ == model.n_iter_
    np.testing.assert_array_equal(coef, np.atleast_1d(getattr(again, "coef_", 0.0)))


@pytest.mark.parametrize(
    "model",
    [
        SGDRegressor(random_state=0),
        MLPRegressor(
            hidden_layer_sizes=(32,),
            random_state=0,
            max_iter=200,
            tol=1e-2,
            learning_rate_init=0.01,
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_regressors(data, model):
    X, y, _ = data
    dX, dy = parted(X, y)
    model.fit(dX, dy)
    assert model.score(dX, dy) > 0.95
    assert len(model.objective_path_) == model.n_iter_


def test_an_epoch_is_partial_fit_in_seeded_order(data):
    X, _, y = data
    dX, dy = parted(X, y)
    model = SGDClassifier(random_state=5, max_iter=1, tol=None).fit(dX, dy)
    order = np.random.default_rng(5).permutation(4)
    one = SGDClassifier(random_state=5, max_iter=1, tol=None)
    ends = np.cumsum(CHUNKS)
    for i in order:
        rows = slice(ends[i] - CHUNKS[i], ends[i])
        one.partial_fit(X[rows], y[rows], classes=["no", "yes"])
    np.testing.assert_array_equal(model.coef_, one.coef_)
    steps = [s.n_iter for s in SGDClassifier(random_state=0, max_iter=3, tol=None).steps(dX, dy)]
    assert steps == [1, 2, 3]


def test_refusals(data):
    X, _, y = data
    dX, dy = parted(X, y)
    with pytest.raises(ValueError, match="early_stopping"):
        SGDClassifier(early_stopping=True).fit(dX, dy)
    with pytest.raises(ValueError, match="requires y"):
        SGDClassifier().fit(dX, None)
