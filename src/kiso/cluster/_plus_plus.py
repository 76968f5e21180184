"""The seeds of k-means as a function."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._param_validation import validate_params

from kiso._gate import check_array, check_sample_weight
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Integral,
    Interval,
    RandomState,
    check_generator,
)

from ._rows import Rows
from ._seeding import last_seeds, plus_plus

__all__ = ["kmeans_plusplus"]


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "sample_weight": ["array-like", None],
        "x_squared_norms": ["array-like", None],
        "random_state": RANDOM_STATE,
        "n_local_trials": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def kmeans_plusplus(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    x_squared_norms: Any = None,
    random_state: RandomState = None,
    n_local_trials: int | None = None,
) -> tuple[Array, Array]:
    """Choose initial centres by k-means++.

    The first centre is a row drawn by its weight; each further one is drawn with
    probability w_i D_i² / Σ w D², D_i the distance to the nearest centre so far.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        The rows to choose from.
    n_clusters : int
        How many.
    sample_weight : array-like of shape (n_samples,), optional
        Weights w_i ≥ 0.
    x_squared_norms : array-like of shape (n_samples,), optional
        Without effect: they are computed in the pass that needs them.
    random_state : int, RandomState, Generator or None, default=None
        Gives the draws.
    n_local_trials : int or None, default=None
        Candidates drawn for each centre, of which the one that leaves the smallest Σ w D²
        is kept. None: 2 + ⌊ln k⌋; 1: k-means++ as published.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
    indices : ndarray of shape (n_clusters,)
        `centers` is `X[indices]`.

    Raises
    ------
    ValueError
        If there are fewer samples than clusters, or the input is not valid.

    References
    ----------
    Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.cluster import kmeans_plusplus
    >>> X = np.array([[0.0], [1.0], [100.0]])
    >>> centers, indices = kmeans_plusplus(X, 2, random_state=0)
    >>> bool(centers.max() == 100)
    True
    """
    X = check_array(X, accept_sparse="csr", dtype=FLOATS, order="C", accept_large_sparse=False)
    if X.shape[0] < n_clusters:
        raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={n_clusters}.")
    if x_squared_norms is not None and np.shape(x_squared_norms) != (X.shape[0],):
        raise ValueError(
            f"x_squared_norms of shape {np.shape(x_squared_norms)}: give one number for each of "
            f"the n_samples={X.shape[0]} rows"
        )
    weight = None
    if sample_weight is not None:
        weight = check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
    rng = check_generator(random_state)
    seeds = last_seeds(plus_plus(Rows(X, weight), n_clusters, rng, n_local_trials))
    return seeds.centers, seeds.indices
