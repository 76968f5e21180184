"""Arrays of a model file that compiled code would follow out of bounds are refused."""

import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline

from kiso.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from kiso.neighbors import KNeighborsClassifier
from kiso.persistence import ModelFileError
from kiso.persistence._file import _to_model
from kiso.persistence._invariants import check_invariants
from kiso.tree import DecisionTreeClassifier
from kiso.tree._tree import Tree

X, Y = load_iris(return_X_y=True)


def replaced(name, make):
    def spoil(tree):
        return dataclasses.replace(tree, **{name: make(getattr(tree, name).copy())})

    return spoil


def with_value(index, value):
    def make(a):
        a[index] = value
        return a

    return make


SPOILT = [
    replaced("children_right", with_value(0, 2**30)),
    replaced("children_left", with_value(0, 0)),
    replaced("children_left", with_value(0, -5)),
    replaced("feature", with_value(0, 2**30)),
    replaced("feature", with_value(0, -1)),
    replaced("threshold", lambda a: a[:-1]),
    replaced("value", lambda a: a[:, 0]),
    replaced("children_left", lambda a: a.astype(float)),
    replaced("n_categories", lambda a: np.append(a, -1)),
    replaced("category_bits", lambda a: a[:1]),
]


def trees_of(model):
    """Every tree in a fitted model, wherever it is kept."""
    found, stack, seen = [], [model], set()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tree):
            found.append(value)
        elif isinstance(value, list | tuple):
            stack += value
        elif hasattr(value, "__dict__"):
            stack += vars(value).values()
    return found


@pytest.mark.parametrize("spoil", SPOILT, ids=range(len(SPOILT)))
def test_a_spoilt_tree_is_refused(spoil):
    tree = DecisionTreeClassifier(random_state=0).fit(X, Y).tree_
    tree.check_loaded(4)
    with pytest.raises(ValueError, match="a tree"):
        spoil(tree).check_loaded(4)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(3, random_state=0),
        HistGradientBoostingClassifier(max_iter=2),
        KNeighborsClassifier(algorithm="kd_tree"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_sound_models_pass(estimator):
    check_invariants(make_pipeline(estimator).fit(X, Y))


def test_a_spoilt_forest_is_found_inside_the_pipeline():
    pipeline = make_pipeline(RandomForestClassifier(3, random_state=0)).fit(X, Y)
    trees = trees_of(pipeline)
    assert len(trees) == 3
    trees[1].children_right[0] = 2**30
    with pytest.raises(ValueError, match="reached once"):
        check_invariants(pipeline)


def test_it_is_an_error_of_the_file(tmp_path):
    with pytest.raises(ModelFileError):
        _to_model({"format": "kiso.model/0"}, tmp_path)
