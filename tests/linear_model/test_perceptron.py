"""The perceptron: its rule, its mistakes, the bound on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import linear_model as peer
from sklearn.svm import SVC

from kiso.linear_model import Perceptron, SGDClassifier
from tests.naive import sgd as naive


def separable(n, d, margin, seed):
    """Points at a distance of at least `margin` from a plane, half of them on each side."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(d)
    normal /= np.linalg.norm(normal)
    X = rng.standard_normal((n, d))
    y = np.where(np.arange(n) % 2, 1, -1)
    distance = X @ normal
    X += np.outer(y * (np.abs(distance) + margin) - distance, normal)
    return X, y


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(4, 40),
    d=st.integers(1, 5),
    intercept=st.booleans(),
    is_sparse=st.booleans(),
    eta0=st.sampled_from([1.0, 0.01, 100.0]),
    seed=st.integers(0, 999),
)
def test_mistakes_stay_below_the_bound(n, d, intercept, is_sparse, eta0, seed):
    X, y = separable(n, d, 0.3, seed)
    rows = sparse.csr_matrix(X) if is_sparse else X
    model = Perceptron(
        fit_intercept=intercept, eta0=eta0, tol=None, max_iter=10_000, random_state=seed
    ).fit(rows, y)
    bound = model.mistake_bound(rows, y)
    assert 1 <= model.n_mistakes_ <= bound * (1 + 1e-9)
    assert model.mistakes_path_[-1].sum() == 0  # it ended because it had separated them
    assert (model.predict(rows) == y).all()
    assert model.mistakes_path_.shape == (model.n_iter_, 1)


def test_margin_is_the_largest():
    """Against the hard-margin support vector machine, and against many random planes."""
    for seed in range(5):
        X, y = separable(30, 3, 0.2, seed)
        model = Perceptron(fit_intercept=False).fit(X, y)
        R2 = (X**2).sum(axis=1).max()
        margin = np.sqrt(R2 / model.mistake_bound(X, y))
        assert margin >= naive.largest_margin(X, y)
        mirrored = np.vstack([X, -X])  # its best plane goes through the origin
        svm = SVC(kernel="linear", C=1e8, tol=1e-8).fit(mirrored, np.r_[y, -y])
        assert margin == pytest.approx(1 / np.linalg.norm(svm.coef_), rel=1e-4)
        assert model.mistake_bound(X, y, margin=0.2) == pytest.approx(R2 / 0.04)
        assert model.mistake_bound(1e6 * X, y) == pytest.approx(model.mistake_bound(X, y))


def test_three_classes_add_up():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = 6 * np.eye(3)[y] + 0.3 * rng.standard_normal((60, 3))
    model = Perceptron(tol=None).fit(X, y)
    assert model.mistakes_path_.shape == (model.n_iter_, 3)
    assert model.n_mistakes_ == model.mistakes_path_.sum() <= model.mistake_bound(X, y)
    R2 = (X**2).sum(axis=1).max() + 1
    assert model.mistake_bound(X, y, margin=0.5) == pytest.approx(3 * R2 / 0.25)


def test_what_has_no_bound_says_so():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 0])
    model = Perceptron(max_iter=20, tol=None).fit(X, y)
    assert model.n_iter_ == 20
    with pytest.raises(ValueError, match="class 1 cannot be separated"):
        model.mistake_bound(X, y)
    twins = np.array([[1.0], [1.0]])
    with pytest.raises(ValueError, match="cannot be separated"):
        Perceptron(tol=None, max_iter=3).fit(twins, [0, 1]).mistake_bound(twins, [0, 1])
    with pytest.raises(ValueError, match=r"margin=0\.0: give a finite number > 0"):
        model.mistake_bound(X, y, margin=0.0)


def test_rule_and_mistakes_are_rosenblatts():
    X, y = separable(40, 3, 0.05, 1)
    for average in (0, 1, 9):
        model = Perceptron(shuffle=False, tol=None, max_iter=3, eta0=0.7, average=average or False)
        model.fit(X, y)
        coef, intercept, _, mistakes = naive.sgd(
            X, y, loss="perceptron", penalty=None, eta0=0.7, average=average, n_epochs=model.n_iter_
        )
        np.testing.assert_allclose(model.coef_[0], coef, rtol=1e-12)
        np.testing.assert_allclose(model.intercept_[0], intercept, rtol=1e-12)
        np.testing.assert_array_equal(model.mistakes_path_[:, 0], mistakes)


@pytest.mark.parametrize("penalty", [None, "l2", "l1", "elasticnet"])
def test_is_scikit_learns(penalty):
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((80, 4)), rng.integers(0, 3, 80)
    kind = {"penalty": penalty, "alpha": 0.001, "shuffle": False, "max_iter": 30, "tol": None}
    for rows in (X, sparse.csr_matrix(X)):
        ours, theirs = Perceptron(**kind).fit(rows, y), peer.Perceptron(**kind).fit(rows, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9, atol=1e-12)
    same = SGDClassifier(
        "perceptron", learning_rate="constant", eta0=1.0, **{**kind, "max_iter": 30}
    ).fit(X, y)
    np.testing.assert_array_equal(same.coef_, Perceptron(**kind).fit(X, y).coef_)


def test_ends_when_an_epoch_brings_no_mistake():
    X, y = separable(50, 2, 0.3, 3)
    model = Perceptron(tol=None).fit(X, y)
    assert model.n_iter_ < 1000
    theirs = peer.Perceptron(tol=None, shuffle=False).fit(X, y)
    ours = Perceptron(tol=None, shuffle=False).fit(X, y)
    assert ours.n_iter_ < theirs.n_iter_ == 1000
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)


def test_states_count_mistakes():
    X, y = separable(50, 2, 0.05, 4)
    model = Perceptron(tol=None)
    counted = []
    for state in model.steps(X, y):
        counted.append(state.n_updates)
        assert model.n_mistakes_ == np.sum(counted)
        assert len(model.mistakes_path_) == state.n_iter
    again = model.fit(X, y)
    np.testing.assert_array_equal(again.mistakes_path_, counted)


def test_the_average_is_steadier_where_classes_overlap():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 4000)
    X = rng.standard_normal((4000, 20)) + 0.4 * y[:, None]
    plain, averaged = (
        np.mean([
            Perceptron(average=average, random_state=seed, tol=None, max_iter=3)
            .fit(X[:2000], y[:2000]).score(X[2000:], y[2000:])
            for seed in range(5)
        ])
        for average in (False, True)
    )  # fmt: skip
    assert averaged > plain + 0.03
