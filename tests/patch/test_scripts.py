"""Scripts as users write them, run with scikit-learn's classes and with kiso's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kiso

SCRIPTS = {
    "classifiers": """
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.neighbors import KNeighborsClassifier
X, y = load_iris(return_X_y=True)
for model in (SVC(), KNeighborsClassifier()):
    print(round(cross_val_score(make_pipeline(StandardScaler(), model), X, y).mean(), 2))
""",
    "grid_search": """
from sklearn import svm
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
X, y = load_iris(return_X_y=True)
search = GridSearchCV(svm.SVC(), {"C": [0.01, 1.0], "kernel": ["linear"]}).fit(X, y)
print(search.best_params_, round(search.best_score_, 2))
""",
    "regression": """
import numpy as np
from sklearn.linear_model import LinearRegression, RANSACRegressor, Ridge
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=60)
for model in (LinearRegression(), Ridge(alpha=2.0)):
    print(model.fit(X, y).coef_.round(4).tolist())
y[::10] += 50
print(RANSACRegressor(LinearRegression(), random_state=0).fit(X, y).estimator_.coef_.round(0))
""",
    "pca_frames": """
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
X = load_iris(as_frame=True).data
Z = PCA(2).set_output(transform="pandas").fit_transform(X)
print(list(Z.columns), Z.shape, Z.var().round(3).tolist())
""",
    "clusters": """
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
X, _ = make_blobs(200, centers=[[0, 0], [9, 9], [-9, 9]], random_state=0)
print(round(KMeans(3, n_init=3, random_state=0).fit(X).inertia_, 3))
""",
    "calibration_stacking_bagging": """
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
X, y = make_classification(200, 5, class_sep=3, random_state=0)
for model in (
    CalibratedClassifierCV(LinearSVC()),
    StackingClassifier([("a", LinearSVC()), ("b", LogisticRegression())]),
    BaggingClassifier(LogisticRegression(), 3, random_state=0),
):
    print(type(model).__name__, round(model.fit(X, y).score(X, y), 1))
""",
    "importance_and_boundary": """
import matplotlib
matplotlib.use("Agg")
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.svm import SVC
X, y = make_moons(100, noise=0.1, random_state=0)
model = SVC(gamma=2).fit(X, y)
print(permutation_importance(model, X, y, random_state=0, n_repeats=3).importances.shape)
print(DecisionBoundaryDisplay.from_estimator(model, X, grid_resolution=20).response.shape)
""",
    "pickle_joblib_clone": """
import io, pickle, joblib
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
model = LogisticRegression(C=3.0, max_iter=500).fit(X, y)
file = io.BytesIO()
joblib.dump(model, file)
file.seek(0)
for other in (pickle.loads(pickle.dumps(model)), joblib.load(file), clone(model).fit(X, y)):
    print((other.predict(X) == model.predict(X)).all(), other.C, "<" in other._repr_html_())
""",
    "metadata_routing": """
import numpy as np, sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
sklearn.set_config(enable_metadata_routing=True)
rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3))
y = (X[:, 0] > 0).astype(int)
model = make_pipeline(
    StandardScaler().set_fit_request(sample_weight=False),
    LogisticRegression().set_fit_request(sample_weight=True).set_score_request(sample_weight=True),
)
found = cross_validate(model, X, y, params={"sample_weight": np.ones(80)})
print(found["test_score"].round(1).tolist())
""",
    "cached_pipeline": """
import sys, tempfile
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
X, y = load_iris(return_X_y=True)
with tempfile.TemporaryDirectory() as folder:
    model = make_pipeline(PCA(3), LogisticRegression(max_iter=500), memory=folder)
    print(model.fit(X, y).score(X, y) > 0.9, model.fit(X, y).score(X, y) > 0.9, sys.argv[1:])
""",
}


def run(path, *options):
    source = str(Path(kiso.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, *options, str(path), "given", "--to=it"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_says_the_same_both_ways(name, tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPTS[name])
    assert run(path, "-m", "kiso.patch") == run(path)


def test_a_script_gets_kisos_classes(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("from sklearn.svm import SVC\nimport beside\nprint(SVC.__module__)")
    (tmp_path / "beside.py").write_text("")
    assert run(path, "-m", "kiso.patch").startswith("kiso.svm")
    assert run(path).startswith("sklearn.svm")


def test_a_missing_script_is_named():
    command = [sys.executable, "-m", "kiso.patch", "absent.py"]
    environment = {**os.environ, "PYTHONPATH": str(Path(kiso.__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "absent.py" in done.stderr


def test_all_estimators():
    everything = dict(kiso.all_estimators())
    assert {"SVC", "KMeans", "RandomForestClassifier", "PCA", "MLPClassifier"} <= set(everything)
    assert list(everything) == sorted(everything)
    classifiers = dict(kiso.all_estimators("classifier"))
    assert "SVC" in classifiers
    assert "SVR" not in classifiers
    both = kiso.all_estimators(["classifier", "regressor"])
    assert {"SVC", "SVR"} <= {name for name, _ in both}
    with pytest.raises(ValueError, match="'vehicle'"):
        kiso.all_estimators("vehicle")
