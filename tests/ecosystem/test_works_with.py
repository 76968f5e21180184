"""What works around scikit-learn's estimators works around kiso's, for every family."""

import pickle
import sys

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, StackingRegressor
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import kiso
from kiso.cluster import KMeans, MiniBatchKMeans
from kiso.decomposition import PCA, IncrementalPCA
from kiso.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from kiso.linear_model import (
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
)
from kiso.neighbors import KNeighborsClassifier, KNeighborsRegressor
from kiso.neural_network import MLPClassifier, MLPRegressor
from kiso.svm import SVC, SVR, LinearSVC
from kiso.tree import DecisionTreeClassifier, DecisionTreeRegressor

X, y = load_iris(return_X_y=True)
order = np.random.default_rng(0).permutation(len(y))
X, y = scale(X)[order], y[order]
CLASSIFIERS = {
    "logistic": (LogisticRegression(), {"C": [0.1, 1.0]}),
    "logistic cv": (LogisticRegressionCV(Cs=3, cv=3), {"Cs": [2, 3]}),
    "ridge cv": (RidgeClassifierCV(), {"fit_intercept": [True, False]}),
    "sgd": (SGDClassifier(random_state=0), {"alpha": [1e-4, 1e-2]}),
    "svc": (SVC(), {"C": [0.1, 1.0]}),
    "linear svc": (LinearSVC(), {"C": [0.1, 1.0]}),
    "tree": (DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}),
    "forest": (RandomForestClassifier(5, random_state=0), {"max_depth": [1, 3]}),
    "boosting": (HistGradientBoostingClassifier(max_iter=5), {"max_depth": [1, 3]}),
    "neighbors": (KNeighborsClassifier(), {"n_neighbors": [1, 5]}),
    "network": (
        MLPClassifier(hidden_layer_sizes=(8,), max_iter=60, tol=1e-2, random_state=0),
        {"alpha": [1e-4, 1e-2]},
    ),
}
REGRESSORS = {
    "least squares": LinearRegression(),
    "ridge": Ridge(),
    "ridge cv": RidgeCV(),
    "svr": SVR(),
    "tree": DecisionTreeRegressor(random_state=0),
    "forest": RandomForestRegressor(5, random_state=0),
    "boosting": HistGradientBoostingRegressor(max_iter=5),
    "neighbors": KNeighborsRegressor(),
    "network": MLPRegressor(
        hidden_layer_sizes=(8,), learning_rate_init=0.02, max_iter=100, random_state=0
    ),
}
OTHERS = {
    "k-means": KMeans(3, random_state=0),
    "mini-batches": MiniBatchKMeans(3, random_state=0),
    "components": PCA(2),
    "incremental": IncrementalPCA(2),
}
ALL = [model for model, _ in CLASSIFIERS.values()] + [*REGRESSORS.values(), *OTHERS.values()]
NAMES = [*CLASSIFIERS, *(f"{n} (regression)" for n in REGRESSORS), *OTHERS]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
every_model = pytest.mark.parametrize("model", ALL, ids=NAMES)


def outcome(model):
    """What a fitted model says about X."""
    return model.predict(X) if hasattr(model, "predict") else model.transform(X)


@every_classifier
def test_search_and_cross_validation(name):
    model, grid = CLASSIFIERS[name]
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_score_ > 0.6
    assert_array_equal(search.predict(X), search.best_estimator_.predict(X))
    guess = cross_val_predict(model, X, y, cv=3)
    assert (guess == y).mean() > 0.7
    scores = cross_validate(model, X, y, cv=3, scoring=["accuracy", "f1_macro"])
    assert scores["test_f1_macro"].min() > 0.5


@every_classifier
def test_calibration_bagging_and_stacking(name):
    model, _ = CLASSIFIERS[name]
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, y)
    assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    assert BaggingClassifier(model, 3, random_state=0).fit(X, y).score(X, y) > 0.7
    stack = StackingClassifier(
        [("it", model), ("tree", DecisionTreeClassifier(max_depth=2))],
        final_estimator=LogisticRegression(),
        cv=3,
    )
    assert stack.fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("name", REGRESSORS)
def test_stacked_regressors_and_importance(name):
    model = REGRESSORS[name]
    target = X[:, 2] - X[:, 0]
    stack = StackingRegressor([("it", model)], final_estimator=Ridge(), cv=3).fit(X, target)
    assert stack.score(X, target) > 0.2
    model = clone(model).fit(X, target)
    found = permutation_importance(model, X, target, n_repeats=3, random_state=0)
    assert found.importances_mean[[0, 2]].min() > found.importances_mean[[1]].max() - 0.1


@every_classifier
def test_boundary_is_drawn(name):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    model = clone(CLASSIFIERS[name][0]).fit(X[:, :2], y)
    shown = DecisionBoundaryDisplay.from_estimator(
        model, X[:, :2], grid_resolution=20, response_method="predict"
    )
    assert shown.response.shape == (20, 20)
    plt.close("all")


@every_model
def test_clones_pickles_and_pages(model, tmp_path):
    fitted = clone(model).fit(X, y)
    again = clone(fitted)
    assert again.get_params().keys() == model.get_params().keys()
    assert not hasattr(again, "n_features_in_")
    said = outcome(fitted)
    assert_array_equal(outcome(pickle.loads(pickle.dumps(fitted))), said)
    joblib.dump(fitted, tmp_path / "model")
    assert_array_equal(outcome(joblib.load(tmp_path / "model")), said)
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert_array_equal(outcome(mapped), said)
    assert type(model).__name__ in fitted._repr_html_()
    assert repr(model).startswith(type(model).__name__)


@every_model
def test_skops(model):
    io = pytest.importorskip("skops.io")
    fitted = clone(model).fit(X, y)
    data = io.dumps(fitted)
    again = io.loads(data, trusted=io.get_untrusted_types(data=data))
    assert_array_equal(outcome(again), outcome(fitted))


@every_model
def test_pipelines_with_a_cache(model, tmp_path):
    pipe = Pipeline([("scale", StandardScaler()), ("model", clone(model))], memory=str(tmp_path))
    plain = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    for _ in range(2):  # the second time from the cache
        assert_array_equal(outcome(pipe.fit(X, y)), outcome(plain))
    front = Pipeline(
        [("components", PCA(3)), ("model", clone(model))], memory=str(tmp_path / "front")
    )
    if not isinstance(model, PCA | IncrementalPCA):
        assert_array_equal(outcome(front.fit(X, y)), outcome(front.fit(X, y)))


@every_model
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_tables_in(model, kind):
    library = pytest.importorskip(kind)
    names = ["a", "b", "c", "d"]
    table = library.DataFrame({n: X[:, k] for k, n in enumerate(names)})
    fitted = clone(model).fit(table, y)
    assert list(fitted.feature_names_in_) == names
    said = fitted.predict(table) if hasattr(fitted, "predict") else fitted.transform(table)
    assert_allclose(said, outcome(clone(model).fit(X, y)), atol=1e-6)
    wrong = table[["b", "a", "c", "d"]]
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(wrong) if hasattr(fitted, "predict") else fitted.transform(wrong)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_tables_out(name, kind):
    library = pytest.importorskip(kind)
    model = clone(OTHERS[name]).set_output(transform=kind)
    table = model.fit_transform(X)
    assert isinstance(table, library.DataFrame)
    assert list(table.columns) == list(model.get_feature_names_out())


@pytest.mark.parametrize("name", [n for n in CLASSIFIERS if n not in {"neighbors", "logistic cv"}])
def test_metadata_routing(name):
    """Weights go to the model and its score, and not to the scaler before it."""
    model, weight = CLASSIFIERS[name][0], np.where(y == 1, 3.0, 1.0)
    with config_context(enable_metadata_routing=True):
        asked = clone(model).set_fit_request(sample_weight=True)
        asked.set_score_request(sample_weight=True)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asked)
        found = GridSearchCV(pipe, {}, cv=3, error_score="raise").fit(X, y, sample_weight=weight)
    plain = make_pipeline(StandardScaler(), clone(model))
    plain.fit(X, y, **{f"{plain.steps[-1][0]}__sample_weight": weight})
    assert_array_equal(found.predict(X), plain.predict(X))


def test_listing_and_display():
    names = {name for name, _ in kiso.all_estimators()}
    assert {type(model).__name__ for model in ALL} <= names
    classifiers = {name for name, _ in kiso.all_estimators("classifier")}
    assert "RidgeClassifierCV" in classifiers
    assert "RidgeCV" not in classifiers
    assert "<style>" in make_pipeline(StandardScaler(), SVC())._repr_html_()


def test_a_callback_tracks_a_run():
    """As MLflow's autologging would: the objective of every step, and the parameters."""
    from kiso.base import State

    log = []
    model = LogisticRegression()
    for state in model.steps(X, y):
        assert isinstance(state, State)
        log.append((state.n_iter, state.objective))
    assert log == list(enumerate(model.objective_path_, start=1))
    assert "mlflow" not in sys.modules
    assert model.get_params()["C"] == 1.0
