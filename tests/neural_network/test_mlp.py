"""The sklearn shells: estimator checks, agreement with the loss by hand, what is asked for."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.losses import Huber
from kiso.neural_network import MLPClassifier, MLPRegressor
from kiso.optim import ClipNorm, Cosine, Lion, Momentum

# batches are drawn from the rows, so a weight is no repetition, as in scikit-learn's own
NOT_REPETITION = {
    f"check_sample_weight_equivalence_on_{kind}_data": "a weight is not a repetition in batches"
    for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [
        MLPClassifier((8,), max_iter=60, learning_rate_init=0.02, random_state=0),
        MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=60, random_state=0),
    ],
    expected_failed_checks=lambda _: NOT_REPETITION,
)
def test_estimator_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def quiet(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), load_iris().target_names[y]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
def test_solvers_learn(solver, learning_rate):
    if solver != "sgd" and learning_rate != "constant":
        return
    X, y = iris()
    rate = 0.5 if learning_rate == "invscaling" else 0.05
    model = MLPClassifier(
        (10,), solver=solver, learning_rate=learning_rate, learning_rate_init=rate, random_state=0
    )
    quiet(model, X, y)
    assert model.score(X, y) > 0.96
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (model.classes_[p.argmax(axis=1)] == model.predict(X)).all()
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p)


def test_without_hidden_layers_it_is_ridge():
    """The penalty is scikit-learn's: (α/2n) ‖W‖² beside (1/2n) Σ(y − f)², biases free."""
    from sklearn.linear_model import Ridge

    X, y = make_regression(60, 4, noise=1.0, random_state=0)
    y = y / y.std() + 2
    model = MLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=3.0, tol=1e-10, random_state=0
    )
    ridge = Ridge(alpha=3.0).fit(X, y)
    quiet(model, X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], ridge.coef_, rtol=1e-7)
    np.testing.assert_allclose(model.intercepts_[0][0], ridge.intercept_, rtol=1e-7)


def test_digits():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    model = quiet(
        MLPClassifier((30,), early_stopping=True, dropout=0.1, max_iter=60, random_state=0,
                      learning_rate_init=0.01), X[:1400], y[:1400]
    )  # fmt: skip
    assert model.coefs_[0].dtype == np.float32
    assert model.predict_proba(X).dtype == np.float32
    assert model.score(X[1400:], y[1400:]) > 0.88
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)


def test_steps_are_the_fit():
    X, y = iris()
    model = MLPClassifier((6,), max_iter=7, random_state=3)
    stepped = clone(model)
    states = list(stepped.steps(X, y))
    quiet(model, X, y)
    assert [s.n_iter for s in states] == list(range(1, 8))
    for a, b in zip(model.coefs_, stepped.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.loss_curve_, [s.objective for s in states])


def test_what_users_ask_for():
    X, y = make_regression(120, 5, random_state=0)
    X, y = X.astype(np.float64), y / y.std()
    model = MLPRegressor(
        Huber(delta=0.5),
        (16, 8),
        activation=["tanh", "gelu"],
        dropout=[0.1, 0.0],
        init="orthogonal",
        rule=Lion(Cosine(0.01, n_steps=400)),
        max_iter=100,
        random_state=0,
    )
    quiet(model, X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert model.validation_scores_[-1] > 0.5
    assert repr(model.network_) == (
        "Network(Affine(5 → 16), Tanh(), Affine(16 → 8), GELU(), Affine(8 → 1))"
    )
    best = max(model.validation_scores_)
    assert model.score(X[100:], y[100:]) > best - 0.2


def test_class_weights_move_the_boundary():
    X, y = make_classification(300, 4, weights=[0.9], flip_y=0.1, random_state=0)
    options = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "random_state": 0}
    plain, balanced = (
        quiet(MLPClassifier(**options, class_weight=w), X, y) for w in (None, "balanced")
    )
    assert (balanced.predict(X) == 1).sum() > 1.5 * (plain.predict(X) == 1).sum()
    by_hand = quiet(MLPClassifier(**options), X, y, sample_weight=np.where(y == 1, 9.0, 1.0))
    given = quiet(MLPClassifier(**options, class_weight={0: 1.0, 1: 9.0}), X, y)
    np.testing.assert_allclose(by_hand.coefs_[0], given.coefs_[0])


def test_several_labels_and_several_outputs():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    labels = (X[:, :2] > 0).astype(int)
    model = quiet(MLPClassifier((10,), solver="lbfgs", random_state=0), X, labels)
    assert model.predict(X).shape == (200, 2)
    assert (model.predict(X) == labels).mean() > 0.97
    model = quiet(MLPRegressor(hidden_layer_sizes=(10,), solver="lbfgs", random_state=0), X, X**2)
    assert model.predict(X).shape == (200, 3)


def test_warm_start_goes_on():
    X, y = iris()
    model = MLPClassifier((6,), max_iter=5, warm_start=True, random_state=0)
    first = quiet(model, X, y).loss_
    assert quiet(model, X, y).loss_curve_[0] < first
    model.hidden_layer_sizes = (7,)
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(X, y)


def test_divergence_warns_with_step_and_layer():
    X, y = make_regression(50, 3, random_state=0)
    model = MLPRegressor(solver="sgd", learning_rate_init=1e5, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"diverged at step \d+: .*layer \d"):
        model.fit(X, y)


@pytest.mark.parametrize("form", [csr_matrix, csc_matrix])
def test_sparse_features(form):
    X, y = iris()
    X = np.where(np.abs(X) < 0.5, 0.0, X)
    model = MLPClassifier((6,), max_iter=5, random_state=0)
    dense, sparse = quiet(clone(model), X, y), quiet(clone(model), form(X), y)
    np.testing.assert_array_equal(dense.coefs_[0], sparse.coefs_[0])
    np.testing.assert_allclose(dense.predict_proba(X), sparse.predict_proba(form(X)))


@pytest.mark.parametrize("rule", [None, ClipNorm(Momentum(0.05), 10.0)])
def test_pieces_are_learned_one_after_the_other(rule):
    X, y = iris()
    model = MLPClassifier((8,), learning_rate_init=0.02, rule=rule, random_state=0)
    order = np.random.default_rng(0).permutation(len(X))
    names = np.unique(y)
    model.partial_fit(X[:40], y[:40], classes=names)  # holds one class
    for _ in range(30):
        for piece in np.array_split(order, 3):
            model.partial_fit(X[piece], y[piece])
    assert model.score(X, y) > 0.8
    assert model.n_iter_ == len(model.loss_curve_) == 91
    assert model.t_ == 40 + 30 * 150
    with pytest.raises(ValueError, match="'oak', which is not among"):
        model.partial_fit(X[:1], ["oak"])


def test_a_piece_is_an_epoch_of_adam():
    """Whole batches: the numbers of a fit's first epochs, and the averages are kept."""
    X, y = make_regression(60, 3, random_state=0)
    y = y / y.std()
    options = {"hidden_layer_sizes": (5,), "batch_size": 60, "random_state": 0}
    fitted = quiet(MLPRegressor(max_iter=4, **options), X, y)
    model = MLPRegressor(**options)
    for _ in range(4):
        model = pickle.loads(pickle.dumps(model.partial_fit(X, y)))
    np.testing.assert_allclose(model.coefs_[0], fitted.coefs_[0], rtol=1e-10)
    np.testing.assert_allclose(model.loss_curve_, fitted.loss_curve_, rtol=1e-10)
    with pytest.raises(AttributeError, match="no attribute .partial_fit."):
        MLPRegressor(solver="lbfgs").partial_fit(X, y)


def test_callbacks_see_each_epoch():
    X, y = iris()
    seen = []

    class Seen:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, *args, **kwargs):
            pass

        def on_fit_task_end(self, *args, **kwargs):
            seen.append(1)
            return False

    model = MLPClassifier((4,), max_iter=5, random_state=0).set_callbacks(Seen())
    quiet(model, X, y)
    assert len(seen) >= model.n_iter_ == 5


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"activation": "swish"}, "activation='swish': give one of"),
        ({"activation": ["relu", "tanh"]}, "2 given for 1 hidden"),
        ({"dropout": [0.1, 0.2]}, "dropout: 2 given"),
        ({"solver": "lbfgs", "dropout": 0.2}, "neither early_stopping nor dropout"),
        ({"init": "xavier"}, "init='xavier'"),
        ({"alpha": -1}, "alpha"),
    ],
)
def test_bad_parameters(params, message):
    X, y = iris()
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**{"hidden_layer_sizes": (4,), **params}).fit(X, y)


def test_bad_data():
    X, y = iris()
    with pytest.raises(ValueError, match="give both"):
        MLPClassifier().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="'oak', which is not among"):
        MLPClassifier().fit(X, y, X_val=X[:1], y_val=["oak"])
