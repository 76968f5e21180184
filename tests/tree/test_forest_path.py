"""The path of a forest is the paths of its trees, side by side."""

import numpy as np

from kiso.tree import RandomForestClassifier


def test_forest_path_is_its_trees_paths():
    X = np.random.default_rng(0).normal(size=(60, 2))
    forest = RandomForestClassifier(3, random_state=0).fit(X, (X[:, 0] > 0).astype(int))
    path, begin = forest.decision_path(X)
    assert path.shape == (60, begin[-1])
    for t, member in enumerate(forest):
        own = path[:, begin[t] : begin[t + 1]].toarray()
        np.testing.assert_array_equal(own, member.decision_path(X).toarray())
