"""What scikit-learn's multilayer perceptrons do and a user meets on the first days."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor
from sklearn.neural_network import MLPClassifier as Theirs

from kiso.losses import Poisson
from kiso.neural_network import MLPClassifier, MLPRegressor

X, y = load_digits(n_class=3, return_X_y=True)
X, y = X[:200] / 16, y[:200]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestPieces:
    def test_several_labels_stay_several(self):
        A, B = make_multilabel_classification(n_samples=60, random_state=0)
        model = MLPClassifier(
            (50,), activation="logistic", solver="sgd", learning_rate_init=0.2, random_state=0
        )
        for _ in range(150):
            model.partial_fit(A, B, classes=[0, 1, 2, 3, 4])
        assert model.out_activation_ == "logistic"
        assert model.predict(A).shape == B.shape
        assert model.score(A, B) > 0.9
        np.testing.assert_array_equal(model.classes_, np.arange(5))

    def test_weights_are_repetitions(self):
        weight = np.arange(len(X)) % 3
        many = np.repeat(np.arange(len(X)), weight)
        options = {"solver": "sgd", "batch_size": 1000, "shuffle": False, "random_state": 0,
                   "alpha": 0.0}  # fmt: skip
        one = MLPClassifier((8,), **options).partial_fit(X, y, sample_weight=weight)
        other = MLPClassifier((8,), **options).partial_fit(X[many], y[many])
        for a, b in zip(one.coefs_, other.coefs_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)

    def test_other_classes_and_early_stopping_are_refused(self):
        model = MLPClassifier(solver="sgd").partial_fit([[3, 2]], [0], classes=[0, 1])
        with pytest.raises(ValueError, match="not the same as on last call"):
            model.partial_fit([[3, 2]], [0], classes=[1, 2])
        model = MLPClassifier(early_stopping=True, max_iter=2).fit(X, y)
        with pytest.raises(ValueError, match="does not support early_stopping"):
            model.partial_fit(X, y)

    def test_after_fit(self):
        model = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
        before = model.loss_
        for _ in range(5):
            model.partial_fit(X, y)
        assert model.loss_ < before
        assert model.n_iter_ == 8 == len(model.loss_curve_)


class TestStopping:
    def test_attributes_of_the_best(self):
        stopped = MLPClassifier(max_iter=8, early_stopping=True, random_state=0).fit(X, y)
        assert stopped.best_loss_ is None
        assert stopped.best_validation_score_ == max(stopped.validation_scores_)
        model = MLPClassifier(max_iter=8, random_state=0).fit(X, y)
        assert model.best_loss_ == min(model.loss_curve_)
        assert model.validation_scores_ is model.best_validation_score_ is None

    @pytest.mark.parametrize("solver", ["sgd", "adam"])
    def test_any_number_of_epochs_without_gain(self, solver):
        model = MLPClassifier((3,), solver=solver, tol=1e9, n_iter_no_change=np.inf, max_iter=40)
        assert model.fit(X, y).n_iter_ == 40
        assert MLPClassifier((3,), solver=solver, tol=1e9, max_iter=40).fit(X, y).n_iter_ < 40

    @pytest.mark.parametrize("max_fun", [3, 10])
    def test_evaluations_of_lbfgs(self, max_fun, monkeypatch):
        from kiso.nn import Network

        calls = []
        own = Network.loss_and_gradients
        monkeypatch.setattr(
            Network, "loss_and_gradients", lambda *a, **k: (calls.append(1), own(*a, **k))[1]
        )
        model = MLPRegressor(hidden_layer_sizes=(9,), solver="lbfgs", tol=0, max_fun=max_fun,
                             random_state=0)  # fmt: skip
        with pytest.warns(ConvergenceWarning):
            model.fit(X, y)
        assert model.n_iter_ <= max_fun
        assert len(calls) <= max_fun + 20  # one line search

    def test_a_validation_set_of_one_row(self):
        A, b = make_regression(n_samples=2, n_features=5, random_state=0)
        with pytest.raises(ValueError, match="validation set is too small"):
            MLPRegressor(early_stopping=True).fit(A, b)

    def test_a_class_of_one_row(self):
        with pytest.raises(ValueError, match="least populated class"):
            MLPClassifier(early_stopping=True).fit([[1, 2], [2, 3], [3, 4], [4, 5]], [0, 0, 0, 1])


class TestDivergence:
    def test_data_that_are_too_large(self):
        A = np.finfo(float).max * np.random.default_rng(0).random((10, 2))
        with pytest.raises(ValueError, match="non-finite parameter weights"):
            MLPRegressor().fit(A, np.arange(10.0))

    def test_scores_say_nan(self):
        model = MLPRegressor(
            hidden_layer_sizes=100, activation="identity", solver="sgd", learning_rate_init=1,
            max_iter=20, early_stopping=True, random_state=0,
        )  # fmt: skip
        model.fit(100 * X, y)
        assert np.isnan(model.validation_scores_[-1])
        assert isinstance(model.validation_scores_[-1], float)


def test_warm_start_with_other_classes_is_refused():
    model = MLPClassifier((2,), warm_start=True, max_iter=2).fit(X, y)
    model.fit(X, y)
    with pytest.raises(ValueError, match=r"Previously got \[0 1 2\], `y` has \[0 1\]"):
        model.fit(X, np.minimum(y, 1))


def test_verbose_writes_a_line_an_epoch(capsys):
    MLPClassifier((2,), max_iter=3, verbose=True).fit(X, y).partial_fit(X, y)
    assert capsys.readouterr().out.count("Iteration") == 4
    MLPClassifier((2,), max_iter=3).fit(X, y)
    assert capsys.readouterr().out == ""


class TestCounts:
    def test_without_a_hidden_layer_it_is_the_linear_model(self):
        rng = np.random.default_rng(1)
        A = np.linspace(0, 1, 100)[:, None]
        b = rng.poisson(np.exp(A[:, 0] + 1))
        linear = PoissonRegressor(alpha=0, tol=1e-7).fit(A, b)
        model = MLPRegressor("poisson", (1,), activation="identity", alpha=0, solver="lbfgs",
                             tol=1e-7, random_state=0).fit(A, b)  # fmt: skip
        np.testing.assert_allclose(model.predict(A), linear.predict(A), rtol=1e-4)
        assert model.out_activation_ == "exp"
        with pytest.raises(ValueError, match="out of the valid range"):
            model.fit(A, b - 5.0)

    def test_loss(self):
        a, t = (
            np.random.default_rng(0).normal(size=(7, 3)),
            np.random.default_rng(1).poisson(2, (7, 3)),
        )
        h, v = 1e-6, np.random.default_rng(2).normal(size=(7, 3))
        loss = Poisson()
        slope = (loss.value(a + h * v, t) - loss.value(a - h * v, t)) / (2 * h)
        assert slope == pytest.approx((loss.gradient(a, t) * v).sum(), rel=1e-8)
        assert loss.value(np.log([2.0]), np.array([2.0])) == pytest.approx(0, abs=1e-15)


def test_one_class():
    model = MLPClassifier((2,), max_iter=2).fit(X, np.full(len(X), "a"))
    assert set(model.predict(X)) == {"a"}
    assert model.predict_proba(X).shape == (len(X), 1)


def test_parameters_are_theirs():
    ours = MLPClassifier().get_params()
    own = {"dropout", "init", "rule", "loss", "class_weight", "adversary"}
    theirs = Theirs().get_params()
    assert {k: v for k, v in ours.items() if k not in own} == theirs
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        MLPClassifier(max_iter=1).set_params(**theirs)
