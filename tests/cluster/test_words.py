"""What k-means says: errors, warnings and logs, and where they point."""

import logging
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from kiso.cluster import KMeans, MiniBatchKMeans, choose_k, kmeans_plusplus


def rows(n=60, d=3, scale=1.0, dtype=np.float64):
    return (np.random.default_rng(0).standard_normal((n, d)) * scale).astype(dtype)


@pytest.mark.parametrize("d", [3, 20])  # distances by subtraction, and by products
@pytest.mark.parametrize(("scale", "dtype"), [(1e19, np.float32), (1e154, np.float64)])
def test_squares_that_overflow_are_refused(scale, dtype, d):
    X = rows(d=d, scale=scale, dtype=dtype)
    fitted = KMeans(2, random_state=0).fit(X / np.asarray(scale, dtype))
    for call in (
        KMeans(2, random_state=0).fit,
        MiniBatchKMeans(2, random_state=0).fit,
        lambda X: kmeans_plusplus(X, 2, random_state=0),
        fitted.score,
        fitted.transform,
    ):
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="squares of X overflow"):
            call(X)


def test_large_and_small_units_change_nothing():
    for dtype, scales in ((np.float32, (2.0**55, 2.0**-60)), (np.float64, (2.0**490, 2.0**-490))):
        X = rows(dtype=dtype)
        labels = KMeans(3, init=X[:3]).fit(X).labels_
        for scale in scales:
            Y = X * dtype(scale)
            assert (KMeans(3, init=Y[:3]).fit(Y).labels_ == labels).all()


def test_warnings_point_at_the_caller():
    for model, X in ((KMeans(3), np.ones((9, 2))), (MiniBatchKMeans(2, max_iter=1), rows())):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.set_params(random_state=0).fit(X)
        assert [w.category for w in caught] == [ConvergenceWarning]
        assert caught[0].filename == __file__


def test_a_mini_batch_fit_without_a_rule_to_stop_by_warns_of_nothing():
    MiniBatchKMeans(2, max_iter=1, max_no_improvement=None, random_state=0).fit(rows())
    with pytest.warns(ConvergenceWarning, match="1 batches"):
        MiniBatchKMeans(2, max_iter=1, random_state=0).fit(rows())


def test_a_sample_too_small_for_the_seeds_is_said():
    with pytest.warns(RuntimeWarning, match="init_size=2 should be larger than n_clusters=4"):
        MiniBatchKMeans(4, init_size=2, random_state=0).fit(rows())


@pytest.mark.parametrize("model", [KMeans(3), MiniBatchKMeans(3)])
@pytest.mark.parametrize("verbose", [0, 1])
def test_verbose_prints_and_the_log_has_it_anyway(model, verbose, caplog, capsys):
    caplog.set_level(logging.DEBUG, "kiso")
    model.set_params(verbose=verbose, random_state=0).fit(rows())
    lines = capsys.readouterr().out.splitlines()
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert lines == ([record.getMessage() for record in caplog.records] if verbose else [])


@pytest.mark.parametrize(("scale", "dtype"), [(1e-25, np.float32), (1e-160, np.float64)])
def test_squares_that_underflow_are_refused(scale, dtype):
    with pytest.raises(ValueError, match="squares of X underflow"):
        KMeans(2, random_state=0).fit(rows(dtype=np.float64).astype(dtype) * dtype(scale))


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"x_squared_norms of shape \(3,\).*n_samples=60"):
        kmeans_plusplus(rows(), 2, x_squared_norms=np.ones(3))
    for name, value in (("n_init", 0), ("n_references", 0), ("silhouette_rows", 1.5)):
        with pytest.raises(ValueError, match=f"{name}={value}"):
            choose_k(rows(), [1, 2], **{name: value})
