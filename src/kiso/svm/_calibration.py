"""Probabilities from decision values: Platt's sigmoid, and pairs of classes coupled.

    p(y = 1 | f) = 1 / (1 + exp(A f + B))

A and B maximise the likelihood of targets (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), so that they stay
finite where the classes are separated (Platt 1999; Newton's method as Lin, Lin & Weng 2007).
The values f come from machines that have not seen the row: five folds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, indexable

from kiso._gate import check_array, check_sample_weight
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
    _log.info("probability=True: %d further fits to calibrate the decision values", _FOLDS)
    weight = check_sample_weight(sample_weight, X, ensure_non_negative=False)
    seed = int(check_generator(model.random_state).integers(2**31))
    values = np.zeros((len(y), len(model.intercept_)))
    one = clone(model).set_params(probability=False)
    for train, test in _folds(y, seed):
        rows, others = (_safe_indexing(X, some) for some in (train, test))
        if model.kernel == "precomputed":
            rows, others = (_safe_indexing(part, train, axis=1) for part in (rows, others))
        values[test] = _held_out(one, model.classes_, rows, y[train], weight[train], others)
    n_pairs = values.shape[1]
    slopes, offsets = np.zeros(n_pairs), np.zeros(n_pairs)
    two = len(model.classes_) == 2
    for pair, (a, b) in enumerate(combinations(model.classes_, 2)):
        member = ((y == a) | (y == b)) & (weight > 0)
        target = y[member] == (b if two else a)
        slopes[pair], offsets[pair] = platt(values[member, pair], target)
    return Calibration(slopes, offsets, time.perf_counter() - start)


def _folds(y: Array, seed: int) -> Iterator[tuple[Array, Array]]:
    """Five folds, each class spread over them as evenly as it goes, however small it is."""
    counts = np.unique(y, return_counts=True)[1]
    rng = np.random.default_rng(seed)
    if counts.min() >= _FOLDS:
        yield from StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(y, y)
        return
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]  # class after class, dealt in turn
    fold = np.empty(len(y), np.intp)
    fold[order] = np.arange(len(y)) % _FOLDS
    for k in range(min(_FOLDS, len(y))):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


def _held_out(one: Any, classes: Array, X: Any, y: Array, weight: Array, others: Any) -> Array:
    """Values of each pair's machine at rows that it has not seen.

    Where the rows that it has seen hold one class of the pair alone, that class is what it
    would say: a value of 1 or −1 (0 where they hold neither), as in LIBSVM.
    """
    here = np.isin(classes, y[weight > 0])
    n_rows = _num_samples(others)
    pairs = list(combinations(range(len(classes)), 2))
    values = np.zeros((n_rows, len(pairs)))
    sign = -1.0 if len(classes) == 2 else 1.0
    for pair, (a, b) in enumerate(pairs):
        values[:, pair] = sign * (float(here[a]) - float(here[b]))
    if here.sum() < 2:
        return values
    keep = np.flatnonzero(weight > 0)
    if one.kernel == "precomputed":
        others = _safe_indexing(others, keep, axis=1)
        X = _safe_indexing(X, keep, axis=1)
    one.fit(_safe_indexing(X, keep), y[keep], sample_weight=weight[keep])
    fitted = one._pair_values(others)
    if here.sum() == 2 and len(classes) > 2:
        fitted = -fitted  # a machine of two classes is positive for the second
    places = [k for k, (a, b) in enumerate(pairs) if here[a] and here[b]]
    values[:, places] = fitted
    return values


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
