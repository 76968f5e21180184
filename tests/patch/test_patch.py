import importlib
import pickle

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.svm

import kiso
from kiso.patch import shared_names


@pytest.fixture(autouse=True)
def _as_before():
    yield
    kiso.unpatch_sklearn()


def test_all_that_both_have_are_put_in_place_and_back():
    before = {
        (theirs, name): getattr(importlib.import_module(theirs), name)
        for _, theirs, name in shared_names()
    }
    put = kiso.patch_sklearn()
    assert set(put) == {f"{module}.{name}" for module, name in before}
    for module, name in before:
        assert getattr(importlib.import_module(module), name).__module__.startswith("kiso.")
    assert kiso.patch_sklearn() == put
    assert kiso.unpatch_sklearn() == put
    for (module, name), original in before.items():
        assert getattr(importlib.import_module(module), name) is original


def test_names_are_chosen_and_wrong_ones_refused():
    theirs = sklearn.svm.SVR
    assert kiso.patch_sklearn(["svm.SVC"]) == ["sklearn.svm.SVC"]
    assert sklearn.svm.SVR is theirs
    kiso.unpatch_sklearn()
    with pytest.raises(ValueError, match="NuSVC"):
        kiso.patch_sklearn(["SVR", "NuSVC"])
    assert sklearn.svm.SVR is theirs


def test_scikit_learns_own_parts_keep_their_classes():
    kiso.patch_sklearn()
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = sklearn.ensemble.GradientBoostingRegressor(n_estimators=3).fit(X, X[:, 0])
    assert type(model.estimators_[0, 0]).__module__.startswith("sklearn.")


def test_models_pickled_before_load_as_what_they_were():
    X = np.random.default_rng(0).normal(size=(20, 2))
    theirs = sklearn.svm.SVC().fit(X, X[:, 0] > 0)
    kiso.patch_sklearn()
    again = pickle.loads(pickle.dumps(theirs))
    assert type(again) is type(theirs)
    np.testing.assert_array_equal(again.predict(X), theirs.predict(X))
