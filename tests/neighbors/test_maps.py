"""Rows on disk: neither loaded nor copied nor converted whole, and the same neighbours."""

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from kiso._compute import costs
from kiso.neighbors import (
    KNeighborsRegressor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    _rows,
)


def on_disk(path, X, order="C"):
    mapped = np.lib.format.open_memmap(
        path / "rows.npy", "w+", X.dtype, X.shape, fortran_order=order == "F"
    )
    mapped[:] = X
    mapped.flush()
    return np.load(path / "rows.npy", mmap_mode="r")


def peak_bytes(work):
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


CASES = [
    (8, "float32", "C", {}),
    (8, "float64", "F", {}),
    (64, "float32", "C", {}),
    (64, "float16", "C", {}),
    (64, "float32", "F", {"metric": "cosine"}),
    (64, "int16", "C", {"metric_params": {"w": np.arange(64.0)}}),
    (8, "float64", "C", {"metric": "manhattan"}),
]


@pytest.mark.jit
@pytest.mark.parametrize(("d", "dtype", "order", "settings"), CASES)
def test_a_map_is_searched_by_block(tmp_path, d, dtype, order, settings):
    n = 3_000_000 // d
    X = (9 * np.random.default_rng(d).standard_normal((n, d)) + 5).astype(dtype)
    X[5] = X[3]
    mapped = on_disk(tmp_path, X, order)
    Q = X[:20].astype(np.float32 if dtype == "float32" else float)

    def work():
        model = NearestNeighbors(n_neighbors=3, **settings).fit(mapped)
        return model, model.kneighbors(Q), model.radius_neighbors(Q, 1e-3)[1]

    work()  # compiled
    (model, found, near), peak = peak_bytes(work)
    assert peak < 6_000_000, "the rows as floats are 12 to 24 MB"
    assert model._fit_method == "brute"
    assert np.shares_memory(model._fit_X.source, mapped)
    expected = NearestNeighbors(n_neighbors=3, algorithm="brute", **settings).fit(X).kneighbors(Q)
    assert_array_equal(found[1], expected[1])
    assert_array_equal(found[0], expected[0])
    assert found[0].dtype == expected[0].dtype
    assert {3, 5} <= set(near[3])


def test_queries_on_disk_and_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(costs, "BRUTE_CHUNK_QUERIES", 40)
    X = np.random.default_rng(0).integers(0, 5, (130, 3)).astype(np.float16)
    mapped = on_disk(tmp_path, X)
    y = X.sum(axis=1)
    for algorithm in ("auto", "brute", "kd_tree"):
        for rows in (X.astype(float), mapped):
            model = NearestNeighbors(n_neighbors=4, algorithm=algorithm).fit(rows)
            plain = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(X.astype(float))
            for queries in (None, mapped):
                own = None if queries is None else X
                got, want = model.kneighbors(queries), plain.kneighbors(own)
                assert_array_equal(got[1], want[1])
                assert_array_equal(got[0], want[0])
                got, want = (
                    m.radius_neighbors_graph(q, 1.5) for m, q in ((model, queries), (plain, own))
                )
                assert_array_equal(got.toarray(), want.toarray())
    regressor = KNeighborsRegressor(3).fit(mapped, y)
    assert_allclose(regressor.predict(mapped), KNeighborsRegressor(3).fit(X, y).predict(X))
    assert_allclose(pickle.loads(pickle.dumps(regressor)).predict(X), regressor.predict(X))
    votes = [RadiusNeighborsClassifier().fit(rows, y > 5).predict(X) for rows in (mapped, X)]
    assert_array_equal(*votes)


def test_what_takes_much_of_memory_is_not_copied(monkeypatch):
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((600, 2)))
    expected = NearestNeighbors().fit(X).kneighbors(X)
    monkeypatch.setattr(_rows, "_memory", lambda: 8.0 * X.size)
    model = NearestNeighbors().fit(X)
    assert model._fit_X.source is X
    assert_array_equal(model.kneighbors(X)[1], expected[1])


def test_a_map_is_refused_as_an_array_is(tmp_path):
    X = np.ones((40, 2))
    X[33, 1] = np.nan
    mapped = on_disk(tmp_path, X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        NearestNeighbors().fit(mapped)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        KNeighborsRegressor().fit(mapped[:20], np.ones(5))
    with pytest.raises(ValueError, match="requires y to be passed"):
        KNeighborsRegressor().fit(mapped[:20], None)
    model = NearestNeighbors().fit(mapped[:20])
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.kneighbors(on_disk(tmp_path, np.ones((3, 4))))
