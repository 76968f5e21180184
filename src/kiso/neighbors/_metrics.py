"""What the names of metrics mean: a reduced distance, and how it becomes the distance.

    euclidean  √Σ(q − x)²        manhattan  Σ|q − x|      chebyshev  max|q − x|
    minkowski  (Σ|q − x|ᵖ)^(1/p)  hamming  share of features that differ
    cosine     1 − q·x/(‖q‖‖x‖) = ‖q̂ − x̂‖²/2 of the rows scaled to length one

With weights w, minkowski is that of features scaled by w^(1/p). So cosine and weighted
metrics are a map of the rows and one of the five loops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import pairwise_distances

from kiso._validation import Array

from ._metric_loops import CHEBYSHEV, EUCLIDEAN, HAMMING, MANHATTAN, MINKOWSKI

__all__ = ["METRICS", "Metric", "is_sparse", "resolve_metric"]

_CODES = {
    "chebyshev": CHEBYSHEV,
    "cosine": EUCLIDEAN,
    "euclidean": EUCLIDEAN,
    "hamming": HAMMING,
    "manhattan": MANHATTAN,
    "minkowski": MINKOWSKI,
    "sqeuclidean": EUCLIDEAN,
}
_ALIASES = {
    "cityblock": "manhattan",
    "infinity": "chebyshev",
    "l1": "manhattan",
    "l2": "euclidean",
    "p": "minkowski",
}
METRICS = sorted([*_CODES, *_ALIASES, "precomputed"])


@dataclass(frozen=True)
class Metric:
    """A metric, resolved.

    Attributes
    ----------
    name : str
        After aliases and special cases of p; "precomputed", or "callable".
    code : int
        Which reduced distance the loops compute (−1: none).
    p : float
    scale : ndarray of shape (n_features,), optional
        What features are multiplied by first.
    function : callable, optional
        `function(q, x, **params) -> float`.
    params : dict
        What the metric is given besides the rows, as `effective_metric_params_` has it.
    """

    name: str
    code: int = -1
    p: float = 2.0
    scale: Array | None = None
    function: Callable[..., float] | None = None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def is_norm(self) -> bool:
        """Whether a box bounds it from below and the features alone define it: trees apply."""
        named = self.name in {"euclidean", "manhattan", "chebyshev", "sqeuclidean"}
        return self.scale is None and (named or (self.name == "minkowski" and self.p >= 1))

    def pairs(self, Q: Any, X: Any) -> Array:
        """Distances of a block by the function that was given, which has to return numbers."""

        def number(q: Any, x: Any) -> float:
            value = self.function(q, x, **self.params)  # type: ignore[misc]
            try:
                distance = float(value)
            except (TypeError, ValueError):
                distance = np.nan
            if np.isnan(distance):
                raise ValueError(
                    f"metric={self.function!r}: a metric takes two rows and gives one number; "
                    f"it gave {value!r}"
                )
            return distance

        return np.asarray(pairwise_distances(Q, X, metric=number))

    def mapped(self, X: Any, *, queries: bool) -> Any:
        """Map rows to where the reduced distance is; the rows themselves for most metrics.

        A row of zeros has no direction: it gets cosine distance 1 to everything, as two more
        features, different ones for queries and for the rows they are compared with.
        """
        if self.scale is not None:
            scale = self.scale.astype(X.dtype, copy=False)
            return X.multiply(scale).tocsr() if is_sparse(X) else X * scale
        if self.name != "cosine":
            return X
        unit, zero = _unit(X)
        flags = np.zeros((unit.shape[0], 2), unit.dtype)
        flags[:, int(queries)] = zero
        if is_sparse(unit):
            return sparse.hstack([unit, sparse.csr_array(flags)], format="csr")
        return np.hstack([unit, flags])

    def directionless(self, Q: Any) -> Array:
        """Give the mapped queries that have cosine distance 1 to every row: those of zeros."""
        if self.name != "cosine":
            return np.empty(0, np.intp)
        flags = Q[:, [-1]].toarray() if is_sparse(Q) else Q[:, -1]
        return np.flatnonzero(flags)

    def distance(self, reduced: Array) -> Array:
        """The distance of each reduced distance."""
        if self.name == "euclidean":
            return np.sqrt(reduced)
        if self.name == "cosine":
            return 0.5 * reduced
        if self.name == "minkowski":
            return reduced ** (1.0 / self.p)
        if self.name == "hamming":
            return reduced / self.params["n_features"]
        return reduced

    def reduced(self, distance: float) -> float:
        """The reduced distance of a distance."""
        if self.name == "euclidean":
            return distance * distance
        if self.name == "cosine":  # right angles come as 1 ± 2e-16
            return 2.0 * distance * (1 + 1e-12)
        if self.name == "minkowski":
            return float(distance**self.p)
        if self.name == "hamming":  # a count: 0.3 · 10 is 3.0000000000000004 or 2.9999…
            return float(np.floor(distance * self.params["n_features"] * (1 + 1e-12)))
        return distance


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array."""
    return bool(sparse.issparse(X))


def _unit(X: Any) -> tuple[Any, Array]:
    """Give rows of length one, and which rows are zero and stay so.

    First divided by the largest value, so that squares neither overflow nor vanish. (What
    scikit-learn's `normalize` divides by is 1 below ten roundoffs.)
    """
    largest = abs(X).max(axis=1)
    largest = (largest.toarray() if is_sparse(largest) else largest).ravel()
    zero = largest == 0
    scaled = _divided(X, np.where(zero, 1, largest))
    squares = scaled.multiply(scaled) if is_sparse(X) else scaled**2
    lengths = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
    return _divided(scaled, np.where(zero, 1, lengths)), zero


def _divided(X: Any, by: Array) -> Any:
    """Divide each row, dense or CSR, by a number of its own."""
    by = by.astype(X.dtype, copy=False)
    if not is_sparse(X):
        return X / by[:, None]
    each = np.repeat(by, np.diff(X.indptr))
    return type(X)((X.data / each, X.indices, X.indptr), shape=X.shape)


def resolve_metric(metric: Any, p: float | None, params: Any, n_features: int) -> Metric:
    """Resolve the estimators' `metric`, `p` and `metric_params`.

    Raises
    ------
    ValueError
        If the metric is none of those known, or its parameters are not its.
    """
    given = dict(params or {})
    if callable(metric):
        return Metric("callable", function=metric, params=given)
    name = _ALIASES.get(metric, metric)
    if name == "precomputed":
        _refuse(given, (), metric)
        return Metric("precomputed")
    if name not in _CODES:
        raise ValueError(f"metric={metric!r}: give a callable or one of {', '.join(METRICS)}")
    if name != "minkowski":
        _refuse(given, (), metric)
        size = {"n_features": n_features} if name == "hamming" else {}
        return Metric(name, _CODES[name], params=size)
    _refuse(given, ("p", "w"), metric)
    power = given.get("p", 2.0 if p is None else p)
    if not power > 0:
        raise ValueError(f"p={power!r}: a Minkowski distance needs p > 0")
    scale = None
    if given.get("w") is not None:
        scale = _feature_scale(given["w"], float(power), n_features)
    name = {1.0: "manhattan", 2.0: "euclidean", np.inf: "chebyshev"}.get(float(power), name)
    kept = {"p": power, "w": given.get("w")} if name == "minkowski" or scale is not None else {}
    return Metric(name, _CODES[name], float(power), scale, params=kept)


def _feature_scale(w: Any, p: float, n_features: int) -> Array:
    weights = np.asarray(w, dtype=np.float64)
    if weights.shape != (n_features,) or not (weights >= 0).all() or np.isinf(weights).any():
        raise ValueError(
            f"metric_params['w'] of shape {weights.shape}: give a finite weight of at least 0 "
            f"for each of the {n_features} features"
        )
    if np.isinf(p):
        return np.where(weights > 0, 1.0, 0.0)  # SciPy's limit: weights only choose features
    root: Array = weights ** (1.0 / p)
    return root


def _refuse(given: Mapping[str, Any], known: tuple[str, ...], metric: Any) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        allowed = f"only {' and '.join(known)}" if known else "none"
        raise ValueError(f"metric_params={unknown}: metric={metric!r} takes {allowed}")
