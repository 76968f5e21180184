"""A ReLU network that takes any labels at n points (Zhang et al., 2017, theorem 1).

f(x) = Σ_j w_j max(aᵀx − b_j, 0),   a ∈ ℝᵈ,  b, w ∈ ℝⁿ:  2n + d numbers.

With z_i = aᵀx_i sorted and b_1 < z_1 ≤ b_2 < z_2 ≤ …, the matrix max(z_i − b_j, 0) is lower
triangular with a positive diagonal. b_j = z_{j−1} makes f the broken line through the labels:
w is the change of slope, and nothing needs to be solved.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array, RandomState, check_generator
from kiso.nn import Affine, Network, ReLU

__all__ = ["relu_interpolant"]

_DIRECTIONS = 64  # tried; the one with the widest smallest gap is kept


def relu_interpolant(X: ArrayLike, y: ArrayLike, *, random_state: RandomState = None) -> Network:
    """Construct a network d → n → 1 with f(x_i) = y_i.

    All n units share the direction a, so 2n + d of its numbers are free.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Rows must differ.
    y : array-like of shape (n,)
        Any numbers.
    random_state : int, Generator, RandomState or None, default=None
        Draws the direction a.

    Raises
    ------
    ValueError
        If the shapes do not fit, a value is not finite, or two rows are the same.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(50, 3)), rng.integers(0, 2, size=50)
    >>> network = relu_interpolant(X, y, random_state=0)
    >>> network
    Network(Affine(3 → 50), ReLU(), Affine(50 → 1))
    >>> bool(np.max(np.abs(network(X)[:, 0] - y)) < 1e-9)
    True
    """
    X, y = np.asarray(X, float), np.asarray(y, float)
    if X.ndim != 2 or not X.size or y.shape != (len(X),):
        raise ValueError(f"X of shape {X.shape}, y of shape {y.shape}: give (n, d) and (n,)")
    if not (np.all(np.isfinite(X)) and np.all(np.isfinite(y))):
        raise ValueError("X and y: give finite numbers")
    a = _direction(X, check_generator(random_state))
    z = X @ a
    order = np.argsort(z)
    z, labels = z[order], y[order]
    b = np.concatenate([[z[0] - 1], z[:-1]])
    slopes = np.diff(labels, prepend=0.0) / (z - b)
    w = np.diff(slopes, prepend=0.0)
    return Network([Affine(np.outer(a, np.ones(len(z))), -b), ReLU(), Affine(w[:, None],
                   np.zeros(1))])  # fmt: skip


def _direction(X: Array, rng: np.random.Generator) -> Array:
    """Return a unit vector a whose smallest gap between the values aᵀx_i is widest."""
    tried = rng.standard_normal((_DIRECTIONS, X.shape[1]))
    tried /= np.linalg.norm(tried, axis=1, keepdims=True)
    if len(X) == 1:
        return tried[0]
    gaps = np.diff(np.sort(X @ tried.T, axis=0), axis=0).min(axis=0)
    best = int(np.argmax(gaps))
    if gaps[best] <= 0:
        raise ValueError("X: two rows are the same (or nearly so); no function can tell them apart")
    return tried[best]
