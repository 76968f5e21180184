"""The losses of boosting: where the raw prediction begins, derivatives, values of leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._compute.threads import map_rows
from kiso._validation import Array

from . import _loss_loops as loops

__all__ = ["LOSSES", "Loss", "weighted_quantile"]

LOSSES = {
    "squared_error": loops.SQUARED,
    "absolute_error": loops.ABSOLUTE,
    "quantile": loops.QUANTILE,
    "poisson": loops.POISSON,
    "gamma": loops.GAMMA,
    "log_loss": loops.BINARY,
}


def weighted_quantile(values: Array, weight: Array, q: float) -> float:
    """Least value below or at which a share q of the weight lies; the mean of two at a tie."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order])
    goal = q * mass[-1]
    i = min(int(np.searchsorted(mass, goal)), len(values) - 1)
    j = min(i + 1, len(values) - 1) if np.isclose(mass[i], goal, rtol=1e-12, atol=0) else i
    return float(0.5 * values[order[i]] + 0.5 * values[order[j]])


@dataclass(frozen=True)
class Loss:
    """A loss of raw predictions f, of shape (n_outputs, n); formulas in `_loss_loops`."""

    name: str
    n_outputs: int = 1  # one a class for several classes
    quantile: float = 0.5

    def first(self, y: Array, weight: Array | None) -> Array:
        """The constant raw prediction of least loss, shape (n_outputs, 1)."""
        if self.n_outputs > 1:
            shares = np.bincount(y.astype(np.intp), weight, minlength=self.n_outputs)
            logs = np.log(np.clip(shares / shares.sum(), np.finfo(float).eps, 1.0))
            return (logs - logs.mean())[:, None]
        if self.name in ("absolute_error", "quantile"):
            own = np.ones(len(y)) if weight is None else weight
            q = self.quantile if self.name == "quantile" else 0.5
            return np.array([[weighted_quantile(y, own, q)]])
        mean = float(np.average(y, weights=weight))
        if self.name == "log_loss":
            eps = np.finfo(float).eps
            mean = min(max(mean, eps), 1 - eps)
            return np.array([[np.log(mean / (1 - mean))]])
        return np.array([[np.log(mean) if self.name in ("poisson", "gamma") else mean]])

    def derivatives(self, f: Array, y: Array, weight: Array | None, pairs: Array) -> float:
        """Fill pairs of shape (n_outputs, n, 4); the mean loss, weighted."""
        none = np.empty(0)

        def task(rows: slice) -> float:
            w = none if weight is None else weight[rows]
            if self.n_outputs > 1:
                return loops.class_derivatives(f[:, rows], y[rows], w, pairs[:, rows])
            return loops.derivatives(
                LOSSES[self.name], self.quantile, f[0, rows], y[rows], w, pairs[0, rows]
            )

        total = sum(map_rows(task, len(y), min_rows=2048))
        return total / (len(y) if weight is None else float(weight.sum()))

    def mean(self, f: Array, y: Array, weight: Array | None) -> float:
        """The mean loss, weighted."""
        return self.derivatives(f, y, weight, np.empty((self.n_outputs, len(y), 4), np.float32))

    def renewed(self, residual: Array, weight: Array) -> float:
        """The value of a leaf of medians or quantiles, which its rows give."""
        q = self.quantile if self.name == "quantile" else 0.5
        return weighted_quantile(residual, weight, q)
