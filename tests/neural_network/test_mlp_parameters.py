"""No parameter is ignored: each, changed alone, changes what is learned. Saved pieces go on."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from kiso.losses import Huber, SquaredError
from kiso.neural_network import MLPClassifier, MLPRegressor
from kiso.optim import Cosine, Lion
from kiso.persistence import FittedModel, load_model, save_model

SHORT = {"hidden_layer_sizes": (6, 4), "max_iter": 6, "batch_size": 25, "random_state": 0}
SGD = {"solver": "sgd", "learning_rate_init": 0.05}
LONG = {"max_iter": 40, "learning_rate_init": 0.05, "n_iter_no_change": 2}
CHANGES = [
    ({}, {"hidden_layer_sizes": (6,)}),
    ({}, {"activation": ["tanh", "relu"]}),
    ({}, {"activation": "gelu"}),
    ({}, {"solver": "sgd"}),
    ({}, {"solver": "lbfgs"}),
    ({}, {"alpha": 1.0}),
    ({}, {"batch_size": 50}),
    ({}, {"learning_rate_init": 0.01}),
    ({}, {"learning_rate_init": Cosine(0.001, n_steps=20)}),
    (SGD, {"learning_rate": "invscaling"}),
    ({**SGD, **LONG, "tol": 1.0}, {"learning_rate": "adaptive"}),
    ({**SGD, "learning_rate": "invscaling"}, {"power_t": 0.1}),
    ({}, {"max_iter": 7}),
    ({}, {"shuffle": False}),
    ({}, {"random_state": 1}),
    (LONG, {"tol": 1.0}),
    ({**LONG, "tol": 1.0}, {"n_iter_no_change": 5}),
    (SGD, {"momentum": 0.5}),
    (SGD, {"nesterovs_momentum": False}),
    ({}, {"early_stopping": True}),
    ({"early_stopping": True}, {"validation_fraction": 0.3}),
    ({}, {"beta_1": 0.5}),
    ({}, {"beta_2": 0.9}),
    ({}, {"epsilon": 0.1}),
    ({}, {"dropout": 0.5}),
    ({"dropout": 0.5}, {"dropout": [0.5, 0.0]}),
    ({}, {"init": "orthogonal"}),
    ({}, {"rule": Lion(0.001)}),
]


def data(kind):
    X, y = make_classification(150, 5, random_state=0)
    return X, (y if kind is MLPClassifier else X[:, 0] * 3 + y)


def weights(kind, **params):
    X, y = data(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = kind(**params).fit(X, y)
    return model.parameters_


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(("base", "change"), CHANGES, ids=lambda p: "-".join(p) or "default")
def test_each_parameter_counts(kind, base, change):
    before = weights(kind, **{**SHORT, **base})
    after = weights(kind, **{**SHORT, **base, **change})
    assert before.shape != after.shape or not np.allclose(before, after)
    np.testing.assert_array_equal(before, weights(kind, **{**SHORT, **base}))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (MLPClassifier, {"class_weight": {0: 1.0, 1: 5.0}}),
        (MLPClassifier, {"loss": SquaredError()}),
        (MLPRegressor, {"loss": Huber(delta=0.2)}),
    ],
)
def test_losses_and_weights_of_classes_count(kind, change):
    assert not np.allclose(weights(kind, **SHORT), weights(kind, **SHORT, **change))


def test_verbose_logs_each_epoch(caplog):
    with caplog.at_level("INFO"):
        weights(MLPClassifier, **SHORT)
        assert not caplog.records
        weights(MLPClassifier, **SHORT, verbose=True)
    assert len(caplog.records) >= SHORT["max_iter"]


def test_warm_start_counts():
    X, y = data(MLPRegressor)
    for warm in (False, True):
        model = MLPRegressor(**{**SHORT, "warm_start": warm})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            first = model.fit(X, y).parameters_.copy()
            assert np.array_equal(first, model.fit(X, y).parameters_) is not warm


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_pieces_go_on_after_a_file(kind, tmp_path):
    X, y = data(kind)
    options = {**SHORT, "dropout": 0.2}
    model, never_saved = (kind(**options).partial_fit(X, y) for _ in range(2))
    columns = {f"x{k}": "number" for k in range(X.shape[1])}
    kept = FittedModel(Pipeline([("model", model)]), kind.__name__, "regression", "y", columns)
    loaded = load_model(save_model(kept, tmp_path / "mlp.kiso")).pipeline[-1]
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    for piece in (slice(0, 80), slice(80, 150)):
        loaded.partial_fit(X[piece], y[piece])
        never_saved.partial_fit(X[piece], y[piece])
    np.testing.assert_array_equal(loaded.parameters_, never_saved.parameters_)
    assert loaded.t_ == never_saved.t_ == 300
