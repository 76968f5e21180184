"""Sparse targets, radii that are no numbers, and metrics in model files."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from kiso.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors
from kiso.persistence._trusted import KISO_TYPES

rng = np.random.default_rng(0)
X, Q = rng.standard_normal((80, 2)), rng.standard_normal((7, 2))


@pytest.mark.parametrize("kind", [KNeighborsClassifier, KNeighborsRegressor])
def test_sparse_targets_are_read_whole(kind):
    y = (X > 0.5).astype(int)
    dense = kind().fit(X, y).predict(Q)
    assert_array_equal(kind().fit(X, sparse.csr_array(y)).predict(Q), dense)


@pytest.mark.parametrize("radius", ["wide", np.nan, -1.0, np.full(7, -1.0)])
def test_radii_that_are_no_distances_are_refused_by_value(radius):
    with pytest.raises(ValueError, match="radius="):
        NearestNeighbors().fit(X).radius_neighbors(Q, radius)


@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("seuclidean", {}),
        ("mahalanobis", {}),
        ("cosine", {}),
        ("haversine", {}),
        ("jaccard", {}),
        ("canberra", {"w": [1.0, 2.0]}),
    ],
)
def test_model_files_may_hold_every_named_metric(metric, params):
    rows = X > 0 if metric == "jaccard" else X
    resolved = NearestNeighbors(metric=metric, metric_params=params).fit(rows)._metric
    for part in (resolved, resolved.row_map, resolved.pairs):
        if part is not None:
            assert f"{type(part).__module__}.{type(part).__qualname__}" in KISO_TYPES
