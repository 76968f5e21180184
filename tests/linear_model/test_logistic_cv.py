"""LogisticRegressionCV: against one fit after the other, and scikit-learn."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as theirs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.linear_model import LogisticRegression, LogisticRegressionCV

CS = [0.01, 1.0, 20.0]


@parametrize_with_checks([LogisticRegressionCV(Cs=3, cv=3)])
def test_sklearn_checks(estimator, check):
    check(estimator)


def two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X[::4, :8]), np.where(y[::4] == 1, "benign", "malignant")


def three_classes():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


@pytest.mark.parametrize("data", [two_classes, three_classes])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("ratios", [None, [0.0], [0.0, 0.5, 1.0]])
def test_each_point_of_the_path_is_a_fit_of_its_own(data, intercept, ratios):
    X, y = data()
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    options = {"fit_intercept": intercept, "tol": 1e-9, "max_iter": 2000}
    folds = StratifiedKFold(3)
    model = LogisticRegressionCV(
        Cs=CS[::-1],  # any order
        l1_ratios=ratios,
        cv=folds,
        scoring="neg_log_loss",
        class_weight={y[0]: 2.0},
        use_legacy_attributes=False,
        **options,
    ).fit(X, y, sample_weight=weights)
    for f, (train, test) in enumerate(folds.split(X, y)):
        for r, ratio in enumerate(ratios or [0.0]):
            for c, C in enumerate(CS[::-1]):
                alone = LogisticRegression(
                    C=C, l1_ratio=ratio, class_weight={y[0]: 2.0}, **options
                ).fit(X[train], y[train], sample_weight=weights[train])
                found = model.coefs_paths_[f, r, c]
                d = X.shape[1]
                assert_allclose(found[:, :d], alone.coef_, rtol=1e-3, atol=5e-4)
                if intercept:
                    assert_allclose(found[:, d], alone.intercept_, rtol=1e-3, atol=5e-4)
                score = -log_loss(
                    y[test], alone.predict_proba(X[test]), sample_weight=weights[test]
                )
                assert_allclose(model.scores_[f, r, c], score, rtol=1e-3)
    best = np.unravel_index(model.scores_.sum(axis=0).argmax(), model.scores_.shape[1:])
    assert (model.l1_ratio_, model.C_) == ((ratios or [0.0])[best[0]], CS[::-1][best[1]])
    last = LogisticRegression(
        C=model.C_, l1_ratio=model.l1_ratio_, class_weight={y[0]: 2.0}, **options
    ).fit(X, y, sample_weight=weights)
    assert_allclose(model.coef_, last.coef_, rtol=1e-3, atol=5e-4)


@pytest.mark.parametrize("data", [two_classes, three_classes])
@pytest.mark.parametrize("ratios", [None, [0.0, 0.7]])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
def test_attributes_are_scikit_learns(data, ratios, refit, legacy):
    X, y = data()
    options = {
        "l1_ratios": None if ratios is None else np.array(ratios),
        "refit": refit,
        "cv": 3,
        "Cs": CS,
        "max_iter": 5000,
    }
    options |= {"use_legacy_attributes": legacy, "scoring": "neg_log_loss"}
    ours = LogisticRegressionCV(tol=1e-8, **options).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = theirs.LogisticRegressionCV(
            solver="saga" if ratios else "lbfgs", tol=1e-6, **options
        ).fit(X, y)
    for name in ("coef_", "intercept_", "C_", "l1_ratio_", "Cs_", "l1_ratios_", "scores_",
                 "coefs_paths_", "n_iter_"):  # fmt: skip
        value, wanted = getattr(ours, name), getattr(other, name)
        if isinstance(wanted, dict):
            assert list(value) == list(wanted), name
            value, wanted = np.stack(list(value.values())), np.stack(list(wanted.values()))
        assert np.shape(value) == np.shape(wanted), name
        if name == "n_iter_" or (ratios and name == "coefs_paths_"):  # saga stops early
            continue
        if np.asarray(wanted).dtype == object:  # None
            assert_array_equal(value, wanted)
        else:  # saga stops far from the minimum where all but the intercept is zero
            assert_allclose(value, wanted, atol=4e-2 if ratios else 2e-3, err_msg=name)


def test_each_penalty_of_each_fold_is_a_step():
    X, y = three_classes()
    states = list(LogisticRegressionCV(Cs=[1.0, 0.01], cv=4).steps(X, y))
    assert [(s.fold, s.C) for s in states[:-1]] == [(f, C) for f in range(4) for C in (0.01, 1.0)]
    assert states[-1].fold is None
    assert states[-1].converged
    model = LogisticRegressionCV(Cs=[1.0, 0.01], cv=4).fit(X, y)
    assert_allclose(model.objective_path_, [s.objective for s in states])
    assert_array_equal(model.coef_, states[-1].theta[:-1].T)


def test_a_warm_path_takes_fewer_steps():
    X, y = make_classification(2000, 30, n_informative=15, random_state=0)
    Cs = np.geomspace(1e-3, 10, 12)
    options = {"solver": "lbfgs", "tol": 1e-6}
    warm = LogisticRegressionCV(Cs=Cs, cv=3, **options).fit(X, y)
    cold = [
        LogisticRegression(C=C, **options).fit(X[train], y[train]).n_iter_[0]
        for train, _ in StratifiedKFold(3).split(X, y)
        for C in Cs
    ]
    assert warm.n_iter_.sum() < 0.8 * sum(cold)


def test_sparse_and_float32():
    X, y = three_classes()
    X = np.where(np.abs(X) < 0.5, 0, X)
    dense = LogisticRegressionCV(Cs=CS, tol=1e-8).fit(X, y)
    thin = LogisticRegressionCV(Cs=CS, tol=1e-8).fit(sp.coo_array(X), y)
    assert_allclose(dense.coef_, thin.coef_, atol=1e-5)
    assert_array_equal(dense.C_, thin.C_)
    assert LogisticRegressionCV(Cs=CS).fit(X.astype(np.float32), y).coef_.dtype == np.float32


def test_a_class_that_a_fold_lacks():
    X, y = three_classes()
    X, y = X[:110], y[:110]  # ten rows of the third class
    folds = [(np.arange(100), np.arange(100, 110)), (np.arange(0, 110, 2), np.arange(1, 110, 2))]
    model = LogisticRegressionCV(Cs=[0.1, 1], cv=folds, scoring="neg_log_loss").fit(X, y)
    assert model.coef_.shape == (3, 4)
    assert np.isfinite(model.scores_[2]).all()


def test_scorers():
    X, y = two_classes()
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    model = LogisticRegressionCV(Cs=CS, scoring="f1_macro").fit(X, y, sample_weight=weights)
    assert 0.5 < model.score(X, y, sample_weight=weights) <= 1.0

    def plain(estimator, X, y):
        return float((estimator.predict(X) == y).mean())

    with pytest.warns(UserWarning, match="does not support sample_weight"):
        LogisticRegressionCV(Cs=CS, scoring=plain).fit(X, y, sample_weight=weights)
    LogisticRegressionCV(Cs=CS, scoring=make_scorer(lambda t, p: 1.0)).fit(X, y)


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        ({"Cs": [1.0, 0.0]}, ValueError, "Cs="),
        ({"Cs": []}, ValueError, "Cs="),
        ({"Cs": 0}, ValueError, "Cs"),
        ({"l1_ratios": [0.2, 1.5]}, ValueError, "l1_ratios must be"),
        ({"l1_ratios": []}, ValueError, "l1_ratios must be"),
        ({"penalty": "elasticnet"}, ValueError, "l1_ratios must be"),
        ({"l1_ratios": [1.0], "solver": "lbfgs"}, ValueError, "L1 penalty"),
        ({"class_weight": {7: 1.0}}, ValueError, "class labels as keys"),
    ],
)
def test_bad_parameters(options, kind, match):
    X, y = three_classes()
    with pytest.raises(kind, match=match):
        LogisticRegressionCV(**options).fit(X, y)


def test_fits_that_end_early_are_counted():
    X, y = three_classes()
    with pytest.warns(ConvergenceWarning, match=r"of 7 fits \d did not converge in max_iter=1"):
        LogisticRegressionCV(Cs=CS, cv=2, max_iter=1, tol=1e-9).fit(X, y)
    with pytest.raises(ValueError, match="one class"):
        LogisticRegressionCV().fit(X[:20], y[:20])
