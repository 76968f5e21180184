"""Several outputs, Poisson deviance, monotonic constraints, sparse rows: against every cut."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import tree as peer

from kiso.ensemble import RandomForestClassifier, RandomForestRegressor
from kiso.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.naive.tree import cuts, impurity
from tests.tree.test_tree import make


def several(y, w, criterion):
    return np.mean([impurity(own, w, criterion) for own in y.T])


def best_of_several(X, y, w, criterion, min_leaf):
    best = None
    whole = w.sum() * several(y, w, criterion)
    for f in range(X.shape[1]):
        for left in cuts(X[:, f], False):
            if min(left.sum(), (~left).sum()) < min_leaf:
                continue
            parts = [left, ~left]
            if criterion == "poisson" and any(np.any(w[s] @ y[s] <= 0) for s in parts):
                continue
            gain = whole - sum(w[s].sum() * several(y[s], w[s], criterion) for s in parts)
            best = gain if best is None else max(best, gain)
    return best


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 3), st.integers(1, 3),
    st.sampled_from(["gini", "entropy", "squared_error", "absolute_error", "poisson"]),
    st.sampled_from([0.0, 0.2]), st.integers(1, 3),
)  # fmt: skip
def test_every_split_of_several_outputs_is_the_best(seed, n, d, k, criterion, missing, min_leaf):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (n, d)).astype(float)
    X[rng.random(X.shape) < missing] = np.nan
    y = rng.integers(0, 3, (n, k))
    y[0] = 1
    w = rng.integers(1, 4, n).astype(float)
    model = make(criterion, min_samples_leaf=min_leaf).fit(X, y, sample_weight=w)
    t = model.tree_
    passes = model.decision_path(X).toarray().astype(bool)
    for node in range(t.node_count):
        rows = passes[:, node]
        own = several(y[rows], w[rows], criterion)
        np.testing.assert_allclose(t.impurity[node], own, atol=1e-12)
        best = best_of_several(X[rows], y[rows], w[rows], criterion, min_leaf)
        left, right = t.children_left[node], t.children_right[node]
        if left < 0:
            assert best is None or own < 1e-12
            continue
        risk = t.impurity * t.weighted_n_node_samples
        np.testing.assert_allclose(risk[node] - risk[left] - risk[right], best, atol=1e-9)


@pytest.mark.parametrize("criterion", ["gini", "squared_error", "absolute_error"])
@pytest.mark.parametrize("params", [{}, {"max_leaf_nodes": 8}, {"splitter": "random"}])
def test_monotonic_trees_and_forests_rise_and_fall(criterion, params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    signal = X[:, 0] - X[:, 1] + np.sin(5 * X[:, 2]) + rng.normal(size=300)
    y = (signal > 0).astype(int) if criterion == "gini" else signal
    base = {"criterion": criterion, "monotonic_cst": [1, -1, 0], "random_state": 0}
    model = make(**base, **params)
    forest = (RandomForestClassifier if criterion == "gini" else RandomForestRegressor)(7, **base)
    value = "predict_proba" if criterion == "gini" else "predict"
    for fitted in (model.fit(X, y), forest.fit(X, y)):
        for f, sign in ((0, 1), (1, -1)):
            ways = np.repeat(X[:20, None], 40, axis=1)
            ways[:, :, f] = np.linspace(-3, 3, 40)
            found = getattr(fitted, value)(ways.reshape(-1, 3)).reshape(20, 40, -1)[:, :, -1]
            assert np.all(sign * np.diff(found, axis=1) >= -1e-12)
            assert np.ptp(found) > 0


def test_agrees_with_sklearn_on_several_outputs():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 4)).astype(np.float32)
    y = np.stack([X[:, 0] * X[:, 1], X[:, 2] + 0.1 * rng.normal(size=200)], axis=1)
    for criterion in ("squared_error", "absolute_error", "poisson"):
        target = np.exp(y) if criterion == "poisson" else y
        own = {"criterion": criterion, "max_depth": 4, "min_samples_leaf": 3}
        mine = DecisionTreeRegressor(**own).fit(X, target)
        theirs = peer.DecisionTreeRegressor(random_state=0, **own).fit(X, target)
        np.testing.assert_allclose(mine.predict(X), theirs.predict(X))
        np.testing.assert_allclose(mine.tree_.value, theirs.tree_.value)
    classes = np.digitize(y, [-0.3, 0.3])
    mine = DecisionTreeClassifier(max_depth=4, min_samples_leaf=3).fit(X, classes)
    theirs = peer.DecisionTreeClassifier(max_depth=4, min_samples_leaf=3).fit(X, classes)
    for a, b in zip(mine.predict_proba(X), theirs.predict_proba(X), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("container", [sp.csr_array, sp.csc_matrix, sp.coo_array])
@pytest.mark.parametrize(
    "model", [DecisionTreeClassifier(), RandomForestClassifier(5, random_state=0)]
)
def test_sparse_is_dense(container, model):
    rng = np.random.default_rng(2)
    X = np.where(rng.random((90, 6)) < 0.2, rng.normal(size=(90, 6)), 0.0)
    y = rng.integers(0, 3, 90)
    dense = model.fit(X, y).predict_proba(X)
    found = model.fit(container(X), y)
    np.testing.assert_array_equal(found.predict_proba(container(X)), dense)
    np.testing.assert_array_equal(found.predict_proba(X), dense)
    bad = X.copy()
    bad[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.fit(container(bad), y)


def test_forest_of_several_outputs_scores_rows_left_out():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 4))
    y = np.stack([X[:, 0] > 0, np.digitize(X[:, 1], [-0.5, 0.5])], axis=1).astype(int)
    forest = RandomForestClassifier(60, oob_score=True, random_state=0).fit(X, y)
    assert forest.oob_score_ > 0.8
    assert forest.oob_decision_function_.shape == (120, 3, 2)
    np.testing.assert_array_equal(forest.predict(X), y)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        few = RandomForestRegressor(2, oob_score=True, random_state=0).fit(X, X[:, :2])
    lost = np.isnan(few.oob_prediction_).any(axis=1)
    assert 0 < lost.sum() < 120
    assert np.isfinite(few.oob_score_)


def test_constraints_that_cannot_be():
    X, y = np.arange(6.0).reshape(-1, 2), [0.0, 1.0, 2.0]
    for cst, message in ([[1], "shape 1"], [[1, 2], "-1, 0 or 1"]):
        with pytest.raises(ValueError, match=message):
            DecisionTreeRegressor(monotonic_cst=cst).fit(X, y)
    with pytest.raises(ValueError, match="categorical"):
        DecisionTreeRegressor(monotonic_cst=[1, 0], categorical_features=[0]).fit(X, y)
    with pytest.raises(ValueError, match="negative"):
        DecisionTreeRegressor(criterion="poisson").fit(X, [-1.0, 1.0, 2.0])


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("scale", [1e-290, 1e-120, 1e-9, 1e9, 1e120, 1e200])
def test_any_unit_of_y_gives_the_same_tree(criterion, scale):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = rng.uniform(0.5, 3, 80)
    factor = 2.0 ** np.round(np.log2(scale))
    forest = RandomForestRegressor(3, criterion=criterion, random_state=0)
    for model in (make(criterion), make(criterion, max_leaf_nodes=9), forest):
        base = model.fit(X, y).predict(X)
        np.testing.assert_array_equal(model.fit(X, y * factor).predict(X), base * factor)


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error", "poisson"])
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_any_unit_of_weights_gives_the_same_tree(criterion, scale):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2)), rng.integers(0, 3, 80)
    w = rng.uniform(0.5, 3, 80)
    factor = 2.0 ** np.round(np.log2(scale))
    kind = (
        RandomForestRegressor
        if criterion in ("squared_error", "poisson")
        else (RandomForestClassifier)
    )
    for model in (make(criterion), kind(3, criterion=criterion, random_state=0)):
        base = model.fit(X, y, sample_weight=w).predict(X)
        found = model.fit(X, y, sample_weight=w * factor)
        np.testing.assert_array_equal(found.predict(X), base)
    tree = make(criterion).fit(X, y, sample_weight=w * factor).tree_
    np.testing.assert_allclose(tree.weighted_n_node_samples[0], (w * factor).sum())


def test_scikit_learns_tools_work_on_a_tree():
    X = np.array(list(itertools.product(range(4), repeat=2)), dtype=float)
    model = DecisionTreeClassifier().fit(X, X[:, 0] > 1)
    assert peer.export_text(model).startswith("|--- feature_0 <= 1.50")
    assert isinstance(model, peer.DecisionTreeClassifier)
    assert peer.plot_tree(model)[0].get_text().startswith("x[0] <= 1.5")
