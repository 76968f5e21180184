"""Trees against every cut tried, against scikit-learn, and at the corners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import tree as peer
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso._compute import threads as _threads
from kiso.ensemble import RandomForestClassifier, RandomForestRegressor
from kiso.tree import DecisionTreeClassifier, DecisionTreeRegressor, export_text, plot_tree
from tests.naive.tree import best_decrease, impurity

CRITERIA = ["gini", "entropy", "squared_error", "absolute_error"]


def make(criterion, **params):
    classes = criterion in ("gini", "entropy", "log_loss")
    return (DecisionTreeClassifier if classes else DecisionTreeRegressor)(
        criterion=criterion, **params
    )


def table(seed, n, d, classes, missing=0.0, levels=6):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, levels, (n, d)).astype(float)
    X[rng.random(X.shape) < missing] = np.nan
    y = rng.integers(0, classes, n) if classes else rng.integers(0, 9, n).astype(float)
    return X, y, rng.integers(1, 4, n).astype(float)


def assert_best_splits(model, X, y, w, criterion, min_leaf=1, categorical=()):
    """Each split decreases impurity as much as any would; leaves hold what they claim."""
    t = model.tree_
    passes = model.decision_path(X).toarray().astype(bool)
    for node in range(t.node_count):
        rows = passes[:, node]
        assert rows.sum() == t.n_node_samples[node]
        np.testing.assert_allclose(t.weighted_n_node_samples[node], w[rows].sum())
        np.testing.assert_allclose(
            t.impurity[node], impurity(y[rows], w[rows], criterion), atol=1e-12
        )
        left, right = t.children_left[node], t.children_right[node]
        best = best_decrease(X[rows], y[rows], w[rows], criterion, min_leaf, categorical)
        if left < 0:
            assert best is None or t.impurity[node] < 1e-12
            continue
        risk = t.impurity * t.weighted_n_node_samples
        np.testing.assert_allclose(risk[node] - risk[left] - risk[right], best, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 4), st.integers(1, 4),
    st.sampled_from(CRITERIA), st.sampled_from([0.0, 0.2]), st.integers(1, 3),
)  # fmt: skip
def test_every_split_is_the_best(seed, n, d, classes, criterion, missing, min_leaf):
    X, y, w = table(seed, n, d, classes if criterion in ("gini", "entropy") else 0, missing)
    model = make(criterion, min_samples_leaf=min_leaf).fit(X, y, sample_weight=w)
    assert_best_splits(model, X, y, w, criterion, min_leaf)


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_best_set_of_categories(criterion, missing):
    """Two classes, or squared error: ordering by the mean finds the best of all sets."""
    for seed in range(4):
        X, y, w = table(seed, 40, 2, 0 if criterion == "squared_error" else 2, missing, 5)
        model = make(criterion, categorical_features=[0, 1]).fit(X, y, sample_weight=w)
        assert_best_splits(model, X, y, w, criterion, categorical=(0, 1))


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("params", [{"max_depth": 4}, {"max_leaf_nodes": 12}, {"ccp_alpha": 0.01}])
def test_agrees_with_sklearn(criterion, params):
    """Continuous features leave no ties, so the trees are the same."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 4)).astype(np.float32)
    signal = X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=300)
    y = np.digitize(signal, [-0.4, 0.4]) if criterion in ("gini", "entropy") else signal
    model = make(criterion, min_samples_leaf=3, **params).fit(X, y)
    other = getattr(peer, type(model).__name__)(
        criterion=criterion, min_samples_leaf=3, random_state=0, **params
    ).fit(X, y)
    assert model.get_n_leaves() == other.get_n_leaves()
    assert model.get_depth() == other.get_depth()
    assert model.score(X, y) == pytest.approx(other.score(X, y), rel=1e-12)
    np.testing.assert_allclose(model.feature_importances_, other.feature_importances_)
    mine = model.cost_complexity_pruning_path(X, y)
    theirs = other.cost_complexity_pruning_path(X, y)
    np.testing.assert_allclose(mine.impurities[-3:], theirs.impurities[-3:])


def test_large_node_takes_counting_sort():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 3))
    y = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 1)
    model = DecisionTreeClassifier(max_depth=6).fit(X.astype(np.float32), y)
    other = peer.DecisionTreeClassifier(max_depth=6, random_state=0).fit(X, y)
    assert model.score(X.astype(np.float32), y) == other.score(X, y)


@pytest.mark.parametrize("params", [{}, {"max_features": 2}, {"splitter": "random"}])
def test_same_tree_on_any_number_of_threads(monkeypatch, params):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(9000, 4)), rng.integers(0, 2, 9000)
    trees = []
    for threads in (1, 3):
        monkeypatch.setattr("kiso.tree._growth.n_threads", lambda n=threads: n)
        monkeypatch.setattr(_threads, "n_threads", lambda n=threads: n)
        trees.append(DecisionTreeClassifier(max_depth=5, random_state=0, **params).fit(X, y).tree_)
    for name in ("feature", "threshold", "children_left", "value"):
        np.testing.assert_array_equal(getattr(trees[0], name), getattr(trees[1], name))


def test_ties_go_to_the_first_feature_and_the_lowest_cut():
    x = np.array([0.0, 1, 2, 3])
    model = DecisionTreeClassifier(max_depth=1).fit(np.stack([x, -x], axis=1), [0, 1, 1, 0])
    assert (model.tree_.feature[0], model.tree_.threshold[0]) == (0, 0.5)


def test_steps_end_in_the_tree_of_fit():
    X, y, _ = table(0, 80, 3, 3)
    model, stepped = DecisionTreeClassifier().fit(X, y), DecisionTreeClassifier()
    states = list(stepped.steps(X, y))
    assert [s.n_leaves for s in states] == list(range(2, len(states) + 2))
    assert np.all(np.diff([s.objective for s in states]) <= 1e-15)
    assert states[0].tree.node_count == 3
    assert states[-1].converged
    np.testing.assert_array_equal(model.tree_.threshold, stepped.tree_.threshold)
    for state in states[:3]:
        assert state.objective == pytest.approx(state.tree.total_impurity())


def test_pandas_categories_missing_and_unknown():
    import pandas as pd

    frame = pd.DataFrame(
        {"colour": pd.Categorical(["red", "green", "blue", None] * 5), "x": np.arange(20.0)}
    )
    y = [0, 1, 0, 1] * 5
    model = DecisionTreeClassifier(max_depth=1).fit(frame, y)
    assert model.score(frame, y) == 1.0
    assert "colour in {" in export_text(model)
    named = DecisionTreeClassifier(max_depth=1, categorical_features=["colour"]).fit(frame, y)
    assert named.score(frame, y) == 1.0
    new = pd.DataFrame({"colour": ["violet"], "x": [3.0]})
    assert named.predict(new)[0] in (0, 1)
    with pytest.raises(ValueError, match="no columns"):
        DecisionTreeClassifier(categorical_features=["shape"]).fit(frame, y)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_corners(criterion):
    one = make(criterion).fit([[3.0]], [1])
    assert one.get_n_leaves() == 1
    assert one.predict([[9.0]])[0] == 1
    constant = make(criterion).fit(np.ones((6, 2)), [0, 1, 1, 0, 1, 1])
    assert constant.get_n_leaves() == 1
    assert make(criterion).fit(np.arange(6.0).reshape(-1, 1), np.ones(6)).get_n_leaves() == 1
    opposite = make(criterion).fit([[0.0], [0.0], [1.0]], [0, 1, 1])
    assert opposite.get_n_leaves() == 2
    weighted = make(criterion).fit([[0.0], [1.0], [2.0]], [0, 1, 0], sample_weight=[1, 1, 0])
    assert weighted.tree_.n_node_samples[0] == 2
    huge = make(criterion).fit([[-1e308], [1e308], [1.7e308]], [0, 1, 1])
    assert np.all(np.isfinite(huge.tree_.threshold))
    np.testing.assert_array_equal(huge.predict([[-1e308], [1e308]]), [0, 1])
    with pytest.raises(ValueError, match="infinity"):
        make(criterion).fit([[np.inf], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="zero"):
        make(criterion).fit([[0.0], [1.0]], [0, 1], sample_weight=[0, 0])


def test_large_targets_keep_their_digits():
    y = 1e12 + np.array([0.0, 0, 1, 1])
    model = DecisionTreeRegressor().fit(np.arange(4.0).reshape(-1, 1), y)
    assert model.get_n_leaves() == 2
    np.testing.assert_array_equal(model.predict(np.arange(4.0).reshape(-1, 1)), y)


def test_layouts_and_dtypes():
    X, y, _ = table(5, 60, 3, 2)
    wide = np.repeat(X, 2, axis=1)
    expected = DecisionTreeClassifier().fit(X, y).predict_proba(X)
    for other in (np.asfortranarray(X), wide[:, ::2], X.astype(np.float32)):
        np.testing.assert_array_equal(
            DecisionTreeClassifier().fit(other, y).predict_proba(other), expected
        )


def test_forest_learns_scores_and_repeats():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    y = np.where(X[:, 0] * X[:, 1] > 0, "a", "b")
    model = RandomForestClassifier(40, oob_score=True, random_state=0).fit(X[:300], y[:300])
    again = RandomForestClassifier(40, random_state=0).fit(X[:300], y[:300])
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    assert model.score(X[300:], y[300:]) > 0.8
    assert abs(model.oob_score_ - model.score(X[300:], y[300:])) < 0.12
    mean = np.mean([m.predict_proba(X) for m in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), mean)
    target = X[:, 0] ** 2
    regressor = RandomForestRegressor(30, oob_score=True, max_samples=0.7, random_state=0)
    assert regressor.fit(X[:300], target[:300]).score(X[300:], target[300:]) > 0.8
    assert regressor.oob_score_ > 0.8


def test_forest_warm_start_is_a_fit_of_more_trees():
    X, y, _ = table(2, 60, 4, 2)
    warm = RandomForestClassifier(5, warm_start=True, random_state=3).fit(X, y)
    warm.set_params(n_estimators=9).fit(X, y)
    cold = RandomForestClassifier(9, random_state=3).fit(X, y)
    np.testing.assert_array_equal(warm.predict_proba(X), cold.predict_proba(X))
    with pytest.raises(ValueError, match="n_estimators=4"):
        warm.set_params(n_estimators=4).fit(X, y)


def test_picture_and_text():
    X, y, _ = table(1, 50, 2, 2)
    model = DecisionTreeClassifier(max_depth=3).fit(X, y)
    texts = [t.get_text() for t in plot_tree(model, feature_names=["a", "b"]).texts]
    assert len(texts) == model.tree_.node_count
    assert any(text.startswith(("a <=", "b <=")) for text in texts)
    assert len(export_text(model).splitlines()) == model.tree_.node_count


@parametrize_with_checks(
    [
        DecisionTreeClassifier(),
        DecisionTreeRegressor(),
        RandomForestClassifier(5),
        RandomForestRegressor(5),
    ],
    expected_failed_checks=lambda model: (
        {
            # a weight is not a repetition where rows are drawn: the draws differ
            "check_sample_weight_equivalence_on_dense_data": "bootstrap",
            "check_sample_weight_equivalence_on_sparse_data": "bootstrap",
        }
        if hasattr(model, "bootstrap")
        else {}
    ),
)
def test_sklearn_checks(estimator, check):
    check(estimator)
