"""From validated input and parameters to what the loops take."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from kiso._validation import Array, Integral

from ._coding import code_features
from ._common_loops import ABSOLUTE, ENTROPY, GINI, LN2, MOMENT
from ._growth import Growth
from ._records_loops import Rules, Table

__all__ = ["Problem", "Targets", "make_problem", "resolve_max_features"]


@dataclass
class Targets:
    """y as the loops see it.

    `label` is the class, or the rank of y; `y` is centred for a regression, which keeps
    the digits of small differences between large values.
    """

    y: Array
    label: Array
    n_classes: int = 0
    centre: float = 0.0

    @staticmethod
    def of_classes(codes: Array, n_classes: int) -> Targets:
        """From class codes 0, 1, ..."""
        return Targets(codes.astype(np.float64), codes.astype(np.int32), n_classes)

    @staticmethod
    def of_values(y: Array, absolute: bool) -> Targets:
        """From numbers."""
        y = np.asarray(y, dtype=np.float64)
        if absolute:
            rank = np.empty(len(y), np.int32)
            rank[np.argsort(y, kind="stable")] = np.arange(len(y), dtype=np.int32)
            return Targets(y, rank)
        centre = float(np.mean(y * 2.0**-10) * 2.0**10)
        return Targets(y - centre, np.zeros(len(y), np.int32), 0, centre)


@dataclass
class Problem:
    """Coded data and rules, shared by the trees of a forest."""

    codes: Array
    values: Array
    offset: Array
    n_categories: Array
    targets: Targets
    weight: Array
    settings: dict[str, Any]
    best_first: bool = False

    def growth(self, seed: int, weight: Array | None = None) -> Growth:
        """Return a tree that has not begun to grow."""
        weight = self.weight if weight is None else weight
        total = float(weight.sum())
        table = Table(
            self.codes, self.values, self.offset, self.n_categories >= 0,
            self.targets.y, self.targets.label, weight,
        )  # fmt: skip
        rules = self.rules(total)
        return Growth(
            table, rules, seed, self.settings["max_leaf_nodes"], self.targets.n_classes,
            self.targets.centre, self.n_categories,
        )  # fmt: skip

    def rules(self, total: float) -> Rules:
        """Rules of a tree whose rows weigh `total`."""
        p, n_classes = self.settings, self.targets.n_classes
        n = self.codes.shape[1]
        leaf, parting = p["min_samples_leaf"], p["min_samples_split"]
        min_leaf = leaf if isinstance(leaf, Integral) else ceil(leaf * n)
        min_split = parting if isinstance(parting, Integral) else ceil(parting * n)
        mode, scale = {
            "gini": (MOMENT, 2.0) if n_classes <= 2 else (GINI, 1.0),
            "entropy": (ENTROPY, 1 / LN2),
            "log_loss": (ENTROPY, 1 / LN2),
            "squared_error": (MOMENT, 1.0),
            "absolute_error": (ABSOLUTE, 1.0),
        }[p["criterion"]]
        return Rules(
            mode=int(mode),
            n_stats=max(2, n_classes) if n_classes else 1,
            scale=scale,
            max_features=resolve_max_features(p["max_features"], len(self.codes)),
            random=p.get("splitter", "best") == "random",
            min_split=int(max(2, min_split)),
            min_leaf=int(min_leaf),
            min_weight=float(p["min_weight_fraction_leaf"] * total),
            max_depth=int(2**31 - 1 if p["max_depth"] is None else p["max_depth"]),
            min_decrease=float(p["min_impurity_decrease"]),
            total=total,
        )


def resolve_max_features(max_features: Any, n_features: int) -> int:
    """Number of features tried at a split."""
    if max_features is None:
        return n_features
    if max_features == "sqrt":
        return max(1, int(np.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(np.log2(n_features)))
    if isinstance(max_features, Integral):
        return int(max_features)
    return max(1, int(max_features * n_features))


def make_problem(
    X: Array, n_categories: Array, targets: Targets, weight: Array, settings: dict[str, Any]
) -> Problem:
    """Code the features and put everything together."""
    codes, values, offset = code_features(X, n_categories)
    return Problem(codes, values, offset, n_categories, targets, weight, settings)
