"""SGDClassifier and SGDRegressor against the naive steps and against scikit-learn."""

import logging
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import linear_model as peer
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso import losses
from kiso.linear_model import Perceptron, SGDClassifier, SGDRegressor
from kiso.linear_model import _sgd_loops as loops
from kiso.linear_model._minibatch import loss_of
from kiso.linear_model._stochastic import LOSSES, Settings
from kiso.optim import Adam, GradientDescent, Momentum
from tests.naive import sgd as naive

OF_REGRESSION = ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]
OF_CLASSES = ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"]
PENALTIES = ["l2", "l1", "elasticnet", None]

# a sample of weight c takes one step of c times the length, c copies of it take c steps, and
# a sample of weight 0 still counts in t: as in scikit-learn, which expects this to fail too
NOT_REPETITION = {
    "check_sample_weight_equivalence_on_dense_data": "a weight is not a repetition in SGD",
    "check_sample_weight_equivalence_on_sparse_data": "a weight is not a repetition in SGD",
}


@parametrize_with_checks(
    [
        SGDClassifier(random_state=0),
        SGDClassifier(loss="log_loss", batch_size=8, random_state=0),
        SGDRegressor(random_state=0),
        Perceptron(),
    ],
    expected_failed_checks=lambda _: NOT_REPETITION,
)
def test_estimator_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def data(n, d, seed, *, dtype=np.float64, density=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X[rng.random((n, d)) > density] = 0
    signs = np.where(X @ rng.standard_normal(d) + rng.standard_normal(n) > 0, 1, -1)
    y = X @ rng.standard_normal(d) + 0.1 * rng.standard_normal(n)
    return X.astype(dtype), signs, y.astype(dtype), rng.integers(0, 3, n).astype(dtype)


def quiet_fit(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


# The compiled loss, the loss of kiso.losses and the formula are one


def settings_of(loss, **other):
    given = {
        "epsilon": 0.1, "penalty": None, "alpha": 0.0, "l1_ratio": 0.0, "fit_intercept": True,
        "learning_rate": "constant", "eta0": 0.1, "power_t": 0.5, "average": 0, "max_iter": 1,
        "tol": None, "n_iter_no_change": 5, "shuffle": False,
    }  # fmt: skip
    return Settings(loss=loss, **{**given, **other})


@pytest.mark.parametrize("loss", LOSSES)
def test_three_forms_of_a_loss_agree(loss):
    rng = np.random.default_rng(0)
    s = settings_of(loss)
    for p in [*(3 * rng.standard_normal(30)), 0.0, 1.0, -1.0, 0.9, 1.1]:
        for y in (-1.0, 1.0):
            f, g, slope = loops.loss_and_slope(LOSSES[loss], y, p, s.shape)
            assert f + np.log(g) == pytest.approx(naive.loss_value(loss, y, p), abs=1e-14)
            assert slope == pytest.approx(naive.loss_slope(loss, y, p), abs=1e-14)
            target = (y + 1) / 2 if loss == "log_loss" else y
            value, gradient = loss_of(s).value_and_gradient([p], [target])
            assert value == pytest.approx(f + np.log(g), abs=1e-14)
            assert gradient[0] == pytest.approx(slope, abs=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("score", [-1000.0, 1000.0])
def test_compiled_losses_are_stable(loss, score):
    parts = loops.loss_and_slope(LOSSES[loss], 1.0, score, settings_of(loss).shape)
    assert np.isfinite(parts).all()


# The sequence of steps


@settings(deadline=None, max_examples=60)
@given(
    loss=st.sampled_from(sorted(LOSSES)),
    penalty=st.sampled_from(PENALTIES),
    rate=st.sampled_from(["constant", "optimal", "invscaling", "pa1", "pa2"]),
    average=st.sampled_from([0, 1, 7]),
    weighted=st.booleans(),
    is_sparse=st.booleans(),
    shape=st.tuples(st.integers(2, 20), st.integers(1, 5)),
    seed=st.integers(0, 999),
)
def test_steps_are_the_naive_ones(loss, penalty, rate, average, weighted, is_sparse, shape, seed):
    if rate in ("pa1", "pa2"):
        loss = "hinge"
    X, signs, _, weight = data(*shape, seed, density=0.7)
    signs[:2] = -1, 1
    weight = weight + (0 if weight.any() else 1)
    given = {
        "loss": loss, "penalty": penalty, "learning_rate": rate, "average": average,
        "alpha": 0.5, "l1_ratio": 0.4, "eta0": 0.02,
    }  # fmt: skip
    weight = weight if weighted else None
    model = SGDClassifier(
        **{**given, "average": average or False}, shuffle=False, max_iter=3, tol=None
    )
    model.fit(sparse.csr_matrix(X) if is_sparse else X, signs, sample_weight=weight)
    decay = 0.01 if is_sparse else 1.0
    kinks = []
    coef, intercept, objective, _ = naive.sgd(
        X, signs, **given, n_epochs=3, weight=weight, intercept_decay=decay, kinks=kinks
    )
    assume(min(kinks, default=1.0) > 1e-12)
    np.testing.assert_allclose(model.coef_[0], coef, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(model.intercept_[0], intercept, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(model.objective_path_, objective, rtol=1e-8, atol=1e-11)
    assert model.t_ == 1 + 3 * shape[0]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive", "optimal", "pa1"])
@pytest.mark.parametrize("average", [False, 30])
def test_classifier_is_scikit_learns(penalty, rate, average):
    """Weights, epochs and t, two and three classes, dense and sparse, with the default tol."""
    X, signs, _, three = data(120, 6, 0, density=0.6)
    if average and penalty in ("l1", "elasticnet"):
        pytest.skip("scikit-learn's mean forgets what L1 took; the naive oracle checks ours")
    for y, loss in ((signs, "hinge"), (three, "log_loss" if rate != "pa1" else "hinge")):
        kind = {
            "loss": loss, "penalty": penalty, "learning_rate": rate, "average": average,
            "alpha": 0.01, "eta0": 0.02, "l1_ratio": 0.3, "shuffle": False, "max_iter": 40,
        }  # fmt: skip
        if rate == "optimal":
            kind["alpha"] = 0.5  # smaller: steps so long that rounding is amplified
        if penalty in ("l1", "elasticnet"):
            kind.update(tol=None, max_iter=10)  # its L1 norm is that before the clipping
        ours, theirs = (
            quiet_fit(SGDClassifier(**kind), X, y),
            quiet_fit(peer.SGDClassifier(**kind), X, y),
        )
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.t_ == theirs.t_
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-10)
        kind.update(tol=None, max_iter=5)
        rows = sparse.csr_matrix(X)
        ours, theirs = SGDClassifier(**kind).fit(rows, y), peer.SGDClassifier(**kind).fit(rows, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("loss", OF_REGRESSION)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_regressor_is_scikit_learns(loss, dtype):
    X, _, y, _ = data(150, 5, 1, dtype=dtype)
    for kind in (
        {},
        {"penalty": "l1", "alpha": 0.01},
        {"average": 10},
        {"learning_rate": "adaptive"},
    ):
        kind = {"loss": loss, "shuffle": False, "max_iter": 20, "tol": None, **kind}
        ours, theirs = SGDRegressor(**kind).fit(X, y), peer.SGDRegressor(**kind).fit(X, y)
        assert ours.coef_.dtype == ours.intercept_.dtype == dtype
        assert ours.coef_.shape == theirs.coef_.shape
        assert ours.predict(X).dtype == dtype
        tolerance = (
            {"rtol": 1e-9, "atol": 1e-11} if dtype == np.float64 else {"rtol": 2e-4, "atol": 1e-5}
        )
        np.testing.assert_allclose(ours.coef_, theirs.coef_, **tolerance)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, **tolerance)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-3, atol=1e-3)


def test_weights_of_samples_and_classes_are_scikit_learns():
    X, signs, _, three = data(100, 4, 2)
    weight = np.random.default_rng(0).random(100)
    for y, of_class in ((signs, {-1: 0.3, 1: 2.0}), (three, "balanced"), (signs, "balanced")):
        kind = {
            "class_weight": of_class,
            "shuffle": False,
            "max_iter": 4,
            "tol": None,
            "alpha": 0.1,
        }
        ours = SGDClassifier(**kind).fit(X, y, sample_weight=weight)
        theirs = peer.SGDClassifier(**kind).fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)


def test_probabilities_are_scikit_learns():
    X, signs, _, three = data(100, 4, 3)
    for loss in ("log_loss", "modified_huber"):
        for y in (signs, three):
            kind = {"loss": loss, "shuffle": False, "alpha": 0.1, "max_iter": 5, "tol": None}
            ours, theirs = SGDClassifier(**kind).fit(X, y), peer.SGDClassifier(**kind).fit(X, y)
            far = np.vstack([X, 1000 * X, np.zeros((1, 4))])
            np.testing.assert_allclose(
                ours.predict_proba(far), theirs.predict_proba(far), atol=1e-12
            )
            np.testing.assert_array_equal(ours.predict(far), theirs.predict(far))
            with np.errstate(divide="ignore"):
                expected = theirs.predict_log_proba(X)
            np.testing.assert_allclose(ours.predict_log_proba(X), expected, rtol=1e-9)
    assert not hasattr(SGDClassifier(loss="hinge"), "predict_proba")
    with pytest.raises(AttributeError):
        SGDClassifier(loss="hinge").predict_proba(X)


def test_partial_fit_is_scikit_learns():
    X, signs, y, three = data(90, 4, 4)
    parts = slice(0, 30), slice(30, 50), slice(50, 90)
    for labels in (signs, three):  # not its means, which forget the intercept between calls
        ours, theirs = SGDClassifier(shuffle=False), peer.SGDClassifier(shuffle=False)
        for part in parts:
            for model in (ours, theirs):
                model.partial_fit(X[part], labels[part], classes=np.unique(labels))
            assert ours.t_ == theirs.t_
            np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
            np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)
    for average in (False, 25):
        kind = {"shuffle": False, "average": average}
        ours, theirs = SGDRegressor(**kind), peer.SGDRegressor(**kind)
        for part in parts:
            for model in (ours, theirs):
                model.partial_fit(X[part], y[part])
            np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
            np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)


@pytest.mark.parametrize("average", [False, 5])
def test_partial_fits_make_up_one_epoch(average):
    X, _, _, three = data(90, 4, 5)
    kind = {"shuffle": False, "average": average}
    one_by_one = SGDClassifier(**kind)
    for i in range(90):
        one_by_one.partial_fit(X[i : i + 1], three[i : i + 1], classes=[0, 1, 2])
    whole = SGDClassifier(max_iter=1, tol=None, **kind).fit(X, three)
    np.testing.assert_allclose(one_by_one.coef_, whole.coef_, rtol=1e-9)
    np.testing.assert_allclose(one_by_one.intercept_, whole.intercept_, rtol=1e-9)


def test_partial_fit_goes_on_after_sparsify_and_fit():
    X, signs, *_ = data(60, 5, 5)
    model = SGDClassifier(penalty="l1", alpha=0.01, shuffle=False, max_iter=3, tol=None).fit(
        X, signs
    )
    twin = clone(model).fit(X, signs)
    model.sparsify().partial_fit(X, signs)
    twin.partial_fit(X, signs)
    np.testing.assert_array_equal(model.coef_, twin.coef_)


def test_averages_and_rule_states_of_an_earlier_fit_are_forgotten():
    X, _, y, _ = data(200, 4, 5)
    model = SGDRegressor(average=True, rule=None, random_state=0).fit(X, y)
    model.set_params(average=False).fit(X, y + 50)
    model.set_params(average=True).partial_fit(X, y + 50)
    assert model.intercept_[0] == pytest.approx(50, abs=2)
    ruled = SGDRegressor(batch_size=8, rule=Adam(0.1), random_state=0).fit(X, y)
    twin = clone(ruled).set_params(rule=None).fit(X, y)
    ruled.set_params(rule=None).fit(X, y)
    for model in (ruled, twin):
        model.set_params(rule=Adam(0.1)).partial_fit(X, y)
    np.testing.assert_array_equal(ruled.coef_, twin.coef_)


def test_warm_start_and_initial_weights():
    X, signs, y, _ = data(80, 4, 6)
    kind = {"shuffle": False, "learning_rate": "constant", "tol": None}
    two = SGDRegressor(max_iter=2, **kind).fit(X, y)
    warm = SGDRegressor(max_iter=1, warm_start=True, **kind).fit(X, y).fit(X, y)
    np.testing.assert_allclose(warm.coef_, two.coef_, rtol=1e-12)
    start = SGDRegressor(max_iter=1, **kind).fit(X, y)
    given = SGDRegressor(max_iter=1, **kind).fit(
        X, y, coef_init=start.coef_, intercept_init=start.intercept_
    )
    np.testing.assert_allclose(given.coef_, two.coef_, rtol=1e-12)
    with pytest.raises(ValueError, match=r"coef_init of shape \(3,\) does not match.*\(1, 4\)"):
        SGDClassifier().fit(X, signs, coef_init=np.zeros(3))
    with pytest.raises(ValueError, match="intercept_init"):
        SGDRegressor().fit(X, y, intercept_init=np.zeros(2))


# Mini-batches and rules


@settings(deadline=None, max_examples=40)
@given(
    loss=st.sampled_from(sorted(LOSSES)),
    rate=st.sampled_from(["constant", "optimal", "invscaling"]),
    average=st.sampled_from([False, 3]),
    is_sparse=st.booleans(),
    seed=st.integers(0, 99),
)
def test_batches_of_one_are_single_steps(loss, rate, average, is_sparse, seed):
    """The two solvers meet at m' = 1 (no L1: one clips lazily, the other at once)."""
    from dataclasses import replace

    from kiso.linear_model._minibatch import descend_in_batches

    X, signs, _, weight = data(25, 3, seed, density=0.7)
    signs[:2] = -1, 1
    model = SGDClassifier(
        loss, alpha=0.5, learning_rate=rate, average=average, shuffle=False, max_iter=3, tol=None
    )
    problem = model._prepare(X, signs, sample_weight=weight + 1)
    single = list(model._iterate(problem))
    rows = sparse.csr_matrix(X) if is_sparse else X
    p = replace(problem, X=rows)
    batched = list(
        descend_in_batches(
            p.X, p.targets, p.train, p.start, p.settings, p.rng, p.score, batch_size=1
        )
    )
    for a, b in zip(single, batched, strict=True):
        np.testing.assert_allclose(a.coef, b.coef, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(a.intercept, b.intercept, rtol=1e-9, atol=1e-12)
        assert a.objective == pytest.approx(b.objective, rel=1e-9)
        assert a.eta == pytest.approx(b.eta)


def test_a_batch_moves_by_its_mean_gradient_and_the_short_last_one_by_its_share():
    X, _, _, three = data(23, 4, 7)
    kind = {"loss": "log_loss", "learning_rate": "constant", "eta0": 0.3, "alpha": 0.2}
    model = SGDClassifier(**kind, shuffle=False, batch_size=5, max_iter=1, tol=None).fit(X, three)
    Y = np.where(three[:, None] == np.arange(3), 1.0, -1.0)
    W, b = np.zeros((3, 4)), np.zeros(3)
    for first in range(0, 23, 5):
        rows = slice(first, first + 5)
        W, b = naive.batch_step(
            W, b, X[rows], Y[rows], np.ones((len(X[rows]), 3)),
            lambda y, p: naive.loss_slope("log_loss", y, p), eta=0.3, l2=0.2, batch_size=5,
        )  # fmt: skip
    np.testing.assert_allclose(model.coef_, W, rtol=1e-10)
    np.testing.assert_allclose(model.intercept_, b, rtol=1e-10)
    assert model.t_ == 6.0


def test_gradient_descent_as_a_rule_is_the_plain_step():
    X, _, y, _ = data(40, 3, 8)
    kind = {"alpha": 0.1, "shuffle": False, "max_iter": 4, "tol": None, "batch_size": 7}
    plain = SGDRegressor(learning_rate="constant", eta0=0.05, **kind).fit(X, y)
    ruled = SGDRegressor(rule=GradientDescent(0.05), **kind).fit(X, y)
    np.testing.assert_allclose(ruled.coef_, plain.coef_, rtol=1e-9)
    np.testing.assert_allclose(ruled.intercept_, plain.intercept_, rtol=1e-9)


def test_a_rule_keeps_its_memory_over_partial_fits():
    X, _, y, _ = data(40, 3, 9)
    kind = {"rule": Momentum(0.02), "batch_size": 8, "shuffle": False, "alpha": 0.01}
    whole = SGDRegressor(max_iter=1, tol=None, **kind).fit(X, y)
    parts = SGDRegressor(**kind).partial_fit(X[:24], y[:24]).partial_fit(X[24:], y[24:])
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)


def test_rules_and_batches_reach_the_minimum():
    X, signs, *_ = data(400, 5, 10)

    def objective(model):
        margins = signs * model.decision_function(X)
        return np.logaddexp(0, -margins).mean() + 0.005 * (model.coef_**2).sum()

    best = objective(peer.LogisticRegression(C=1 / (0.01 * 400), tol=1e-10).fit(X, signs))
    for kind in ({"rule": Adam(0.02)}, {"learning_rate": "invscaling", "eta0": 2.0}):
        model = SGDClassifier(
            "log_loss", alpha=0.01, batch_size=50, max_iter=300, tol=None, random_state=0, **kind
        ).fit(X, signs)
        assert best < objective(model) < best + 5e-4
        assert model.objective_path_[-1] == pytest.approx(objective(model), abs=5e-3)


def test_l1_in_batches_gives_zeros():
    X, _, _, _ = data(300, 8, 11)
    y = X[:, 0] - 2 * X[:, 1]
    kind = {"penalty": "l1", "alpha": 0.1, "learning_rate": "constant", "tol": None, "max_iter": 60}
    model = SGDRegressor(batch_size=30, eta0=0.05, random_state=0, **kind).fit(X, y)
    assert (model.coef_ == 0).sum() >= 4
    lasso = peer.Lasso(alpha=0.1).fit(X, y)
    np.testing.assert_allclose(model.coef_, lasso.coef_, atol=0.05)


# Stopping


def test_early_stopping_sets_rows_aside():
    X, _, y, three = data(400, 4, 12)
    for kind in ({}, {"batch_size": 10}):
        model = SGDClassifier(early_stopping=True, random_state=0, **kind)
        states = list(model.steps(X, three))
        assert states[-1].converged
        assert model.n_iter_ == len(states) < 1000
        scores = [state.validation_score for state in states]
        assert all(0 <= score <= 1 for score in scores)
        if kind:  # all classes stop together: the last five epochs gained less than tol
            assert max(scores[-5:]) < max(scores[:-5]) + 1e-3
    regressor = SGDRegressor(early_stopping=True, validation_fraction=0.25, random_state=0)
    *_, last = regressor.steps(X, y)
    assert 0.9 < last.validation_score <= 1
    train = clone(regressor)._prepare(X, y).train
    assert len(train) == 300
    with pytest.raises(ValueError, match="set aside for early stopping have weight 0"):
        regressor.fit(X, y, sample_weight=np.zeros(400))


def test_validation_score_is_that_of_the_weights():
    """With L2 the weights are kept as scale times vector; the score must see the product."""
    X, signs, *_ = data(200, 3, 13)
    model = SGDClassifier(
        early_stopping=True, alpha=0.5, learning_rate="constant", eta0=0.1, random_state=0
    )
    problem = model._prepare(X, signs)
    held_out = np.setdiff1d(np.arange(200), problem.train)
    for state in model._iterate(problem):
        right = (X[held_out] @ state.coef[0] + state.intercept[0] > 0) == (signs[held_out] > 0)
        assert state.validation_score == pytest.approx(right.mean())


def test_adaptive_steps_shrink_until_they_are_tiny():
    X, _, y, _ = data(100, 3, 14)
    model = SGDRegressor(learning_rate="adaptive", eta0=0.1, random_state=0)
    etas = [state.eta for state in model.steps(X, y)]
    assert etas[0] == 0.1
    ratios = np.unique(np.round(np.array(etas[:-1]) / etas[1:], 6))
    assert set(ratios) == {1.0, 5.0}
    assert etas[-1] <= 1e-6 * 1.0001 or model.n_iter_ == 1000


def test_not_converging_is_a_warning():
    X, signs, *_ = data(50, 3, 15)
    with pytest.warns(ConvergenceWarning, match="stopped after 2 epochs"):
        SGDClassifier(max_iter=2).fit(X, signs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SGDClassifier(max_iter=2, tol=None).fit(X, signs)


# The protocol of iterative fits


@pytest.mark.parametrize("batch_size", [1, 16])
def test_steps_callbacks_and_interruption(batch_size):
    X, _, _, three = data(100, 3, 16)

    class Interrupt:
        seen = 0

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            if self.seen == 3:
                raise KeyboardInterrupt

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.seen += context.task_name == "step"
            return False

    kind = {"random_state": 0, "batch_size": batch_size, "tol": None}
    model = SGDClassifier(max_iter=10, **kind).set_callbacks(Interrupt())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, three)
    three_epochs = SGDClassifier(max_iter=3, **kind).fit(X, three)
    np.testing.assert_array_equal(model.coef_, three_epochs.coef_)
    assert model.n_iter_ == 3
    stepped = SGDClassifier(max_iter=3, **kind)
    states = list(stepped.steps(X, three))
    np.testing.assert_array_equal(stepped.coef_, three_epochs.coef_)
    assert [s.n_iter for s in states] == [1, 2, 3]
    assert not np.shares_memory(states[0].coef, states[1].coef)
    np.testing.assert_array_equal(stepped.objective_path_, [s.objective for s in states])


def test_epochs_are_logged(caplog):
    X, signs, *_ = data(30, 2, 17)
    with caplog.at_level(logging.INFO, "kiso"):
        SGDClassifier(max_iter=2, tol=None).fit(X, signs)
        assert not caplog.records
        SGDClassifier(max_iter=2, tol=None, verbose=1).fit(X, signs)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("seed", [0, np.random.default_rng(0), np.random.RandomState(0)])
def test_seeds(seed):
    X, signs, *_ = data(60, 3, 18)
    a = SGDClassifier(random_state=seed, max_iter=2, tol=None).fit(X, signs).coef_
    assert (SGDClassifier(random_state=1, max_iter=2, tol=None).fit(X, signs).coef_ != a).any()
    if seed == 0:
        again = SGDClassifier(random_state=seed, max_iter=2, tol=None).fit(X, signs).coef_
        np.testing.assert_array_equal(a, again)


@pytest.mark.jit
def test_the_same_on_one_thread():
    from threadpoolctl import threadpool_limits

    X, _, _, three = data(20_000, 4, 19)
    many = SGDClassifier(random_state=0, max_iter=3, tol=None).fit(X, three)
    with threadpool_limits(1):
        one = SGDClassifier(random_state=0, max_iter=3, tol=None).fit(X, three)
    np.testing.assert_array_equal(many.coef_, one.coef_)


def test_shuffle_is_a_permutation_that_reaches_all():
    rng = np.random.default_rng(0)
    firsts = set()
    for _ in range(60):
        order = np.arange(6)
        loops.shuffle(order, rng.random(6))
        assert sorted(order) == list(range(6))
        firsts.add(order[0])
    assert firsts == set(range(6))


# Shapes, layouts, edges


def test_layouts_and_index_types_agree():
    X, signs, *_ = data(50, 4, 20, density=0.5)
    kind = {"shuffle": False, "max_iter": 3, "tol": None}
    expected = SGDClassifier(**kind).fit(X, signs).coef_
    wide = np.zeros((100, 8))
    wide[::2, ::2] = X
    for same in (np.asfortranarray(X), wide[::2, ::2], X.tolist()):
        np.testing.assert_array_equal(SGDClassifier(**kind).fit(same, signs).coef_, expected)
    rows = sparse.csr_matrix(X)
    of_rows = SGDClassifier(**kind).fit(rows, signs).coef_
    long = rows.copy()
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    doubled = sparse.csr_matrix(
        (np.repeat(rows.data / 2, 2), np.repeat(rows.indices, 2), 2 * rows.indptr), rows.shape
    )
    for same in (sparse.csc_matrix(X), sparse.coo_array(X), long, doubled):
        np.testing.assert_allclose(
            SGDClassifier(**kind).fit(same, signs).coef_, of_rows, rtol=1e-12
        )
    model = SGDClassifier(**kind).fit(rows, signs)
    np.testing.assert_allclose(model.decision_function(rows), model.decision_function(X))


@pytest.mark.parametrize("batch_size", [1, 3])
def test_edges(batch_size):
    kind = {"max_iter": 3, "tol": None, "random_state": 0, "batch_size": batch_size}
    one_column = SGDClassifier(**kind).fit(np.arange(6.0)[:, None] - 2.5, [0, 0, 0, 1, 1, 1])
    assert one_column.coef_.shape == (1, 1)
    one_row = SGDRegressor(**kind).fit([[1.0, 2.0]], [3.0])
    assert np.isfinite(one_row.coef_).all()
    constant = SGDRegressor(**kind).fit(np.ones((5, 2)), np.ones(5))
    assert constant.coef_[0] == pytest.approx(constant.coef_[1])
    empty_rows = SGDClassifier(**kind).fit(sparse.csr_matrix((4, 3)), [0, 1, 0, 1])
    assert not empty_rows.coef_.any()
    no_intercept = SGDClassifier(fit_intercept=False, **kind).fit([[1.0], [-1.0]], [0, 1])
    assert not no_intercept.intercept_.any()
    zero_weight = SGDRegressor(penalty=None, **kind)
    X, _, y, _ = data(20, 3, 21)
    weight = np.r_[np.ones(10), np.zeros(10)]
    zero_weight.fit(X, np.where(weight > 0, y, 1e6), sample_weight=weight)
    assert np.abs(zero_weight.coef_).max() < 10


def test_labels_of_any_type():
    X, signs, *_ = data(60, 3, 22)
    text = np.where(signs > 0, "yes", "no").astype(object)
    model = SGDClassifier(random_state=0).fit(X, text)
    assert set(model.predict(X)) <= {"yes", "no"}
    same = SGDClassifier(random_state=0).fit(X, signs > 0)
    np.testing.assert_array_equal(model.coef_, same.coef_)


def test_in_pipeline_and_grid_search():
    X, signs, *_ = data(90, 3, 23)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SGDClassifier(random_state=0)),
        {"sgdclassifier__alpha": [1e-3, 1e-1]},
        cv=3,
    ).fit(X, signs)
    assert search.best_score_ > 0.7


# Bad input


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SGDClassifier(loss="logistic"), "'loss' parameter of SGDClassifier must be"),
        (SGDClassifier(batch_size=0), "'batch_size' parameter"),
        (SGDClassifier(rule="adam"), "'rule' parameter"),
        (SGDClassifier(eta0=0.0), "'eta0' parameter"),
        (SGDClassifier(power_t=-1.0), "'power_t' parameter"),
        (SGDClassifier(alpha=0.0), "alpha=0 with learning_rate='optimal'"),
        (SGDClassifier("log_loss", learning_rate="pa1"), "only works with loss='hinge'"),
        (SGDClassifier(learning_rate="pa2", batch_size=2), "batch_size=2.*one sample each"),
        (SGDClassifier(penalty="elasticnet", l1_ratio=None), "l1_ratio=None"),
        (SGDRegressor(loss="hinge"), "'loss' parameter of SGDRegressor must be"),
        (SGDRegressor(learning_rate="pa1"), "only works with loss='epsilon_insensitive'"),
        (SGDRegressor(tol=-1.0), "'tol' parameter"),
        (Perceptron(penalty="l3"), "'penalty' parameter of Perceptron must be"),
    ],
)
def test_bad_parameters_are_named(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit([[0.0], [1.0]], [0, 1])


def test_bad_data_are_named():
    X, signs, y, _ = data(20, 3, 24)
    with pytest.raises(ValueError, match="one class, 1.0: "):
        SGDClassifier().fit(X, np.ones(20))
    with pytest.raises(ValueError, match="NaN"):
        SGDClassifier().fit(np.full((2, 1), np.nan), [0, 1])
    with pytest.raises(ValueError, match="continuous"):
        SGDClassifier().fit(X, y)
    with pytest.raises(ValueError, match="classes must be passed"):
        SGDClassifier().partial_fit(X, signs)
    model = SGDClassifier().partial_fit(X, signs, classes=[-1, 1])
    with pytest.raises(ValueError, match="5.*not among the classes"):
        model.partial_fit(X, np.full(20, 5))
    three = SGDClassifier().partial_fit(X, np.arange(20) % 3, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="7.*not among the classes"):
        three.partial_fit(X, np.full(20, 7))
    with pytest.raises(ValueError, match="2 features"):
        model.partial_fit(X[:, :2], signs)
    with pytest.raises(ValueError, match="balanced"):
        SGDClassifier(class_weight="balanced").partial_fit(X, signs, classes=[-1, 1])
    with pytest.raises(ValueError, match="early_stopping"):
        SGDRegressor(early_stopping=True).partial_fit(X, y)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_overflow_is_an_error(batch_size):
    X, _, y, _ = data(50, 3, 25)
    model = SGDRegressor(
        learning_rate="constant", eta0=10.0, batch_size=batch_size, max_iter=1000, tol=None
    )
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match="Floating-point .*epoch #.*Scale the features"),
    ):
        model.fit(1e200 * X, y)


def test_losses_of_the_estimator_are_those_of_the_room():
    assert isinstance(loss_of(settings_of("log_loss")), losses.SigmoidCrossEntropy)


@pytest.mark.parametrize("pair", [(SGDClassifier, "SGDClassifier"), (SGDRegressor, "SGDRegressor")])
def test_the_rows_set_aside_are_scikit_learns(pair):
    import sklearn.linear_model

    ours, theirs = pair[0], getattr(sklearn.linear_model, pair[1])
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=80)
    y = y > 0 if ours is SGDClassifier else y
    options = {"early_stopping": True, "shuffle": False, "tol": None, "max_iter": 5}
    options |= {"learning_rate": "constant", "eta0": 0.01, "validation_fraction": 0.3}
    for seed in (3, np.random.RandomState(3)):
        found = ours(random_state=seed, **options).fit(X, y)
        wanted = theirs(random_state=3, **options).fit(X, y)
        np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-6)
    other = ours(random_state=np.random.default_rng(3), **options).fit(X, y)
    assert not np.allclose(other.coef_, wanted.coef_)
