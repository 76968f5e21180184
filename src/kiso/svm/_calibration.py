"""Probabilities from decision values: Platt's sigmoid, and pairs of classes coupled.

    p(y = 1 | f) = 1 / (1 + exp(A f + B))

A and B maximise the likelihood of targets (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), so that they stay
finite where the classes are separated (Platt 1999; Newton's method as Lin, Lin & Weng 2007).
The values f come from machines that have not seen the row: five folds.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _check_sample_weight, indexable

from kiso._validation import Array, check_generator

__all__ = ["Calibration", "calibrate", "coupled"]

_FOLDS = 5
_log = logging.getLogger("kiso")


@dataclass(frozen=True)
class Calibration:
    """A and B of each machine, and the seconds they took."""

    slopes: Array
    offsets: Array
    seconds: float


def calibrate(model: Any, X: Any, y: Any, sample_weight: Any) -> Calibration:
    """Fit Platt's sigmoids to the values of machines fitted on the other folds."""
    start = time.perf_counter()
    X, y = indexable(X, y)
    y = check_array(y, ensure_2d=False, dtype=None)
    counts = np.unique(y, return_counts=True)[1]
    if counts.min() < 2:
        raise ValueError(
            "probability=True needs at least 2 samples of every class to cross-validate: "
            f"the smallest class has {counts.min()}"
        )
    n_folds = int(min(_FOLDS, counts.min()))
    _log.info("probability=True: %d further fits to calibrate the decision values", n_folds)
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    seed = int(check_generator(model.random_state).integers(2**31))
    n_pairs = len(model.intercept_)
    values = np.zeros((len(y), n_pairs))
    one = clone(model).set_params(probability=False)
    for train, test in StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(y, y):
        square = model.kernel == "precomputed"
        rows, others = (_safe_indexing(X, some) for some in (train, test))
        if square:
            rows, others = (_safe_indexing(part, train, axis=1) for part in (rows, others))
        one.fit(rows, y[train], sample_weight=weight[train])
        values[test] = one._pair_values(others)
    slopes, offsets = np.zeros(n_pairs), np.zeros(n_pairs)
    two = len(model.classes_) == 2
    for pair, (a, b) in enumerate(combinations(model.classes_, 2)):
        member = ((y == a) | (y == b)) & (weight > 0)
        target = y[member] == (b if two else a)
        slopes[pair], offsets[pair] = platt(values[member, pair], target)
    return Calibration(slopes, offsets, time.perf_counter() - start)


def platt(f: Array, positive: Array) -> tuple[float, float]:
    """Maximise the likelihood of A and B by Newton's method with backtracking."""
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    t = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    ab = np.array([0.0, np.log((n_neg + 1) / (n_pos + 1))])
    rows = np.stack([f, np.ones_like(f)])

    def loss(ab: Array) -> float:
        z = ab @ rows
        return float(np.sum(np.logaddexp(0, z) - (1 - t) * z))

    value = loss(ab)
    for _ in range(100):
        p = expit(-(ab @ rows))
        gradient = rows @ (t - p)
        if np.abs(gradient).max() < 1e-8 * max(1, len(f)):
            break
        hessian = (rows * (p * (1 - p))) @ rows.T + 1e-12 * np.eye(2)
        step, size = -np.linalg.solve(hessian, gradient), 1.0
        while size > 1e-10 and not loss(ab + size * step) < value + 1e-4 * size * gradient @ step:
            size /= 2
        if size <= 1e-10:
            break
        ab = ab + size * step
        value = loss(ab)
    return float(ab[0]), float(ab[1])


def coupled(calibration: Calibration, values: Array, n_classes: int) -> Array:
    """Give class probabilities from the machines' values."""
    r = np.clip(expit(-(values * calibration.slopes + calibration.offsets)), 1e-7, 1 - 1e-7)
    if n_classes == 2:
        return np.column_stack([1 - r[:, 0], r[:, 0]])
    R = np.zeros((len(values), n_classes, n_classes))
    for pair, (a, b) in enumerate(combinations(range(n_classes), 2)):
        R[:, a, b], R[:, b, a] = r[:, pair], 1 - r[:, pair]
    return _couple(R)


def _couple(R: Array) -> Array:
    """Minimise Σ_a Σ_{b≠a} (R_ba p_a − R_ab p_b)² subject to Σ p = 1: a linear system a row."""
    n, k = R.shape[:2]
    Q = -np.swapaxes(R, 1, 2) * R
    Q[:, np.arange(k), np.arange(k)] = (R**2).sum(axis=1)
    system = np.ones((n, k + 1, k + 1))
    system[:, :k, :k] = Q
    system[:, k, k] = 0.0
    right = np.zeros((n, k + 1, 1))
    right[:, k] = 1.0
    p = np.maximum(np.linalg.solve(system, right)[:, :k, 0], 0.0)
    probabilities: Array = p / p.sum(axis=1, keepdims=True)
    return probabilities
