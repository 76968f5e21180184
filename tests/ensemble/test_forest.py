"""The loops of a forest's trees: the splits of a single tree, and features drawn evenly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso._compute import threads as _threads
from kiso.ensemble import RandomForestClassifier, RandomForestRegressor
from kiso.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.tree.test_tree import assert_best_splits, table

CRITERIA = ["gini", "entropy", "squared_error"]


def lone(criterion, **params):
    """A forest of one tree that sees all rows and all features."""
    kind = RandomForestRegressor if criterion == "squared_error" else RandomForestClassifier
    return kind(
        1, criterion=criterion, bootstrap=False, max_features=None, random_state=0, **params
    )


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 4), st.integers(1, 4),
    st.sampled_from(CRITERIA), st.sampled_from([0.0, 0.2]), st.integers(1, 3),
    st.sampled_from([2, 6, 100]),
)  # fmt: skip
def test_every_split_is_the_best(seed, n, d, classes, criterion, missing, min_leaf, levels):
    classes = classes if criterion != "squared_error" else 0
    X, y, w = table(seed, n, d, classes, missing, levels)
    model = lone(criterion, min_samples_leaf=min_leaf).fit(X, y, sample_weight=w)
    assert_best_splits(model[0], X, y, w, criterion, min_leaf)


RULES = [
    {"min_samples_leaf": 25},
    {"max_depth": 5, "min_samples_leaf": 0.01},
    {"min_impurity_decrease": 0.001, "min_samples_split": 60},
    {"min_weight_fraction_leaf": 0.03},
    {"ccp_alpha": 0.002, "min_samples_leaf": 9},
]


@pytest.mark.parametrize(
    ("criterion", "params"),
    # small leaves tie, and logarithms of either loops round ties their own way
    [("entropy", {"max_depth": 4}), *((c, p) for c in ("gini", "squared_error") for p in RULES)],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_same_tree_as_a_single_one(criterion, classes, params):
    """Histograms, insertion and counting give the splits that the level-wise loops give."""
    rng = np.random.default_rng(classes)
    X = np.column_stack(
        [rng.normal(size=(6000, 2)), rng.integers(0, 2, 6000), rng.integers(0, 90, 6000)]
    )
    X[rng.random(6000) < 0.1, 0] = np.nan
    signal = np.nan_to_num(X[:, 0], nan=-1) * X[:, 1] + X[:, 2] + 0.3 * rng.normal(size=6000)
    y = signal if criterion == "squared_error" else np.digitize(signal, [0.0, 1.0][: classes - 1])
    kind = DecisionTreeRegressor if criterion == "squared_error" else DecisionTreeClassifier
    expected = kind(criterion=criterion, **params).fit(X, y).tree_
    found = lone(criterion, **params).fit(X, y)[0].tree_
    assert found.node_count == expected.node_count > 3
    for name in ("feature", "threshold", "missing_go_to_left", "n_node_samples", "children_right"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-12)
    np.testing.assert_allclose(found.impurity, expected.impurity, atol=1e-12)


@pytest.mark.slow
def test_more_values_than_two_bytes_count():
    x = np.random.default_rng(0).permutation(70_000).astype(float)
    y = (x > 66_000).astype(int)
    tree = lone("gini").fit(x[:, None], y)[0].tree_
    assert tree.node_count == 3
    assert tree.threshold[0] == 66_000.5


def test_features_are_drawn_evenly_and_constant_ones_do_not_split():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 5))
    X[:, 3] = 1.0
    model = RandomForestClassifier(
        400, max_features=1, max_depth=1, bootstrap=False, random_state=0
    ).fit(X, rng.integers(0, 2, 50))
    count = np.bincount([member.tree_.feature[0] for member in model], minlength=5)
    assert count[3] == 0
    np.testing.assert_allclose(np.delete(count, 3), 100, atol=40)  # more than 4 deviations


def test_distinct_rows_end_in_pure_leaves_whatever_was_constant_above():
    codes = np.array([[i >> b & 1 for b in range(8)] for i in range(256)], dtype=float)
    y = np.random.default_rng(1).integers(0, 3, 256)
    model = RandomForestClassifier(5, max_features=1, bootstrap=False, random_state=0)
    assert model.fit(codes, y).score(codes, y) == 1.0
    for member in model:
        assert member.tree_.total_impurity() == 0.0


def test_same_forest_on_any_number_of_threads_a_tree_a_step(monkeypatch):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 3, 300)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(_threads, "n_threads", lambda n=threads: n)
        model = RandomForestClassifier(7, random_state=0)
        states = list(model.steps(X, y))
        assert [s.n_iter for s in states] == list(range(1, 8))
        assert states[-1].objective == pytest.approx(
            np.mean([tree.total_impurity() for tree in states[-1].trees])
        )
        found.append(model.predict_proba(X))
    np.testing.assert_array_equal(*found)


def test_large_targets_keep_their_digits():
    y = 1e12 + np.repeat([0.0, 1.0, 1.5], 4)
    model = RandomForestRegressor(3, bootstrap=False, random_state=0)
    np.testing.assert_array_equal(model.fit(np.arange(12.0)[:, None], y).predict([[5.0]]), y[5])


def test_forest_path_is_its_trees_paths():
    X = np.random.default_rng(0).normal(size=(60, 2))
    forest = RandomForestClassifier(3, random_state=0).fit(X, (X[:, 0] > 0).astype(int))
    path, begin = forest.decision_path(X)
    assert path.shape == (60, begin[-1])
    for t, member in enumerate(forest):
        own = path[:, begin[t] : begin[t + 1]].toarray()
        np.testing.assert_array_equal(own, member.decision_path(X).toarray())


def test_out_of_bag_of_several_outputs_counts_rows_that_are_right_in_all():
    """As `score` does; a row with one wrong output is wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    Y = np.column_stack([X[:, 0] + rng.normal(size=300) > 0, X[:, 1] + rng.normal(size=300) > 0])
    Y = Y.astype(int)
    forest = RandomForestClassifier(30, oob_score=True, random_state=0).fit(X, Y)
    found = forest.oob_decision_function_.argmax(axis=1)
    assert forest.oob_score_ == (found == Y).all(axis=1).mean()
    assert forest.oob_score_ < (found == Y).mean() - 0.05


def test_rows_of_a_tree_are_indices_of_32_bits():
    X = np.arange(20.0)[:, None]
    forest = RandomForestClassifier(3, random_state=0).fit(X, X[:, 0] > 9)
    for rows in forest.estimators_samples_:
        assert rows.dtype == np.int32
        assert len(rows) == 20
