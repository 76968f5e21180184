"""Boosting on histograms: a step against every split tried, fits against scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble as peer
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso._compute import threads as _threads
from kiso.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from kiso.ensemble._losses import LOSSES, Loss, weighted_quantile


def table(n=400, seed=0, missing=0.1):
    """Few distinct values, so that bins are the values; a signal with an interaction."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 40, (n, 4)).astype(float)
    signal = X[:, 0] * (X[:, 1] > 20) - X[:, 2] + 5 * rng.normal(size=n)
    X[rng.random(X.shape) < missing] = np.nan
    return X, signal


def target(loss, signal):
    return np.exp(signal / signal.std()) if loss in ("poisson", "gamma") else signal


def best_gain(X, g, min_leaf, l2):
    """Largest gain of one split under squared error, by trying all."""

    def part(rows):
        return g[rows].sum() ** 2 / (rows.sum() + l2)

    best = 0.0
    for x in X.T:
        for missing_left in (False, True):
            for value in np.unique(x[~np.isnan(x)]):
                left = (x <= value) | (np.isnan(x) & missing_left)
                if min(left.sum(), (~left).sum()) >= min_leaf:
                    gain = part(left) + part(~left) - part(np.ones(len(x), bool))
                    best = max(best, gain)
    return best


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 4), st.sampled_from([0.0, 2.0]))
def test_the_first_split_is_the_best(seed, n, min_leaf, l2):
    X, y = table(n, seed)
    model = HistGradientBoostingRegressor(
        max_iter=1, max_leaf_nodes=2, min_samples_leaf=min_leaf, l2_regularization=l2,
        learning_rate=1.0,
    ).fit(X, y)  # fmt: skip
    found, g = model.predict(X), y.mean() - y
    best = best_gain(X, g, min_leaf, l2)
    tree = model._trees[0][0]
    if tree.node_count == 1:
        assert best < 1e-3 * (g @ g)
        return
    leaf = tree.apply(X)
    gain = -(g.sum() ** 2) / (n + l2)
    for own in np.unique(leaf):
        rows = leaf == own
        assert rows.sum() >= min_leaf
        gain += g[rows].sum() ** 2 / (rows.sum() + l2)
        value = y.mean() - g[rows].sum() / (rows.sum() + l2)
        np.testing.assert_allclose(found[rows], value, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gain, best, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma"])
@pytest.mark.parametrize("params", [{}, {"max_leaf_nodes": None, "max_depth": 3},
                                    {"l2_regularization": 3.0, "min_samples_leaf": 9}])  # fmt: skip
def test_regressor_agrees_with_sklearn(loss, params):
    X, signal = table()
    y = target(loss, signal)
    w = np.random.default_rng(1).uniform(0.5, 2, len(y))
    mine = HistGradientBoostingRegressor(loss, max_iter=8, **params).fit(X, y, w)
    theirs = peer.HistGradientBoostingRegressor(loss=loss, max_iter=8, **params).fit(X, y, w)
    np.testing.assert_allclose(mine.predict(X), theirs.predict(X), rtol=1e-3, atol=1e-3)
    assert mine.score(X, y) > 0.3


@pytest.mark.parametrize("loss", ["absolute_error", "quantile"])
def test_medians_and_quantiles_agree_with_sklearn(loss):
    X, y = table(600)
    q = {"quantile": 0.8} if loss == "quantile" else {}
    mine = HistGradientBoostingRegressor(loss, max_iter=20, **q).fit(X, y)
    theirs = peer.HistGradientBoostingRegressor(loss=loss, max_iter=20, **q).fit(X, y)

    def mean_loss(model):
        e = y - model.predict(X)
        share = q.get("quantile", 0.5)
        return np.mean(np.maximum(share * e, (share - 1) * e))

    assert mean_loss(mine) == pytest.approx(mean_loss(theirs), rel=0.03)
    if loss == "quantile":
        assert np.mean(y <= mine.predict(X)) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("classes", [2, 4])
def test_classifier_agrees_with_sklearn(classes):
    X, signal = table(500)
    y = pd.qcut(signal, classes, labels=False)
    weights = {0: 2.0, 1: 1.0, 2: 1.0, 3: 0.5} if classes == 4 else "balanced"
    mine = HistGradientBoostingClassifier(max_iter=6, class_weight=weights).fit(X, y)
    theirs = peer.HistGradientBoostingClassifier(max_iter=6, class_weight=weights).fit(X, y)
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=1e-3)
    np.testing.assert_array_equal(
        mine.decision_function(X).shape, theirs.decision_function(X).shape
    )
    *_, last = mine.staged_predict_proba(X)
    np.testing.assert_array_equal(last, mine.predict_proba(X))
    assert mine.n_trees_per_iteration_ == (1 if classes == 2 else 4)


@pytest.mark.parametrize("name", list(LOSSES))
def test_derivatives_are_those_of_the_loss(name):
    """Central differences of the value, and of g."""
    rng = np.random.default_rng(0)
    n, k = 30, 3
    y = rng.integers(0, 2, n).astype(float) if name == "log_loss" else rng.uniform(0.5, 2, n)
    w = rng.uniform(0.5, 2, n)
    losses = [Loss(name, quantile=0.3)] + ([Loss(name, n_outputs=k)] if name == "log_loss" else [])
    for loss in losses:
        f = rng.normal(size=(loss.n_outputs, n))
        pairs = np.empty((loss.n_outputs, n, 4))
        loss.derivatives(f, y, w, pairs)
        for c in range(loss.n_outputs):
            up, down = f.copy(), f.copy()
            up[c] += 1e-5
            down[c] -= 1e-5
            two = [np.empty_like(pairs), np.empty_like(pairs)]
            values = [
                loss.derivatives(at, y, w, own) * w.sum()
                for at, own in zip((up, down), two, strict=True)
            ]
            slope = (values[0] - values[1]) / 2e-5
            np.testing.assert_allclose(pairs[c, :, 0].sum(), slope, rtol=1e-4)
            if name not in ("absolute_error", "quantile"):
                curve = (two[0][c, :, 0] - two[1][c, :, 0]) / 2e-5
                np.testing.assert_allclose(pairs[c, :, 1], curve, rtol=1e-4, atol=1e-6)


def test_the_baseline_is_the_best_constant():
    rng = np.random.default_rng(0)
    y, w = rng.uniform(0.5, 2, 51), rng.uniform(0.5, 2, 51)
    for name in LOSSES:
        own = (y > 1).astype(float) if name == "log_loss" else y
        loss = Loss(name, quantile=0.3)
        first = loss.first(own, w)
        least = loss.mean(np.repeat(first, 51, axis=1), own, w)
        for step in (-0.01, 0.01):
            assert least <= loss.mean(np.repeat(first + step, 51, axis=1), own, w)
    assert weighted_quantile(np.array([3.0, 1.0, 2.0, 4.0]), np.ones(4), 0.5) == 2.5


def test_categories_from_the_dtype_are_sets():
    rng = np.random.default_rng(0)
    names = np.array(list("abcdefgh"))
    codes = rng.integers(0, 8, 800)
    frame = pd.DataFrame({"kind": pd.Categorical(names[codes]), "x": rng.normal(size=800)})
    y = np.isin(codes, [0, 3, 5, 6]) * 4.0 + frame["x"].to_numpy()
    model = HistGradientBoostingRegressor(max_iter=60).fit(frame, y)
    assert model.score(frame, y) > 0.99
    assert model.is_categorical_.tolist() == [True, False]
    one = HistGradientBoostingRegressor(max_iter=1, max_leaf_nodes=2).fit(frame, y)
    leaf = one._trees[0][0].apply(one._read(frame, reset=False))
    assert len({tuple(np.unique(leaf[codes == c])) for c in (0, 3, 5, 6)}) == 1
    new = pd.DataFrame({"kind": ["zebra", None], "x": [0.0, 0.0]})
    assert np.all(np.isfinite(model.predict(new)))
    with pytest.raises(ValueError, match="cardinality <= 4"):
        HistGradientBoostingRegressor(max_bins=4).fit(frame, y)


def test_constraints_hold():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    y = X[:, 0] + np.sin(4 * X[:, 1]) + X[:, 1] * X[:, 2] + rng.normal(size=600)
    model = HistGradientBoostingRegressor(monotonic_cst=[1, 0, -1]).fit(X, y)
    for f, sign in ((0, 1), (2, -1)):
        ways = np.repeat(X[:30, None], 50, axis=1)
        ways[:, :, f] = np.linspace(-3, 3, 50)
        found = model.predict(ways.reshape(-1, 3)).reshape(30, 50)
        assert np.all(sign * np.diff(found, axis=1) >= -1e-12)
        assert np.ptp(found) > 0
    alone = HistGradientBoostingRegressor(interaction_cst="no_interactions").fit(X, y)
    for step in alone._trees:
        assert len(set(step[0].feature[step[0].feature >= 0])) <= 1
    pair = HistGradientBoostingRegressor(interaction_cst=[{0, 1}]).fit(X, y)
    for step in pair._trees:
        assert set(step[0].feature[step[0].feature >= 0]) in (set(), {0}, {1}, {0, 1}, {2})


def test_steps_warm_start_and_threads_give_the_same_model(monkeypatch):
    X, y = table(3000)
    X = np.tile(X, (1, 5))
    base = {"max_features": 0.7, "random_state": 3}
    cold = HistGradientBoostingRegressor(max_iter=9, **base).fit(X, y).predict(X)
    warm = HistGradientBoostingRegressor(max_iter=4, warm_start=True, **base).fit(X, y)
    np.testing.assert_array_equal(warm.set_params(max_iter=9).fit(X, y).predict(X), cold)
    stepped = HistGradientBoostingRegressor(max_iter=9, **base)
    states = list(stepped.steps(X, y))
    np.testing.assert_array_equal(stepped.predict(X), cold)
    assert [s.n_iter for s in states] == list(range(1, 10))
    assert np.all(np.diff([s.objective for s in states]) < 0)
    assert states[-1].objective == pytest.approx(0.5 * np.mean((y - cold) ** 2), rel=1e-6)
    for threads in (1, 3):
        monkeypatch.setattr(_threads, "n_threads", lambda n=threads: n)
        monkeypatch.setattr("kiso.ensemble._boosting.n_threads", lambda n=threads: n)
        other = HistGradientBoostingRegressor(max_iter=9, **base).fit(X, y)
        np.testing.assert_array_equal(other.predict(X), cold)


@pytest.mark.parametrize("scoring", ["loss", None, "accuracy"])
@pytest.mark.parametrize("fraction", [0.2, None])
def test_it_stops_where_scores_no_longer_rise(scoring, fraction):
    X, signal = table(500)
    y = signal > 0
    model = HistGradientBoostingClassifier(
        max_iter=300, early_stopping=True, scoring=scoring, validation_fraction=fraction,
        n_iter_no_change=4, tol=1e-3, random_state=0,
    ).fit(X, y)  # fmt: skip
    scores = model.train_score_ if fraction is None else model.validation_score_
    assert model.n_iter_ < 300
    assert len(scores) == model.n_iter_ + 1
    assert max(scores[-4:]) <= scores[-5] + 1e-3
    assert len(model.validation_score_) == (0 if fraction is None else model.n_iter_ + 1)
    given = HistGradientBoostingClassifier(max_iter=50, random_state=0)
    given.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert given.do_early_stopping_
    assert len(given.validation_score_) == given.n_iter_ + 1


def test_what_cannot_be_is_refused():
    X, y = table(60)
    for params, words in (
        ({"loss": "gamma"}, "strictly positive"),
        ({"loss": "poisson"}, "non-negative"),
        ({"loss": "quantile"}, "quantile"),
        ({"monotonic_cst": [1, 0, 0, 0], "categorical_features": [0]}, "Categorical"),
        ({"interaction_cst": [{9}]}, "invalid indices"),
    ):
        with pytest.raises(ValueError, match=words):
            HistGradientBoostingRegressor(**params).fit(X, y)
    with pytest.raises(ValueError, match="y_val was not provided"):
        HistGradientBoostingRegressor().fit(X, y, X_val=X)
    model = HistGradientBoostingRegressor(max_iter=3, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="max_iter=2"):
        model.set_params(max_iter=2).fit(X, y)


def test_extreme_scales_and_infinity():
    X, y = table(300)
    base = HistGradientBoostingRegressor(max_iter=5).fit(X, y).predict(X)
    for scale in (2.0**30, 2.0**-30):
        found = (
            HistGradientBoostingRegressor(max_iter=5).fit(X * scale, y * scale).predict(X * scale)
        )
        np.testing.assert_allclose(found / scale, base, rtol=1e-6)
    X[0, 0], X[1, 0] = np.inf, -np.inf
    assert np.all(np.isfinite(HistGradientBoostingRegressor(max_iter=5).fit(X, y).predict(X)))


@parametrize_with_checks(
    [HistGradientBoostingClassifier(max_iter=5), HistGradientBoostingRegressor(max_iter=5)]
)
def test_sklearn_checks(estimator, check):
    check(estimator)
