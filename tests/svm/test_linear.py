"""LinearSVC and LinearSVR against the naive machines, scikit-learn, and their own certificate."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import svm as peer
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso._compute import costs
from kiso.svm import LinearSVC, LinearSVR
from kiso.svm import _linear_machines as machines
from tests.naive import linear_svm as naive

# Primal minus dual is a difference of two large numbers: coordinate descent can certify a
# gap of 1e-14 of them, which leaves 1e-7 of the weights, and that check asks for 1e-9.
BY_THE_GAP = {
    "check_sample_weight_equivalence_on_dense_data": "the same solution, within the gap",
    "check_sample_weight_equivalence_on_sparse_data": "the same solution, within the gap",
}
PRECISE = [
    LinearSVC(dual=False, tol=1e-20),
    LinearSVC(loss="hinge", tol=1e-20),
    LinearSVR(loss="squared_epsilon_insensitive", epsilon=0.1, tol=1e-20),
]
CLASSES = ["hinge", "squared_hinge"]
TARGETS = ["epsilon_insensitive", "squared_epsilon_insensitive"]


@parametrize_with_checks(
    [*PRECISE, LinearSVC(dual=True), LinearSVR()],
    expected_failed_checks=lambda e: {} if e.tol == 1e-20 else BY_THE_GAP,
)
def test_estimator_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def data(n, d, seed, *, dtype=np.float64, density=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X[rng.random((n, d)) > density] = 0.0
    target = X @ rng.standard_normal(d) + rng.standard_normal(n)
    signs = np.where(target > 0, 1, -1)
    signs[:2] = 1, -1
    return X.astype(dtype), signs, target, rng.integers(0, 3, n).astype(float)


def quiet(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def value(model, X, y, weight=None):
    """The primal at a fitted model, by the naive sum."""
    u = model.C * (np.ones(len(y)) if weight is None else weight)
    rows = X.toarray() if sparse.issparse(X) else np.asarray(X, float)
    a = model.intercept_scaling if model.fit_intercept else 0.0
    return naive.primal(
        model.loss, rows, y, np.ravel(model.coef_), float(np.ravel(model.intercept_)[0]), u,
        a=a, epsilon=getattr(model, "epsilon", 0.0),
    )  # fmt: skip


# The solution


@settings(deadline=None, max_examples=80)
@given(
    loss=st.sampled_from(CLASSES + TARGETS),
    shape=st.tuples(st.integers(2, 25), st.integers(1, 6)),
    C=st.sampled_from([0.01, 1.0, 30.0]),
    a=st.sampled_from([0.0, 1.0, 3.0]),
    weighted=st.booleans(),
    container=st.sampled_from([np.asarray, np.asfortranarray, sparse.csr_array]),
    dual=st.sampled_from(["auto", True, False]),
    seed=st.integers(0, 999),
)
def test_primal_and_dual_meet(loss, shape, C, a, weighted, container, dual, seed):
    """The naive primal at w equals the naive dual at β, which bounds it: that proves both."""
    X, signs, target, weight = data(*shape, seed, density=0.7)
    weight[:2] = 1.0
    y = signs if loss in CLASSES else target
    dual = dual if loss.startswith("squared") else "auto"
    given = {"C": C, "dual": dual, "loss": loss, "max_iter": 20_000}
    given |= {"fit_intercept": a > 0, "intercept_scaling": a or 1.0}
    model = LinearSVC(**given) if loss in CLASSES else LinearSVR(epsilon=0.3, **given)
    weight = weight if weighted else np.ones(len(y))
    *_, state = model.steps(container(X), y, sample_weight=weight)
    beta, u = state.dual_coef[0], C * weight
    assert naive.feasible(loss, y, beta, u)
    kind = {"a": a, "epsilon": getattr(model, "epsilon", 0.0)}
    upper = value(model, X, y, weight)
    lower = naive.dual(loss, X, y, beta, u, **kind)
    assert state.objective == pytest.approx(upper, rel=1e-9, abs=1e-12)
    assert state.dual_objective == pytest.approx(lower, rel=1e-9, abs=1e-9 * upper)
    assert lower - 1e-9 * upper <= upper <= lower + 1.001e-6 * upper + 1e-12


@pytest.mark.parametrize("loss", CLASSES)
@pytest.mark.parametrize("dual", ["auto", True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_classifier_is_scikit_learns(loss, dual, container):
    X, y = load_iris(return_X_y=True)
    X = X - X.mean(axis=0)
    weight = {0: 2.0, 1: 0.5, 2: 1.0}
    kind = {"loss": loss, "dual": dual, "class_weight": weight, "C": 0.5}
    own = quiet(LinearSVC(tol=1e-9, max_iter=20_000, **kind), container(X), y)
    theirs = quiet(peer.LinearSVC(tol=1e-8, max_iter=200_000, random_state=0, **kind), X, y)
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=2e-4)
    np.testing.assert_allclose(own.intercept_, theirs.intercept_, atol=2e-4)
    balanced = LinearSVC(class_weight="balanced").fit(X, y != 1).coef_
    same = peer.LinearSVC(class_weight="balanced", tol=1e-8).fit(X, y != 1).coef_
    np.testing.assert_allclose(balanced, same, atol=1e-3)


@pytest.mark.parametrize("loss", TARGETS)
def test_regressor_is_scikit_learns(loss):
    X, _, y, weight = data(80, 4, 0)
    own = quiet(LinearSVR(loss=loss, epsilon=0.2, tol=1e-9), X, y, weight)
    theirs = peer.LinearSVR(loss=loss, epsilon=0.2, tol=1e-9, max_iter=500_000, random_state=0)
    quiet(theirs, X, y, weight)
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(own.predict(X), theirs.predict(X), atol=5e-4)


@pytest.mark.parametrize("loss", CLASSES)
def test_any_layout_and_precision(loss):
    X, y, _, _ = data(120, 5, 1)
    model = LinearSVC(loss=loss, tol=1e-7).fit(X, y)
    wide = np.repeat(X, 2, axis=1)
    for same in (np.asfortranarray(X), wide[:, ::2], X[::-1][::-1], sparse.csc_array(X)):
        again = clone(model).fit(same, y)
        np.testing.assert_allclose(again.coef_, model.coef_, rtol=1e-3, atol=1e-4)
    long = sparse.csr_array(X)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    np.testing.assert_allclose(clone(model).fit(long, y).coef_, model.coef_, rtol=1e-3, atol=1e-4)
    small = clone(model).set_params(tol=1e-4).fit(X.astype(np.float32), y)
    assert small.coef_.dtype == small.intercept_.dtype == np.float32
    np.testing.assert_allclose(small.coef_, model.coef_, rtol=2e-2, atol=5e-3)


@pytest.mark.parametrize("loss", CLASSES)
def test_conjugate_gradient_finds_what_cholesky_finds(loss, monkeypatch):
    X, y, _, _ = data(300, 8, 2, density=0.6)
    direct = LinearSVC(dual="auto", loss=loss, tol=1e-6).fit(X, y)
    monkeypatch.setattr(costs, "NEWTON_CHOLESKY_COLUMNS", 0)
    for rows in (X, sparse.csr_array(X)):
        found = LinearSVC(dual="auto", loss=loss, tol=1e-6).fit(rows, y)
        np.testing.assert_allclose(found.coef_, direct.coef_, atol=1e-3)


def test_only_the_tube_counts():
    x = np.linspace(0, 1, 30)[:, None]
    y = 3 * x[:, 0] + np.where(np.arange(30) % 2, 0.05, -0.05)
    kind = {"C": 1e4, "intercept_scaling": 100.0, "tol": 1e-9, "max_iter": 100_000}
    flat = quiet(LinearSVR(epsilon=0.06, **kind), x, y)
    assert np.abs(flat.predict(x) - y).max() <= 0.06 + 1e-4
    assert flat.coef_[0] < 3.0  # the flattest line that stays in the tube


# States


@pytest.mark.parametrize("model", [LinearSVC(loss="hinge"), LinearSVC(), LinearSVC(dual=True)])
def test_steps_give_both_objectives_and_the_duals(model):
    X, y, _, _ = data(60, 3, 3)
    states = list(model.steps(X, y))
    assert [s.n_iter for s in states] == sorted(s.n_iter for s in states)
    assert states[-1].converged
    assert not any(s.converged for s in states[:-1])
    best = states[-1].objective
    for s in states:
        assert s.dual_objective <= best + 1e-9 <= s.objective + 2e-9 + 1e-6 * best
        assert s.dual_gap == pytest.approx(s.objective - s.dual_objective, abs=1e-9)
        assert s.n_support == np.count_nonzero(s.dual_coef)
        assert s.n_bounded <= s.n_support
        assert (np.sign(s.dual_coef[0]) * y >= 0).all()
    last = states[-1]
    assert last.dual_gap == model.dual_gap_ <= 1e-6 * best
    # w is the sum of the support vectors, within the gap
    far = last.dual_coef @ X - last.coef
    assert 0.5 * np.sum(far**2) <= last.dual_gap + 1e-12
    assert model.objective_path_.tolist() == [s.objective for s in states]


def test_stopping_early_says_how_far():
    X, y, _, _ = data(300, 20, 4)
    model = LinearSVC(loss="hinge", dual=True, max_iter=2)
    with pytest.warns(ConvergenceWarning, match=r"in 2 iterations.*at most .* above the least"):
        model.fit(X, y)
    best = quiet(LinearSVC(loss="hinge"), X, y).objective_path_[-1]
    assert 0 < model.objective_path_[-1] - best <= model.dual_gap_


def test_interrupted_fit_keeps_the_last_state(monkeypatch):
    X, y, _, _ = data(60, 3, 5)
    model = LinearSVC(loss="hinge", dual=True, tol=1e-12)
    calls = []
    real = machines.CoordinateDescent.advance

    def interrupted(self, max_iter):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(self, max_iter)

    monkeypatch.setattr(machines.CoordinateDescent, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert len(model.objective_path_) == 2
    assert model.predict(X).shape == (60,)


def test_fits_repeat_and_do_not_depend_on_the_seed():
    X, y, _, _ = data(80, 4, 6)
    first, again = (LinearSVC(loss="hinge").fit(X, y) for _ in range(2))
    assert np.array_equal(first.coef_, again.coef_)
    other = LinearSVC(loss="hinge", random_state=5, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(first.coef_, other.coef_, atol=1e-2)
    assert np.array_equal(pickle.loads(pickle.dumps(first)).predict(X), first.predict(X))


# Hard cases


def test_any_labels():
    X, y, _, _ = data(30, 2, 7)
    plain = LinearSVC().fit(X, y)
    for labels in (np.array(["no", "yes"]), np.array([False, True]), np.array([3, -7])):
        model = LinearSVC().fit(X, labels[(y > 0).astype(int)])
        assert np.array_equal(model.predict(X) == labels[1], plain.predict(X) == 1)


def test_duplicates_with_opposite_labels():
    X, y, _, _ = data(20, 3, 8)
    for loss in CLASSES:
        model = LinearSVC(loss=loss).fit(np.vstack([X, X]), np.concatenate([y, -y]))
        np.testing.assert_allclose(model.coef_, 0.0, atol=1e-5)
        assert model.objective_path_[-1] == pytest.approx(40.0)


@pytest.mark.parametrize("loss", CLASSES)
def test_wild_scales_converge_and_are_named(loss):
    rng = np.random.default_rng(9)
    X = rng.standard_normal((150, 2)) * [1e6, 1e-6]
    y = X[:, 0] + rng.standard_normal(150) * 1e5 > 0
    for rows in (X, sparse.csr_array(X)):
        with pytest.warns(UserWarning, match="Scale them"):
            model = LinearSVC(loss=loss).fit(rows, y)
        assert model.dual_gap_ <= 1e-6 * model.objective_path_[-1]
        assert model.score(rows, y) > 0.9


def test_ill_conditioned_hinge_ends_by_its_gap():
    X, y = make_classification(1500, 30, random_state=0)
    X = X * 10.0 ** np.linspace(-2, 2, 30)
    model = LinearSVC(loss="hinge").fit(X, y)
    assert model.dual_gap_ <= 1e-6 * model.objective_path_[-1]
    target = X @ np.ones(30) + y
    assert LinearSVR().fit(X, target).n_iter_ < 1000


@pytest.mark.parametrize("loss", CLASSES)
def test_edges(loss):
    assert LinearSVC(loss=loss).fit([[0.0], [1.0]], [0, 1]).score([[0.0], [1.0]], [0, 1]) == 1.0
    constant = LinearSVC(loss=loss).fit(np.ones((4, 2)), [0, 1, 1, 1])
    assert constant.predict([[1.0, 1.0]]) == [1]
    empty = LinearSVC(loss=loss, fit_intercept=False).fit(sparse.csr_array((4, 3)), [0, 1, 0, 1])
    assert not empty.coef_.any()
    assert empty.intercept_ == [0.0]


def test_regression_of_nothing():
    for loss in TARGETS:
        model = LinearSVR(loss=loss).fit([[1.0], [2.0]], [0.0, 0.0])
        assert model.predict([[3.0]]) == pytest.approx([0.0], abs=1e-6)
        assert LinearSVR(loss=loss).fit([[1.0]], [5.0]).predict([[1.0]]).shape == (1,)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"C": 0}, "'C'.*Got 0"),
        ({"C": np.inf}, "'C'.*Got inf"),
        ({"C": -1.0}, "'C'.*Got -1"),
        ({"tol": 0}, "'tol'"),
        ({"loss": "log"}, "'loss'.*Got 'log'"),
        ({"loss": "hinge", "dual": False}, "loss='hinge', dual=False: .*'squared_hinge'"),
        ({"penalty": "l1", "dual": True}, "penalty='l1', .*dual=True: .*dual=False or 'auto'"),
        ({"penalty": "l1", "loss": "hinge"}, "penalty='l1', loss='hinge'"),
        ({"intercept_scaling": 0}, "'intercept_scaling'"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        LinearSVC(**params).fit([[0.0], [1.0]], [0, 1])


def test_bad_data():
    with pytest.raises(ValueError, match="one class, 'a'.*greater than one"):
        LinearSVC().fit([[0.0], [1.0]], ["a", "a"])
    with pytest.raises(ValueError, match="among the samples of positive weight"):
        LinearSVC().fit([[0.0], [1.0]], [0, 1], sample_weight=[1.0, 0.0])
    with pytest.raises(ValueError, match="[Nn]egative"):
        LinearSVC().fit([[0.0], [1.0]], [0, 1], sample_weight=[1.0, -1.0])
    with pytest.raises(ValueError, match="NaN"):
        LinearSVR().fit([[np.nan], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="'epsilon'"):
        LinearSVR(epsilon=-1).fit([[0.0], [1.0]], [0, 1])


def _l1_objective(model, X, y, C, weight, scaling):
    out = np.maximum(0.0, 1.0 - y * (X @ model.coef_[0] + model.intercept_[0]))
    return np.abs(model.coef_).sum() + abs(model.intercept_[0]) / scaling + C * weight @ out**2


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_l1_reaches_the_least_objective(form, C):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(80, 12))
    y = np.where(X[:, 0] - X[:, 1] + rng.normal(size=80) > 0, 1, -1)
    weight = rng.uniform(0.0, 2.0, 80)
    own = LinearSVC(penalty="l1", C=C, intercept_scaling=3.0)
    own.fit(form(X), y, sample_weight=weight)
    theirs = peer.LinearSVC(
        penalty="l1", C=C, intercept_scaling=3.0, dual=False, tol=1e-9, max_iter=100_000
    ).fit(X, y, sample_weight=weight)
    values = [_l1_objective(m, X, y, C, weight, 3.0) for m in (own, theirs)]
    assert values[0] <= values[1] * (1 + 1e-6)
    assert own.objective_path_[-1] == pytest.approx(values[0], rel=1e-9)
    assert 0 <= own.dual_gap_ <= 1e-6 * values[0]
    # the bound holds: nothing near has an objective below it
    for _ in range(20):
        near = copy.copy(own)
        near.coef_ = own.coef_ + 0.01 * rng.normal(size=own.coef_.shape)
        assert _l1_objective(near, X, y, C, weight, 3.0) >= values[0] - own.dual_gap_ - 1e-12


def test_l1_separates_several_classes_with_few_weights():
    X, y = make_classification(300, 20, n_informative=3, n_classes=3, random_state=1,
                               n_clusters_per_class=1, n_redundant=0)  # fmt: skip
    model = LinearSVC(penalty="l1", C=0.02).fit(X, y)
    assert model.coef_.shape == (3, 20)
    assert (model.coef_ == 0).mean() > 0.5
    assert model.score(X, y) > 0.6


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_crammer_singer_like_liblinear(n_classes, form):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(90, 4))
    y = np.argmax(X[:, :n_classes] + rng.normal(size=(90, n_classes)), axis=1)
    own = LinearSVC(multi_class="crammer_singer", C=0.1, max_iter=20_000).fit(form(X), y)
    theirs = peer.LinearSVC(multi_class="crammer_singer", C=0.1, tol=1e-8, max_iter=10**6)
    theirs.fit(X, y)
    assert own.coef_.shape == theirs.coef_.shape
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(own.intercept_, theirs.intercept_, atol=2e-3)
    assert own.dual_gap_ <= 1e-6 * own.objective_path_[-1]
