"""What the names of metrics mean: a reduced distance, and how it becomes the distance.

    euclidean  √Σ(q − x)²        manhattan  Σ|q − x|      chebyshev  max|q − x|
    minkowski  (Σ|q − x|ᵖ)^(1/p)  hamming  share of features that differ
    canberra   Σ|q − x|/(|q| + |x|)       braycurtis  Σ|q − x| / Σ(|q| + |x|)
    nan_euclidean  √(d/m Σ(q − x)²) over the m features of d that neither lacks

All others are a map of the rows (`_maps`) and one of these, or distances of pairs (`_pairs`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kiso._validation import Array

from ._maps import Binary, OnSphere, RowMap, Scaled, Unit, Whitened, is_sparse
from ._metric_loops import (
    BRAYCURTIS,
    CANBERRA,
    CHEBYSHEV,
    EUCLIDEAN,
    HAMMING,
    MANHATTAN,
    MINKOWSKI,
    NAN_EUCLIDEAN,
)
from ._pairs import BOOLEAN, Counted, FromFunction, FromObject, FromSciPy, object_name

__all__ = ["METRICS", "Metric", "resolve_metric"]

_CODES = {
    "braycurtis": BRAYCURTIS,
    "canberra": CANBERRA,
    "chebyshev": CHEBYSHEV,
    "correlation": EUCLIDEAN,
    "cosine": EUCLIDEAN,
    "euclidean": EUCLIDEAN,
    "hamming": HAMMING,
    "haversine": EUCLIDEAN,
    "mahalanobis": EUCLIDEAN,
    "manhattan": MANHATTAN,
    "minkowski": MINKOWSKI,
    "nan_euclidean": NAN_EUCLIDEAN,
    "seuclidean": EUCLIDEAN,
    "sqeuclidean": EUCLIDEAN,
}
_ALIASES = {
    "cityblock": "manhattan",
    "infinity": "chebyshev",
    "l1": "manhattan",
    "l2": "euclidean",
    "p": "minkowski",
}
METRICS = sorted([*_CODES, *_ALIASES, *BOOLEAN, "precomputed", "pyfunc"])

_ROOTS = {"euclidean", "seuclidean", "mahalanobis", "nan_euclidean"}
_MAPS: dict[str, RowMap] = {
    "cosine": Unit(),
    "correlation": Unit(centered=True),
    "haversine": OnSphere(),
}
_NORMS = {"euclidean", "manhattan", "chebyshev", "sqeuclidean", "minkowski"}
_NO_BALL = {"correlation", "cosine", "nan_euclidean", "precomputed", "yule"}
_DENSE_ONLY = {
    "braycurtis",
    "canberra",
    "correlation",
    "haversine",
    "mahalanobis",
    "nan_euclidean",
}
_SCIPY_WEIGHTS = BOOLEAN - {"sokalmichener"} | {
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
    "hamming",
}


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
    row_map : RowMap, optional
        What rows are mapped by first.
    pairs : callable, optional
        Distances of a block of queries to a block of rows, where no loop computes them.
    params : dict
        What the metric is given besides the rows, as `effective_metric_params_` has it.
    n_features : int
    """

    name: str
    code: int = -1
    p: float = 2.0
    row_map: RowMap | None = None
    pairs: Callable[[Any, Any], Array] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    n_features: int = 0

    @property
    def by_tree(self) -> bool:
        """Whether a KD-tree over the mapped rows finds the neighbours: a box bounds it."""
        if self.code == MINKOWSKI:
            return self.p >= 1
        return self.code in (EUCLIDEAN, MANHATTAN, CHEBYSHEV) and not isinstance(self.row_map, Unit)

    @property
    def kd_tree(self) -> bool:
        """Whether `algorithm="kd_tree"` takes it, as it does in scikit-learn."""
        return self.by_tree and self.name in _NORMS and self.row_map is None

    @property
    def ball_tree(self) -> bool:
        """Whether `algorithm="ball_tree"` takes it, as it does in scikit-learn."""
        return self.name not in _NO_BALL and not (self.code == MINKOWSKI and self.p < 1)

    @property
    def dense_only(self) -> bool:
        """Whether sparse rows are refused."""
        return self.name in _DENSE_ONLY or isinstance(self.pairs, FromSciPy | FromObject)

    @property
    def may_lack(self) -> bool:
        """Whether NaN in a row stands for a value that is missing."""
        return self.name == "nan_euclidean"

    def mapped(self, X: Any, *, queries: bool) -> Any:
        """Map rows to where the reduced distance is; the rows themselves for most metrics."""
        return X if self.row_map is None else self.row_map(X, queries=queries)

    def width(self, d: int) -> int:
        """Features of mapped rows."""
        return d if self.row_map is None else self.row_map.width(d)

    def dtype(self, given: Any) -> Any:
        """Type of mapped rows."""
        return given if self.row_map is None else self.row_map.dtype(given)

    def directionless(self, Q: Any) -> Array:
        """Give the mapped queries that have cosine distance 1 to every row: those of zeros."""
        if not isinstance(self.row_map, Unit):
            return np.empty(0, np.intp)
        flags = Q[:, [-1]].toarray() if is_sparse(Q) else Q[:, -1]
        return np.flatnonzero(flags)

    def distance(self, reduced: Array) -> Array:
        """The distance of each reduced distance."""
        if self.name in _ROOTS and self.pairs is None:
            found: Array = np.sqrt(reduced)
            return np.where(np.isinf(found), np.nan, found) if self.may_lack else found
        if isinstance(self.row_map, Unit):
            return 0.5 * reduced
        if self.name == "haversine":
            return 2.0 * np.arcsin(np.minimum(0.5 * np.sqrt(reduced), 1.0))
        if self.code == MINKOWSKI:
            return reduced ** (1.0 / self.p)
        if self.code == HAMMING:
            return reduced / self.n_features
        return reduced

    def reduced(self, distance: Array) -> Array:
        """The reduced distance of each distance."""
        if self.name in _ROOTS and self.pairs is None:
            return distance * distance
        if isinstance(self.row_map, Unit):  # right angles come as 1 ± 2e-16
            return 2.0 * distance * (1 + 1e-12)
        if self.name == "haversine":
            chord = 2.0 * np.sin(0.5 * np.minimum(distance, np.pi))
            return np.where(distance < np.pi, chord * chord * (1 + 1e-14), np.inf)
        if self.code == MINKOWSKI:
            return distance**self.p
        if self.code == HAMMING:  # a count: 0.3 · 10 is 3.0000000000000004 or 2.9999…
            return np.floor(distance * self.n_features * (1 + 1e-12))
        return distance


def resolve_metric(metric: Any, p: float | None, params: Any, X: Any) -> Metric:
    """Resolve the estimators' `metric`, `p` and `metric_params` for rows X.

    Raises
    ------
    ValueError
        If the metric is none of those known, or its parameters are not its.
    """
    given, n_features = dict(params or {}), X.shape[1]
    if callable(metric):
        return Metric("callable", pairs=FromFunction(metric, given), params=given)
    if not isinstance(metric, str):
        _refuse(given, (), metric)
        known = object_name(metric)
        if known is None:
            return Metric("object", pairs=FromObject(metric))
        metric = known
    name = _ALIASES.get(metric, metric)
    if name == "pyfunc":
        if not callable(given.get("func")):
            raise ValueError("metric='pyfunc' needs metric_params={'func': a function of two rows}")
        others = {key: value for key, value in given.items() if key != "func"}
        return Metric("callable", pairs=FromFunction(given["func"], others), params=given)
    if name not in _CODES and name not in BOOLEAN and name != "precomputed":
        raise ValueError(f"metric={metric!r}: give a callable or one of {', '.join(METRICS)}")
    if name == "minkowski":
        return _minkowski(given, p, metric, n_features)
    if name in _SCIPY_WEIGHTS and given.get("w") is not None:
        _refuse(given, ("w", *_also(name)), metric)
        scipy = {"manhattan": "cityblock"}.get(name, name)
        w = _weights(given["w"], n_features)
        return Metric(name, pairs=FromSciPy(scipy, {**given, "w": w}), params=given)
    if name in BOOLEAN:
        _refuse(given, _also(name), metric)
        return Metric(name, row_map=Binary(), pairs=Counted(name), params=given)
    if name == "seuclidean":
        _refuse(given, ("V",), metric)
        row_map: RowMap | None = Scaled(1.0 / np.sqrt(_variances(given.get("V"), X)))
    elif name == "mahalanobis":
        _refuse(given, ("VI", "V"), metric)
        return _mahalanobis(given, X, n_features)
    elif name == "precomputed":
        _refuse(given, (), metric)
        return Metric(name)
    else:
        _refuse(given, _also(name), metric)
        row_map = _MAPS.get(name)
    return Metric(name, _CODES[name], row_map=row_map, params=given, n_features=n_features)


def _also(name: str) -> tuple[str, ...]:
    return ("w",) if name in _SCIPY_WEIGHTS else ()


def _minkowski(given: dict[str, Any], p: float | None, metric: Any, n_features: int) -> Metric:
    _refuse(given, ("p", "w"), metric)
    power, w = given.get("p", 2.0 if p is None else p), given.get("w")
    if not power > 0:
        raise ValueError(f"p={power!r}: a Minkowski distance needs p > 0")
    row_map = None if w is None else Scaled(_feature_scale(w, float(power), n_features))
    name = {1.0: "manhattan", 2.0: "euclidean", np.inf: "chebyshev"}.get(float(power), "minkowski")
    kept = {"p": power, "w": w} if name == "minkowski" or w is not None else {}
    return Metric(name, _CODES[name], float(power), row_map, params=kept, n_features=n_features)


def _weights(w: Any, n_features: int) -> Array:
    weights = np.asarray(w, dtype=np.float64)
    if weights.shape != (n_features,) or not (weights >= 0).all() or np.isinf(weights).any():
        raise ValueError(
            f"metric_params['w'] of shape {weights.shape}: give a finite weight of at least 0 "
            f"for each of the {n_features} features"
        )
    return weights


def _feature_scale(w: Any, p: float, n_features: int) -> Array:
    weights = _weights(w, n_features)
    if np.isinf(p):
        return np.where(weights > 0, 1.0, 0.0)  # SciPy's limit: weights only choose features
    root: Array = weights ** (1.0 / p)
    return root


def _variances(V: Any, X: Any) -> Array:
    """Give V, or the variances of the rows (n − 1 in the denominator) where there is none."""
    d = X.shape[1]
    given = _moments(X)[1].diagonal() if V is None else np.asarray(V, dtype=np.float64)
    if given.shape != (d,) or not (given > 0).all() or np.isinf(given).any():
        raise ValueError(
            f"metric_params['V'] of shape {given.shape}: seuclidean needs a finite positive "
            f"variance for each of the {d} features"
            + ("; those of the rows of X are not" if V is None else "")
        )
    return given


def _mahalanobis(given: dict[str, Any], X: Any, n_features: int) -> Metric:
    """(q − x) VI (q − x)ᵀ = ‖(q − x) L‖² with LLᵀ = VI, the inverse of V.

    Without either it is the inverse covariance of the rows. A VI that has negative
    eigenvalues has no L: SciPy computes its distances one by one.
    """
    d = n_features
    center, covariance = _moments(X)
    VI, V = given.get("VI"), given.get("V")
    try:
        if VI is None:
            VI = np.linalg.inv(np.asarray(covariance if V is None else V, dtype=np.float64))
        inverse = np.asarray(VI, dtype=np.float64)
        if inverse.shape != (d, d) or not np.isfinite(inverse).all():
            raise ValueError(f"a matrix of shape {inverse.shape}, or one that is not finite")
    except (np.linalg.LinAlgError, ValueError) as error:
        raise ValueError(
            f"metric_params={sorted(given)}: mahalanobis needs VI, the inverse of a covariance "
            f"matrix of shape {(d, d)}, or V, which has one ({error})"
        ) from None
    spectrum, axes = np.linalg.eigh(0.5 * (inverse + inverse.T))
    if spectrum.min() < -1e-10 * abs(spectrum).max():
        warnings.warn(
            f"metric_params['VI'] has a negative eigenvalue, {spectrum.min():.3g}: squared "
            "distances that are negative count as infinite",
            stacklevel=6,
        )
        return Metric("mahalanobis", pairs=FromSciPy("mahalanobis", {"VI": inverse}), params=given)
    factor = axes * np.sqrt(np.maximum(spectrum, 0.0))
    return Metric("mahalanobis", EUCLIDEAN, row_map=Whitened(factor, center), params=given)


def _moments(X: Any) -> tuple[Array, Array]:
    """Mean and covariance of rows, dense, sparse or on disk."""
    if is_sparse(X):
        mean = np.asarray(X.mean(axis=0)).ravel()
        second = np.asarray((X.T @ X).todense()) / X.shape[0] - np.outer(mean, mean)
        return mean, second * (X.shape[0] / max(X.shape[0] - 1, 1))
    rows = np.asarray(X[:], dtype=np.float64)
    return rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False, ddof=min(1, len(rows) - 1)))


def _refuse(given: Mapping[str, Any], known: tuple[str, ...], metric: Any) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        allowed = f"only {' and '.join(known)}" if known else "none"
        raise ValueError(f"metric_params={unknown}: metric={metric!r} takes {allowed}")
