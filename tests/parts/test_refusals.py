"""What does not fit is refused by name, and the partition is named."""

import dask
import dask.array as da
import dask.bag
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask import delayed

from kiso.linear_model import LinearRegression, LocallyWeightedRegression
from kiso.svm import SVC
from kiso.tree import DecisionTreeClassifier


def blocks(*parts, dtype=np.float64, width=3):
    return da.concatenate(
        [da.from_delayed(delayed(p), (np.nan, *p.shape[1:]), dtype) for p in parts],
        allow_unknown_chunksizes=True,
    )


@pytest.fixture
def good():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(20, 3)) for _ in range(4)]


def targets(parts):
    return blocks(*[p.sum(axis=1) for p in parts])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite(good, bad):
    good[2][7, 1] = bad
    y = blocks(*[np.ones(20)] * 4)
    with pytest.raises(ValueError, match=r"partition 2: X contains (NaN|infinity) in column 1"):
        LinearRegression().fit(blocks(*good), y)


def test_bad_targets_and_weights(good):
    X = blocks(*good)
    y = [p.sum(axis=1) for p in good]
    y[1][0] = np.nan
    with pytest.raises(ValueError, match="partition 1: y contains NaN"):
        LinearRegression().fit(X, blocks(*y))
    w = [np.ones(20) for _ in good]
    w[3][5] = -1
    with pytest.raises(ValueError, match="partition 3: sample_weight contains negative"):
        LinearRegression().fit(X, targets(good), sample_weight=blocks(*w))
    w[3][5] = 1
    for part in w:
        part[:] = 0
    with pytest.raises(ValueError, match="sample_weight"):
        LinearRegression().fit(X, targets(good), sample_weight=blocks(*w))


def test_other_dtype(good):
    y = targets(good)
    good[1] = good[1].astype(np.float32)
    with pytest.raises(ValueError, match="partition 1 has dtype float32; expected float64"):
        LinearRegression().fit(blocks(*good), y)


def test_lengths_differ(good):
    y = [p.sum(axis=1) for p in good]
    y[3] = y[3][:-2]
    with pytest.raises(ValueError, match="partition 3: X has 20 rows, y has 18"):
        LinearRegression().fit(blocks(*good), blocks(*y))


def test_other_column_order(good):
    tables = [pd.DataFrame(p, columns=["a", "b", "c"]) for p in good]
    tables[2] = tables[2][["b", "a", "c"]]
    meta = tables[0].iloc[:0]
    ddf = dd.from_delayed([delayed(t) for t in tables], meta=meta, verify_meta=False)
    y = dd.from_delayed([delayed(t.sum(axis=1)) for t in tables], meta=pd.Series(dtype=float))
    with pytest.raises(ValueError, match=r"partition 2 has the columns \['b', 'a', 'c'\]"):
        LinearRegression().fit(ddf, y)


def test_columns_that_are_not_numbers():
    table = pd.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"], "y": [0.0, 1.0]})
    ddf = dd.from_pandas(table, npartitions=1)
    with pytest.raises(TypeError, match="column 'kind' has dtype"):
        LinearRegression().fit(ddf[["a", "kind"]], ddf.y)


def test_zero_rows_are_fine(good):
    y = targets([*good, good[0][:0]])
    X = blocks(*good, good[0][:0])
    expected = LinearRegression().fit(np.concatenate(good), np.concatenate(good).sum(axis=1))
    np.testing.assert_allclose(LinearRegression().fit(X, y).coef_, expected.coef_, rtol=1e-10)
    assert len(expected.predict(X).compute()) == 80
    empty = blocks(good[0][:0], good[0][:0])
    with pytest.raises(ValueError, match="no rows"):
        LinearRegression().fit(empty, targets([good[0][:0]] * 2))


def test_other_kinds_of_collections(good):
    X = blocks(*good)
    with pytest.raises(ValueError, match="4"):
        LinearRegression().fit(X, blocks(*[p.sum(axis=1) for p in good[:3]]))
    with pytest.raises(TypeError, match="bag|Bag"):
        LinearRegression().fit(dask.bag.from_sequence([1, 2]), targets(good))
    with pytest.raises(TypeError, match="sizes of the partitions of X are unknown"):
        LinearRegression().fit(X, np.zeros(80))
    with pytest.raises(TypeError, match="X is ndarray"):
        LinearRegression().fit(np.concatenate(good), targets(good))
    with pytest.raises(ValueError, match="dimensions"):
        LinearRegression().fit(X[:, 0], targets(good))
    with pytest.raises(ValueError, match="requires y"):
        LinearRegression().fit(X, None)


@pytest.mark.parametrize(
    ("model", "way"),
    [
        (SVC(), "LinearSVC"),
        (DecisionTreeClassifier(), "sample"),
        (LocallyWeightedRegression(), "sample"),
    ],
    ids=str,
)
def test_what_does_not_sum_is_refused_with_a_way_out(good, model, way):
    with pytest.raises(TypeError, match=f"{type(model).__name__} does not fit.*{way}"):
        model.fit(blocks(*good), targets(good))


def test_any_fitted_estimator_predicts_by_part(good):
    X = np.concatenate(good)
    y = np.where(X[:, 0] > 0, "yes", "no")
    for model in (SVC(), DecisionTreeClassifier()):
        model.fit(X, y)
        found = model.predict(blocks(*good))
        assert isinstance(found, da.Array)
        np.testing.assert_array_equal(found.compute(), model.predict(X))
        expected = model.score(X, y)
        assert model.score(blocks(*good), blocks(*np.split(y, 4), dtype=y.dtype)) == expected
