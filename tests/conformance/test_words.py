"""Where scikit-learn's tests insist on its words: kiso raises errors of the same type.

Each case is a call that scikit-learn refuses, or warns of, with the type of it; both libraries
are asked. The expected failures of the kind "wording" name these tests as their proof.
"""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
import sklearn.decomposition
import sklearn.linear_model
import sklearn.neighbors
import sklearn.neural_network
import sklearn.svm
import sklearn.tree
from sklearn.exceptions import ConvergenceWarning

import kiso.cluster
import kiso.decomposition
import kiso.linear_model
import kiso.neighbors
import kiso.neural_network
import kiso.svm
import kiso.tree

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
y = (X[:, 0] + 0.5 * rng.normal(size=30) > 0).astype(int)


def refuses(call, kind, *libraries, match):
    """Both libraries raise this type of error; kiso's says `match`."""
    ours, theirs = libraries
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with pytest.raises(kind):
            call(theirs)
        with pytest.raises(kind, match=match):
            call(ours)


def warns(call, kind, *libraries, match):
    """Both libraries warn with this type; kiso's says `match`."""
    ours, theirs = libraries
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.warns(kind):
            call(theirs)
        with pytest.warns(kind, match=match):
            call(ours)


def test_cluster():
    libraries = kiso.cluster, sklearn.cluster
    refuses(
        lambda m: m.kmeans_plusplus(X, 2, x_squared_norms=np.ones((2, 5))),
        ValueError,
        *libraries,
        match="x_squared_norms of shape",
    )


@pytest.mark.parametrize(
    ("options", "data", "kind", "match"),
    [
        ({"svd_solver": "full"}, sp.csr_array(X), TypeError, "takes dense data"),
        ({"svd_solver": "randomized"}, sp.csc_array(X), TypeError, "takes dense data"),
        ({"n_components": 0, "svd_solver": "arpack"}, X, ValueError, "between 1 and 3"),
        ({"n_components": 4, "svd_solver": "arpack"}, X, ValueError, "between 1 and 3"),
        ({"n_components": 5}, X, ValueError, "n_components=5 must be at most"),
        ({"n_components": "mle", "svd_solver": "arpack"}, X, ValueError, "int or None"),
        ({"n_components": "mle", "svd_solver": "randomized"}, X, ValueError, "int or None"),
        ({"n_components": "mle"}, X[:3], ValueError, "needs n_samples >= n_features"),
    ],
)
def test_decomposition(options, data, kind, match):
    libraries = kiso.decomposition, sklearn.decomposition
    refuses(lambda m: m.PCA(**options).fit(data), kind, *libraries, match=match)
    if options == {"n_components": 5}:
        refuses(lambda m: m.IncrementalPCA(5).fit(data), kind, *libraries, match="at most")


def test_svm():
    libraries = kiso.svm, sklearn.svm
    for data in (X, sp.csr_array(X)):
        warns(
            lambda m, data=data: m.SVC(max_iter=1, tol=1e-9).fit(data, y),
            ConvergenceWarning,
            *libraries,
            match="gap",
        )
    huge = np.array([[1e203, 1e100], [1e-94, 1e-97], [-1e203, 1e-6]])
    refuses(lambda m: m.SVC().fit(huge, [0, 1, 0]), ValueError, *libraries, match="X")


def test_tree():
    libraries = kiso.tree, sklearn.tree
    refuses(
        lambda m: m.DecisionTreeClassifier().fit(X, y[:-1]),
        ValueError,
        *libraries,
        match="inconsistent",
    )


def test_neural_network():
    libraries = kiso.neural_network, sklearn.neural_network
    labels = np.arange(30) == 3  # one row of the class True
    refuses(
        lambda m: m.MLPClassifier(early_stopping=True).fit(X, labels.astype(int)),
        ValueError,
        *libraries,
        match="1",
    )


HUGE = np.array([1e300, 1e300, 1.0, 1.0])
Y2 = np.column_stack([X[:, 0], X[:, 1]])
LOGISTIC = [
    ({"max_iter": 1, "tol": 1e-15}, ConvergenceWarning, "did not converge in 1 iterations"),
    ({"penalty": "l1", "solver": "saga", "l1_ratio": 0.5}, UserWarning, "ignores l1_ratio=0.5"),
    ({"penalty": "l2", "l1_ratio": 1.0}, UserWarning, "ignores l1_ratio=1.0"),
    ({"penalty": None, "C": 4}, UserWarning, "penalty=None ignores C=4"),
]
SGD = [
    (lambda m: m.SGDClassifier(penalty="elasticnet", l1_ratio=None).fit(X, y), "l1_ratio=None"),
    (lambda m: m.SGDRegressor(penalty="elasticnet", l1_ratio=None).fit(X, y), "l1_ratio=None"),
    (lambda m: m.SGDClassifier().fit(X, y, coef_init=np.zeros(3)), "coef_init of shape"),
    (lambda m: m.SGDClassifier().fit(X, y, intercept_init=np.zeros(3)), "intercept_init of shape"),
    (lambda m: m.SGDClassifier(early_stopping=True).partial_fit(X, y, [0, 1]), "no rows to set"),
    (lambda m: m.SGDRegressor(early_stopping=True).partial_fit(X, y), "no rows to set aside"),
    (
        lambda m: m.SGDClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1]),
        "class_weight='balanced' is not supported",
    ),
    (
        lambda m: m.SGDClassifier(alpha=0.1, loss="squared_hinge").fit(X * HUGE, y),
        "under-/overflow",
    ),
    (
        lambda m: m.SGDClassifier(early_stopping=True, random_state=0).fit(
            X, y, sample_weight=np.zeros(30)
        ),
        "sample_weight",
    ),
]


def test_linear_model():
    libraries = kiso.linear_model, sklearn.linear_model
    for options, kind, match in LOGISTIC:
        warns(
            lambda m, options=options: m.LogisticRegression(**options).fit(X, y),
            kind,
            *libraries,
            match=match,
        )
    for call, match in SGD:
        refuses(call, ValueError, *libraries, match=match)
    refuses(
        lambda m: m.Ridge(alpha=[1.0, 2.0, 3.0]).fit(X, Y2),
        ValueError,
        *libraries,
        match="alpha has 3 entries, y has 2 targets",
    )
    refuses(
        lambda m: m.LogisticRegression().fit(X, np.ones(30)), ValueError, *libraries, match="class"
    )


def test_neighbors():
    libraries = kiso.neighbors, sklearn.neighbors
    far = np.full((1, 4), 1e3)
    warns(
        lambda m: m.RadiusNeighborsClassifier(outlier_label=-1).fit(X, y).predict(far),
        UserWarning,
        *libraries,
        match="outlier_label",
    )
    warns(
        lambda m: m.RadiusNeighborsRegressor().fit(X, X[:, 0]).predict(far),
        UserWarning,
        *libraries,
        match="neighb",
    )
    for model in ("KNeighborsClassifier", "RadiusNeighborsRegressor"):
        refuses(
            lambda m, model=model: getattr(m, model)(metric="haversine").fit(
                sp.csr_array(X[:, :2]), y
            ),
            ValueError,
            *libraries,
            match="takes dense rows alone",
        )
        refuses(
            lambda m, model=model: getattr(m, model)(p=0.5, algorithm="kd_tree").fit(X, y),
            ValueError,
            *libraries,
            match="p",
        )
        warns(
            lambda m, model=model: getattr(m, model)(p=0.5).fit(X, y),
            UserWarning,
            *libraries,
            match="p",
        )
    refuses(
        lambda m: m.NearestNeighbors().fit(X).kneighbors_graph(X, mode="blah"),
        ValueError,
        *libraries,
        match="mode='blah'",
    )


@pytest.mark.parametrize("name", ["RadiusNeighborsClassifier", "RadiusNeighborsRegressor"])
def test_radius_models_have_no_k(name):
    for module in (kiso.neighbors, sklearn.neighbors):
        model = getattr(module, name)(radius=2.0).fit(X, y)
        assert not hasattr(model, "kneighbors")
        assert not hasattr(model, "kneighbors_graph")
        assert model.radius_neighbors_graph(X).shape == (30, 30)
