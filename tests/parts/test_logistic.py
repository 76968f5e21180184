"""Logistic regression of rows in parts takes the steps of the fit of all rows."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from kiso.linear_model import LogisticRegression

CHUNKS = (4000, 1, 2999, 8000, 5000)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    n = sum(CHUNKS)
    X = rng.normal(size=(n, 6))
    scores = X @ rng.normal(size=(6, 3)) + rng.gumbel(size=(n, 3))
    y = np.array(["ash", "birch", "oak"])[scores.argmax(axis=1)]
    return X, y, rng.random(n)


def parted(*arrays):
    return [da.from_array(a, chunks=(CHUNKS, *a.shape[1:])) for a in arrays]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "newton-cholesky", "C": np.inf},
        {"solver": "lbfgs", "C": 0.01},
        {"class_weight": "balanced", "fit_intercept": False},
        {"class_weight": {"ash": 2.0, "oak": 0.5, "birch": 1.0}},
        {"l1_ratio": 0.5, "C": 0.01},
    ],
    ids=str,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_same_steps_as_on_all_rows(data, settings, n_classes):
    X, y, w = data
    if n_classes == 2:
        y = np.where(y == "birch", "ash", y)
        if isinstance(settings.get("class_weight"), dict):
            settings = {"class_weight": {"ash": 2.0, "oak": 0.5}}
    dX, dy, dw = parted(X, y, w)
    one = LogisticRegression(tol=1e-7, **settings).fit(X, y, sample_weight=w)
    parts = LogisticRegression(tol=1e-7, **settings).fit(dX, dy, sample_weight=dw)
    np.testing.assert_array_equal(parts.classes_, one.classes_)
    np.testing.assert_array_equal(parts.n_iter_, one.n_iter_)
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(parts.objective_path_, one.objective_path_, rtol=1e-10)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        lazy = getattr(parts, name)(dX)
        assert isinstance(lazy, da.Array)
        expected = getattr(parts, name)(X)
        if name == "predict":
            np.testing.assert_array_equal(lazy.compute(), expected)
        else:
            np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-10)
    assert parts.score(dX, dy) == pytest.approx(one.score(X, y), abs=1e-12)


def test_tables_sparse_rows_and_float32(data):
    X, y, _ = data
    table = pd.DataFrame(X, columns=list("abcdef")).assign(kind=y)
    ddf = dd.from_pandas(table, npartitions=4)
    one = LogisticRegression(tol=1e-7).fit(X, y)
    parts = LogisticRegression(tol=1e-7).fit(ddf[list("abcdef")], ddf.kind)
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=1e-8)
    found = parts.predict_proba(ddf[list("abcdef")]).compute()
    assert list(found.columns) == ["ash", "birch", "oak"]
    assert list(parts.feature_names_in_) == list("abcdef")

    thin = np.where(np.abs(X) < 1, 0, X)
    dX, dy = parted(thin, y)
    one = LogisticRegression(tol=1e-7).fit(sp.csr_matrix(thin), y)
    parts = LogisticRegression(tol=1e-7).fit(dX.map_blocks(sp.csr_matrix), dy)
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=1e-9)

    dX = dX.astype(np.float32)
    parts = LogisticRegression().fit(dX, dy)
    assert parts.coef_.dtype == np.float32
    one = LogisticRegression().fit(thin.astype(np.float32), y)
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=1e-4, atol=1e-5)


def test_steps_stop_and_go_on(data):
    X, y, _ = data
    dX, dy = parted(X, y)
    model = LogisticRegression(tol=1e-7, warm_start=True)
    path = []
    for state in model.steps(dX, dy):
        path.append(state.objective)
        if state.n_iter == 3:
            break
    assert path == sorted(path, reverse=True)
    model.fit(dX, dy)
    assert model.objective_path_[0] < path[-1]
    expected = LogisticRegression(tol=1e-7).fit(X, y).coef_
    np.testing.assert_allclose(model.coef_, expected, atol=1e-5)


def test_bad_labels_are_named(data):
    X, y, _ = data
    dX, _ = parted(X, y)
    with pytest.raises(ValueError, match="y holds numbers with fractions"):
        LogisticRegression().fit(dX, dX[:, 0])
    with pytest.raises(ValueError, match="one class"):
        LogisticRegression().fit(dX, (dX[:, 0] > 100).astype(int))
    mixed = np.array(y, dtype=object)
    mixed[-1] = None
    with pytest.raises(ValueError, match="partition 4: y holds labels that are missing"):
        LogisticRegression().fit(dX, parted(mixed)[0])


def test_same_bits_on_a_cluster(data, client):
    dX, dy = parted(*data[:2])
    on_cluster = LogisticRegression().fit(dX, dy)
    with dask.config.set(scheduler="synchronous"):
        alone = LogisticRegression().fit(dX, dy)
    np.testing.assert_array_equal(on_cluster.coef_, alone.coef_)
    np.testing.assert_array_equal(on_cluster.objective_path_, alone.objective_path_)
