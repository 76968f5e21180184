"""What the pictures of held-out predictions are made of: plain arrays, no drawing.

z   truth, one a held-out row
ẑ   prediction
p   probability of each class
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiso.comparison import Comparison, Diagnostics, Protocol

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MAX_POINTS = 1500  # drawn one by one; more is a blot, and a file nobody can send
MAX_CLASSES = 12  # rows of a confusion matrix that a phone can show
N_BINS = 10


def sign(protocol: Protocol) -> int:
    """Return −1 for a metric that is an error: scores are kept such that greater is better."""
    return -1 if protocol.metric.startswith("neg_") else 1


def axis_label(protocol: Protocol) -> str:
    """Return the metric's name, saying which way is better where it is an error."""
    worse = " (smaller is better)" if sign(protocol) < 0 else ""
    return f"{protocol.metric_label}{worse}"


def pairs(diagnostics: Diagnostics) -> tuple[Floats, Floats]:
    """Return (truth, prediction) of a regression for the rows where both are finite."""
    z = np.asarray(diagnostics.truth, dtype=np.float64)
    predicted = np.asarray(diagnostics.predicted, dtype=np.float64)
    known = np.isfinite(z) & np.isfinite(predicted)
    return z[known], predicted[known]


def sample(n_rows: int, seed: int, n_max: int = MAX_POINTS) -> NDArray[np.intp]:
    """Return the rows to draw: all of them, or `n_max` drawn without replacement."""
    if n_rows <= n_max:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, n_max, replace=False))


@dataclass(frozen=True)
class Confusion:
    """Held-out rows counted by true and predicted class."""

    names: list[str]
    counts: Counts  # (true, predicted)
    n_merged: int  # classes that the last row and column stand for; 0 for none

    @property
    def n_rows(self) -> int:
        """Number of held-out rows counted."""
        return int(self.counts.sum())


def confusion(comparison: Comparison, diagnostics: Diagnostics) -> Confusion:
    """Count true against predicted class, over all held-out rows and all classes."""
    names = list(comparison.data.class_names)
    code = {name: i for i, name in enumerate(names)}
    for value in (*diagnostics.truth, *diagnostics.predicted):
        if str(value) not in code:
            code[str(value)] = len(names)
            names.append(str(value))
    true = [code[str(value)] for value in diagnostics.truth]
    predicted = [code[str(value)] for value in diagnostics.predicted]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)
    return Confusion(names, counts, 0)


def merged(full: Confusion, n_max: int = MAX_CLASSES) -> Confusion:
    """Keep the classes with most errors, to or from them; count the others as one."""
    k = len(full.names)
    if k <= n_max:
        return full
    wrong = full.counts - np.diag(np.diag(full.counts))
    errors = wrong.sum(axis=0) + wrong.sum(axis=1)
    kept = np.sort(np.argsort(-errors, kind="stable")[: n_max - 1])
    others = np.setdiff1d(np.arange(k), kept)
    fold = np.zeros((n_max, k), dtype=np.int64)  # fold @ counts @ fold.T sums the others
    fold[np.arange(n_max - 1), kept] = 1
    fold[-1, others] = 1
    names = [full.names[i] for i in kept] + [f"{len(others)} others"]
    return Confusion(names, fold @ full.counts @ fold.T, len(others))


def mistakes(full: Confusion, n_max: int = 15) -> list[tuple[str, str, int, int]]:
    """Return the most frequent (true, predicted, rows, rows of the true class), wrong only."""
    found: Counter[tuple[int, int]] = Counter(
        {(int(i), int(j)): int(full.counts[i, j]) for i, j in np.argwhere(full.counts) if i != j}
    )
    of_class = full.counts.sum(axis=1)
    return [
        (full.names[i], full.names[j], rows, int(of_class[i]))
        for (i, j), rows in found.most_common(n_max)
    ]


@dataclass(frozen=True)
class Reliability:
    """Stated probability against observed frequency, in bins of equally many rows."""

    what: str  # which event the probability is of
    stated: Floats  # mean probability of a bin
    observed: Floats  # share of its rows where the event happened
    low: Floats  # 95 % Wilson interval of that share
    high: Floats
    n_rows: int
    error: float  # mean |stated − observed| over the rows: the expected calibration error


def reliability(
    comparison: Comparison, diagnostics: Diagnostics, n_bins: int = N_BINS
) -> Reliability | None:
    """Bin the probabilities; None where the model gave none.

    Two classes: the event is the second class. More: the event is that the class with the
    highest probability is the true one.
    """
    names = comparison.data.class_names
    p = np.asarray(diagnostics.probability, dtype=np.float64)
    if p.ndim != 2 or p.shape[0] != len(diagnostics.truth) or p.shape[1] != len(names):
        return None
    truth = np.array([str(value) for value in diagnostics.truth])
    if len(names) == 2:
        what, stated, happened = f"{names[1]}", p[:, 1], truth == names[1]
    else:
        chosen = np.argmax(p, axis=1)
        what, stated = "the predicted class", p[np.arange(len(p)), chosen]
        happened = truth == np.array(names)[chosen]
    known = np.isfinite(stated)
    return _binned(what, stated[known], happened[known], n_bins) if known.any() else None


def _binned(what: str, p: Floats, happened: NDArray[np.bool_], n_bins: int) -> Reliability:
    order = np.argsort(p, kind="stable")
    bins = [b for b in np.array_split(order, min(n_bins, len(p))) if len(b)]
    n = np.array([len(b) for b in bins], dtype=np.float64)
    stated = np.array([p[b].mean() for b in bins])
    observed = np.array([happened[b].mean() for b in bins])
    z = 1.959963984540054
    middle = (observed + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(observed * (1 - observed) / n + z**2 / (4 * n**2))
    error = float(np.average(np.abs(stated - observed), weights=n))
    return Reliability(what, stated, observed, middle - half, middle + half, len(p), error)


def finite(values: list[Any]) -> Floats:
    """Return the finite ones among numbers, None and NaN."""
    array = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return array[np.isfinite(array)]
